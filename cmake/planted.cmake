# simpul_planted_bug_test(NAME BUG name BINARY test_program FILTER gtest-filter)
#
# Passes when the program, with the bug of lib/base/test_point.h planted, fails exactly one test: the tests catch it.
function(simpul_planted_bug_test name)
  cmake_parse_arguments(ARG "" "BUG;BINARY;FILTER" "" ${ARGN})
  simpul_script_test(
    ${name}
    COMMAND ${CMAKE_COMMAND} -E env SIMPUL_PLANT_BUG=${ARG_BUG} $<TARGET_FILE:${ARG_BINARY}>
            --gtest_filter=${ARG_FILTER}
    LABELS unit)
  if(TEST ${SIMPUL_PRESET}.${name})
    set_tests_properties(${SIMPUL_PRESET}.${name} PROPERTIES PASS_REGULAR_EXPRESSION " 1 FAILED TEST")
  endif()
endfunction()
