#include "sandbox/sandbox.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <atomic>
#include <chrono>
#include <utility>

#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/base/status_macros.h"
#include "lib/rpc/http_server.h"
#include "sandbox/admin_api.h"
#include "sandbox/faults.h"
#include "sandbox/fhir_api.h"
#include "sandbox/people.h"
#include "sandbox/store.h"
#include "sandbox/tokens.h"

namespace simpul::sandbox {
namespace {

constexpr std::string_view kTokenPath = "/oauth2/v1/accesstoken";

// True for the path itself and what lies below it.
bool IsUnder(std::string_view path, std::string_view parent) {
  return path.starts_with(parent) && (path.size() == parent.size() || path[parent.size()] == '/');
}

class SandboxServer : public Sandbox {
 public:
  SandboxServer(Options options, std::unique_ptr<Tokens> tokens, std::unique_ptr<People> people,
                std::unique_ptr<Store> store)
      : tokens_(std::move(tokens)),
        people_(std::move(people)),
        store_(std::move(store)),
        registry_(*store_, *people_,
                  {options.duplicate_check, options.duplicate_number, options.future_slack_seconds},
                  *options.clock),
        faults_(options.fault_seed),
        fhir_(*store_, *people_, registry_),
        admin_(*store_, *people_, registry_, *tokens_, faults_) {
    fhir_.RecallPatients();
  }

  absl::Status Listen(const Options& options) {
    rpc::HttpServer::Options http;
    http.threads = options.threads;
    SIMPUL_ASSIGN_OR_RETURN(
        server_,
        rpc::HttpServer::Start(options.http, http, [this](const rpc::HttpRequest& request) {
          return Handle(request);
        }));
    return absl::OkStatus();
  }

  const std::string& address() const override { return server_->address(); }

 private:
  rpc::HttpResponse Handle(const rpc::HttpRequest& request) {
    const auto began = std::chrono::steady_clock::now();
    std::string_view route = "other";
    rpc::HttpResponse response = Dispatch(request, route);
    response.headers["x-request-id"] =
        fmt::format("sandbox-{:x}", requests_.fetch_add(1, std::memory_order_relaxed) + 1);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const base::Labels labels{{"route", std::string(route)},
                              {"code", fmt::format("{}", response.status)}};
    metrics_.Counter("simpul_sandbox_requests_total", "Requests answered, faults included.", labels)
        .Increment();
    metrics_
        .Seconds("simpul_sandbox_request_seconds", "Time to an answer, without delays on demand.",
                 {{"route", std::string(route)}})
        .Observe(took.count());
    return response;
  }

  rpc::HttpResponse Dispatch(const rpc::HttpRequest& request, std::string_view& route) {
    if (IsUnder(request.path, kAdminPath)) {
      route = "sandbox";
      return admin_.Handle(request);
    }
    if (request.path == "/livez") {
      route = "livez";
      return Text(200, "ok\n");
    }
    if (request.path == "/metrics") {
      route = "metrics";
      return Text(200, metrics_.Render());
    }
    if (request.path == kTokenPath) {
      route = "token";
      return Misbehave(request, "", [&] {
        return request.method == "POST" ? tokens_->Issue(request)
                                        : Text(405, "Method Not Allowed\n");
      });
    }
    if (IsUnder(request.path, kFhirPath)) {
      route = "fhir";
      rpc::HttpResponse refusal;
      const std::optional<Tokens::Caller> caller = tokens_->Check(request, refusal);
      const std::string organization = caller.has_value() ? caller->organization : "";
      return Misbehave(request, organization, [&] {
        if (!caller.has_value()) return refusal;
        const auto host = request.headers.find("host");
        return fhir_.Handle(
            request, organization,
            fmt::format("http://{}{}", host == request.headers.end() ? address() : host->second,
                        kFhirPath));
      });
    }
    return Text(404, "There are /oauth2/v1/accesstoken, /fhir-r4/v1 and /sandbox/v1.\n");
  }

  // Does the work, unless a fault says otherwise.
  template <typename Work>
  rpc::HttpResponse Misbehave(const rpc::HttpRequest& request, std::string_view organization,
                              const Work& work) {
    const std::optional<Fault> fault = faults_.Meet(request, organization);
    if (!fault.has_value()) return work();
    rpc::HttpResponse response;
    if (fault->close_before) {
      response.drop_connection = true;
    } else if (fault->status != 0) {
      response = Answer(*fault);
    } else {
      response = work();
      response.drop_connection = fault->answer_lost_after_commit;
      if (fault->half_answer) {
        response.truncate_body_at = static_cast<long>(response.body.size() / 2);
      }
    }
    response.delay_ms = fault->delay_ms;
    return response;
  }

  static rpc::HttpResponse Text(int status, std::string body) {
    rpc::HttpResponse response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(body);
    return response;
  }

  base::Metrics metrics_;
  std::atomic<uint64_t> requests_{0};
  std::unique_ptr<Tokens> tokens_;
  std::unique_ptr<People> people_;
  std::unique_ptr<Store> store_;
  Registry registry_;
  Faults faults_;
  FhirApi fhir_;
  AdminApi admin_;
  std::unique_ptr<rpc::HttpServer> server_;  // last: its threads use everything above
};

}  // namespace

absl::StatusOr<std::unique_ptr<Sandbox>> Sandbox::Start(Options options) {
  SIMPUL_ASSIGN_OR_RETURN(auto tokens,
                          Tokens::Load(options.credentials, options.token_seconds, *options.clock));
  SIMPUL_ASSIGN_OR_RETURN(auto people, People::Load(options.population));
  SIMPUL_ASSIGN_OR_RETURN(auto store, Store::Open(options.data, options.sync_every_commit));
  auto sandbox = std::make_unique<SandboxServer>(options, std::move(tokens), std::move(people),
                                                 std::move(store));
  SIMPUL_RETURN_IF_ERROR(sandbox->Listen(options));
  base::Log(base::Severity::kInfo, "sandbox", "listening", {{"http", sandbox->address()}});
  return sandbox;
}

}  // namespace simpul::sandbox
