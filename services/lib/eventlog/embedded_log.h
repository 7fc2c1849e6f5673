// The log on one machine: one RocksDB, group commit, nothing else to run.
//
// Bytes on disk (docs/formats.md): key = topic (1 byte), partition (2), position (8); value = when
// it was appended (8, microseconds since 1970), length of the key (2), key, value of the record.
// Numbers most significant byte first. Nothing is ever overwritten or deleted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/place_digest.h"

namespace simpul::eventlog {

// Owns the folder and two threads: one writes what is queued, group by group, each group one synced
// batch; the other gives the answers.
//
// An error of the disk is the end: whatever was not answered is Unavailable, everything after it
// too, Health() says why, until the process is started again. Nothing acknowledged is lost by it,
// and nothing of a failed write is shown to a subscription.
class EmbeddedLog final : public EventLog {
 public:
  struct Options {
    // Of a new log; an existing one must have as many.
    uint32_t partitions = 24;
    // No log is made, and one that is there may have any number of partitions.
    bool must_exist = false;
    // event::Secret::Fingerprint(): of a new log, and required of an existing one.
    std::string secret_fingerprint;
    // Most bytes admitted and not yet settled.
    size_t in_flight_bytes_max = 64 << 20;
  };

  // Opens the log in `folder`; an empty or missing one is installed. `clock` and `metrics` must
  // outlive it. FailedPrecondition: another secret, partition count or format. DataLoss: damage; a
  // torn last write is none, for it was never acknowledged. Others: the disk refuses. Messages name
  // the folder and the next step.
  static absl::StatusOr<std::unique_ptr<EmbeddedLog>> Open(const std::filesystem::path& folder,
                                                           const Options& options,
                                                           const base::Clock& clock,
                                                           base::Metrics& metrics);
  // Writes and answers what was handed over.
  ~EmbeddedLog() override;

  // Makes `folder`, which must not exist and should be on the same disk, a log of its own with
  // every record that was answered before the call. Files are shared with this one, which takes
  // records meanwhile. Any thread.
  absl::Status Checkpoint(const std::filesystem::path& folder);

  const log::v1::Install& install() const override;
  absl::StatusOr<std::unique_ptr<Admission>> Admit(size_t bytes) override;
  void Append(std::vector<Draft> drafts, std::unique_ptr<Admission> admission,
              absl::AnyInvocable<void(std::vector<Appended>)> done) override;
  absl::StatusOr<std::vector<int64_t>> Ends(std::span<const Place> places) override;
  using EventLog::Subscribe;
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(
      std::vector<Start> starts, std::chrono::milliseconds gather) override;
  absl::Status Health() const override;

 private:
  struct State;
  explicit EmbeddedLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What a log holds.
struct LogContent {
  log::v1::Install install;  // topic and partition are empty
  std::map<Place, PlaceDigest> places;
};

// Reads all of a log that nobody has open, and changes nothing. DataLoss: damage, a gap, or a
// record in the wrong place; the message says where.
absl::StatusOr<LogContent> ReadWholeLog(const std::filesystem::path& folder);

}  // namespace simpul::eventlog
