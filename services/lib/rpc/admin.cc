#include "lib/rpc/admin.h"

#include <fmt/format.h>

#include <memory>
#include <mutex>
#include <utility>

#include "lib/base/status_macros.h"

namespace simpul::rpc {
namespace {

HttpResponse Text(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(body);
  return response;
}

HttpResponse Ready(const std::vector<ReadyCheck>& checks) {
  std::string said;
  bool is_ready = true;
  for (const ReadyCheck& check : checks) {
    if (const absl::Status status = check.ready(); !status.ok()) {
      said += fmt::format("{}: {}\n", check.name, base::Message(status));
      is_ready = is_ready && check.only_warns;
    }
  }
  return is_ready ? Text(200, "ready\n" + said) : Text(503, std::move(said));
}

HttpResponse Metrics(const base::Metrics& metrics) {
  HttpResponse response = Text(200, metrics.Render());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

HttpResponse Act(const AdminAction& action, const HttpRequest& request) {
  if (!request.headers.contains(kActionHeader)) {
    return Text(400, fmt::format("This is asked for with the header {}.\n", kActionHeader));
  }
  const absl::StatusOr<std::string> done = action.act();
  if (!done.ok()) return Text(500, fmt::format("{}\n", base::Message(done.status())));
  HttpResponse response;
  response.body = *done;
  return response;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> StartAdmin(const std::string& address,
                                                       const base::Metrics& metrics,
                                                       std::vector<ReadyCheck> checks,
                                                       std::vector<AdminAction> actions) {
  HttpServer::Options options;
  // One more than can be busy with an action: whether the process lives is answered all the same.
  options.threads = actions.empty() ? 1 : 2;
  options.body_max = 1 << 10;
  options.connections_max = 64;
  const auto acting = std::make_shared<std::mutex>();
  return HttpServer::Start(address, options,
                           [&metrics, checks = std::move(checks), actions = std::move(actions),
                            acting](const HttpRequest& request) {
                             if (request.method == "POST") {
                               for (const AdminAction& action : actions) {
                                 if (request.path != action.path) continue;
                                 const std::lock_guard lock(*acting);
                                 return Act(action, request);
                               }
                             }
                             if (request.method != "GET" && request.method != "HEAD") {
                               HttpResponse response = Text(405, "Only GET is answered here.\n");
                               response.headers["Allow"] = "GET, HEAD";
                               return response;
                             }
                             if (request.path == "/livez") return Text(200, "alive\n");
                             if (request.path == "/readyz") return Ready(checks);
                             if (request.path == "/metrics") return Metrics(metrics);
                             return Text(404, "There are /livez, /readyz and /metrics.\n");
                           });
}

}  // namespace simpul::rpc
