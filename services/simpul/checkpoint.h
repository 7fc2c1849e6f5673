// What a backup copies: a log of its own beside the one that is being written.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "lib/eventlog/embedded_log.h"

namespace simpul::cli {

// Of the action on the admin port that makes one.
inline constexpr std::string_view kCheckpointPath = "/checkpoint";

// Makes `folder` anew. {"ends":[...]}: where each place ended before, by topic and partition.
absl::StatusOr<std::string> MakeCheckpoint(eventlog::EmbeddedLog& log,
                                           const std::filesystem::path& folder);

// Has the process that serves do it, at its admin port. FailedPrecondition: it refuses, in its
// words. Unavailable: nobody answers there.
absl::StatusOr<std::string> AskForCheckpoint(const std::string& admin);

// The ends that either gave.
absl::StatusOr<std::vector<int64_t>> ReadEnds(const std::string& json);

}  // namespace simpul::cli
