#include "forwarder/forwarder_rpc.h"

#include <grpcpp/grpcpp.h>

#include "lib/rpc/call.h"
#include "simpul/delivery/v1/delivery.grpc.pb.h"

namespace simpul::forwarder {
namespace {

// Some calls wait for the ledger to catch up: more threads than cores.
constexpr int kThreads = 8;

class DeliveryService final : public delivery::v1::DeliveryService::CallbackService {
 public:
  DeliveryService(Forwarder& forwarder, base::Metrics& metrics)
      : bound_(forwarder, "simpul.delivery.v1.DeliveryService", metrics, kThreads) {}

 private:
  grpc::ServerUnaryReactor* Trace(grpc::CallbackServerContext* context,
                                  const delivery::v1::TraceRequest* request,
                                  delivery::v1::TraceResponse* response) override {
    return bound_.Unary(context, "Trace", &Forwarder::Trace, request, response);
  }

  grpc::ServerUnaryReactor* ListDeliveries(
      grpc::CallbackServerContext* context, const delivery::v1::ListDeliveriesRequest* request,
      delivery::v1::ListDeliveriesResponse* response) override {
    return bound_.Unary(context, "ListDeliveries", &Forwarder::ListDeliveries, request, response);
  }

  grpc::ServerUnaryReactor* ListDeadLetters(
      grpc::CallbackServerContext* context, const delivery::v1::ListDeadLettersRequest* request,
      delivery::v1::ListDeadLettersResponse* response) override {
    return bound_.Unary(context, "ListDeadLetters", &Forwarder::ListDeadLetters, request, response);
  }

  grpc::ServerUnaryReactor* Resend(grpc::CallbackServerContext* context,
                                   const delivery::v1::ResendRequest* request,
                                   delivery::v1::ResendResponse* response) override {
    return bound_.Unary(context, "Resend", &Forwarder::Resend, request, response);
  }

  grpc::ServerUnaryReactor* Pause(grpc::CallbackServerContext* context,
                                  const delivery::v1::PauseRequest* request,
                                  delivery::v1::PauseResponse* response) override {
    return bound_.Unary(context, "Pause", &Forwarder::Pause, request, response);
  }

  grpc::ServerUnaryReactor* Resume(grpc::CallbackServerContext* context,
                                   const delivery::v1::ResumeRequest* request,
                                   delivery::v1::ResumeResponse* response) override {
    return bound_.Unary(context, "Resume", &Forwarder::Resume, request, response);
  }

  grpc::ServerUnaryReactor* GetLedger(grpc::CallbackServerContext* context,
                                      const delivery::v1::GetLedgerRequest* request,
                                      delivery::v1::GetLedgerResponse* response) override {
    return bound_.Unary(context, "GetLedger", &Forwarder::GetLedger, request, response);
  }

  rpc::Bound<Forwarder> bound_;
};

}  // namespace

rpc::ServicePtr BindForwarder(Forwarder& forwarder, base::Metrics& metrics) {
  return std::make_shared<DeliveryService>(forwarder, metrics);
}

}  // namespace simpul::forwarder
