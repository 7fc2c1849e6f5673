// The delivery ledger of one partition: what is to be sent, what became of it, and where every
// event stands. A cache: it follows topics events, entries and deliveries, keeps its positions in
// the same RocksDB batch as what it derived, and is rebuilt from the log when its folder is
// deleted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "lib/base/checksum.h"
#include "lib/deliver/ledger_layout.h"
#include "lib/deliver/ledger_row.h"
#include "lib/deliver/ledger_store.h"
#include "lib/deliver/ledger_update.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/follower.h"

namespace simpul::deliver {

class Ledger {
 public:
  // Opens or makes the folder. FailedPrecondition: it is another install's or partition's, or of a
  // newer format. A damaged store and one of an older format are emptied, to be filled from the log
  // again. `memory` must outlive it.
  static absl::StatusOr<std::unique_ptr<Ledger>> Open(const std::filesystem::path& folder,
                                                      const log::v1::Install& install,
                                                      uint32_t partition, LedgerMemory& memory);

  // The first position of a topic that is not applied yet. Any thread.
  int64_t Next(eventlog::Topic topic) const;
  // Where to begin to read a topic: at the last record applied, which is compared with what it was.
  int64_t FirstToRead(eventlog::Topic topic) const;
  // The last record applied of each topic was read again and is what it was. Any thread.
  bool HasCompared() const;

  // Applies records of one topic, in order, and their positions in one batch. From one thread.
  // Internal: a hole in the running numbers, or a record that contradicts the ledger (a bug);
  // FailedPrecondition: a record only a newer program knows; DataLoss: the log holds another record
  // than was applied, final for all topics.
  absl::StatusOr<Applied> Apply(eventlog::Topic topic,
                                std::span<const eventlog::OwnedRecord> records);

  // Everything below: any thread.
  LedgerCounts counts() const;
  base::SetChecksum checksum() const;
  uint64_t number() const;    // last running number of entries applied
  std::string claim() const;  // the latest claim on the partition
  bool paused() const;
  std::string pause_reason() const;

  absl::StatusOr<std::optional<EntryRow>> Entry(std::string_view entry_id) const;
  // The two stand in one row.
  struct WithLatest {
    EntryRow entry;
    RevisionRow latest;
  };
  absl::StatusOr<std::optional<WithLatest>> EntryWithLatest(std::string_view entry_id) const;
  absl::StatusOr<RevisionRow> Revision(std::string_view entry_id, uint32_t revision) const;
  // NotFound: that revision is no longer kept.
  absl::StatusOr<timeline::v1::Entry> EntryAt(std::string_view entry_id, uint32_t revision) const;
  absl::StatusOr<PartsRow> Parts(std::string_view entry_id) const;
  // The platform's id of an Encounter or Condition, whichever record created it; empty when there
  // is none. Only these are shared between records: a referral or pregnancy may create the
  // Encounter of a visit, and the reason of contact it must carry.
  absl::StatusOr<std::string> SharedId(std::string_view part_key) const;

  // The entries of a subject (16 bytes) with an attempt whose end is not known.
  absl::StatusOr<std::vector<std::string>> Unsettled(std::string_view subject_key) const;

  // Work in order, after a key (empty: from the start), at most `limit`. Timed: what waits for its
  // time; else what is due now.
  absl::StatusOr<std::vector<WorkItem>> Work(bool timed, std::string_view after,
                                             size_t limit) const;

  absl::StatusOr<std::vector<ChangeRow>> Changes(std::string_view after, size_t limit) const;
  // Held and refused records in the order in which they would be sent.
  absl::StatusOr<std::vector<HeldRow>> Held(std::string_view after, size_t limit) const;
  // Dead letters in order; `key` is what to give as `after` next.
  struct DeadLetterAt {
    std::string key;
    log::v1::DeadLetter dead_letter;
  };
  absl::StatusOr<std::vector<DeadLetterAt>> DeadLetters(std::string_view after, size_t limit) const;
  struct WaitingAt {
    std::string key;
    log::v1::WaitingEvent waiting;
  };
  absl::StatusOr<std::vector<WaitingAt>> Waiting(std::string_view after, size_t limit) const;

  // By event id (16 bytes).
  absl::StatusOr<std::vector<Sighting>> Sightings(std::string_view event_id) const;
  absl::StatusOr<std::vector<std::string>> EntriesOf(std::string_view event_id) const;
  absl::StatusOr<std::optional<log::v1::WaitingEvent>> WaitingOf(std::string_view event_id,
                                                                 std::string_view subject) const;
  absl::StatusOr<std::vector<log::v1::DeadLetter>> DeadLettersOf(std::string_view event_id,
                                                                 std::string_view subject) const;

 private:
  Ledger(std::unique_ptr<LedgerStore> store, std::filesystem::path folder, uint32_t partition,
         std::string origin)
      : store_(std::move(store)),
        folder_(std::move(folder)),
        partition_(partition),
        origin_(std::move(origin)) {}

  absl::Status Compare(eventlog::Topic topic, std::span<const eventlog::OwnedRecord> records);

  const std::unique_ptr<LedgerStore> store_;
  const std::filesystem::path folder_;
  const uint32_t partition_;
  const std::string origin_;  // install, partition and format, as kept
  absl::Status swapped_;      // of Apply's thread: the log is another
  mutable std::mutex mutex_;
  // Guarded by mutex_; written by Apply's thread only.
  LedgerStanding standing_;
  std::set<eventlog::Topic> to_compare_;
};

}  // namespace simpul::deliver
