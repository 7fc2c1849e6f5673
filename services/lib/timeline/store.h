// The timelines of one partition: a cache of the log that may be deleted at any time.
//
// One RocksDB in a folder of its own, one column family. What a batch of records changes, the
// position of the last of them, and the derived records not yet read back from topic entries (the
// outbox) are one RocksDB batch: after any crash they belong together, and the log refills what is
// missing. Keys beside the patients' (history.h):
//
//   'm'                    install, partition, positions, digests, numbers, counts, checksum,
//                          activated rules
//   'o' number (8)         the outbox of one applied batch, by the number of its first record
//
// Any error of RocksDB is the end of the store: every later call gives it again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/event/subject.h"
#include "lib/eventlog/follower.h"
#include "lib/timeline/project.h"
#include "lib/timeline/store_meta.h"
#include "simpul/log/v1/log.pb.h"
#include "simpul/timeline/v1/entry.pb.h"

namespace simpul::timeline {

// The memory that the stores of all partitions share: block cache and write buffers.
class StoreMemory {
 public:
  // Together at most about `bytes`.
  static std::shared_ptr<StoreMemory> Make(size_t bytes);
  virtual ~StoreMemory() = default;
  // In use now, in bytes. Any thread.
  virtual size_t cache_bytes() const = 0;
  virtual size_t write_buffer_bytes() const = 0;
};

// A derived record on its way to topic entries.
struct OutboxRecord {
  uint64_t number = 0;
  std::string key;
  std::string value;         // a serialized simpul.log.v1.LogRecord
  bool dead_letter = false;  // its dead letter must be durable before it is appended
};

class Store {
 public:
  struct Options {
    std::shared_ptr<StoreMemory> memory;
    // Most bytes of derived records not yet read back; at it Apply answers ResourceExhausted.
    size_t outbox_bytes_max = 8 << 20;
    // Apply answers Unavailable while the disk has less free.
    uint64_t room_bytes = 64 << 20;
    // Is given every RocksDB batch before it is written, in RocksDB's own form: for measuring. May
    // be null.
    std::function<void(const std::string& batch)> tap;
  };

  // Opens or makes the store. One of an older format is emptied, to be filled from the log again.
  // FailedPrecondition: the folder belongs to another install or partition, or has a newer format.
  // Messages name the folder and the next step.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const std::filesystem::path& folder,
                                                     const log::v1::Install& install,
                                                     uint32_t partition, const Options& options);
  ~Store();

  // What a call of Apply did.
  struct Applied {
    uint64_t events = 0;             // new ones
    uint64_t duplicates = 0;         // changed nothing
    uint64_t revisions = 0;          // of entries, new ones included
    uint64_t dead_letters = 0;       // reported
    uint64_t activations = 0;        // of rules, new ones
    std::vector<v1::Entry> watched;  // revisions of watched patients, in order
  };
  using Watched = std::function<bool(const event::SubjectKey&)>;

  // Applies records of topic events, in order; those applied before are left. A store that was
  // opened again must be given the last of them once more: it is compared by its digest.
  // ResourceExhausted: the outbox is full, what fitted is applied, call again with the same
  // records. Unavailable: the disk is nearly full, nothing is applied, call again.
  // FailedPrecondition: a record of a newer Simpul; everything before it is applied. DataLoss: the
  // log holds another record than was applied, final. Other errors are final. `watched` may be
  // null. In the place of an event in `left_out`, by position, its dead letter is reported; the
  // record is not even looked at.
  using LeftOut = std::map<int64_t, log::v1::DeadLetter>;
  absl::Status Apply(std::span<const eventlog::OwnedRecord> records, const Watched& watched,
                     Applied& applied, const LeftOut* left_out = nullptr);

  // Takes records of topic entries, in order: what stands in the outbox under their numbers is
  // forgotten; records ahead of what is derived here will not be appended again. What was read last
  // is compared as by Apply. Internal: other bytes under a number, or a number is missing; a bug,
  // final; DataLoss where topic events was not compared yet, for then the log may be another.
  absl::Status ReadBack(std::span<const eventlog::OwnedRecord> records);

  // Derived records after `number` that were not read back, in order, about `bytes_max` of them.
  std::vector<OutboxRecord> Unread(uint64_t number, size_t bytes_max) const;

  struct State : StoreProgress {
    int64_t read_source = 0;  // greatest position of events that those read since Open tell of
    size_t outbox_bytes = 0;
    // The record at the position was read again since the store was opened, and is the one that was
    // applied; or nothing was applied yet.
    bool is_compared = false;
    bool is_entries_compared = false;
  };
  State state() const;

  // What is activated in this partition, as far as it is applied.
  rules::RulesInForce rules() const;

  // One patient's entries in timeline order, and the position up to which they are complete.
  struct Patient {
    int64_t position = 0;
    rules::RulesInForce rules;  // in force at that position
    std::vector<v1::Entry> entries;
  };
  // An unknown patient has none. Sees whole batches only.
  absl::StatusOr<Patient> Read(const event::SubjectKey& subject) const;

  // Makes `folder`, which must not exist and lies on the same disk, a store of its own with all
  // that is applied at one moment. Files are shared with this one. Holds up Apply for as long as
  // the rest of its batches takes to be written out. FailedPrecondition: the log was not compared
  // yet. Other errors change nothing for this store.
  absl::Status Stage(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const;
  const StoreOrigin& origin() const;

  // RocksDB's own numbers.
  struct Measures {
    uint64_t live_bytes = 0;
    uint64_t memtable_bytes = 0;
    uint64_t pending_compaction_bytes = 0;
    bool write_stopped = false;
  };
  Measures measures() const;

  // OK until an error ended the store.
  absl::Status failure() const;

  // Thread-safe: Apply from one thread, ReadBack from one, the others from any.

 private:
  struct Rocks;
  explicit Store(std::unique_ptr<Rocks> rocks);
  std::unique_ptr<Rocks> rocks_;
};

}  // namespace simpul::timeline
