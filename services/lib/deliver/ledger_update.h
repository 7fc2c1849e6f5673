// What records of the log change in a ledger.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "lib/deliver/ledger_layout.h"
#include "lib/deliver/ledger_row.h"
#include "lib/deliver/ledger_store.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/follower.h"

namespace simpul::deliver {

// What a batch of records changed, for whoever sends.
struct Applied {
  std::vector<std::string> items_removed;  // keys
  std::vector<WorkItem> items_added;
  struct Seen {
    std::string claim;
    std::string entry_id;  // 16 bytes
    uint32_t revision = 0;
    uint32_t attempt = 0;
    int64_t at_us = 0;
    bool under_latest_claim = false;  // no other claim came before it
  };
  std::vector<Seen> attempts;
  std::vector<Seen> outcomes;
};

// Takes a batch of records and gathers the rows they touch, each read once and written once. Writes
// nothing itself. From one thread.
class LedgerUpdate {
 public:
  // `standing` is that of the store, which must outlive it.
  LedgerUpdate(const LedgerStore& store, LedgerStanding standing)
      : store_(store), standing_(std::move(standing)) {}

  // Records of one topic, in order; those taken before are left out. Errors as of Ledger::Apply.
  absl::Status Take(eventlog::Topic topic, const eventlog::OwnedRecord& record);
  // After the last: what follows from all of them.
  absl::Status Finish();

  // What is to be written, all but the standing, and what is to be told once it is.
  LedgerWrites& writes() { return writes_; }
  LedgerStanding& standing() { return standing_; }
  Applied& applied() { return applied_; }

 private:
  // An entry and its rows, as far as they were needed.
  struct Loaded {
    EntryRow row;
    std::map<uint32_t, RevisionRow> revisions;
    std::optional<PartsRow> parts;
    uint32_t known_to = 0;  // the newest revision that has a row
    bool is_ahead = false;  // it has a row, and entries had not brought it
    std::string queue_key_before;
    bool parts_changed = false;
  };

  // `is_new`: it has no row, unless this batch gave it one.
  absl::StatusOr<Loaded*> Load(const std::string& entry_id, bool is_new);
  absl::StatusOr<RevisionRow*> LoadRevision(const std::string& entry_id, Loaded& loaded,
                                            uint32_t revision);
  absl::Status LoadParts(const std::string& entry_id, Loaded& loaded);

  absl::Status TakeEvent(const eventlog::OwnedRecord& record, const log::v1::AcceptedEvent& event);
  absl::Status TakeDerived(const eventlog::OwnedRecord& record,
                           const log::v1::DerivedRecord& derived);
  absl::Status TakeNewEntry(const log::v1::DerivedRecord& derived);
  absl::Status TakeWaiting(const std::string& subject, const log::v1::WaitingEvent& waiting);
  absl::Status TakeDeadLetter(const std::string& subject, uint64_t number,
                              const log::v1::DeadLetter& letter);
  absl::Status ForgetWaiting(std::string_view event_id, std::string_view subject);
  absl::Status TakeDelivery(const eventlog::OwnedRecord& record,
                            const log::v1::DeliveryRecord& delivery);
  absl::Status TakeStep(const eventlog::OwnedRecord& record, const std::string& entry_text,
                        uint32_t revision, const log::v1::DeliveryRecord& delivery);
  absl::Status ChangeRevision(const std::string& entry_id, Loaded& loaded, uint32_t number,
                              RevisionRow& revision, const log::v1::DeliveryRecord& delivery);
  void DropBytes(const std::string& entry_id, EntryRow& row);
  absl::Status FileEntry(const std::string& entry_id, Loaded& loaded);
  // Moves a row of an index from the key where it stands to another; empty: it stands nowhere.
  void File(const std::string& key, std::string_view value, std::string& stands);

  // Takes a revision out of the counts and the checksum, or adds it.
  void Count(const std::string& entry_id, const Loaded& loaded, uint32_t number,
             const RevisionRow& revision, bool add);
  void PutChange(int64_t position, uint16_t nth, const std::string& entry_id, uint32_t number,
                 delivery::v1::DeliveryState state, const RevisionRow& revision);

  const LedgerStore& store_;
  LedgerStanding standing_;
  Applied applied_;
  LedgerWrites writes_;
  std::unordered_map<std::string, Loaded> entries_;
  std::map<std::string, bool> waiting_;  // rows put (true) or deleted in this batch
};

}  // namespace simpul::deliver
