#include "lib/timeline/checkpoints.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/backup_engine.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/base/uuid.h"

namespace simpul::timeline {
namespace {

namespace fs = std::filesystem;

// Beside a store's folder: what is copied from it, and what is to become it.
constexpr std::string_view kStaged = ".staged";
constexpr std::string_view kRestored = ".restored";

// How often a copy looks whether there is room.
constexpr uint64_t kLookBytes = 64 << 10;

absl::Status From(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string words = fmt::format("{}: {}", what, status.ToString());
  if (status.IsIncomplete()) return absl::CancelledError(words);
  if (status.IsCorruption()) return absl::DataLossError(words);
  if (status.IsNoSpace()) return absl::UnavailableError(words);
  return absl::InternalError(words);
}

// A database that is only looked at, with next to no memory.
rocksdb::Options LookOptions() {
  rocksdb::Options options;
  options.max_open_files = 16;
  options.paranoid_checks = true;
  options.info_log_level = rocksdb::FATAL_LEVEL;
  rocksdb::BlockBasedTableOptions table;
  table.no_block_cache = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

absl::StatusOr<std::unique_ptr<rocksdb::DB>> Look(const rocksdb::Options& options,
                                                  const std::string& folder) {
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(options, folder, &opened);
  std::unique_ptr<rocksdb::DB> db(opened);
  SIMPUL_RETURN_IF_ERROR(From(status, "it cannot be opened"));
  return db;
}

absl::StatusOr<std::string> MetaRow(rocksdb::DB& db) {
  std::string row;
  const rocksdb::Status status = db.Get(
      rocksdb::ReadOptions(), rocksdb::Slice(kStoreMetaKey.data(), kStoreMetaKey.size()), &row);
  SIMPUL_RETURN_IF_ERROR(From(status, "it does not say what it is"));
  return row;
}

absl::StatusOr<StoreMeta> MetaOf(rocksdb::DB& db) {
  SIMPUL_ASSIGN_OR_RETURN(const std::string row, MetaRow(db));
  const std::optional<StoreMeta> meta = DecodeStoreMeta(row);
  if (!meta.has_value()) return absl::DataLossError("what it says of itself is damaged");
  return *meta;
}

// Looks into a checkpoint where it lies, and compares it with what stands beside it.
absl::StatusOr<StoreMeta> MetaOf(const rocksdb::BackupInfo& info) {
  rocksdb::Options options = LookOptions();
  options.env = info.env_for_open.get();
  SIMPUL_ASSIGN_OR_RETURN(const auto db, Look(options, info.name_for_open));
  SIMPUL_ASSIGN_OR_RETURN(const std::string row, MetaRow(*db));
  const std::optional<StoreOrigin> origin = DecodeStoreOrigin(row);
  if (origin.has_value() && origin->format != kStoreFormat) {
    return absl::FailedPreconditionError(fmt::format(
        "it is of format {}, and stores are of format {}", origin->format, kStoreFormat));
  }
  const std::optional<StoreMeta> meta = DecodeStoreMeta(row);
  if (!meta.has_value() || CheckpointJson(meta->origin, meta->progress) != info.app_metadata) {
    return absl::DataLossError("what it holds is not what stands beside it");
  }
  return *meta;
}

// Gone when it goes out of scope.
class Scratch {
 public:
  explicit Scratch(fs::path path) : path_(std::move(path)) { Remove(); }
  ~Scratch() { Remove(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  void Remove() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path path_;
};

fs::path Beside(const fs::path& folder, std::string_view ending) {
  fs::path beside = folder;
  beside += ending;
  return beside;
}

std::vector<fs::path> FoldersIn(const fs::path& folder) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_directory(error)) folders.push_back(it->path());
  }
  std::ranges::sort(folders);
  return folders;
}

}  // namespace

std::string CheckpointJson(const StoreOrigin& origin, const StoreProgress& progress) {
  return fmt::format(
      R"({{"format":{},"install":"{}","partition":{},"position":{},"digest":"{}","entries_position":{},)"
      R"("entries_digest":"{}","last_number":{},"read_number":{},"events":{},"entries":{},)"
      R"("checksum":"{}"}})",
      origin.format, base::UuidText(origin.install), origin.partition, progress.position,
      base::Hex(eventlog::AsBytes(progress.digest)), progress.entries_position,
      base::Hex(eventlog::AsBytes(progress.entries_digest)), progress.last_number,
      progress.read_number, progress.tally.events, progress.tally.entries,
      progress.tally.content.ToHex());
}

struct Checkpoints::State {
  explicit State(Options options_in)
      : options(std::move(options_in)),
        limiter(rocksdb::NewGenericRateLimiter(
            static_cast<int64_t>(options.bytes_per_second), /*refill_period_us=*/10'000,
            /*fairness=*/10, rocksdb::RateLimiter::Mode::kAllIo)) {}

  fs::path Of(uint32_t partition) const { return options.folder / fmt::format("{:02}", partition); }

  const Options options;
  const std::shared_ptr<rocksdb::RateLimiter> limiter;
  std::mutex mutex;
  bool is_stopping = false;               // under mutex
  rocksdb::BackupEngine* busy = nullptr;  // under mutex

  absl::Status Make(rocksdb::BackupEngine& engine, rocksdb::DB& db, const std::string& json,
                    const fs::path& own);
  void DropDamaged(rocksdb::BackupEngine& engine, uint32_t partition);
};

Checkpoints::Checkpoints(Options options) : state_(std::make_unique<State>(std::move(options))) {}
Checkpoints::~Checkpoints() = default;

void Checkpoints::RemoveLeftOver(const fs::path& store) {
  std::error_code ignored;
  for (const std::string_view ending : {kStaged, kRestored}) {
    fs::remove_all(Beside(store, ending), ignored);
  }
}

void Checkpoints::Stop() {
  const std::lock_guard lock(state_->mutex);
  state_->is_stopping = true;
  // What cannot be broken off is over soon.
  state_->limiter->SetBytesPerSecond(int64_t{1} << 40);
  if (state_->busy != nullptr) state_->busy->StopBackup();
}

absl::StatusOr<StoreProgress> Checkpoints::Write(Store& store) {
  State& state = *state_;
  const fs::path own = state.Of(store.origin().partition) / std::to_string(state.options.replica);
  SIMPUL_RETURN_IF_ERROR(base::MakeFolder(own));

  rocksdb::BackupEngineOptions how(own.string());
  how.backup_rate_limiter = state.limiter;
  how.callback_trigger_interval_size = kLookBytes;
  rocksdb::BackupEngine* opened = nullptr;
  const rocksdb::IOStatus status =
      rocksdb::BackupEngine::Open(how, rocksdb::Env::Default(), &opened);
  const std::unique_ptr<rocksdb::BackupEngine> engine(opened);
  SIMPUL_RETURN_IF_ERROR(From(status, own.string()));
  {
    const StoreProgress now = store.state();
    rocksdb::BackupInfo newest;
    if (engine->GetLatestBackupInfo(&newest).ok() &&
        newest.app_metadata == CheckpointJson(store.origin(), now)) {
      return now;
    }
  }
  {
    const std::lock_guard lock(state.mutex);
    if (state.is_stopping) return absl::CancelledError("This Simpul is shutting down.");
    state.busy = engine.get();
  }
  const auto write = [&]() -> absl::StatusOr<StoreProgress> {
    SIMPUL_RETURN_IF_ERROR(base::CheckRoom(own, state.options.room_bytes));
    const Scratch staged(Beside(store.folder(), kStaged));
    SIMPUL_RETURN_IF_ERROR(store.Stage(staged.path()));
    SIMPUL_ASSIGN_OR_RETURN(const auto db, Look(LookOptions(), staged.path().string()));
    SIMPUL_ASSIGN_OR_RETURN(const StoreMeta meta, MetaOf(*db));
    SIMPUL_RETURN_IF_ERROR(
        state.Make(*engine, *db, CheckpointJson(meta.origin, meta.progress), own));
    return meta.progress;
  };
  absl::StatusOr<StoreProgress> written = write();
  {
    const std::lock_guard lock(state.mutex);
    state.busy = nullptr;
  }
  // A file that several share may have been damaged long ago: the next copies it anew.
  if (absl::IsDataLoss(written.status())) state.DropDamaged(*engine, store.origin().partition);
  return written;
}

absl::Status Checkpoints::State::Make(rocksdb::BackupEngine& engine, rocksdb::DB& db,
                                      const std::string& json, const fs::path& own) {
  absl::Status room;
  rocksdb::CreateBackupOptions create;
  create.decrease_background_thread_cpu_priority = true;
  create.background_thread_cpu_priority = rocksdb::CpuPriority::kLow;
  create.progress_callback = [&] {
    SIMPUL_CRASH_POINT("while_a_checkpoint_is_written");
    if (!room.ok()) return;
    room = base::CheckRoom(own, options.room_bytes);
    if (!room.ok()) engine.StopBackup();
  };
  rocksdb::BackupID id = 0;
  const rocksdb::IOStatus made = engine.CreateNewBackupWithMetadata(create, &db, json, &id);
  if (!made.ok()) {
    static_cast<void>(engine.GarbageCollect().ok());
    return room.ok() ? From(made, own.string()) : room;
  }
  SIMPUL_CRASH_POINT("before_a_checkpoint_is_verified");
  const auto verify = [&]() -> absl::Status {
    SIMPUL_RETURN_IF_ERROR(
        From(engine.VerifyBackup(id, /*verify_with_checksum=*/true), "read back"));
    rocksdb::BackupInfo info;
    SIMPUL_RETURN_IF_ERROR(
        From(engine.GetBackupInfo(id, &info, /*include_file_details=*/true), "read back"));
    return MetaOf(info).status();
  };
  if (const absl::Status verified = verify(); !verified.ok()) {
    static_cast<void>(engine.DeleteBackup(id).ok());
    return absl::DataLossError(fmt::format("{}: the checkpoint is not what was written: {}",
                                           own.string(), base::Message(verified)));
  }
  return From(engine.PurgeOldBackups(options.kept), own.string());
}

void Checkpoints::State::DropDamaged(rocksdb::BackupEngine& engine, uint32_t partition) {
  std::vector<rocksdb::BackupInfo> all;
  engine.GetBackupInfo(&all);
  for (const rocksdb::BackupInfo& info : all) {
    if (engine.VerifyBackup(info.backup_id, /*verify_with_checksum=*/true).ok()) continue;
    base::Log(base::Severity::kWarning, "timeline", "a damaged checkpoint is deleted",
              {{"partition", partition}, {"checkpoint", info.backup_id}});
    static_cast<void>(engine.DeleteBackup(info.backup_id).ok());
  }
  static_cast<void>(engine.GarbageCollect().ok());
}

absl::StatusOr<std::optional<Checkpoints::Restored>> Checkpoints::Restore(
    const fs::path& store, const log::v1::Install& install, uint32_t partition,
    const Fits& fits) const {
  std::error_code error;
  if (fs::exists(store, error) && !fs::is_empty(store, error)) return std::nullopt;
  const auto pass_over = [&](const fs::path& which, const absl::Status& why) {
    base::Log(
        base::Severity::kWarning, "timeline", "a checkpoint is passed over",
        {{"partition", partition}, {"checkpoint", which.string()}, {"reason", base::Message(why)}});
  };

  struct Candidate {
    fs::path path;
    std::shared_ptr<rocksdb::BackupEngineReadOnly> engine;
    rocksdb::BackupID id = 0;
    StoreMeta meta;
  };
  std::vector<Candidate> candidates;
  for (const fs::path& replica : FoldersIn(state_->Of(partition))) {
    rocksdb::BackupEngineReadOnly* opened = nullptr;
    const rocksdb::IOStatus status = rocksdb::BackupEngineReadOnly::Open(
        rocksdb::BackupEngineOptions(replica.string()), rocksdb::Env::Default(), &opened);
    const std::shared_ptr<rocksdb::BackupEngineReadOnly> engine(opened);
    if (!status.ok()) {
      pass_over(replica, From(status, "they cannot be read"));
      continue;
    }
    std::vector<rocksdb::BackupInfo> infos;
    engine->GetBackupInfo(&infos, /*include_file_details=*/true);
    std::vector<rocksdb::BackupID> damaged;
    engine->GetCorruptedBackups(&damaged);
    for (const rocksdb::BackupID id : damaged) {
      pass_over(replica / std::to_string(id), absl::DataLossError("it is damaged"));
    }
    for (const fs::path& made : FoldersIn(replica / "private")) {
      const std::string name = made.filename().string();
      const auto is_it = [&name](rocksdb::BackupID id) { return std::to_string(id) == name; };
      if (std::ranges::none_of(damaged, is_it) &&
          std::ranges::none_of(infos, is_it, &rocksdb::BackupInfo::backup_id)) {
        pass_over(replica / name, absl::DataLossError("it is half made"));
      }
    }
    for (const rocksdb::BackupInfo& info : infos) {
      const fs::path path = replica / std::to_string(info.backup_id);
      absl::StatusOr<StoreMeta> meta = MetaOf(info);
      if (meta.ok() && meta->origin.install != base::UuidBytes(install.install_id())) {
        meta = absl::FailedPreconditionError(
            fmt::format("it is of install {}, and the log is that of install {}",
                        base::UuidText(meta->origin.install), install.install_id()));
      } else if (meta.ok() && meta->origin.partition != partition) {
        meta = absl::FailedPreconditionError(fmt::format(
            "it is of partition {}, not of partition {}", meta->origin.partition, partition));
      }
      if (!meta.ok()) {
        pass_over(path, meta.status());
        continue;
      }
      candidates.push_back({path, engine, info.backup_id, *std::move(meta)});
    }
  }
  std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
    const auto far = [](const Candidate& c) {
      return std::pair(c.meta.progress.position, c.meta.progress.entries_position);
    };
    return far(a) > far(b);
  });

  for (const Candidate& candidate : candidates) {
    const Scratch draft(Beside(store, kRestored));
    const auto restore = [&]() -> absl::Status {
      if (!SIMPUL_PLANTED_BUG("checkpoint_of_any_log")) {
        SIMPUL_RETURN_IF_ERROR(fits(candidate.meta.progress));
      }
      // Compares every file with its checksum on the way.
      SIMPUL_RETURN_IF_ERROR(From(candidate.engine->RestoreDBFromBackup(
                                      candidate.id, draft.path().string(), draft.path().string()),
                                  "it cannot be copied"));
      {
        SIMPUL_ASSIGN_OR_RETURN(const auto db, Look(LookOptions(), draft.path().string()));
        SIMPUL_ASSIGN_OR_RETURN(const StoreMeta meta, MetaOf(*db));
        if (Encode(meta.origin, meta.progress) !=
            Encode(candidate.meta.origin, candidate.meta.progress)) {
          return absl::DataLossError("the copy holds something else");
        }
      }
      SIMPUL_CRASH_POINT("before_a_restored_store_has_its_name");
      SIMPUL_RETURN_IF_ERROR(base::SyncFolder(draft.path()));
      fs::remove(store, error);
      fs::rename(draft.path(), store, error);
      if (error) {
        return absl::InternalError(
            fmt::format("cannot name it {}: {}", store.string(), error.message()));
      }
      return base::SyncFolder(store.parent_path());
    };
    if (const absl::Status restored = restore(); !restored.ok()) {
      pass_over(candidate.path, restored);
      continue;
    }
    return Restored{candidate.path, candidate.meta.progress};
  }
  return std::nullopt;
}

}  // namespace simpul::timeline
