#include "lib/rpc/admin.h"

#include <fmt/format.h>

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

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> StartAdmin(const std::string& address,
                                                       const base::Metrics& metrics,
                                                       std::vector<ReadyCheck> checks) {
  HttpServer::Options options;
  options.threads = 1;
  options.body_max = 1 << 10;
  options.connections_max = 64;
  return HttpServer::Start(address, options,
                           [&metrics, checks = std::move(checks)](const HttpRequest& request) {
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
