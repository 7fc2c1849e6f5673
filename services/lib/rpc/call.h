// The one adapter between gRPC's callback reactors and plain functions. Included only by *_rpc.cc.
//
//   grpc::ServerUnaryReactor* GetTimeline(grpc::CallbackServerContext* context, const
//   GetTimelineRequest* request,
//                                         GetTimelineResponse* response) override {
//     return rpc::Unary(context, calls_, "GetTimeline", [this, request, response] { return
//     role_.Get(*request, *response); });
//   }
//
// Handlers run on the role's worker pool, never on gRPC's threads; a full pool answers
// RESOURCE_EXHAUSTED with a retry delay. Every call is counted and timed here
// (grpc_server_handled_total, grpc_server_handling_seconds).
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "lib/base/metrics.h"
#include "lib/base/worker_pool.h"

namespace simpul::rpc {

// What the calls of one service share. Outlives its server.
struct Calls {
  std::string service;  // simpul.timeline.v1.TimelineService
  base::WorkerPool& pool;
  base::Metrics& metrics;
  int streams_max = 64;  // server streams at once
  std::atomic<int> streams{0};
};

// absl's codes are gRPC's codes. ResourceExhausted and Unavailable carry a RetryInfo and
// grpc-retry-pushback-ms.
grpc::Status ToGrpc(const absl::Status& status, grpc::CallbackServerContext* context);
absl::Status FromGrpc(const grpc::Status& status);

// Runs `handler` on the pool and finishes the call with what it returns.
grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, Calls& calls,
                                std::string_view method,
                                absl::AnyInvocable<absl::Status()> handler);

// As Unary, for handlers that finish later on another thread: `handler` gets a function to be
// called exactly once.
using Finish = std::function<void(absl::Status)>;
grpc::ServerUnaryReactor* UnaryAsync(grpc::CallbackServerContext* context, Calls& calls,
                                     std::string_view method,
                                     absl::AnyInvocable<void(Finish)> handler);

// Where a streaming handler writes. One message in flight: Write returns when gRPC has taken it.
template <typename Response>
class Stream {
 public:
  virtual ~Stream() = default;
  // False when the caller has gone or the server drains: the handler returns. Blocks the handler's
  // thread only.
  [[nodiscard]] virtual bool Write(const Response& response) = 0;
  // True when the handler should return. Any thread.
  virtual bool Cancelled() const = 0;
};

// Runs `handler` on a thread of its own, at most calls.streams_max at once (else
// RESOURCE_EXHAUSTED).
template <typename Response>
grpc::ServerWriteReactor<Response>* ServerStream(
    grpc::CallbackServerContext* context, Calls& calls, std::string_view method,
    absl::AnyInvocable<absl::Status(Stream<Response>&)> handler);

}  // namespace simpul::rpc

#include "lib/rpc/stream_reactor.h"  // ServerStream
