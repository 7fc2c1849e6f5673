#include "sandbox/outcome.h"

#include <fmt/format.h>

#include "sandbox/json.h"

namespace simpul::sandbox {

Issue MakeIssue(int rule_number, std::string_view text, std::string_view expression,
                std::string_view code) {
  Issue issue;
  issue.code = code;
  issue.text =
      rule_number == 0 ? std::string(text) : fmt::format("{} (RuleNumber: {})", text, rule_number);
  issue.expression = expression;
  return issue;
}

std::string OperationOutcome(const std::vector<Issue>& issues, std::string_view severity) {
  std::string out = R"({"resourceType":"OperationOutcome","text":{"status":"generated"},"issue":[)";
  for (size_t i = 0; i < issues.size(); ++i) {
    if (i > 0) out += ',';
    out += R"({"severity":)";
    AppendQuoted(severity, out);
    out += R"(,"code":)";
    AppendQuoted(issues[i].code, out);
    out += R"(,"details":{"text":)";
    AppendQuoted(issues[i].text, out);
    out += '}';
    if (!issues[i].expression.empty()) {
      out += R"(,"expression":[)";
      AppendQuoted(issues[i].expression, out);
      out += ']';
    }
    out += '}';
  }
  return out + "]}";
}

rpc::HttpResponse Refusal(int status, const std::vector<Issue>& issues) {
  rpc::HttpResponse response;
  response.status = status;
  response.content_type = "application/fhir+json";
  response.body = OperationOutcome(issues);
  return response;
}

rpc::HttpResponse GatewayFault(std::string_view words, std::string_view error_code) {
  rpc::HttpResponse response;
  response.status = 401;
  response.body = R"({"fault":{"faultstring":)";
  AppendQuoted(words, response.body);
  response.body += R"(,"detail":{"errorcode":)";
  AppendQuoted(error_code, response.body);
  response.body += "}}}";
  return response;
}

}  // namespace simpul::sandbox
