// Random numbers that are the same for the same seed on every machine and compiler.
//
// SplitMix64 (Steele, Lea, Flood 2014). The standard library's distributions differ between
// implementations, so the few that are needed stand here, in whole numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace simpul::cli {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  // 0 to count - 1. The bias of the remainder is far below what matters here.
  uint64_t Below(uint64_t count) { return Next() % count; }
  // Both ends included.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low + 1)));
  }
  // True `permille` times of a thousand.
  bool Chance(unsigned permille) { return Below(1000) < permille; }
  // Bell-shaped around `centre`, within `spread` on either side.
  int64_t Near(int64_t centre, int64_t spread) {
    return centre +
           (Between(-spread, spread) + Between(-spread, spread) + Between(-spread, spread)) / 3;
  }
  template <typename T>
  const T& Pick(std::span<const T> choices) {
    return choices[Below(choices.size())];
  }
  template <typename T, size_t N>
  const T& Pick(const T (&choices)[N]) {
    return choices[Below(N)];
  }

 private:
  uint64_t state_;
};

}  // namespace simpul::cli
