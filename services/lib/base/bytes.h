// Fixed-width numbers in keys and records, most significant byte first so that byte order is number
// order; and texts behind their length.
#pragma once

#include <endian.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace simpul::base {

inline void PutBe16(std::string& out, uint16_t v) {
  const char bytes[] = {static_cast<char>(v >> 8), static_cast<char>(v)};
  out.append(bytes, sizeof(bytes));
}
inline void PutBe32(std::string& out, uint32_t v) {
  const char bytes[] = {static_cast<char>(v >> 24), static_cast<char>(v >> 16),
                        static_cast<char>(v >> 8), static_cast<char>(v)};
  out.append(bytes, sizeof(bytes));
}
inline void PutBe64(std::string& out, uint64_t v) {
  const char bytes[] = {static_cast<char>(v >> 56), static_cast<char>(v >> 48),
                        static_cast<char>(v >> 40), static_cast<char>(v >> 32),
                        static_cast<char>(v >> 24), static_cast<char>(v >> 16),
                        static_cast<char>(v >> 8),  static_cast<char>(v)};
  out.append(bytes, sizeof(bytes));
}

// LP(x) of docs/formats.md: one after another, different texts give different bytes.
inline void PutText(std::string& out, std::string_view text) {
  PutBe32(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

// The caller has checked that `in` is long enough.
inline uint16_t GetBe16(std::string_view in) {
  uint16_t v;
  std::memcpy(&v, in.data(), sizeof(v));
  return be16toh(v);
}
inline uint32_t GetBe32(std::string_view in) {
  uint32_t v;
  std::memcpy(&v, in.data(), sizeof(v));
  return be32toh(v);
}
inline uint64_t GetBe64(std::string_view in) {
  uint64_t v;
  std::memcpy(&v, in.data(), sizeof(v));
  return be64toh(v);
}

}  // namespace simpul::base
