// What a backup says of itself: backup.json in it. docs/formats.md, "A backup".
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "lib/base/file.h"
#include "lib/eventlog/event_log.h"

namespace simpul::cli {

struct BackupManifest {
  std::string made_at;  // UTC
  std::string install_id;
  uint32_t partitions = 0;
  std::string secret_fingerprint;  // hexadecimal
  struct Kept {
    int64_t records = 0;
    std::string digest;
    friend bool operator==(const Kept&, const Kept&) = default;
  };
  std::map<eventlog::Place, Kept> places;
  std::map<std::string, base::FileContent> files;  // in log/, by name

  int64_t records() const;
  uint64_t bytes() const;
};

std::string ToJson(const BackupManifest& manifest);

// DataLoss: it is none, or not whole.
absl::StatusOr<BackupManifest> ParseManifest(const std::string& json);

}  // namespace simpul::cli
