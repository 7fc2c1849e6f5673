// What serve and sandbox share: where they may listen, and how they end.
#pragma once

#include <signal.h>

#include <string>

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

 private:
  sigset_t signals_;
};

}  // namespace simpul::cli
