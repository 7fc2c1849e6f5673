#include "lib/base/uuid.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "lib/base/check.h"
#include "lib/base/hash.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace simpul::base {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The 16 bytes of a UUID's text, which was checked.
std::array<char, 16> Bytes(std::string_view uuid) {
  std::array<char, 16> bytes{};
  size_t size = 0;
  for (size_t i = 0; i < uuid.size() && size < bytes.size();) {
    if (uuid[i] == '-') {
      ++i;
      continue;
    }
    bytes[size++] = static_cast<char>(HexValue(uuid[i]) << 4 | HexValue(uuid[i + 1]));
    i += 2;
  }
  return bytes;
}

std::string WithVersion(std::array<char, 16> bytes, int version) {
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | version << 4);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  return UuidText(std::string_view(bytes.data(), bytes.size()));
}

}  // namespace

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  bool zero = true;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return false;
    } else {
      if (HexValue(text[i]) < 0) return false;
      zero = zero && text[i] == '0';
    }
  }
  return !zero;
}

std::string RandomUuid() {
  std::array<char, 16> bytes;
  std::ranges::copy(RandomBytes(bytes.size()), bytes.begin());
  return WithVersion(bytes, 4);
}

std::string UuidV5(std::string_view name_space, std::string_view name) {
  SIMPUL_CHECK(name_space.size() == 36, "The namespace is no UUID.");
  const std::array<char, 16> space = Bytes(name_space);
  SHA_CTX context;
  SHA1_Init(&context);
  SHA1_Update(&context, space.data(), space.size());
  SHA1_Update(&context, name.data(), name.size());
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1_Final(digest, &context);
  std::array<char, 16> bytes;
  std::copy_n(digest, bytes.size(), bytes.begin());
  return WithVersion(bytes, 5);
}

std::optional<std::array<char, 16>> ReadUuid(std::string_view text) {
  if (!IsUuid(text)) return std::nullopt;
  return Bytes(text);
}

std::string UuidBytes(std::string_view uuid) {
  SIMPUL_CHECK(uuid.size() == 36, "UuidBytes of something that is no UUID.");
  const std::array<char, 16> bytes = Bytes(uuid);
  return std::string(bytes.data(), bytes.size());
}

std::string UuidText(std::string_view bytes) {
  SIMPUL_CHECK(bytes.size() == 16, "A UUID has 16 bytes.");
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(36, '-');
  size_t at = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++at;
    text[at++] = kDigits[static_cast<uint8_t>(bytes[i]) >> 4];
    text[at++] = kDigits[static_cast<uint8_t>(bytes[i]) & 15];
  }
  return text;
}

}  // namespace simpul::base
