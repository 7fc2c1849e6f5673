#include "simpul/client_rpc.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>

#include <charconv>
#include <mutex>
#include <set>
#include <utility>

#include "lib/rpc/call.h"
#include "lib/rpc/channel.h"
#include "simpul/delivery/v1/delivery.grpc.pb.h"
#include "simpul/ingest/v1/ingest.grpc.pb.h"
#include "simpul/records/v1/records.grpc.pb.h"
#include "simpul/timeline/v1/timeline_service.grpc.pb.h"

namespace simpul::cli {
// Above gRPC's pause before it tries to connect again (100 ms and some).
constexpr std::chrono::milliseconds kSecondTry{500};

struct Client::Impl {
  explicit Impl(const std::string& address)
      : channel(rpc::Connect(address)),
        ingest(ingest::v1::IngestService::NewStub(channel)),
        timeline(timeline::v1::TimelineService::NewStub(channel)),
        delivery(delivery::v1::DeliveryService::NewStub(channel)),
        records(records::v1::RecordsService::NewStub(channel)) {}

  // A context that Cancel reaches for as long as it lives.
  class Call {
   public:
    explicit Call(Impl& impl) : impl_(impl) {
      impl_.AwaitConnection();
      const std::lock_guard lock(impl_.mutex);
      impl_.calls.insert(&context);
      if (impl_.cancelled) context.TryCancel();
    }
    ~Call() {
      const std::lock_guard lock(impl_.mutex);
      impl_.calls.erase(&context);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    grpc::ClientContext context;

   private:
    Impl& impl_;
  };

  // Gives the first connection a second try. gRPC 1.51 may take one that is being made for one that
  // failed: it looks at connect's errno only after calls that may have changed it.
  void AwaitConnection() {
    std::call_once(connected, [this] {
      channel->WaitForConnected(std::chrono::system_clock::now() + kSecondTry);
    });
  }

  template <typename Stub, typename Request, typename Response>
  absl::Status Unary(Stub& stub,
                     grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                     const Request& request, Response& response, Deadline deadline) {
    Call call(*this);
    call.context.set_deadline(std::chrono::system_clock::now() + deadline);
    return rpc::FromGrpc((stub.*method)(&call.context, request, &response));
  }

  std::shared_ptr<grpc::Channel> channel;
  std::once_flag connected;
  std::unique_ptr<ingest::v1::IngestService::Stub> ingest;
  std::unique_ptr<timeline::v1::TimelineService::Stub> timeline;
  std::unique_ptr<delivery::v1::DeliveryService::Stub> delivery;
  std::unique_ptr<records::v1::RecordsService::Stub> records;
  std::mutex mutex;
  std::set<grpc::ClientContext*> calls;
  bool cancelled = false;
};

Client::Client(std::string address) : address_(std::move(address)) {
  // Both libraries write to standard error what the command itself says better.
  gpr_set_log_function([](gpr_log_func_args*) {});
  google::protobuf::SetLogHandler(nullptr);
  impl_ = std::make_unique<Impl>(address_);
}

Client::~Client() = default;

absl::Status Client::SubmitEvents(const ingest::v1::SubmitEventsRequest& request,
                                  ingest::v1::SubmitEventsResponse& response, Deadline deadline,
                                  std::chrono::milliseconds& wait) {
  Impl::Call call(*impl_);
  call.context.set_deadline(std::chrono::system_clock::now() + deadline);
  const absl::Status status =
      rpc::FromGrpc(impl_->ingest->SubmitEvents(&call.context, request, &response));
  wait = std::chrono::milliseconds(0);
  const auto& trailers = call.context.GetServerTrailingMetadata();
  if (const auto found = trailers.find("grpc-retry-pushback-ms"); found != trailers.end()) {
    int64_t ms = 0;
    const auto& text = found->second;
    if (std::from_chars(text.data(), text.data() + text.size(), ms).ec == std::errc() && ms > 0) {
      wait = std::chrono::milliseconds(ms);
    }
  }
  return status;
}

absl::Status Client::GetTimeline(const timeline::v1::GetTimelineRequest& request,
                                 timeline::v1::GetTimelineResponse& response, Deadline deadline) {
  return impl_->Unary(*impl_->timeline, &timeline::v1::TimelineService::Stub::GetTimeline, request,
                      response, deadline);
}

absl::Status Client::GetGrowth(const timeline::v1::GetGrowthRequest& request,
                               timeline::v1::GetGrowthResponse& response, Deadline deadline) {
  return impl_->Unary(*impl_->timeline, &timeline::v1::TimelineService::Stub::GetGrowth, request,
                      response, deadline);
}

absl::Status Client::GetState(timeline::v1::GetStateResponse& response, Deadline deadline) {
  return impl_->Unary(*impl_->timeline, &timeline::v1::TimelineService::Stub::GetState,
                      timeline::v1::GetStateRequest(), response, deadline);
}

absl::Status Client::QuarantineEvent(const timeline::v1::QuarantineEventRequest& request,
                                     timeline::v1::QuarantineEventResponse& response,
                                     Deadline deadline) {
  return impl_->Unary(*impl_->timeline, &timeline::v1::TimelineService::Stub::QuarantineEvent,
                      request, response, deadline);
}

absl::Status Client::ListRules(timeline::v1::ListRulesResponse& response, Deadline deadline) {
  return impl_->Unary(*impl_->timeline, &timeline::v1::TimelineService::Stub::ListRules,
                      timeline::v1::ListRulesRequest(), response, deadline);
}

absl::Status Client::ActivateRules(const timeline::v1::ActivateRulesRequest& request,
                                   timeline::v1::ActivateRulesResponse& response,
                                   Deadline deadline) {
  return impl_->Unary(*impl_->timeline, &timeline::v1::TimelineService::Stub::ActivateRules,
                      request, response, deadline);
}

absl::Status Client::GetLedger(delivery::v1::GetLedgerResponse& response, Deadline deadline) {
  return impl_->Unary(*impl_->delivery, &delivery::v1::DeliveryService::Stub::GetLedger,
                      delivery::v1::GetLedgerRequest(), response, deadline);
}

absl::Status Client::Trace(const delivery::v1::TraceRequest& request,
                           delivery::v1::TraceResponse& response, Deadline deadline) {
  return impl_->Unary(*impl_->delivery, &delivery::v1::DeliveryService::Stub::Trace, request,
                      response, deadline);
}

absl::Status Client::ListDeadLetters(const delivery::v1::ListDeadLettersRequest& request,
                                     delivery::v1::ListDeadLettersResponse& response,
                                     Deadline deadline) {
  return impl_->Unary(*impl_->delivery, &delivery::v1::DeliveryService::Stub::ListDeadLetters,
                      request, response, deadline);
}

absl::Status Client::Resend(const delivery::v1::ResendRequest& request,
                            delivery::v1::ResendResponse& response, Deadline deadline) {
  return impl_->Unary(*impl_->delivery, &delivery::v1::DeliveryService::Stub::Resend, request,
                      response, deadline);
}

absl::Status Client::Pause(const delivery::v1::PauseRequest& request, Deadline deadline) {
  delivery::v1::PauseResponse response;
  return impl_->Unary(*impl_->delivery, &delivery::v1::DeliveryService::Stub::Pause, request,
                      response, deadline);
}

absl::Status Client::Resume(Deadline deadline) {
  delivery::v1::ResumeResponse response;
  return impl_->Unary(*impl_->delivery, &delivery::v1::DeliveryService::Stub::Resume,
                      delivery::v1::ResumeRequest(), response, deadline);
}

absl::Status Client::PullRecords(
    const records::v1::PullRecordsRequest& request,
    const std::function<bool(const records::v1::PullRecordsResponse&)>& on_record) {
  Impl::Call call(*impl_);
  const auto stream = impl_->records->PullRecords(&call.context, request);
  records::v1::PullRecordsResponse record;
  bool stopped = false;
  while (stream->Read(&record)) {
    if (!on_record(record)) {
      stopped = true;
      call.context.TryCancel();
      break;
    }
  }
  const grpc::Status status = stream->Finish();
  return stopped ? absl::OkStatus() : rpc::FromGrpc(status);
}

void Client::Cancel() {
  const std::lock_guard lock(impl_->mutex);
  impl_->cancelled = true;
  for (grpc::ClientContext* context : impl_->calls) context->TryCancel();
}

}  // namespace simpul::cli
