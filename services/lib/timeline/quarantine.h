// An event that is left out: how it stands in the log, and how an owner stays before it until then.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/follower.h"
#include "lib/timeline/store_meta.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::timeline {

// The record of topic dead-letters that leaves out an event. Of the event's own record, which may
// be anything, only the receipt is looked at, and only as far as it can be read. `partitions` are
// the log's. Pure.
eventlog::Draft QuarantineDraft(const eventlog::OwnedRecord& event, uint32_t partition,
                                uint32_t partitions, int64_t at_us, std::string_view by,
                                std::string_view reason);

// The dead letter that is reported in the event's place, where a record of topic dead-letters is a
// quarantine; nullopt for others. FailedPrecondition: written by a newer Simpul. Internal: it is
// no record of that topic, or of another partition.
absl::StatusOr<std::optional<log::v1::DeadLetter>> DecodeQuarantine(
    uint32_t partition, const eventlog::OwnedRecord& record);

// The position that an owner stays before, in a file of its own. Durable.
class HoldFile {
 public:
  HoldFile(std::filesystem::path path, StoreOrigin origin)
      : path_(std::move(path)), origin_(std::move(origin)) {}

  // Nullopt where there is none, or it is of another install or partition. FailedPrecondition: it
  // is damaged; the message says what to do.
  absl::StatusOr<std::optional<int64_t>> Read() const;
  absl::Status Write(int64_t position) const;
  // Where there is none too.
  absl::Status Remove() const;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  StoreOrigin origin_;
};

}  // namespace simpul::timeline
