// By what a state knows the last record it applied again, and so its log.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/base/hash.h"

namespace simpul::eventlog {

// The first 16 bytes of SHA-256(LP(key) LP(value)). All zero where nothing was applied yet.
using RecordDigest = std::array<uint8_t, 16>;

inline RecordDigest DigestOfRecord(std::string_view key, std::string_view value) {
  std::string key_bytes;
  base::PutBe32(key_bytes, static_cast<uint32_t>(key.size()));
  std::string value_bytes;
  base::PutBe32(value_bytes, static_cast<uint32_t>(value.size()));
  const base::Sha256Digest whole = base::Sha256({key_bytes, key, value_bytes, value});
  RecordDigest digest;
  std::copy_n(whole.begin(), digest.size(), digest.begin());
  return digest;
}

inline std::string_view AsBytes(const RecordDigest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// `bytes` are 16.
inline RecordDigest RecordDigestFrom(std::string_view bytes) {
  RecordDigest digest;
  std::copy_n(bytes.begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace simpul::eventlog
