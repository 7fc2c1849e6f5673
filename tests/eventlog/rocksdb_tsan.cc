// For test programs with RocksDB under the thread sanitizer: Debian's RocksDB is not instrumented,
// so the sanitizer sees its copies of memory but not what orders them. What our code does around it
// stays under watch.

#ifdef __SANITIZE_THREAD__
extern "C" const char* __tsan_default_suppressions() { return "called_from_lib:librocksdb.so\n"; }
#endif
