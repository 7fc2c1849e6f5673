#include "lib/eventlog/embedded_log.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/check.h"
#include "lib/base/file.h"
#include "lib/base/keep.h"
#include "lib/base/log.h"
#include "lib/base/rocksdb_merges.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/base/thread_name.h"
#include "lib/base/uuid.h"
#include "lib/eventlog/in_flight.h"
#include "lib/eventlog/torn_write.h"

namespace simpul::eventlog {
namespace {

constexpr uint32_t kFormat = 1;
constexpr uint32_t kPartitionsMax = 1024;
constexpr int64_t kPositionMax = std::numeric_limits<int64_t>::max();

// One synced write takes about as much as this, so that no one waits long behind a backlog.
constexpr size_t kGroupBytesMax = 4 << 20;

// What a subscription reads ahead of one place before it turns to the next.
constexpr size_t kChunkBytesMax = 512 << 10;
constexpr int64_t kChunkRecordsMax = 1024;
// Below this many, looking each record up costs less than an iterator.
constexpr int64_t kLookUpRecordsMax = 8;
// A subscription that gathers waits for no more than these.
constexpr size_t kGatheredRecords = 256;

// About 48 MiB of RocksDB in all: 4 write buffers, blocks with their indexes, and the rest.
constexpr size_t kWriteBufferBytes = 8 << 20;
constexpr int kWriteBuffers = 4;
constexpr size_t kBlockCacheBytes = 12 << 20;
// Left free on the disk: what was admitted, and files that grow beside it.
constexpr uint64_t kRoomBytes = 32 << 20;
constexpr size_t kProtectionBytesPerKey = 8;

constexpr size_t kPrefixBytes = 1 + 2;
constexpr size_t kKeyBytes = kPrefixBytes + 8;
constexpr size_t kValueHeaderBytes = 8 + 2;
constexpr size_t kRecordKeyBytesMax = 0xFFFF;

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
rocksdb::Slice ToSlice(std::string_view view) { return {view.data(), view.size()}; }

std::string KeyOf(Place place, int64_t position) {
  std::string key;
  key.reserve(kKeyBytes);
  key.push_back(static_cast<char>(place.topic));
  base::PutBe16(key, static_cast<uint16_t>(place.partition));
  base::PutBe64(key, static_cast<uint64_t>(position));
  return key;
}

std::string HeaderOf(int64_t appended_at_us, size_t key_bytes) {
  std::string header;
  header.reserve(kValueHeaderBytes);
  base::PutBe64(header, static_cast<uint64_t>(appended_at_us));
  base::PutBe16(header, static_cast<uint16_t>(key_bytes));
  return header;
}

// A kept value, taken apart.
struct Kept {
  int64_t appended_at_us = 0;
  std::string_view key;
  std::string_view value;
};

absl::StatusOr<Kept> TakeApart(std::string_view bytes) {
  if (bytes.size() < kValueHeaderBytes) return absl::DataLossError("a record is too short");
  const size_t key_bytes = base::GetBe16(bytes.substr(8));
  if (bytes.size() < kValueHeaderBytes + key_bytes) {
    return absl::DataLossError("a record is shorter than its key");
  }
  return Kept{.appended_at_us = static_cast<int64_t>(base::GetBe64(bytes)),
              .key = bytes.substr(kValueHeaderBytes, key_bytes),
              .value = bytes.substr(kValueHeaderBytes + key_bytes)};
}

bool HoldsLog(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / "CURRENT", error);
}

absl::Status CannotOpen(const std::filesystem::path& folder, const rocksdb::Status& status) {
  if (status.IsCorruption() || status.IsNotFound() || status.IsNotSupported()) {
    return absl::DataLossError(fmt::format(
        "the log in {} is damaged and is not opened: {}. Keep the folder as it is, restore it from "
        "your backup, and start again",
        folder.string(), status.ToString()));
  }
  if (status.IsNoSpace()) {
    return absl::ResourceExhaustedError(
        fmt::format("the disk of {} is full: {}. Free some space and start again", folder.string(),
                    status.ToString()));
  }
  return absl::UnavailableError(fmt::format(
      "the log in {} cannot be opened: {}. Look at the disk and at who owns the folder, then start "
      "again",
      folder.string(), status.ToString()));
}

absl::Status CannotWrite(const std::filesystem::path& folder, const rocksdb::Status& status) {
  if (status.IsNoSpace()) {
    return absl::UnavailableError(
        fmt::format("the disk of {} is full and the log takes nothing more. Free some space and "
                    "start Simpul again; nothing acknowledged is lost",
                    folder.string()));
  }
  return absl::UnavailableError(
      fmt::format("the log in {} cannot be written and takes nothing more: {}. Look at the disk, "
                  "then start Simpul again; nothing acknowledged is lost",
                  folder.string(), status.ToString()));
}

absl::Status CannotRead(Place place, int64_t position, std::string_view why) {
  return absl::DataLossError(
      fmt::format("{} position {} cannot be read: {}. Restore the log from your backup",
                  PlaceText(place), position, why));
}

rocksdb::Options StoreOptions(std::shared_ptr<rocksdb::EventListener> listener) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;

  // Nothing else holds these records: a torn last write was never acknowledged, any other damage
  // is for a person to look at.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  if (SIMPUL_PLANTED_BUG("damage_skipped")) {
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  }
  // What was replayed goes into a synced file before anyone sees it: a page that a failed fsync
  // left in memory only must not be taken for durable.
  options.avoid_flush_during_recovery = false;
  // No second chance after an error of the disk: it could hide a lost write.
  options.max_bgerror_resume_count = 0;
  if (listener != nullptr) options.listeners.push_back(std::move(listener));

  options.write_buffer_size = kWriteBufferBytes;
  options.max_write_buffer_number = kWriteBuffers;
  options.memtable_protection_bytes_per_key = kProtectionBytesPerKey;
  // Within a place keys only grow: a hint a place makes each insertion a short walk. It needs a
  // single writer, which this is.
  options.allow_concurrent_memtable_write = false;
  options.memtable_insert_with_hint_prefix_extractor.reset(
      rocksdb::NewFixedPrefixTransform(kPrefixBytes));

  // Records are written once, never deleted, and read in order: merging serves only to keep files
  // few, so it is done rarely and in wide steps.
  options.compaction_style = rocksdb::kCompactionStyleUniversal;
  options.level0_file_num_compaction_trigger = 8;
  options.level0_slowdown_writes_trigger = 40;
  options.level0_stop_writes_trigger = 64;
  options.compaction_options_universal.min_merge_width = 4;
  // Nothing is ever replaced, so a merge gives no space back and age is no reason for one.
  options.compaction_options_universal.max_size_amplification_percent = 10'000;
  options.ttl = 0;
  options.periodic_compaction_seconds = 0;
  options.compression = rocksdb::kLZ4Compression;
  options.max_background_jobs = 2;
  options.max_subcompactions = 1;
  options.bytes_per_sync = 1 << 20;
  options.rate_limiter = base::MergeRate();

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = false;
  table.block_size = 16 << 10;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.max_open_files = 256;

  options.avoid_unnecessary_blocking_io = true;
  options.stats_dump_period_sec = 0;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 4 << 20;
  options.info_log_level = rocksdb::WARN_LEVEL;
  return options;
}

using Done = absl::AnyInvocable<void(std::vector<Appended>)>;

// What one call of Append handed over.
struct Batch {
  std::vector<Draft> drafts;
  std::unique_ptr<Admission> admission;
  Done done;
  size_t bytes = 0;
};

// An answer on its way.
struct Settled {
  std::vector<Appended> outcomes;
  Done done;
};

class Reader;

}  // namespace

struct EmbeddedLog::State {
  State(std::filesystem::path folder_in, const Options& options, const base::Clock& clock_in,
        base::Metrics& metrics);

  absl::Status OpenStore();
  absl::Status WriteInstall(const Options& options);
  absl::Status ReadInstall(const Options& options);
  absl::Status RecoverEnds();
  absl::StatusOr<log::v1::Install> InstallAt(Place place) const;

  size_t IndexOf(Place place) const {
    return (static_cast<size_t>(place.topic) - 1) * install.partitions() + place.partition;
  }
  bool Exists(Place place) const {
    return place.partition < install.partitions() && std::ranges::count(kTopics, place.topic) == 1;
  }

  void Fail(const absl::Status& why);
  absl::Status Health() const;

  void WriteLoop();
  void AnswerLoop();
  void Settle(std::vector<Batch> group);
  void Answer(std::vector<Batch>& group, std::vector<std::vector<Appended>> outcomes);
  void WakeReaders(std::span<const size_t> places);
  void ShowStore(rocksdb::DB& store);

  const std::filesystem::path folder;
  const base::Clock& clock;
  log::v1::Install install;
  InFlight in_flight;

  prometheus::Counter& records_total;
  prometheus::Counter& bytes_total;
  prometheus::Histogram& commit_seconds;
  prometheus::Gauge& in_flight_gauge;
  prometheus::Gauge& healthy_gauge;
  prometheus::Gauge& stored_gauge;
  prometheus::Gauge& memory_gauge;

  // One past the last durable position of each place.
  std::unique_ptr<std::atomic<int64_t>[]> ends;

  mutable std::mutex health_mutex;
  absl::Status health;
  std::atomic<bool> failed = false;

  std::mutex readers_mutex;
  std::set<Reader*> readers;

  std::mutex queue_mutex;
  std::condition_variable queue_filled;
  std::deque<Batch> queue;
  bool queue_closed = false;

  std::mutex answers_mutex;
  std::condition_variable answers_filled;
  std::deque<Settled> answers;
  bool answers_closed = false;

  // The writer's own.
  std::vector<int64_t> next;
  rocksdb::WriteBatch write{0, 0, kProtectionBytesPerKey, 0};

  // After what its listener uses.
  std::unique_ptr<rocksdb::DB> store;

  std::thread writer;
  std::thread answerer;
};

namespace {

// Tells the log of errors that RocksDB meets on its own threads.
class StoreListener final : public rocksdb::EventListener {
 public:
  StoreListener(absl::AnyInvocable<void(const rocksdb::Status&)> failed,
                absl::AnyInvocable<void(rocksdb::DB&)> changed)
      : failed_(std::move(failed)), changed_(std::move(changed)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    if (status != nullptr && !status->ok()) failed_(*status);
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
  void OnFlushCompleted(rocksdb::DB* store, const rocksdb::FlushJobInfo&) override {
    changed_(*store);
  }
  void OnCompactionCompleted(rocksdb::DB* store, const rocksdb::CompactionJobInfo&) override {
    changed_(*store);
  }

 private:
  absl::AnyInvocable<void(const rocksdb::Status&)> failed_;
  absl::AnyInvocable<void(rocksdb::DB&)> changed_;
};

// A subscription. Reads one place's chunk ahead, hands it out, then turns to the next place that
// has something: no place waits for more than a chunk of each other.
class Reader final : public Subscription {
 public:
  struct Cursor {
    Place place;
    size_t index = 0;  // of the place in the log
    int64_t next = 0;  // first position not read ahead
    const std::atomic<int64_t>* end = nullptr;
  };

  // `damaged` is told of a record that cannot be read.
  Reader(rocksdb::DB& store, std::vector<Cursor> cursors, std::chrono::milliseconds gather,
         absl::AnyInvocable<void(Reader*)> gone,
         absl::AnyInvocable<void(const absl::Status&)> damaged)
      : store_(store),
        cursors_(std::move(cursors)),
        gather_(gather),
        gone_(std::move(gone)),
        damaged_(std::move(damaged)) {
    for (const Cursor& cursor : cursors_) {
      reads_.resize(std::max(reads_.size(), cursor.index + 1));
      reads_[cursor.index] = true;
    }
  }
  ~Reader() override { gone_(this); }

  absl::StatusOr<std::optional<Record>> Poll(std::chrono::milliseconds wait) override {
    absl::StatusOr<std::optional<Record>> record = Next(wait);
    if (!record.ok()) damaged_(record.status());
    return record;
  }

  std::optional<int64_t> KnownEnd(Place place) const override {
    const auto cursor = std::ranges::find(cursors_, place, &Cursor::place);
    if (cursor == cursors_.end()) return std::nullopt;
    return cursor->end->load(std::memory_order_acquire);
  }

  void Wake() override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    signal_.notify_one();
  }

  // `places` are the indexes of where new records are, one a record.
  void Publish(std::span<const size_t> places) {
    const auto is_read = [this](size_t index) { return index < reads_.size() && reads_[index]; };
    const auto records = static_cast<size_t>(std::ranges::count_if(places, is_read));
    if (records == 0) return;
    const std::lock_guard lock(mutex_);
    const bool was_enough = IsEnough();
    const bool is_first = std::exchange(published_, published_ + records) == 0;
    // Who gathers has been woken by the first, and looks when there is enough or time is over.
    if (is_first || IsEnough() != was_enough) signal_.notify_one();
  }

 private:
  struct Item {
    int64_t position = 0;
    size_t offset = 0;
    size_t bytes = 0;
  };

  Cursor* NextWithRecords() {
    for (size_t i = 0; i < cursors_.size(); ++i) {
      Cursor& cursor = cursors_[turn_];
      turn_ = (turn_ + 1) % cursors_.size();
      if (cursor.next < cursor.end->load(std::memory_order_acquire)) return &cursor;
    }
    return nullptr;
  }

  absl::StatusOr<std::optional<Record>> Next(std::chrono::milliseconds wait) {
    if (woken_.load(std::memory_order_relaxed) && woken_.exchange(false)) return std::nullopt;
    if (given_ < items_.size()) return Give();
    const auto until = std::chrono::steady_clock::now() + wait;
    for (;;) {
      if (is_gathering_ && !Gather(until)) return std::nullopt;
      {
        const std::lock_guard lock(mutex_);
        published_ = 0;
      }
      if (Cursor* cursor = NextWithRecords()) {
        SIMPUL_RETURN_IF_ERROR(ReadAhead(*cursor));
        return Give();
      }
      is_gathering_ = gather_.count() > 0;
      if (is_gathering_) continue;
      std::unique_lock lock(mutex_);
      if (!signal_.wait_until(lock, until, [&] { return woken_.load() || published_ > 0; })) {
        return std::nullopt;
      }
      if (woken_.exchange(false)) return std::nullopt;
    }
  }

  bool IsEnough() const { return published_ >= kGatheredRecords; }

  // Waits until what has come may be given; false: not by then, or woken. A Poll that is woken
  // meanwhile makes the next one wait no longer than it had to.
  bool Gather(std::chrono::steady_clock::time_point until) {
    std::unique_lock lock(mutex_);
    if (!signal_.wait_until(lock, until, [&] { return woken_.load() || published_ > 0; })) {
      return false;
    }
    if (published_ == 0) {  // woken, and nothing has come that could be waited for
      woken_.store(false);
      return false;
    }
    if (!gathered_at_.has_value()) gathered_at_ = std::chrono::steady_clock::now() + gather_;
    signal_.wait_until(lock, std::min(until, *gathered_at_),
                       [&] { return woken_.load() || IsEnough(); });
    if (woken_.exchange(false)) return false;
    if (!IsEnough() && *gathered_at_ > until) return false;
    gathered_at_.reset();
    is_gathering_ = false;
    return true;
  }

  absl::StatusOr<std::optional<Record>> Give() {
    const Item& item = items_[given_++];
    const absl::StatusOr<Kept> kept =
        TakeApart(std::string_view(bytes_).substr(item.offset, item.bytes));
    if (!kept.ok()) return CannotRead(place_, item.position, base::Message(kept.status()));
    return Record{.place = place_,
                  .position = item.position,
                  .appended_at_us = kept->appended_at_us,
                  .key = kept->key,
                  .value = kept->value};
  }

  absl::Status ReadAhead(Cursor& cursor) {
    bytes_.clear();
    items_.clear();
    given_ = 0;
    place_ = cursor.place;
    const int64_t end =
        std::min(cursor.end->load(std::memory_order_acquire), cursor.next + kChunkRecordsMax);
    return end - cursor.next <= kLookUpRecordsMax ? LookUp(cursor, end) : Scan(cursor, end);
  }

  absl::Status LookUp(Cursor& cursor, int64_t end) {
    rocksdb::PinnableSlice value;
    while (cursor.next < end) {
      value.Reset();
      const rocksdb::Status status =
          store_.Get(rocksdb::ReadOptions(), store_.DefaultColumnFamily(),
                     KeyOf(cursor.place, cursor.next), &value);
      if (!status.ok()) return CannotRead(cursor.place, cursor.next, status.ToString());
      Keep(cursor, View(value));
    }
    return absl::OkStatus();
  }

  absl::Status Scan(Cursor& cursor, int64_t end) {
    const std::string bound = KeyOf(cursor.place, end);
    const rocksdb::Slice bound_slice = bound;
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &bound_slice;
    const std::unique_ptr<rocksdb::Iterator> it(store_.NewIterator(options));
    for (it->Seek(KeyOf(cursor.place, cursor.next)); it->Valid(); it->Next()) {
      const auto position =
          static_cast<int64_t>(base::GetBe64(View(it->key()).substr(kPrefixBytes)));
      if (position != cursor.next) return CannotRead(cursor.place, cursor.next, "it is missing");
      Keep(cursor, View(it->value()));
      if (bytes_.size() >= kChunkBytesMax) return absl::OkStatus();
    }
    if (!it->status().ok()) return CannotRead(cursor.place, cursor.next, it->status().ToString());
    if (cursor.next < end) return CannotRead(cursor.place, cursor.next, "it is missing");
    return absl::OkStatus();
  }

  void Keep(Cursor& cursor, std::string_view value) {
    items_.push_back({.position = cursor.next, .offset = bytes_.size(), .bytes = value.size()});
    bytes_.append(value);
    ++cursor.next;
  }

  rocksdb::DB& store_;
  std::vector<Cursor> cursors_;
  const std::chrono::milliseconds gather_;
  absl::AnyInvocable<void(Reader*)> gone_;
  absl::AnyInvocable<void(const absl::Status&)> damaged_;
  std::vector<bool> reads_;  // by the index of a place
  size_t turn_ = 0;

  // What was read ahead, all of one place.
  Place place_;
  std::string bytes_;
  std::vector<Item> items_;
  size_t given_ = 0;

  bool is_gathering_ = false;                                         // nothing was left to read
  std::optional<std::chrono::steady_clock::time_point> gathered_at_;  // something has come since

  std::mutex mutex_;
  std::condition_variable signal_;
  std::atomic<bool> woken_ = false;
  size_t published_ = 0;  // records, since it was looked for them
};

}  // namespace

EmbeddedLog::State::State(std::filesystem::path folder_in, const Options& options,
                          const base::Clock& clock_in, base::Metrics& metrics)
    : folder(std::move(folder_in)),
      clock(clock_in),
      in_flight(options.in_flight_bytes_max),
      records_total(
          metrics.Counter("simpul_log_appended_records_total", "Records made durable in the log.")),
      bytes_total(metrics.Counter("simpul_log_appended_bytes_total",
                                  "Bytes of keys and values made durable in the log.")),
      commit_seconds(
          metrics.Seconds("simpul_log_commit_seconds", "Time of one synced write of the log.")),
      in_flight_gauge(metrics.Gauge("simpul_log_in_flight_bytes",
                                    "Bytes admitted to the log and not yet settled.")),
      healthy_gauge(
          metrics.Gauge("simpul_log_healthy", "1 while the log takes records, 0 after an error.")),
      stored_gauge(metrics.Gauge("simpul_rocksdb_stored_bytes", "Bytes of table files.",
                                 {{"store", "log"}})),
      memory_gauge(metrics.Gauge("simpul_rocksdb_memory_bytes",
                                 "Bytes of write buffers, cached blocks and table readers.",
                                 {{"store", "log"}})) {}

absl::Status EmbeddedLog::State::OpenStore() {
  SIMPUL_RETURN_IF_ERROR(base::MakeFolder(folder));
  SIMPUL_RETURN_IF_ERROR(CutTornWrite(folder));
  const rocksdb::Options options = StoreOptions(std::make_shared<StoreListener>(
      [this](const rocksdb::Status& status) { Fail(CannotWrite(folder, status)); },
      [this](rocksdb::DB& changed) { ShowStore(changed); }));
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, folder.string(), &opened);
  if (!status.ok()) return CannotOpen(folder, status);
  store.reset(opened);
  ShowStore(*store);
  return absl::OkStatus();
}

absl::Status EmbeddedLog::State::WriteInstall(const Options& options) {
  log::v1::LogRecord record;
  log::v1::Install& made = *record.mutable_install();
  made.set_install_id(base::RandomUuid());
  made.set_partitions(options.partitions);
  made.set_format(kFormat);
  made.set_secret_fingerprint(options.secret_fingerprint);
  made.set_installed_at_us(base::ToMicros(clock.Now()));
  rocksdb::WriteBatch all(0, 0, kProtectionBytesPerKey, 0);
  for (const Topic topic : kTopics) {
    for (uint32_t partition = 0; partition < options.partitions; ++partition) {
      made.set_topic(std::string(TopicName(topic)));
      made.set_partition(partition);
      const rocksdb::Status put =
          all.Put(KeyOf({topic, partition}, 0),
                  HeaderOf(made.installed_at_us(), 0) + record.SerializeAsString());
      if (!put.ok()) return CannotWrite(folder, put);
    }
  }
  rocksdb::WriteOptions write_options;
  write_options.sync = true;
  const rocksdb::Status status = store->Write(write_options, &all);
  if (!status.ok()) return CannotWrite(folder, status);
  base::Log(base::Severity::kInfo, "embedded_log", "installed a new log",
            {{"folder", folder.string()},
             {"install", made.install_id()},
             {"partitions", options.partitions}});
  return absl::OkStatus();
}

absl::StatusOr<log::v1::Install> EmbeddedLog::State::InstallAt(Place place) const {
  std::string value;
  const rocksdb::Status status = store->Get(rocksdb::ReadOptions(), KeyOf(place, 0), &value);
  if (!status.ok()) return CannotRead(place, 0, status.ToString());
  const absl::StatusOr<Kept> kept = TakeApart(value);
  if (!kept.ok()) return CannotRead(place, 0, base::Message(kept.status()));
  log::v1::LogRecord record;
  if (!record.ParseFromArray(kept->value.data(), static_cast<int>(kept->value.size())) ||
      !record.has_install()) {
    return CannotRead(place, 0, "it is no install record");
  }
  return record.install();
}

absl::Status EmbeddedLog::State::ReadInstall(const Options& options) {
  SIMPUL_ASSIGN_OR_RETURN(install, InstallAt({Topic::kEvents, 0}));
  install.clear_topic();
  install.clear_partition();
  if (install.format() != kFormat) {
    return absl::FailedPreconditionError(
        fmt::format("the log in {} has format {}, and this Simpul knows format {}. Upgrade Simpul",
                    folder.string(), install.format(), kFormat));
  }
  if (!options.must_exist && install.partitions() != options.partitions) {
    return absl::FailedPreconditionError(fmt::format(
        "the log in {} was installed with {} partitions, not {}: their number is fixed for life. "
        "Start with {}",
        folder.string(), install.partitions(), options.partitions, install.partitions()));
  }
  if (install.secret_fingerprint() != options.secret_fingerprint) {
    return absl::FailedPreconditionError(fmt::format(
        "the secret in {} is not the one that the log in {} was installed with. Restore the secret "
        "that belongs to this log from your backup",
        (folder.parent_path() / "secret").string(), folder.string()));
  }
  for (const Topic topic : kTopics) {
    for (uint32_t partition = 0; partition < install.partitions(); ++partition) {
      const Place place{topic, partition};
      SIMPUL_ASSIGN_OR_RETURN(const log::v1::Install other, InstallAt(place));
      if (other.install_id() != install.install_id() || other.topic() != TopicName(topic) ||
          other.partition() != partition) {
        return CannotRead(place, 0, "its install record is of another log or place");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status EmbeddedLog::State::RecoverEnds() {
  const size_t places = std::size(kTopics) * install.partitions();
  ends = std::make_unique<std::atomic<int64_t>[]>(places);
  next.resize(places);
  const std::unique_ptr<rocksdb::Iterator> it(store->NewIterator(rocksdb::ReadOptions()));
  for (const Topic topic : kTopics) {
    for (uint32_t partition = 0; partition < install.partitions(); ++partition) {
      const Place place{topic, partition};
      it->SeekForPrev(KeyOf(place, kPositionMax));
      if (!it->status().ok()) return CannotRead(place, 0, it->status().ToString());
      if (!it->Valid() || View(it->key()).substr(0, kPrefixBytes) !=
                              std::string_view(KeyOf(place, 0)).substr(0, kPrefixBytes)) {
        return CannotRead(place, 0, "it is missing");
      }
      const uint64_t last = base::GetBe64(View(it->key()).substr(kPrefixBytes));
      next[IndexOf(place)] = static_cast<int64_t>(last) + 1;
      ends[IndexOf(place)].store(static_cast<int64_t>(last) + 1, std::memory_order_release);
    }
  }
  return absl::OkStatus();
}

void EmbeddedLog::State::Fail(const absl::Status& why) {
  {
    const std::lock_guard lock(health_mutex);
    if (!health.ok()) return;
    health = why;
  }
  failed.store(true);
  healthy_gauge.Set(0);
  base::Log(base::Severity::kError, "embedded_log", base::Message(why));
}

absl::Status EmbeddedLog::State::Health() const {
  const std::lock_guard lock(health_mutex);
  return health;
}

void EmbeddedLog::State::ShowStore(rocksdb::DB& changed) {
  if (failed.load()) return;
  uint64_t stored = 0;
  if (changed.GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &stored)) {
    stored_gauge.Set(static_cast<double>(stored));
  }
  uint64_t memory = 0;
  for (const std::string& part :
       {rocksdb::DB::Properties::kSizeAllMemTables, rocksdb::DB::Properties::kBlockCacheUsage,
        rocksdb::DB::Properties::kEstimateTableReadersMem}) {
    uint64_t bytes = 0;
    if (changed.GetIntProperty(part, &bytes)) memory += bytes;
  }
  memory_gauge.Set(static_cast<double>(memory));
}

void EmbeddedLog::State::WriteLoop() {
  base::NameThread("log write");
  for (;;) {
    std::vector<Batch> group;
    {
      std::unique_lock lock(queue_mutex);
      queue_filled.wait(lock, [&] { return !queue.empty() || queue_closed; });
      if (queue.empty()) return;
      for (size_t bytes = 0; !queue.empty() && bytes < kGroupBytesMax;) {
        bytes += queue.front().bytes;
        group.push_back(std::move(queue.front()));
        queue.pop_front();
      }
    }
    Settle(std::move(group));
  }
}

void EmbeddedLog::State::Settle(std::vector<Batch> group) {
  std::vector<std::vector<Appended>> outcomes(group.size());
  const auto answer_all = [&](const absl::Status& why) {
    for (size_t i = 0; i < group.size(); ++i) {
      for (Appended& outcome : outcomes[i]) {
        if (outcome.ok()) outcome = why;
      }
      outcomes[i].resize(group[i].drafts.size(), Appended(why));
    }
    Answer(group, std::move(outcomes));
  };
  if (failed.load()) {
    answer_all(Health());
    return;
  }

  const int64_t now_us = base::ToMicros(clock.Now());
  std::vector<size_t> touched;
  size_t records = 0;
  size_t bytes = 0;
  write.Clear();
  for (size_t i = 0; i < group.size(); ++i) {
    outcomes[i].reserve(group[i].drafts.size());
    for (const Draft& draft : group[i].drafts) {
      const size_t draft_bytes = draft.key.size() + draft.value.size();
      if (draft_bytes > kRecordBytesMax || draft.key.size() > kRecordKeyBytesMax) {
        outcomes[i].push_back(absl::InvalidArgumentError(
            fmt::format("a record of {} bytes is larger than the log takes ({})", draft_bytes,
                        kRecordBytesMax)));
        continue;
      }
      const Place place{draft.topic, event::PartitionOf(draft.key, install.partitions())};
      SIMPUL_CHECK(Exists(place), "There is no topic {}.", static_cast<int>(draft.topic));
      const size_t index = IndexOf(place);
      const int64_t position = next[index]++;
      const std::string key = KeyOf(place, position);
      const std::string header = HeaderOf(now_us, draft.key.size());
      const rocksdb::Slice key_part = key;
      const rocksdb::Slice value_parts[] = {header, ToSlice(draft.key), ToSlice(draft.value)};
      const rocksdb::Status put =
          write.Put(rocksdb::SliceParts(&key_part, 1), rocksdb::SliceParts(value_parts, 3));
      SIMPUL_CHECK(put.ok(), "{}", put.ToString());
      outcomes[i].push_back(position);
      touched.push_back(index);
      ++records;
      bytes += draft_bytes;
    }
  }

  const bool is_answered_early = SIMPUL_PLANTED_BUG("answer_before_durable");
  if (is_answered_early) {
    for (size_t i = 0; i < group.size(); ++i) {
      group[i].done(outcomes[i]);
      SIMPUL_CRASH_POINT("after_answer");
    }
    // Wide enough for a kill at a random moment to fall into.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (records > 0) {
    const auto begin = std::chrono::steady_clock::now();
    rocksdb::WriteOptions options;
    options.sync = true;
    const rocksdb::Status status = store->Write(options, &write);
    if (!status.ok()) {
      const absl::Status why = CannotWrite(folder, status);
      Fail(why);
      if (!is_answered_early) answer_all(why);
      return;
    }
    commit_seconds.Observe(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    records_total.Increment(static_cast<double>(records));
    bytes_total.Increment(static_cast<double>(bytes));
    for (const size_t index : touched) ends[index].store(next[index], std::memory_order_release);
    WakeReaders(touched);
    SIMPUL_CRASH_POINT("after_append_before_answer");
  }
  if (!is_answered_early) Answer(group, std::move(outcomes));
}

void EmbeddedLog::State::Answer(std::vector<Batch>& group,
                                std::vector<std::vector<Appended>> outcomes) {
  for (Batch& batch : group) batch.admission.reset();
  in_flight_gauge.Set(static_cast<double>(in_flight.bytes()));
  const std::lock_guard lock(answers_mutex);
  for (size_t i = 0; i < group.size(); ++i) {
    answers.push_back({.outcomes = std::move(outcomes[i]), .done = std::move(group[i].done)});
  }
  answers_filled.notify_one();
}

void EmbeddedLog::State::AnswerLoop() {
  base::NameThread("log answer");
  for (;;) {
    std::deque<Settled> settled;
    {
      std::unique_lock lock(answers_mutex);
      answers_filled.wait(lock, [&] { return !answers.empty() || answers_closed; });
      if (answers.empty()) return;
      settled.swap(answers);
    }
    for (Settled& one : settled) {
      one.done(std::move(one.outcomes));
      SIMPUL_CRASH_POINT("after_answer");
    }
  }
}

void EmbeddedLog::State::WakeReaders(std::span<const size_t> places) {
  const std::lock_guard lock(readers_mutex);
  for (Reader* reader : readers) reader->Publish(places);
}

EmbeddedLog::EmbeddedLog(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->writer = std::thread([this] { state_->WriteLoop(); });
  state_->answerer = std::thread([this] { state_->AnswerLoop(); });
}

absl::StatusOr<std::unique_ptr<EmbeddedLog>> EmbeddedLog::Open(const std::filesystem::path& folder,
                                                               const Options& options,
                                                               const base::Clock& clock,
                                                               base::Metrics& metrics) {
  if (options.partitions == 0 || options.partitions > kPartitionsMax) {
    return absl::InvalidArgumentError(
        fmt::format("a log has 1 to {} partitions, not {}", kPartitionsMax, options.partitions));
  }
  if (options.must_exist && !HoldsLog(folder)) {
    return absl::NotFoundError(fmt::format("{} holds no log", folder.string()));
  }
  auto state = std::make_unique<State>(folder, options, clock, metrics);
  SIMPUL_RETURN_IF_ERROR(state->OpenStore());
  bool is_empty = false;
  {
    const std::unique_ptr<rocksdb::Iterator> it(state->store->NewIterator(rocksdb::ReadOptions()));
    it->SeekToFirst();
    if (!it->status().ok()) return CannotOpen(folder, it->status());
    is_empty = !it->Valid();
  }
  if (is_empty && options.must_exist) {
    return absl::NotFoundError(fmt::format("{} holds no log", folder.string()));
  }
  if (is_empty) SIMPUL_RETURN_IF_ERROR(state->WriteInstall(options));
  SIMPUL_RETURN_IF_ERROR(state->ReadInstall(options));
  SIMPUL_RETURN_IF_ERROR(state->RecoverEnds());
  state->healthy_gauge.Set(1);
  return std::unique_ptr<EmbeddedLog>(new EmbeddedLog(std::move(state)));
}

EmbeddedLog::~EmbeddedLog() {
  {
    const std::lock_guard lock(state_->queue_mutex);
    state_->queue_closed = true;
    state_->queue_filled.notify_one();
  }
  state_->writer.join();
  {
    const std::lock_guard lock(state_->answers_mutex);
    state_->answers_closed = true;
    state_->answers_filled.notify_one();
  }
  state_->answerer.join();
  SIMPUL_CHECK(state_->readers.empty(), "{} subscriptions outlive their log.",
               state_->readers.size());
  if (state_->failed.load()) base::KeepToTheEnd(std::move(state_));
}

const log::v1::Install& EmbeddedLog::install() const { return state_->install; }

absl::StatusOr<std::unique_ptr<Admission>> EmbeddedLog::Admit(size_t bytes) {
  SIMPUL_RETURN_IF_ERROR(Health());
  // Refused while there is still room: a write that fails for want of it ends the log's service.
  SIMPUL_RETURN_IF_ERROR(base::CheckRoom(state_->folder, kRoomBytes));
  return state_->in_flight.Admit(bytes);
}

void EmbeddedLog::Append(std::vector<Draft> drafts, std::unique_ptr<Admission> admission,
                         Done done) {
  size_t bytes = 0;
  for (const Draft& draft : drafts) bytes += draft.key.size() + draft.value.size();
  const std::lock_guard lock(state_->queue_mutex);
  state_->queue.push_back({.drafts = std::move(drafts),
                           .admission = std::move(admission),
                           .done = std::move(done),
                           .bytes = bytes});
  state_->queue_filled.notify_one();
}

absl::StatusOr<std::vector<int64_t>> EmbeddedLog::Ends(std::span<const Place> places) {
  std::vector<int64_t> ends;
  for (const Place& place : places) {
    if (!state_->Exists(place)) {
      return absl::InvalidArgumentError(
          fmt::format("there is no partition {} in this log of {}", place.partition, partitions()));
    }
    ends.push_back(state_->ends[state_->IndexOf(place)].load(std::memory_order_acquire));
  }
  return ends;
}

absl::StatusOr<std::unique_ptr<Subscription>> EmbeddedLog::Subscribe(
    std::vector<Start> starts, std::chrono::milliseconds gather) {
  std::vector<Reader::Cursor> cursors;
  std::set<Place> places;
  for (const Start& start : starts) {
    SIMPUL_ASSIGN_OR_RETURN(const int64_t end, End(start.place));
    if (!places.insert(start.place).second) {
      return absl::InvalidArgumentError(PlaceText(start.place) + " is named twice");
    }
    if (start.position < 0 || start.position > end) {
      return absl::OutOfRangeError(fmt::format(
          "{} ends at {}, and {} was asked for: the log was cut back or is another one. Delete the "
          "state that asked if the log is right; restore the log from your backup if it is not",
          PlaceText(start.place), end, start.position));
    }
    const size_t index = state_->IndexOf(start.place);
    cursors.push_back({.place = start.place,
                       .index = index,
                       .next = start.position,
                       .end = &state_->ends[index]});
  }
  State& state = *state_;
  auto reader = std::make_unique<Reader>(
      *state.store, std::move(cursors), gather,
      [&state](Reader* gone) {
        const std::lock_guard lock(state.readers_mutex);
        state.readers.erase(gone);
      },
      // What is restored from a backup would lose whatever was taken after the damage was seen.
      [&state](const absl::Status& why) {
        state.Fail(absl::UnavailableError(
            fmt::format("the log in {} is damaged and takes nothing more: {}",
                        state.folder.string(), base::Message(why))));
      });
  const std::lock_guard lock(state.readers_mutex);
  state.readers.insert(reader.get());
  return reader;
}

absl::Status EmbeddedLog::Health() const { return state_->Health(); }

absl::Status EmbeddedLog::Checkpoint(const std::filesystem::path& folder) {
  SIMPUL_RETURN_IF_ERROR(Health());
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(state_->store.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  // What was answered is in the write buffers at least: it is flushed first.
  if (status.ok()) status = checkpoint->CreateCheckpoint(folder.string(), 0);
  if (status.ok()) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("no checkpoint can be made in {}: {}", folder.string(), status.ToString()));
}

absl::StatusOr<LogContent> ReadWholeLog(const std::filesystem::path& folder) {
  rocksdb::Options options = StoreOptions(nullptr);
  options.create_if_missing = false;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(options, folder.string(), &opened);
  if (!status.ok()) return CannotOpen(folder, status);
  const std::unique_ptr<rocksdb::DB> store(opened);
  LogContent content;
  rocksdb::ReadOptions reading;
  reading.verify_checksums = true;
  reading.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> it(store->NewIterator(reading));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const std::string_view key = View(it->key());
    if (key.size() != kKeyBytes) return absl::DataLossError("the log holds a key of no record");
    const Place place{static_cast<Topic>(key[0]), base::GetBe16(key.substr(1))};
    const auto position = static_cast<int64_t>(base::GetBe64(key.substr(kPrefixBytes)));
    if (std::ranges::count(kTopics, place.topic) != 1) {
      return absl::DataLossError("the log holds a record of no topic");
    }
    PlaceDigest& digest = content.places[place];
    if (position != digest.records()) return CannotRead(place, digest.records(), "it is missing");
    const absl::StatusOr<Kept> kept = TakeApart(View(it->value()));
    if (!kept.ok()) return CannotRead(place, position, base::Message(kept.status()));
    if (position == 0) {
      log::v1::LogRecord record;
      if (!record.ParseFromArray(kept->value.data(), static_cast<int>(kept->value.size())) ||
          !record.has_install() || record.install().topic() != TopicName(place.topic) ||
          record.install().partition() != place.partition) {
        return CannotRead(place, 0, "it is not this place's install record");
      }
      if (content.install.install_id().empty()) content.install = record.install();
      if (record.install().install_id() != content.install.install_id()) {
        return CannotRead(place, 0, "its install record is of another log");
      }
    }
    digest.Add(kept->key, kept->value);
  }
  if (!it->status().ok()) return CannotOpen(folder, it->status());
  content.install.clear_topic();
  content.install.clear_partition();
  for (const Topic topic : kTopics) {
    for (uint32_t partition = 0; partition < content.install.partitions(); ++partition) {
      if (!content.places.contains({topic, partition})) {
        return CannotRead({topic, partition}, 0, "it is missing");
      }
    }
  }
  if (content.places.empty()) {
    return absl::DataLossError(fmt::format("{} holds no log", folder.string()));
  }
  return content;
}

}  // namespace simpul::eventlog
