// The row of a store that says what it is and how far it has come (docs/formats.md, "Timeline
// store").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/eventlog/record_digest.h"
#include "lib/rules/versions.h"
#include "lib/timeline/project.h"

namespace simpul::timeline {

// Of the rows of a store. Another one makes a store empty itself: the log fills it.
inline constexpr uint8_t kStoreFormat = 4;

inline constexpr std::string_view kStoreMetaKey = "m";

// What every format begins with.
struct StoreOrigin {
  uint8_t format = kStoreFormat;
  std::string install;  // 16 bytes
  uint32_t partition = 0;
};

struct StoreProgress {
  int64_t position = 0;                     // last applied of topic events
  int64_t entries_position = 0;             // last read of topic entries
  eventlog::RecordDigest digest{};          // of the record at `position`, unless that is 0
  eventlog::RecordDigest entries_digest{};  // of the record at `entries_position`, likewise
  uint64_t last_number = 0;                 // last derived
  uint64_t read_number = 0;                 // last read back
  Tally tally;
  rules::RulesInForce rules;  // after the record at `position`
};

struct StoreMeta {
  StoreOrigin origin;
  StoreProgress progress;
};

std::string Encode(const StoreOrigin& origin, const StoreProgress& progress);

// Nullopt for damage. Of a row of any format.
std::optional<StoreOrigin> DecodeStoreOrigin(std::string_view row);
// Nullopt for damage, and for another format.
std::optional<StoreMeta> DecodeStoreMeta(std::string_view row);

}  // namespace simpul::timeline
