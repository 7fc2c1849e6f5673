#include "lib/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <system_error>
#include <utility>

#include "lib/base/hash.h"
#include "lib/base/status_macros.h"

namespace simpul::base {
namespace {

absl::Status Failed(std::string_view verb, const std::filesystem::path& path, int error) {
  const std::string message =
      fmt::format("cannot {} {}: {}", verb, path.string(), std::strerror(error));
  if (error == ENOENT) return absl::NotFoundError(message);
  if (error == ENOSPC || error == EDQUOT) {
    return absl::ResourceExhaustedError(message + ". Free some space and start again");
  }
  if (error == EACCES || error == EPERM || error == EROFS)
    return absl::PermissionDeniedError(message);
  return absl::InternalError(message);
}

// Of the neighbour that a file is written to first.
constexpr std::string_view kDraft = ".new";

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Calls `take` with piece after piece of the file.
absl::Status ReadPieces(const Descriptor& fd, const std::filesystem::path& path,
                        const std::function<absl::Status(std::string_view)>& take) {
  std::string buffer(1 << 20, '\0');
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("read", path, errno);
    if (n == 0) return absl::OkStatus();
    SIMPUL_RETURN_IF_ERROR(take(std::string_view(buffer).substr(0, static_cast<size_t>(n))));
  }
}

absl::Status WriteAll(const Descriptor& fd, const std::filesystem::path& path,
                      std::string_view rest) {
  while (!rest.empty()) {
    const ssize_t n = ::write(fd.get(), rest.data(), rest.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return Failed("write", path, errno);
    }
    rest.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SyncFolder(const std::filesystem::path& folder) {
  Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return Failed("sync", folder, errno);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return Failed("open", path, errno);
  std::string content;
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0) {
      if (errno == EINTR) continue;
      return Failed("read", path, errno);
    }
    if (n == 0) return content;
    content.append(buffer, static_cast<size_t>(n));
  }
}

absl::Status WriteFileAtomically(const std::filesystem::path& path, std::string_view content,
                                 int mode) {
  std::filesystem::path draft = path;
  draft += kDraft;
  {
    Descriptor fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (fd.get() < 0) return Failed("create", draft, errno);
    SIMPUL_RETURN_IF_ERROR(WriteAll(fd, draft, content));
    if (::fsync(fd.get()) != 0) return Failed("sync", draft, errno);
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return Failed("rename into place", path, errno);
  return SyncFolder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

absl::StatusOr<FileContent> CopyFile(const std::filesystem::path& from,
                                     const std::filesystem::path& to) {
  const Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) return Failed("open", from, errno);
  const Descriptor out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.get() < 0) return Failed("create", to, errno);
  FileContent content;
  Sha256Sum sum;
  SIMPUL_RETURN_IF_ERROR(ReadPieces(in, from, [&](std::string_view piece) {
    sum.Add(piece);
    content.bytes += piece.size();
    return WriteAll(out, to, piece);
  }));
  if (::fsync(out.get()) != 0) return Failed("sync", to, errno);
  content.sha256 = Hex(AsBytes(sum.Take()));
  return content;
}

absl::StatusOr<FileContent> ReadContent(const std::filesystem::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return Failed("open", path, errno);
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  FileContent content;
  Sha256Sum sum;
  SIMPUL_RETURN_IF_ERROR(ReadPieces(fd, path, [&](std::string_view piece) {
    sum.Add(piece);
    content.bytes += piece.size();
    return absl::OkStatus();
  }));
  content.sha256 = Hex(AsBytes(sum.Take()));
  return content;
}

absl::Status CheckNothingElse(const std::filesystem::path& folder,
                              std::span<const std::string_view> ours) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string file = it->path().filename().string();
    std::string_view name = file;
    if (name.ends_with(kDraft)) name.remove_suffix(kDraft.size());
    if (name == "lost+found" || std::find(ours.begin(), ours.end(), name) != ours.end()) continue;
    return absl::FailedPreconditionError(
        fmt::format("{} holds other things, such as {}: give a folder of its own, which may be "
                    "missing or empty",
                    folder.string(), file));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Failed("read", folder, error.value());
  }
  return absl::OkStatus();
}

absl::Status MakeFolder(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return absl::OkStatus();
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  if (error) return Failed("make folder", path, error.value());
  std::filesystem::path made;
  for (const std::filesystem::path& part : whole) {
    const std::filesystem::path parent = made;
    made /= part;
    const bool is_new = std::filesystem::create_directory(made, error);
    if (error) return Failed("make folder", made, error.value());
    // What will be synced inside is only as durable as the folder's own name.
    if (is_new) SIMPUL_RETURN_IF_ERROR(SyncFolder(parent));
  }
  return absl::OkStatus();
}

absl::Status CheckRoom(const std::filesystem::path& path, uint64_t bytes) {
  struct statvfs disk{};
  if (::statvfs(path.c_str(), &disk) != 0) return absl::OkStatus();
  const uint64_t left = static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
  if (left >= bytes) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("the disk of {} is full: {} MiB are left and {} are needed. Free some space; "
                  "nothing acknowledged is lost",
                  path.string(), left >> 20, bytes >> 20));
}

absl::StatusOr<FileLock> FileLock::Acquire(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return Failed("open", path, errno);
  FileLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = {};
    const ssize_t n = ::pread(fd, pid, sizeof pid - 1, 0);
    return absl::FailedPreconditionError(fmt::format(
        "{} is held by a running instance{}. Stop it first, or give another --data folder",
        path.string(), n > 0 ? fmt::format(" (pid {})", pid) : ""));
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    return Failed("write", path, errno);
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace simpul::base
