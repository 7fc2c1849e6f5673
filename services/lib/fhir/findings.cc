#include <fmt/format.h>

#include <limits>
#include <map>
#include <memory>

#include "lib/base/text.h"
#include "lib/fhir/code_check.h"
#include "lib/fhir/decimal.h"
#include "lib/fhir/record.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;

void WriteReferenceRange(Record& record, const v1::ReferenceRange& range, std::string_view unit) {
  JsonWriter& json = record.json;
  const auto low = JsonDecimal(range.low());
  const auto high = JsonDecimal(range.high());
  const bool numeric =
      (low.has_value() || range.low().empty()) && (high.has_value() || range.high().empty());
  const std::string words = !range.text().empty() || numeric
                                ? range.text()
                                : fmt::format("{} - {}", range.low(), range.high());
  if (words.empty() && !low.has_value() && !high.has_value()) return;
  json.OpenList("referenceRange");
  json.Open();
  if (numeric && low.has_value()) record.WriteQuantity("low", *low, unit);
  if (numeric && high.has_value()) record.WriteQuantity("high", *high, unit);
  json.TextIfAny("text", words);
  json.Close();
  json.CloseList();
}

// The laboratory's word, and the class that the rules derived.
void WriteInterpretation(Record& record, const Happening& happening, const v1::LabResult& result) {
  constexpr std::string_view kInterpretation =
      "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
  const Coding* derived = InterpretationOf(record, happening);
  if (!result.has_abnormal() && derived == nullptr) return;
  record.json.OpenList("interpretation");
  if (result.has_abnormal()) {
    record.WriteConcept(result.abnormal() ? Coding{kInterpretation, "A", "Abnormal"}
                                          : Coding{kInterpretation, "N", "Normal"});
  }
  if (derived != nullptr) record.WriteConcept(*derived);
  record.json.CloseList();
}

// A question of the platform's form: answered itself, or a heading over others.
struct Item {
  std::string link_id;
  const v1::Answer* answer = nullptr;
  std::vector<std::unique_ptr<Item>> items;
};

// Answers 1.1 and 1.2 lie under a heading 1, unless 1 is itself answered: FHIR allows an item
// either an answer or items of its own.
class Form {
 public:
  explicit Form(const v1::Screening& screening) {
    for (const v1::Answer& answer : screening.answers()) {
      if (answer.value_case() != v1::Answer::VALUE_NOT_SET) answered_[answer.link_id()] = true;
    }
    for (const v1::Answer& answer : screening.answers()) {
      if (answer.value_case() != v1::Answer::VALUE_NOT_SET) Place(answer);
    }
  }

  const std::vector<std::unique_ptr<Item>>& items() const { return root_.items; }

 private:
  void Place(const v1::Answer& answer) {
    Item* parent = &root_;
    const std::string& id = answer.link_id();
    for (size_t dot = id.find('.'); dot != std::string::npos; dot = id.find('.', dot + 1)) {
      const std::string heading = id.substr(0, dot);
      if (heading.empty() || answered_.contains(heading)) continue;
      Item*& known = headings_[heading];
      if (known == nullptr) known = Add(*parent, heading);
      parent = known;
    }
    Add(*parent, id)->answer = &answer;
  }

  static Item* Add(Item& parent, const std::string& link_id) {
    parent.items.push_back(std::make_unique<Item>());
    parent.items.back()->link_id = link_id;
    return parent.items.back().get();
  }

  Item root_;
  std::map<std::string, bool> answered_;
  std::map<std::string, Item*> headings_;
};

void WriteAnswer(Record& record, const v1::Answer& answer) {
  JsonWriter& json = record.json;
  switch (answer.value_case()) {
    case v1::Answer::kFlag:
      return json.Flag("valueBoolean", answer.flag());
    case v1::Answer::kNumber:
      if (answer.number() >= std::numeric_limits<int32_t>::min() &&
          answer.number() <= std::numeric_limits<int32_t>::max()) {
        return json.Integer("valueInteger", answer.number());
      }
      return json.Raw("valueDecimal", std::to_string(answer.number()));
    case v1::Answer::kQuantity: {
      const auto decimal = JsonDecimal(answer.quantity().value());
      if (decimal.has_value() &&
          (answer.quantity().unit().empty() || IsUcumUnit(answer.quantity().unit()))) {
        return record.WriteQuantity("valueQuantity", *decimal, answer.quantity().unit());
      }
      return json.Text("valueString", answer.quantity().value() + " " + answer.quantity().unit());
    }
    case v1::Answer::kCoded:
      json.Open("valueCoding");
      json.TextIfAny("system", answer.coded().system());
      json.Text("code", answer.coded().code());
      json.TextIfAny("display", answer.coded().display());
      return json.Close();
    case v1::Answer::kDate:
      return json.Text("valueDate", answer.date());
    default:
      return json.Text("valueString", answer.words());
  }
}

void WriteItems(Record& record, const std::vector<std::unique_ptr<Item>>& items) {
  JsonWriter& json = record.json;
  json.OpenList("item");
  for (const auto& item : items) {
    json.Open();
    json.Text("linkId", item->link_id);
    if (item->answer != nullptr) {
      json.TextIfAny("text", item->answer->text());
      json.OpenList("answer");
      json.Open();
      WriteAnswer(record, *item->answer);
      json.Close();
      json.CloseList();
    }
    if (!item->items.empty()) WriteItems(record, item->items);
    json.Close();
  }
  json.CloseList();
}

bool IsPlatformQuestionnaire(std::string_view number) {
  return number.size() >= 2 && number[0] == 'Q' && base::IsDigits(number.substr(1));
}

// False when there is nothing the platform could read as its own form.
bool WriteQuestionnaireResponse(Record& record, const Happening& happening,
                                std::string_view encounter_key) {
  const v1::Screening& screening = happening.event->screening();
  JsonWriter& json = record.json;
  if (!IsPlatformQuestionnaire(screening.platform_questionnaire())) return false;
  const Form form(screening);
  if (form.items().empty()) return false;
  record.Begin("QuestionnaireResponse", record.KeyOf(happening, "questionnaire-response"));
  json.Text("questionnaire",
            "https://fhir.kemkes.go.id/Questionnaire/" + screening.platform_questionnaire());
  json.Text("status", "completed");
  record.WriteSubject("subject");
  record.WritePart("encounter", encounter_key);
  record.WriteTime("authored", happening.effective);
  if (!happening.practitioner.empty()) json.Raw("author", happening.practitioner);
  record.WriteSubject("source");
  WriteItems(record, form.items());
  record.End();
  return true;
}

}  // namespace

void MapLabResult(Record& record, const Happening& happening, std::string_view encounter_key) {
  const v1::LabResult& result = happening.event->lab_result();
  const v1::Code& code = result.code();
  JsonWriter& json = record.json;
  const auto decimal = JsonDecimal(result.quantity().value());
  const bool sendable =
      IsObservationCode(code) && result.value_case() != v1::LabResult::VALUE_NOT_SET &&
      (!result.has_coded() || IsFindingCode(result.coded())) &&
      (!result.has_quantity() || (decimal.has_value() && IsUcumUnit(result.quantity().unit()) &&
                                  UnitFits(code.system(), code.code(), result.quantity().unit())));
  if (!sendable) return record.Unmapped("lab_result", code.code());
  record.BeginObservation(happening, record.KeyOf(happening, "lab-result"), CodingOf(code), "",
                          kLaboratory, encounter_key);
  switch (result.value_case()) {
    case v1::LabResult::kQuantity:
      record.WriteQuantity("valueQuantity", *decimal, result.quantity().unit());
      break;
    case v1::LabResult::kCoded:
      record.WriteConcept("valueCodeableConcept", CodingOf(result.coded()));
      break;
    default:
      json.Text("valueString", result.text());
      break;
  }
  WriteInterpretation(record, happening, result);
  if (!result.method().empty()) record.WriteConcept("method", {}, result.method());
  if (result.has_range()) WriteReferenceRange(record, result.range(), result.quantity().unit());
  record.End();
  if (result.has_specimen()) record.Unmapped("lab_result", "specimen");
}

void MapScreening(Record& record, const Happening& happening, std::string_view encounter_key) {
  const v1::Screening& screening = happening.event->screening();
  const bool answers_sent = WriteQuestionnaireResponse(record, happening, encounter_key);
  const ScreeningTool* tool = ScreeningToolOf(screening.tool());
  const bool score_sent = tool != nullptr && screening.has_score();
  if (score_sent) {
    record.BeginObservation(happening, record.KeyOf(happening, "score"), tool->score, "", kSurvey,
                            encounter_key);
    record.json.Integer("valueInteger", screening.score());
    if (const Coding* derived = InterpretationOf(record, happening)) {
      record.WriteConceptList("interpretation", *derived);
    }
    record.End();
  }
  if (!answers_sent && !score_sent) return record.Unmapped("screening", screening.tool());
  if (!answers_sent && screening.answers_size() > 0) record.Unmapped("screening", "answers");
  if (!score_sent && screening.has_score()) record.Unmapped("screening", "score");
  if (screening.result() != v1::SCREENING_RESULT_UNSPECIFIED || !screening.result_text().empty()) {
    record.Unmapped("screening", "result");
  }
  if (screening.follow_up() != v1::FOLLOW_UP_UNSPECIFIED || !screening.follow_up_on().empty()) {
    record.Unmapped("screening", "follow_up");
  }
}

}  // namespace simpul::fhir
