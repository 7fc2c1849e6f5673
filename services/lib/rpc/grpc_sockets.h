// What gRPC itself counts of a server's connections, asked through its channelz interface. Within
// lib/rpc only.
//
// It counts every stream, those too that are reset before they become a call that an interceptor
// would see, and costs a call nothing: gRPC counts anyway.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/rpc/connection_guard.h"

namespace simpul::rpc {

// Of one server. One thread.
class GrpcSockets {
 public:
  struct Socket {
    int64_t id = 0;
    std::string peer;  // as tcp_socket.h's PeerOf
  };

  // Of the server that was built last in this process.
  static GrpcSockets OfNewestServer();

  // The connections whose ids are not in `known` (sorted).
  std::vector<Socket> Others(const std::vector<int64_t>& known) const;

  // None once the connection has ended.
  static std::optional<StreamCounts> Counts(int64_t id);

 private:
  explicit GrpcSockets(int64_t server) : server_(server) {}
  int64_t server_;
};

}  // namespace simpul::rpc
