#include "lib/deliver/ledger_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include "lib/base/file.h"
#include "lib/base/keep.h"
#include "lib/base/log.h"
#include "lib/base/rocksdb_merges.h"
#include "lib/base/status_macros.h"

namespace simpul::deliver {
namespace {

// Left free on the disk.
constexpr uint64_t kRoomBytes = 64 << 20;

rocksdb::Slice ToSlice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

absl::Status FromRocks(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::InternalError("the delivery ledger's store: " + status.ToString());
}

}  // namespace

struct LedgerMemory::Shared {
  explicit Shared(size_t bytes)
      : cache(rocksdb::NewLRUCache(bytes, /*num_shard_bits=*/4, /*strict_capacity_limit=*/false,
                                   /*high_pri_pool_ratio=*/0.5)),
        // Charged to the cache: the two together stay within `bytes`.
        write_buffers(std::make_shared<rocksdb::WriteBufferManager>(bytes / 2, cache)) {}

  rocksdb::Options MakeOptions() const {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = 4 << 20;
    options.write_buffer_manager = write_buffers;
    // Two dozen ledgers share the buffers: with RocksDB's own block size the first block of each
    // would fill them.
    options.arena_block_size = 64 << 10;
    // Merged eight runs at a time: with levels every merge of a few small files rewrote most of
    // what is below them.
    options.compaction_style = rocksdb::kCompactionStyleUniversal;
    options.level0_file_num_compaction_trigger = 16;
    options.level0_slowdown_writes_trigger = 32;
    options.level0_stop_writes_trigger = 44;
    options.compaction_options_universal.min_merge_width = 8;
    options.compaction_options_universal.size_ratio = 30;
    options.compaction_options_universal.max_size_amplification_percent = 1000;
    options.compression = rocksdb::kNoCompression;
    options.max_open_files = 128;
    options.allow_fallocate = false;  // two dozen ledgers would reserve a quarter of a gigabyte
    // Written out as they grow: a heap of dirty pages would hold up the next fsync of the log.
    options.bytes_per_sync = 1 << 20;
    options.rate_limiter = base::MergeRate();
    options.keep_log_file_num = 1;
    options.info_log_level = rocksdb::WARN_LEVEL;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.cache_index_and_filter_blocks = true;
    table.cache_index_and_filter_blocks_with_high_priority = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    // In pieces: keys are random, and a look-up would read the whole filter of a file for one.
    table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    table.partition_filters = true;
    table.metadata_block_size = 4 << 10;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
  }

  // RocksDB begins to flush short of the bound and goes on taking writes: who runs away from it
  // waits for the flush.
  rocksdb::Status HoldBound(rocksdb::DB& db) const {
    if (write_buffers->memory_usage() <= write_buffers->buffer_size() / 4 * 5) {
      return rocksdb::Status::OK();
    }
    rocksdb::FlushOptions flush;
    flush.allow_write_stall = true;
    return db.Flush(flush);
  }

  const std::shared_ptr<rocksdb::Cache> cache;
  const std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
};

LedgerMemory::LedgerMemory(size_t bytes) : shared_(std::make_unique<Shared>(bytes)) {}
LedgerMemory::~LedgerMemory() = default;

struct LedgerWrites::Batch {
  rocksdb::WriteBatch writes;
};

LedgerWrites::LedgerWrites() : batch_(std::make_unique<Batch>()) {}
LedgerWrites::~LedgerWrites() = default;

void LedgerWrites::Put(std::string_view key, std::string_view value) {
  batch_->writes.Put(ToSlice(key), ToSlice(value));
}
void LedgerWrites::Delete(std::string_view key) { batch_->writes.Delete(ToSlice(key)); }
void LedgerWrites::DeleteOnce(std::string_view key) { batch_->writes.SingleDelete(ToSlice(key)); }

struct LedgerStore::Database {
  std::filesystem::path folder;
  const LedgerMemory::Shared& memory;
  std::unique_ptr<rocksdb::DB> db;
  bool failed = false;  // a write did; of the thread that writes

  rocksdb::Status Open() {
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::Open(memory.MakeOptions(), folder.string(), &opened);
    db.reset(opened);
    return status;
  }
  rocksdb::Status OpenEmpty() {
    db.reset();
    const rocksdb::Status status = rocksdb::DestroyDB(folder.string(), memory.MakeOptions());
    return status.ok() ? Open() : status;
  }
};

LedgerStore::LedgerStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
LedgerStore::~LedgerStore() {
  if (database_->failed) base::KeepToTheEnd(std::move(database_));
}

absl::StatusOr<std::unique_ptr<LedgerStore>> LedgerStore::Open(const std::filesystem::path& folder,
                                                               uint32_t partition,
                                                               LedgerMemory& memory) {
  SIMPUL_RETURN_IF_ERROR(base::MakeFolder(folder));
  std::unique_ptr<Database> database(new Database{folder, *memory.shared_});
  rocksdb::Status status = database->Open();
  if (status.IsCorruption()) {
    base::Log(base::Severity::kWarning, "forwarder",
              "the delivery ledger is damaged; it is filled from the log again",
              {{"partition", partition}});
    status = database->OpenEmpty();
  }
  SIMPUL_RETURN_IF_ERROR(FromRocks(status));
  return std::unique_ptr<LedgerStore>(new LedgerStore(std::move(database)));
}

absl::Status LedgerStore::Empty() { return FromRocks(database_->OpenEmpty()); }

absl::StatusOr<std::optional<std::string>> LedgerStore::Get(std::string_view key) const {
  std::string value;
  const rocksdb::Status status = database_->db->Get(rocksdb::ReadOptions(), ToSlice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  SIMPUL_RETURN_IF_ERROR(FromRocks(status));
  return value;
}

absl::Status LedgerStore::Scan(
    std::string_view prefix, std::string_view after, size_t limit,
    const std::function<absl::Status(std::string_view, std::string_view)>& row) const {
  const std::unique_ptr<rocksdb::Iterator> it(database_->db->NewIterator(rocksdb::ReadOptions()));
  it->Seek(ToSlice(after.empty() ? prefix : after));
  if (!after.empty() && it->Valid() && View(it->key()) == after) it->Next();
  for (size_t count = 0; count < limit && it->Valid() && View(it->key()).starts_with(prefix);
       it->Next(), ++count) {
    SIMPUL_RETURN_IF_ERROR(row(View(it->key()), View(it->value())));
  }
  return FromRocks(it->status());
}

absl::Status LedgerStore::CheckRoom() const {
  return base::CheckRoom(database_->folder, kRoomBytes);
}

absl::Status LedgerStore::Write(const LedgerWrites& writes) {
  rocksdb::WriteOptions unlogged;
  unlogged.disableWAL = true;  // docs/decisions/0007-no-second-write-ahead-log.md
  rocksdb::Status status = database_->db->Write(unlogged, &writes.batch_->writes);
  if (status.ok()) status = database_->memory.HoldBound(*database_->db);
  database_->failed = database_->failed || !status.ok();
  return FromRocks(status);
}

}  // namespace simpul::deliver
