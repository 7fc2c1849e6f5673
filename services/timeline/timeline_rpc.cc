#include "timeline/timeline_rpc.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "lib/rpc/call.h"
#include "simpul/timeline/v1/timeline_service.grpc.pb.h"

namespace simpul::timeline_role {
namespace {

constexpr int kThreads = 4;

class TimelineService final : public timeline::v1::TimelineService::CallbackService {
 public:
  TimelineService(TimelineRole& role, base::Metrics& metrics)
      : bound_(role, "simpul.timeline.v1.TimelineService", metrics, kThreads) {}

 private:
  grpc::ServerUnaryReactor* GetTimeline(grpc::CallbackServerContext* context,
                                        const timeline::v1::GetTimelineRequest* request,
                                        timeline::v1::GetTimelineResponse* response) override {
    return rpc::UnaryAsync(context, bound_.calls, "GetTimeline",
                           [this, request, response](rpc::Finish finish) {
                             bound_.role.GetTimeline(*request, *response, std::move(finish));
                           });
  }

  grpc::ServerWriteReactor<timeline::v1::WatchTimelineResponse>* WatchTimeline(
      grpc::CallbackServerContext* context,
      const timeline::v1::WatchTimelineRequest* request) override {
    using Stream = rpc::Stream<timeline::v1::WatchTimelineResponse>;
    return rpc::ServerStream<timeline::v1::WatchTimelineResponse>(
        context, bound_.calls, "WatchTimeline", [this, request](Stream& stream) {
          return bound_.role.WatchTimeline(
              *request,
              {.write = [&stream](const auto& response) { return stream.Write(response); },
               .gone = [&stream] { return stream.Cancelled(); },
               .when_gone =
                   [&stream](std::function<void()> wake) {
                     stream.WhenCancelled(std::move(wake));
                   }});
        });
  }

  grpc::ServerUnaryReactor* GetState(grpc::CallbackServerContext* context,
                                     const timeline::v1::GetStateRequest*,
                                     timeline::v1::GetStateResponse* response) override {
    return rpc::Unary(context, bound_.calls, "GetState",
                      [this, response] { return bound_.role.GetState(*response); });
  }

  rpc::Bound<TimelineRole> bound_;
};

}  // namespace

rpc::ServicePtr BindTimeline(TimelineRole& role, base::Metrics& metrics) {
  return std::make_shared<TimelineService>(role, metrics);
}

}  // namespace simpul::timeline_role
