// Named places in the code where tests crash the process or plant a bug.
//
// Compiled in only with SIMPUL_TEST_POINTS, which no release has; otherwise everything here is
// nothing. Switched on by the environment of the process under test:
//   SIMPUL_CRASH_AT=name[:N]   _exit(137) when the point is passed for the N-th time (default 1)
//   SIMPUL_CRASH_ON=name:what  _exit(137) when the point is passed with just that
//   SIMPUL_PLANT_BUG=name,...  PlantedBug(name) is true
#pragma once

#ifdef SIMPUL_TEST_POINTS

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

namespace simpul::base {

inline void CrashPoint(std::string_view name) {
  static const std::string wanted = [] {
    const char* text = std::getenv("SIMPUL_CRASH_AT");
    return std::string(text == nullptr ? "" : text);
  }();
  static std::atomic<int> passes_left = [] {
    const size_t colon = wanted.find(':');
    return colon == std::string::npos ? 1 : std::atoi(wanted.c_str() + colon + 1);
  }();
  if (wanted.empty() || std::string_view(wanted).substr(0, wanted.find(':')) != name) return;
  if (passes_left.fetch_sub(1) == 1) _exit(137);
}

inline void CrashPointOf(std::string_view name, std::string_view what) {
  static const std::string wanted = [] {
    const char* text = std::getenv("SIMPUL_CRASH_ON");
    return std::string(text == nullptr ? "" : text);
  }();
  if (wanted.empty() || wanted.size() != name.size() + 1 + what.size()) return;
  if (wanted.starts_with(name) && wanted.ends_with(what)) _exit(137);
}

inline bool PlantedBug(std::string_view name) {
  static const std::string planted = [] {
    const char* text = std::getenv("SIMPUL_PLANT_BUG");
    return text == nullptr ? std::string() : "," + std::string(text) + ",";
  }();
  return !planted.empty() && planted.find("," + std::string(name) + ",") != std::string::npos;
}

}  // namespace simpul::base

#define SIMPUL_CRASH_POINT(name) ::simpul::base::CrashPoint(name)
#define SIMPUL_CRASH_POINT_OF(name, what) ::simpul::base::CrashPointOf(name, what)
#define SIMPUL_PLANTED_BUG(name) ::simpul::base::PlantedBug(name)

#else

#define SIMPUL_CRASH_POINT(name) \
  do {                           \
  } while (false)
#define SIMPUL_CRASH_POINT_OF(name, what) \
  do {                                    \
  } while (false)
#define SIMPUL_PLANTED_BUG(name) false

#endif
