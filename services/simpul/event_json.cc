#include "simpul/event_json.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <regex>

#include "lib/base/check.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"
#include "lib/event/validate.h"

namespace simpul::cli {
namespace {

// The violation of a rule in the rule's own words.
ingest::v1::Violation Violate(std::string_view rule_name, std::string field = "") {
  const std::vector<event::Rule>& rules = event::Rules();
  const auto rule = std::ranges::find(rules, rule_name, &event::Rule::name);
  SIMPUL_CHECK(rule != rules.end(), "no rule {}", rule_name);
  ingest::v1::Violation violation;
  violation.set_field(std::move(field));
  violation.set_rule(std::string(rule->name));
  violation.set_message(std::string(rule->meaning));
  violation.set_fix(std::string(rule->fix));
  return violation;
}

// A field's path as far as it is one: the parser puts names from the line into it, and somebody may
// have put a name or a number where a name of a field belongs.
std::string SafePath(std::string path) {
  if (path.size() > 200) path.resize(200);
  for (char& c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '.' || c == '[' || c == ']';
    if (!plain) c = '?';
  }
  return base::MaskNumbers(path);
}

}  // namespace

std::variant<event::v1::Event, ingest::v1::Violation> ParseEventLine(std::string_view line) {
  event::v1::Event event;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(line.data(), line.size()), &event,
      google::protobuf::util::JsonParseOptions());
  if (status.ok()) return event;
  const std::string words(status.message().data(), status.message().size());
  // libprotobuf 3.21: "(path): invalid value V for type T", "(path) name: Cannot find field.",
  // anything else is about the JSON itself and quotes a piece of it.
  std::smatch match;
  static const std::regex kUnknown(R"(^(?:\(([^)]*)\) )?([^:]{0,200}): Cannot find field\.)");
  if (std::regex_search(words, match, kUnknown)) {
    const std::string parent = match[1].matched ? match[1].str() + "." : "";
    return Violate("json.unknown_field", SafePath(parent + match[2].str()));
  }
  static const std::regex kPath(R"(^\(([^)]{0,400})\))");
  if (std::regex_search(words, match, kPath)) {
    return Violate("json.value", SafePath(match[1].str()));
  }
  if (words.find("invalid value") != std::string::npos ||
      words.find("oneof") != std::string::npos) {
    return Violate("json.value");
  }
  return Violate("json.syntax");
}

std::string EventLine(const event::v1::Event& event) {
  std::string line;
  // Fails only for broken UTF-8, which no event that was parsed or made here has.
  (void)google::protobuf::util::MessageToJsonString(event, &line);
  return line;
}

std::string FindEventId(std::string_view line) {
  for (const std::string_view key : {"\"event_id\"", "\"eventId\""}) {
    size_t at = line.find(key);
    if (at == std::string_view::npos) continue;
    at = line.find_first_not_of(" \t:", at + key.size());
    if (at == std::string_view::npos || line[at] != '"' || line.size() < at + 37) continue;
    const std::string_view id = line.substr(at + 1, 36);
    if (base::IsUuid(id)) return std::string(id);
  }
  return "";
}

ingest::v1::Violation LineTooLong() { return Violate("json.too_long"); }

}  // namespace simpul::cli
