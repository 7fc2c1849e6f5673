// The directory as the operator keeps it: a file that may change while the program runs.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/fhir/directory.h"

namespace simpul::deliver {

// Any thread.
class DirectoryFile {
 public:
  // Reads the file. An empty path: a directory that knows nobody, for good. NotFound: there is no
  // such file. InvalidArgument: it is no directory; the message names file and place.
  static absl::StatusOr<std::unique_ptr<DirectoryFile>> Open(std::filesystem::path path);

  // The directory as it is now: the file is read again when it has changed. While it is broken or
  // gone the last good one stays, and why is logged once per change.
  std::shared_ptr<const fhir::Directory> Get();

  // Raised with every change taken: a directory that is held may be out of date when it differs.
  uint64_t version();

  // OK, or why the file as it is now was not taken.
  absl::Status Health();

 private:
  // What tells one state of the file from another.
  struct Stamp {
    timespec changed{};
    off_t size = 0;
    ino_t inode = 0;
    bool exists = false;
    friend bool operator==(const Stamp& a, const Stamp& b) {
      return a.changed.tv_sec == b.changed.tv_sec && a.changed.tv_nsec == b.changed.tv_nsec &&
             a.size == b.size && a.inode == b.inode && a.exists == b.exists;
    }
  };

  explicit DirectoryFile(std::filesystem::path path) : path_(std::move(path)) {}
  Stamp StampNow() const;
  absl::Status Read();
  void Refresh();

  const std::filesystem::path path_;
  std::mutex mutex_;
  Stamp stamp_;
  std::shared_ptr<const fhir::Directory> directory_ = std::make_shared<const fhir::Directory>();
  uint64_t version_ = 1;
  absl::Status health_;
};

}  // namespace simpul::deliver
