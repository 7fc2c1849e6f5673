#include "lib/rpc/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/thread_name.h"
#include "lib/rpc/tcp_socket.h"

namespace simpul::rpc {
namespace {

// A caller that resets its calls gets some two thousand through between two sweeps.
constexpr std::chrono::milliseconds kSweepEvery{50};
constexpr std::chrono::seconds kCutLogEvery{10};
constexpr std::chrono::milliseconds kPauseAfterError{20};

int OpenSpare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(const Address& address,
                                                         size_t connections_max) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (failed != 0) {
    return absl::UnavailableError(address.host + " cannot be found: " + gai_strerror(failed) + ".");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, &freeaddrinfo);

  std::unique_ptr<Listener> listener(new Listener());
  listener->address_ = address;
  listener->connections_max_ = connections_max;
  listener->fd_ =
      ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  if (listener->fd_ < 0) return CannotListen(address, errno);
  const int on = 1;
  ::setsockopt(listener->fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(listener->fd_, found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(listener->fd_, SOMAXCONN) != 0) {
    return CannotListen(address, errno);
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (::getsockname(listener->fd_, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return CannotListen(address, errno);
  }
  listener->address_.port =
      ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port
                                        : reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
  listener->wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  listener->spare_fd_ = OpenSpare();
  if (listener->wake_fd_ < 0 || listener->spare_fd_ < 0) return CannotListen(address, errno);
  return listener;
}

Listener::~Listener() {
  Stop();
  for (const int fd : {fd_, wake_fd_, spare_fd_}) {
    if (fd >= 0) ::close(fd);
  }
}

void Listener::Accept(Take take, std::optional<GrpcSockets> sockets, base::Metrics* metrics) {
  take_ = std::move(take);
  sockets_ = sockets;
  metrics_ = metrics;
  thread_ = std::thread([this] { Run(); });
}

void Listener::EndThread() {
  if (!thread_.joinable()) return;
  ::eventfd_write(wake_fd_, 1);
  thread_.join();
  eventfd_t ignored = 0;
  ::eventfd_read(wake_fd_, &ignored);
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Listener::Drain() {
  EndThread();
  draining_ = true;
  thread_ = std::thread([this] { Run(); });
}

void Listener::Stop() {
  EndThread();
  for (const Connection& connection : connections_) ::close(connection.fd);
  connections_.clear();
}

void Listener::Run() {
  base::NameThread("grpc listener");
  for (;;) {
    pollfd waits[] = {{.fd = wake_fd_, .events = POLLIN, .revents = 0},
                      {.fd = fd_, .events = POLLIN, .revents = 0}};
    const int timeout = connections_.empty() ? -1 : static_cast<int>(kSweepEvery.count());
    ::poll(waits, 2, timeout);
    if (waits[0].revents != 0) return;
    if (std::chrono::steady_clock::now() >= next_sweep_) Sweep();
    if (waits[1].revents != 0) AcceptOne();
  }
}

void Listener::AcceptOne() {
  const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    if (errno == EMFILE || errno == ENFILE) {
      ::close(std::exchange(spare_fd_, -1));
      if (const int refused = ::accept(fd_, nullptr, nullptr); refused >= 0) ::close(refused);
      spare_fd_ = OpenSpare();
      CountRefused();
    }
    // Out of descriptors or memory; the network's own errors (a caller that has gone already) pass.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      pollfd wait = {.fd = wake_fd_, .events = POLLIN, .revents = 0};
      ::poll(&wait, 1, static_cast<int>(kPauseAfterError.count()));
    }
    return;
  }
  if (connections_.size() >= connections_max_) Sweep();
  const int second = connections_.size() >= connections_max_ ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (second < 0) {
    ::close(fd);
    return CountRefused();
  }
  was_full_ = false;
  connections_.push_back({.fd = second, .guard = {}});
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  take_(fd);
}

void Listener::CountRefused() {
  if (metrics_ != nullptr) {
    metrics_
        ->Counter("simpul_rpc_connections_refused_total",
                  "Connections closed as they came: there was no room for them.")
        .Increment();
  }
  if (std::exchange(was_full_, true)) return;  // once, until there is room again
  base::Log(base::Severity::kWarning, "rpc",
            "no room for more connections or file descriptors: new connections are closed",
            {{"connections", connections_.size()}});
}

void Listener::Sweep() {
  const auto now = std::chrono::steady_clock::now();
  next_sweep_ = now + kSweepEvery;
  bool identified = false;
  if (draining_ && sockets_) {
    Identify();
    identified = true;
  }
  std::erase_if(connections_, [&](Connection& connection) {
    const Traffic traffic = TrafficOf(connection.fd);
    Verdict verdict = Verdict::kFine;
    if (!traffic.has_ended && sockets_ && connection.guard.WantsLook(traffic.bytes_received)) {
      if (connection.socket == 0 && !std::exchange(identified, true)) Identify();
      verdict =
          connection.guard.Look(now, traffic.bytes_received, traffic.has_unread,
                                GrpcSockets::Counts(connection.socket).value_or(StreamCounts{}));
    }
    if (verdict != Verdict::kFine) Cut(connection, verdict);
    if (draining_ && sockets_) {
      const bool is_idle = IsIdle(connection);
      if (is_idle && connection.was_idle) ::shutdown(connection.fd, SHUT_RDWR);
      connection.was_idle = is_idle;
    }
    if (!traffic.has_ended && verdict == Verdict::kFine) return false;
    ::close(connection.fd);
    return true;
  });
  if (metrics_ != nullptr) {
    metrics_->Gauge("simpul_rpc_connections", "Connections to the gRPC server.")
        .Set(static_cast<double>(connections_.size()));
  }
}

bool Listener::IsIdle(const Connection& connection) const {
  const StreamCounts counts = GrpcSockets::Counts(connection.socket).value_or(StreamCounts{});
  return counts.open() == 0 && !HasUnsent(connection.fd);
}

void Listener::Identify() {
  std::vector<int64_t> known;
  std::map<std::string, Connection*> unknown;
  for (Connection& connection : connections_) {
    if (connection.socket != 0) {
      known.push_back(connection.socket);
    } else {
      unknown[PeerOf(connection.fd)] = &connection;
    }
  }
  std::sort(known.begin(), known.end());
  for (const GrpcSockets::Socket& socket : sockets_->Others(known)) {
    const auto found = unknown.find(socket.peer);
    if (found != unknown.end()) found->second->socket = socket.id;
  }
}

void Listener::Cut(const Connection& connection, Verdict verdict) {
  const std::string reason(VerdictName(verdict));
  if (metrics_ != nullptr) {
    metrics_
        ->Counter("simpul_rpc_connections_cut_total",
                  "Connections cut because they did harm, by what they did.", {{"reason", reason}})
        .Increment();
  }
  CutOff(connection.fd);
  const auto now = std::chrono::steady_clock::now();
  if (now < next_cut_log_) return;
  next_cut_log_ = now + kCutLogEvery;
  base::Log(base::Severity::kWarning, "rpc",
            "a connection did harm and was cut; more may follow unsaid for ten seconds",
            {{"reason", reason}});
}

}  // namespace simpul::rpc
