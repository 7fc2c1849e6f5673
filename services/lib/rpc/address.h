// HOST:PORT, as people write it on the command line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace simpul::rpc {

struct Address {
  std::string host;  // a name or number; an IPv6 address without its brackets
  uint16_t port = 0;

  // HOST:PORT, an IPv6 address in brackets.
  std::string text() const;
};

// InvalidArgument, naming the text, when it is no HOST:PORT: the host is missing, or the port is no
// number from 0 to 65535. [::1]:7400 for IPv6.
absl::StatusOr<Address> ParseAddress(std::string_view text);

// Unavailable, in words for people, for an errno of bind or listen.
absl::Status CannotListen(const Address& address, int error);

}  // namespace simpul::rpc
