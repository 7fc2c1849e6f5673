// The gRPC server: start and drain. The adapter between gRPC and plain functions is rpc/call.h.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/base/metrics.h"
#include "lib/base/worker_pool.h"

namespace grpc {
class Service;
class Server;
namespace experimental {
class ExternalConnectionAcceptor;
}  // namespace experimental
}  // namespace grpc

namespace simpul::rpc {

// Largest message taken, in bytes. Above the largest batch, so that one that is somewhat too large
// is refused in ingest's own words. Beyond it gRPC answers RESOURCE_EXHAUSTED, which no handler and
// no interceptor can change; unlike ours (rpc/call.h) it asks nobody to come again. Not more for
// all the same: other messages than batches are parsed by gRPC, to many times their size.
inline constexpr int kReceiveBytesMax = 4 << 20;

// A role's service, made by its _rpc.cc, given to Server::Start. Keeps what it binds to alive.
using ServicePtr = std::shared_ptr<grpc::Service>;

// Connections served at once; more are closed as they come.
inline constexpr size_t kConnectionsMax = 1000;

// Whether HOST:PORT can be listened on now. Errors as Server::Start.
absl::Status CanListen(const std::string& address);

class Draining;
class Listener;

class Server {
 public:
  // Listens on HOST:PORT (port 0: any) in plain text and serves the services, gRPC health and
  // reflection. A silent caller is asked every 60 s whether it is still there, and may ask every 10
  // s; 128 streams a connection. Unavailable: the port is in use, or the host is none of this
  // machine's. InvalidArgument: no HOST:PORT.
  // A connection that does harm is cut (docs/decisions/0006). Connections, those cut and those
  // refused are counted in `metrics`, if any, which outlive the server.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const std::string& address,
                                                       std::vector<ServicePtr> services,
                                                       base::Metrics* metrics = nullptr);

  // HOST:PORT with the port that was chosen.
  const std::string& address() const { return address_; }

  // Health says NOT_SERVING; new calls are refused; streams are told and end as Unavailable; other
  // calls in hand have until the deadline, then nobody waits for them. Connections without a call
  // are closed. Returns when every handler has returned: handlers that wait look at rpc::Cancelled.
  // Idempotent, any thread.
  void Drain(std::chrono::milliseconds within);

  // As Drain(2 s).
  ~Server();

 private:
  Server();
  std::string address_;
  std::vector<ServicePtr> services_;
  std::shared_ptr<Draining> draining_;
  std::once_flag drained_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Listener> listener_;  // last: it hands connections to what stands above
};

}  // namespace simpul::rpc
