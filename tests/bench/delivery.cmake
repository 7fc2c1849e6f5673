# From the log to the platform: how many events a second, and how late at the nation's peak hour.
add_executable(bench_delivery delivery_bench.cc)
target_link_libraries(bench_delivery PRIVATE simpul_flags simpul_forwarder simpul_sandbox simpul_timeline_role
                                             simpul_eventlog simpul_event)
target_include_directories(bench_delivery PRIVATE ${CMAKE_SOURCE_DIR})
