// Stands between a partition's events and its store: an event that ends the program twice is not
// applied a third time, one that was left out is reported as such, and none is applied that an
// operator is about to leave out.
//
// Beside the store's folder lie FOLDER.note (crash_note.h) and FOLDER.hold (quarantine.h).
// docs/decisions/0009-an-event-that-ends-the-program.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/eventlog/follower.h"
#include "lib/timeline/crash_note.h"
#include "lib/timeline/quarantine.h"
#include "lib/timeline/store.h"

namespace simpul::timeline {

// Thread-safe.
class Guard {
 public:
  // For the store in `folder`. `program` is the version of this program: another one tries again
  // what ended the one before. FailedPrecondition: a file beside the folder is damaged; the message
  // names it and the next step.
  static absl::StatusOr<std::unique_ptr<Guard>> Open(const std::filesystem::path& folder,
                                                     const StoreOrigin& origin,
                                                     std::string_view program);

  // As Store::Apply. Unavailable also: it stands before a record of these; those before it are
  // applied. From one thread.
  absl::Status Apply(Store& store, std::span<const eventlog::OwnedRecord> records,
                     const Store::Watched& watched, Store::Applied& applied);

  // Takes records of topic dead-letters. True: an event is left out that was not yet. Errors are
  // those of DecodeQuarantine.
  absl::StatusOr<bool> Learn(std::span<const eventlog::OwnedRecord> records);

  // Once this has returned OK the store stays before the position until the event is left out or
  // Release, also after a restart; unless it has passed it already, which is no error. Waits for
  // the batch in hand.
  absl::Status Hold(const Store& store, int64_t position);
  // Where another position is held nothing changes.
  absl::Status Release(int64_t position);

  bool IsLeftOut(int64_t position) const;

  // Why no event is applied, and what to do; empty while they are.
  std::string Stands() const;

 private:
  Guard(uint32_t partition, std::unique_ptr<CrashNote> note, HoldFile hold,
        std::optional<int64_t> held)
      : partition_(partition), note_(std::move(note)), hold_file_(std::move(hold)), held_(held) {}

  // The first position after `applied` that is not to be applied.
  std::optional<int64_t> Stop(int64_t applied) const;
  void StandBefore(int64_t position);

  const uint32_t partition_;
  mutable std::mutex mutex_;  // over a whole batch
  const std::unique_ptr<CrashNote> note_;
  const HoldFile hold_file_;
  std::optional<int64_t> held_;                 // under mutex_
  std::map<int64_t, log::v1::DeadLetter> out_;  // under mutex_: what is reported, by position
  mutable std::mutex stands_mutex_;
  std::string stands_;  // under stands_mutex_: those who ask do not wait for a batch
};

}  // namespace simpul::timeline
