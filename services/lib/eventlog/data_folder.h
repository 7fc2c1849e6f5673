// The folder that `serve` keeps everything in.
//
//   VERSION     layout of this folder, "1"
//   LOCK        held by the running instance
//   secret      32 bytes, mode 0600, made once; whoever loses it loses every subject key
//   log/        the embedded log: the truth
//   COPIED      where the log goes on since it was copied; nothing is served from here any more
//   checkpoint/ BACKUP.LOCK     of a backup that is being made
//   timeline/   forwarder/   ports.json      made again from the log
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string_view>

#include "absl/status/statusor.h"
#include "lib/base/file.h"
#include "lib/event/subject.h"

namespace simpul::eventlog {

// Whether others than its owner can read or change a secret's file. What root owns may be read by
// its group: so a container that runs as nobody is given a secret.
bool IsOpenToOthers(mode_t mode, uid_t owner);

// The install's secret, from its file. NotFound: there is none. FailedPrecondition: it is no
// secret.
absl::StatusOr<event::Secret> ReadSecret(const std::filesystem::path& file);

// A new install's secret, durable when this returns.
absl::StatusOr<event::Secret> MakeSecret(const std::filesystem::path& file);

// An opened data folder: ours alone as long as this lives.
class DataFolder {
 public:
  // Opens the folder; an empty or missing one is made, with a new secret that is durable when this
  // returns. FailedPrecondition, each with the file and the next step: a running instance, another
  // version, a log without its secret, a secret that is none, a folder that holds other things, a
  // log that was copied and goes on elsewhere.
  // Other codes: the disk refuses.
  static absl::StatusOr<DataFolder> Open(const std::filesystem::path& path);

  // As Open, for a process whose log is elsewhere: the folder holds no log, and the install's
  // secret is read from `secret`, which must be there.
  static absl::StatusOr<DataFolder> OpenWithoutLog(const std::filesystem::path& path,
                                                   const std::filesystem::path& secret);

  // As Open, for a log that is to be copied elsewhere: nothing is made, and one that was copied
  // before is opened too. NotFound: there is no log.
  static absl::StatusOr<DataFolder> OpenToCopy(const std::filesystem::path& path);

  // From now on the log goes on elsewhere, `where` in words: Open refuses this folder. Durable when
  // this returns.
  absl::Status MarkCopied(std::string_view where) const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path log() const { return path_ / "log"; }
  std::filesystem::path timeline() const { return path_ / "timeline"; }
  std::filesystem::path forwarder() const { return path_ / "forwarder"; }
  std::filesystem::path checkpoint() const { return path_ / "checkpoint"; }
  std::filesystem::path ports() const { return path_ / "ports.json"; }
  const event::Secret& secret() const { return secret_; }

 private:
  DataFolder(std::filesystem::path path, base::FileLock lock, event::Secret secret)
      : path_(std::move(path)), lock_(std::move(lock)), secret_(std::move(secret)) {}

  std::filesystem::path path_;
  base::FileLock lock_;
  event::Secret secret_;
};

}  // namespace simpul::eventlog
