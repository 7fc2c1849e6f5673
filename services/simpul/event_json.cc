#include "simpul/event_json.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <regex>

#include "lib/base/check.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"
#include "lib/event/validate.h"
#include "lib/event/wire_check.h"

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

// Whether libprotobuf's words are about a name that an enumeration of the contract does not have,
// and that could be one of a newer contract's: "(path): invalid value "NAME" for type URL".
bool IsUnknownChoice(const std::string& words) {
  static const std::regex kChoice(
      R"re(^\([^)]{0,400}\): invalid value "[A-Z][A-Z0-9_]{0,99}" for type [^ "/]+/([A-Za-z0-9_.]+)$)re");
  std::smatch match;
  return std::regex_search(words, match, kChoice) &&
         google::protobuf::DescriptorPool::generated_pool()->FindEnumTypeByName(match[1].str()) !=
             nullptr;
}

// Where JSON breaks off. libprotobuf says it only by quoting what stands there.
ingest::v1::Violation SyntaxViolation(std::string_view line) {
  ingest::v1::Violation violation = Violate("json.syntax");
  rapidjson::MemoryStream bytes(line.data(), line.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
  rapidjson::BaseReaderHandler<> nobody;
  rapidjson::Reader reader;
  if (reader.Parse<rapidjson::kParseIterativeFlag>(stream, nobody).IsError()) {
    const size_t at = reader.GetErrorOffset();
    *violation.mutable_message() +=
        at < line.size() ? fmt::format(": what stands at byte {} cannot stand there", at + 1)
                         : fmt::format(": it ends too early, after {} bytes", line.size());
  }
  return violation;
}

}  // namespace

std::variant<event::v1::Event, ingest::v1::Violation> ParseEventLine(std::string_view line) {
  event::v1::Event event;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(line.data(), line.size()), &event,
      google::protobuf::util::JsonParseOptions());
  if (status.ok()) return event;
  if (const size_t good = event::Utf8Bytes(line); good < line.size()) {
    ingest::v1::Violation violation = Violate("json.utf8");
    *violation.mutable_message() += fmt::format(": byte {} begins no character", good + 1);
    return violation;
  }
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
    if (IsUnknownChoice(words)) {
      ingest::v1::Violation violation = Violate("enum.unknown", SafePath(match[1].str()));
      violation.set_message("the contract has no choice of this name here");
      violation.set_fix(
          "correct the name; if it is a newer choice, keep the line and send it again with a newer "
          "program");
      return violation;
    }
    return Violate("json.value", SafePath(match[1].str()));
  }
  if (words.find("invalid value") != std::string::npos ||
      words.find("oneof") != std::string::npos) {
    return Violate("json.value");
  }
  return SyntaxViolation(line);
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

ingest::v1::Retry RetryOf(const ingest::v1::Violation& violation) {
  return violation.rule() == "json.unknown_field" || violation.rule() == "enum.unknown"
             ? ingest::v1::RETRY_AFTER_UPGRADE
             : ingest::v1::RETRY_FINAL;
}

ingest::v1::Violation LineTooLong() { return Violate("json.too_long"); }

}  // namespace simpul::cli
