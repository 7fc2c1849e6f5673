#include "lib/eventlog/data_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"

namespace simpul::eventlog {
namespace {

// What a start needs: the stores write a little of everything.
constexpr uint64_t kRoomBytes = 64 << 20;

constexpr std::string_view kVersion = "1";
constexpr std::string_view kVersionFile = "VERSION";
constexpr std::string_view kCopiedFile = "COPIED";
constexpr std::array<std::string_view, 10> kOurs = {
    kVersionFile, kCopiedFile, "LOCK",      "BACKUP.LOCK", "secret",
    "log",        "timeline",  "forwarder", "checkpoint",  "ports.json"};
constexpr size_t kSecretBytes = 32;
constexpr size_t kVersionShownMax = 20;
constexpr size_t kCopiedShownMax = 300;

absl::Status CheckVersion(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kVersionFile;
  absl::StatusOr<std::string> text = base::ReadFile(file);
  if (absl::IsNotFound(text.status())) {
    // A new folder, or one of ours that lost the file: the log tells its own version.
    std::error_code error;
    if (!std::filesystem::exists(folder / "log" / "CURRENT", error)) {
      SIMPUL_RETURN_IF_ERROR(base::CheckNothingElse(folder, kOurs));
    }
    return base::WriteFileAtomically(file, fmt::format("{}\n", kVersion));
  }
  if (!text.ok()) return text.status();
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (*text == kVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{} says version {}, and this Simpul keeps version {}. Start the Simpul that "
                  "made the folder, "
                  "or give another --data folder",
                  file.string(), text->substr(0, kVersionShownMax), kVersion));
}

absl::StatusOr<event::Secret> ReadOrMakeSecret(const std::filesystem::path& file,
                                               const std::filesystem::path& log) {
  absl::StatusOr<event::Secret> secret = ReadSecret(file);
  if (!absl::IsNotFound(secret.status())) return secret;
  std::error_code error;
  if (std::filesystem::exists(log / "CURRENT", error) || error) {
    return absl::FailedPreconditionError(
        fmt::format("{} is missing, but {} holds a log that was made with it. Restore {} from your "
                    "backup; a new secret would give every patient another key",
                    file.string(), log.string(), file.string()));
  }
  return MakeSecret(file);
}

// What is made from the log is never there before it: a log that is gone was there.
absl::Status CheckLog(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::exists(path / "log" / "CURRENT", error) || error) return absl::OkStatus();
  for (const char* made : {"timeline", "forwarder"}) {
    if (!std::filesystem::exists(path / made, error)) continue;
    return absl::FailedPreconditionError(fmt::format(
        "{} holds no log, but {} was made from one. Put the log back: mount its disk, or restore "
        "it from your backup. A new install begins in an empty folder",
        (path / "log").string(), (path / made).string()));
  }
  return absl::OkStatus();
}

// Two logs of one install would give one position to two records.
absl::Status CheckNotCopied(const std::filesystem::path& path) {
  const std::filesystem::path file = path / kCopiedFile;
  absl::StatusOr<std::string> where = base::ReadFile(file);
  if (absl::IsNotFound(where.status())) return absl::OkStatus();
  if (!where.ok()) return where.status();
  while (!where->empty() && where->back() == '\n') where->pop_back();
  return absl::FailedPreconditionError(fmt::format(
      "the log in {} was copied and goes on elsewhere: {}. Serve from there. Only if nothing was "
      "ever served from there: delete {} to go on here",
      path.string(), where->substr(0, kCopiedShownMax), file.string()));
}

}  // namespace

bool IsOpenToOthers(mode_t mode, uid_t owner) {
  const mode_t others = owner == 0 ? S_IRWXO | S_IWGRP | S_IXGRP : S_IRWXO | S_IRWXG;
  return (mode & others) != 0;
}

absl::StatusOr<event::Secret> ReadSecret(const std::filesystem::path& file) {
  SIMPUL_ASSIGN_OR_RETURN(const std::string bytes, base::ReadFile(file));
  if (bytes.size() != kSecretBytes) {
    return absl::FailedPreconditionError(
        fmt::format("{} is {} bytes long, and a secret is {}. Restore {} from your backup",
                    file.string(), bytes.size(), kSecretBytes, file.string()));
  }
  struct stat state{};
  if (::stat(file.c_str(), &state) == 0 && IsOpenToOthers(state.st_mode, state.st_uid)) {
    base::Log(base::Severity::kWarning, "data_folder",
              "the secret can be read by other users: chmod 600 it", {{"file", file.string()}});
  }
  return event::Secret::FromBytes(bytes);
}

absl::StatusOr<event::Secret> MakeSecret(const std::filesystem::path& file) {
  const std::string made = base::RandomBytes(kSecretBytes);
  SIMPUL_RETURN_IF_ERROR(base::WriteFileAtomically(file, made, 0600));
  base::Log(base::Severity::kWarning, "data_folder",
            "made the install's secret: back it up now, apart from the log",
            {{"file", file.string()}});
  return event::Secret::FromBytes(made);
}

absl::StatusOr<DataFolder> DataFolder::OpenWithoutLog(const std::filesystem::path& path,
                                                      const std::filesystem::path& secret_file) {
  SIMPUL_RETURN_IF_ERROR(base::MakeFolder(path));
  SIMPUL_ASSIGN_OR_RETURN(base::FileLock lock, base::FileLock::Acquire(path / "LOCK"));
  SIMPUL_RETURN_IF_ERROR(base::CheckRoom(path, kRoomBytes));
  std::error_code error;
  if (std::filesystem::exists(path / "log" / "CURRENT", error)) {
    return absl::FailedPreconditionError(
        fmt::format("{} holds a log of its own, and this process is to read another. Give another "
                    "--data folder",
                    path.string()));
  }
  SIMPUL_RETURN_IF_ERROR(CheckVersion(path));
  SIMPUL_ASSIGN_OR_RETURN(event::Secret secret, ReadSecret(secret_file));
  return DataFolder(path, std::move(lock), std::move(secret));
}

absl::StatusOr<DataFolder> DataFolder::Open(const std::filesystem::path& path) {
  SIMPUL_RETURN_IF_ERROR(base::MakeFolder(path));
  SIMPUL_ASSIGN_OR_RETURN(base::FileLock lock, base::FileLock::Acquire(path / "LOCK"));
  SIMPUL_RETURN_IF_ERROR(base::CheckRoom(path, kRoomBytes));
  SIMPUL_RETURN_IF_ERROR(CheckVersion(path));
  SIMPUL_RETURN_IF_ERROR(CheckNotCopied(path));
  SIMPUL_RETURN_IF_ERROR(CheckLog(path));
  SIMPUL_ASSIGN_OR_RETURN(event::Secret secret, ReadOrMakeSecret(path / "secret", path / "log"));
  return DataFolder(path, std::move(lock), std::move(secret));
}

absl::StatusOr<DataFolder> DataFolder::OpenToCopy(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path / "log" / "CURRENT", error)) {
    return absl::NotFoundError(
        fmt::format("{} holds no log: give the --data folder of a Simpul on one machine",
                    (path / "log").string()));
  }
  SIMPUL_ASSIGN_OR_RETURN(base::FileLock lock, base::FileLock::Acquire(path / "LOCK"));
  SIMPUL_RETURN_IF_ERROR(CheckVersion(path));
  SIMPUL_ASSIGN_OR_RETURN(event::Secret secret, ReadOrMakeSecret(path / "secret", path / "log"));
  return DataFolder(path, std::move(lock), std::move(secret));
}

absl::Status DataFolder::MarkCopied(std::string_view where) const {
  return base::WriteFileAtomically(path_ / kCopiedFile, fmt::format("{}\n", where));
}

}  // namespace simpul::eventlog
