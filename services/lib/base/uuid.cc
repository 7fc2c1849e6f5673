#include "lib/base/uuid.h"

#include <openssl/sha.h>

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

std::string WithVersion(std::string bytes, int version) {
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | version << 4);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  return UuidText(bytes);
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

std::string RandomUuid() { return WithVersion(RandomBytes(16), 4); }

std::string UuidV5(std::string_view name_space, std::string_view name) {
  const std::string space = UuidBytes(name_space);
  SHA_CTX context;
  SHA1_Init(&context);
  SHA1_Update(&context, space.data(), space.size());
  SHA1_Update(&context, name.data(), name.size());
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1_Final(digest, &context);
  return WithVersion(std::string(reinterpret_cast<const char*>(digest), 16), 5);
}

std::string UuidBytes(std::string_view uuid) {
  SIMPUL_CHECK(uuid.size() == 36, "UuidBytes of something that is no UUID.");
  std::string bytes;
  bytes.reserve(16);
  for (size_t i = 0; i < uuid.size();) {
    if (uuid[i] == '-') {
      ++i;
      continue;
    }
    bytes.push_back(static_cast<char>(HexValue(uuid[i]) << 4 | HexValue(uuid[i + 1])));
    i += 2;
  }
  return bytes;
}

std::string UuidText(std::string_view bytes) {
  SIMPUL_CHECK(bytes.size() == 16, "A UUID has 16 bytes.");
  std::string text = Hex(bytes);
  text.reserve(36);
  for (const size_t at : {8, 13, 18, 23}) text.insert(at, 1, '-');
  return text;
}

}  // namespace simpul::base
