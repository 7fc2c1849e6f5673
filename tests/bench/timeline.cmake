# Projection, rebuild and reads of timelines.
add_executable(bench_timeline timeline_bench.cc)
target_link_libraries(bench_timeline PRIVATE simpul_flags simpul_timeline_role simpul_timeline simpul_eventlog
                                             simpul_event PkgConfig::ROCKSDB)
target_include_directories(bench_timeline PRIVATE ${CMAKE_SOURCE_DIR})
