// An entry as its bytes say it: the projection reads, changes and writes entries without building
// messages, which would cost more than everything else it does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "lib/base/hash.h"
#include "lib/event/outline.h"
#include "simpul/timeline/v1/entry.pb.h"

namespace simpul::timeline {

// Views into an Amendment's bytes.
struct AmendmentView {
  std::string_view event_id;
  std::string_view content;
  std::string_view digest;
};

// Views into a Member's bytes.
struct MemberView {
  std::string_view bytes;  // the whole Member
  std::string_view event_id;
  uint32_t kind = 0;
  std::string_view event;  // as it counts now
  event::FacilityView facility;
  v1::MemberState state = v1::MEMBER_STATE_UNSPECIFIED;
  int64_t occurred_at_us = 0;
  int64_t recorded_at_us = 0;
  std::string_view content;
  std::string_view digest;
  std::vector<AmendmentView> amendments;

  // The digest of the amendment with that id; nullopt when there is none.
  std::optional<std::string_view> AmendmentDigest(std::string_view event_id) const;
};

// Nullopt for damage.
std::optional<MemberView> ReadMember(std::string_view bytes);

// Views into an Entry's bytes.
struct EntryView {
  std::string_view entry_id;
  uint32_t revision = 0;
  v1::EntryKind kind = v1::ENTRY_KIND_UNSPECIFIED;
  bool withdrawn = false;
  std::string_view subject_key;
  event::FacilityView facility;
  std::string_view group_id;
  event::v1::Purpose purpose = event::v1::PURPOSE_UNSPECIFIED;
  absl::InlinedVector<MemberView, 4> members;
  std::string_view derived;  // a serialized Derived

  // The member that was sent with that id; null when there is none.
  MemberView* Find(const event::FacilityView& facility, std::string_view event_id);
};

// Nullopt for damage and for fields unknown here.
std::optional<EntryView> ReadEntry(std::string_view bytes);

// Appends a Facility under that field number, as protobuf writes it.
void PutFacility(std::string& out, uint32_t field, const event::FacilityView& facility);

// The bytes of the message, as protobuf writes them.
std::string WriteEntry(const EntryView& entry);

// SHA-256 over what the entry says, the same on every install: the member digest of the content
// checksum. Layout: docs/formats.md, "Content checksum".
base::Sha256Digest ContentDigest(const EntryView& entry);

// True when `a` stands before `b` on a timeline: occurred_at, recorded_at, facility, event id.
bool Before(const MemberView& a, const MemberView& b);
bool Before(const v1::Member& a, const v1::Member& b);
// By their first members.
bool Before(const v1::Entry& a, const v1::Entry& b);

}  // namespace simpul::timeline
