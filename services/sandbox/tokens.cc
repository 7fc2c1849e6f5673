#include "sandbox/tokens.h"

#include <fmt/format.h>

#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/status_macros.h"
#include "sandbox/json.h"
#include "sandbox/outcome.h"

namespace simpul::sandbox {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// One value of an application/x-www-form-urlencoded body; empty when it is absent.
std::string FormValue(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const size_t end = form.find('&');
    const std::string_view pair = form.substr(0, end);
    form = end == std::string_view::npos ? std::string_view() : form.substr(end + 1);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    std::string value;
    for (size_t i = equals + 1; i < pair.size(); ++i) {
      if (pair[i] == '%' && i + 2 < pair.size() && HexValue(pair[i + 1]) >= 0 &&
          HexValue(pair[i + 2]) >= 0) {
        value.push_back(static_cast<char>(HexValue(pair[i + 1]) * 16 + HexValue(pair[i + 2])));
        i += 2;
      } else {
        value.push_back(pair[i] == '+' ? ' ' : pair[i]);
      }
    }
    return value;
  }
  return "";
}

// Takes as long for a wrong secret as for a right one.
bool SameSecret(std::string_view a, std::string_view b) {
  return base::Sha256(a) == base::Sha256(b);
}

rpc::HttpResponse NotAuthenticated(std::string_view why) {
  rpc::HttpResponse response;
  response.status = 401;
  // "invalid" is no severity of FHIR; it is the one the platform sends.
  response.body = OperationOutcome(
      {MakeIssue(0, fmt::format("The user or system was not able to be authenticated ({})", why),
                 "")},
      "invalid");
  return response;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tokens>> Tokens::Load(const std::filesystem::path& credentials,
                                                     int lifetime_seconds,
                                                     const base::Clock& clock) {
  std::unique_ptr<Tokens> tokens(new Tokens(lifetime_seconds, clock));
  if (credentials.empty()) return tokens;
  SIMPUL_ASSIGN_OR_RETURN(std::string text, base::ReadFile(credentials));
  JsonText json(std::move(text));
  if (json.root() == nullptr || !json.root()->IsArray()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: expected a JSON array of {{\"organization\", \"client_id\", "
                    "\"client_secret\"}}.",
                    credentials.string()));
  }
  tokens->any_client_ = false;
  for (rapidjson::SizeType i = 0; i < json.root()->Size(); ++i) {
    const Json& row = (*json.root())[i];
    const std::string id(MemberText(row, "client_id"));
    Client client{std::string(MemberText(row, "organization")),
                  std::string(MemberText(row, "client_secret"))};
    if (id.empty() || client.organization.empty() || client.secret.empty()) {
      return absl::InvalidArgumentError(fmt::format(
          "{}: entry {}: organization, client_id and client_secret must be text that is not empty.",
          credentials.string(), i));
    }
    if (!tokens->clients_.emplace(id, std::move(client)).second) {
      return absl::InvalidArgumentError(
          fmt::format("{}: entry {}: this client_id is there twice.", credentials.string(), i));
    }
  }
  return tokens;
}

rpc::HttpResponse Tokens::Issue(const rpc::HttpRequest& request) {
  const auto grant = request.query.find("grant_type");
  if (grant == request.query.end() || grant->second != "client_credentials") {
    return Refusal(400, {MakeIssue(0, "grant_type=client_credentials is expected in the query", "",
                                   "invalid")});
  }
  const std::string id = FormValue(request.body, "client_id");
  const std::string secret = FormValue(request.body, "client_secret");
  if (id.empty()) {
    return Refusal(401, {MakeIssue(20009, "Please provide Client ID", "", "security")});
  }
  std::string organization = id;
  if (any_client_) {
    if (secret.empty()) return NotAuthenticated("client secret is missing");
  } else {
    const auto client = clients_.find(id);
    if (client == clients_.end() || !SameSecret(client->second.secret, secret)) {
      return NotAuthenticated("client id or client secret is wrong");
    }
    organization = client->second.organization;
  }

  const base::Time now = clock_.Now();
  const std::string token = base::Hex(base::RandomBytes(20));
  {
    std::lock_guard lock(mutex_);
    if (tokens_.size() >= kTokensMax) {
      std::erase_if(tokens_, [now](const auto& entry) { return entry.second.expires <= now; });
      if (tokens_.size() >= kTokensMax) tokens_.clear();
    }
    tokens_[token] = {organization, now + std::chrono::seconds(lifetime_seconds_)};
  }
  rpc::HttpResponse response;
  std::string& body = response.body;
  body = R"({"refresh_token_expires_in":"0","api_product_list":"[api-sandbox]",)"
         R"("api_product_list_json":["api-sandbox"],"organization_name":"simpul-sandbox",)"
         R"("developer.email":"sandbox@example.org","token_type":"BearerToken",)";
  body += fmt::format(R"("issued_at":"{}","client_id":)", base::ToMicros(now) / 1000);
  AppendQuoted(id, body);
  body += R"(,"access_token":")" + token + R"(","application_name":"sandbox","scope":"",)";
  body += fmt::format(R"("expires_in":"{}","refresh_count":"0","status":"approved"}})",
                      lifetime_seconds_);
  return response;
}

std::optional<Tokens::Caller> Tokens::Check(const rpc::HttpRequest& request,
                                            rpc::HttpResponse& refusal) {
  const auto header = request.headers.find("authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (header == request.headers.end() || !header->second.starts_with(kScheme)) {
    refusal = GatewayFault("Invalid access token", "oauth.v2.InvalidAccessToken");
    return std::nullopt;
  }
  const std::string token = header->second.substr(kScheme.size());
  std::lock_guard lock(mutex_);
  const auto found = tokens_.find(token);
  if (found == tokens_.end()) {
    refusal = GatewayFault("Invalid Access Token", "keymanagement.service.invalid_access_token");
    return std::nullopt;
  }
  if (found->second.expires <= clock_.Now()) {
    tokens_.erase(found);
    refusal = GatewayFault("Access Token expired", "keymanagement.service.access_token_expired");
    return std::nullopt;
  }
  return Caller{found->second.organization};
}

void Tokens::ForgetAll() {
  std::lock_guard lock(mutex_);
  tokens_.clear();
}

}  // namespace simpul::sandbox
