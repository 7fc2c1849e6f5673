#include "lib/base/hash.h"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <cstring>

#include "lib/base/check.h"

// OpenSSL's low-level SHA-256 is marked deprecated but is the only form that needs no allocation
// and no look-up of a provider for each call; an event is hashed four times on its way.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace simpul::base {

Sha256Digest Sha256(std::initializer_list<std::string_view> parts) {
  SHA256_CTX context;
  SHA256_Init(&context);
  for (std::string_view part : parts) {
    SHA256_Update(&context, part.data(), part.size());
  }
  Sha256Digest digest;
  SHA256_Final(digest.data(), &context);
  return digest;
}

Sha256Sum::Sha256Sum() : state_(std::make_unique<SHA256_CTX>()) { SHA256_Init(state_.get()); }

Sha256Sum::~Sha256Sum() = default;

void Sha256Sum::Add(std::string_view bytes) {
  SHA256_Update(state_.get(), bytes.data(), bytes.size());
}

Sha256Digest Sha256Sum::Take() {
  Sha256Digest digest;
  SHA256_Final(digest.data(), state_.get());
  return digest;
}

Sha256Digest HmacSha256(std::string_view key, std::initializer_list<std::string_view> parts) {
  constexpr size_t kBlock = 64;
  std::array<uint8_t, kBlock> block{};
  if (key.size() > kBlock) {
    const Sha256Digest short_key = Sha256(key);
    std::memcpy(block.data(), short_key.data(), short_key.size());
  } else {
    std::memcpy(block.data(), key.data(), key.size());
  }
  std::array<uint8_t, kBlock> pad;
  SHA256_CTX context;
  for (size_t i = 0; i < kBlock; ++i) pad[i] = block[i] ^ 0x36;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  for (std::string_view part : parts) {
    SHA256_Update(&context, part.data(), part.size());
  }
  Sha256Digest inner;
  SHA256_Final(inner.data(), &context);
  for (size_t i = 0; i < kBlock; ++i) pad[i] = block[i] ^ 0x5c;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  SHA256_Update(&context, inner.data(), inner.size());
  Sha256Digest digest;
  SHA256_Final(digest.data(), &context);
  return digest;
}

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  SIMPUL_CHECK(
      RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1,
      "The operating system gives no random bytes.");
  return bytes;
}

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (char c : bytes) {
    text.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
    text.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
  }
  return text;
}

}  // namespace simpul::base
