#include "ingest/ingest_rpc.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "ingest/batch.h"
#include "lib/rpc/call.h"
#include "simpul/ingest/v1/ingest.grpc.pb.h"

namespace simpul::ingest {
namespace {

// Requests that have come and have no answer yet, in bytes. The log bounds what it has in flight by
// itself; this bounds what waits before it.
constexpr size_t kBytesInHandMax = 32 << 20;
constexpr size_t kCallsWaitingMax = 4096;

int Threads() { return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 2, 8); }

std::string_view Traceparent(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find("traceparent");
  if (found == context.client_metadata().end()) return {};
  return {found->second.data(), found->second.size()};
}

// The method is taken raw: gRPC would parse the whole message, and one broken event would refuse
// all. Reflection still describes the typed service.
using RawService =
    v1::IngestService::WithRawCallbackMethod_SubmitEvents<v1::IngestService::Service>;

// Bytes of a request, counted as in hand until this is gone. It may outlive the service: an answer
// of the log is let go after the call has ended.
class Hold {
 public:
  Hold(std::shared_ptr<std::atomic<size_t>> total, size_t bytes)
      : total_(std::move(total)),
        bytes_(bytes),
        fits_(total_->fetch_add(bytes) + bytes <= kBytesInHandMax) {}
  Hold(Hold&& other) noexcept = default;
  Hold& operator=(Hold&&) = delete;
  ~Hold() {
    if (total_ != nullptr) total_->fetch_sub(bytes_);
  }

  bool fits() const { return fits_; }

 private:
  std::shared_ptr<std::atomic<size_t>> total_;
  size_t bytes_;
  bool fits_;
};

class IngestService final : public RawService {
 public:
  IngestService(Ingest& ingest, base::Metrics& metrics)
      : bound_(ingest, "simpul.ingest.v1.IngestService", metrics, Threads(), kCallsWaitingMax) {}

 private:
  using RawService::SubmitEvents;

  grpc::ServerUnaryReactor* SubmitEvents(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override {
    return rpc::UnaryAsync(
        context, bound_.calls, "SubmitEvents",
        [this, context, request, response,
         hold = Hold(bytes_in_hand_, request->Length())](rpc::Finish finish) mutable {
          if (absl::Status size = CheckRequestBytes(request->Length()); !size.ok()) {
            return finish(std::move(size));
          }
          if (!hold.fits()) {
            return finish(absl::ResourceExhaustedError(
                "Too many events are waiting; nothing was written. Send the same again after a "
                "pause."));
          }
          grpc::Slice slice;
          if (!request->DumpToSingleSlice(&slice).ok()) {
            return finish(absl::InternalError("The request cannot be read."));
          }
          bound_.role.Submit(
              {reinterpret_cast<const char*>(slice.begin()), slice.size()}, Traceparent(*context),
              [response, hold = std::move(hold),
               finish = std::move(finish)](absl::StatusOr<v1::SubmitEventsResponse> answer) {
                if (!answer.ok()) return finish(answer.status());
                bool owned = false;
                const grpc::Status written =
                    grpc::SerializationTraits<v1::SubmitEventsResponse>::Serialize(
                        *answer, response, &owned);
                finish(rpc::FromGrpc(written));
              });
        });
  }

  const std::shared_ptr<std::atomic<size_t>> bytes_in_hand_ =
      std::make_shared<std::atomic<size_t>>(0);
  rpc::Bound<Ingest> bound_;
};

}  // namespace

rpc::ServicePtr BindIngest(Ingest& ingest, base::Metrics& metrics) {
  return std::make_shared<IngestService>(ingest, metrics);
}

}  // namespace simpul::ingest
