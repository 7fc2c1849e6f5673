// Fixed-width numbers in keys and records, most significant byte first so that byte order is number
// order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace simpul::base {

inline void PutBe16(std::string& out, uint16_t v) {
  out.push_back(static_cast<char>(v >> 8));
  out.push_back(static_cast<char>(v));
}
inline void PutBe32(std::string& out, uint32_t v) {
  PutBe16(out, static_cast<uint16_t>(v >> 16));
  PutBe16(out, static_cast<uint16_t>(v));
}
inline void PutBe64(std::string& out, uint64_t v) {
  PutBe32(out, static_cast<uint32_t>(v >> 32));
  PutBe32(out, static_cast<uint32_t>(v));
}

// The caller has checked that `in` is long enough.
inline uint16_t GetBe16(std::string_view in) {
  return static_cast<uint16_t>(static_cast<uint8_t>(in[0]) << 8 | static_cast<uint8_t>(in[1]));
}
inline uint32_t GetBe32(std::string_view in) {
  return static_cast<uint32_t>(GetBe16(in)) << 16 | GetBe16(in.substr(2));
}
inline uint64_t GetBe64(std::string_view in) {
  return static_cast<uint64_t>(GetBe32(in)) << 32 | GetBe32(in.substr(4));
}

}  // namespace simpul::base
