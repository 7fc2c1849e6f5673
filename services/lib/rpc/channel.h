// A caller's side of a gRPC connection: the commands', the bench's and the tests'. Included only
// where grpcpp may be.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace simpul::rpc {

// A channel of its own to HOST:PORT, in plain text: not shared with other channels of the process.
// Connects when first used. A server that was restarted is found again within two seconds, not
// after gRPC's own two minutes; one that is busy has ten seconds to take the connection.
std::shared_ptr<grpc::Channel> Connect(const std::string& address);

}  // namespace simpul::rpc
