#include "lib/deliver/directory_file.h"

#include <string>
#include <utility>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"

namespace simpul::deliver {

absl::StatusOr<std::unique_ptr<DirectoryFile>> DirectoryFile::Open(std::filesystem::path path) {
  std::unique_ptr<DirectoryFile> file(new DirectoryFile(std::move(path)));
  if (!file->path_.empty()) {
    // Before it is read: a change in between is then seen as one.
    file->stamp_ = file->StampNow();
    SIMPUL_RETURN_IF_ERROR(file->Read());
  }
  return file;
}

DirectoryFile::Stamp DirectoryFile::StampNow() const {
  struct stat state{};
  if (::stat(path_.c_str(), &state) != 0) return {};
  return {.changed = state.st_mtim, .size = state.st_size, .inode = state.st_ino, .exists = true};
}

absl::Status DirectoryFile::Read() {
  SIMPUL_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path_));
  absl::StatusOr<fhir::Directory> directory = fhir::Directory::Parse(text);
  if (!directory.ok()) return base::Within(path_.string(), directory.status());
  directory_ = std::make_shared<const fhir::Directory>(*std::move(directory));
  return absl::OkStatus();
}

void DirectoryFile::Refresh() {
  if (path_.empty()) return;
  const Stamp now = StampNow();
  if (now == stamp_) return;
  stamp_ = now;
  health_ = Read();
  if (health_.ok()) {
    ++version_;
    base::Log(base::Severity::kInfo, "directory", "read the directory again",
              {{"file", path_.string()}});
  } else {
    base::Log(base::Severity::kError, "directory",
              "the directory cannot be used; the last good one stays",
              {{"file", path_.string()}, {"why", base::Message(health_)}});
  }
}

std::shared_ptr<const fhir::Directory> DirectoryFile::Get() {
  const std::lock_guard lock(mutex_);
  Refresh();
  return directory_;
}

uint64_t DirectoryFile::version() {
  const std::lock_guard lock(mutex_);
  Refresh();
  return version_;
}

absl::Status DirectoryFile::Health() {
  const std::lock_guard lock(mutex_);
  Refresh();
  return health_;
}

}  // namespace simpul::deliver
