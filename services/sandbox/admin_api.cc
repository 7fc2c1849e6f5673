#include "sandbox/admin_api.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include "lib/base/status_macros.h"
#include "lib/base/text.h"
#include "sandbox/json.h"

namespace simpul::sandbox {
namespace {

rpc::HttpResponse Plain(int status, std::string_view error) {
  rpc::HttpResponse response;
  response.status = status;
  response.body = R"({"error":)";
  AppendQuoted(error, response.body);
  response.body += '}';
  return response;
}

rpc::HttpResponse Json200(std::string body) {
  rpc::HttpResponse response;
  response.body = std::move(body);
  return response;
}

double CpuSeconds() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

size_t NumberIn(const rpc::HttpRequest& request, const std::string& name, size_t otherwise) {
  const auto it = request.query.find(name);
  if (it == request.query.end() || !base::IsDigits(it->second) || it->second.size() > 9) {
    return otherwise;
  }
  return std::stoul(it->second);
}

}  // namespace

rpc::HttpResponse AdminApi::Handle(const rpc::HttpRequest& request) {
  std::string_view path = request.path;
  path.remove_prefix(kAdminPath.size());
  if (path == "/faults") return HandleFaults(request, "");
  if (path.starts_with("/faults/")) return HandleFaults(request, path.substr(8));
  if (path == "/settings") return HandleSettings(request);
  if (path == "/tokens" && request.method == "DELETE") {
    tokens_.ForgetAll();
    return Json200("{}");
  }
  if (path == "/report" && request.method == "GET") return Report();
  if (path == "/resources" && request.method == "GET") return Resources(request);
  return Plain(404,
               "There are /sandbox/v1/faults, settings, tokens (DELETE), report and resources.");
}

rpc::HttpResponse AdminApi::HandleFaults(const rpc::HttpRequest& request, std::string_view id) {
  if (request.method == "GET" && id.empty()) return Json200(faults_.List());
  if (request.method == "DELETE") {
    if (id.empty()) {
      faults_.ClearAll();
      return Json200("{}");
    }
    const bool known =
        base::IsDigits(id) && id.size() < 19 && faults_.Clear(std::stoull(std::string(id)));
    return known ? Json200("{}") : Plain(404, "There is no such rule.");
  }
  if (request.method != "POST" || !id.empty()) return Plain(405, "POST, GET or DELETE.");
  JsonText json(request.body);
  if (json.root() == nullptr) return Plain(400, "The body is not JSON.");
  const absl::StatusOr<uint64_t> set = faults_.Set(*json.root());
  if (!set.ok()) return Plain(400, base::Message(set.status()));
  rpc::HttpResponse response = Json200(fmt::format(R"({{"id":{}}})", *set));
  response.status = 201;
  return response;
}

rpc::HttpResponse AdminApi::HandleSettings(const rpc::HttpRequest& request) {
  if (request.method == "PUT") {
    JsonText json(request.body);
    const Json* check = json.root() == nullptr ? nullptr : Member(*json.root(), "duplicate_check");
    if (check == nullptr || !check->IsBool() || json.root()->MemberCount() != 1) {
      return Plain(400, R"(The body must be {"duplicate_check": true} or false.)");
    }
    registry_.SetDuplicateCheck(check->GetBool());
  } else if (request.method != "GET") {
    return Plain(405, "GET or PUT.");
  }
  return Json200(fmt::format(R"({{"duplicate_check":{}}})", registry_.duplicate_check()));
}

rpc::HttpResponse AdminApi::Report() const {
  std::string creates, updates, without;
  uint64_t created = 0, updated = 0;
  for (const auto& [type, counts] : store_.Counts()) {
    auto append = [&name = type](std::string& out, uint64_t count) {
      if (count > 0) out += fmt::format(R"({}"{}":{})", out.empty() ? "" : ",", name, count);
    };
    append(creates, counts.creates);
    append(updates, counts.updates);
    append(without, counts.without_identifier);
    created += counts.creates;
    updated += counts.updates;
  }
  std::string twice;
  for (const CreatedTwice& one : store_.FindCreatedTwice()) {
    twice += fmt::format(R"({}{{"type":"{}","count":{},"ids":["{}"]}})", twice.empty() ? "" : ",",
                         one.type, one.ids.size(), fmt::join(one.ids, "\",\""));
  }
  return Json200(
      fmt::format(R"({{"created":{},"updated":{},"creates":{{{}}},"updates":{{{}}},)"
                  R"("without_identifier":{{{}}},"created_twice":[{}],"duplicate_check":{},)"
                  R"("patients_known":{},"journal_bytes":{},"cpu_seconds":{:.3f}}})",
                  created, updated, creates, updates, without, twice, registry_.duplicate_check(),
                  people_.patients(), store_.journal_bytes(), CpuSeconds()));
}

rpc::HttpResponse AdminApi::Resources(const rpc::HttpRequest& request) const {
  const auto type = request.query.find("type");
  rpc::HttpResponse response;
  response.content_type = "application/x-ndjson";
  const std::string wanted = type == request.query.end() ? "" : type->second;
  for (const Stored& stored :
       store_.List(wanted, NumberIn(request, "offset", 0), NumberIn(request, "count", SIZE_MAX))) {
    response.body += stored.body;
    response.body += '\n';
  }
  return response;
}

}  // namespace simpul::sandbox
