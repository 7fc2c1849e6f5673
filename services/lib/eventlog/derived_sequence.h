// How derived records are read: exactly the next number, once.
#pragma once

#include <cstdint>

#include "lib/base/test_point.h"

namespace simpul::eventlog {

// Follows the running numbers of one partition's topic entries. A record may be there twice (two
// owners, a restart); a number may never be missing.
class DerivedSequence {
 public:
  explicit DerivedSequence(uint64_t last = 0) : last_(last) {}

  enum class Verdict {
    kNext,  // take it
    kSeen,  // taken before: leave it
    kHole,  // a number is missing: stop the partition, this is a bug
  };

  // On kNext `number` is the last one taken from now on.
  Verdict Take(uint64_t number) {
    if (number <= last_) return Verdict::kSeen;
    if (number != last_ + 1 && !SIMPUL_PLANTED_BUG("hole_passed_over")) return Verdict::kHole;
    last_ = number;
    return Verdict::kNext;
  }

  // The last number taken; 0 before the first.
  uint64_t last() const { return last_; }

 private:
  uint64_t last_;
};

}  // namespace simpul::eventlog
