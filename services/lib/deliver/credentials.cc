#include "lib/deliver/credentials.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>

#include "lib/base/file.h"
#include "lib/base/status_macros.h"
#include "lib/deliver/answer_json.h"

namespace simpul::deliver {

absl::StatusOr<Credentials> Credentials::Parse(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError()) {
    return absl::InvalidArgumentError(
        fmt::format("not JSON at byte {}: {}", document.GetErrorOffset(),
                    rapidjson::GetParseError_En(document.GetParseError())));
  }
  if (!document.IsArray()) {
    return absl::InvalidArgumentError(
        R"(must be an array of {"organization", "client_id", "client_secret"})");
  }
  Credentials credentials;
  size_t row = 0;
  for (const rapidjson::Value& one : document.GetArray()) {
    const std::string place = fmt::format("[{}]", row++);
    for (const char* name : {"organization", "client_id", "client_secret"}) {
      if (Text(one, name).empty()) {
        return absl::InvalidArgumentError(fmt::format(
            "{}.{} is missing or no text: give every row all three members", place, name));
      }
    }
    const std::string organization = Text(one, "organization");
    const bool is_new =
        credentials.by_organization_
            .emplace(organization, Credential{Text(one, "client_id"), Text(one, "client_secret")})
            .second;
    if (!is_new) {
      return absl::InvalidArgumentError(fmt::format(
          "{}.organization is there twice: keep one credential for each organisation", place));
    }
  }
  return credentials;
}

absl::StatusOr<Credentials> Credentials::Read(const std::filesystem::path& file) {
  SIMPUL_ASSIGN_OR_RETURN(const std::string json, base::ReadFile(file));
  auto credentials = Parse(json);
  if (!credentials.ok()) {
    return base::Within(fmt::format("credentials {}", file.string()), credentials.status());
  }
  return credentials;
}

const Credential* Credentials::Of(std::string_view organization) const {
  const auto it = by_organization_.find(organization);
  return it == by_organization_.end() ? nullptr : &it->second;
}

}  // namespace simpul::deliver
