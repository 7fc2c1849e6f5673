// The directory as the operator keeps it: a file that may change while the program runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/base/watched_files.h"
#include "lib/fhir/directory.h"

namespace simpul::deliver {

// Any thread.
class DirectoryFile {
 public:
  // Reads the file. An empty path: a directory that knows nobody, for good. NotFound: there is no
  // such file. InvalidArgument: it is no directory; the message names file and place.
  static absl::StatusOr<std::unique_ptr<DirectoryFile>> Open(std::filesystem::path path,
                                                             base::Metrics* metrics = nullptr);

  // The directory as it is now: the file is read again when it has changed. While it is broken or
  // gone the last good one stays, and why is logged once per change.
  std::shared_ptr<const fhir::Directory> Get() { return file_->Get(); }

  // Raised with every change taken: a directory that is held may be out of date when it differs.
  uint64_t version() { return file_->version(); }

  // OK, or why the file as it is now was not taken.
  absl::Status Health() { return file_->Health(); }

 private:
  explicit DirectoryFile(std::unique_ptr<base::WatchedFiles<fhir::Directory>> file)
      : file_(std::move(file)) {}

  const std::unique_ptr<base::WatchedFiles<fhir::Directory>> file_;
};

}  // namespace simpul::deliver
