# simpul_planted_bug_test(NAME BUG name BINARY test_program FILTER gtest-filter KAFKA release)
#
# Passes when the program, with the bug of lib/base/test_point.h planted, fails exactly one test: the tests catch it. With KAFKA
# it is run with a broker of that release.
function(simpul_planted_bug_test name)
  cmake_parse_arguments(ARG "" "BUG;BINARY;FILTER;KAFKA" "" ${ARGN})
  set(labels unit)
  set(brokers "")
  if(ARG_KAFKA)
    set(labels cluster)
    set(brokers ${CMAKE_SOURCE_DIR}/tests/support/with_kafka.py --kafka ${ARG_KAFKA} --)
  endif()
  simpul_script_test(
    ${name}
    COMMAND ${brokers} ${CMAKE_COMMAND} -E env SIMPUL_PLANT_BUG=${ARG_BUG} $<TARGET_FILE:${ARG_BINARY}>
            --gtest_filter=${ARG_FILTER}
    LABELS ${labels})
  if(TEST ${SIMPUL_PRESET}.${name})
    set_tests_properties(${SIMPUL_PRESET}.${name} PROPERTIES PASS_REGULAR_EXPRESSION " 1 FAILED TEST")
  endif()
endfunction()
