// simpul backup: copies the log of a Simpul on one machine while it serves, and puts it back.
#include <fmt/format.h>
#include <rapidjson/document.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/metrics.h"
#include "lib/base/status_macros.h"
#include "lib/eventlog/data_folder.h"
#include "lib/eventlog/embedded_log.h"
#include "simpul/backup_manifest.h"
#include "simpul/checkpoint.h"
#include "simpul/command.h"

namespace simpul::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string data;
  std::string to;
  std::string restore;
  std::string secret;
  bool json = false;
};

// Left free beside what is copied.
constexpr uint64_t kRoomBytes = 64 << 20;

// A folder that is made under another name and gets its own when all of it is durable; nothing is
// left of it otherwise.
class Draft {
 public:
  static absl::StatusOr<std::unique_ptr<Draft>> Make(const fs::path& to) {
    std::error_code error;
    if (fs::exists(to, error) && !fs::is_empty(to, error)) {
      return absl::FailedPreconditionError(
          fmt::format("{} is there and not empty: give a new folder", to.string()));
    }
    fs::path draft = fs::absolute(to, error).lexically_normal();
    if (draft.filename().empty()) draft = draft.parent_path();
    const fs::path whole = draft;
    draft += ".part";
    // What a killed one left.
    constexpr std::string_view kOurs[] = {"VERSION", "log", "backup.json", "secret"};
    SIMPUL_RETURN_IF_ERROR(base::CheckNothingElse(draft, kOurs));
    fs::remove_all(draft, error);
    SIMPUL_RETURN_IF_ERROR(base::MakeFolder(draft / "log"));
    fs::permissions(draft, fs::perms::owner_all, error);
    return std::unique_ptr<Draft>(new Draft(draft, whole));
  }
  ~Draft() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }

  absl::Status Keep() {
    SIMPUL_RETURN_IF_ERROR(base::SyncFolder(path_ / "log"));
    SIMPUL_RETURN_IF_ERROR(base::SyncFolder(path_));
    std::error_code error;
    fs::rename(path_, whole_, error);
    if (error) {
      return absl::FailedPreconditionError(
          fmt::format("cannot name it {}: {}", whole_.string(), error.message()));
    }
    kept_ = true;
    return base::SyncFolder(whole_.parent_path());
  }

 private:
  Draft(fs::path path, fs::path whole) : path_(std::move(path)), whole_(std::move(whole)) {}

  const fs::path path_;
  const fs::path whole_;
  bool kept_ = false;
};

BackupManifest Describe(const eventlog::LogContent& content) {
  BackupManifest manifest;
  manifest.install_id = content.install.install_id();
  manifest.partitions = content.install.partitions();
  manifest.secret_fingerprint = base::Hex(content.install.secret_fingerprint());
  for (const auto& [place, digest] : content.places) {
    manifest.places[place] = {digest.records(), digest.Hex()};
  }
  return manifest;
}

// OK when both hold the same records, else the first place that differs.
absl::Status CheckSame(const BackupManifest& is, const BackupManifest& should) {
  if (is.install_id != should.install_id || is.partitions != should.partitions ||
      is.secret_fingerprint != should.secret_fingerprint) {
    return absl::DataLossError(
        fmt::format("the copy is of install {} with {} partitions, and {} with {} was copied",
                    is.install_id, is.partitions, should.install_id, should.partitions));
  }
  for (const auto& [place, kept] : should.places) {
    const auto found = is.places.find(place);
    if (found == is.places.end() || found->second != kept) {
      return absl::DataLossError(fmt::format(
          "{} differs: {} records are there and {} should be, or their bytes are others",
          eventlog::PlaceText(place), found == is.places.end() ? 0 : found->second.records,
          kept.records));
    }
  }
  return absl::OkStatus();
}

// Copies a file and reads it back from the disk.
absl::StatusOr<base::FileContent> CopyAndCompare(const fs::path& from, const fs::path& to) {
  SIMPUL_ASSIGN_OR_RETURN(const base::FileContent copied, base::CopyFile(from, to));
  SIMPUL_ASSIGN_OR_RETURN(const base::FileContent there, base::ReadContent(to));
  if (there == copied) return copied;
  return absl::DataLossError(
      fmt::format("{} does not hold what was written to it: look at that disk", to.string()));
}

absl::StatusOr<std::string> AdminOf(const fs::path& data) {
  const absl::StatusOr<std::string> ports = base::ReadFile(data / "ports.json");
  rapidjson::Document document;
  if (ports.ok()) document.Parse(ports->data(), ports->size());
  if (!ports.ok() || document.HasParseError() || !document.IsObject() ||
      !document.HasMember("admin") || !document["admin"].IsString()) {
    return absl::UnavailableError(
        fmt::format("{} is held by a process that does not serve yet, or no more: try again in a "
                    "moment",
                    data.string()));
  }
  return std::string(document["admin"].GetString());
}

// Has the checkpoint made by whoever has the log; where it ended before.
absl::StatusOr<std::vector<int64_t>> CheckpointOf(const fs::path& data) {
  bool is_served = false;
  {
    const absl::StatusOr<base::FileLock> lock = base::FileLock::Acquire(data / "LOCK");
    is_served = lock.status().code() == absl::StatusCode::kFailedPrecondition;
  }
  if (is_served) {
    SIMPUL_ASSIGN_OR_RETURN(const std::string admin, AdminOf(data));
    SIMPUL_ASSIGN_OR_RETURN(const std::string answer, AskForCheckpoint(admin));
    return ReadEnds(answer);
  }
  SIMPUL_ASSIGN_OR_RETURN(const eventlog::DataFolder folder,
                          eventlog::DataFolder::OpenToCopy(data));
  base::Metrics metrics;
  eventlog::EmbeddedLog::Options options;
  options.must_exist = true;
  options.secret_fingerprint = folder.secret().Fingerprint();
  SIMPUL_ASSIGN_OR_RETURN(const auto log, eventlog::EmbeddedLog::Open(
                                              folder.log(), options, base::SystemClock(), metrics));
  SIMPUL_ASSIGN_OR_RETURN(const std::string made, MakeCheckpoint(*log, folder.checkpoint()));
  return ReadEnds(made);
}

absl::StatusOr<std::vector<fs::path>> FilesIn(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file()) files.push_back(it->path());
  }
  if (!error) return files;
  return absl::UnavailableError(fmt::format("cannot read {}: {}. Run this as the user that serves",
                                            folder.string(), error.message()));
}

uint64_t BytesOf(const std::vector<fs::path>& files) {
  uint64_t bytes = 0;
  std::error_code error;
  for (const fs::path& file : files) {
    const uintmax_t its = fs::file_size(file, error);
    if (!error) bytes += its;
  }
  return bytes;
}

// Deletes the checkpoint, whatever became of the backup.
struct CheckpointGone {
  fs::path folder;
  ~CheckpointGone() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
};

absl::StatusOr<BackupManifest> Back(const fs::path& data, const fs::path& to) {
  std::error_code error;
  if (!fs::exists(data / "log" / "CURRENT", error)) {
    return absl::NotFoundError(
        fmt::format("{} holds no log: give the --data folder of a Simpul on one machine. A log on "
                    "Kafka is kept by its brokers",
                    (data / "log").string()));
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::unique_ptr<Draft> draft, Draft::Make(to));
  const absl::StatusOr<base::FileLock> alone = base::FileLock::Acquire(data / "BACKUP.LOCK");
  if (!alone.ok()) {
    return absl::FailedPreconditionError(
        fmt::format("another backup of {} is being made", data.string()));
  }
  const CheckpointGone checkpoint{data / "checkpoint"};
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, CheckpointOf(data));
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<fs::path> files, FilesIn(checkpoint.folder));
  SIMPUL_RETURN_IF_ERROR(base::CheckRoom(draft->path(), BytesOf(files) + kRoomBytes));
  std::map<std::string, base::FileContent> copied;
  for (const fs::path& file : files) {
    const std::string name = file.filename().string();
    SIMPUL_ASSIGN_OR_RETURN(copied[name], CopyAndCompare(file, draft->path() / "log" / name));
  }
  SIMPUL_ASSIGN_OR_RETURN(const eventlog::LogContent source,
                          eventlog::ReadWholeLog(checkpoint.folder));
  SIMPUL_ASSIGN_OR_RETURN(const eventlog::LogContent copy,
                          eventlog::ReadWholeLog(draft->path() / "log"));
  BackupManifest manifest = Describe(copy);
  SIMPUL_RETURN_IF_ERROR(CheckSame(manifest, Describe(source)));
  if (ends.size() != manifest.places.size()) {
    return absl::DataLossError("the copy has not as many partitions as the log");
  }
  size_t nth = 0;
  for (const auto& [place, kept] : manifest.places) {
    if (kept.records < ends[nth++]) {
      return absl::DataLossError(
          fmt::format("{} ends before what was acknowledged", eventlog::PlaceText(place)));
    }
  }
  manifest.files = std::move(copied);
  manifest.made_at = base::FormatUtc(base::SystemClock().Now());
  SIMPUL_RETURN_IF_ERROR(CopyAndCompare(data / "VERSION", draft->path() / "VERSION").status());
  SIMPUL_RETURN_IF_ERROR(
      base::WriteFileAtomically(draft->path() / "backup.json", ToJson(manifest) + "\n", 0600));
  SIMPUL_RETURN_IF_ERROR(draft->Keep());
  return manifest;
}

absl::StatusOr<BackupManifest> Restore(const fs::path& from, const fs::path& secret_file,
                                       const fs::path& to) {
  SIMPUL_ASSIGN_OR_RETURN(const std::string json, base::ReadFile(from / "backup.json"));
  SIMPUL_ASSIGN_OR_RETURN(const BackupManifest manifest, ParseManifest(json));
  SIMPUL_ASSIGN_OR_RETURN(const event::Secret secret, eventlog::ReadSecret(secret_file));
  if (base::Hex(secret.Fingerprint()) != manifest.secret_fingerprint) {
    return absl::FailedPreconditionError(
        fmt::format("{} is not the secret of install {} ({}): give the one that was backed up "
                    "beside it",
                    secret_file.string(), manifest.install_id, manifest.secret_fingerprint));
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::unique_ptr<Draft> draft, Draft::Make(to));
  SIMPUL_RETURN_IF_ERROR(base::CheckRoom(draft->path(), manifest.bytes() + kRoomBytes));
  for (const auto& [name, content] : manifest.files) {
    const fs::path file = from / "log" / name;
    SIMPUL_ASSIGN_OR_RETURN(const base::FileContent copied,
                            CopyAndCompare(file, draft->path() / "log" / name));
    if (copied != content) {
      return absl::DataLossError(
          fmt::format("{} is damaged: it does not hold what the backup put there. Take another "
                      "backup",
                      file.string()));
    }
  }
  SIMPUL_ASSIGN_OR_RETURN(const eventlog::LogContent copy,
                          eventlog::ReadWholeLog(draft->path() / "log"));
  SIMPUL_RETURN_IF_ERROR(CheckSame(Describe(copy), manifest));
  SIMPUL_RETURN_IF_ERROR(CopyAndCompare(from / "VERSION", draft->path() / "VERSION").status());
  SIMPUL_ASSIGN_OR_RETURN(const std::string bytes, base::ReadFile(secret_file));
  SIMPUL_RETURN_IF_ERROR(base::WriteFileAtomically(draft->path() / "secret", bytes, 0600));
  SIMPUL_RETURN_IF_ERROR(draft->Keep());
  return manifest;
}

absl::Status Run(const Options& options) {
  const bool restores = !options.restore.empty();
  absl::StatusOr<BackupManifest> done = restores
                                            ? Restore(options.restore, options.secret, options.to)
                                            : Back(options.data, options.to);
  if (!done.ok()) return done.status();
  if (options.json) {
    Print(JsonLine()
              .Text("folder", options.to)
              .Text("install", done->install_id)
              .Count("partitions", done->partitions)
              .Number("records", done->records())
              .Count("bytes", done->bytes())
              .Text("made_at", done->made_at)
              .Text("secret_fingerprint", done->secret_fingerprint)
              .Take());
    return absl::OkStatus();
  }
  Print(fmt::format("{} records of install {} in {} bytes were copied to {} and compared.",
                    Grouped(static_cast<uint64_t>(done->records())), done->install_id,
                    Grouped(done->bytes()), options.to));
  if (restores) {
    Print(
        fmt::format("Next: simpul serve --data {}. The timelines and the ledger are made again "
                    "from the log. What was accepted after {} has to be pushed again.",
                    options.to, done->made_at));
  } else {
    Print(
        fmt::format("Not in it, keep them apart: the secret {} (fingerprint {}), and the files "
                    "and flags that serve is given.",
                    (fs::path(options.data) / "secret").string(), done->secret_fingerprint));
  }
  return absl::OkStatus();
}

int Backup(const Options& options) {
  const bool restores = !options.restore.empty();
  std::string wrong;
  if (!restores && options.data.empty()) {
    wrong = "give --data, the folder to be copied, or --restore, the backup to be put back";
  } else if (restores && options.secret.empty()) {
    wrong = "--secret: give the file of the install's secret, which is not in the backup";
  }
  if (!wrong.empty()) {
    Complain("backup: " + wrong);
    return kWrongUse;
  }
  if (const absl::Status ran = Run(options); !ran.ok()) {
    Complain(fmt::format("backup: {}", base::Message(ran)));
    return kFailed;
  }
  return kDone;
}

}  // namespace

void AddBackup(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "backup", "Copy the log of a Simpul on one machine while it serves, or put a copy back");
  command->add_option("--data", options->data, "The folder that serve keeps everything in");
  command
      ->add_option("--to", options->to,
                   "Folder to be made: of the backup, or of the Simpul that is put back")
      ->required();
  command->add_option("--restore", options->restore, "The backup to be put back");
  command->add_option("--secret", options->secret,
                      "To put back: the file of the install's secret, which no backup holds");
  command->add_flag("--json", options->json, "One JSON object a line");
  command->callback([&chosen, options] { chosen.run = [options] { return Backup(*options); }; });
}

}  // namespace simpul::cli
