#include "lib/eventlog/event_log.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <utility>

#include "lib/base/check.h"
#include "lib/base/status_macros.h"

namespace simpul::eventlog {

std::string_view TopicName(Topic topic) {
  switch (topic) {
    case Topic::kEvents:
      return "simpul.events.v1";
    case Topic::kEntries:
      return "simpul.entries.v1";
    case Topic::kDeliveries:
      return "simpul.deliveries.v1";
    case Topic::kDeadLetters:
      return "simpul.dead-letters.v1";
    case Topic::kAudit:
      return "simpul.audit.v1";
  }
  SIMPUL_CHECK(false, "There is no topic {}.", static_cast<int>(topic));
}

std::string PlaceText(Place place) {
  return fmt::format("{} partition {}", TopicName(place.topic), place.partition);
}

absl::StatusOr<std::unique_ptr<Subscription>> EventLog::Subscribe(std::vector<Start> starts) {
  return Subscribe(std::move(starts), std::chrono::milliseconds(0));
}

absl::StatusOr<int64_t> EventLog::End(Place place) {
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, Ends({&place, 1}));
  return ends.front();
}

absl::Status CheckNotAhead(std::string_view folder, Place place, int64_t applied, int64_t end) {
  if (applied < end) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "{} is ahead of its log: it has applied position {} of {}, which ends before position {}. "
      "Records were lost: restore the log. Where it was restored and this is all of it, delete {}: "
      "it is made again from the log.",
      folder, applied, PlaceText(place), end, folder));
}

std::vector<Appended> AppendAndWait(EventLog& log, std::vector<Draft> drafts) {
  size_t bytes = 0;
  for (const Draft& draft : drafts) bytes += draft.key.size() + draft.value.size();
  absl::StatusOr<std::unique_ptr<Admission>> admission = log.Admit(bytes);
  if (!admission.ok()) {
    return std::vector<Appended>(drafts.size(), Appended(admission.status()));
  }
  struct Answer {
    std::mutex mutex;
    std::condition_variable given;
    std::vector<Appended> outcomes;
    bool is_given = false;
  };
  // Shared: the log's thread still holds the lock when the waiting one wakes.
  const auto answer = std::make_shared<Answer>();
  log.Append(std::move(drafts), *std::move(admission), [answer](std::vector<Appended> outcomes) {
    const std::lock_guard lock(answer->mutex);
    answer->outcomes = std::move(outcomes);
    answer->is_given = true;
    answer->given.notify_one();
  });
  std::unique_lock lock(answer->mutex);
  answer->given.wait(lock, [&] { return answer->is_given; });
  return std::move(answer->outcomes);
}

}  // namespace simpul::eventlog
