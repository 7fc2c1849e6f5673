// The one adapter between gRPC's callback reactors and plain functions. Included only by *_rpc.cc.
//
//   grpc::ServerUnaryReactor* Trace(grpc::CallbackServerContext* context,
//                                   const TraceRequest* request,
//                                   TraceResponse* response) override {
//     return bound_.Unary(context, "Trace", &Forwarder::Trace, request, response);
//   }
//
// Handlers run on the role's worker pool, never on gRPC's threads; a full pool answers
// RESOURCE_EXHAUSTED with a retry delay. A call whose caller has gone by the time its turn comes is
// not run. Every call is counted and timed here, under the names that public dashboards know:
// grpc_server_started_total, grpc_server_handled_total, grpc_server_handling_seconds, with the
// labels grpc_service, grpc_method, grpc_type and grpc_code.
#pragma once

#include <grpcpp/grpcpp.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "lib/base/metrics.h"
#include "lib/base/worker_pool.h"

namespace simpul::rpc {

// The metrics of one method, looked up once.
struct MethodCounts {
  base::Labels labels;
  prometheus::Counter* started = nullptr;
  prometheus::Histogram* seconds = nullptr;
  std::array<std::atomic<prometheus::Counter*>, 17> handled{};  // by status code
};

// The metrics of a service's methods, by name. Any thread.
class CallCounts {
 public:
  MethodCounts& Of(std::string_view service, std::string_view method, std::string_view type,
                   base::Metrics& metrics);

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<MethodCounts>, std::less<>> methods_;
};

// What the calls of one service share. Outlives its server.
struct Calls {
  std::string service;  // simpul.timeline.v1.TimelineService
  base::WorkerPool& pool;
  base::Metrics& metrics;
  int streams_max = 64;  // server streams at once
  std::atomic<int> streams{0};
  CallCounts counts{};
};

// absl's codes are gRPC's codes. ResourceExhausted and Unavailable carry a google.rpc.RetryInfo
// and, when there is a context to put it on, grpc-retry-pushback-ms.
grpc::Status ToGrpc(const absl::Status& status, grpc::CallbackServerContext* context);
absl::Status FromGrpc(const grpc::Status& status);

// True when nobody waits for the answer any more, or the server drains: a handler that waits for
// something returns then. Any thread, while the call lives.
bool Cancelled(const grpc::CallbackServerContext& context);

// Runs `handler` on the pool and finishes the call with what it returns.
grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, Calls& calls,
                                std::string_view method,
                                absl::AnyInvocable<absl::Status()> handler);

// As Unary, for handlers that finish later on another thread: `handler` gets a function to be
// called exactly once. When every copy of it is gone without a call, the call ends as Internal.
using Finish = std::function<void(absl::Status)>;
grpc::ServerUnaryReactor* UnaryAsync(grpc::CallbackServerContext* context, Calls& calls,
                                     std::string_view method,
                                     absl::AnyInvocable<void(Finish)> handler);

// A role behind one service: its methods, the pool they run on and how they are counted. `role` and
// `metrics` must outlive it; it outlives its server.
template <typename Role>
struct Bound {
  // `threads` 0: no unary calls.
  Bound(Role& role_bound, std::string service, base::Metrics& metrics, int threads,
        size_t waiting_max = 1024)
      : role(role_bound),
        pool(threads, waiting_max),
        calls{.service = std::move(service), .pool = pool, .metrics = metrics} {}

  // Answers with what the role's method says.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, std::string_view method,
                                  absl::Status (Role::*handler)(const Request&, Response&),
                                  const Request* request, Response* response) {
    return rpc::Unary(context, calls, method, [this, handler, request, response] {
      return (role.*handler)(*request, *response);
    });
  }

  Role& role;
  base::WorkerPool pool;
  Calls calls;
};

// Where a streaming handler writes. One message in flight: Write returns when gRPC has taken it.
template <typename Response>
class Stream {
 public:
  virtual ~Stream() = default;
  // False when the caller has gone, takes nothing for five minutes, or the server drains: the
  // handler returns. Blocks the handler's thread only.
  [[nodiscard]] virtual bool Write(const Response& response) = 0;
  // True when the handler should return. Any thread.
  virtual bool Cancelled() const = 0;
  // `wake` is called, on any thread, when Cancelled() becomes true, or now if it is: for handlers
  // that wait for something else than Write. It must be short. Null takes it back; once that has
  // returned it is not running.
  virtual void WhenCancelled(std::function<void()> wake) { static_cast<void>(wake); }
};

// Runs `handler` on a thread of its own, at most calls.streams_max at once (else
// RESOURCE_EXHAUSTED). When the server drains, a handler that returns OK or Cancelled ends its call
// as Unavailable, so that the caller comes again.
template <typename Response>
grpc::ServerWriteReactor<Response>* ServerStream(
    grpc::CallbackServerContext* context, Calls& calls, std::string_view method,
    absl::AnyInvocable<absl::Status(Stream<Response>&)> handler);

}  // namespace simpul::rpc

#include "lib/rpc/stream_reactor.h"  // ServerStream
