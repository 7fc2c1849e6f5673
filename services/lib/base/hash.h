// SHA-256 and HMAC-SHA-256.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

struct SHA256state_st;

namespace simpul::base {

using Sha256Digest = std::array<uint8_t, 32>;

// SHA-256 of the parts, one after another. Any thread.
Sha256Digest Sha256(std::initializer_list<std::string_view> parts);
inline Sha256Digest Sha256(std::string_view bytes) { return Sha256({bytes}); }

// SHA-256 of what is added, piece by piece. One thread.
class Sha256Sum {
 public:
  Sha256Sum();
  ~Sha256Sum();
  Sha256Sum(const Sha256Sum&) = delete;
  Sha256Sum& operator=(const Sha256Sum&) = delete;

  void Add(std::string_view bytes);
  // Call once, last.
  Sha256Digest Take();

 private:
  std::unique_ptr<SHA256state_st> state_;
};

// HMAC-SHA-256 (RFC 2104) of the parts, one after another. Any thread.
Sha256Digest HmacSha256(std::string_view key, std::initializer_list<std::string_view> parts);

// The digest's bytes as a view; valid as long as the digest.
inline std::string_view AsBytes(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// `count` bytes from the operating system's random source. Ends the process if there is none.
std::string RandomBytes(size_t count);

// Lower-case hexadecimal.
std::string Hex(std::string_view bytes);

}  // namespace simpul::base
