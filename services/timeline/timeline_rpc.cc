#include "timeline/timeline_rpc.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "lib/rpc/call.h"
#include "simpul/timeline/v1/timeline_service.grpc.pb.h"
#include "timeline/peer_rpc.h"

namespace simpul::timeline_role {
namespace {

constexpr int kThreads = 4;

class TimelineService final : public timeline::v1::TimelineService::CallbackService {
 public:
  TimelineService(Front& front, base::Metrics& metrics)
      : bound_(front, "simpul.timeline.v1.TimelineService", metrics, kThreads) {}

 private:
  grpc::ServerUnaryReactor* GetTimeline(grpc::CallbackServerContext* context,
                                        const timeline::v1::GetTimelineRequest* request,
                                        timeline::v1::GetTimelineResponse* response) override {
    return rpc::UnaryAsync(context, bound_.calls, "GetTimeline",
                           [this, context, request, response](rpc::Finish finish) {
                             bound_.role.GetTimeline(*request, *response, CallerOf(*context),
                                                     std::move(finish));
                           });
  }

  grpc::ServerUnaryReactor* GetGrowth(grpc::CallbackServerContext* context,
                                      const timeline::v1::GetGrowthRequest* request,
                                      timeline::v1::GetGrowthResponse* response) override {
    return rpc::UnaryAsync(
        context, bound_.calls, "GetGrowth", [this, context, request, response](rpc::Finish finish) {
          bound_.role.GetGrowth(*request, *response, CallerOf(*context), std::move(finish));
        });
  }

  grpc::ServerWriteReactor<timeline::v1::WatchTimelineResponse>* WatchTimeline(
      grpc::CallbackServerContext* context,
      const timeline::v1::WatchTimelineRequest* request) override {
    using Stream = rpc::Stream<timeline::v1::WatchTimelineResponse>;
    return rpc::ServerStream<timeline::v1::WatchTimelineResponse>(
        context, bound_.calls, "WatchTimeline", [this, context, request](Stream& stream) {
          return bound_.role.WatchTimeline(
              *request, CallerOf(*context),
              {.write = [&stream](const auto& response) { return stream.Write(response); },
               .gone = [&stream] { return stream.Cancelled(); },
               .when_gone =
                   [&stream](std::function<void()> wake) {
                     stream.WhenCancelled(std::move(wake));
                   }});
        });
  }

  grpc::ServerUnaryReactor* GetState(grpc::CallbackServerContext* context,
                                     const timeline::v1::GetStateRequest* request,
                                     timeline::v1::GetStateResponse* response) override {
    return bound_.Unary(context, "GetState", &Front::GetState, request, response);
  }

  grpc::ServerUnaryReactor* QuarantineEvent(
      grpc::CallbackServerContext* context, const timeline::v1::QuarantineEventRequest* request,
      timeline::v1::QuarantineEventResponse* response) override {
    return bound_.Unary(context, "QuarantineEvent", &Front::QuarantineEvent, request, response);
  }

  grpc::ServerUnaryReactor* HoldEvent(grpc::CallbackServerContext* context,
                                      const timeline::v1::HoldEventRequest* request,
                                      timeline::v1::HoldEventResponse* response) override {
    return bound_.Unary(context, "HoldEvent", &Front::HoldEvent, request, response);
  }

  grpc::ServerUnaryReactor* ListRules(grpc::CallbackServerContext* context,
                                      const timeline::v1::ListRulesRequest* request,
                                      timeline::v1::ListRulesResponse* response) override {
    return bound_.Unary(context, "ListRules", &Front::ListRules, request, response);
  }

  grpc::ServerUnaryReactor* ActivateRules(grpc::CallbackServerContext* context,
                                          const timeline::v1::ActivateRulesRequest* request,
                                          timeline::v1::ActivateRulesResponse* response) override {
    return bound_.Unary(context, "ActivateRules", &Front::ActivateRules, request, response);
  }

  grpc::ServerUnaryReactor* GetRulesState(grpc::CallbackServerContext* context,
                                          const timeline::v1::GetRulesStateRequest* request,
                                          timeline::v1::GetRulesStateResponse* response) override {
    return bound_.Unary(context, "GetRulesState", &Front::GetRulesState, request, response);
  }

  static Front::Caller CallerOf(const grpc::CallbackServerContext& context) {
    Front::Caller caller;
    caller.is_peer = context.client_metadata().contains(kHandedOver);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        context.deadline() - std::chrono::system_clock::now());
    caller.within = std::min(left, caller.within);
    return caller;
  }

  rpc::Bound<Front> bound_;
};

}  // namespace

rpc::ServicePtr BindTimeline(Front& front, base::Metrics& metrics) {
  return std::make_shared<TimelineService>(front, metrics);
}

}  // namespace simpul::timeline_role
