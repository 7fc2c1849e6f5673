#include "sandbox/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "lib/base/text.h"
#include "sandbox/rule_table.h"
#include "sandbox/terminology.h"
#include "sandbox/times.h"

namespace simpul::sandbox {
namespace {

constexpr std::string_view kLocalIds = "http://sys-ids.kemkes.go.id/";
constexpr size_t kIssuesMax = 50;

// A rule with its texts cut into words once.
struct Compiled {
  int number;
  RuleKind kind;
  std::string_view path;
  std::vector<std::string_view> segments;   // below the type
  std::vector<std::string_view> arguments;  // systems as URLs
};

std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = text.find(by);
    if (end != 0) words.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return words;
}

const std::vector<Compiled>& RulesOf(std::string_view type) {
  static const auto* by_type = [] {
    auto* map = new absl::flat_hash_map<std::string_view, std::vector<Compiled>>();
    for (const Rule& rule : RuleTable()) {
      if (rule.kind == RuleKind::kDateTime || rule.kind == RuleKind::kNumber) continue;
      const size_t dot = rule.path.find('.');
      Compiled compiled{rule.number, rule.kind, rule.path, Split(rule.path.substr(dot + 1), '.'),
                        Split(rule.arguments, ' ')};
      if (rule.kind == RuleKind::kSystems) {
        for (std::string_view& name : compiled.arguments) name = SystemUrl(name);
      }
      (*map)[rule.path.substr(0, dot)].push_back(std::move(compiled));
    }
    return map;
  }();
  static const std::vector<Compiled> none;
  const auto found = by_type->find(type);
  return found == by_type->end() ? none : found->second;
}

// Where an element is, as a chain on the stack: written out only for an issue.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;
  int index = -1;  // in an array; -1: no array

  std::string Text() const {
    std::string text = parent == nullptr ? std::string() : parent->Text();
    if (!name.empty()) {
      if (!text.empty()) text += '.';
      text += name;
    }
    if (index >= 0) text += fmt::format("[{}]", index);
    return text;
  }
};

// Calls `found(element, path)` for every element at the segments below `node`, arrays opened; for a
// missing one with null and the path at which it is missing.
template <typename Found>
void Descend(const Json& node, std::span<const std::string_view> segments, const Path& path,
             const Found& found) {
  if (node.IsArray()) {
    for (rapidjson::SizeType i = 0; i < node.Size(); ++i) {
      const Path element{&path, {}, static_cast<int>(i)};
      Descend(node[i], segments, element, found);
    }
    return;
  }
  if (segments.empty()) {
    found(&node, path);
    return;
  }
  std::string_view name = segments[0];
  const Json* next = nullptr;
  if (name.ends_with("[x]")) {
    const std::string_view stem = name.substr(0, name.size() - 3);
    for (auto it = node.IsObject() ? node.MemberBegin() : Json::ConstMemberIterator();
         node.IsObject() && it != node.MemberEnd(); ++it) {
      if (Text(it->name).starts_with(stem)) {
        next = &it->value;
        break;
      }
    }
  } else {
    next = Member(node, name);
  }
  const Path below{&path, name};
  if (next == nullptr) {
    std::string missing(name);
    for (const std::string_view rest : segments.subspan(1)) missing += fmt::format(".{}", rest);
    const Path at{&path, missing};
    found(static_cast<const Json*>(nullptr), at);
    return;
  }
  Descend(*next, segments.subspan(1), below, found);
}

class Check {
 public:
  Check(const Json& resource, std::string_view type, std::string_view organization)
      : resource_(resource), type_(type), organization_(organization), root_{nullptr, type} {}

  std::vector<Issue> Run() {
    const bool has_identifier_rule = ApplyTable();
    if (!has_identifier_rule) CheckOtherIdentifiers();
    if (type_ == "Encounter") CheckEncounter();
    if (type_ == "Condition") CheckCondition();
    if (type_ == "Observation") CheckObservation();
    if (type_ == "Immunization") CheckImmunization();
    if (type_ == "AllergyIntolerance") RequireClinicalStatus(10076);
    if (type_ == "QuestionnaireResponse") CheckQuestionnaireResponse();
    return std::move(issues_);
  }

 private:
  bool ApplyTable() {
    bool has_identifier_rule = false;
    for (const Compiled& rule : RulesOf(type_)) {
      has_identifier_rule |= rule.kind == RuleKind::kIdentifier;
      Descend(resource_, rule.segments, root_, [&](const Json* element, const Path& path) {
        if (element == nullptr) {
          if (rule.kind == RuleKind::kRequired) Missing(rule.number, path.Text());
          return;
        }
        switch (rule.kind) {
          case RuleKind::kCodes:
            CheckCode(rule, Text(*element), path);
            break;
          case RuleKind::kSystems:
            CheckCodings(rule, *element, path);
            break;
          case RuleKind::kReference:
            CheckReference(rule, *element, path);
            break;
          case RuleKind::kIdentifier:
            CheckIdentifier(rule, *element, path);
            break;
          default:
            break;
        }
      });
    }
    return has_identifier_rule;
  }

  void CheckCode(const Compiled& rule, std::string_view code, const Path& path) {
    const auto& codes = rule.arguments;
    if (std::find(codes.begin() + 1, codes.end(), code) != codes.end()) return;
    Add(rule.number, fmt::format("Code not found: '{}' in system: {}", code, codes[0]),
        path.Text());
  }

  // A Coding, a Quantity, or a CodeableConcept with its codings.
  void CheckCodings(const Compiled& rule, const Json& element, const Path& path) {
    const Json* codings = Member(element, "coding");
    if (codings == nullptr) {
      CheckCoding(rule, element, path);
      return;
    }
    for (rapidjson::SizeType i = 0; codings->IsArray() && i < codings->Size(); ++i) {
      const Path at{&path, "coding", static_cast<int>(i)};
      CheckCoding(rule, (*codings)[i], at);
    }
  }

  void CheckCoding(const Compiled& rule, const Json& coding, const Path& path) {
    const std::string_view system = MemberText(coding, "system");
    const std::string_view code = MemberText(coding, "code");
    if (system.empty()) {
      Missing(rule.number, path.Text() + ".system");
      return;
    }
    const bool allowed =
        std::any_of(rule.arguments.begin(), rule.arguments.end(), [&](std::string_view url) {
          return url.ends_with('*') ? system.starts_with(url.substr(0, url.size() - 1))
                                    : system == url;
        });
    if (!allowed) {
      Add(rule.number, fmt::format("Invalid coding system: {}", system), path.Text() + ".system");
      return;
    }
    if (code.empty()) {
      Missing(rule.number, path.Text() + ".code");
    } else if (!MayBeCode(system, code)) {
      Add(rule.number, fmt::format("Code not found: '{}' in system: {}", code, system),
          path.Text() + ".code");
    }
  }

  void CheckReference(const Compiled& rule, const Json& element, const Path& path) {
    const std::string_view reference = MemberText(element, "reference");
    if (reference.empty()) {
      Add(rule.number, fmt::format("Reference is mandatory: {}", path.Text()), path.Text());
      return;
    }
    // What a fullUrl of no entry names is not found: the registry says so.
    if (reference.starts_with("urn:uuid:")) return;
    const std::string_view type = reference.substr(0, reference.find('/'));
    if (std::find(rule.arguments.begin(), rule.arguments.end(), type) == rule.arguments.end()) {
      Add(rule.number, fmt::format("Invalid reference: {} may not refer to {}", path.Text(), type),
          path.Text() + ".reference");
    }
  }

  void CheckIdentifier(const Compiled& rule, const Json& identifier, const Path& path) {
    const std::string_view system = MemberText(identifier, "system");
    if (MemberText(identifier, "value").empty()) Missing(rule.number, path.Text() + ".value");
    if (system.empty()) {
      Missing(rule.number, path.Text() + ".system");
      return;
    }
    if (system == "http://sys-ids.kemkes.go.id/creator") return;  // the platform's own
    for (const std::string_view name : rule.arguments) {
      if (system == name) return;
    }
    if (system.starts_with(kLocalIds)) {
      const std::vector<std::string_view> parts = Split(system.substr(kLocalIds.size()), '/');
      if (parts.size() >= 2 && std::find(rule.arguments.begin(), rule.arguments.end(), parts[0]) !=
                                   rule.arguments.end()) {
        if (parts[1] != organization_) WrongOrganization(rule.number, path);
        if (parts[0] == "diagnostic" &&
            (parts.size() != 3 || (parts[2] != "lab" && parts[2] != "rad"))) {
          Add(rule.number, fmt::format("Invalid identifier system: {}", system),
              path.Text() + ".system");
        }
        return;
      }
    }
    Add(rule.number, fmt::format("Invalid identifier system: {}", system), path.Text() + ".system");
  }

  // For types without a rule of their own: a local number is in the name of its sender.
  void CheckOtherIdentifiers() {
    static constexpr std::string_view kPath[] = {"identifier", "system"};
    Descend(resource_, kPath, root_, [&](const Json* element, const Path& path) {
      if (element == nullptr) return;
      std::string_view system = Text(*element);
      if (system.starts_with("https://")) system.remove_prefix(1);  // insurance numbers
      const size_t host = system.find("sys-ids.kemkes.go.id/");
      if (host == std::string_view::npos) return;
      const std::vector<std::string_view> parts =
          Split(system.substr(host + std::string_view("sys-ids.kemkes.go.id/").size()), '/');
      if (parts.size() >= 2 && base::IsDigits(parts[1]) && parts[1] != organization_) {
        Add(0, "Wrong organization ID provided by system URL", path.Text());
      }
    });
  }

  void WrongOrganization(int number, const Path& path) {
    Add(number, "Wrong organization ID provided by system URL", path.Text() + ".system");
  }

  void CheckEncounter() {
    bool from_mpdn = false;
    if (const Json* identifiers = Member(resource_, "identifier");
        identifiers != nullptr && identifiers->IsArray()) {
      for (const Json& identifier : identifiers->GetArray()) {
        from_mpdn |= MemberText(identifier, "system").find("/mpdn/") != std::string_view::npos;
      }
    }
    if (!from_mpdn) Require(10119, {"participant", "individual"});
    if (MemberText(resource_, "status") != "finished") return;
    Require(10121, {"period", "end"});
    if (const Json* period = Member(resource_, "period"); period != nullptr) {
      const auto start = ParseDateTime(MemberText(*period, "start"));
      const auto end = ParseDateTime(MemberText(*period, "end"));
      if (start.has_value() && end.has_value() && end->seconds <= start->seconds) {
        Add(10173, "Encounter.period.end must be after Encounter.period.start",
            "Encounter.period.end");
      }
    }
    Require(10122, {"statusHistory", "period", "end"});
    Require(10457, {"diagnosis"});
    Require(10457, {"diagnosis", "condition"});
    Require(10318, {"hospitalization", "dischargeDisposition"});
  }

  void CheckCondition() {
    RequireClinicalStatus(10006);
    if (Member(resource_, "recordedDate") == nullptr) {
      for (const std::string_view name : {"onsetDateTime", "onsetPeriod", "onsetAge"}) {
        if (Member(resource_, name) != nullptr) return;
      }
      Missing(0, "Condition.recordedDate");
    }
  }

  // FHIR forbids a clinical status where the record was entered in error.
  void RequireClinicalStatus(int number) {
    const Json* verification = Member(resource_, "verificationStatus");
    const Json* coding = Member(verification, "coding");
    const bool in_error = coding != nullptr && coding->IsArray() && !coding->Empty() &&
                          MemberText((*coding)[0], "code") == "entered-in-error";
    if (!in_error) Require(number, {"clinicalStatus"});
  }

  void CheckObservation() {
    int values = 0;
    bool explained = false;
    for (auto it = resource_.MemberBegin(); it != resource_.MemberEnd(); ++it) {
      const std::string_view name = Text(it->name);
      if (name.starts_with("value")) ++values;
      explained |= name == "component" || name == "hasMember" || name == "dataAbsentReason";
    }
    if (values > 1) {
      Add(20008, "Failed to unmarshal request payload: Observation.value[x] is there twice",
          "Observation.value[x]");
    }
    if (values == 0 && !explained) Missing(0, "Observation.value[x]");
    if (const Json* quantity = Member(resource_, "valueQuantity");
        quantity != nullptr && Member(*quantity, "value") == nullptr) {
      Missing(10331, "Observation.valueQuantity.value");
    }
  }

  void CheckImmunization() {
    const std::string_view status = MemberText(resource_, "status");
    const Json* source = Member(resource_, "primarySource");
    const bool given_here = source != nullptr && source->IsBool() && source->GetBool();
    const Json* performers = Member(resource_, "performer");
    bool by_organization = false;
    bool has_function_ap_or_op = false, has_function_ep = false;
    if (performers != nullptr && performers->IsArray()) {
      for (const Json& performer : performers->GetArray()) {
        const Json* actor = Member(performer, "actor");
        by_organization |=
            actor != nullptr && MemberText(*actor, "reference").starts_with("Organization/");
        const Json* codings = Member(Member(performer, "function"), "coding");
        if (codings == nullptr || !codings->IsArray()) continue;
        for (const Json& coding : codings->GetArray()) {
          const std::string_view code = MemberText(coding, "code");
          has_function_ap_or_op |= code == "AP" || code == "OP";
          has_function_ep |= code == "EP";
        }
      }
    }
    // A kader's report has neither encounter nor place.
    if (given_here || !by_organization) Require(10293, {"encounter"});
    if (status == "not-done") {
      Require(10108, {"statusReason"});
      return;
    }
    if (status != "completed") return;
    Require(10105, {"reasonCode"});
    Require(10450, {"protocolApplied"});
    Require(10456, {"protocolApplied", "doseNumberPositiveInt"});
    static constexpr std::string_view kDose[] = {"protocolApplied", "doseNumberPositiveInt"};
    Descend(resource_, kDose, root_, [&](const Json* dose, const Path& path) {
      if (dose != nullptr && dose->IsInt() && dose->GetInt() <= 0) {
        Add(10456, "Integer must be more than 0", path.Text());
      }
    });
    if (given_here) {
      if (!has_function_ap_or_op) {
        Add(10104, "Element not found: Immunization.performer.function AP or OP",
            "Immunization.performer.function");
      }
      Require(10305, {"location"});
      Require(10306, {"lotNumber"});
      Require(10307, {"expirationDate"});
    } else if (!has_function_ep) {
      Add(10104, "Element not found: Immunization.performer.function EP",
          "Immunization.performer.function");
    }
    const auto expiry = ParseDate(MemberText(resource_, "expirationDate"));
    const auto given = ParseDateTime(MemberText(resource_, "occurrenceDateTime"));
    if (expiry.has_value() && given.has_value() && *expiry * 86400 <= given->seconds) {
      Add(10307, "Immunization.expirationDate must be after Immunization.occurrenceDateTime",
          "Immunization.expirationDate");
    }
  }

  void CheckQuestionnaireResponse() {
    constexpr std::string_view kPrefix = "https://fhir.kemkes.go.id/Questionnaire/Q";
    const std::string_view url = MemberText(resource_, "questionnaire");
    if (!url.empty() && !(url.starts_with(kPrefix) && base::IsDigits(url.substr(kPrefix.size())))) {
      Add(10169,
          fmt::format("Code not found: '{}' in system: {}", url,
                      "https://fhir.kemkes.go.id/Questionnaire"),
          "QuestionnaireResponse.questionnaire");
    }
  }

  void Require(int number, std::initializer_list<std::string_view> segments) {
    Descend(resource_, std::span(segments.begin(), segments.size()), root_,
            [&](const Json* element, const Path& path) {
              if (element == nullptr) Missing(number, path.Text());
            });
  }

  void Missing(int number, const std::string& path) {
    Add(number, fmt::format("Element not found: {}", path), path);
  }

  void Add(int number, std::string_view text, std::string_view expression) {
    if (issues_.size() < kIssuesMax) issues_.push_back(MakeIssue(number, text, expression));
  }

  const Json& resource_;
  const std::string_view type_;
  const std::string_view organization_;
  const Path root_;
  std::vector<Issue> issues_;
};

}  // namespace

std::vector<Issue> CheckRules(const Json& resource, std::string_view type,
                              std::string_view organization) {
  return Check(resource, type, organization).Run();
}

}  // namespace simpul::sandbox
