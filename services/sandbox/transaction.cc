#include "sandbox/transaction.h"

#include <fmt/format.h>

#include <iterator>

#include "absl/container/flat_hash_set.h"
#include "lib/base/uuid.h"
#include "sandbox/rule_table.h"

namespace simpul::sandbox {
namespace {

constexpr std::string_view kUrn = "urn:uuid:";

void CheckFullUrl(const Json* full_url, std::string_view type,
                  absl::flat_hash_set<std::string>& seen, std::vector<Issue>& issues) {
  auto add = [&](int number, std::string_view words) {
    issues.push_back(MakeIssue(number, words, fmt::format("{}.fullUrl", type)));
  };
  const std::string_view text = Text(full_url);
  if (text.empty()) {
    add(20021, fmt::format("Invalid resource {} due to missing fullUrl element", type));
  } else if (!text.starts_with("urn:uuid")) {
    add(20018, fmt::format("Invalid element {}.fullUrl due to invalid fullUrl format. It must "
                           "begin with 'urn:uuid'",
                           type));
  } else if (!text.starts_with(kUrn)) {
    add(20017, fmt::format("Invalid element {}.fullUrl due to invalid fullUrl format. It must be "
                           "in the format: 'urn:uuid:{{uuid_value}}'",
                           type));
  } else if (!base::IsUuid(text.substr(kUrn.size()))) {
    add(20019, fmt::format("Invalid element {}.fullUrl due to invalid UUID format", type));
  } else if (!seen.insert(std::string(text)).second) {
    add(20020, fmt::format("Invalid element {}.fullUrl due to duplicate fullUrl: {}", type, text));
  }
}

}  // namespace

std::vector<Change> ReadTransaction(Json& bundle, std::vector<Issue>& issues) {
  std::vector<Change> changes;
  if (MemberText(bundle, "resourceType") != "Bundle") {
    issues.push_back(MakeIssue(20008, "Failed to unmarshal request payload: expected a Bundle",
                               "Bundle.resourceType"));
    return changes;
  }
  if (MemberText(bundle, "type") != "transaction") {
    issues.push_back(
        MakeIssue(20008, "Failed to unmarshal request payload: Bundle.type must be transaction",
                  "Bundle.type"));
    return changes;
  }
  Json* entries = Member(bundle, "entry");
  if (entries == nullptr || !entries->IsArray() || entries->Empty()) {
    issues.push_back(MakeIssue(0, "Element not found: Bundle.entry", "Bundle.entry", "structure"));
    return changes;
  }
  if (entries->Size() > kEntriesMax) {
    issues.push_back(MakeIssue(0,
                               fmt::format("Bundle.entry has more than {} elements", kEntriesMax),
                               "Bundle.entry", "too-costly"));
    return changes;
  }
  absl::flat_hash_set<std::string> seen;
  changes.reserve(entries->Size());
  for (rapidjson::SizeType i = 0; i < entries->Size(); ++i) {
    Json& entry = (*entries)[i];
    const std::string at = fmt::format("Bundle.entry[{}]", i);
    Json* resource = Member(entry, "resource");
    const Json* request = Member(static_cast<const Json&>(entry), "request");
    const std::string_view method = Text(Member(request, "method"));
    const std::string_view url = Text(Member(request, "url"));
    if (resource == nullptr || !resource->IsObject()) {
      issues.push_back(MakeIssue(0, fmt::format("Element not found: {}.resource", at),
                                 at + ".resource", "structure"));
      return {};
    }
    Change& change = changes.emplace_back();
    change.resource = resource;
    change.type = MemberText(*resource, "resourceType");
    change.full_url = Text(Member(static_cast<const Json&>(entry), "fullUrl"));
    change.create = method != "PUT";
    if (change.type == "Bundle") {
      change.issues.push_back(MakeIssue(20011, "Forbidden nested bundle", at + ".resource"));
      continue;
    }
    if (!IsKnownType(change.type)) {
      change.issues.push_back(MakeIssue(
          20004, fmt::format("Resource {} is not allowed for current access class", change.type),
          at + ".resource", "forbidden"));
      continue;
    }
    if (change.type == "Patient") {
      change.issues.push_back(
          change.create ? MakeIssue(20004, "Resource Patient is not allowed in a transaction",
                                    at + ".resource", "forbidden")
                        : MakeIssue(20016, "Organization not allowed to edit Patient",
                                    at + ".resource", "forbidden"));
      continue;
    }
    CheckFullUrl(Member(static_cast<const Json&>(entry), "fullUrl"), change.type, seen,
                 change.issues);
    if (method == "POST") {
      if (url != change.type) {
        change.issues.push_back(MakeIssue(
            0, fmt::format("{}.request.url must be {}", at, change.type), at + ".request.url"));
      }
    } else if (method == "PUT") {
      const size_t slash = url.find('/');
      if (slash == std::string_view::npos || url.substr(0, slash) != change.type ||
          url.size() == slash + 1) {
        change.issues.push_back(
            MakeIssue(0, fmt::format("{}.request.url must be {}/<id>", at, change.type),
                      at + ".request.url"));
        continue;
      }
      change.id = url.substr(slash + 1);
      const std::string_view own_id = MemberText(*resource, "id");
      if (own_id != change.id) {
        change.issues.push_back(
            MakeIssue(0, fmt::format("{}.id must be the id of the request", change.type),
                      change.type + ".id"));
      }
    } else {
      change.issues.push_back(MakeIssue(0, fmt::format("{}.request.method must be POST or PUT", at),
                                        at + ".request.method"));
    }
  }
  return changes;
}

std::string TransactionResponse(const std::vector<Applied>& applied,
                                std::string_view location_base) {
  std::string out;
  out.reserve(applied.size() * 400 + 100);
  auto to = std::back_inserter(out);
  fmt::format_to(to,
                 R"({{"resourceType":"Bundle","type":"transaction-response","total":{},)"
                 R"("entry":[)",
                 applied.size());
  for (size_t i = 0; i < applied.size(); ++i) {
    const Applied& one = applied[i];
    fmt::format_to(
        to,
        R"({}{{"response":{{"status":"{}","location":"{}/{}/{}/_history/{}","etag":"W/\"{}\"",)"
        R"("lastModified":"{}","resourceType":"{}","resourceID":"{}"}}}})",
        i == 0 ? "" : ",", one.created ? "201 Created" : "200 OK", location_base, one.type, one.id,
        one.version_id, one.version_id, one.last_updated, one.type, one.id);
  }
  out += "]}";
  return out;
}

}  // namespace simpul::sandbox
