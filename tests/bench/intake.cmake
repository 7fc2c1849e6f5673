# Durable intake through the embedded log, against RocksDB alone.
add_executable(bench_intake intake_bench.cc)
target_link_libraries(bench_intake PRIVATE simpul_flags simpul_eventlog PkgConfig::ROCKSDB)
target_include_directories(bench_intake PRIVATE ${CMAKE_SOURCE_DIR})
