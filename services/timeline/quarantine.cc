#include "timeline/quarantine.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/base/text.h"
#include "lib/event/subject.h"
#include "lib/timeline/quarantine.h"

namespace simpul::timeline_role {
namespace {

using eventlog::Topic;
using std::chrono::steady_clock;
using timeline::v1::HoldEventRequest;
using timeline::v1::HoldEventResponse;
using timeline::v1::HoldStep;

constexpr size_t kReasonBytesMax = 300;
constexpr size_t kByBytesMax = 100;
constexpr std::chrono::seconds kReadMax{10};
// What owners have to come to the event, and to read that it is left out.
constexpr std::chrono::seconds kArriveMax{10};
constexpr std::chrono::milliseconds kRoundPause{50};

absl::Status Check(const timeline::v1::QuarantineEventRequest& request, uint32_t partitions) {
  if (request.partition() >= partitions) {
    return absl::InvalidArgumentError(
        fmt::format("partition: there is no partition {}; the last is {}.", request.partition(),
                    partitions - 1));
  }
  if (request.position() < 0) {
    return absl::InvalidArgumentError("position: the first event is at position 1.");
  }
  if (request.position() == 0) {
    return absl::InvalidArgumentError(
        "position: position 0 is the install record, which is no event; the first is at 1.");
  }
  if (base::IsBlank(request.reason())) {
    return absl::InvalidArgumentError("reason: say why the event is left out.");
  }
  if (request.reason().size() > kReasonBytesMax || request.by().size() > kByBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("reason, by: at most {} and {} bytes.", kReasonBytesMax, kByBytesMax));
  }
  // They are kept for good, and shown.
  if (base::LooksLikeNik(request.reason()) || base::LooksLikeNik(request.by())) {
    return absl::InvalidArgumentError(
        "reason, by: something in it looks like an identity number. Leave it out.");
  }
  return absl::OkStatus();
}

// The owners of the partition, asked together.
class Owners {
 public:
  Owners(const std::vector<uint32_t>& owners, const AskOwner& ask, uint32_t partition,
         int64_t position)
      : ask_(ask), partition_(partition), position_(position) {
    for (const uint32_t owner : owners) known_.push_back({.replica = owner});
  }

  struct Known {
    uint32_t replica = 0;
    HoldEventResponse is;
    absl::Status status;
  };

  void Ask(HoldStep step) {
    HoldEventRequest request;
    request.set_partition(partition_);
    request.set_position(position_);
    request.set_step(step);
    std::vector<std::future<void>> answered;
    for (Known& one : known_) {
      const auto answer = std::make_shared<std::promise<void>>();
      answered.push_back(answer->get_future());
      one.is.Clear();
      ask_(one.replica, request, one.is, [&one, answer](absl::Status status) {
        one.status = std::move(status);
        answer->set_value();
      });
    }
    for (const std::future<void>& one : answered) one.wait();
  }

  // One of them knows that the event is left out.
  bool IsLeftOut() const {
    return std::ranges::any_of(
        known_, [](const Known& one) { return one.status.ok() && one.is.quarantined(); });
  }

  // FailedPrecondition: it is too late, or something else is the matter.
  absl::Status CheckBefore() {
    for (const Known& one : known_) {
      if (one.status.ok() && one.is.position() >= position_) {
        is_too_late_ = true;
        return Refused(fmt::format("replica {} has applied it: it stands at position {}",
                                   one.replica, one.is.position()));
      }
    }
    for (const Known& one : known_) {
      if (!one.status.ok() && !absl::IsUnavailable(one.status) &&
          !absl::IsDeadlineExceeded(one.status) && !absl::IsCancelled(one.status)) {
        return Refused(fmt::format("replica {}: {}", one.replica, base::Message(one.status)));
      }
      if (!one.status.ok()) {
        return absl::UnavailableError(fmt::format(
            "Nothing was recorded: every owner of partition {} has to answer, and replica {} does "
            "not ({}). Start it, then repeat this.",
            partition_, one.replica, base::Message(one.status)));
      }
      if (!one.is.stopped().empty()) {
        return Refused(fmt::format("replica {} stands still for another reason: {}", one.replica,
                                   one.is.stopped()));
      }
    }
    return absl::OkStatus();
  }

  // FailedPrecondition as above; Unavailable: somebody is not there yet.
  absl::Status CheckArrived(int64_t entries_end, int64_t letters_end) {
    SIMPUL_RETURN_IF_ERROR(CheckBefore());
    for (const Known& one : known_) {
      if (one.is.position() + 1 < position_ || one.is.entries_position() + 1 < entries_end ||
          one.is.dead_letters_position() + 1 < letters_end) {
        return absl::UnavailableError(fmt::format(
            "Nothing was recorded: replica {} is at position {} of partition {} and still reads. "
            "Owners stay before position {}: repeat this in a moment, until it is done.",
            one.replica, one.is.position(), partition_, position_));
      }
      // It has derived what comes before the event and read all that was told of the partition.
      if (one.is.read_number() > one.is.last_number()) {
        is_too_late_ = true;
        return Refused(
            fmt::format("{} holds what was derived from it or from a later event (number {})",
                        eventlog::PlaceText({Topic::kEntries, partition_}), one.is.read_number()));
      }
    }
    return absl::OkStatus();
  }

  // Those who stay before it go on, where it can never be left out any more: then no other command
  // can be about to record it. Gives back `status`.
  absl::Status LetGo(absl::Status status) {
    if (is_too_late_) Ask(timeline::v1::HOLD_STEP_RELEASE);
    return status;
  }

  const std::vector<Known>& known() const { return known_; }

 private:
  absl::Status Refused(std::string_view why) const {
    return absl::FailedPreconditionError(
        fmt::format("Partition {} position {} cannot be left out: {}. Nothing was recorded.",
                    partition_, position_, why));
  }

  const AskOwner& ask_;
  const uint32_t partition_;
  const int64_t position_;
  bool is_too_late_ = false;
  std::vector<Known> known_;
};

absl::StatusOr<eventlog::OwnedRecord> ReadEvent(eventlog::EventLog& log, uint32_t partition,
                                                int64_t position) {
  SIMPUL_ASSIGN_OR_RETURN(const auto subscription,
                          log.Subscribe({{{Topic::kEvents, partition}, position}}));
  SIMPUL_ASSIGN_OR_RETURN(const auto record, subscription->Poll(kReadMax));
  if (!record.has_value() || record->position != position) {
    return absl::UnavailableError(
        fmt::format("Nothing was recorded: the log does not give position {} of partition {} now. "
                    "Repeat this in a moment.",
                    position, partition));
  }
  return eventlog::OwnedRecord{
      .position = position, .key = std::string(record->key), .value = std::string(record->value)};
}

}  // namespace

absl::Status Quarantine(eventlog::EventLog& log, const std::vector<uint32_t>& to_ask,
                        const AskOwner& ask, base::Pause& pause,
                        const timeline::v1::QuarantineEventRequest& request,
                        timeline::v1::QuarantineEventResponse& response) {
  SIMPUL_RETURN_IF_ERROR(Check(request, log.partitions()));
  const uint32_t partition = request.partition();
  const int64_t position = request.position();
  SIMPUL_ASSIGN_OR_RETURN(const int64_t end, log.End({Topic::kEvents, partition}));
  if (position >= end) {
    return absl::InvalidArgumentError(
        fmt::format("position: partition {} ends before position {}; its last event is at {}.",
                    partition, position, end - 1));
  }

  Owners owners(to_ask, ask, partition, position);
  // Nobody is held up by what is refused anyway.
  owners.Ask(timeline::v1::HOLD_STEP_UNSPECIFIED);
  response.set_already(owners.IsLeftOut());
  if (!response.already()) {
    absl::Status status = owners.CheckBefore();
    if (!status.ok()) return owners.LetGo(std::move(status));
    owners.Ask(timeline::v1::HOLD_STEP_HOLD);
    status = owners.CheckBefore();
    if (status.ok()) {
      SIMPUL_CRASH_POINT("between_hold_and_quarantine");
      // From here on nobody derives anything from the event.
      const eventlog::Place places[] = {{Topic::kEntries, partition},
                                        {Topic::kDeadLetters, partition}};
      SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, log.Ends(places));
      status = owners.CheckArrived(ends[0], ends[1]);
      const auto until = steady_clock::now() + kArriveMax;
      while (absl::IsUnavailable(status) && steady_clock::now() < until && pause.For(kRoundPause)) {
        owners.Ask(timeline::v1::HOLD_STEP_HOLD);
        status = owners.CheckArrived(ends[0], ends[1]);
      }
    }
    response.set_already(owners.IsLeftOut());
    if (!status.ok() && !response.already()) return owners.LetGo(std::move(status));
  }
  SIMPUL_ASSIGN_OR_RETURN(const eventlog::OwnedRecord event, ReadEvent(log, partition, position));
  eventlog::Draft draft = timeline::QuarantineDraft(event, partition, log.partitions(),
                                                    base::ToMicros(base::SystemClock().Now()),
                                                    request.by(), request.reason());
  response.set_event_id(draft.ce_id);
  if (!response.already()) {
    const eventlog::Appended appended = eventlog::AppendAndWait(log, {std::move(draft)}).front();
    if (!appended.ok()) {
      return absl::UnavailableError(fmt::format(
          "It is not known whether partition {} position {} was left out ({}). Owners stay before "
          "it: repeat this until it is done.",
          partition, position, base::Message(appended.status())));
    }
    base::Log(base::Severity::kWarning, "timeline", "an event is left out of the timelines",
              {{"partition", partition},
               {"position", position},
               {"recorded_at", *appended},
               {"event_id", response.event_id()}});
  }
  const auto until = steady_clock::now() + kArriveMax;
  do {
    owners.Ask(timeline::v1::HOLD_STEP_UNSPECIFIED);
    response.clear_behind();
    for (const Owners::Known& one : owners.known()) {
      if (!one.status.ok() || !one.is.quarantined()) response.add_behind(one.replica);
    }
    // One that was there and does not answer now reads of it when it starts.
  } while (!response.behind().empty() && !response.already() && steady_clock::now() < until &&
           pause.For(kRoundPause));
  return absl::OkStatus();
}

}  // namespace simpul::timeline_role
