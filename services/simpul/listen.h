// What serve and sandbox share: where they may listen, and how they end.
#pragma once

#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"

namespace simpul::cli {

// OK for an address of this machine alone (127.0.0.0/8, ::1, localhost), and for any other with
// `insecure`. InvalidArgument names the flag and what to do.
absl::Status MayListen(const std::string& flag, const std::string& address, bool insecure);

// Holds SIGINT and SIGTERM back for Wait. Make it before any thread: threads inherit it.
class StopSignals {
 public:
  StopSignals();
  // Returns at the first; a second one ends the process.
  void Wait();
  // Whether one came within the time.
  bool WaitFor(std::chrono::seconds time);

 private:
  sigset_t signals_;
};

// Ends the process with status 1, saying so, unless it is destroyed within the time. For a stop
// that something holds up: what was acknowledged is durable, so ending at once loses nothing.
class StopLimit {
 public:
  explicit StopLimit(std::chrono::milliseconds within);
  ~StopLimit();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace simpul::cli
