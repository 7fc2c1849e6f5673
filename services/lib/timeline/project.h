// From one accepted event and one patient's history to the history after it.
//
// Depends on the partition's records and on nothing else: no clock, no setting, no version of the
// program. The order in which a patient's events come changes revisions, but not the content that
// the timeline ends with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/base/checksum.h"
#include "lib/event/outline.h"
#include "lib/event/subject.h"
#include "lib/rules/versions.h"
#include "lib/timeline/history.h"
#include "simpul/log/v1/log.pb.h"
#include "simpul/timeline/v1/entry.pb.h"

namespace simpul::timeline {

// A history's bound. What would pass it is the dead letter patient_too_large.
inline constexpr uint32_t kHistoryEventsMax = 10'000;
inline constexpr uint64_t kHistoryBytesMax = 8 << 20;

// An entry's bound, but for the last event that fits: a revision tells the whole entry, and a log's
// record, a pulled record and a request to the platform hold one. What would pass it is the dead
// letter entry_too_large.
inline constexpr uint64_t kEntryBytesMax = 1 << 20;

// One record of the log, decoded: what Project works on. Views into the record, which must live as
// long.
struct IncomingEvent {
  uint32_t partition = 0;
  int64_t position = 0;
  std::string_view receipt;  // the serialized AcceptedEvent
  std::string_view event;    // of it: the event in the canonical encoding
  std::string_view digest;   // of it
  std::string_view original_key;
  int64_t received_at_us = 0;
  // What is activated in the partition before this record. Null: nothing.
  const rules::RulesInForce* rules = nullptr;
  event::Outline outline;             // of the event
  std::shared_ptr<const void> owner;  // of what the outline shows, where that is not the record
};

// Which entry an event belongs to: docs/decisions/0001-what-one-entry-is.md.
struct Group {
  v1::EntryKind kind = v1::ENTRY_KIND_UNSPECIFIED;
  event::FacilityView facility;
  std::string_view id;
  event::v1::Purpose purpose = event::v1::PURPOSE_UNSPECIFIED;
  friend bool operator==(const Group&, const Group&) = default;
};

// The event's group. The kind is UNSPECIFIED for corrections and retractions, which have none.
Group GroupOf(const event::Outline& event);

// UUID version 5 in the namespace 9d7b1d0e-5c35-5c0b-8f0e-52b1f3a6c9d4 over: the subject key in
// hexadecimal, the kind's number, facility system, facility code, group id and the purpose's
// number, each as four bytes of length (most significant first) and its text.
std::string EntryId(const event::SubjectKey& subject, const Group& group);

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
  absl::InlinedVector<Derived, 1> derived;
};

// Applies the event. Total for every event that event::Parse takes and that has an id, a facility
// and a payload. Errors are those of reading the history, and a stored history that contradicts
// itself; the history is then unusable.
absl::StatusOr<Projected> Project(History& history, const IncomingEvent& incoming, Tally& tally);

// Causes of dead letters.
inline constexpr std::string_view kConflict = "conflict";
inline constexpr std::string_view kNamesNoOriginal = "names_no_original";
inline constexpr std::string_view kPatientTooLarge = "patient_too_large";
inline constexpr std::string_view kEntryTooLarge = "entry_too_large";
inline constexpr std::string_view kUndecodable = "undecodable";
inline constexpr std::string_view kQuarantined = "quarantined";

}  // namespace simpul::timeline
