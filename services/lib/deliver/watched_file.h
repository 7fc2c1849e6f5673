// A file of an operator's that may change while the program runs.
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

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/base/status_macros.h"

namespace simpul::deliver {

// `Content` is what the file says. Any thread.
template <typename Content>
class WatchedFile {
 public:
  // Reads the file whole; its errors name file and place.
  using Reader = std::function<absl::StatusOr<Content>(const std::filesystem::path&)>;

  // Reads the file; the reader's errors. An empty path: Content() for good. `name` is what the log
  // and `metrics`, if any, call it.
  static absl::StatusOr<std::unique_ptr<WatchedFile>> Open(std::filesystem::path path,
                                                           std::string name, Reader reader,
                                                           base::Metrics* metrics = nullptr) {
    std::unique_ptr<WatchedFile> file(
        new WatchedFile(std::move(path), std::move(name), std::move(reader)));
    if (!file->path_.empty()) {
      // Before it is read: a change in between is then seen as one.
      file->stamp_ = file->StampNow();
      SIMPUL_RETURN_IF_ERROR(file->Read());
      if (metrics != nullptr) {
        file->usable_ = &metrics->Gauge(
            "simpul_file_usable",
            "1, or 0 while an operator's file cannot be used and what was read last stays.",
            {{"file", file->name_}});
        file->usable_->Set(1);
      }
    }
    return file;
  }

  // What it says now: the file is read again when it has changed. While it is broken or gone the
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

  // OK, or why the file as it is now was not taken.
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

  WatchedFile(std::filesystem::path path, std::string name, Reader reader)
      : path_(std::move(path)), name_(std::move(name)), reader_(std::move(reader)) {}

  Stamp StampNow() const {
    struct stat state{};
    if (::stat(path_.c_str(), &state) != 0) return {};
    return {.changed = state.st_mtim, .size = state.st_size, .inode = state.st_ino, .exists = true};
  }

  absl::Status Read() {
    SIMPUL_ASSIGN_OR_RETURN(Content content, reader_(path_));
    content_ = std::make_shared<const Content>(std::move(content));
    return absl::OkStatus();
  }

  void Refresh() {
    if (path_.empty()) return;
    const Stamp now = StampNow();
    if (now == stamp_) return;
    stamp_ = now;
    health_ = Read();
    if (usable_ != nullptr) usable_->Set(health_.ok() ? 1 : 0);
    if (health_.ok()) {
      ++version_;
      base::Log(base::Severity::kInfo, name_, "read the file again", {{"file", path_.string()}});
    } else {
      base::Log(base::Severity::kError, name_, "the file cannot be used; what was read last stays",
                {{"file", path_.string()}, {"why", base::Message(health_)}});
    }
  }

  const std::filesystem::path path_;
  const std::string name_;
  const Reader reader_;
  std::mutex mutex_;
  Stamp stamp_;
  std::shared_ptr<const Content> content_ = std::make_shared<const Content>();
  uint64_t version_ = 1;
  absl::Status health_;
  prometheus::Gauge* usable_ = nullptr;
};

}  // namespace simpul::deliver
