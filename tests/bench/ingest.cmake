# Single events from 32 connections.
add_executable(single_event_bench single_event_bench.cc)
target_link_libraries(single_event_bench PRIVATE simpul_flags simpul_ingest simpul_eventlog simpul_rpc simpul_grpc
                                                 simpul_sample_events fmt::fmt)
target_include_directories(single_event_bench PRIVATE ${CMAKE_SOURCE_DIR})
