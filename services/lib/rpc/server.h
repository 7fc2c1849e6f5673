// The gRPC server: start, drain, and the one adapter between gRPC and plain functions (rpc/call.h).
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lib/base/metrics.h"
#include "lib/base/worker_pool.h"

namespace grpc {
class Service;
class Server;
}  // namespace grpc

namespace simpul::rpc {

// Largest message taken, in bytes: a batch of 1 MiB and its frame.
inline constexpr int kReceiveBytesMax = (1 << 20) + (64 << 10);

// A role's service, made by its _rpc.cc, given to Server::Start. Keeps what it binds to alive.
using ServicePtr = std::shared_ptr<grpc::Service>;

class Server {
 public:
  // Listens on HOST:PORT (port 0: any) in plain text and serves the services, gRPC health and
  // reflection. Keepalive and limits as docs/operating.md says. Unavailable: the port is in use, or
  // the host is none of this machine's.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const std::string& address,
                                                       std::vector<ServicePtr> services);

  // HOST:PORT with the port that was chosen.
  const std::string& address() const { return address_; }

  // Health says NOT_SERVING; new calls are refused; calls in hand have until the deadline; then it
  // stops. Idempotent.
  void Drain(std::chrono::milliseconds within);

  // As Drain(2 s).
  ~Server();

 private:
  Server() = default;
  std::string address_;
  std::vector<ServicePtr> services_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace simpul::rpc
