#include "simpul/event_json.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <regex>

#include "lib/base/text.h"
#include "lib/base/uuid.h"

namespace simpul::cli {
namespace {

ingest::v1::Violation Make(std::string field, const char* rule, const char* message,
                           const char* fix) {
  ingest::v1::Violation violation;
  violation.set_field(std::move(field));
  violation.set_rule(rule);
  violation.set_message(message);
  violation.set_fix(fix);
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
    return Make(SafePath(parent + match[2].str()), "json.unknown_field",
                "The contract has no field of this name here.",
                "Correct the name; if it is a newer field, keep the line and send it again once "
                "this program is newer.");
  }
  static const std::regex kPath(R"(^\(([^)]{0,400})\))");
  if (std::regex_search(words, match, kPath)) {
    return Make(SafePath(match[1].str()), "json.value", "The value is none this field can have.",
                "Write the value as the contract says: names of enumerations in full, numbers "
                "without units, times as RFC 3339.");
  }
  if (words.find("invalid value") != std::string::npos ||
      words.find("oneof") != std::string::npos) {
    return Make("", "json.value", "A value is none its field can have.",
                "Write each value as the contract says, and exactly one payload.");
  }
  return Make("", "json.syntax", "The line is not one JSON object.",
              "Write one event a line, as protobuf JSON in UTF-8.");
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

ingest::v1::Violation LineTooLong() {
  return Make("", "json.too_long", "The line is longer than 1 MiB.",
              "Write one event a line; an event may have 64 KiB.");
}

}  // namespace simpul::cli
