#include "lib/rpc/address.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "lib/base/text.h"

namespace simpul::rpc {

std::string Address::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" is no HOST:PORT: {}. Write it as 127.0.0.1:7400.", text, why));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse("the port is missing");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return refuse("an IPv6 address needs brackets");
  }
  if (host.empty()) return refuse("the host is missing");
  Address address;
  address.host = host;
  const auto number = base::ReadNumber<uint16_t>(port);
  if (!number.has_value()) return refuse("the port must be a number from 0 to 65535");
  address.port = *number;
  return address;
}

absl::Status CannotListen(const Address& address, int error) {
  const std::string where = address.text();
  switch (error) {
    case EADDRINUSE:
      return absl::UnavailableError(fmt::format(
          "{} is in use by another program. Stop that program, or choose another port (port 0 "
          "takes any that is free).",
          where));
    case EADDRNOTAVAIL:
      return absl::UnavailableError(fmt::format(
          "{} is no address of this machine. Use one it has, such as 127.0.0.1.", where));
    case EACCES:
      return absl::UnavailableError(
          fmt::format("This user may not listen on {}. Choose a port above 1023.", where));
    default:
      return absl::UnavailableError(
          fmt::format("Cannot listen on {}: {}.", where, std::strerror(error)));
  }
}

}  // namespace simpul::rpc
