// The admin port: /livez, /readyz and /metrics over HTTP.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/base/metrics.h"
#include "lib/rpc/http_server.h"

namespace simpul::rpc {

// One part of the program that must be ready before traffic is sent here.
struct ReadyCheck {
  std::string name;  // timeline, log, ...
  std::function<absl::Status()>
      ready;                // its words are shown: no personal data; any thread, at once
  bool only_warns = false;  // what is wrong is shown, and traffic can be sent here all the same
};

// What an operator's command has the process do.
struct AdminAction {
  std::string path;
  std::function<absl::StatusOr<std::string>()> act;  // the answer's JSON; any thread, one at a time
};

// The header that an action is asked for with: no page in a browser can send it unasked.
inline constexpr const char* kActionHeader = "simpul-action";

// Serves on HOST:PORT (port 0: any) until it is destroyed. /livez: 200 while the process runs.
// /readyz: 200 when every check is OK or only warns, else 503; with a line "name: why" for each
// that is not OK.
// /metrics: what `metrics` renders. Each action answers POST at its path. `metrics` and what the
// checks use must outlive it. Errors as HttpServer::Start.
absl::StatusOr<std::unique_ptr<HttpServer>> StartAdmin(const std::string& address,
                                                       const base::Metrics& metrics,
                                                       std::vector<ReadyCheck> checks,
                                                       std::vector<AdminAction> actions = {});

}  // namespace simpul::rpc
