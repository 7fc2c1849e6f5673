#include "lib/rpc/tcp_socket.h"

#include <fmt/format.h>
#include <linux/tcp.h>  // glibc's own lacks tcpi_bytes_received
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace simpul::rpc {
namespace {

// States of a connection that both sides keep open (the kernel's tcp_states.h).
constexpr int kEstablished = 1;
constexpr int kSynReceived = 3;

}  // namespace

Traffic TrafficOf(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  Traffic traffic;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
    traffic.has_ended = true;
    return traffic;
  }
  // gRPC shuts its sockets down before it closes them, so a second descriptor sees it.
  traffic.has_ended = info.tcpi_state != kEstablished && info.tcpi_state != kSynReceived;
  traffic.bytes_received = static_cast<int64_t>(info.tcpi_bytes_received);
  int unread = 0;
  traffic.has_unread = ::ioctl(fd, FIONREAD, &unread) == 0 && unread > 0;
  return traffic;
}

bool HasUnsent(int fd) {
  int unsent = 0;
  return ::ioctl(fd, TIOCOUTQ, &unsent) == 0 && unsent > 0;
}

std::string PeerOf(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return "";
  if (peer.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(peer);
    return PeerText({reinterpret_cast<const char*>(&four.sin_addr), 4}, ntohs(four.sin_port));
  }
  if (peer.ss_family != AF_INET6) return "";
  const auto& six = reinterpret_cast<const sockaddr_in6&>(peer);
  const std::string_view bytes(reinterpret_cast<const char*>(&six.sin6_addr), 16);
  // gRPC takes the IPv4 address out of one that is mapped into IPv6.
  return PeerText(IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) ? bytes.substr(12) : bytes,
                  ntohs(six.sin6_port));
}

std::string PeerText(std::string_view address_bytes, int port) {
  return fmt::format("{}:{}", address_bytes, port);
}

void CutOff(int fd) {
  const sockaddr nowhere = {.sa_family = AF_UNSPEC, .sa_data = {}};
  ::connect(fd, &nowhere, sizeof(nowhere));
  ::shutdown(fd, SHUT_RDWR);
}

}  // namespace simpul::rpc
