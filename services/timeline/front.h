// Any replica takes any question: what it does not keep, or has not caught up with, it hands to an
// owner, once. Replicas may for a while be of different opinion on how many there are.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "lib/base/clock.h"
#include "lib/event/subject.h"
#include "lib/eventlog/ownership.h"
#include "simpul/timeline/v1/timeline_service.pb.h"
#include "timeline/peer.h"
#include "timeline/quarantine.h"
#include "timeline/rule_activation.h"
#include "timeline/timeline_role.h"

namespace simpul::timeline_role {

// Thread-safe. All it was given must outlive it.
class Front {
 public:
  // Of a role that keeps everything.
  Front(TimelineRole& role, const event::Secret& secret) : Front(role, secret, {}, {}) {}
  // `peers` by replica number; its own place may be null.
  Front(TimelineRole& role, const event::Secret& secret, const eventlog::Replica& replica,
        std::vector<std::unique_ptr<Peer>> peers, const base::Clock& clock = base::SystemClock());

  // Who asks.
  struct Caller {
    bool is_peer = false;  // another replica, which handed it over
    std::chrono::milliseconds within = std::chrono::hours(1);  // how long the answer is waited for
  };

  // As TimelineRole's. Unavailable: no owner that has caught up can be reached; the message says
  // what each of them said.
  void GetTimeline(const timeline::v1::GetTimelineRequest& request,
                   timeline::v1::GetTimelineResponse& response, const Caller& caller,
                   TimelineRole::Finish finish);
  void GetGrowth(const timeline::v1::GetGrowthRequest& request,
                 timeline::v1::GetGrowthResponse& response, const Caller& caller,
                 TimelineRole::Finish finish);
  absl::Status WatchTimeline(const timeline::v1::WatchTimelineRequest& request,
                             const Caller& caller, const TimelineRole::Listener& listener);

  // Leaves an event out, with all owners of its partition: quarantine.h.
  absl::Status QuarantineEvent(const timeline::v1::QuarantineEventRequest& request,
                               timeline::v1::QuarantineEventResponse& response);
  // As TimelineRole's.
  absl::Status HoldEvent(const timeline::v1::HoldEventRequest& request,
                         timeline::v1::HoldEventResponse& response);

  // Asks every replica: rule_activation.h.
  absl::Status ListRules(const timeline::v1::ListRulesRequest& request,
                         timeline::v1::ListRulesResponse& response);
  absl::Status ActivateRules(const timeline::v1::ActivateRulesRequest& request,
                             timeline::v1::ActivateRulesResponse& response);
  // As TimelineRole's.
  absl::Status GetRulesState(const timeline::v1::GetRulesStateRequest& request,
                             timeline::v1::GetRulesStateResponse& response);

  // The role's, and calls that were handed over. Idempotent.
  void EndWaits();

  // What every replica keeps, put together, unless only this one's is asked for. Waits for the
  // others for two seconds at the most; who did not answer is named.
  absl::Status GetState(const timeline::v1::GetStateRequest& request,
                        timeline::v1::GetStateResponse& response);

 private:
  template <typename Request, typename Response>
  struct Handover;
  // A peer, and until when it is asked last: it did not answer.
  struct Known {
    std::unique_ptr<Peer> peer;
    std::atomic<std::chrono::steady_clock::rep> silent_until = 0;
  };

  bool AnswersHere(uint32_t partition) const;
  absl::Status NotHere(uint32_t partition) const;
  std::vector<uint32_t> OthersToAsk(uint32_t partition) const;
  void Remember(uint32_t replica, const absl::Status& status);
  std::vector<uint32_t> Everybody() const;
  void AskRulesOf(uint32_t replica, timeline::v1::GetRulesStateResponse& response,
                  TimelineRole::Finish finish);
  template <typename Request, typename Response, typename OfRole, typename OfPeer>
  void Answer(const Request& request, Response& response, const Caller& caller,
              TimelineRole::Finish finish, OfRole of_role, OfPeer of_peer);
  template <typename Request, typename Response>
  void AskNext(const std::shared_ptr<Handover<Request, Response>>& handover);

  TimelineRole& role_;
  const event::Secret& secret_;
  const eventlog::Replica replica_;
  std::deque<Known> peers_;
  const base::Clock& clock_;
  base::Pause pause_;  // of a quarantine or an activation that waits for an owner
};

}  // namespace simpul::timeline_role
