// What a power cut leaves at the end of the embedded log's write-ahead file.
//
// Every write is synced before the next begins, so only the last one can be torn: its bytes end too
// early, or sectors of it never reached the disk and read as zeros. It was never acknowledged and
// is cut off. RocksDB alone tolerates only the first of the two, and it tolerates it in older files
// too, where it is damage.
#pragma once

#include <filesystem>

#include "absl/status/status.h"

namespace simpul::eventlog {

// Cuts a torn last write off the newest write-ahead file in `folder`, durably. OK also when there
// is nothing to cut, or damage that RocksDB refuses by itself. DataLoss: an older file does not end
// with a whole write. The folder must not be open.
absl::Status CutTornWrite(const std::filesystem::path& folder);

}  // namespace simpul::eventlog
