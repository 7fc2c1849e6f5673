#include "simpul/listen.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/rpc/address.h"
#include "simpul/command.h"

namespace simpul::cli {

absl::Status MayListen(const std::string& flag, const std::string& address, bool insecure) {
  const auto parsed = rpc::ParseAddress(address);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{} {}: write HOST:PORT, such as 127.0.0.1:7400", flag, address));
  }
  in_addr number{};
  const bool this_machine =
      parsed->host == "localhost" || parsed->host == "::1" ||
      (inet_pton(AF_INET, parsed->host.c_str(), &number) == 1 && ntohl(number.s_addr) >> 24 == 127);
  if (this_machine || insecure) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "{} {}: other machines could reach this address, and neither TLS nor tokens are configured. "
      "Use 127.0.0.1, or --insecure behind a proxy that guards it",
      flag, address));
}

StopSignals::StopSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void StopSignals::Wait() {
  int signal = 0;
  sigwait(&signals_, &signal);
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
}

bool StopSignals::WaitFor(std::chrono::seconds time) {
  const timespec within = {.tv_sec = time.count(), .tv_nsec = 0};
  if (sigtimedwait(&signals_, nullptr, &within) < 0) return false;
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  return true;
}

StopLimit::StopLimit(std::chrono::milliseconds within)
    : thread_([this, within] {
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, within, [this] { return stopped_; })) return;
        base::Log(
            base::Severity::kError, "serve",
            "something held the stop up beyond its limit; the process ends all the same. What "
            "was accepted is on disk",
            {{"limit_ms", within.count()}});
        _exit(kFailed);
      }) {}

StopLimit::~StopLimit() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

}  // namespace simpul::cli
