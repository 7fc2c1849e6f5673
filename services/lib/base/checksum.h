// A checksum of a set: it does not depend on order, and one member can be taken out again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/hash.h"

namespace simpul::base {

// The sum modulo 2^256 of the members' SHA-256 digests, read as numbers with the most significant
// byte first.
class SetChecksum {
 public:
  // Empty set.
  SetChecksum() = default;

  void Add(const Sha256Digest& member);
  void Remove(const Sha256Digest& member);
  // The union of two disjoint sets.
  void Add(const SetChecksum& other);

  // 64 hexadecimal digits.
  std::string ToHex() const;
  // Nullopt: it is not what ToHex gives.
  static std::optional<SetChecksum> FromHex(std::string_view hex);
  // 32 bytes, as kept on disk.
  std::string ToBytes() const;
  // `bytes` must be 32 long.
  static SetChecksum FromBytes(std::string_view bytes);

  friend bool operator==(const SetChecksum&, const SetChecksum&) = default;

 private:
  std::array<uint8_t, 32> sum_{};
};

}  // namespace simpul::base
