// SipHash-2-4 (Aumasson, Bernstein 2012): a short keyed hash for references within one patient's
// history. The key is the subject key, which nobody outside knows.
#pragma once

#include <endian.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace simpul::timeline {

// 64 bits of SipHash-2-4 of `bytes` under the 16 bytes of `key`. Part of a disk format.
inline uint64_t SipHash(std::string_view key, std::string_view bytes) {
  const auto little = [](const char* from) {
    uint64_t value;
    std::memcpy(&value, from, sizeof(value));
    return le64toh(value);
  };
  const auto rotate = [](uint64_t value, int by) { return value << by | value >> (64 - by); };
  const uint64_t k0 = little(key.data());
  const uint64_t k1 = little(key.data() + 8);
  uint64_t v0 = k0 ^ 0x736f6d6570736575;
  uint64_t v1 = k1 ^ 0x646f72616e646f6d;
  uint64_t v2 = k0 ^ 0x6c7967656e657261;
  uint64_t v3 = k1 ^ 0x7465646279746573;
  const auto round = [&] {
    v0 += v1;
    v1 = rotate(v1, 13) ^ v0;
    v0 = rotate(v0, 32);
    v2 += v3;
    v3 = rotate(v3, 16) ^ v2;
    v0 += v3;
    v3 = rotate(v3, 21) ^ v0;
    v2 += v1;
    v1 = rotate(v1, 17) ^ v2;
    v2 = rotate(v2, 32);
  };
  const auto take = [&](uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  };
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) take(little(bytes.data() + at));
  uint64_t last = static_cast<uint64_t>(bytes.size() & 0xff) << 56;
  for (size_t i = at; i < bytes.size(); ++i) {
    last |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * (i - at));
  }
  take(last);
  v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace simpul::timeline
