// The directory as the operator keeps it: files that may change while the program runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/area/directory.h"
#include "lib/area/directory_lines.h"
#include "lib/base/watched_files.h"

namespace simpul::area {

// Whole regions of the nation are 5 MB.
inline constexpr uint64_t kFileBytesMax = 64 << 20;

// The files as one directory, or what is wrong with them. NotFound and the like name the file;
// InvalidArgument: one is no file, or larger than kFileBytesMax.
absl::StatusOr<Reading> ReadFiles(const std::vector<std::filesystem::path>& paths);

// Any thread.
class DirectoryFiles {
 public:
  // Reads the files. No paths: a directory that knows nothing, for good. Errors as ReadFiles;
  // InvalidArgument also names the first wrong line and how many more there are.
  static absl::StatusOr<std::unique_ptr<DirectoryFiles>> Open(
      std::vector<std::filesystem::path> paths, base::Metrics* metrics = nullptr);

  // The directory as it is now: all files are read again when one has changed. While one is broken
  // or gone the last good directory stays, and why is logged once per change.
  std::shared_ptr<const Directory> Get() { return files_->Get(); }

  // OK, or why the files as they are now were not taken.
  absl::Status Health() { return files_->Health(); }

 private:
  explicit DirectoryFiles(std::unique_ptr<base::WatchedFiles<Directory>> files)
      : files_(std::move(files)) {}

  const std::unique_ptr<base::WatchedFiles<Directory>> files_;
};

}  // namespace simpul::area
