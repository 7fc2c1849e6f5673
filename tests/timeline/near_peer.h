// Replicas of the timeline role in one process.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "timeline/front.h"
#include "timeline/peer.h"

namespace simpul::timeline_role {

// A replica of the same process, reached without a network; gone when its front is.
class NearPeer final : public Peer {
 public:
  explicit NearPeer(std::unique_ptr<Front>& front) : front_(front) {}

  void GetTimeline(const timeline::v1::GetTimelineRequest& request,
                   timeline::v1::GetTimelineResponse& response, std::chrono::milliseconds within,
                   TimelineRole::Finish finish) override {
    ++asked;
    if (front_ == nullptr) return finish(absl::UnavailableError("connection refused"));
    front_->GetTimeline(request, response, {.is_peer = true, .within = within}, std::move(finish));
  }
  void GetGrowth(const timeline::v1::GetGrowthRequest& request,
                 timeline::v1::GetGrowthResponse& response, std::chrono::milliseconds within,
                 TimelineRole::Finish finish) override {
    ++asked;
    if (front_ == nullptr) return finish(absl::UnavailableError("connection refused"));
    front_->GetGrowth(request, response, {.is_peer = true, .within = within}, std::move(finish));
  }
  void GetState(timeline::v1::GetStateResponse& response, std::chrono::milliseconds,
                TimelineRole::Finish finish) override {
    if (front_ == nullptr) return finish(absl::UnavailableError("connection refused"));
    timeline::v1::GetStateRequest request;
    request.set_own_only(true);
    finish(front_->GetState(request, response));
  }
  void HoldEvent(const timeline::v1::HoldEventRequest& request,
                 timeline::v1::HoldEventResponse& response, std::chrono::milliseconds,
                 TimelineRole::Finish finish) override {
    if (front_ == nullptr) return finish(absl::UnavailableError("connection refused"));
    finish(front_->HoldEvent(request, response));
  }
  void GetRulesState(timeline::v1::GetRulesStateResponse& response, std::chrono::milliseconds,
                     TimelineRole::Finish finish) override {
    if (front_ == nullptr) return finish(absl::UnavailableError("connection refused"));
    if (is_of_an_older_program) return finish(absl::UnimplementedError(""));
    absl::Status status = front_->GetRulesState({}, response);
    if (knows_only_version != 0) {
      response.clear_versions();
      response.add_versions(knows_only_version);
    }
    finish(std::move(status));
  }
  absl::Status WatchTimeline(const timeline::v1::WatchTimelineRequest& request,
                             const TimelineRole::Listener& listener) override {
    if (front_ == nullptr) return absl::UnavailableError("connection refused");
    return front_->WatchTimeline(request, {.is_peer = true}, listener);
  }
  void Stop() override {}

  int asked = 0;
  bool is_of_an_older_program = false;
  uint32_t knows_only_version = 0;  // of the rules; 0: what there is

 private:
  std::unique_ptr<Front>& front_;
};

}  // namespace simpul::timeline_role
