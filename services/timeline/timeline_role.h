// The role that keeps patients' timelines and answers for them.
//
// It follows topic events with the projection and topic entries with what the projection told; both
// for half of its partitions on threads of their own. At its start it reads topic entries to the
// end first, so that a rebuild tells nothing twice, and topic dead-letters, so that what was left
// out of the timelines stays out.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/base/metrics.h"
#include "lib/event/subject.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/ownership.h"
#include "simpul/timeline/v1/timeline_service.pb.h"

namespace simpul::timeline_role {

// Thread-safe.
class TimelineRole {
 public:
  // Where checkpoints are written to and restored from.
  struct CheckpointOptions {
    std::filesystem::path folder;  // empty: neither
    std::chrono::milliseconds every = std::chrono::minutes(15);
  };

  // Opens or makes the stores of the partitions that are the replica's in `folder` and starts to
  // follow the log; `program` is this program's version. A store that is empty or missing is
  // restored from a checkpoint where there is one that fits the log. FailedPrecondition: a store
  // belongs to another install or partition, or is ahead of the log; messages name the folder and
  // the next step. `log`, `secret` and `metrics` must outlive the role.
  static absl::StatusOr<std::unique_ptr<TimelineRole>> Open(
      eventlog::EventLog& log, const event::Secret& secret, const std::filesystem::path& folder,
      base::Metrics& metrics, const eventlog::Replica& replica,
      const CheckpointOptions& checkpoints, std::string_view program = "");
  // Without checkpoints.
  static absl::StatusOr<std::unique_ptr<TimelineRole>> Open(eventlog::EventLog& log,
                                                            const event::Secret& secret,
                                                            const std::filesystem::path& folder,
                                                            base::Metrics& metrics,
                                                            const eventlog::Replica& replica = {});
  // Finishes the batch in hand and whatever still waits.
  ~TimelineRole();

  // OK once every partition has applied what the log held when the role was opened, and found there
  // what it had applied last, as long as none of them stands still.
  absl::Status Ready() const;

  // True where this replica keeps the partition, and has applied what the log held when the role
  // was opened.
  bool Keeps(uint32_t partition) const;
  bool HasCaughtUp(uint32_t partition) const;
  // Of the log.
  uint32_t partitions() const;

  // Called once: on the caller's thread, or on one of the role's after waiting for min_position.
  // InvalidArgument names the field, also for a min_position beyond the end of the log: it was not
  // given out by this log as it is. DeadlineExceeded: min_position was not reached in time.
  // ResourceExhausted: too many readers wait. Unavailable: shutting down, or the patient's
  // partition is not kept here. A min_position of a partition that is neither kept here nor the
  // patient's asks for nothing.
  using Finish = std::function<void(absl::Status)>;
  void GetTimeline(const timeline::v1::GetTimelineRequest& request,
                   timeline::v1::GetTimelineResponse& response, Finish finish);

  // Errors and threads as GetTimeline's.
  void GetGrowth(const timeline::v1::GetGrowthRequest& request,
                 timeline::v1::GetGrowthResponse& response, Finish finish);

  // Readers who wait for a position are told at once that this Simpul is shutting down. Idempotent,
  // any thread.
  void EndWaits();

  // What a watching caller is given and asked.
  struct Listener {
    // False: the caller is gone.
    std::function<bool(const timeline::v1::WatchTimelineResponse&)> write;
    std::function<bool()> gone;
    // Takes a function to be called when `gone` becomes true, from any thread; null takes it back.
    std::function<void(std::function<void()>)> when_gone;
  };
  // The timeline as it stands, then one message without an entry that says caught_up, then every
  // change. Returns when the caller is gone or the role ends. A caller that is too slow misses
  // revisions in between, never the last.
  absl::Status WatchTimeline(const timeline::v1::WatchTimelineRequest& request,
                             const Listener& listener);

  // Of the partitions that are kept here.
  absl::Status GetState(timeline::v1::GetStateResponse& response) const;

  // As an owner of the partition: where it stands, and with a step whether it stays before a
  // position (lib/timeline/guard.h). InvalidArgument: there is no such partition.
  // FailedPrecondition: it is not kept here, or another position is held.
  absl::Status HoldEvent(const timeline::v1::HoldEventRequest& request,
                         timeline::v1::HoldEventResponse& response);

  // Which rules this program knows, and what is activated in the partitions that are kept here.
  absl::Status GetRulesState(timeline::v1::GetRulesStateResponse& response) const;

  eventlog::EventLog& log();

 private:
  struct State;
  explicit TimelineRole(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace simpul::timeline_role
