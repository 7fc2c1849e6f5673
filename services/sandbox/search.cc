#include "sandbox/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "lib/base/text.h"
#include "sandbox/facts.h"
#include "sandbox/json.h"
#include "sandbox/outcome.h"
#include "sandbox/rule_table.h"
#include "sandbox/times.h"

namespace simpul::sandbox {
namespace {

constexpr size_t kPageDefault = 100, kPageMax = 1000;
constexpr std::string_view kNik = "https://fhir.kemkes.go.id/id/nik";
constexpr std::string_view kMotherNik = "https://fhir.kemkes.go.id/id/nik-ibu";
constexpr std::string_view kPatientNumber = "https://fhir.kemkes.go.id/id/ihs-number";
constexpr std::string_view kPractitionerNumber = "https://fhir.kemkes.go.id/id/nakes-his-number";

// One parameter that a type knows: true when the resource fits the value.
using Test = std::function<bool(const Json& resource, std::string_view value)>;

bool HasIdentifier(const Json& resource, std::string_view value) {
  const size_t bar = value.find('|');
  const Facts facts = ReadFacts(resource, "");
  return std::any_of(facts.identifiers.begin(), facts.identifiers.end(),
                     [&](const std::string& own) {
                       return bar == std::string_view::npos
                                  ? std::string_view(own).substr(own.find('|') + 1) == value
                                  : own == value;
                     });
}

// A reference element equals "Type/id" or the bare id.
Test Refers(std::string_view element, std::string_view type) {
  return [element, type](const Json& resource, std::string_view value) {
    const Json* reference = Member(resource, element);
    if (reference == nullptr) return false;
    if (value.starts_with(type) && value.size() > type.size() && value[type.size()] == '/') {
      value.remove_prefix(type.size() + 1);
    }
    return IdIn(MemberText(*reference, "reference"), type) == value;
  };
}

// A coded element holds "system|code" or the bare code.
Test HasCode(std::string_view element) {
  return [element](const Json& resource, std::string_view value) {
    const size_t bar = value.find('|');
    const std::string_view system =
        bar == std::string_view::npos ? std::string_view() : value.substr(0, bar);
    const std::string_view code = bar == std::string_view::npos ? value : value.substr(bar + 1);
    const std::function<bool(const Json&)> holds = [&](const Json& node) {
      if (node.IsArray()) return std::any_of(node.Begin(), node.End(), holds);
      if (node.IsString()) return Text(node) == code;
      if (const Json* codings = Member(node, "coding")) return holds(*codings);
      return MemberText(node, "code") == code &&
             (system.empty() || MemberText(node, "system") == system);
    };
    const Json* found = Member(resource, element);
    return found != nullptr && holds(*found);
  };
}

// meta.lastUpdated with a prefix: ge2026-01-01T00:00:00+00:00 or a date.
bool UpdatedAsAsked(const Json& resource, std::string_view value) {
  std::string_view prefix = "eq";
  if (value.size() > 2 && value[0] >= 'a' && value[0] <= 'z') {
    prefix = value.substr(0, 2);
    value.remove_prefix(2);
  }
  const Json* meta = Member(resource, "meta");
  if (meta == nullptr) return false;
  // Both are in UTC, written alike: text order is the order of time.
  const std::string_view own =
      MemberText(*meta, "lastUpdated").substr(0, value.substr(0, 19).size());
  const int order = own.compare(value.substr(0, 19));
  if (prefix == "ge") return order >= 0;
  if (prefix == "gt") return order > 0;
  if (prefix == "le") return order <= 0;
  if (prefix == "lt") return order < 0;
  return order == 0;
}

std::map<std::string, Test, std::less<>> TestsOf(std::string_view type) {
  std::map<std::string, Test, std::less<>> tests;
  tests["identifier"] = HasIdentifier;
  tests["_id"] = [](const Json& resource, std::string_view value) {
    return MemberText(resource, "id") == value;
  };
  tests["_lastUpdated"] = UpdatedAsAsked;
  tests["status"] = HasCode("status");
  if (HasPatientElement(type)) {
    tests["patient"] = Refers("patient", "Patient");
  } else {
    tests["subject"] = Refers("subject", "Patient");
    tests["patient"] = Refers("subject", "Patient");
  }
  tests["encounter"] = Refers("encounter", "Encounter");
  if (type == "EpisodeOfCare") {
    tests["type"] = HasCode("type");
    tests["organization"] = Refers("managingOrganization", "Organization");
    tests.erase("encounter");
  }
  if (type == "Encounter") {
    tests["class"] = HasCode("class");
    tests["service-provider"] = Refers("serviceProvider", "Organization");
    tests.erase("encounter");
  }
  if (type == "Observation" || type == "Condition" || type == "ServiceRequest" ||
      type == "Procedure") {
    tests["code"] = HasCode("code");
    tests["category"] = HasCode("category");
  }
  if (type == "Immunization") tests["vaccine-code"] = HasCode("vaccineCode");
  if (type == "Location") {
    tests["organization"] = Refers("managingOrganization", "Organization");
    tests.erase("patient");
    tests.erase("subject");
  }
  if (type == "Organization") {
    tests["partof"] = Refers("partOf", "Organization");
    tests["type"] = HasCode("type");
    tests.erase("patient");
    tests.erase("subject");
  }
  return tests;
}

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '/' || c == ':' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string Url(std::string_view base, std::string_view type, const Query& query) {
  std::string url = fmt::format("{}/{}", base, type);
  char mark = '?';
  for (const auto& [name, value] : query) {
    url += fmt::format("{}{}={}", mark, name, Escape(value));
    mark = '&';
  }
  return url;
}

struct Page {
  size_t offset = 0, count = kPageDefault;
};

Page PageOf(const Query& query) {
  Page page;
  auto number = [](const std::string& text, size_t otherwise) {
    return base::IsDigits(text) && text.size() < 10 ? static_cast<size_t>(std::stoul(text))
                                                    : otherwise;
  };
  if (const auto it = query.find("_count"); it != query.end()) {
    page.count = std::clamp<size_t>(number(it->second, kPageDefault), 1, kPageMax);
  }
  if (const auto it = query.find("_page_token"); it != query.end()) {
    const auto token = base::FromBase64Url(it->second);
    if (token.ok()) page.offset = number(*token, 0);
  }
  return page;
}

// A searchset of resources given as JSON texts with their ids.
rpc::HttpResponse SearchSet(std::string_view base, std::string_view type, const Query& applied,
                            const Page& page, size_t total,
                            const std::vector<std::pair<std::string, std::string>>& found) {
  std::string out = R"({"resourceType":"Bundle","type":"searchset",)";
  out += fmt::format(R"("total":{},"link":[{{"relation":"self","url":)", total);
  AppendQuoted(Url(base, type, applied), out);
  out += '}';
  if (page.offset + found.size() < total) {
    Query next = applied;
    next.erase("_page_token");
    next.emplace("_page_token", base::ToBase64Url(fmt::format("{}", page.offset + found.size())));
    out += R"(,{"relation":"next","url":)";
    AppendQuoted(Url(base, type, next), out);
    out += '}';
  }
  out += ']';
  for (size_t i = 0; i < found.size(); ++i) {
    out += i == 0 ? R"(,"entry":[)" : ",";
    out += R"({"fullUrl":)";
    AppendQuoted(fmt::format("{}/{}/{}", base, type, found[i].first), out);
    out += R"(,"resource":)";
    out += found[i].second;
    out += R"(,"search":{"mode":"match"}})";
  }
  if (!found.empty()) out += ']';
  out += '}';
  rpc::HttpResponse response;
  response.content_type = "application/fhir+json";
  response.body = std::move(out);
  return response;
}

std::string Mask(std::string_view name) {
  std::string masked;
  bool first = true;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == ' ') {
      first = true;
      masked.push_back(c);
    } else if (first) {
      first = false;
      masked.push_back(c);
      // The letters of a character beyond ASCII stay together.
      while (i + 1 < name.size() && (name[i + 1] & 0xc0) == 0x80) masked.push_back(name[++i]);
    } else if ((c & 0xc0) != 0x80) {
      masked.push_back('*');
    }
  }
  return masked;
}

// What a look-up of a person asks, and which parameters were understood.
PersonQuery ReadPersonQuery(const Query& query, std::string_view number_system, Query& applied) {
  PersonQuery asked;
  for (const auto& [name, value] : query) {
    bool understood = true;
    if (name == "identifier") {
      const size_t bar = value.find('|');
      const std::string system = value.substr(0, bar == std::string::npos ? 0 : bar);
      const std::string number = bar == std::string::npos ? value : value.substr(bar + 1);
      if (system == kNik) {
        asked.nik = number;
      } else if (system == kMotherNik) {
        asked.mother_nik = number;
      } else if (system == number_system) {
        asked.ihs_number = number;
      } else {
        asked.nik = "unknown";  // another system of identifiers: nobody
      }
    } else if (name == "name") {
      asked.name = value;
    } else if (name == "birthdate") {
      asked.birth_date = value.starts_with("eq") ? value.substr(2) : value;
    } else if (name == "gender") {
      asked.sex = value;
    } else {
      understood = name == "_count";
    }
    if (understood) applied.emplace(name, value);
  }
  return asked;
}

}  // namespace

std::string PatientJson(const Person& person, bool with_birth_date) {
  std::string out = R"({"resourceType":"Patient","id":)";
  AppendQuoted(person.platform_id, out);
  out += R"(,"meta":{"versionId":"v1","lastUpdated":"2024-01-01T00:00:00.000000+00:00"},)"
         R"("active":true,"identifier":[{"system":"https://fhir.kemkes.go.id/id/ihs-number",)"
         R"("use":"official","value":)";
  AppendQuoted(person.platform_id, out);
  out += '}';
  if (!person.nik.empty()) {
    out += R"(,{"system":"https://fhir.kemkes.go.id/id/nik","use":"official",)"
           R"("value":"################"})";
  }
  out += ']';
  if (!person.name.empty()) {
    out += R"(,"name":[{"use":"official","text":)";
    AppendQuoted(Mask(person.name), out);
    out += "}]";
  }
  if (with_birth_date && !person.birth_date.empty()) {
    out += R"(,"birthDate":)";
    AppendQuoted(person.birth_date, out);
  }
  return out + "}";
}

std::string PractitionerJson(const Person& person) {
  std::string out = R"({"resourceType":"Practitioner","id":)";
  AppendQuoted(person.platform_id, out);
  out += R"(,"meta":{"versionId":"v1","lastUpdated":"2024-01-01T00:00:00.000000+00:00"},)"
         R"("identifier":[{"system":"https://fhir.kemkes.go.id/id/nakes-his-number",)"
         R"("use":"official","value":)";
  AppendQuoted(person.platform_id, out);
  out += "}]";
  if (!person.name.empty()) {
    out += R"(,"name":[{"use":"official","text":)";
    AppendQuoted(person.name, out);
    out += "}]";
  }
  return out + "}";
}

rpc::HttpResponse SearchPatients(const People& people, const Query& query, std::string_view base) {
  Query applied;
  const PersonQuery asked = ReadPersonQuery(query, kPatientNumber, applied);
  std::vector<std::pair<std::string, std::string>> found;
  // A look-up by NIK shows the least; children of a mother come with their birth dates.
  for (const Person& person : people.FindPatients(asked)) {
    found.emplace_back(person.platform_id, PatientJson(person, asked.nik.empty()));
  }
  return SearchSet(base, "Patient", applied, {0, found.size()}, found.size(), found);
}

rpc::HttpResponse SearchPractitioners(const People& people, const Query& query,
                                      std::string_view base) {
  Query applied;
  const PersonQuery asked = ReadPersonQuery(query, kPractitionerNumber, applied);
  std::vector<std::pair<std::string, std::string>> found;
  for (const Person& person : people.FindPractitioners(asked)) {
    found.emplace_back(person.platform_id, PractitionerJson(person));
  }
  return SearchSet(base, "Practitioner", applied, {0, found.size()}, found.size(), found);
}

rpc::HttpResponse Search(const Store& store, std::string_view type, const Query& query,
                         std::string_view base) {
  const std::map<std::string, Test, std::less<>> tests = TestsOf(type);
  Query applied;
  std::vector<std::pair<const Test*, std::string>> asked;
  std::string identifier, patient;
  for (const auto& [name, value] : query) {
    if (name == "_count" || name == "_page_token" || name == "_sort") {
      applied.emplace(name, value);
      continue;
    }
    const auto test = tests.find(name);
    if (test == tests.end() || value.empty()) continue;
    applied.emplace(name, value);
    asked.emplace_back(&test->second, value);
    if (name == "identifier" && value.find('|') != std::string::npos) identifier = value;
    if (name == "patient" || name == "subject") {
      patient = value.starts_with("Patient/") ? value.substr(8) : value;
    }
  }

  const Page page = PageOf(query);
  std::vector<std::pair<std::string, std::string>> found;
  if (asked.empty()) {
    for (Stored& stored : store.List(type, page.offset, page.count)) {
      found.emplace_back(std::move(stored.id), std::move(stored.body));
    }
    return SearchSet(base, type, applied, page, store.Count(type), found);
  }
  std::vector<Stored> candidates;
  if (!identifier.empty()) {
    candidates = store.WithIdentifier(type, identifier);
  } else if (!patient.empty()) {
    candidates = store.AboutPatient(type, patient);
  } else {
    candidates = store.List(type, 0, SIZE_MAX);
  }
  size_t total = 0;
  for (Stored& stored : candidates) {
    JsonText json(stored.body);
    if (json.root() == nullptr) continue;
    const bool fits = std::all_of(asked.begin(), asked.end(), [&](const auto& one) {
      return (*one.first)(*json.root(), one.second);
    });
    if (!fits) continue;
    if (total >= page.offset && found.size() < page.count) {
      found.emplace_back(std::move(stored.id), std::move(stored.body));
    }
    ++total;
  }
  return SearchSet(base, type, applied, page, total, found);
}

}  // namespace simpul::sandbox
