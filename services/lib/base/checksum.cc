#include "lib/base/checksum.h"

#include <charconv>
#include <cstring>

#include "lib/base/check.h"

namespace simpul::base {
namespace {

void AddTo(std::array<uint8_t, 32>& sum, const std::array<uint8_t, 32>& term) {
  unsigned carry = 0;
  for (size_t i = sum.size(); i-- > 0;) {
    carry += sum[i] + term[i];
    sum[i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
}

}  // namespace

void SetChecksum::Add(const Sha256Digest& member) { AddTo(sum_, member); }

void SetChecksum::Remove(const Sha256Digest& member) {
  int borrow = 0;
  for (size_t i = sum_.size(); i-- > 0;) {
    int digit = sum_[i] - member[i] - borrow;
    borrow = digit < 0;
    sum_[i] = static_cast<uint8_t>(digit);
  }
}

void SetChecksum::Add(const SetChecksum& other) { AddTo(sum_, other.sum_); }

std::string SetChecksum::ToHex() const { return Hex(ToBytes()); }

std::string SetChecksum::ToBytes() const {
  return std::string(reinterpret_cast<const char*>(sum_.data()), sum_.size());
}

std::optional<SetChecksum> SetChecksum::FromHex(std::string_view hex) {
  SetChecksum checksum;
  if (hex.size() != 2 * checksum.sum_.size()) return std::nullopt;
  for (size_t i = 0; i < checksum.sum_.size(); ++i) {
    const char* const digits = hex.data() + 2 * i;
    const auto [end, error] = std::from_chars(digits, digits + 2, checksum.sum_[i], 16);
    if (error != std::errc() || end != digits + 2) return std::nullopt;
  }
  return checksum;
}

SetChecksum SetChecksum::FromBytes(std::string_view bytes) {
  SIMPUL_CHECK(bytes.size() == 32, "A set checksum has 32 bytes, not {}.", bytes.size());
  SetChecksum checksum;
  std::memcpy(checksum.sum_.data(), bytes.data(), bytes.size());
  return checksum;
}

}  // namespace simpul::base
