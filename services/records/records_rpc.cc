#include "records/records_rpc.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "lib/rpc/call.h"
#include "simpul/records/v1/records.grpc.pb.h"

namespace simpul::records {
namespace {

// Each holds a thread and a subscription.
constexpr int kPullersMax = 16;

class StreamReceiver final : public Receiver {
 public:
  explicit StreamReceiver(rpc::Stream<v1::PullRecordsResponse>& stream) : stream_(stream) {}
  bool Take(const v1::PullRecordsResponse& record) override { return stream_.Write(record); }
  bool Cancelled() const override { return stream_.Cancelled(); }
  void WhenCancelled(std::function<void()> wake) override {
    stream_.WhenCancelled(std::move(wake));
  }

 private:
  rpc::Stream<v1::PullRecordsResponse>& stream_;
};

class RecordsService final : public v1::RecordsService::CallbackService {
 public:
  RecordsService(Records& records, base::Metrics& metrics)
      : bound_(records, "simpul.records.v1.RecordsService", metrics, 0) {
    bound_.calls.streams_max = kPullersMax;
  }

 private:
  grpc::ServerWriteReactor<v1::PullRecordsResponse>* PullRecords(
      grpc::CallbackServerContext* context, const v1::PullRecordsRequest* request) override {
    return rpc::ServerStream<v1::PullRecordsResponse>(
        context, bound_.calls, "PullRecords",
        [this, request](rpc::Stream<v1::PullRecordsResponse>& stream) {
          StreamReceiver receiver(stream);
          return bound_.role.Pull(*request, receiver);
        });
  }

  rpc::Bound<Records> bound_;
};

}  // namespace

rpc::ServicePtr BindRecords(Records& records, base::Metrics& metrics) {
  return std::make_shared<RecordsService>(records, metrics);
}

}  // namespace simpul::records
