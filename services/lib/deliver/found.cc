#include "lib/deliver/found.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <set>

#include "lib/deliver/answer_json.h"

namespace simpul::deliver {
namespace {

// The last step of a reference: Patient/P1 and https://host/fhir/Patient/P1 both name P1.
std::string IdOf(const rapidjson::Value& resource, const char* member) {
  const rapidjson::Value* reference = Member(resource, member);
  if (reference == nullptr) return "";
  const std::string text = Text(*reference, "reference");
  return text.substr(text.rfind('/') + 1);
}

// Seconds since 1970 of a FHIR date or date-time; nullopt when it is none. Times are compared as
// instants: the platform may write the offset another way.
std::optional<int64_t> InstantOf(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3)
    return std::nullopt;
  int second = 0, offset_min = 0;
  size_t at = static_cast<size_t>(used);
  if (at < text.size()) {
    if (std::sscanf(text.c_str() + at, "T%2d:%2d:%2d%n", &hour, &minute, &second, &used) != 3) {
      return std::nullopt;
    }
    at += static_cast<size_t>(used);
    if (at < text.size() && text[at] == '.') {
      for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9';) ++at;
    }
    int hours = 0, minutes = 0;
    if (at < text.size() && (text[at] == '+' || text[at] == '-') &&
        std::sscanf(text.c_str() + at + 1, "%2d:%2d", &hours, &minutes) == 2) {
      offset_min = (hours * 60 + minutes) * (text[at] == '-' ? -1 : 1);
    }
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 86400 + hour * 3600 + minute * 60 + second - offset_min * 60;
}

std::set<std::string> Codings(const rapidjson::Value& resource, const char* member) {
  std::set<std::string> codings;
  if (const rapidjson::Value* concept_value = Member(resource, member)) {
    ForEach(*concept_value, "coding", [&](const rapidjson::Value& coding) {
      codings.insert(Text(coding, "system") + "|" + Text(coding, "code"));
    });
  }
  return codings;
}

}  // namespace

std::vector<FoundResource> ReadFound(std::string_view body, std::string_view resource_type) {
  std::vector<FoundResource> found;
  rapidjson::Document document;
  if (!ParseObject(body, document)) return found;
  ForEachResource(document, [&](const rapidjson::Value& resource) {
    FoundResource one{Text(resource, "resourceType"), Text(resource, "id"), "", ""};
    if (one.resource_type != resource_type || one.id.empty()) return;
    one.patient_id = IdOf(resource, "subject");
    if (one.patient_id.empty()) one.patient_id = IdOf(resource, "patient");
    rapidjson::StringBuffer text;
    rapidjson::Writer<rapidjson::StringBuffer> writer(text);
    resource.Accept(writer);
    one.json.assign(text.GetString(), text.GetSize());
    found.push_back(std::move(one));
  });
  return found;
}

bool WasApplied(std::string_view body, std::string_view parameter, bool if_unsaid) {
  rapidjson::Document document;
  if (!ParseObject(body, document)) return false;
  bool applied = if_unsaid;
  ForEach(document, "link", [&](const rapidjson::Value& link) {
    if (Text(link, "relation") != "self") return;
    const std::string url = Text(link, "url");
    if (url.empty()) return;
    const size_t question = url.find('?');
    const std::string query = question == std::string::npos ? "" : "&" + url.substr(question + 1);
    applied = query.find("&" + std::string(parameter) + "=") != std::string::npos ||
              query.find("&" + std::string(parameter) + ":") != std::string::npos;
  });
  return applied;
}

bool HasNextPage(std::string_view body) {
  rapidjson::Document document;
  if (!ParseObject(body, document)) return false;
  bool more = false;
  ForEach(document, "link",
          [&](const rapidjson::Value& link) { more = more || Text(link, "relation") == "next"; });
  return more;
}

bool SameImmunization(std::string_view ours, std::string_view theirs,
                      std::string_view encounter_id) {
  rapidjson::Document a, b;
  if (!ParseObject(ours, a) || !ParseObject(theirs, b)) return false;
  const std::set<std::string> codings = Codings(a, "vaccineCode");
  bool same_vaccine = false;
  for (const std::string& coding : Codings(b, "vaccineCode")) {
    same_vaccine = same_vaccine || codings.contains(coding);
  }
  const auto at = InstantOf(Text(a, "occurrenceDateTime"));
  if (!same_vaccine || !at || at != InstantOf(Text(b, "occurrenceDateTime"))) return false;
  const bool names_encounter = Member(a, "encounter") != nullptr;
  const std::string their_encounter = IdOf(b, "encounter");
  if (names_encounter != !their_encounter.empty()) return false;
  return !names_encounter || encounter_id == their_encounter;
}

std::vector<BundleEntry> EntriesOf(std::string_view bundle) {
  std::vector<BundleEntry> entries;
  rapidjson::Document document;
  if (!ParseObject(bundle, document)) return entries;
  ForEach(document, "entry", [&](const rapidjson::Value& one) {
    BundleEntry entry;
    entry.key = Text(one, "fullUrl");
    constexpr std::string_view kUrn = "urn:uuid:";
    if (entry.key.starts_with(kUrn)) entry.key.erase(0, kUrn.size());
    if (const rapidjson::Value* request = Member(one, "request")) {
      entry.method = Text(*request, "method");
      const std::string url = Text(*request, "url");
      const size_t slash = url.find('/');
      entry.resource_type = url.substr(0, slash);
      if (slash != std::string::npos) entry.id = url.substr(slash + 1);
    }
    entries.push_back(std::move(entry));
  });
  return entries;
}

}  // namespace simpul::deliver
