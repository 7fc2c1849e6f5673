#include "forwarder/forwarder_rpc.h"

#include <grpcpp/grpcpp.h>

#include "lib/rpc/call.h"
#include "simpul/delivery/v1/delivery.grpc.pb.h"

namespace simpul::forwarder {
namespace {

// Some calls wait for the ledger to catch up: more threads than cores.
constexpr int kThreads = 8;
constexpr size_t kCallsWaitingMax = 1024;

class DeliveryService final : public delivery::v1::DeliveryService::CallbackService {
 public:
  DeliveryService(Forwarder& forwarder, base::Metrics& metrics)
      : forwarder_(forwarder),
        pool_(kThreads, kCallsWaitingMax),
        calls_{.service = "simpul.delivery.v1.DeliveryService", .pool = pool_, .metrics = metrics} {
  }

 private:
  grpc::ServerUnaryReactor* Trace(grpc::CallbackServerContext* context,
                                  const delivery::v1::TraceRequest* request,
                                  delivery::v1::TraceResponse* response) override {
    return rpc::Unary(context, calls_, "Trace",
                      [this, request, response] { return forwarder_.Trace(*request, *response); });
  }

  grpc::ServerUnaryReactor* ListDeliveries(
      grpc::CallbackServerContext* context, const delivery::v1::ListDeliveriesRequest* request,
      delivery::v1::ListDeliveriesResponse* response) override {
    return rpc::Unary(context, calls_, "ListDeliveries", [this, request, response] {
      return forwarder_.ListDeliveries(*request, *response);
    });
  }

  grpc::ServerUnaryReactor* ListDeadLetters(
      grpc::CallbackServerContext* context, const delivery::v1::ListDeadLettersRequest* request,
      delivery::v1::ListDeadLettersResponse* response) override {
    return rpc::Unary(context, calls_, "ListDeadLetters", [this, request, response] {
      return forwarder_.ListDeadLetters(*request, *response);
    });
  }

  grpc::ServerUnaryReactor* Resend(grpc::CallbackServerContext* context,
                                   const delivery::v1::ResendRequest* request,
                                   delivery::v1::ResendResponse* response) override {
    return rpc::Unary(context, calls_, "Resend",
                      [this, request, response] { return forwarder_.Resend(*request, *response); });
  }

  grpc::ServerUnaryReactor* Pause(grpc::CallbackServerContext* context,
                                  const delivery::v1::PauseRequest* request,
                                  delivery::v1::PauseResponse* response) override {
    return rpc::Unary(context, calls_, "Pause",
                      [this, request, response] { return forwarder_.Pause(*request, *response); });
  }

  grpc::ServerUnaryReactor* Resume(grpc::CallbackServerContext* context,
                                   const delivery::v1::ResumeRequest* request,
                                   delivery::v1::ResumeResponse* response) override {
    return rpc::Unary(context, calls_, "Resume",
                      [this, request, response] { return forwarder_.Resume(*request, *response); });
  }

  grpc::ServerUnaryReactor* GetLedger(grpc::CallbackServerContext* context,
                                      const delivery::v1::GetLedgerRequest* request,
                                      delivery::v1::GetLedgerResponse* response) override {
    return rpc::Unary(context, calls_, "GetLedger", [this, request, response] {
      return forwarder_.GetLedger(*request, *response);
    });
  }

  Forwarder& forwarder_;
  base::WorkerPool pool_;
  rpc::Calls calls_;
};

}  // namespace

rpc::ServicePtr BindForwarder(Forwarder& forwarder, base::Metrics& metrics) {
  return std::make_shared<DeliveryService>(forwarder, metrics);
}

}  // namespace simpul::forwarder
