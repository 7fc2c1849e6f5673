#include "sandbox/structure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "absl/container/flat_hash_map.h"
#include "sandbox/rule_table.h"
#include "sandbox/times.h"

namespace simpul::sandbox {
namespace {

constexpr size_t kIssuesMax = 50;

// What JSON a member of that name must be, in every resource the platform takes.
enum class Form { kText, kBoolean, kInteger, kArray, kObject, kDateTime };

const absl::flat_hash_map<std::string_view, Form>& FormsByName() {
  static const auto* forms = new absl::flat_hash_map<std::string_view, Form>{
      {"resourceType", Form::kText},
      {"status", Form::kText},
      {"system", Form::kText},
      {"display", Form::kText},
      {"reference", Form::kText},
      {"unit", Form::kText},
      {"birthDate", Form::kText},
      {"gender", Form::kText},
      {"lotNumber", Form::kText},
      {"expirationDate", Form::kText},
      {"intent", Form::kText},
      {"linkId", Form::kText},
      {"title", Form::kText},
      {"questionnaire", Form::kText},
      {"url", Form::kText},
      {"valueString", Form::kText},
      {"active", Form::kBoolean},
      {"primarySource", Form::kBoolean},
      {"valueBoolean", Form::kBoolean},
      {"reported", Form::kBoolean},
      {"userSelected", Form::kBoolean},
      {"doNotPerform", Form::kBoolean},
      {"rank", Form::kInteger},
      {"doseNumberPositiveInt", Form::kInteger},
      {"seriesDosesPositiveInt", Form::kInteger},
      {"multipleBirthInteger", Form::kInteger},
      {"valueInteger", Form::kInteger},
      {"coding", Form::kArray},
      {"participant", Form::kArray},
      {"statusHistory", Form::kArray},
      {"diagnosis", Form::kArray},
      {"component", Form::kArray},
      {"reasonCode", Form::kArray},
      {"hasMember", Form::kArray},
      {"derivedFrom", Form::kArray},
      {"protocolApplied", Form::kArray},
      {"extension", Form::kArray},
      {"referenceRange", Form::kArray},
      {"subject", Form::kObject},
      {"patient", Form::kObject},
      {"encounter", Form::kObject},
      {"serviceProvider", Form::kObject},
      {"meta", Form::kObject},
      {"valueQuantity", Form::kObject},
      {"valueCodeableConcept", Form::kObject},
      {"valueCoding", Form::kObject},
      {"effectiveDateTime", Form::kDateTime},
      {"occurrenceDateTime", Form::kDateTime},
      {"performedDateTime", Form::kDateTime},
      {"recordedDate", Form::kDateTime},
      {"issued", Form::kDateTime},
      {"authored", Form::kDateTime},
      {"authoredOn", Form::kDateTime},
      {"dateAsserted", Form::kDateTime},
      {"recorded", Form::kDateTime},
  };
  return *forms;
}

std::string_view FormName(Form form) {
  switch (form) {
    case Form::kText:
      return "a string";
    case Form::kBoolean:
      return "a boolean";
    case Form::kInteger:
      return "an integer";
    case Form::kArray:
      return "an array";
    case Form::kObject:
      return "an object";
    case Form::kDateTime:
      return "a dateTime";
  }
  return "";
}

bool HasForm(const Json& value, Form form) {
  switch (form) {
    case Form::kText:
    case Form::kDateTime:
      return value.IsString();
    case Form::kBoolean:
      return value.IsBool();
    case Form::kInteger:
      return value.IsInt() || value.IsUint();
    case Form::kArray:
      return value.IsArray();
    case Form::kObject:
      return value.IsObject();
  }
  return false;
}

// Elements whose "value" is a number: quantities, the ends of ranges, the parts of ratios.
bool IsQuantityName(std::string_view name) {
  return name.ends_with("Quantity") || name == "low" || name == "high" || name == "numerator" ||
         name == "denominator" || name == "length" || name == "quantity" || name == "dose" ||
         name.ends_with("Age");
}

// Times that may lie ahead: plans, expiries, answers. (Recorded: the platform took such ones.)
bool MayLieAhead(std::string_view type, std::string_view name) {
  return name == "valueDateTime" || name == "expirationDate" || type == "ServiceRequest" ||
         type == "CarePlan" || type == "Goal" || type == "Task" || type == "PractitionerRole" ||
         type == "MedicationRequest" || type == "Appointment";
}

// Times that may lie before the platform: when something began, and answers.
bool MayLieBack(std::string_view name, std::string_view parent) {
  return name.starts_with("onset") || parent.starts_with("onset") ||
         name.starts_with("abatement") || name == "valueDateTime" || parent == "extension" ||
         name == "occurrenceDateTime";
}

class Walk {
 public:
  Walk(std::string_view type, int64_t now_seconds, Structure& found)
      : type_(type), now_(now_seconds), found_(found) {}

  void Visit(Json& value, std::string_view name) {
    if (value.IsObject()) {
      VisitObject(value, name);
    } else if (value.IsArray()) {
      if (value.Empty()) {
        Add(0, fmt::format("invalid value (expected a {} object): []", name), "structure");
      }
      for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
        path_.push_back({{}, static_cast<int>(i)});
        Visit(value[i], name);
        path_.pop_back();
      }
    } else if (value.IsNull()) {
      Add(0, fmt::format("invalid value (expected a {} value): null", name), "structure");
    } else if (value.IsString()) {
      VisitText(value, name);
    }
  }

 private:
  struct Step {
    std::string_view name;  // empty: an index
    int index = -1;
  };

  void VisitObject(Json& object, std::string_view name) {
    if (object.ObjectEmpty()) {
      Add(0, fmt::format("invalid value (expected a {} object): {{}}", name), "structure");
      return;
    }
    const bool quantity = IsQuantityName(name);
    std::string_view start, end;
    for (auto it = object.MemberBegin(); it != object.MemberEnd(); ++it) {
      const std::string_view member = Text(it->name);
      path_.push_back({member, -1});
      CheckForm(it->value, member, quantity);
      if (it->value.IsString()) {
        if (member == "reference") found_.references.push_back(&it->value);
        if (member == "start") start = Text(it->value);
        if (member == "end") end = Text(it->value);
      }
      const std::string_view outer = parent_;
      parent_ = name;
      Visit(it->value, member);
      parent_ = outer;
      path_.pop_back();
    }
    if (!start.empty() && !end.empty()) {
      const auto from = ParseDateTime(start), to = ParseDateTime(end);
      if (from.has_value() && to.has_value() && to->seconds < from->seconds) {
        Add(0, fmt::format("unparseable_resource: fhirpath-constraint-violation-{}", Path()),
            "structure");
      }
    }
  }

  void CheckForm(const Json& value, std::string_view member, bool in_quantity) {
    if (in_quantity && member == "value" && !value.IsNumber()) {
      Add(RuleNumberOf(PlainPath(), RuleKind::kNumber, 20008),
          fmt::format("Failed to unmarshal request payload: {} must be a decimal", Path()),
          "value");
      return;
    }
    const auto form = FormsByName().find(member);
    if (form == FormsByName().end() || HasForm(value, form->second)) {
      if (form != FormsByName().end() && form->second == Form::kDateTime &&
          !LooksLikeDateTime(Text(value))) {
        AddDateFormat();
      }
      return;
    }
    // Empty arrays and objects are named as such.
    if ((value.IsArray() && value.Empty()) || (value.IsObject() && value.ObjectEmpty()) ||
        value.IsNull()) {
      return;
    }
    Add(20008,
        fmt::format("Failed to unmarshal request payload: {} must be {}", Path(),
                    FormName(form->second)),
        "value");
  }

  void VisitText(const Json& value, std::string_view name) {
    const std::string_view text = Text(value);
    if (text.empty()) {
      Add(0, fmt::format("invalid value (expected a {} value): \"\"", name), "structure");
      return;
    }
    if (!LooksLikeDateTime(text) || name == "lastUpdated" || name == "value" ||
        name == "valueString" || name == "text" || name == "display" || name == "description" ||
        name == "div") {
      return;
    }
    const std::optional<Instant> instant = ParseDateTime(text);
    if (!instant.has_value() || !instant->offset_is_utc) {
      AddDateFormat();
    } else if ((instant->seconds > now_ && !MayLieAhead(type_, name)) ||
               (instant->seconds < kEarliestSeconds && !MayLieBack(name, parent_))) {
      Add(RuleNumberOf(PlainPath(), RuleKind::kDateTime, 0),
          fmt::format("Invalid date time value: {} is in the future or before 2014-06-03", Path()),
          "value");
    }
  }

  void AddDateFormat() {
    Add(RuleNumberOf(PlainPath(), RuleKind::kDateTime, 0),
        fmt::format("Invalid date time format: {} must be YYYY-MM-DDThh:mm:ss+00:00", Path()),
        "value");
  }

  void Add(int number, std::string_view text, std::string_view code) {
    if (found_.issues.size() < kIssuesMax) {
      found_.issues.push_back(MakeIssue(number, text, Path(), code));
    }
  }

  // Encounter.statusHistory[0].period.start
  std::string Path() const {
    std::string path(type_);
    for (const Step& step : path_) {
      if (step.name.empty()) {
        path += fmt::format("[{}]", step.index);
      } else {
        path += '.';
        path += step.name;
      }
    }
    return path;
  }

  // Encounter.statusHistory.period.start
  std::string PlainPath() const {
    std::string path(type_);
    for (const Step& step : path_) {
      if (step.name.empty()) continue;
      path += '.';
      path += step.name;
    }
    return path;
  }

  const std::string_view type_;
  const int64_t now_;
  Structure& found_;
  std::vector<Step> path_;
  std::string_view parent_;  // name of the element that holds the member in hand
};

}  // namespace

Structure Examine(Json& resource, std::string_view type, int64_t now_seconds) {
  Structure found;
  found.references.reserve(8);
  Walk(type, now_seconds, found).Visit(resource, type);
  return found;
}

}  // namespace simpul::sandbox
