// The accept loop of the gRPC server. Within lib/rpc only.
//
// gRPC's own accept loop of this version never accepts again once the process has run out of file
// descriptors, and takes any number of connections. This one goes on after any error and closes
// what comes beyond its limit.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "lib/rpc/address.h"

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

  // Accepts from now on, on a thread of its own. Once.
  void Accept(Take take);

  // No more is accepted; connections that were taken live on. Idempotent, from one thread.
  void Stop();

 private:
  Listener() = default;
  void Run();
  void AcceptOne();
  // Lets go of connections that have ended.
  void Sweep();
  // Once, until there is room again.
  void SayFull();

  Address address_;
  size_t connections_max_ = 0;
  int fd_ = -1;
  int wake_fd_ = -1;
  // Given up for a moment when there is no other descriptor left: a connection that can be accepted
  // can be closed, one that cannot would make the loop spin.
  int spare_fd_ = -1;
  // A second descriptor of every connection taken: tells when it has ended.
  std::vector<int> connections_;
  std::chrono::steady_clock::time_point next_sweep_;
  bool was_full_ = false;
  Take take_;
  std::thread thread_;
};

}  // namespace simpul::rpc
