// Bytes with something wrong, as fuzzing makes them: the same for the same seed.
#pragma once

#include <random>
#include <string>
#include <string_view>

namespace simpul::testing {

// One to three changes: a bit, a byte, a cut, a piece twice, two pieces exchanged, a piece of
// `other` put in.
inline std::string Mutated(std::string bytes, std::string_view other, std::mt19937_64& random) {
  const auto below = [&](size_t limit) { return limit == 0 ? 0 : random() % limit; };
  for (size_t changes = 1 + below(3); changes > 0; --changes) {
    const size_t at = below(bytes.size());
    const size_t size = 1 + below(24);
    switch (below(7)) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.insert(below(bytes.size() + 1), std::string(bytes.substr(at, size)));
        break;
      case 4:
        bytes.erase(at, size);
        break;
      case 5:
        bytes = bytes.substr(at) + bytes.substr(0, at);
        break;
      default:
        bytes.insert(at, std::string(other.substr(below(other.size()), size)));
        break;
    }
  }
  return bytes;
}

}  // namespace simpul::testing
