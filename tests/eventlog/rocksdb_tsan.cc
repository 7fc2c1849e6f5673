// For test programs with RocksDB under the thread sanitizer: Debian's RocksDB and absl::Status are
// not instrumented, so the sanitizer sees their memory but not the atomics that order it. Reports
// with a frame of RocksDB are left out, those of its threads that show only the standard library's
// copy of a string, and the last release of a shared status.

#ifdef __SANITIZE_THREAD__
extern "C" const char* __tsan_default_suppressions() {
  return "race:librocksdb.so\n"
         "race:^std::__cxx11::basic_string<*>::_M_assign\n"
         "race:^absl::*Status::UnrefNonInlined\n";
}
#endif
