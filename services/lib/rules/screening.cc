#include "lib/rules/screening.h"

#include <algorithm>

namespace simpul::rules {
namespace {

namespace v1 = event::v1;
using Condition = ScreeningCondition;
using Gap = ScreeningGap;
using Person = ScreenedPerson;

constexpr int64_t kThousand = 1000;

// As the boards count them: trimester 1 ends with day 84, trimester 2 with day 168; "after 20
// weeks" begins with day 141.
constexpr int kTrimester2FromDays = 85;
constexpr int kTrimester3FromDays = 169;
constexpr int kAfter20WeeksFromDays = 141;

// Beyond, no blood was counted; and below it the products of three fit into 64 bits.
constexpr int64_t kBloodCountMost = 1000 * kThousand;

ScreeningAnswer NotDerived(const ScreeningRules& rules, const ScreeningRule* rule, Gap gap) {
  return {.rule = rule == nullptr ? "" : rule->id, .version = rules.version, .not_derived = gap};
}

ScreeningAnswer Say(const ScreeningRules& rules, const ScreeningRule& rule,
                    const ScreeningRow& row) {
  return {.rule = rule.id,
          .version = rules.version,
          .word = row.word,
          .result = row.result,
          .level = row.level,
          .action = row.action,
          .source = row.source};
}

std::optional<Gap> OutsidePregnancy(Condition condition, const Person& person) {
  switch (condition) {
    case Condition::kNone:
    case Condition::kNormalOnlyIfNotPregnant:
    case Condition::kHypertensionOrDiabetes:
      return std::nullopt;
    case Condition::kNotPregnant:
      if (person.pregnant) return Gap::kPregnancy;
      return std::nullopt;
    case Condition::kPregnant:
    case Condition::kPregnantTrimester1:
    case Condition::kPregnantTrimester2:
    case Condition::kPregnantTrimester1Or3:
    case Condition::kPregnantAfter20Weeks:
      break;
  }
  if (!person.pregnant) return Gap::kNotPregnant;
  if (condition == Condition::kPregnant) return std::nullopt;
  if (!person.gestation_days) return Gap::kGestationUnknown;
  const int days = *person.gestation_days;
  const bool second = days >= kTrimester2FromDays && days < kTrimester3FromDays;
  const bool inside = condition == Condition::kPregnantTrimester1   ? days < kTrimester2FromDays
                      : condition == Condition::kPregnantTrimester2 ? second
                      : condition == Condition::kPregnantTrimester1Or3
                          ? !second
                          : days >= kAfter20WeeksFromDays;
  if (!inside) return Gap::kOtherGestation;
  return std::nullopt;
}

// Why the rule says nothing of this person; nullopt: it does.
std::optional<Gap> Outside(const ScreeningScope& scope, const Person& person) {
  if (const std::optional<Gap> gap = OutsidePregnancy(scope.condition, person)) return gap;
  if (scope.from_months > 0 || scope.until_months != kNoEnd) {
    if (!person.age_months) return Gap::kAgeUnknown;
    if (*person.age_months < scope.from_months || *person.age_months >= scope.until_months) {
      return Gap::kAgeOutOfTable;
    }
  }
  if (scope.sex != v1::SEX_UNSPECIFIED) {
    const bool unknown = person.sex != v1::SEX_MALE && person.sex != v1::SEX_FEMALE;
    if (unknown && !person.pregnant) return Gap::kSexUnknown;
    if ((unknown ? v1::SEX_FEMALE : person.sex) != scope.sex) return Gap::kOtherSex;
  }
  if (scope.condition == Condition::kHypertensionOrDiabetes) {
    if (!person.hypertension_or_diabetes) return Gap::kConditionUnknown;
    if (!*person.hypertension_or_diabetes) return Gap::kConditionAbsent;
  }
  return std::nullopt;
}

// Of several rules that do not hold, the one that nearly did tells most.
int Distance(Gap gap) {
  switch (gap) {
    case Gap::kAgeUnknown:
    case Gap::kSexUnknown:
    case Gap::kGestationUnknown:
    case Gap::kConditionUnknown:
      return 0;
    case Gap::kPregnancy:
    case Gap::kConditionAbsent:
    case Gap::kOtherGestation:
      return 1;
    case Gap::kAgeOutOfTable:
      return 2;
    default:
      return 3;
  }
}

struct Choice {
  const ScreeningRule* rule = nullptr;  // the one that holds, else the nearest, else null
  std::optional<Gap> gap;               // why none holds
};

Choice Choose(const ScreeningRules& rules, std::string_view input, const Person& person) {
  Choice nearest = {.gap = Gap::kNoTable};
  for (const ScreeningRule& rule : rules.rules) {
    if (rule.input != input) continue;
    const std::optional<Gap> gap = Outside(rule.scope, person);
    if (!gap) return {.rule = &rule};
    if (nearest.rule == nullptr || Distance(*gap) < Distance(*nearest.gap)) {
      nearest = {.rule = &rule, .gap = gap};
    }
  }
  return nearest;
}

std::optional<Gap> Silent(const ScreeningRule& rule) {
  if (!rule.off.empty()) return Gap::kOff;
  if (rule.rows.empty()) return Gap::kNoTable;
  return std::nullopt;
}

const ScreeningRow& Last(const ScreeningRule& rule, Amount amount) {
  const ScreeningRow* last = &rule.rows.front();
  for (const ScreeningRow& row : rule.rows) {
    if (Reaches(amount, row.from)) last = &row;
  }
  return *last;
}

// The worse of the two numbers wins.
size_t Last(const ScreeningRule& rule, Amount first, Amount second) {
  size_t last = 0;
  for (size_t at = 0; at < rule.rows.size(); ++at) {
    const ScreeningRow& row = rule.rows[at];
    if (Reaches(first, row.from) || Reaches(second, row.second)) last = at;
  }
  return last;
}

ScreeningAnswer Class(const ScreeningRules& rules, const ScreeningRule& rule, const Person& person,
                      Amount amount) {
  if (const std::optional<Gap> silent = Silent(rule)) return NotDerived(rules, &rule, *silent);
  if (rule.unit.empty()) return NotDerived(rules, &rule, Gap::kNoTable);
  if (amount.thousandths < 0 ||
      (rule.most && Reaches(amount, {.thousandths = *rule.most * kThousand, .above = true}))) {
    return NotDerived(rules, &rule, Gap::kOutOfRange);
  }
  const ScreeningRow& row = Last(rule, amount);
  if (rule.scope.condition == Condition::kNormalOnlyIfNotPregnant && person.pregnant &&
      row.result == v1::SCREENING_RESULT_NORMAL) {
    return NotDerived(rules, &rule, Gap::kPregnancy);
  }
  return Say(rules, rule, row);
}

// What all rules say whose scope only the unknown leaves open; nullopt when they differ.
std::optional<ScreeningAnswer> Agreed(const ScreeningRules& rules, std::string_view input,
                                      const Person& person, Amount amount, Gap unknown) {
  std::optional<ScreeningAnswer> agreed;
  int asked = 0;
  for (const ScreeningRule& rule : rules.rules) {
    if (rule.input != input || Outside(rule.scope, person) != unknown) continue;
    const ScreeningAnswer answer = Class(rules, rule, person, amount);
    if (answer.not_derived || (agreed && agreed->word != answer.word)) return std::nullopt;
    if (!agreed) agreed = answer;
    ++asked;
  }
  // One alone is not all there may be: the table of the others is not known.
  return asked > 1 ? agreed : std::nullopt;
}

ScreeningAnswer PreEclampsia(const ScreeningRules& rules, const ScreeningRule& rule,
                             size_t by_pressure, std::optional<int> protein_plus) {
  constexpr size_t kNone = 0;
  constexpr size_t kSevere = 2;
  // Pressure that is severe by itself does not wait for the urine.
  if (by_pressure == kNone || by_pressure == kSevere) {
    return Say(rules, rule, rule.rows[by_pressure]);
  }
  if (!protein_plus) return NotDerived(rules, &rule, Gap::kMissing);
  const ScreeningRule* protein = FindScreeningRule(rules, "urine_protein");
  const size_t by_protein =
      static_cast<size_t>(&Last(*protein, Amount::Whole(*protein_plus)) - protein->rows.data());
  return Say(rules, rule, rule.rows[by_protein]);
}

ScreeningAnswer OneReading(const ScreeningRules& rules, const PulseOximetry& reading) {
  const ScreeningRule& rule = *FindScreeningRule(rules, "pulse_oximetry");
  if (!reading.hand_percent && !reading.foot_percent) {
    return NotDerived(rules, &rule, Gap::kMissing);
  }
  const bool both = reading.hand_percent && reading.foot_percent;
  const uint32_t hand = reading.hand_percent ? *reading.hand_percent : *reading.foot_percent;
  const uint32_t foot = reading.foot_percent ? *reading.foot_percent : *reading.hand_percent;
  const auto [low, high] = std::minmax(hand, foot);
  const ScreeningAnswer highest = Class(rules, rule, {}, Amount::Whole(high));
  if (highest.not_derived) return highest;
  const ScreeningAnswer lowest = Class(rules, rule, {}, Amount::Whole(low));
  // One place alone can call for help; it takes two to say anything better.
  if (lowest.level == ScreeningLevel::kEmergency) return lowest;
  if (!both) return NotDerived(rules, &rule, Gap::kMissing);
  const ScreeningAnswer difference =
      ScreenAmount(rules, "pulse_oximetry_difference", {}, Amount::Whole(high - low));
  const bool passed = lowest.result == v1::SCREENING_RESULT_NORMAL;
  return passed && difference.result != v1::SCREENING_RESULT_NORMAL ? difference : lowest;
}

bool IsNormal(const ScreeningAnswer& answer) {
  return !answer.not_derived && answer.result == v1::SCREENING_RESULT_NORMAL;
}

bool PassesTumblingE(const ScreeningRules& rules, std::span<const bool> tries) {
  int right = 0;
  int in_a_row = 0;
  for (const bool one : tries) {
    in_a_row = one ? in_a_row + 1 : 0;
    right += one ? 1 : 0;
    if (in_a_row >= rules.tumbling_e_in_a_row) return true;
  }
  return right >= rules.tumbling_e_right_of_five;
}

bool IsBloodCount(Amount amount) {
  return amount.thousandths > 0 && amount.thousandths < kBloodCountMost;
}

}  // namespace

std::optional<Amount> ReadAmount(std::string_view text) {
  constexpr int64_t kWholeMost = 1'000'000'000;
  constexpr int kPlaces = 3;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view part = point == text.npos ? "" : text.substr(point + 1);
  if (whole.empty() || (point != text.npos && part.empty())) return std::nullopt;
  int64_t value = 0;
  for (const char digit : whole) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + (digit - '0');
    if (value >= kWholeMost) return std::nullopt;
  }
  for (int place = 0; place < kPlaces; ++place) {
    const auto at = static_cast<size_t>(place);
    if (at < part.size() && (part[at] < '0' || part[at] > '9')) return std::nullopt;
    value = value * 10 + (at < part.size() ? part[at] - '0' : 0);
  }
  bool more = false;
  for (const char digit : part.substr(std::min<size_t>(kPlaces, part.size()))) {
    if (digit < '0' || digit > '9') return std::nullopt;
    more = more || digit != '0';
  }
  if (!negative) return Amount{value, more};
  return Amount{-value - (more ? 1 : 0), more};
}

bool Reaches(Amount amount, Bound bound) {
  if (amount.thousandths != bound.thousandths) return amount.thousandths > bound.thousandths;
  return !bound.above || amount.more;
}

const ScreeningRules* FindScreeningRules(uint32_t version) {
  const std::span<const ScreeningRules> versions = ScreeningVersions();
  const auto found = std::ranges::find(versions, version, &ScreeningRules::version);
  return found == versions.end() ? nullptr : &*found;
}

const ScreeningRule* FindScreeningRule(const ScreeningRules& rules, std::string_view id) {
  const auto found = std::ranges::find(rules.rules, id, &ScreeningRule::id);
  return found == rules.rules.end() ? nullptr : &*found;
}

ScreeningAnswer ScreenAmount(const ScreeningRules& rules, std::string_view input,
                             const Person& person, Amount amount) {
  const Choice choice = Choose(rules, input, person);
  if (!choice.gap) return Class(rules, *choice.rule, person, amount);
  if (choice.gap == Gap::kSexUnknown || choice.gap == Gap::kGestationUnknown) {
    const std::optional<ScreeningAnswer> agreed = Agreed(rules, input, person, amount, *choice.gap);
    if (agreed) return *agreed;
  }
  return NotDerived(rules, choice.rule, *choice.gap);
}

ScreeningAnswer ScreenWord(const ScreeningRules& rules, std::string_view input,
                           std::string_view word) {
  const auto rule = std::ranges::find(rules.rules, input, &ScreeningRule::input);
  if (rule == rules.rules.end()) return NotDerived(rules, nullptr, Gap::kNoTable);
  if (const std::optional<Gap> silent = Silent(*rule)) return NotDerived(rules, &*rule, *silent);
  if (!rule->unit.empty()) return NotDerived(rules, &*rule, Gap::kNoTable);
  const auto row = std::ranges::find(rule->rows, word, &ScreeningRow::word);
  if (row == rule->rows.end()) return NotDerived(rules, &*rule, Gap::kUnknownResult);
  return Say(rules, *rule, *row);
}

ScreeningAnswer ScreenScore(const ScreeningRules& rules, std::string_view tool, int64_t score) {
  if (tool == "SRQ-20") return ScreenSrq20(rules, {}, score).answer;
  if (tool == "ASSIST") return NotDerived(rules, nullptr, Gap::kSubstanceUnknown);
  const auto rule = std::ranges::find(rules.rules, tool, &ScreeningRule::input);
  if (rule == rules.rules.end()) return NotDerived(rules, nullptr, Gap::kNoTable);
  return Class(rules, *rule, {}, Amount::Whole(score));
}

ScreeningAnswer ScreenResult(const ScreeningRules& rules, std::string_view tool,
                             v1::ScreeningResult result) {
  const bool srq_20 = tool == "SRQ-20";
  if (tool == "ASSIST") return NotDerived(rules, nullptr, Gap::kSubstanceUnknown);
  const auto rule = srq_20 ? std::ranges::find(rules.rules, "srq_20", &ScreeningRule::id)
                           : std::ranges::find(rules.rules, tool, &ScreeningRule::input);
  if (rule == rules.rules.end()) return NotDerived(rules, nullptr, Gap::kNoTable);
  if (const std::optional<Gap> silent = Silent(*rule)) return NotDerived(rules, &*rule, *silent);
  // Nothing found is the sum's word; nobody knows what it heard of the question that counts alone.
  if (srq_20 && result == v1::SCREENING_RESULT_NORMAL) {
    return NotDerived(rules, &*rule, Gap::kAnswersMissing);
  }
  if (result == v1::SCREENING_RESULT_UNSPECIFIED) return NotDerived(rules, &*rule, Gap::kMissing);
  const ScreeningRow* first = nullptr;
  for (const ScreeningRow& row : rule->rows) {
    if (row.result != result) continue;
    if (first == nullptr) first = &row;
    if (row.level != first->level) return NotDerived(rules, &*rule, Gap::kUnknownResult);
  }
  if (first == nullptr) return NotDerived(rules, &*rule, Gap::kUnknownResult);
  return Say(rules, *rule, *first);
}

ScreeningAnswer ScreenLab(const ScreeningRules& rules, const Person& person, std::string_view loinc,
                          std::string_view value, std::string_view unit) {
  const std::span<const ScreeningLabCode> codes = ScreeningLabCodes();
  const auto code = std::ranges::find(codes, loinc, &ScreeningLabCode::loinc);
  if (code == codes.end()) return NotDerived(rules, nullptr, Gap::kNoTable);
  const ScreeningRule* rule = Choose(rules, code->input, person).rule;
  if (unit != code->unit) return NotDerived(rules, rule, Gap::kUnit);
  const std::optional<Amount> amount = ReadAmount(value);
  if (!amount) return NotDerived(rules, rule, Gap::kNotANumber);
  return ScreenAmount(rules, code->input, person, *amount);
}

ScreeningAnswer ScreenTsh(const ScreeningRules& rules, std::string_view value,
                          std::string_view range_high) {
  const ScreeningRule* rule = FindScreeningRule(rules, "shk_range");
  if (value.empty()) return NotDerived(rules, rule, Gap::kMissing);
  if (range_high.empty()) return NotDerived(rules, rule, Gap::kNoRange);
  const std::optional<Amount> amount = ReadAmount(value);
  const std::optional<Amount> high = ReadAmount(range_high);
  if (!amount || !high) return NotDerived(rules, rule, Gap::kNotANumber);
  if (amount->thousandths < 0 || high->thousandths < 0) {
    return NotDerived(rules, rule, Gap::kOutOfRange);
  }
  const bool above = Reaches(*amount, {.thousandths = high->thousandths, .above = true}) &&
                     !(amount->thousandths == high->thousandths && high->more);
  return ScreenWord(rules, rule->input, above ? "high" : "within_range");
}

std::vector<ScreeningAnswer> ScreenBloodPressure(const ScreeningRules& rules, const Person& person,
                                                 const BloodPressure& pressure) {
  const Choice choice = Choose(rules, "blood_pressure", person);
  if (!pressure.systolic_mmhg || !pressure.diastolic_mmhg) {
    return {NotDerived(rules, choice.rule, Gap::kMissing)};
  }
  const Amount systolic = Amount::Whole(*pressure.systolic_mmhg);
  const Amount diastolic = Amount::Whole(*pressure.diastolic_mmhg);
  std::vector<ScreeningAnswer> answers;

  const std::optional<Gap> gap = choice.gap ? choice.gap : Silent(*choice.rule);
  if (gap) {
    answers.push_back(NotDerived(rules, choice.rule, *gap));
  } else {
    const size_t at = Last(*choice.rule, systolic, diastolic);
    answers.push_back(Say(rules, *choice.rule, choice.rule->rows[at]));
  }

  const ScreeningRule& isolated = *FindScreeningRule(rules, "isolated_systolic");
  const ScreeningRow& label = isolated.rows.front();
  if (!Outside(isolated.scope, person) && Reaches(systolic, label.from) &&
      !Reaches(diastolic, label.second)) {
    answers.push_back(Say(rules, isolated, label));
  }

  const ScreeningRule& danger = *FindScreeningRule(rules, "blood_pressure_danger");
  const ScreeningRow& high = danger.rows.front();
  if (pressure.danger_sign && !Outside(danger.scope, person) &&
      (Reaches(systolic, high.from) || Reaches(diastolic, high.second))) {
    answers.push_back(Say(rules, danger, high));
  }

  const ScreeningRule& pre_eclampsia = *FindScreeningRule(rules, "pre_eclampsia");
  const std::optional<Gap> outside = Outside(pre_eclampsia.scope, person);
  const size_t by_pressure = Last(pre_eclampsia, systolic, diastolic);
  if (!outside) {
    answers.push_back(PreEclampsia(rules, pre_eclampsia, by_pressure, pressure.protein_plus));
  } else if (outside == Gap::kGestationUnknown && by_pressure > 0) {
    answers.push_back(NotDerived(rules, &pre_eclampsia, *outside));
  }
  return answers;
}

ScreeningAnswer ScreenPulseOximetry(const ScreeningRules& rules,
                                    std::span<const PulseOximetry> readings) {
  ScreeningAnswer answer =
      NotDerived(rules, FindScreeningRule(rules, "pulse_oximetry"), Gap::kMissing);
  int repeats = 0;
  for (const PulseOximetry& reading : readings) {
    answer = OneReading(rules, reading);
    if (answer.not_derived) continue;
    repeats = answer.level == ScreeningLevel::kRecheck ? repeats + 1 : 0;
  }
  const bool asks_again = !answer.not_derived && repeats >= rules.pulse_oximetry_tries;
  return asks_again ? ScreenWord(rules, "pulse_oximetry_repeated", "refer") : answer;
}

Srq20 ScreenSrq20(const ScreeningRules& rules, const Srq20Answers& answers,
                  std::optional<int64_t> recorded_score) {
  const ScreeningRule& rule = *FindScreeningRule(rules, "srq_20");
  const ScreeningAnswer open = NotDerived(rules, &rule, Gap::kAnswersMissing);
  const int yes = static_cast<int>(std::ranges::count(answers, std::optional<bool>(true)));
  const int unanswered = static_cast<int>(std::ranges::count(answers, std::optional<bool>()));

  if (unanswered == static_cast<int>(answers.size())) {
    if (!recorded_score) return {.answer = open};
    // A low score says nothing of the question that counts alone.
    const ScreeningAnswer by_score = Class(rules, rule, {}, Amount::Whole(*recorded_score));
    return {.answer = IsNormal(by_score) ? open : by_score};
  }

  Srq20 srq = {.answer = open};
  if (unanswered == 0) srq.score = yes;
  srq.score_disagrees =
      recorded_score && (*recorded_score < yes || *recorded_score > yes + unanswered);
  const std::optional<bool>& urgent = answers[static_cast<size_t>(rules.srq_20_urgent_item - 1)];
  const ScreeningAnswer least = Class(rules, rule, {}, Amount::Whole(yes));
  const ScreeningAnswer most = Class(rules, rule, {}, Amount::Whole(yes + unanswered));
  if (urgent == true) {
    const ScreeningRule& item = *FindScreeningRule(rules, "srq_20_item_17");
    srq.answer = Say(rules, item, item.rows.front());
  } else if (!IsNormal(least) || (urgent.has_value() && IsNormal(most))) {
    srq.answer = least;
  }
  return srq;
}

ScreeningAnswer ScreenKpsp(const ScreeningRules& rules, std::string_view result,
                           std::optional<int> days_since_doubtful) {
  const bool again =
      result == "doubtful" && days_since_doubtful && *days_since_doubtful >= rules.kpsp_repeat_days;
  return ScreenWord(rules, "KPSP", again ? "doubtful_again" : result);
}

ScreeningAnswer ScreenTbSigns(const ScreeningRules& rules, const Person& person,
                              const TbSigns& signs) {
  const std::array asked = {signs.cough, signs.fever, signs.weight, signs.lethargy};
  const auto seen =
      std::ranges::count(asked, std::optional<bool>(true)) + (signs.nodes == true ? 1 : 0);
  const ScreeningAnswer by_signs = ScreenAmount(rules, "tb_signs", person, Amount::Whole(seen));
  if (!IsNormal(by_signs)) return by_signs;
  if (signs.contact == true) return ScreenWord(rules, "TB-SYMPTOM", "close_contact");
  if (!signs.contact || std::ranges::count(asked, std::optional<bool>()) > 0) {
    return {.rule = by_signs.rule, .version = rules.version, .not_derived = Gap::kAnswersMissing};
  }
  return by_signs;
}

ScreeningAnswer ScreenTumblingE(const ScreeningRules& rules, const Person& person,
                                std::span<const bool> tries) {
  constexpr size_t kTries = 5;
  const Choice choice = Choose(rules, "TUMBLING-E", person);
  if (choice.gap) return NotDerived(rules, choice.rule, *choice.gap);
  std::array<bool, kTries> at_best;
  at_best.fill(true);
  std::ranges::copy(tries.first(std::min(kTries, tries.size())), at_best.begin());
  if (PassesTumblingE(rules, tries.first(std::min(kTries, tries.size())))) {
    return ScreenWord(rules, "TUMBLING-E", "pass");
  }
  if (PassesTumblingE(rules, at_best)) {
    return NotDerived(rules, choice.rule, Gap::kAnswersMissing);
  }
  return ScreenWord(rules, "TUMBLING-E", "not_passed");
}

ScreeningAnswer ScreenVisualAcuity(const ScreeningRules& rules, const Person& person,
                                   uint32_t distance, uint32_t line) {
  if (line == 0) {
    return NotDerived(rules, FindScreeningRule(rules, "visual_acuity"), Gap::kOutOfRange);
  }
  const int64_t thousandths = int64_t{distance} * kThousand;
  return ScreenAmount(rules, "visual_acuity", person,
                      {.thousandths = thousandths / line, .more = thousandths % line != 0});
}

ScreeningAnswer ScreenThalassaemia(const ScreeningRules& rules, const Person& person,
                                   std::optional<Amount> mcv, std::optional<Amount> red_cells,
                                   std::optional<Amount> mch) {
  const ScreeningRule* rule = FindScreeningRule(rules, "mentzer");
  if (!mcv || (!red_cells && !mch)) return NotDerived(rules, rule, Gap::kMissing);
  if (!IsBloodCount(*mcv) || !IsBloodCount(red_cells.value_or(*mcv)) ||
      !IsBloodCount(mch.value_or(*mcv))) {
    return NotDerived(rules, rule, Gap::kOutOfRange);
  }
  std::optional<ScreeningAnswer> mentzer;
  if (red_cells) {
    const int64_t index = mcv->thousandths * kThousand / red_cells->thousandths;
    mentzer = ScreenAmount(rules, "mentzer", person, {.thousandths = index});
    if (!IsNormal(*mentzer)) return *mentzer;
  }
  if (!mch) return *mentzer;
  const int64_t index =
      mcv->thousandths * mcv->thousandths * mch->thousandths / (100 * kThousand * kThousand);
  return ScreenAmount(rules, "shine_lal", person, {.thousandths = index});
}

ScreeningAnswer AsKaderFinding(ScreeningAnswer answer) {
  if (answer.result == v1::SCREENING_RESULT_PRESUMPTIVE) {
    answer.word = Word(answer.result);
  } else if (answer.result == v1::SCREENING_RESULT_ABNORMAL ||
             answer.result == v1::SCREENING_RESULT_NEEDS_CHECK) {
    answer.result = v1::SCREENING_RESULT_NEEDS_CHECK;
    answer.word = Word(answer.result);
  }
  return answer;
}

std::string_view Word(ScreeningLevel level) {
  switch (level) {
    case ScreeningLevel::kNotSaid:
      return "not_said";
    case ScreeningLevel::kRoutine:
      return "routine";
    case ScreeningLevel::kRecheck:
      return "recheck";
    case ScreeningLevel::kPustu:
      return "pustu";
    case ScreeningLevel::kPuskesmas:
      return "puskesmas";
    case ScreeningLevel::kHospital:
      return "hospital";
    case ScreeningLevel::kUrgent:
      return "urgent";
    case ScreeningLevel::kEmergency:
      return "emergency";
  }
  return "";
}

std::string_view Word(ScreeningBasis basis) {
  switch (basis) {
    case ScreeningBasis::kRead:
      return "V";
    case ScreeningBasis::kReported:
      return "R";
    case ScreeningBasis::kDecided:
      return "decided by Simpul";
    case ScreeningBasis::kUnsourced:
      return "M";
  }
  return "";
}

std::string_view Word(ScreeningGap gap) {
  switch (gap) {
    case Gap::kNoTable:
      return "no_table";
    case Gap::kOff:
      return "off";
    case Gap::kMissing:
      return "missing";
    case Gap::kNotANumber:
      return "not_a_number";
    case Gap::kOutOfRange:
      return "out_of_range";
    case Gap::kUnit:
      return "unit";
    case Gap::kNoRange:
      return "no_range";
    case Gap::kUnknownResult:
      return "unknown_result";
    case Gap::kAgeUnknown:
      return "age_unknown";
    case Gap::kAgeOutOfTable:
      return "age_out_of_table";
    case Gap::kSexUnknown:
      return "sex_unknown";
    case Gap::kOtherSex:
      return "other_sex";
    case Gap::kNotPregnant:
      return "not_pregnant";
    case Gap::kPregnancy:
      return "pregnancy";
    case Gap::kGestationUnknown:
      return "gestation_unknown";
    case Gap::kOtherGestation:
      return "other_gestation";
    case Gap::kConditionUnknown:
      return "condition_unknown";
    case Gap::kConditionAbsent:
      return "condition_absent";
    case Gap::kAnswersMissing:
      return "answers_missing";
    case Gap::kSubstanceUnknown:
      return "substance_unknown";
  }
  return "";
}

std::string_view Word(ScreeningCondition condition) {
  switch (condition) {
    case Condition::kNone:
      return "";
    case Condition::kPregnant:
      return "pregnant";
    case Condition::kPregnantTrimester1:
      return "pregnant, to 84 days";
    case Condition::kPregnantTrimester2:
      return "pregnant, 85 to 168 days";
    case Condition::kPregnantTrimester1Or3:
      return "pregnant, to 84 days or from 169";
    case Condition::kPregnantAfter20Weeks:
      return "pregnant, from 141 days";
    case Condition::kNotPregnant:
      return "not pregnant";
    case Condition::kNormalOnlyIfNotPregnant:
      return "normal only if not pregnant";
    case Condition::kHypertensionOrDiabetes:
      return "with hypertension or diabetes";
  }
  return "";
}

std::string_view Word(event::v1::ScreeningResult result) {
  switch (result) {
    case v1::SCREENING_RESULT_NORMAL:
      return "normal";
    case v1::SCREENING_RESULT_NEEDS_CHECK:
      return "needs_check";
    case v1::SCREENING_RESULT_ABNORMAL:
      return "abnormal";
    case v1::SCREENING_RESULT_PRESUMPTIVE:
      return "presumptive";
    case v1::SCREENING_RESULT_INCONCLUSIVE:
      return "inconclusive";
    default:
      return "";
  }
}

}  // namespace simpul::rules
