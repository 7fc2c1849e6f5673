#include "lib/timeline/store.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/check.h"
#include "lib/base/file.h"
#include "lib/base/keep.h"
#include "lib/base/log.h"
#include "lib/base/rocksdb_merges.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/base/uuid.h"
#include "lib/eventlog/derived_sequence.h"
#include "lib/timeline/decode.h"
#include "lib/timeline/entry_view.h"
#include "lib/timeline/history.h"
#include "lib/timeline/store_meta.h"

namespace simpul::timeline {
namespace {

std::string OutboxKey(uint64_t number) {
  std::string key = "o";
  base::PutBe64(key, number);
  return key;
}

const log::v1::DeadLetter* InsteadOf(int64_t position, const Store::LeftOut& left_out) {
  const auto found = left_out.find(position);
  return found == left_out.end() ? nullptr : &found->second;
}

rocksdb::Slice AsSlice(std::string_view text) { return {text.data(), text.size()}; }

class SharedMemory final : public StoreMemory {
 public:
  explicit SharedMemory(size_t bytes)
      : cache_(rocksdb::NewLRUCache(bytes, /*num_shard_bits=*/4, /*strict_capacity_limit=*/false,
                                    /*high_pri_pool_ratio=*/0.5)),
        // Write buffers are charged to the cache: the one bound holds for both together.
        buffers_(std::make_shared<rocksdb::WriteBufferManager>(bytes / 2, cache_)) {}

  size_t cache_bytes() const override { return cache_->GetUsage(); }
  size_t write_buffer_bytes() const override { return buffers_->memory_usage(); }

  const std::shared_ptr<rocksdb::Cache>& cache() const { return cache_; }
  const std::shared_ptr<rocksdb::WriteBufferManager>& buffers() const { return buffers_; }

 private:
  std::shared_ptr<rocksdb::Cache> cache_;
  std::shared_ptr<rocksdb::WriteBufferManager> buffers_;
};

// Remembers the first error of a flush or compaction: RocksDB may go on after it, we do not.
class ErrorListener final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    const std::lock_guard lock(mutex_);
    if (error_.empty()) error_ = status->ToString();
  }
  std::string error() const {
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  mutable std::mutex mutex_;
  std::string error_;
};

// The outbox of one applied batch. Stored: number of the first record (8), then for each a byte 1
// for a dead letter, length of the key (2), key, length of the value (4), value.
class OutboxBatch {
 public:
  // `bytes` and `records` are guesses of how large it becomes.
  explicit OutboxBatch(uint64_t first = 0, size_t bytes = 0, size_t records = 0) : first_(first) {
    bytes_.reserve(bytes);
    places_.reserve(records);
    base::PutBe64(bytes_, first);
  }

  // Nullopt for damage.
  static std::optional<OutboxBatch> Decode(std::string_view in) {
    if (in.size() < 8) return std::nullopt;
    OutboxBatch batch;
    batch.first_ = base::GetBe64(in);
    batch.bytes_ = in;
    for (size_t at = 8; at < in.size();) {
      if (in.size() - at < 3) return std::nullopt;
      Place place{.dead_letter = in[at] != 0, .key_size = base::GetBe16(in.substr(at + 1))};
      place.key = at + 3;
      if (in.size() - place.key < place.key_size + 4) return std::nullopt;
      place.value = place.key + place.key_size + 4;
      place.value_size = base::GetBe32(in.substr(place.value - 4));
      if (in.size() - place.value < place.value_size) return std::nullopt;
      at = place.value + place.value_size;
      batch.places_.push_back(place);
    }
    return batch;
  }

  // Adds a record; `append` appends its value to the string it is given.
  template <typename Append>
  void Add(std::string_view key, bool dead_letter, Append append) {
    Place place{.dead_letter = dead_letter, .key_size = key.size()};
    bytes_.push_back(dead_letter ? 1 : 0);
    base::PutBe16(bytes_, static_cast<uint16_t>(key.size()));
    place.key = bytes_.size();
    bytes_.append(key);
    bytes_.append(4, '\0');
    place.value = bytes_.size();
    append(bytes_);
    place.value_size = bytes_.size() - place.value;
    std::string size;
    base::PutBe32(size, static_cast<uint32_t>(place.value_size));
    bytes_.replace(place.value - 4, 4, size);
    places_.push_back(place);
  }

  uint64_t first() const { return first_; }
  uint64_t last() const { return first_ + places_.size() - 1; }
  const std::string& bytes() const { return bytes_; }
  // Gives back what was reserved and not used, where that is much.
  void Trim() {
    if (bytes_.capacity() > bytes_.size() / 4 * 5) bytes_.shrink_to_fit();
  }

  // The records not yet read back.
  bool empty() const { return read_ == places_.size(); }
  uint64_t front() const { return first_ + read_; }
  void PopFront() { ++read_; }

  // Of one that is there.
  std::string_view Key(uint64_t number) const {
    const Place& place = places_[number - first_];
    return std::string_view(bytes_).substr(place.key, place.key_size);
  }
  std::string_view Value(uint64_t number) const {
    const Place& place = places_[number - first_];
    return std::string_view(bytes_).substr(place.value, place.value_size);
  }
  bool IsDeadLetter(uint64_t number) const { return places_[number - first_].dead_letter; }
  size_t Size(uint64_t number) const {
    const Place& place = places_[number - first_];
    return place.key_size + place.value_size + sizeof(Place);
  }

 private:
  struct Place {
    bool dead_letter = false;
    size_t key_size = 0;
    size_t key = 0;
    size_t value = 0;
    size_t value_size = 0;
  };

  uint64_t first_;
  std::string bytes_;
  std::vector<Place> places_;
  size_t read_ = 0;
};

rocksdb::Options MakeOptions(const SharedMemory& memory,
                             const std::shared_ptr<ErrorListener>& listener) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.max_bgerror_resume_count = 0;
  options.listeners.push_back(listener);
  options.write_buffer_manager = memory.buffers();
  options.write_buffer_size = 16 << 20;
  options.arena_block_size = 128 << 10;  // 24 stores share the buffers
  options.max_write_buffer_number = 3;
  options.allow_concurrent_memtable_write = false;  // one writer
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.02;
  options.max_background_jobs = 2;
  options.max_open_files = 60;
  options.target_file_size_base = 32 << 20;
  // Shared buffers make small files: merged too soon, each would rewrite all that is below it.
  options.level0_file_num_compaction_trigger = 12;
  options.level0_slowdown_writes_trigger = 28;
  options.level0_stop_writes_trigger = 40;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = rocksdb::kNoCompression;
  // Written out as they grow: a heap of dirty pages would hold up the next fsync of the log.
  options.bytes_per_sync = 1 << 20;
  options.rate_limiter = base::MergeRate();
  options.allow_fallocate = false;  // two dozen stores would reserve half a gigabyte
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 2;
  options.max_manifest_file_size = 4 << 20;
  options.checksum_handoff_file_types = {};
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.cache();
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = true;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

std::shared_ptr<StoreMemory> StoreMemory::Make(size_t bytes) {
  return std::make_shared<SharedMemory>(bytes);
}

struct Store::Rocks {
  std::filesystem::path folder;
  Options options;
  std::shared_ptr<ErrorListener> listener = std::make_shared<ErrorListener>();
  std::unique_ptr<rocksdb::DB> db;

  std::atomic<bool> failed = false;
  bool is_broken = false;  // under mutex: RocksDB failed
  mutable std::mutex mutex;
  absl::Status failure;  // under mutex
  StoreOrigin origin;
  State state;                     // under mutex, as stored
  std::deque<OutboxBatch> outbox;  // under mutex, as stored less what was read back
  size_t outbox_batch_bytes = 0;   // under mutex: what the next of them may take

  absl::Status Error(std::string_view what, std::string_view why) const {
    return absl::InternalError(
        fmt::format("The timeline of partition {} in {} cannot be {}: {}. Make sure that the disk "
                    "has room and is sound, then start again; if it fails again, delete the "
                    "folder: it is made again from the log.",
                    origin.partition, folder.string(), what, why));
  }

  absl::Status Fail(absl::Status status) {
    if (failure.ok()) failure = std::move(status);
    failed.store(true);
    return failure;
  }

  absl::Status Check() {
    if (const std::string error = listener->error(); !error.empty()) {
      is_broken = true;
      return Fail(Error("kept", error));
    }
    return failure;
  }

  absl::Status Write(rocksdb::WriteBatch& batch) {
    if (options.tap != nullptr) options.tap(batch.Data());
    rocksdb::WriteOptions unlogged;
    unlogged.disableWAL = true;  // docs/decisions/0007-no-second-write-ahead-log.md
    rocksdb::Status status = db->Write(unlogged, &batch);
    // RocksDB begins to flush short of the bound and goes on taking writes: who runs away from it
    // waits for the flush.
    const rocksdb::WriteBufferManager& buffers =
        *static_cast<const SharedMemory&>(*options.memory).buffers();
    if (status.ok() && buffers.memory_usage() > buffers.buffer_size() / 4 * 5) {
      rocksdb::FlushOptions flush;
      flush.allow_write_stall = true;
      status = db->Flush(flush);
    }
    if (status.ok()) return absl::OkStatus();
    is_broken = true;
    return Fail(Error("written", status.ToString()));
  }

  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) const {
    rocksdb::PinnableSlice value;
    const rocksdb::Status status =
        db->Get(rocksdb::ReadOptions(), db->DefaultColumnFamily(), key, &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return Error("read", status.ToString());
    return std::string(value.data(), value.size());
  }

  absl::Status OpenDb();
  // False: it is of an older format.
  absl::StatusOr<bool> Load(const log::v1::Install& install);
  absl::Status LoadOutbox();
  absl::Status OtherLog(eventlog::Topic topic, std::string_view where) const;
  absl::Status LeaveApplied(eventlog::Topic topic, std::span<const eventlog::OwnedRecord>& records);
};

absl::Status Store::Rocks::OpenDb() {
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(MakeOptions(static_cast<const SharedMemory&>(*options.memory), listener),
                        folder.string(), &opened);
  if (!status.ok()) return Error("opened", status.ToString());
  db.reset(opened);
  return absl::OkStatus();
}

absl::StatusOr<bool> Store::Rocks::Load(const log::v1::Install& install) {
  SIMPUL_ASSIGN_OR_RETURN(const std::optional<std::string> stored, Get(std::string(kStoreMetaKey)));
  if (!stored.has_value()) {
    state.is_compared = state.is_entries_compared = true;
    rocksdb::WriteBatch batch;
    batch.Put(AsSlice(kStoreMetaKey), Encode(origin, state));
    SIMPUL_RETURN_IF_ERROR(Write(batch));
    return true;
  }
  const std::optional<StoreOrigin> found = DecodeStoreOrigin(*stored);
  if (!found.has_value()) return Error("read", "what it says of itself is damaged");
  if (found->install != origin.install) {
    return absl::FailedPreconditionError(fmt::format(
        "{} holds a timeline of install {}, but the log is that of install {}. Put the folder that "
        "belongs to this log there, or delete it: it is made again from the log.",
        folder.string(), base::UuidText(found->install), install.install_id()));
  }
  if (found->partition != origin.partition) {
    return absl::FailedPreconditionError(
        fmt::format("{} holds the timeline of partition {}, not of partition {}. Put the folders "
                    "back in their places, or delete it: it is made again from the log.",
                    folder.string(), found->partition, origin.partition));
  }
  if (found->format > kStoreFormat) {
    return absl::FailedPreconditionError(fmt::format(
        "{} holds a timeline of format {}, and this Simpul knows up to {}: it was written by a "
        "newer one. Upgrade Simpul, or delete the folder: it is made again from the log.",
        folder.string(), found->format, kStoreFormat));
  }
  if (found->format < kStoreFormat) return false;
  const std::optional<StoreMeta> meta = DecodeStoreMeta(*stored);
  if (!meta.has_value()) return Error("read", "what it says of itself is damaged");
  if (const auto unknown = meta->progress.rules.UnknownVersion(); unknown.has_value()) {
    return absl::FailedPreconditionError(fmt::format(
        "{} holds a timeline by version {} of the rules, and this Simpul knows up to {}: it was "
        "written by a newer one. Upgrade Simpul.",
        folder.string(), *unknown, rules::RuleSets().back().version));
  }
  static_cast<StoreProgress&>(state) = meta->progress;
  state.is_compared = state.position == 0;
  state.is_entries_compared = state.entries_position == 0;
  SIMPUL_RETURN_IF_ERROR(LoadOutbox());
  return true;
}

absl::Status Store::Rocks::LoadOutbox() {
  rocksdb::ReadOptions read;
  const std::string upper = "p";
  const rocksdb::Slice bound(upper);
  read.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator(read));
  for (it->Seek("o"); it->Valid(); it->Next()) {
    std::optional<OutboxBatch> batch = OutboxBatch::Decode(it->value().ToStringView());
    if (!batch.has_value()) return Error("read", "the outbox is damaged");
    while (!batch->empty() && batch->front() <= state.read_number) batch->PopFront();
    if (batch->empty()) continue;
    for (uint64_t number = batch->front(); number <= batch->last(); ++number) {
      state.outbox_bytes += batch->Size(number);
    }
    outbox.push_back(*std::move(batch));
  }
  if (!it->status().ok()) return Error("read", it->status().ToString());
  return absl::OkStatus();
}

// `where` the log holds something else.
absl::Status Store::Rocks::OtherLog(eventlog::Topic topic, std::string_view where) const {
  return absl::DataLossError(fmt::format(
      "{} holds another record at {} than the one that {} was made from: the log was cut back and "
      "written again, or swapped. Restore the log that belongs to this folder. If this log is the "
      "right one, delete the folder: it is made again from the log.",
      eventlog::PlaceText({topic, origin.partition}), where, folder.string()));
}

// Leaves out what was applied before, and compares the last of it where that was not done yet.
absl::Status Store::Rocks::LeaveApplied(eventlog::Topic topic,
                                        std::span<const eventlog::OwnedRecord>& records) {
  const bool is_events = topic == eventlog::Topic::kEvents;
  const int64_t position = is_events ? state.position : state.entries_position;
  bool& is_compared = is_events ? state.is_compared : state.is_entries_compared;
  for (; !records.empty() && records.front().position <= position; records = records.subspan(1)) {
    const eventlog::OwnedRecord& record = records.front();
    if (is_compared || record.position < position) continue;
    if (eventlog::DigestOfRecord(record.key, record.value) !=
            (is_events ? state.digest : state.entries_digest) &&
        !SIMPUL_PLANTED_BUG("log_not_compared")) {
      return Fail(OtherLog(topic, fmt::format("position {}", position)));
    }
    is_compared = true;
  }
  if (!records.empty() && !is_compared) {
    return Fail(absl::InternalError(fmt::format(
        "{}: position {} came before position {} was compared.",
        eventlog::PlaceText({topic, origin.partition}), records.front().position, position)));
  }
  return absl::OkStatus();
}

Store::Store(std::unique_ptr<Rocks> rocks) : rocks_(std::move(rocks)) {}

Store::~Store() {
  if (rocks_ != nullptr && rocks_->is_broken) base::KeepToTheEnd(std::move(rocks_));
}

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const std::filesystem::path& folder,
                                                   const log::v1::Install& install,
                                                   uint32_t partition, const Options& options) {
  SIMPUL_CHECK(options.memory != nullptr, "A store needs its memory.");
  SIMPUL_RETURN_IF_ERROR(base::MakeFolder(folder));
  auto rocks = std::make_unique<Rocks>();
  rocks->folder = folder;
  rocks->options = options;
  rocks->origin.install = base::UuidBytes(install.install_id());
  rocks->origin.partition = partition;
  SIMPUL_RETURN_IF_ERROR(rocks->OpenDb());
  SIMPUL_ASSIGN_OR_RETURN(bool is_loaded, rocks->Load(install));
  if (!is_loaded) {
    base::Log(base::Severity::kInfo, "timeline",
              "the timelines are of an older format; they are made again from the log",
              {{"partition", partition}});
    rocks->db.reset();
    const rocksdb::Status emptied = rocksdb::DestroyDB(folder.string(), rocksdb::Options());
    if (!emptied.ok()) return rocks->Error("emptied", emptied.ToString());
    SIMPUL_RETURN_IF_ERROR(base::MakeFolder(folder));
    SIMPUL_RETURN_IF_ERROR(rocks->OpenDb());
    SIMPUL_ASSIGN_OR_RETURN(is_loaded, rocks->Load(install));
    SIMPUL_CHECK(is_loaded, "An emptied store has a format.");
  }
  return std::unique_ptr<Store>(new Store(std::move(rocks)));
}

absl::Status Store::Apply(std::span<const eventlog::OwnedRecord> records, const Watched& watched,
                          Applied& applied, const LeftOut* left_out) {
  Rocks& rocks = *rocks_;
  const std::lock_guard lock(rocks.mutex);
  SIMPUL_RETURN_IF_ERROR(rocks.Check());
  // Waits while there is still room: a write that fails for want of it ends the store.
  SIMPUL_RETURN_IF_ERROR(base::CheckRoom(rocks.folder, rocks.options.room_bytes));
  SIMPUL_RETURN_IF_ERROR(rocks.LeaveApplied(eventlog::Topic::kEvents, records));
  State state = rocks.state;

  const History::Read read = [&rocks](const std::string& key) { return rocks.Get(key); };
  // The patients of the batch, in the order of RocksDB's keys.
  std::vector<std::string_view> subjects;
  subjects.reserve(records.size());
  for (const eventlog::OwnedRecord& record : records) {
    if (record.key.size() == sizeof(event::SubjectKey::bytes)) subjects.push_back(record.key);
  }
  std::ranges::sort(subjects);
  subjects.erase(std::ranges::unique(subjects).begin(), subjects.end());
  std::vector<History> histories;
  histories.reserve(subjects.size());
  {
    // Their heads in one look-up.
    std::string keys;
    keys.reserve(subjects.size() * kHeadKeyBytes);
    for (const std::string_view bytes : subjects) {
      histories.emplace_back(*event::SubjectKey::FromBytes(bytes), read);
      AppendHeadKey(keys, histories.back().subject());
    }
    std::vector<rocksdb::Slice> slices;
    slices.reserve(subjects.size());
    for (size_t i = 0; i < subjects.size(); ++i) {
      slices.emplace_back(keys.data() + i * kHeadKeyBytes, kHeadKeyBytes);
    }
    std::vector<rocksdb::PinnableSlice> values(slices.size());
    std::vector<rocksdb::Status> statuses(slices.size());
    rocks.db->MultiGet(rocksdb::ReadOptions(), rocks.db->DefaultColumnFamily(), slices.size(),
                       slices.data(), values.data(), statuses.data(), /*sorted_input=*/true);
    for (size_t i = 0; i < slices.size(); ++i) {
      if (!statuses[i].ok() && !statuses[i].IsNotFound()) {
        return rocks.Fail(rocks.Error("read", statuses[i].ToString()));
      }
      const absl::Status taken = histories[i].TakeHead(
          statuses[i].ok() ? std::optional(values[i].ToStringView()) : std::nullopt);
      if (!taken.ok()) return rocks.Fail(taken);
    }
  }

  Applied done;
  std::optional<OutboxBatch> fresh;
  absl::Status stop;
  const auto put_out = [&](std::string_view key, bool dead_letter, auto append) {
    if (state.last_number <= state.read_number) return;
    if (!fresh.has_value()) {
      fresh.emplace(state.last_number, rocks.outbox_batch_bytes, records.size());
    }
    fresh->Add(key, dead_letter, append);
    state.outbox_bytes += fresh->Size(state.last_number);
  };
  const eventlog::OwnedRecord* last = nullptr;
  for (const eventlog::OwnedRecord& record : records) {
    if (record.position != state.position + 1) {
      return rocks.Fail(absl::InternalError(
          fmt::format("Partition {}: position {} follows on position {}: records are missing.",
                      rocks.origin.partition, record.position, state.position)));
    }
    if (state.outbox_bytes >= rocks.options.outbox_bytes_max) {
      stop = absl::ResourceExhaustedError(
          fmt::format("Partition {}: {} bytes of derived records wait to be appended.",
                      rocks.origin.partition, state.outbox_bytes));
      break;
    }
    const log::v1::DeadLetter* const instead =
        left_out == nullptr ? nullptr : InsteadOf(record.position, *left_out);
    absl::StatusOr<Decoded> decoded =
        instead != nullptr ? Decoded(*instead) : Decode(rocks.origin.partition, record);
    if (!decoded.ok()) {
      stop = decoded.status();
      break;
    }
    state.position = record.position;
    last = &record;
    const auto report = [&](log::v1::LogRecord& outer, bool dead_letter) {
      log::v1::DerivedRecord& derived = *outer.mutable_derived();
      derived.set_number(state.last_number);
      derived.set_source_position(record.position);
      put_out(record.key, dead_letter, [&](std::string& out) { outer.AppendToString(&out); });
    };
    if (auto* letter = std::get_if<log::v1::DeadLetter>(&*decoded)) {
      ++state.tally.dead_letters;
      ++done.dead_letters;
      ++state.last_number;
      log::v1::LogRecord outer;
      *outer.mutable_derived()->mutable_dead_letter() = std::move(*letter);
      report(outer, true);
      continue;
    }
    if (const auto* activation = std::get_if<rules::Activation>(&*decoded)) {
      if (state.rules.Take(*activation)) ++done.activations;
      continue;
    }
    std::get<IncomingEvent>(*decoded).rules = &state.rules;
    SIMPUL_CRASH_POINT_OF("project", std::get<IncomingEvent>(*decoded).outline.event_id);
    const auto found = std::ranges::lower_bound(subjects, std::string_view(record.key));
    History& history = histories[static_cast<size_t>(found - subjects.begin())];
    absl::StatusOr<Projected> projected =
        Project(history, std::get<IncomingEvent>(*decoded), state.tally);
    if (!projected.ok()) return rocks.Fail(projected.status());
    ++(projected->duplicate ? done.duplicates : done.events);
    for (Derived& derived : projected->derived) {
      ++state.last_number;
      if (const auto* change = std::get_if<EntryChange>(&derived)) {
        ++done.revisions;
        SIMPUL_ASSIGN_OR_RETURN(const LoadedEntry* loaded, history.EntryAt(change->number));
        put_out(record.key, false, [&](std::string& out) {
          AppendDerivedEntry(out, state.last_number, record.position, loaded->bytes);
        });
        if (watched != nullptr && watched(history.subject())) {
          SIMPUL_CHECK(done.watched.emplace_back().ParseFromString(loaded->bytes),
                       "An entry just written cannot be parsed.");
        }
        continue;
      }
      log::v1::LogRecord outer;
      const bool dead_letter = std::holds_alternative<log::v1::DeadLetter>(derived);
      if (dead_letter) {
        ++done.dead_letters;
        *outer.mutable_derived()->mutable_dead_letter() =
            std::get<log::v1::DeadLetter>(std::move(derived));
      } else {
        *outer.mutable_derived()->mutable_waiting() =
            std::get<log::v1::WaitingEvent>(std::move(derived));
      }
      report(outer, dead_letter);
    }
  }
  if (last == nullptr) return stop;
  state.digest = eventlog::DigestOfRecord(last->key, last->value);

  // A thread's batches are about equally large: what one took the next need not ask for again.
  static thread_local rocksdb::WriteBatch batch;
  batch.Clear();
  for (History& history : histories) {
    history.Changes([](std::string_view key, const std::string* value) {
      if (value == nullptr) {
        batch.Delete(AsSlice(key));
      } else {
        batch.Put(AsSlice(key), *value);
      }
    });
  }
  if (fresh.has_value()) batch.Put(OutboxKey(fresh->first()), fresh->bytes());
  if (SIMPUL_PLANTED_BUG("position_in_second_batch")) {
    SIMPUL_RETURN_IF_ERROR(rocks.Write(batch));
    batch.Clear();
    if (!rocks.db->Flush({}).ok()) return rocks.Fail(rocks.Error("written", "no flush"));
    SIMPUL_CRASH_POINT("between_batches");
  }
  batch.Put(AsSlice(kStoreMetaKey), Encode(rocks.origin, state));
  SIMPUL_RETURN_IF_ERROR(rocks.Write(batch));
  rocks.state = state;
  if (fresh.has_value()) {
    fresh->Trim();
    rocks.outbox_batch_bytes = fresh->bytes().size() / 8 * 9;
    rocks.outbox.push_back(*std::move(fresh));
    SIMPUL_CRASH_POINT("between_state_and_derived_append");
  }
  applied.events += done.events;
  applied.duplicates += done.duplicates;
  applied.revisions += done.revisions;
  applied.dead_letters += done.dead_letters;
  applied.activations += done.activations;
  std::ranges::move(done.watched, std::back_inserter(applied.watched));
  return stop;
}

absl::Status Store::ReadBack(std::span<const eventlog::OwnedRecord> records) {
  Rocks& rocks = *rocks_;
  const std::lock_guard lock(rocks.mutex);
  SIMPUL_RETURN_IF_ERROR(rocks.Check());
  SIMPUL_RETURN_IF_ERROR(rocks.LeaveApplied(eventlog::Topic::kEntries, records));
  State& state = rocks.state;
  eventlog::DerivedSequence sequence(state.read_number);
  rocksdb::WriteBatch batch;
  const auto bug = [&](uint64_t number, std::string_view what) {
    // Topic entries are read before topic events is compared.
    if (!state.is_compared) {
      return rocks.Fail(
          rocks.OtherLog(eventlog::Topic::kEntries, fmt::format("number {}", number)));
    }
    return rocks.Fail(absl::InternalError(
        fmt::format("Partition {}, topic entries, number {}: {}. This is a bug: the partition "
                    "stands still so that nothing is told twice in two ways.",
                    rocks.origin.partition, number, what)));
  };
  for (const eventlog::OwnedRecord& record : records) {
    const absl::StatusOr<DerivedHead> head = DecodeDerivedHead(record.value);
    if (!head.ok())
      return rocks.Fail(base::Within(
          fmt::format("Partition {} position {}", rocks.origin.partition, record.position),
          head.status()));
    state.entries_position = record.position;
    state.read_source = std::max(state.read_source, head->source_position);
    const eventlog::DerivedSequence::Verdict verdict = sequence.Take(head->number);
    if (verdict == eventlog::DerivedSequence::Verdict::kSeen) continue;
    if (verdict == eventlog::DerivedSequence::Verdict::kHole) {
      return bug(head->number, fmt::format("it follows on number {}", state.read_number));
    }
    state.read_number = head->number;
    // Ahead of what is derived here: a rebuild, or another owner was faster.
    if (head->number > state.last_number) continue;
    if (rocks.outbox.empty() || rocks.outbox.front().front() != head->number) {
      return bug(head->number, "nothing was derived under it");
    }
    OutboxBatch& front = rocks.outbox.front();
    if (front.Value(head->number) != record.value && !SIMPUL_PLANTED_BUG("bytes_not_compared")) {
      return bug(head->number, "other bytes");
    }
    state.outbox_bytes -= front.Size(head->number);
    front.PopFront();
    if (front.empty()) {
      batch.Delete(OutboxKey(front.first()));
      rocks.outbox.pop_front();
    }
  }
  if (records.empty()) return absl::OkStatus();
  state.entries_digest = eventlog::DigestOfRecord(records.back().key, records.back().value);
  batch.Put(AsSlice(kStoreMetaKey), Encode(rocks.origin, state));
  return rocks.Write(batch);
}

std::vector<OutboxRecord> Store::Unread(uint64_t number, size_t bytes_max) const {
  const Rocks& rocks = *rocks_;
  const std::lock_guard lock(rocks.mutex);
  std::vector<OutboxRecord> unread;
  size_t bytes = 0;
  for (const OutboxBatch& batch : rocks.outbox) {
    for (uint64_t n = std::max(number + 1, batch.front()); n <= batch.last(); ++n) {
      if (bytes >= bytes_max) return unread;
      bytes += batch.Size(n);
      unread.push_back(
          {n, std::string(batch.Key(n)), std::string(batch.Value(n)), batch.IsDeadLetter(n)});
    }
  }
  return unread;
}

Store::State Store::state() const {
  const std::lock_guard lock(rocks_->mutex);
  return rocks_->state;
}

rules::RulesInForce Store::rules() const {
  const std::lock_guard lock(rocks_->mutex);
  return rocks_->state.rules;
}

absl::StatusOr<Store::Patient> Store::Read(const event::SubjectKey& subject) const {
  const Rocks& rocks = *rocks_;
  SIMPUL_RETURN_IF_ERROR(failure());
  rocksdb::ManagedSnapshot snapshot(rocks.db.get());
  rocksdb::ReadOptions read;
  read.snapshot = snapshot.snapshot();
  Patient patient;
  std::string stored;
  rocksdb::Status status = rocks.db->Get(read, AsSlice(kStoreMetaKey), &stored);
  const std::optional<StoreMeta> meta =
      status.ok() ? DecodeStoreMeta(stored) : std::optional<StoreMeta>();
  if (!meta.has_value()) return rocks.Error("read", status.ToString());
  patient.position = meta->progress.position;
  patient.rules = meta->progress.rules;
  const std::string lower = EntryKey(subject, 0);
  const std::string upper = WaitingKey(subject, 0);
  const rocksdb::Slice bound(upper);
  read.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(rocks.db->NewIterator(read));
  for (it->Seek(lower); it->Valid(); it->Next()) {
    v1::Entry& entry = patient.entries.emplace_back();
    if (!entry.ParseFromArray(it->value().data(), static_cast<int>(it->value().size())) ||
        entry.members().empty()) {
      return rocks.Error("read", "an entry is damaged");
    }
  }
  if (!it->status().ok()) return rocks.Error("read", it->status().ToString());
  std::ranges::sort(patient.entries,
                    [](const v1::Entry& a, const v1::Entry& b) { return Before(a, b); });
  return patient;
}

absl::Status Store::Stage(const std::filesystem::path& to) {
  Rocks& rocks = *rocks_;
  // Most of it before anybody has to wait.
  rocksdb::FlushOptions flush;
  flush.allow_write_stall = true;
  rocksdb::Status status = rocks.db->Flush(flush);
  const std::lock_guard lock(rocks.mutex);
  SIMPUL_RETURN_IF_ERROR(rocks.Check());
  if (!rocks.state.is_compared || !rocks.state.is_entries_compared) {
    return absl::FailedPreconditionError(
        fmt::format("The log was not compared with {} yet.", rocks.folder.string()));
  }
  rocksdb::Checkpoint* made = nullptr;
  if (status.ok()) status = rocksdb::Checkpoint::Create(rocks.db.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(to.string(), /*log_size_for_flush=*/0);
  return status.ok() ? absl::OkStatus() : rocks.Error("copied", status.ToString());
}

const std::filesystem::path& Store::folder() const { return rocks_->folder; }
const StoreOrigin& Store::origin() const { return rocks_->origin; }

Store::Measures Store::measures() const {
  Measures measures;
  rocksdb::DB& db = *rocks_->db;
  uint64_t stopped = 0;
  db.GetIntProperty(rocksdb::DB::Properties::kEstimateLiveDataSize, &measures.live_bytes);
  db.GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &measures.memtable_bytes);
  db.GetIntProperty(rocksdb::DB::Properties::kEstimatePendingCompactionBytes,
                    &measures.pending_compaction_bytes);
  db.GetIntProperty(rocksdb::DB::Properties::kIsWriteStopped, &stopped);
  measures.write_stopped = stopped != 0;
  return measures;
}

absl::Status Store::failure() const {
  // Readers do not wait for a batch that is being applied.
  if (!rocks_->failed.load()) return absl::OkStatus();
  const std::lock_guard lock(rocks_->mutex);
  return rocks_->failure;
}

}  // namespace simpul::timeline
