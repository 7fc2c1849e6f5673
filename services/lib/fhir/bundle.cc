#include <algorithm>
#include <unordered_set>

#include "lib/base/check.h"
#include "lib/fhir/map.h"

namespace simpul::fhir {
namespace {

constexpr std::string_view kUuidReference = "\"reference\":\"urn:uuid:";
constexpr size_t kUuidSize = 36;

using KnownParts = std::map<std::string, KnownPart>;

// The resource with references to known parts as Type/id, and with its own id where it has one.
// `json` is ours: no space, resourceType first.
void AppendResource(std::string& out, std::string_view json, std::string_view resource_type,
                    std::string_view platform_id, const KnownParts& known) {
  const size_t head = std::string_view("{\"resourceType\":\"\"").size() + resource_type.size();
  SIMPUL_CHECK(json.size() > head && json[head] == ',', "A part does not begin with its type.");
  out += json.substr(0, head);
  if (!platform_id.empty()) {
    out += ",\"id\":\"";
    out += platform_id;
    out += '"';
  }
  json.remove_prefix(head);
  if (known.empty()) {
    out += json;
    return;
  }
  while (true) {
    const size_t at = json.find(kUuidReference);
    if (at == std::string_view::npos || at + kUuidReference.size() + kUuidSize > json.size()) break;
    const std::string key(json.substr(at + kUuidReference.size(), kUuidSize));
    const auto found = known.find(key);
    if (found == known.end()) {
      out += json.substr(0, at + kUuidReference.size() + kUuidSize);
    } else {
      out += json.substr(0, at);
      out += "\"reference\":\"";
      out += found->second.resource_type;
      out += '/';
      out += found->second.platform_id;
    }
    json.remove_prefix(at + kUuidReference.size() + kUuidSize);
  }
  out += json;
}

void AppendFullUrl(std::string& out, std::string_view key) {
  out += "{\"fullUrl\":\"urn:uuid:";
  out += key;
  out += "\",\"resource\":";
}

void AppendRequest(std::string& out, std::string_view resource_type, std::string_view platform_id) {
  out += platform_id.empty() ? ",\"request\":{\"method\":\"POST\",\"url\":\""
                             : ",\"request\":{\"method\":\"PUT\",\"url\":\"";
  out += resource_type;
  if (!platform_id.empty()) {
    out += '/';
    out += platform_id;
  }
  out += "\"}}";
}

// The end of the JSON string that begins at `begin`, after its closing quote.
size_t EndOfString(std::string_view json, size_t begin) {
  size_t at = begin + 1;
  while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2 : 1;
  return at + 1;
}

// Takes a member of the outermost object out, with its comma. Bytes that stay are not touched, so
// numbers keep their digits. The member is never the first: that is resourceType.
void RemoveMember(std::string& json, std::string_view name) {
  int depth = 0;
  size_t comma = 0;
  size_t removed_from = 0;
  for (size_t at = 0; at < json.size();) {
    const char c = json[at];
    if (c == '"') {
      const size_t end = EndOfString(json, at);
      const bool is_name = depth == 1 && end < json.size() && json[end] == ':';
      if (is_name && std::string_view(json).substr(at + 1, end - at - 2) == name) {
        removed_from = comma;
      }
      at = end;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    const bool member_ends = (c == ',' && depth == 1) || (c == '}' && depth == 0);
    if (member_ends && removed_from != 0) {
      json.erase(removed_from, at - removed_from);
      return;
    }
    if (member_ends) comma = at;
    ++at;
  }
}

// Adds a member at the end of the outermost object.
void AddMember(std::string& json, std::string_view member) {
  json.pop_back();
  json.append(",").append(member).append("}");
}

bool IsEnteredInError(const KnownPart& part) {
  return part.json.find(part.resource_type == "Condition"
                            ? "\"code\":\"entered-in-error\""
                            : "\"status\":\"entered-in-error\"") != std::string::npos;
}

// Who a reference of Map names by the platform's id, and the identifier system of that id.
struct NamedById {
  std::string_view reference;
  std::string_view type;
  std::string_view system;
};
constexpr NamedById kNamedById[] = {
    {"\"reference\":\"Patient/", "Patient", "https://fhir.kemkes.go.id/id/ihs-number"},
    {"\"reference\":\"Practitioner/", "Practitioner",
     "https://fhir.kemkes.go.id/id/nakes-his-number"},
    {"\"reference\":\"Organization/", "Organization", "https://fhir.kemkes.go.id/id/org-number"},
};

void AppendByIdentifier(std::string& out, std::string_view json) {
  constexpr std::string_view kReference = "\"reference\":\"";
  while (true) {
    const size_t at = json.find(kReference);
    if (at == std::string_view::npos) break;
    out += json.substr(0, at);
    json.remove_prefix(at);
    const auto* named = std::find_if(
        std::begin(kNamedById), std::end(kNamedById),
        [&](const NamedById& candidate) { return json.starts_with(candidate.reference); });
    if (named == std::end(kNamedById)) {
      out += kReference;
      json.remove_prefix(kReference.size());
      continue;
    }
    json.remove_prefix(named->reference.size());
    const size_t end = json.find('"');
    out += "\"type\":\"";
    out += named->type;
    out += "\",\"identifier\":{\"system\":\"";
    out += named->system;
    out += "\",\"value\":\"";
    out += json.substr(0, end);
    out += "\"}";
    json.remove_prefix(end + 1);
  }
  out += json;
}

}  // namespace

Transaction MakeTransaction(const Mapped& mapped, const KnownParts& known) {
  Transaction transaction;
  std::string& out = transaction.json;
  size_t size = 128;
  for (const Part& part : mapped.parts) size += part.json.size() + 160;
  out.reserve(size);
  out = "{\"resourceType\":\"Bundle\",\"type\":\"transaction\"";
  const auto next = [&] { out += transaction.sendings.empty() ? ",\"entry\":[" : ","; };
  const bool skip_absent =
      std::any_of(mapped.parts.begin(), mapped.parts.end(), [&](const Part& part) {
        return part.only_if_absent && part.resource_type == "Encounter" && known.contains(part.key);
      });
  std::unordered_set<std::string_view> mapped_keys;
  for (const Part& part : mapped.parts) {
    mapped_keys.insert(part.key);
    const auto found = known.find(part.key);
    if (part.only_if_absent && (skip_absent || found != known.end())) continue;
    const std::string_view platform_id =
        found == known.end() ? std::string_view() : std::string_view(found->second.platform_id);
    next();
    AppendFullUrl(out, part.key);
    AppendResource(out, part.json, part.resource_type, platform_id, known);
    AppendRequest(out, part.resource_type, platform_id);
    transaction.sendings.push_back({part.key, part.resource_type, platform_id.empty(), false});
  }
  for (const auto& [key, part] : known) {
    if (mapped_keys.contains(key) || part.json.empty() || IsEnteredInError(part)) continue;
    next();
    AppendFullUrl(out, key);
    AppendResource(out, EnteredInError(part.resource_type, part.json), part.resource_type,
                   part.platform_id, known);
    AppendRequest(out, part.resource_type, part.platform_id);
    transaction.sendings.push_back({key, part.resource_type, false, true});
  }
  out += transaction.sendings.empty() ? "}" : "]}";
  return transaction;
}

std::string TransactionBundle(const Mapped& mapped, const KnownParts& known) {
  return MakeTransaction(mapped, known).json;
}

std::string CollectionBundle(const Mapped& mapped) {
  std::string out = "{\"resourceType\":\"Bundle\",\"type\":\"collection\"";
  bool first = true;
  for (const Part& part : mapped.parts) {
    out += first ? ",\"entry\":[" : ",";
    first = false;
    AppendFullUrl(out, part.key);
    AppendByIdentifier(out, part.json);
    out += '}';
  }
  out += first ? "}" : "]}";
  return out;
}

std::string EnteredInError(std::string_view resource_type, std::string_view json) {
  std::string out(json);
  if (resource_type == "Condition") {
    RemoveMember(out, "clinicalStatus");
    RemoveMember(out, "verificationStatus");
    AddMember(out,
              "\"verificationStatus\":{\"coding\":[{\"system\":"
              "\"http://terminology.hl7.org/CodeSystem/condition-ver-status\","
              "\"code\":\"entered-in-error\",\"display\":\"Entered in Error\"}]}");
  } else {
    RemoveMember(out, "status");
    AddMember(out, "\"status\":\"entered-in-error\"");
  }
  return out;
}

}  // namespace simpul::fhir
