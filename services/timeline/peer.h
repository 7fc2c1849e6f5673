// Another replica of the role, as this one asks it.
#pragma once

#include <chrono>
#include <functional>

#include "absl/status/status.h"
#include "simpul/timeline/v1/timeline_service.pb.h"
#include "timeline/timeline_role.h"

namespace simpul::timeline_role {

// Any thread. Unavailable: it cannot be reached, or does not keep the partition, or has not caught
// up with it: somebody else may answer.
class Peer {
 public:
  virtual ~Peer() = default;
  // `finish` is called once, on any thread; the messages must live until then. DeadlineExceeded: it
  // took longer than `within`, or min_position was not reached.
  virtual void GetTimeline(const timeline::v1::GetTimelineRequest& request,
                           timeline::v1::GetTimelineResponse& response,
                           std::chrono::milliseconds within, TimelineRole::Finish finish) = 0;
  virtual void GetGrowth(const timeline::v1::GetGrowthRequest& request,
                         timeline::v1::GetGrowthResponse& response,
                         std::chrono::milliseconds within, TimelineRole::Finish finish) = 0;
  // What it keeps itself.
  virtual void GetState(timeline::v1::GetStateResponse& response, std::chrono::milliseconds within,
                        TimelineRole::Finish finish) = 0;
  // As an owner of the partition.
  virtual void HoldEvent(const timeline::v1::HoldEventRequest& request,
                         timeline::v1::HoldEventResponse& response,
                         std::chrono::milliseconds within, TimelineRole::Finish finish) = 0;
  // What its program knows, and what is activated in what it keeps itself. Unimplemented: its
  // program is older than this question.
  virtual void GetRulesState(timeline::v1::GetRulesStateResponse& response,
                             std::chrono::milliseconds within, TimelineRole::Finish finish) = 0;
  // Returns at the end of the stream.
  virtual absl::Status WatchTimeline(const timeline::v1::WatchTimelineRequest& request,
                                     const TimelineRole::Listener& listener) = 0;
  // Ends every call in hand, and every later one, as Cancelled.
  virtual void Stop() = 0;
};

}  // namespace simpul::timeline_role
