#include "lib/event/subject.h"

#include <algorithm>
#include <initializer_list>

#include "lib/base/bytes.h"
#include "lib/base/hash.h"
#include "lib/base/status_macros.h"

namespace simpul::event {
namespace {

constexpr std::string_view kZero("\0", 1);

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// ASCII letters only: a key must not depend on a locale or on a Unicode version.
std::string CanonicalText(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

std::string Canonical(uint32_t kind, std::initializer_list<std::string_view> fields) {
  std::string canonical(1, static_cast<char>(kind));
  for (std::string_view field : fields) base::PutText(canonical, CanonicalText(field));
  return canonical;
}

std::string FirstBytes(const base::Sha256Digest& digest, size_t count) {
  return std::string(base::AsBytes(digest).substr(0, count));
}

}  // namespace

std::string SubjectKey::hex() const { return base::Hex(view()); }

absl::StatusOr<SubjectKey> SubjectKey::FromBytes(std::string_view bytes) {
  SubjectKey key;
  if (bytes.size() != key.bytes.size()) {
    return absl::InvalidArgumentError("a subject key has 16 bytes");
  }
  std::copy(bytes.begin(), bytes.end(), key.bytes.begin());
  return key;
}

const v1::Identity* StrongestIdentity(const v1::Subject& subject) {
  const v1::Identity* strongest = nullptr;
  std::string canonical_of_strongest;
  for (const v1::Identity& identity : subject.identities()) {
    if (identity.kind_case() == v1::Identity::KIND_NOT_SET) continue;
    if (strongest != nullptr && identity.kind_case() > strongest->kind_case()) continue;
    // The canonical form starts with the kind, so one comparison ranks kinds and breaks ties.
    std::string canonical = *CanonicalIdentity(identity);
    if (strongest == nullptr || canonical < canonical_of_strongest) {
      strongest = &identity;
      canonical_of_strongest = std::move(canonical);
    }
  }
  return strongest;
}

absl::StatusOr<std::string> CanonicalIdentity(const v1::Identity& identity) {
  const uint32_t kind = identity.kind_case();
  switch (identity.kind_case()) {
    case v1::Identity::kNik:
      return Canonical(kind, {identity.nik().number()});
    case v1::Identity::kNewborn:
      return Canonical(kind, {identity.newborn().mother_nik(), identity.newborn().birth_date(),
                              std::to_string(identity.newborn().birth_order())});
    case v1::Identity::kPassport:
      return Canonical(kind, {identity.passport().country(), identity.passport().number()});
    case v1::Identity::kCard:
      return Canonical(kind, {identity.card().number()});
    case v1::Identity::kLocal:
      return Canonical(kind, {identity.local().system(), identity.local().facility(),
                              identity.local().number()});
    case v1::Identity::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the identity has no kind");
}

absl::StatusOr<Secret> Secret::FromBytes(std::string_view bytes) {
  if (bytes.size() != 32) return absl::InvalidArgumentError("a secret has 32 bytes");
  return Secret(std::string(bytes));
}

absl::StatusOr<SubjectKey> Secret::KeyOf(const v1::Identity& identity) const {
  SIMPUL_ASSIGN_OR_RETURN(const std::string canonical, CanonicalIdentity(identity));
  return SubjectKey::FromBytes(
      FirstBytes(base::HmacSha256(bytes_, {"simpul.subject.v1", kZero, canonical}), 16));
}

std::string Secret::DigestOf(std::string_view canonical_event) const {
  return FirstBytes(base::HmacSha256(bytes_, {"simpul.digest.v1", kZero, canonical_event}), 16);
}

std::string Secret::Mac(std::string_view purpose, std::string_view bytes) const {
  return FirstBytes(base::HmacSha256(bytes_, {purpose, kZero, bytes}), 32);
}

std::string Secret::Fingerprint() const {
  return FirstBytes(base::Sha256({"simpul.secret.v1", kZero, bytes_}), 8);
}

int32_t Murmur2(std::string_view bytes) {
  constexpr uint32_t kSeed = 0x9747b28c;
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  constexpr int kShift = 24;
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  uint32_t hash = kSeed ^ static_cast<uint32_t>(bytes.size());
  size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    uint32_t k = byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24;
    k *= kMultiplier;
    k ^= k >> kShift;
    k *= kMultiplier;
    hash *= kMultiplier;
    hash ^= k;
  }
  const size_t rest = bytes.size() - i;
  if (rest >= 3) hash ^= byte(i + 2) << 16;
  if (rest >= 2) hash ^= byte(i + 1) << 8;
  if (rest >= 1) {
    hash ^= byte(i);
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return static_cast<int32_t>(hash);
}

uint32_t PartitionOf(std::string_view key, uint32_t partitions) {
  return (static_cast<uint32_t>(Murmur2(key)) & 0x7fffffff) % partitions;
}

}  // namespace simpul::event
