// The accept loop of the gRPC server, and the guard over its connections. Within lib/rpc only.
//
// gRPC's own accept loop of this version never accepts again once the process has run out of file
// descriptors, and takes any number of connections. This one goes on after any error, closes what
// comes beyond its limit, and cuts connections that do harm (connection_guard.h).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "lib/base/metrics.h"
#include "lib/rpc/address.h"
#include "lib/rpc/connection_guard.h"
#include "lib/rpc/grpc_sockets.h"

namespace simpul::rpc {

class Listener {
 public:
  // Owns what it is given: a connected socket that does not block. Called on the listener's thread.
  using Take = std::function<void(int fd)>;

  // Listens; nothing is accepted before Accept. Unavailable: as CannotListen.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(const Address& address,
                                                        size_t connections_max);
  // Stops.
  ~Listener();

  // Where it listens, with the port that was chosen.
  const Address& address() const { return address_; }
  int fd() const { return fd_; }

  // Accepts from now on, on a thread of its own, and guards what it has taken when `sockets` tells
  // what comes of it. Connections, those cut and those refused are counted in `metrics`, if any,
  // which outlive it. Once.
  void Accept(Take take, std::optional<GrpcSockets> sockets = std::nullopt,
              base::Metrics* metrics = nullptr);

  // No more is accepted. What was taken lives on, but is closed from now on when it is found twice
  // with no call on it and nothing left to send: gRPC would wait for its caller to hang up. From
  // the thread that stops.
  void Drain();

  // No more is accepted; connections that were taken live on. Idempotent, from one thread.
  void Stop();

 private:
  struct Connection {
    int fd = -1;         // a second descriptor: tells what comes and when it has ended
    int64_t socket = 0;  // gRPC's id of it, once that is known
    ConnectionGuard guard;
    bool was_idle = false;  // at the last look while draining
  };

  Listener() = default;
  void EndThread();
  void Run();
  void AcceptOne();
  // Lets go of connections that have ended, cuts those that do harm, and while draining closes
  // those that are idle.
  void Sweep();
  bool IsIdle(const Connection& connection) const;
  // Looks for the ids of the connections that have none yet, among all that gRPC has.
  void Identify();
  void Cut(const Connection& connection, Verdict verdict);
  void CountRefused();

  Address address_;
  size_t connections_max_ = 0;
  int fd_ = -1;
  int wake_fd_ = -1;
  // Given up for a moment when there is no other descriptor left: a connection that can be accepted
  // can be closed, one that cannot would make the loop spin.
  int spare_fd_ = -1;
  std::vector<Connection> connections_;
  std::chrono::steady_clock::time_point next_sweep_;
  bool draining_ = false;
  bool was_full_ = false;
  std::chrono::steady_clock::time_point next_cut_log_;
  Take take_;
  std::optional<GrpcSockets> sockets_;
  base::Metrics* metrics_ = nullptr;
  std::thread thread_;
};

}  // namespace simpul::rpc
