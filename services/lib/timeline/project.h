// From one accepted event and one patient's history to the history after it.
//
// Depends on the partition's records and on nothing else: no clock, no setting, no version of the
// program. The order in which a patient's events come changes revisions, but not the content that
// the timeline ends with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/base/checksum.h"
#include "lib/event/subject.h"
#include "lib/timeline/history.h"
#include "simpul/event/v1/event.pb.h"
#include "simpul/log/v1/log.pb.h"
#include "simpul/timeline/v1/entry.pb.h"

namespace simpul::timeline {

// A history's bound. What would pass it is the dead letter patient_too_large.
inline constexpr uint32_t kHistoryEventsMax = 10'000;
inline constexpr uint64_t kHistoryBytesMax = 8 << 20;

// One record of the log, decoded: what Project works on.
struct IncomingEvent {
  uint32_t partition = 0;
  int64_t position = 0;
  log::v1::AcceptedEvent receipt;  // with the canonical event
  event::v1::Event event;
};

// Which entry an event belongs to: docs/decisions/0001-what-one-entry-is.md.
struct Group {
  v1::EntryKind kind = v1::ENTRY_KIND_UNSPECIFIED;
  event::v1::Facility facility;
  std::string id;
  event::v1::Purpose purpose = event::v1::PURPOSE_UNSPECIFIED;
};

// The event's group. The kind is UNSPECIFIED for corrections and retractions, which have none.
Group GroupOf(const event::v1::Event& event);

// UUID version 5 in the namespace 9d7b1d0e-5c35-5c0b-8f0e-52b1f3a6c9d4 over: the subject key in
// hexadecimal, the kind's number, facility system, facility code, group id and the purpose's
// number, each as four bytes of length (most significant first) and its text.
std::string EntryId(const event::SubjectKey& subject, const Group& group);

// SHA-256 over what the entry says, the same on every install: the member digest of the content
// checksum. Layout: docs/formats.md, "Content checksum".
base::Sha256Digest ContentDigest(const v1::Entry& entry);

// True when `a` stands before `b` on a timeline: occurred_at, recorded_at, facility, event id.
bool Before(const v1::Member& a, const v1::Member& b);
// By their first members.
bool Before(const v1::Entry& a, const v1::Entry& b);

// What a partition holds, kept up to date by Project.
struct Tally {
  uint64_t events = 0;  // distinct, on a timeline or waiting
  uint64_t entries = 0;
  uint64_t waiting = 0;       // corrections and retractions without their original
  uint64_t dead_letters = 0;  // reported
  base::SetChecksum content;  // of ContentDigest over the entries
};

// A new entry or a new revision of one: EntryAt(number) holds it until the next Project.
struct EntryChange {
  uint32_t number = 0;
};

// What is told to others, in the order of its numbers.
using Derived = std::variant<EntryChange, log::v1::WaitingEvent, log::v1::DeadLetter>;

struct Projected {
  bool duplicate = false;  // seen before with the same content: nothing changed
  std::vector<Derived> derived;
};

// Applies the event, whose bytes and ids it takes. Total for every event that event::Parse takes
// and that has an id, a facility and a payload. Errors are those of reading the history, and a
// stored history that contradicts itself; the history is then unusable.
absl::StatusOr<Projected> Project(History& history, IncomingEvent&& incoming, Tally& tally);

// Causes of dead letters.
inline constexpr std::string_view kConflict = "conflict";
inline constexpr std::string_view kNamesNoOriginal = "names_no_original";
inline constexpr std::string_view kPatientTooLarge = "patient_too_large";
inline constexpr std::string_view kUndecodable = "undecodable";

}  // namespace simpul::timeline
