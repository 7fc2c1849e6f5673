// Files and folders: the few operations whose failure people must be told about.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace simpul::base {

// The whole file. NotFound when it does not exist. Messages name the path.
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path);

// Writes the whole file so that after a crash it is either as before or as written: to a neighbour,
// synced, renamed, folder synced. `mode` is the permission bits.
absl::Status WriteFileAtomically(const std::filesystem::path& path, std::string_view content,
                                 int mode = 0644);

// What a file holds.
struct FileContent {
  uint64_t bytes = 0;
  std::string sha256;  // lower-case hexadecimal
  friend bool operator==(const FileContent&, const FileContent&) = default;
};

// Writes a copy beside nothing: `to` must not exist. Durable when this returns, but for the name in
// its folder (SyncFolder). What was read from `from`.
absl::StatusOr<FileContent> CopyFile(const std::filesystem::path& from,
                                     const std::filesystem::path& to);

// Reads the file, from the disk where the system can be brought to it.
absl::StatusOr<FileContent> ReadContent(const std::filesystem::path& path);

// Makes the names in a folder durable.
absl::Status SyncFolder(const std::filesystem::path& folder);

// Makes the folder and its parents where they are missing, so that a crash does not undo it.
absl::Status MakeFolder(const std::filesystem::path& path);

// OK when the folder holds nothing but what is named in `ours` (or is not there). Otherwise
// FailedPrecondition, naming the folder and one of the others. What a file system makes by itself,
// and what WriteFileAtomically left, passes.
absl::Status CheckNothingElse(const std::filesystem::path& folder,
                              std::span<const std::string_view> ours);

// OK while the disk of `path` has at least `bytes` free for us. Otherwise Unavailable: how much is
// left and what to do. A disk that cannot be asked passes: whoever writes will hear of it.
absl::Status CheckRoom(const std::filesystem::path& path, uint64_t bytes);

// Holds an exclusive lock on a file as long as it lives. One process at a time.
class FileLock {
 public:
  // FailedPrecondition when another process holds it; its pid is in the message where known.
  static absl::StatusOr<FileLock> Acquire(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace simpul::base
