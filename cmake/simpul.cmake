# How targets of this project are made. Every source is named: nothing is globbed, so nothing is forgotten or left over.

add_library(simpul_flags INTERFACE)
# -Wrestrict: GCC 12 sees overlaps in std::string that are not there (its bug 105651).
target_compile_options(simpul_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                              -Wno-missing-field-initializers
                                              $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> -Werror)
target_include_directories(simpul_flags INTERFACE ${CMAKE_SOURCE_DIR}/services)
if(SIMPUL_TEST_POINTS)
  target_compile_definitions(simpul_flags INTERFACE SIMPUL_TEST_POINTS=1)
endif()
if(SIMPUL_SANITIZE)
  add_compile_options(-fsanitize=${SIMPUL_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SIMPUL_SANITIZE})
else()
  # docs/decisions/0004-who-gives-memory.md. Sanitizers bring their own.
  target_link_libraries(simpul_flags INTERFACE PkgConfig::JEMALLOC)
endif()

# simpul_library(NAME SRCS a.cc ... DEPS lib ... PRIVATE_DEPS lib ...)
#
# One folder of services/. DEPS are seen by whoever includes its headers; PRIVATE_DEPS only by its sources.
function(simpul_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_SRCS)
    add_library(${name} STATIC ${ARG_SRCS})
    target_link_libraries(${name} PUBLIC simpul_flags ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE simpul_flags ${ARG_DEPS})
  endif()
endfunction()

set(SIMPUL_PRESET "dev" CACHE STRING "Which preset this build folder is: release, asan, tsan or dev")

# simpul_test(NAME SRCS a_test.cc ... DEPS lib ... LABELS label ... IN preset ... TIMEOUT seconds KAFKA release ...)
#
# One test program, one ctest entry; with KAFKA one for each release of Kafka named, run with a broker of it. LABELS choose what `tests/run PART` runs. IN names the presets that build and run
# it: asan when nothing is said; dev builds everything.
function(simpul_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SRCS;DEPS;LABELS;IN;KAFKA" ${ARGN})
  simpul_wanted(wanted "${ARG_IN}")
  if(NOT wanted)
    return()
  endif()
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE simpul_flags ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  if(ARG_KAFKA)
    foreach(release ${ARG_KAFKA})
      simpul_add_test(${name}_${release} "${ARG_LABELS}" "${ARG_TIMEOUT}"
                      ${CMAKE_SOURCE_DIR}/tests/support/with_kafka.py --kafka ${release} -- $<TARGET_FILE:${name}>)
    endforeach()
  else()
    simpul_add_test(${name} "${ARG_LABELS}" "${ARG_TIMEOUT}" ${name})
  endif()
  if(SIMPUL_PRESET STREQUAL "tsan")
    add_dependencies(tsan_tests ${name})
  endif()
endfunction()

# The thread sanitizer's build makes only its tests: most of the program links gRPC, which is not instrumented.
if(SIMPUL_PRESET STREQUAL "tsan")
  add_custom_target(tsan_tests)
endif()

# simpul_script_test(NAME COMMAND program argument ... LABELS label ... IN preset ... TIMEOUT seconds)
#
# A test that is a script: it finds the program under test in SIMPUL_BINARY.
function(simpul_script_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "COMMAND;LABELS;IN" ${ARGN})
  simpul_wanted(wanted "${ARG_IN}")
  if(wanted)
    simpul_add_test(${name} "${ARG_LABELS}" "${ARG_TIMEOUT}" ${ARG_COMMAND})
  endif()
endfunction()

function(simpul_wanted result presets)
  if(NOT presets)
    set(presets asan)
  endif()
  if(SIMPUL_PRESET STREQUAL "dev" OR SIMPUL_PRESET IN_LIST presets)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

function(simpul_add_test name labels timeout)
  add_test(NAME ${SIMPUL_PRESET}.${name} COMMAND ${ARGN})
  if(NOT timeout)
    set(timeout 300)
  endif()
  set_tests_properties(
    ${SIMPUL_PRESET}.${name}
    PROPERTIES LABELS "${labels}" TIMEOUT ${timeout}
               ENVIRONMENT
               "SIMPUL_SOURCE_DIR=${CMAKE_SOURCE_DIR};SIMPUL_BINARY=${CMAKE_BINARY_DIR}/bin/simpul;SIMPUL_BUILD_DIR=${CMAKE_BINARY_DIR};TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan.supp")
endfunction()
