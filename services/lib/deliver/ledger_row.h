// What the ledger keeps of an entry and its revisions, and how log records change it. Pure.
//
// The state has two sides. One follows from topic entries alone (which revisions there are), the
// other from topic deliveries alone (what was tried and answered); the state of a record is a
// function of both. So it does not matter how the reading of the two topics interleaves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "lib/base/hash.h"
#include "simpul/delivery/v1/delivery.pb.h"
#include "simpul/log/v1/log.pb.h"
#include "simpul/timeline/v1/entry.pb.h"

namespace simpul::deliver {

// One revision of an entry: a delivery record.
struct RevisionRow {
  // From entries.
  uint64_t number = 0;         // running number of the derived record; orders what is sent
  int64_t received_at_us = 0;  // when the newest of its events was accepted

  // From deliveries.
  uint32_t attempts = 0;   // requests written
  uint32_t ended = 0;      // the last attempt that has an outcome
  uint32_t tries = 0;      // outcomes that settled nothing since the last resend: for back-off
  bool open = false;       // an attempt has no outcome yet
  int64_t open_at_us = 0;  // when that attempt was written
  bool given_up = false;   // an operator gave it up
  log::v1::OutcomeClass last = log::v1::OUTCOME_CLASS_UNSPECIFIED;
  std::string reason;         // stable word
  std::string platform_says;  // the platform's own words
  std::string request_id;
  int64_t retry_at_us = 0;  // 0: at once, or never by itself
  int64_t changed_at_us = 0;
  std::string ids_digest;  // delivered: SHA-256 over the platform ids
};

// An event of an entry and the first revision that carries it.
struct CarriedEvent {
  std::string event_id;  // 16 bytes
  uint32_t first_revision = 0;
};

// An entry.
struct EntryRow {
  // From entries.
  std::string subject_key;  // 16 bytes
  std::string facility_system;
  std::string facility_code;
  uint32_t kind = 0;    // timeline.v1.EntryKind
  uint32_t latest = 0;  // newest revision read; 0: none yet
  std::vector<CarriedEvent> events;

  // From deliveries.
  uint32_t revision_seen = 0;       // newest revision that deliveries speak of
  uint32_t delivered = 0;           // newest revision the platform has; 0: none
  std::vector<uint32_t> unsettled;  // revisions whose last attempt has no known end, ascending

  // What stands in the ledger's indexes for it.
  uint32_t kept_from = 1;     // bytes of revisions from here on are kept
  std::string queue_key;      // empty: not to be looked at
  std::string held_key;       // empty: neither held nor refused
  std::string unsettled_key;  // empty: nothing is unsettled
};

// A part of a record as the platform knows it.
struct PartRow {
  std::string key;  // 16 bytes
  std::string resource_type;
  std::string id;
  uint32_t revision = 0;   // the revision that carried it last
  bool withdrawn = false;  // the platform was told it is entered in error
};

// The parts of an entry.
struct PartsRow {
  std::vector<PartRow> parts;
};

// Encodings of the rows in the ledger's own store: a cache that the log refills, so no disk format.
std::string Encode(const RevisionRow& row);
std::string Encode(const EntryRow& row);
std::string Encode(const PartsRow& row);
absl::Status Decode(std::string_view bytes, RevisionRow& row);
absl::Status Decode(std::string_view bytes, EntryRow& row);
// An entry together with its latest revision: the two are always wanted together. `latest` is left
// as it is where entries have brought none.
std::string Encode(const EntryRow& row, const RevisionRow& latest);
absl::Status Decode(std::string_view bytes, EntryRow& row, RevisionRow& latest);
absl::Status Decode(std::string_view bytes, PartsRow& row);

// Records of topic entries.
void TakeEntry(const timeline::v1::Entry& entry, uint64_t number, EntryRow& row,
               RevisionRow& revision);

// Records of topic deliveries. They may speak of revisions that entries have not brought yet.
void TakeAttempt(const log::v1::Attempt& attempt, int64_t at_us, EntryRow& row,
                 RevisionRow& revision);
void TakeOutcome(const log::v1::Outcome& outcome, int64_t at_us, EntryRow& row,
                 RevisionRow& revision, PartsRow& parts);
void TakeResend(int64_t at_us, RevisionRow& revision);
void TakeGiveUp(const log::v1::GiveUp& give_up, int64_t at_us, RevisionRow& revision);

// The state of a revision among those of its entry.
delivery::v1::DeliveryState StateOf(const EntryRow& row, uint32_t number,
                                    const RevisionRow& revision);

// What the ledger's checksum counts of a revision: entry id, revision, state, the reason of what is
// held, refused or not sent, and the platform's ids of what is delivered.
base::Sha256Digest ContentOf(std::string_view entry_id, uint32_t number,
                             delivery::v1::DeliveryState state, const RevisionRow& revision);

// What is to be done for an entry next.
struct NextStep {
  enum class Kind {
    kNothing,
    kSettle,  // find out what became of `revision`'s last attempt
    kSend,    // `revision` is the latest and goes out
  } kind = Kind::kNothing;
  uint32_t revision = 0;
  int64_t due_us = 0;  // not before; 0: now
};

// `latest` is the row of the latest revision, `first_unsettled` that of row.unsettled.front(); each
// is used only where there is one.
NextStep NextFor(const EntryRow& row, const RevisionRow& latest,
                 const RevisionRow& first_unsettled);

}  // namespace simpul::deliver
