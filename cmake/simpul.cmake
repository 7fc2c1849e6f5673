# How targets of this project are made. Every source is named: nothing is globbed, so nothing is forgotten or left over.

add_library(simpul_flags INTERFACE)
target_compile_options(simpul_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                              -Wno-missing-field-initializers -Werror)
target_include_directories(simpul_flags INTERFACE ${CMAKE_SOURCE_DIR}/services)
if(SIMPUL_TEST_POINTS)
  target_compile_definitions(simpul_flags INTERFACE SIMPUL_TEST_POINTS=1)
endif()
if(SIMPUL_SANITIZE)
  add_compile_options(-fsanitize=${SIMPUL_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SIMPUL_SANITIZE})
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

# simpul_test(NAME SRCS a_test.cc ... DEPS lib ... LABELS label ... TIMEOUT seconds)
#
# One test program, one ctest entry. LABELS choose what `tests/run PART` runs.
function(simpul_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE simpul_flags ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
                       ENVIRONMENT "SIMPUL_SOURCE_DIR=${CMAKE_SOURCE_DIR};SIMPUL_BINARY=${CMAKE_BINARY_DIR}/bin/simpul")
endfunction()
