// Who an event is about, as the log sees it: the subject key.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "simpul/event/v1/identity.pb.h"

namespace simpul::event {

// The patient an event belongs to: a keyed hash of the strongest identity, never the identity
// itself. Also the key of every record about the patient and what partitions are chosen by.
struct SubjectKey {
  std::array<char, 16> bytes{};

  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  std::string hex() const;
  // InvalidArgument unless there are 16 bytes.
  static absl::StatusOr<SubjectKey> FromBytes(std::string_view bytes);
  friend auto operator<=>(const SubjectKey&, const SubjectKey&) = default;
};

// The strongest of the subject's identities: NIK, newborn, passport, insurance card, local; of
// several of one kind the one whose canonical form is smallest. Null when there is none that is
// set.
const v1::Identity* StrongestIdentity(const v1::Subject& subject);

// The canonical form that keys are made of: one byte with the field number of the kind in Identity,
// then each field as four bytes of length (most significant first) and its text without surrounding
// space (ASCII), letters a to z upper case; the birth order is decimal text. InvalidArgument when
// no kind is set.
absl::StatusOr<std::string> CanonicalIdentity(const v1::Identity& identity);

// The install's secret: 32 bytes made once, kept outside every folder that may be deleted, never
// changed.
class Secret {
 public:
  // InvalidArgument unless there are 32 bytes.
  static absl::StatusOr<Secret> FromBytes(std::string_view bytes);

  // First 16 bytes of HMAC-SHA-256(secret, "simpul.subject.v1" 0x00 CanonicalIdentity).
  // InvalidArgument when no kind is set.
  absl::StatusOr<SubjectKey> KeyOf(const v1::Identity& identity) const;

  // First 16 bytes of HMAC-SHA-256(secret, "simpul.digest.v1" 0x00 canonical event): tells the same
  // content from other content under one id.
  std::string DigestOf(std::string_view canonical_event) const;

  // HMAC-SHA-256(secret, purpose 0x00 bytes), 32 bytes: for cursors.
  std::string Mac(std::string_view purpose, std::string_view bytes) const;

  // First 8 bytes of SHA-256("simpul.secret.v1" 0x00 secret): says whose secret it is, gives
  // nothing away.
  std::string Fingerprint() const;

 private:
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

// Kafka's murmur2 hash of a key, signed as its Java client prints it.
int32_t Murmur2(std::string_view bytes);

// The partition of a key: Kafka's own murmur2 partitioning, (murmur2 & 0x7fffffff) % partitions, so
// that any client agrees. `partitions` is at least 1.
uint32_t PartitionOf(std::string_view key, uint32_t partitions);

}  // namespace simpul::event
