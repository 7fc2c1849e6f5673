// Files of an operator's that may change while the program runs.
#pragma once

#include <prometheus/gauge.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/base/status_macros.h"

namespace simpul::base {

// `Content` is what the files say together. Any thread.
template <typename Content>
class WatchedFiles {
 public:
  using Paths = std::vector<std::filesystem::path>;
  // Reads the files whole; its errors name file and place.
  using Reader = std::function<absl::StatusOr<Content>(const Paths&)>;

  // Reads the files; the reader's errors. Empty paths are left out; without a path: Content() for
  // good. `name` is what the log and `metrics`, if any, call them.
  static absl::StatusOr<std::unique_ptr<WatchedFiles>> Open(Paths paths, std::string name,
                                                            Reader reader,
                                                            Metrics* metrics = nullptr) {
    std::erase_if(paths, [](const std::filesystem::path& path) { return path.empty(); });
    std::unique_ptr<WatchedFiles> files(
        new WatchedFiles(std::move(paths), std::move(name), std::move(reader)));
    if (!files->paths_.empty()) {
      // Before they are read: a change in between is then seen as one.
      files->stamps_ = files->StampsNow();
      SIMPUL_RETURN_IF_ERROR(files->Read());
      if (metrics != nullptr) {
        files->usable_ = &metrics->Gauge(
            "simpul_file_usable",
            "1, or 0 while an operator's file cannot be used and what was read last stays.",
            {{"file", files->name_}});
        files->usable_->Set(1);
      }
    }
    return files;
  }

  // What they say now: all are read again when one has changed. While one is broken or gone the
  // last good content stays, and why is logged once per change.
  std::shared_ptr<const Content> Get() {
    const std::lock_guard lock(mutex_);
    Refresh();
    return content_;
  }

  // Raised with every change taken: content that is held may be out of date when it differs.
  uint64_t version() {
    const std::lock_guard lock(mutex_);
    Refresh();
    return version_;
  }

  // OK, or why the files as they are now were not taken.
  absl::Status Health() {
    const std::lock_guard lock(mutex_);
    Refresh();
    return health_;
  }

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

  WatchedFiles(Paths paths, std::string name, Reader reader)
      : paths_(std::move(paths)), name_(std::move(name)), reader_(std::move(reader)) {}

  std::vector<Stamp> StampsNow() const {
    std::vector<Stamp> stamps;
    for (const std::filesystem::path& path : paths_) {
      struct stat state{};
      stamps.push_back(::stat(path.c_str(), &state) != 0 ? Stamp()
                                                         : Stamp{.changed = state.st_mtim,
                                                                 .size = state.st_size,
                                                                 .inode = state.st_ino,
                                                                 .exists = true});
    }
    return stamps;
  }

  // The first that is not as it was.
  const std::filesystem::path& Changed(const std::vector<Stamp>& now) const {
    size_t at = 0;
    while (at + 1 < now.size() && now[at] == stamps_[at]) ++at;
    return paths_[at];
  }

  absl::Status Read() {
    SIMPUL_ASSIGN_OR_RETURN(Content content, reader_(paths_));
    content_ = std::make_shared<const Content>(std::move(content));
    return absl::OkStatus();
  }

  void Refresh() {
    if (paths_.empty()) return;
    std::vector<Stamp> now = StampsNow();
    if (now == stamps_) return;
    const std::string changed = Changed(now).string();
    stamps_ = std::move(now);
    health_ = Read();
    if (usable_ != nullptr) usable_->Set(health_.ok() ? 1 : 0);
    if (health_.ok()) {
      ++version_;
      Log(Severity::kInfo, name_, "read the file again", {{"file", changed}});
    } else {
      Log(Severity::kError, name_, "the file cannot be used; what was read last stays",
          {{"file", changed}, {"why", Message(health_)}});
    }
  }

  const Paths paths_;
  const std::string name_;
  const Reader reader_;
  std::mutex mutex_;
  std::vector<Stamp> stamps_;
  std::shared_ptr<const Content> content_ = std::make_shared<const Content>();
  uint64_t version_ = 1;
  absl::Status health_;
  prometheus::Gauge* usable_ = nullptr;
};

}  // namespace simpul::base
