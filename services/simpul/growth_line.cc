#include "simpul/growth_line.h"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "lib/event/date.h"
#include "simpul/output.h"

namespace simpul::cli {
namespace {

namespace v1 = event::v1;

constexpr std::string_view kFields[] = {"id",         "sex",     "age_days", "age_months",
                                        "birth_date", "date",    "weight_g", "length_mm",
                                        "position",   "head_mm", "muac_mm",  "oedema"};
// 150 years.
constexpr double kAgeDaysMax = 54'786;
constexpr double kAgeMonthsMax = 1'800;

std::string_view Name(const rapidjson::Value& name) {
  return {name.GetString(), name.GetStringLength()};
}

// Reads the members of one object; after the first mistake the rest is passed over.
class Fields {
 public:
  explicit Fields(const rapidjson::Value& object) : object_(object) {}

  const std::optional<LineRefused>& refused() const { return refused_; }

  void Refuse(std::string_view field, std::string_view message, std::string_view fix) {
    if (!refused_) refused_ = {std::string(field), std::string(message), std::string(fix)};
  }

  void CheckNames() {
    std::array<bool, std::size(kFields)> seen = {};
    for (const auto& member : object_.GetObject()) {
      const auto known = std::find(std::begin(kFields), std::end(kFields), Name(member.name));
      if (known == std::end(kFields)) {
        // The name itself may be somebody's.
        Refuse("", "has a field that does not exist",
               fmt::format("the fields are {}", fmt::join(kFields, ", ")));
      } else if (std::exchange(seen[static_cast<size_t>(known - kFields)], true)) {
        Refuse(*known, "stands there twice", "give it once");
      }
    }
  }

  bool Has(const char* name) const { return Find(name) != nullptr; }

  std::optional<double> Number(const char* name) {
    const rapidjson::Value* value = Find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->IsNumber()) {
      Refuse(name, "is no number", "write digits without quotes, with a point for decimals");
      return std::nullopt;
    }
    return value->GetDouble();
  }

  std::optional<std::string_view> Text(const char* name, std::string_view fix) {
    const rapidjson::Value* value = Find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->IsString()) {
      Refuse(name, "is no text", fix);
      return std::nullopt;
    }
    return Name(*value);
  }

  std::optional<bool> Flag(const char* name) {
    const rapidjson::Value* value = Find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->IsBool()) {
      Refuse(name, "is neither true nor false", "write true or false without quotes");
      return std::nullopt;
    }
    return value->GetBool();
  }

  std::optional<std::chrono::sys_days> Day(const char* name) {
    constexpr std::string_view kFix = "write an existing day as \"YYYY-MM-DD\"";
    const auto text = Text(name, kFix);
    if (!text) return std::nullopt;
    const auto day = event::ParseDay(*text);
    if (!day) Refuse(name, "is no day", kFix);
    return day;
  }

 private:
  // null is absent.
  const rapidjson::Value* Find(const char* name) const {
    const auto found = object_.FindMember(name);
    return found == object_.MemberEnd() || found->value.IsNull() ? nullptr : &found->value;
  }

  const rapidjson::Value& object_;
  std::optional<LineRefused> refused_;
};

constexpr std::string_view kOneAge =
    "give age_days, or age_months, or birth_date with date, the day of measuring";

std::optional<rules::Age> ReadAge(Fields& fields) {
  const bool dates = fields.Has("birth_date") || fields.Has("date");
  const int ways = int{fields.Has("age_days")} + int{fields.Has("age_months")} + int{dates};
  if (ways == 0) fields.Refuse("age_days", "is missing: there is no age", kOneAge);
  if (ways > 1) fields.Refuse("age_days", "is not the only age", kOneAge);
  if (ways != 1) return std::nullopt;
  if (const auto days = fields.Number("age_days")) {
    if (!(*days >= 0 && *days <= kAgeDaysMax) || *days != std::floor(*days)) {
      fields.Refuse("age_days", "is no age in whole days",
                    "give days since birth, from 0 up to 150 years");
      return std::nullopt;
    }
    return rules::AgeOfDays(static_cast<int>(*days));
  }
  if (const auto months = fields.Number("age_months")) {
    if (!(*months >= 0 && *months <= kAgeMonthsMax)) {
      fields.Refuse("age_months", "is no age", "give months since birth, from 0 up to 150 years");
      return std::nullopt;
    }
    return rules::AgeOfMonths(*months);
  }
  if (!dates) return std::nullopt;
  for (const char* name : {"birth_date", "date"}) {
    if (!fields.Has(name)) fields.Refuse(name, "is missing", kOneAge);
  }
  const auto birth = fields.Day("birth_date");
  const auto day = fields.Day("date");
  if (!birth || !day) return std::nullopt;
  const rules::Age age = rules::AgeBetween(*birth, *day);
  if (age.days < 0 || age.days > kAgeDaysMax) {
    fields.Refuse("date", "lies before birth_date, or more than 150 years after it",
                  "compare both days with what was written down");
  }
  return age;
}

v1::Sex ReadSex(Fields& fields) {
  constexpr std::string_view kFix =
      "write \"M\" or \"F\": the tables are made for one or the other";
  if (!fields.Has("sex")) fields.Refuse("sex", "is missing", kFix);
  const auto text = fields.Text("sex", kFix);
  if (text == "M") return v1::SEX_MALE;
  if (text == "F") return v1::SEX_FEMALE;
  if (text) fields.Refuse("sex", "is neither M nor F", kFix);
  return v1::SEX_UNSPECIFIED;
}

v1::MeasuringPosition ReadPosition(Fields& fields) {
  constexpr std::string_view kFix = "write \"lying\", \"standing\" or \"unknown\"";
  const auto text = fields.Text("position", kFix);
  if (text == "lying") return v1::MEASURING_POSITION_LYING;
  if (text == "standing") return v1::MEASURING_POSITION_STANDING;
  if (text && text != "unknown") fields.Refuse("position", "is none of the three words", kFix);
  return v1::MEASURING_POSITION_UNSPECIFIED;
}

}  // namespace

std::variant<MeasuredPerson, LineRefused> ParseGrowthLine(std::string_view line) {
  // The iterative parser: depth is somebody else's to choose.
  constexpr unsigned kFlags = rapidjson::kParseFullPrecisionFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseIterativeFlag;
  rapidjson::Document document;
  document.Parse<kFlags>(line.data(), line.size());
  if (document.HasParseError()) {
    return LineRefused{"",
                       fmt::format("is no JSON: byte {}: {}", document.GetErrorOffset() + 1,
                                   rapidjson::GetParseError_En(document.GetParseError())),
                       "write one object a line, in UTF-8"};
  }
  if (!document.IsObject()) {
    return LineRefused{"", "is no JSON object", "write one person a line: {\"id\":\"1\",...}"};
  }
  Fields fields(document);
  fields.CheckNames();
  MeasuredPerson person;
  constexpr std::string_view kIdFix =
      "give the line a name of its own, a text: it is in the answer";
  person.id = fields.Text("id", kIdFix).value_or("");
  if (person.id.empty()) fields.Refuse("id", "is missing", kIdFix);
  rules::Measurement& in = person.measurement;
  in.sex = ReadSex(fields);
  in.age = ReadAge(fields);
  in.weight_g = fields.Number("weight_g");
  in.length_mm = fields.Number("length_mm");
  in.position = ReadPosition(fields);
  in.head_mm = fields.Number("head_mm");
  in.muac_mm = fields.Number("muac_mm");
  in.oedema = fields.Flag("oedema").value_or(false);
  if (fields.refused()) return *fields.refused();
  return person;
}

std::string HundredthsText(int64_t hundredths) {
  const int64_t size = std::abs(hundredths);
  return fmt::format("{}{}.{:02}", hundredths < 0 ? "-" : "", size / 100, size % 100);
}

std::string GrowthJson(const MeasuredPerson& person, const rules::Growth& growth) {
  JsonLine indices, not_derived;
  for (int i = 0; i < rules::kIndices; ++i) {
    const auto index = static_cast<rules::Index>(i);
    const std::string_view name = rules::Word(index);
    const auto* score = std::get_if<rules::Score>(&growth.of(index));
    if (score == nullptr) {
      not_derived.Text(name, rules::Word(std::get<rules::NotDerived>(growth.of(index))));
      continue;
    }
    JsonLine one;
    if (score->z_hundredths) {
      one.Raw("z", HundredthsText(*score->z_hundredths));
    } else {
      one.Null("z");
    }
    one.Text("class", rules::Word(score->growth_class));
    if (const std::string_view flag = rules::FlagOf(growth, index); !flag.empty()) {
      one.Text("flag", flag);
    } else {
      one.Null("flag");
    }
    indices.Raw(name, one.Take());
  }
  JsonLine line;
  line.Text("id", person.id)
      .Raw("indices", indices.Take())
      .Raw("not_derived", not_derived.Take())
      .Number("age_days", person.measurement.age->days);
  // Tenths of a micrometre are not measured.
  if (growth.length_used_mm) {
    line.Raw("length_used_mm", fmt::format("{:.6g}", *growth.length_used_mm));
  }
  if (growth.bmi_hundredths) line.Raw("bmi", HundredthsText(*growth.bmi_hundredths));
  if (growth.status) {
    line.Text("nutritional_status", rules::Word(growth.status->growth_class))
        .Text("nutritional_status_from", rules::Word(growth.status->from));
  }
  return line.Number("rules", rules::kGrowthVersion).Take();
}

}  // namespace simpul::cli
