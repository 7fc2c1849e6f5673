// What lies where in a ledger's store: its keys, and the rows that are not ledger_row.h's. A cache
// that the log refills, so no disk format; another layout takes another number.
//
//   m                                  LedgerStanding
//   e entry                            EntryRow, and the RevisionRow of its latest
//   r entry revision                   RevisionRow of another
//   b entry revision                   the revision, a timeline.v1.Entry
//   P entry                            PartsRow
//   p part                             the platform's id of a part that records share
//   q number entry                     WorkItem, due now
//   t due entry                        WorkItem, due at that time
//   h number entry                     HeldRow
//   o subject entry                    that an attempt of the entry has no known end
//   c position nth                     ChangeRow
//   v event subject position           Sighting
//   x event entry                      that the entry carries the event
//   w event subject                    a log.v1.WaitingEvent
//   d number                           a log.v1.DeadLetter
//   y event subject number             that the dead letter is about the event
//
// Entries, parts, events and subjects are 16 bytes each, numbers fixed-width with the most
// significant byte first: byte order is the order things are wanted in.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "lib/base/checksum.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/record_digest.h"
#include "simpul/delivery/v1/delivery.pb.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::deliver {

// Something to be looked at: an entry whose next step is due at `due_us`, or now.
struct WorkItem {
  std::string key;          // orders items: by number, or by time and entry; unique
  std::string entry_id;     // 16 bytes
  std::string subject_key;  // 16 bytes
  int64_t due_us = 0;       // 0: now
  int64_t received_at_us = 0;
};

// A change of a record, as ListDeliveries shows it.
struct ChangeRow {
  std::string key;       // 10 bytes: where it is, the same after every rebuild
  std::string entry_id;  // 16 bytes
  uint32_t number = 0;   // revision
  delivery::v1::DeliveryState state = delivery::v1::DELIVERY_STATE_UNSPECIFIED;
  uint32_t attempts = 0;
  std::string reason;
  std::string platform_says;
  int64_t changed_at_us = 0;
  int64_t retry_at_us = 0;
};

// Where an accepted event is.
struct Sighting {
  std::string subject_key;  // 16 bytes
  std::string facility_system;
  std::string facility_code;
  int64_t position = 0;
  int64_t received_at_us = 0;
};

// A held or refused record.
struct HeldRow {
  std::string key;
  std::string entry_id;  // 16 bytes
};

// Records by state, and what else is counted.
struct LedgerCounts {
  std::map<delivery::v1::DeliveryState, uint64_t> records;
  uint64_t dead_letters = 0;
  uint64_t waiting_events = 0;
};

// How far a ledger has come, and what it knows of its partition as a whole.
struct LedgerStanding {
  // The first position of each topic that is not applied yet.
  std::map<eventlog::Topic, int64_t> next = {{eventlog::Topic::kEvents, 0},
                                             {eventlog::Topic::kEntries, 0},
                                             {eventlog::Topic::kDeliveries, 0}};
  // Of the record before that; of none where there is none.
  std::map<eventlog::Topic, eventlog::RecordDigest> digests = {{eventlog::Topic::kEvents, {}},
                                                               {eventlog::Topic::kEntries, {}},
                                                               {eventlog::Topic::kDeliveries, {}}};
  uint64_t number = 0;  // the last running number of entries
  uint64_t ahead = 0;   // entries that deliveries speak of and topic entries has not brought
  base::SetChecksum checksum;
  LedgerCounts counts;
  std::string claim;  // the latest
  bool paused = false;
  std::string pause_reason;
};

inline constexpr std::string_view kStandingKey = "m";
inline constexpr std::string_view kReadyPrefix = "q";
inline constexpr std::string_view kTimedPrefix = "t";
inline constexpr std::string_view kHeldPrefix = "h";
inline constexpr std::string_view kChangePrefix = "c";
inline constexpr std::string_view kWaitingPrefix = "w";
inline constexpr std::string_view kDeadLetterPrefix = "d";

std::string EntryKey(std::string_view entry);
std::string RevisionKey(std::string_view entry, uint32_t revision);
std::string BytesKey(std::string_view entry, uint32_t revision);
std::string PartsKey(std::string_view entry);
std::string SharedKey(std::string_view part);
std::string ReadyKey(uint64_t number, std::string_view entry);
std::string TimedKey(int64_t due_us, std::string_view entry);
std::string HeldKey(uint64_t number, std::string_view entry);
std::string UnsettledKey(std::string_view subject, std::string_view entry);
std::string ChangeKey(int64_t position, uint16_t nth);
std::string SightingKey(std::string_view event, std::string_view subject, int64_t position);
std::string CarriedKey(std::string_view event, std::string_view entry);
std::string WaitingKey(std::string_view event, std::string_view subject);
std::string DeadLetterKey(uint64_t number);
std::string AboutKey(std::string_view event, std::string_view subject, uint64_t number);

// What the keys of one event, or of one subject, begin with.
std::string UnsettledOf(std::string_view subject);
std::string SightingsOf(std::string_view event);
std::string CarriedOf(std::string_view event);
std::string AboutOf(std::string_view event, std::string_view subject);

// The values under those keys, without what the key says.
std::string EncodeWork(std::string_view subject_key, int64_t received_at_us);
std::string Encode(const ChangeRow& row);
std::string Encode(const Sighting& row);
// `origin` is of which install and partition the ledger is.
std::string Encode(const LedgerStanding& standing, std::string_view origin);
std::string OriginOf(const log::v1::Install& install, uint32_t partition);

// Rows as read. DataLoss: damaged.
absl::Status Decode(std::string_view key, std::string_view value, WorkItem& item);
absl::Status Decode(std::string_view key, std::string_view value, ChangeRow& row);
absl::Status Decode(std::string_view key, std::string_view value, Sighting& row);
absl::Status Decode(std::string_view key, std::string_view value, HeldRow& row);
// NotFound: it is of an older format. FailedPrecondition: of another install or partition, or of a
// newer format.
absl::Status Decode(std::string_view value, std::string_view origin, LedgerStanding& standing);
// Of CarriedKey and UnsettledKey: the entry. Of AboutKey: the DeadLetterKey.
absl::Status DecodeNamedEntry(std::string_view key, std::string& entry_id);
absl::Status DecodeAbout(std::string_view key, std::string& dead_letter_key);
absl::Status LedgerDamaged();

}  // namespace simpul::deliver
