#include "lib/timeline/screened.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/text.h"
#include "lib/timeline/screened_words.h"

namespace simpul::timeline {
namespace {

namespace ev = event::v1;
using Gap = rules::ScreeningGap;
using rules::Amount;
using rules::ScreeningAnswer;

constexpr int kChildTbUntilMonths = 15 * 12;  // from there nobody counts the signs

// A home visit that was only planned, was refused, or met nobody measured nothing.
bool IsMade(const ev::Visit& visit) {
  return !visit.has_home_visit() ||
         visit.home_visit().outcome() == ev::HOME_VISIT_OUTCOME_UNSPECIFIED ||
         visit.home_visit().outcome() == ev::HOME_VISIT_OUTCOME_DONE;
}

// A laboratory result, or an observation of a visit with a laboratory's code.
struct Found {
  const ev::Code& code;
  const ev::Quantity* quantity = nullptr;
  const ev::Code* coded = nullptr;
  std::string_view text;
  std::string_view range_high;
};

Found FoundIn(const ev::LabResult& lab) {
  return {.code = lab.code(),
          .quantity = lab.has_quantity() ? &lab.quantity() : nullptr,
          .coded = lab.has_coded() ? &lab.coded() : nullptr,
          .text = lab.text(),
          .range_high = lab.range().high()};
}

Found FoundIn(const ev::CodedObservation& seen) {
  return {.code = seen.code(),
          .quantity = seen.has_quantity() ? &seen.quantity() : nullptr,
          .coded = seen.has_coded() ? &seen.coded() : nullptr,
          .text = seen.text(),
          .range_high = {}};
}

std::optional<int> ProteinIn(const Found& found) {
  if (std::string_view(found.code.system()) != kLoinc ||
      std::string_view(found.code.code()) != kUrineProteinLoinc) {
    return std::nullopt;
  }
  return found.coded != nullptr ? ProteinPlus(*found.coded) : ProteinPlus(found.text);
}

std::optional<int> ProteinIn(const ev::Event& event) {
  if (event.has_lab_result()) return ProteinIn(FoundIn(event.lab_result()));
  std::optional<int> most;
  for (const ev::CodedObservation& seen : event.visit().observations()) {
    if (const std::optional<int> plus = ProteinIn(FoundIn(seen))) most = std::max(most, plus);
  }
  return most;
}

std::string_view KpspWord(const ev::Screening& screening) {
  const std::string_view word = ResultWord("KPSP", screening.result_text());
  if (!word.empty()) return word;
  switch (screening.result()) {
    case ev::SCREENING_RESULT_NORMAL:
      return "fits_age";
    case ev::SCREENING_RESULT_NEEDS_CHECK:
      return "doubtful";
    case ev::SCREENING_RESULT_ABNORMAL:
      return "deviation";
    default:
      return {};
  }
}

// Question 1 to 20, written 1, 01, Q1; 0: none of them.
int SrqQuestion(std::string_view link_id) {
  if (!link_id.empty() && (link_id.front() == 'Q' || link_id.front() == 'q')) {
    link_id.remove_prefix(1);
  }
  if (!base::IsDigits(link_id)) return 0;
  const int number = base::ReadNumber<int>(link_id).value_or(0);
  return number <= static_cast<int>(rules::Srq20Answers().size()) ? number : 0;
}

// hand.2 and 2.hand are hand.
std::string_view WithoutNumber(std::string_view link_id) {
  const size_t dot = link_id.find('.');
  if (dot == std::string_view::npos) return link_id;
  if (base::IsDigits(link_id.substr(0, dot))) return link_id.substr(dot + 1);
  return base::IsDigits(link_id.substr(dot + 1)) ? link_id.substr(0, dot) : link_id;
}

std::optional<uint32_t> WholePercent(const ev::Answer& answer) {
  constexpr int64_t kMost = 100;
  int64_t percent = -1;
  if (answer.has_number()) percent = answer.number();
  if (answer.has_quantity() && std::string_view(answer.quantity().unit()) == "%") {
    percent = base::ReadNumber<int64_t>(answer.quantity().value()).value_or(-1);
  }
  if (percent < 0 || percent > kMost) return std::nullopt;
  return static_cast<uint32_t>(percent);
}

// Each begins where a place comes that the one before has.
std::vector<rules::PulseOximetry> ReadingsIn(const ev::Screening& form) {
  std::vector<rules::PulseOximetry> readings;
  for (const ev::Answer& answer : form.answers()) {
    const std::string_view place = Question("PJB", WithoutNumber(answer.link_id()));
    const std::optional<uint32_t> percent = WholePercent(answer);
    if (place.empty() || !percent) continue;
    const auto of =
        place == "hand" ? &rules::PulseOximetry::hand_percent : &rules::PulseOximetry::foot_percent;
    if (readings.empty() || (readings.back().*of).has_value()) readings.emplace_back();
    readings.back().*of = percent;
  }
  return readings;
}

struct Fraction {
  uint32_t distance;
  uint32_t line;
};

std::optional<Fraction> FractionIn(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto distance = base::ReadNumber<uint32_t>(text.substr(0, slash));
  const auto line = base::ReadNumber<uint32_t>(text.substr(slash + 1));
  if (!distance || !line) return std::nullopt;
  return Fraction{*distance, *line};
}

// What is not said of a person whom a table does not concern.
enum class Asked {
  kAlways,  // a tool, or what nobody measures without reason
  kLab,     // said, but not that only pregnant women or the other sex have a table
  kContact  // measured in passing: only what somebody can add or put right is said
};

bool IsNoise(Asked asked, Gap gap) {
  switch (asked) {
    case Asked::kAlways:
      return false;
    case Asked::kLab:
      return gap == Gap::kNotPregnant || gap == Gap::kOtherSex;
    case Asked::kContact:
      return gap != Gap::kAgeUnknown && gap != Gap::kSexUnknown && gap != Gap::kGestationUnknown &&
             gap != Gap::kOutOfRange && gap != Gap::kUnit && gap != Gap::kNotANumber;
  }
  return false;
}

// What the events of the entry say together.
struct Together {
  bool danger_sign = false;
  std::optional<int> protein_plus;             // the most
  std::vector<rules::PulseOximetry> readings;  // up to the event at hand
};

class OneEvent {
 public:
  OneEvent(const ScreenedEvent& screened, Together& together, v1::Derived& out)
      : screened_(screened),
        event_(*screened.event),
        person_(screened.person),
        rules_(*screened.tables),
        together_(together),
        out_(out) {}

  void Write() {
    if (event_.has_visit() && IsMade(event_.visit())) WriteVisit(event_.visit());
    if (event_.has_lab_result()) WriteFound(FoundIn(event_.lab_result()));
    if (event_.has_birth()) WriteBirth(event_.birth());
    if (event_.has_pregnancy()) WritePregnancy(event_.pregnancy());
    if (event_.has_screening()) WriteTool(event_.screening());
  }

 private:
  v1::Screened* Row(std::string_view input, ScreeningAnswer answer, Asked asked = Asked::kAlways) {
    if (answer.not_derived && IsNoise(asked, *answer.not_derived)) return nullptr;
    if (event_.recorder().role() == ev::RECORDER_ROLE_KADER) {
      answer = AsKaderFinding(std::move(answer));
    }
    v1::Screened* row = out_.add_screened();
    row->set_member(screened_.member);
    row->set_input(std::string(input));
    row->set_rule(std::string(answer.rule));
    if (answer.not_derived) {
      row->set_not_derived(std::string(Word(*answer.not_derived)));
      return row;
    }
    row->set_screening_class(std::string(answer.word));
    row->set_result(answer.result);
    row->set_level(std::string(Word(answer.level)));
    return row;
  }

  ScreeningAnswer NotDerived(std::string_view input, Gap gap) const {
    const auto rule = std::ranges::find(rules_.rules, input, &rules::ScreeningRule::input);
    return {.rule = rule == rules_.rules.end() ? "" : rule->id,
            .version = rules_.version,
            .not_derived = gap};
  }

  void Measured(std::string_view input, Amount amount) {
    Row(input, ScreenAmount(rules_, input, person_, amount), Asked::kContact);
  }

  // A number that has one unit.
  ScreeningAnswer InUnit(std::string_view input, const ev::Quantity& quantity,
                         std::string_view unit) const {
    if (std::string_view(quantity.unit()) != unit) return NotDerived(input, Gap::kUnit);
    const std::optional<Amount> amount = rules::ReadAmount(quantity.value());
    if (!amount) return NotDerived(input, Gap::kNotANumber);
    return ScreenAmount(rules_, input, person_, *amount);
  }

  void WriteVisit(const ev::Visit& visit) {
    if (visit.danger_signs_size() > 0) {
      const bool convulsion = std::ranges::any_of(visit.danger_signs(), IsConvulsion);
      Row("danger_sign",
          ScreenWord(rules_, "danger_sign", convulsion ? "convulsion" : "danger_sign"));
    }
    if (visit.has_systolic_mmhg() || visit.has_diastolic_mmhg()) WriteBloodPressure(visit);
    if (visit.has_temperature_dc()) {
      Measured("temperature", Amount::Tenths(visit.temperature_dc()));
    }
    // The newborn's test; of anybody else no table looks at it.
    if (visit.has_spo2_percent() && person_.age_months == 0) {
      together_.readings.push_back({.hand_percent = visit.spo2_percent(), .foot_percent = {}});
      Row("pulse_oximetry", ScreenPulseOximetry(rules_, together_.readings));
    }
    if (visit.has_muac_mm()) Measured("muac", Amount::Whole(visit.muac_mm()));
    if (person_.pregnant && visit.weight_g() > 0 && visit.length_mm() > 0) {
      const uint64_t square = uint64_t{visit.length_mm()} * visit.length_mm();
      const uint64_t scaled = uint64_t{visit.weight_g()} * 1'000'000;
      Measured("bmi", {.thousandths = static_cast<int64_t>(scaled / square),
                       .more = scaled % square != 0});
    }
    if (visit.has_waist_mm()) Measured("waist", Amount::Whole(visit.waist_mm()));
    for (const ev::CodedObservation& seen : visit.observations()) WriteFound(FoundIn(seen));
  }

  void WriteBloodPressure(const ev::Visit& visit) {
    rules::BloodPressure pressure{.danger_sign = together_.danger_sign,
                                  .protein_plus = together_.protein_plus};
    if (visit.has_systolic_mmhg()) pressure.systolic_mmhg = visit.systolic_mmhg();
    if (visit.has_diastolic_mmhg()) pressure.diastolic_mmhg = visit.diastolic_mmhg();
    for (ScreeningAnswer& answer : ScreenBloodPressure(rules_, person_, pressure)) {
      Row("blood_pressure", std::move(answer));
    }
  }

  // About the children; it stands with the mother until they have a timeline of their own.
  void WriteBirth(const ev::Birth& birth) {
    if (birth.has_gestation_days()) {
      Row("gestation_at_birth",
          ScreenAmount(rules_, "gestation_at_birth", {}, Amount::Whole(birth.gestation_days())));
    }
    for (const ev::Baby& baby : birth.babies()) {
      if (!baby.alive() || !baby.has_weight_g()) continue;
      Row("birth_weight", ScreenAmount(rules_, "birth_weight", {}, Amount::Whole(baby.weight_g())));
    }
  }

  // Whether a birth was close before is not known here.
  void WritePregnancy(const ev::Pregnancy& pregnancy) {
    constexpr int kMonthsAYear = 12;
    if (pregnancy.state() != ev::PREGNANCY_STATE_OPEN) return;
    rules::ScreenedPerson mother = person_;
    mother.pregnant = true;
    if (mother.age_months) {
      const Amount years = Amount::Whole(*mother.age_months / kMonthsAYear);
      Row("mother_age", ScreenAmount(rules_, "mother_age", mother, years));
    }
    if (pregnancy.has_para()) {
      Row("children", ScreenAmount(rules_, "children", mother, Amount::Whole(pregnancy.para())));
    }
  }

  void WriteFound(const Found& found) {
    if (std::string_view(found.code.system()) != kLoinc) return;
    const std::string_view loinc = found.code.code();
    const auto codes = rules::ScreeningLabCodes();
    const auto known = std::ranges::find(codes, loinc, &rules::ScreeningLabCode::loinc);
    if (known != codes.end()) {
      const std::string_view value =
          found.quantity == nullptr ? std::string_view() : found.quantity->value();
      const std::string_view unit =
          found.quantity == nullptr ? known->unit : found.quantity->unit();
      Row(known->input, ScreenLab(rules_, person_, loinc, value, unit), Asked::kLab);
    } else if (loinc == kUrineProteinLoinc) {
      WriteUrineProtein(found);
    } else if (loinc == kHbsagLoinc) {
      const std::string_view word = found.coded != nullptr ? ResultWord("hbsag", *found.coded)
                                                           : ResultWord("hbsag", found.text);
      Row("hbsag", ScreenWord(rules_, "hbsag", word));
    } else if (loinc == kTshLoinc) {
      Row("tsh", ScreenTsh(rules_, found.quantity == nullptr ? "" : found.quantity->value(),
                           found.range_high));
    } else if (loinc == kGlucoseLoinc) {
      Row("glucose", NotDerived("glucose", Gap::kNoTable));
    } else if (loinc == kBirthWeightLoinc && found.quantity != nullptr) {
      Row("birth_weight", InUnit("birth_weight", *found.quantity, "g"));
    } else if (IsVisualAcuity(loinc)) {
      WriteAcuity(found.quantity == nullptr ? found.text
                                            : std::string_view(found.quantity->value()));
    }
  }

  void WriteUrineProtein(const Found& found) {
    const std::optional<int> plus = ProteinIn(found);
    ScreeningAnswer answer =
        ScreenAmount(rules_, "urine_protein", person_, Amount::Whole(plus.value_or(0)));
    if (!plus && !answer.not_derived) {
      answer =
          NotDerived("urine_protein", found.quantity != nullptr ? Gap::kUnit : Gap::kUnknownResult);
    }
    Row("urine_protein", std::move(answer), Asked::kLab);
  }

  // 6/12, or 0.5.
  void WriteAcuity(std::string_view text) {
    if (const std::optional<Fraction> seen = FractionIn(text)) {
      Row("visual_acuity", ScreenVisualAcuity(rules_, person_, seen->distance, seen->line),
          Asked::kContact);
    } else if (const std::optional<Amount> amount = rules::ReadAmount(text)) {
      Measured("visual_acuity", *amount);
    } else {
      Row("visual_acuity", NotDerived("visual_acuity", Gap::kNotANumber));
    }
  }

  void WriteTool(const ev::Screening& form) {
    const std::string_view tool = ToolName(form.tool());
    if (tool == "SRQ-20") return WriteSrq20(form);
    if (tool == "KPSP") return WriteKpsp(form);
    if (tool == "TB-SYMPTOM") return WriteTbSymptom(form);
    if (tool == "PJB") return WritePulseOximetry(form);
    if (tool == "TUMBLING-E") return WriteTumblingE(form);
    if (tool == "VISUAL-ACUITY") return WriteAcuities(form);
    if (tool == "THALASSAEMIA") return WriteThalassaemia(form);
    if (tool == "APRI") return WriteApri(form);
    if (tool == "ASSIST" || tool.starts_with("ASSIST-")) return WriteAssist(form);
    Row(tool, Recorded(form));
    if (tool == "SKILAS") WriteMeasuredDomains(form);
  }

  // By the score or the result that was recorded; nothing is computed.
  ScreeningAnswer Recorded(const ev::Screening& form) const {
    const std::string_view tool = ToolName(form.tool());
    const std::string_view list = WordInput(tool);
    if (list.empty() && form.has_score()) return ScreenScore(rules_, tool, form.score());
    const std::string_view input = list.empty() ? tool : list;
    const std::string_view word = ResultWord(input, form.result_text());
    if (!word.empty()) return ScreenWord(rules_, input, word);
    if (form.result() == ev::SCREENING_RESULT_UNSPECIFIED && form.has_score()) {
      return ScreenScore(rules_, tool, form.score());
    }
    ScreeningAnswer answer = ScreenResult(rules_, input, form.result());
    if (answer.not_derived == Gap::kMissing && !form.result_text().empty()) {
      answer.not_derived = Gap::kUnknownResult;
    }
    return answer;
  }

  void WriteSrq20(const ev::Screening& form) {
    rules::Srq20Answers answers;
    for (const ev::Answer& answer : form.answers()) {
      const int question = SrqQuestion(answer.link_id());
      if (question == 0) continue;
      std::optional<bool>& known = answers[static_cast<size_t>(question - 1)];
      if (known != true) known = YesOrNo(answer);  // asked twice: a yes stays
    }
    std::optional<int64_t> recorded;
    if (form.has_score()) recorded = form.score();
    rules::Srq20 srq = ScreenSrq20(rules_, answers, recorded);
    if (srq.answer.not_derived == Gap::kAnswersMissing &&
        form.result() != ev::SCREENING_RESULT_UNSPECIFIED) {
      srq.answer = ScreenResult(rules_, "SRQ-20", form.result());
    }
    v1::Screened* row = Row("SRQ-20", srq.answer);
    if (srq.score) row->set_score(*srq.score);
    if (srq.score_disagrees) row->set_flag("score_disagrees");
  }

  void WriteKpsp(const ev::Screening& form) {
    const std::string_view word = KpspWord(form);
    Row("KPSP", word.empty() ? Recorded(form)
                             : ScreenKpsp(rules_, word, screened_.days_since_doubtful_kpsp));
  }

  void WriteTbSymptom(const ev::Screening& form) {
    rules::TbSigns signs;
    bool asked = false;
    for (const ev::Answer& answer : form.answers()) {
      const std::string_view sign = Question("TB-SYMPTOM", answer.link_id());
      std::optional<bool>* const place = sign == "cough"      ? &signs.cough
                                         : sign == "fever"    ? &signs.fever
                                         : sign == "weight"   ? &signs.weight
                                         : sign == "lethargy" ? &signs.lethargy
                                         : sign == "nodes"    ? &signs.nodes
                                         : sign == "contact"  ? &signs.contact
                                                              : nullptr;
      if (place == nullptr) continue;
      *place = YesOrNo(answer);
      asked = asked || place->has_value();
    }
    ScreeningAnswer recorded = Recorded(form);
    const bool child = !person_.age_months || *person_.age_months < kChildTbUntilMonths;
    if (asked && (child || recorded.not_derived)) {
      ScreeningAnswer by_signs = ScreenTbSigns(rules_, person_, signs);
      // What somebody presumes for another reason no missing sign takes back.
      const bool presumed =
          !recorded.not_derived && recorded.result == ev::SCREENING_RESULT_PRESUMPTIVE;
      if (recorded.not_derived || (!by_signs.not_derived && !presumed)) {
        recorded = std::move(by_signs);
      }
    }
    Row("TB-SYMPTOM", std::move(recorded));
  }

  void WritePulseOximetry(const ev::Screening& form) {
    const std::vector<rules::PulseOximetry> readings = ReadingsIn(form);
    if (readings.empty()) {
      Row("pulse_oximetry", ScreenPulseOximetry(rules_, {}));
      return;
    }
    together_.readings.insert(together_.readings.end(), readings.begin(), readings.end());
    Row("pulse_oximetry", ScreenPulseOximetry(rules_, together_.readings));
  }

  void WriteTumblingE(const ev::Screening& form) {
    constexpr size_t kMostTries = 5;
    std::array<bool, kMostTries> tries;
    size_t count = 0;
    for (const ev::Answer& answer : form.answers()) {
      const std::optional<bool> right = YesOrNo(answer);
      if (right && count < tries.size()) tries[count++] = *right;
    }
    Row("TUMBLING-E", count == 0 ? Recorded(form)
                                 : ScreenTumblingE(rules_, person_, std::span(tries).first(count)));
  }

  void WriteAcuities(const ev::Screening& form) {
    bool any = false;
    for (const ev::Answer& answer : form.answers()) {
      if (answer.words().empty()) continue;
      any = true;
      WriteAcuity(answer.words());
    }
    if (any) return;
    if (form.result_text().empty()) {
      Row("visual_acuity", NotDerived("visual_acuity", Gap::kMissing));
    } else {
      WriteAcuity(form.result_text());
    }
  }

  const ev::Quantity* QuantityOf(const ev::Screening& form, std::string_view question) const {
    for (const ev::Answer& answer : form.answers()) {
      if (answer.has_quantity() && Question(ToolName(form.tool()), answer.link_id()) == question) {
        return &answer.quantity();
      }
    }
    return nullptr;
  }

  void WriteThalassaemia(const ev::Screening& form) {
    std::array<std::optional<Amount>, 3> amounts;
    constexpr std::pair<std::string_view, std::string_view> kCounts[] = {
        {"mcv", "fL"}, {"rbc", "10*6/uL"}, {"mch", "pg"}};
    for (size_t at = 0; at < amounts.size(); ++at) {
      const ev::Quantity* quantity = QuantityOf(form, kCounts[at].first);
      if (quantity == nullptr) continue;
      if (std::string_view(quantity->unit()) != kCounts[at].second) {
        Row("THALASSAEMIA", NotDerived("mentzer", Gap::kUnit));
        return;
      }
      amounts[at] = rules::ReadAmount(quantity->value());
    }
    Row("THALASSAEMIA", ScreenThalassaemia(rules_, person_, amounts[0], amounts[1], amounts[2]));
  }

  void WriteApri(const ev::Screening& form) {
    const ev::Quantity* quantity = QuantityOf(form, "apri");
    Row("apri", quantity == nullptr
                    ? NotDerived("apri", Gap::kMissing)
                    : InUnit("apri", *quantity, quantity->unit().empty() ? "" : "1"));
  }

  // The highest of each kind: the row has no place for the substance.
  void WriteAssist(const ev::Screening& form) {
    constexpr std::string_view kKinds[] = {"ASSIST-ALCOHOL", "ASSIST-OTHER"};
    const std::string_view tool = ToolName(form.tool());
    std::array<std::optional<int64_t>, 2> most;
    const auto scored = [&](std::string_view kind, int64_t score) {
      for (size_t at = 0; at < most.size(); ++at) {
        if (kKinds[at] == kind) most[at] = std::max(most[at].value_or(score), score);
      }
    };
    constexpr std::string_view kPrefix = "ASSIST-";
    const std::string_view kind =
        tool.starts_with(kPrefix) ? Question("ASSIST", tool.substr(kPrefix.size())) : "";
    if (!kind.empty() && form.has_score()) scored(kind, form.score());
    if (kind.empty()) {
      for (const ev::Answer& answer : form.answers()) {
        if (answer.has_number()) scored(Question("ASSIST", answer.link_id()), answer.number());
      }
    }
    bool any = false;
    for (size_t at = 0; at < most.size(); ++at) {
      if (!most[at]) continue;
      any = true;
      Row(kKinds[at], ScreenScore(rules_, kKinds[at], *most[at]));
    }
    if (any) return;
    Row(kind.empty() ? tool : kind, kind.empty() ? ScreenScore(rules_, "ASSIST", 0)
                                                 : ScreenResult(rules_, kind, form.result()));
  }

  void WriteMeasuredDomains(const ev::Screening& form) {
    constexpr std::pair<std::string_view, std::string_view> kDomains[] = {{"chair_stand", "s"},
                                                                          {"weight_loss", "g"}};
    for (const auto& [input, unit] : kDomains) {
      const ev::Quantity* quantity = QuantityOf(form, input);
      if (quantity != nullptr) Row(input, InUnit(input, *quantity, unit), Asked::kContact);
    }
  }

  const ScreenedEvent& screened_;
  const ev::Event& event_;
  const rules::ScreenedPerson& person_;
  const rules::ScreeningRules& rules_;
  Together& together_;
  v1::Derived& out_;
};

}  // namespace

void Screen(std::span<const ScreenedEvent> events, v1::Derived& out) {
  std::vector<const ScreenedEvent*> in_order;
  in_order.reserve(events.size());
  Together together;
  for (const ScreenedEvent& screened : events) {
    const ev::Event& event = *screened.event;
    in_order.push_back(&screened);
    if (event.has_visit() && !IsMade(event.visit())) continue;
    together.danger_sign = together.danger_sign || event.visit().danger_signs_size() > 0;
    together.protein_plus = std::max(together.protein_plus, ProteinIn(event));
  }
  std::ranges::sort(in_order, {}, &ScreenedEvent::member);
  for (const ScreenedEvent* screened : in_order) OneEvent(*screened, together, out).Write();
}

bool MayScreen(const ev::Event& event) {
  switch (event.payload_case()) {
    case ev::Event::kLabResult:
    case ev::Event::kScreening:
      return true;
    case ev::Event::kBirth:
      return event.birth().has_gestation_days() || event.birth().babies_size() > 0;
    case ev::Event::kPregnancy:
      return event.pregnancy().state() == ev::PREGNANCY_STATE_OPEN;
    case ev::Event::kVisit: {
      const ev::Visit& visit = event.visit();
      return visit.has_systolic_mmhg() || visit.has_diastolic_mmhg() || visit.has_muac_mm() ||
             visit.has_waist_mm() || visit.has_temperature_dc() || visit.has_spo2_percent() ||
             (visit.has_weight_g() && visit.has_length_mm()) || visit.danger_signs_size() > 0 ||
             visit.observations_size() > 0;
    }
    default:
      return false;
  }
}

std::optional<bool> DoubtfulKpsp(const ev::Event& event) {
  if (!event.has_screening() || ToolName(event.screening().tool()) != "KPSP") return std::nullopt;
  const std::string_view word = KpspWord(event.screening());
  if (word.empty()) return std::nullopt;
  return word == "doubtful";
}

}  // namespace simpul::timeline
