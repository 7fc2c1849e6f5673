// Impossible states end the process, in release too.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace simpul::base {

[[noreturn]] inline void CheckFailed(const char* file, int line, const char* condition,
                                     std::string_view detail) {
  fmt::print(stderr, "{}:{}: impossible: {} does not hold. {}\n", file, line, condition, detail);
  std::fflush(stderr);
  std::abort();
}

}  // namespace simpul::base

// SIMPUL_CHECK(condition, "what it means {}", value): no personal data in the words.
#define SIMPUL_CHECK(condition, ...)                                                         \
  do {                                                                                       \
    if (!(condition)) [[unlikely]] {                                                         \
      ::simpul::base::CheckFailed(__FILE__, __LINE__, #condition, fmt::format(__VA_ARGS__)); \
    }                                                                                        \
  } while (false)
