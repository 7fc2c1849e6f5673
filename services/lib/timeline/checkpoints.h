// Checkpoints of stores: copies in another folder, by which a replica whose own folder is gone
// serves again without reading all of the log.
//
// In FOLDER/partition/replica/ each replica keeps the last few checkpoints of each of its
// partitions, in the form of RocksDB's BackupEngine: files that several share are there once, each
// file has a checksum, and what a checkpoint holds stands beside it as JSON (docs/formats.md,
// "Checkpoints"). Any replica restores from any other's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/timeline/store.h"
#include "lib/timeline/store_meta.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::timeline {

// Write from one thread; Restore from one thread before any Write; Stop from any.
class Checkpoints {
 public:
  struct Options {
    std::filesystem::path folder;
    uint32_t replica = 0;
    uint32_t kept = 3;  // of each partition
    // What is read and written while a store is served is held to this.
    uint64_t bytes_per_second = 32 << 20;
    // Nothing is written while the folder's disk has less free.
    uint64_t room_bytes = 256 << 20;
  };

  explicit Checkpoints(Options options);
  ~Checkpoints();

  // Makes a checkpoint of a store that is being served, unless the newest is as far, reads it back
  // and drops the oldest. OK: the newest one is whole and as far as the store was. Cancelled:
  // Stop was called. Other errors say what the disk refused or what was damaged, and change nothing
  // for the store; what was half made is gone with the next.
  absl::StatusOr<StoreProgress> Write(Store& store);

  // Makes a store's folder, which is empty or missing, from the newest checkpoint of the partition
  // of any replica that is whole, of this install and format, and `fits`. Others are passed over
  // with a line in the log that says why. Nullopt: there is none, and the folder is as it was.
  struct Restored {
    std::filesystem::path from;
    StoreProgress progress;
  };
  using Fits = std::function<absl::Status(const StoreProgress&)>;
  absl::StatusOr<std::optional<Restored>> Restore(const std::filesystem::path& store,
                                                  const log::v1::Install& install,
                                                  uint32_t partition, const Fits& fits) const;

  // What a killed Write or Restore left beside a store's folder.
  static void RemoveLeftOver(const std::filesystem::path& store);

  // Makes a Write end soon, and every later one at once.
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What stands beside a checkpoint.
std::string CheckpointJson(const StoreOrigin& origin, const StoreProgress& progress);

}  // namespace simpul::timeline
