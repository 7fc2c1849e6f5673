#include "lib/timeline/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"

namespace simpul::timeline {
namespace {

// The second says that the first was no accident.
constexpr uint32_t kDeathsMax = 2;

std::filesystem::path Beside(const std::filesystem::path& folder, std::string_view ending) {
  return folder.parent_path() / (folder.filename().string() + std::string(ending));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Guard>> Guard::Open(const std::filesystem::path& folder,
                                                   const StoreOrigin& origin,
                                                   std::string_view program) {
  SIMPUL_ASSIGN_OR_RETURN(std::unique_ptr<CrashNote> note,
                          CrashNote::Open(Beside(folder, ".note"), origin, program));
  HoldFile hold(Beside(folder, ".hold"), origin);
  SIMPUL_ASSIGN_OR_RETURN(const std::optional<int64_t> held, hold.Read());
  return std::unique_ptr<Guard>(
      new Guard(origin.partition, std::move(note), std::move(hold), held));
}

absl::Status Guard::Apply(Store& store, std::span<const eventlog::OwnedRecord> records,
                          const Store::Watched& watched, Store::Applied& applied) {
  const std::lock_guard lock(mutex_);
  std::optional<int64_t> stop;
  if (held_.has_value() || note_->deaths().count >= kDeathsMax) {
    stop = Stop(store.state().position);
  }
  while (!records.empty()) {
    const int64_t first = records.front().position;
    size_t count = note_->Together(first, records.size());
    if (stop.has_value() && first + static_cast<int64_t>(count) > *stop) {
      count = static_cast<size_t>(std::max<int64_t>(*stop - first, 0));
    }
    if (count == 0) {
      StandBefore(*stop);
      return absl::UnavailableError(Stands());
    }
    note_->Begin(first, count);
    const absl::Status status =
        store.Apply(records.first(count), watched, applied, out_.empty() ? nullptr : &out_);
    if (!status.ok()) {
      note_->PutDown();
      return status;
    }
    note_->End();
    records = records.subspan(count);
  }
  if (held_.has_value() && store.state().position >= *held_) {
    held_.reset();
    SIMPUL_RETURN_IF_ERROR(hold_file_.Remove());
  }
  const std::lock_guard stands_lock(stands_mutex_);
  stands_.clear();
  return absl::OkStatus();
}

std::optional<int64_t> Guard::Stop(int64_t applied) const {
  std::optional<int64_t> stop;
  const auto take = [&](int64_t position) {
    if (position <= applied || out_.contains(position)) return;
    stop = std::min(stop.value_or(position), position);
  };
  if (held_.has_value()) take(*held_);
  if (note_->deaths().count >= kDeathsMax) take(note_->deaths().position);
  return stop;
}

void Guard::StandBefore(int64_t position) {
  const std::string place = fmt::format(
      "position {} of {}", position, eventlog::PlaceText({eventlog::Topic::kEvents, partition_}));
  const CrashNote::Deaths deaths = note_->deaths();
  std::string why;
  if (deaths.position == position && deaths.count >= kDeathsMax) {
    why = fmt::format(
        "{} ended the program {} times while it was applied. To leave it out: simpul dead-letters "
        "--quarantine {}:{} --reason WORDS. To try it again, if it was something else such as kill "
        "-9 or memory that ran out: delete {} and start again. Another version of Simpul tries by "
        "itself",
        place, deaths.count, partition_, position, note_->path().string());
  } else {
    why = fmt::format(
        "{} is about to be left out, and that was not finished: run simpul "
        "dead-letters --quarantine {}:{} --reason WORDS again",
        place, partition_, position);
  }
  const std::lock_guard lock(stands_mutex_);
  if (stands_ == why) return;
  stands_ = std::move(why);
  base::Log(base::Severity::kError, "timeline", "a partition stands still before an event",
            {{"partition", partition_},
             {"position", position},
             {"deaths", deaths.position == position ? deaths.count : 0},
             {"reason", stands_}});
}

absl::StatusOr<bool> Guard::Learn(std::span<const eventlog::OwnedRecord> records) {
  bool is_new = false;
  for (const eventlog::OwnedRecord& record : records) {
    SIMPUL_ASSIGN_OR_RETURN(std::optional<log::v1::DeadLetter> letter,
                            DecodeQuarantine(partition_, record));
    if (!letter.has_value()) continue;
    const std::lock_guard lock(mutex_);
    const int64_t position = letter->position();
    is_new |= out_.emplace(position, *std::move(letter)).second;
  }
  return is_new;
}

absl::Status Guard::Hold(const Store& store, int64_t position) {
  const std::lock_guard lock(mutex_);
  const int64_t applied = store.state().position;
  if (applied >= position || held_ == position) return absl::OkStatus();
  if (held_.has_value() && applied < *held_ && !out_.contains(*held_)) {
    return absl::FailedPreconditionError(
        fmt::format("it is held before position {}: finish that first", *held_));
  }
  if (!SIMPUL_PLANTED_BUG("hold_not_durable")) {
    SIMPUL_RETURN_IF_ERROR(hold_file_.Write(position));
  }
  held_ = position;
  return absl::OkStatus();
}

absl::Status Guard::Release(int64_t position) {
  const std::lock_guard lock(mutex_);
  if (held_ != position) return absl::OkStatus();
  held_.reset();
  return hold_file_.Remove();
}

bool Guard::IsLeftOut(int64_t position) const {
  const std::lock_guard lock(mutex_);
  return out_.contains(position);
}

std::string Guard::Stands() const {
  const std::lock_guard lock(stands_mutex_);
  return stands_;
}

}  // namespace simpul::timeline
