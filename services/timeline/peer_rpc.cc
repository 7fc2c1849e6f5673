#include "timeline/peer_rpc.h"

#include <grpcpp/grpcpp.h>

#include <mutex>
#include <utility>
#include <vector>

#include "lib/rpc/call.h"
#include "lib/rpc/channel.h"
#include "simpul/timeline/v1/timeline_service.grpc.pb.h"

namespace simpul::timeline_role {
namespace {

// The contexts of the calls in hand.
class Calls {
 public:
  std::shared_ptr<grpc::ClientContext> Begin() {
    auto context = std::make_shared<grpc::ClientContext>();
    context->AddMetadata(kHandedOver, "1");
    const std::lock_guard lock(mutex_);
    std::erase_if(in_hand_, [](const auto& call) { return call.expired(); });
    in_hand_.push_back(context);
    if (stopped_) context->TryCancel();
    return context;
  }
  void Stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const auto& call : in_hand_) {
      if (const auto context = call.lock()) context->TryCancel();
    }
  }

 private:
  std::mutex mutex_;
  bool stopped_ = false;
  std::vector<std::weak_ptr<grpc::ClientContext>> in_hand_;
};

class GrpcPeer final : public Peer {
 public:
  explicit GrpcPeer(const std::string& address)
      : stub_(timeline::v1::TimelineService::NewStub(rpc::Connect(address))) {}

  void GetTimeline(const timeline::v1::GetTimelineRequest& request,
                   timeline::v1::GetTimelineResponse& response, std::chrono::milliseconds within,
                   TimelineRole::Finish finish) override {
    const std::shared_ptr<grpc::ClientContext> context = BeginWithin(within);
    stub_->async()->GetTimeline(context.get(), &request, &response,
                                [context, finish = std::move(finish)](const grpc::Status& status) {
                                  finish(rpc::FromGrpc(status));
                                });
  }

  void GetGrowth(const timeline::v1::GetGrowthRequest& request,
                 timeline::v1::GetGrowthResponse& response, std::chrono::milliseconds within,
                 TimelineRole::Finish finish) override {
    const std::shared_ptr<grpc::ClientContext> context = BeginWithin(within);
    stub_->async()->GetGrowth(context.get(), &request, &response,
                              [context, finish = std::move(finish)](const grpc::Status& status) {
                                finish(rpc::FromGrpc(status));
                              });
  }

  void GetState(timeline::v1::GetStateResponse& response, std::chrono::milliseconds within,
                TimelineRole::Finish finish) override {
    const std::shared_ptr<grpc::ClientContext> context = BeginWithin(within);
    const auto request = std::make_shared<timeline::v1::GetStateRequest>();
    request->set_own_only(true);
    stub_->async()->GetState(context.get(), request.get(), &response,
                             [context, request, finish = std::move(finish)](
                                 const grpc::Status& status) { finish(rpc::FromGrpc(status)); });
  }

  void HoldEvent(const timeline::v1::HoldEventRequest& request,
                 timeline::v1::HoldEventResponse& response, std::chrono::milliseconds within,
                 TimelineRole::Finish finish) override {
    const std::shared_ptr<grpc::ClientContext> context = BeginWithin(within);
    stub_->async()->HoldEvent(context.get(), &request, &response,
                              [context, finish = std::move(finish)](const grpc::Status& status) {
                                finish(rpc::FromGrpc(status));
                              });
  }

  void GetRulesState(timeline::v1::GetRulesStateResponse& response,
                     std::chrono::milliseconds within, TimelineRole::Finish finish) override {
    const std::shared_ptr<grpc::ClientContext> context = BeginWithin(within);
    const auto request = std::make_shared<timeline::v1::GetRulesStateRequest>();
    stub_->async()->GetRulesState(
        context.get(), request.get(), &response,
        [context, request, finish = std::move(finish)](const grpc::Status& status) {
          finish(rpc::FromGrpc(status));
        });
  }

  absl::Status WatchTimeline(const timeline::v1::WatchTimelineRequest& request,
                             const TimelineRole::Listener& listener) override {
    const std::shared_ptr<grpc::ClientContext> context = calls_.Begin();
    listener.when_gone([context] { context->TryCancel(); });
    const auto reader = stub_->WatchTimeline(context.get(), request);
    timeline::v1::WatchTimelineResponse response;
    while (reader->Read(&response)) {
      if (!listener.write(response)) context->TryCancel();
    }
    const grpc::Status status = reader->Finish();
    listener.when_gone(nullptr);
    return listener.gone() ? absl::OkStatus() : rpc::FromGrpc(status);
  }

  void Stop() override { calls_.Stop(); }

 private:
  std::shared_ptr<grpc::ClientContext> BeginWithin(std::chrono::milliseconds within) {
    std::shared_ptr<grpc::ClientContext> context = calls_.Begin();
    context->set_deadline(std::chrono::system_clock::now() + within);
    return context;
  }

  const std::unique_ptr<timeline::v1::TimelineService::Stub> stub_;
  Calls calls_;
};

}  // namespace

std::unique_ptr<Peer> PeerAt(const std::string& address) {
  return std::make_unique<GrpcPeer>(address);
}

}  // namespace simpul::timeline_role
