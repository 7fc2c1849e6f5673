// What the platform answers when it refuses: OperationOutcome bodies in its own shape.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/rpc/http_server.h"

namespace simpul::sandbox {

// One reason for a refusal.
struct Issue {
  std::string code = "value";  // value, duplicate, exception, structure, not-found, ...
  std::string text;            // the platform's words, with "(RuleNumber: N)" where it has a number
  std::string expression;      // Encounter.identifier[0].system; empty: none
};

// An issue of the validation dictionary. Number 0: a refusal without one.
Issue MakeIssue(int rule_number, std::string_view text, std::string_view expression,
                std::string_view code = "value");

// {"resourceType":"OperationOutcome","text":{"status":"generated"},"issue":[...]}
std::string OperationOutcome(const std::vector<Issue>& issues, std::string_view severity = "error");

// An answer that refuses.
rpc::HttpResponse Refusal(int status, const std::vector<Issue>& issues);

// The API gateway's way of refusing a token: {"fault":{"faultstring","detail":{"errorcode"}}}, 401.
rpc::HttpResponse GatewayFault(std::string_view words, std::string_view error_code);

}  // namespace simpul::sandbox
