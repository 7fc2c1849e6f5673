// What a measurement, a laboratory value or a filled-in tool says of a person by the programme's
// printed tables: a class word, how far it asks to go, and where that stands.
//
// A screening is never a diagnosis, and what a kader found is a finding (AsKaderFinding). No number
// here is Simpul's own: what no source prints is answered with why nothing is derived. Growth and
// arm circumference of children are lib/rules/growth.h; when a screening is due is no part of this.
//
// Pure: no call fails, keeps a view of its arguments, or knows a clock. Any number of threads may
// call. Views in an answer point to constants. docs/screening.md lists every row of the data.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "simpul/event/v1/identity.pb.h"
#include "simpul/event/v1/screening.pb.h"

namespace simpul::rules {

// A number, exact enough to stand on the right side of every bound: thousandths, and whether there
// was a little more, less than a thousandth.
struct Amount {
  int64_t thousandths = 0;  // rounded down
  bool more = false;

  static constexpr Amount Whole(int64_t value) { return {value * 1000, false}; }
  static constexpr Amount Tenths(int64_t value) { return {value * 100, false}; }
  static constexpr Amount Hundredths(int64_t value) { return {value * 10, false}; }

  bool operator==(const Amount&) const = default;
};

// Decimal text as the contract has it: sign, digits, point. Nullopt where it is none, or a billion
// and beyond.
std::optional<Amount> ReadAmount(std::string_view text);

// Where a band begins.
struct Bound {
  int64_t thousandths = std::numeric_limits<int64_t>::min();  // the least: from the very bottom
  bool above = false;  // the bound itself still belongs to the band below

  bool operator==(const Bound&) const = default;
};

// Whether the amount has come to the bound.
bool Reaches(Amount amount, Bound bound);

// How far a class asks to go, as its source says.
enum class ScreeningLevel {
  kNotSaid,    // the source gives the class and asks for nothing: a health worker decides
  kRoutine,    // nothing but the next routine screening
  kRecheck,    // measure or ask again
  kPustu,      // to the Pustu
  kPuskesmas,  // to the Puskesmas
  kHospital,   // to a hospital
  kUrgent,     // a health worker, the same day
  kEmergency,  // now
};

// How well a number or word is founded.
enum class ScreeningBasis {
  kRead,      // read in the text of the regulation or guide
  kReported,  // seen in public software or notes, not in the regulation
  kDecided,   // decided by Simpul, where sources leave room
  kUnsourced  // known only by hearsay: its rule is off
};

struct ScreeningSource {
  std::string_view text;
  ScreeningBasis basis = ScreeningBasis::kRead;
};

// One class: a band of numbers, or one word of a result list.
struct ScreeningRow {
  Bound from;    // up to the next row's; unused in a result list
  Bound second;  // of a rule with two numbers: reached as well, it is enough for the class
  std::string_view word;
  event::v1::ScreeningResult result = event::v1::SCREENING_RESULT_UNSPECIFIED;
  ScreeningLevel level = ScreeningLevel::kNotSaid;
  bool level_decided = false;  // the level is decided by Simpul, the class is not
  std::string_view action;     // what the source asks for, in words
  ScreeningSource source;
};

// What must be so for a table to hold.
enum class ScreeningCondition {
  kNone,
  kPregnant,
  kPregnantTrimester1,     // to 84 days
  kPregnantTrimester2,     // 85 to 168 days
  kPregnantTrimester1Or3,  // not 85 to 168 days
  kPregnantAfter20Weeks,   // from 141 days
  kNotPregnant,
  kNormalOnlyIfNotPregnant,  // in pregnancy only what is not normal is said
  kHypertensionOrDiabetes,
};

inline constexpr int kNoEnd = std::numeric_limits<int>::max();

// Whom a table holds for: others get no class by it. Ages in completed months.
struct ScreeningScope {
  int from_months = 0;
  int until_months = kNoEnd;                        // not these any more
  event::v1::Sex sex = event::v1::SEX_UNSPECIFIED;  // both
  ScreeningCondition condition = ScreeningCondition::kNone;
};

// Whom the programme calls to it. Says who is due, never what a result means.
struct ScreeningInvited {
  int from_months = 0;
  int until_months = kNoEnd;
  event::v1::Sex sex = event::v1::SEX_UNSPECIFIED;  // both
  std::string_view who;  // what else, in words; "": all of that age and sex
  int every_months = 0;  // 0: not printed
};

enum class ScreeningSection { kPregnancy, kNewborn, kChild, kSchool, kAdult, kElderly, kAnyAge };

struct ScreeningRule {
  std::string_view id;  // unique
  ScreeningSection section = ScreeningSection::kAnyAge;
  // What is measured, or the tool as events name it. Several rules may share one: their scopes do
  // not overlap, except that the earlier one goes first.
  std::string_view input;
  std::string_view unit;  // of the bounds; "": a result list
  ScreeningScope scope;
  ScreeningInvited invited;
  std::optional<int64_t> most;  // a score cannot be more
  std::span<const ScreeningRow> rows;
  std::string_view off;  // why it answers nothing; "": it is on
};

// One version of the rules: all that may change is data. Whatever changes an answer gets another.
struct ScreeningRules {
  uint32_t version;
  std::span<const ScreeningRule> rules;
  int pulse_oximetry_tries;      // that many in a row without a pass refer
  int kpsp_repeat_days;          // doubtful again counts from then on
  int srq_20_urgent_item;        // of 20, from 1
  int tumbling_e_in_a_row;       // right ones that pass
  int tumbling_e_right_of_five;  // right ones of the first five that pass
};

// Every version this program knows, the first is version 1.
std::span<const ScreeningRules> ScreeningVersions();

// Null for a version this program does not know.
const ScreeningRules* FindScreeningRules(uint32_t version);

// Null when there is none.
const ScreeningRule* FindScreeningRule(const ScreeningRules& rules, std::string_view id);

// A laboratory code that rules apply to, in the one unit they apply in.
struct ScreeningLabCode {
  std::string_view loinc;
  std::string_view input;
  std::string_view unit;  // UCUM
};
std::span<const ScreeningLabCode> ScreeningLabCodes();

// Why nothing is derived.
enum class ScreeningGap {
  kNoTable,           // no source prints classes for this
  kOff,               // there is a rule, and it waits for a source
  kMissing,           // a value that is needed was not recorded
  kNotANumber,        // text that is no decimal number
  kOutOfRange,        // below zero, or more than the tool can give
  kUnit,              // another unit than the table's: never converted
  kNoRange,           // the laboratory printed no range of its own
  kUnknownResult,     // a word that the result list does not have
  kAgeUnknown,        // the table depends on it
  kAgeOutOfTable,     // no table for this age
  kSexUnknown,        // the class depends on it
  kOtherSex,          // the table is for the other one
  kNotPregnant,       // the table is for pregnant women
  kPregnancy,         // the table is for others; what it calls normal may not be so in pregnancy
  kGestationUnknown,  // the class depends on it
  kOtherGestation,    // the table is for another part of the pregnancy
  kConditionUnknown,  // the table is for people with hypertension or diabetes
  kConditionAbsent,   // and this is not one
  kAnswersMissing,    // too many questions are open to say
  kSubstanceUnknown,  // the bands depend on it
};

// The one answer of every function here.
struct ScreeningAnswer {
  std::string_view rule;  // id; "" where no rule was found
  uint32_t version = 0;
  std::optional<ScreeningGap> not_derived;  // then what follows is empty
  std::string_view word;
  event::v1::ScreeningResult result = event::v1::SCREENING_RESULT_UNSPECIFIED;
  ScreeningLevel level = ScreeningLevel::kNotSaid;
  std::string_view action;
  ScreeningSource source;
};

// What of a person decides which table holds. Absent is unknown.
struct ScreenedPerson {
  std::optional<int> age_months;  // completed, on the day
  event::v1::Sex sex = event::v1::SEX_UNSPECIFIED;
  bool pregnant = false;                         // a pregnancy is open on that day
  std::optional<int> gestation_days;             // on that day, completed
  std::optional<bool> hypertension_or_diabetes;  // known, not screened
};

// One number, by the rule of that input whose scope the person is in. Where the sex or the week of
// pregnancy that would choose between rules is unknown, an answer is given only if all agree.
ScreeningAnswer ScreenAmount(const ScreeningRules& rules, std::string_view input,
                             const ScreenedPerson& person, Amount amount);

// One word of a result list.
ScreeningAnswer ScreenWord(const ScreeningRules& rules, std::string_view input,
                           std::string_view word);

// A score as recorded. ASSIST is asked for as ASSIST-ALCOHOL or ASSIST-OTHER; SRQ-20 has a function
// of its own.
ScreeningAnswer ScreenScore(const ScreeningRules& rules, std::string_view tool, int64_t score);

// A result as recorded, where there is neither score nor word: the first class of the tool with
// that result. Unknown where none has it, or where those that have it ask for different levels.
ScreeningAnswer ScreenResult(const ScreeningRules& rules, std::string_view tool,
                             event::v1::ScreeningResult result);

// A laboratory number by its LOINC code, decimal text and UCUM unit.
ScreeningAnswer ScreenLab(const ScreeningRules& rules, const ScreenedPerson& person,
                          std::string_view loinc, std::string_view value, std::string_view unit);

// TSH of a newborn against the range that the laboratory printed with it, in its own unit.
ScreeningAnswer ScreenTsh(const ScreeningRules& rules, std::string_view value,
                          std::string_view range_high);

struct BloodPressure {
  std::optional<uint32_t> systolic_mmhg;
  std::optional<uint32_t> diastolic_mmhg;
  bool danger_sign = false;         // any was seen at that contact
  std::optional<int> protein_plus;  // in urine: 0 for none or a trace, 1 for +1
};

// The class of the age first. Then what else is said of it: isolated_systolic, the way with a
// danger sign, pre-eclampsia.
std::vector<ScreeningAnswer> ScreenBloodPressure(const ScreeningRules& rules,
                                                 const ScreenedPerson& person,
                                                 const BloodPressure& pressure);

// Right hand and a foot, in whole percent.
struct PulseOximetry {
  std::optional<uint32_t> hand_percent;
  std::optional<uint32_t> foot_percent;
};

// What the last of the hourly readings says after those before it, in the order they were taken.
ScreeningAnswer ScreenPulseOximetry(const ScreeningRules& rules,
                                    std::span<const PulseOximetry> readings);

// True is yes; absent was not answered.
using Srq20Answers = std::array<std::optional<bool>, 20>;

struct Srq20 {
  ScreeningAnswer answer;
  std::optional<int> score;      // the yes answers, when all are answered
  bool score_disagrees = false;  // the recorded score does not follow from the answers
};

// From the answers; a recorded score counts only where no question was answered.
Srq20 ScreenSrq20(const ScreeningRules& rules, const Srq20Answers& answers,
                  std::optional<int64_t> recorded_score);

// `result` as in ScreenWord. The days since the KPSP before this one, when that was doubtful.
ScreeningAnswer ScreenKpsp(const ScreeningRules& rules, std::string_view result,
                           std::optional<int> days_since_doubtful);

// Absent was not asked. Without a sign the first four must have been.
struct TbSigns {
  std::optional<bool> cough;   // for two weeks or longer
  std::optional<bool> fever;   // for two weeks or longer
  std::optional<bool> weight;  // fell, or did not rise, for two months
  std::optional<bool> lethargy;
  std::optional<bool> nodes;
  std::optional<bool> contact;  // close, with a person who has TB; no sign by itself
};

// Children. For others no source that is followed counts signs: their recorded result is a word.
ScreeningAnswer ScreenTbSigns(const ScreeningRules& rules, const ScreenedPerson& person,
                              const TbSigns& signs);

// The tumbling E: each try in order, true is right.
ScreeningAnswer ScreenTumblingE(const ScreeningRules& rules, const ScreenedPerson& person,
                                std::span<const bool> tries);

// Visual acuity as a fraction, such as 6 and 12.
ScreeningAnswer ScreenVisualAcuity(const ScreeningRules& rules, const ScreenedPerson& person,
                                   uint32_t distance, uint32_t line);

// From the full count: MCV in fL, red cells in 10^6/µL, MCH in pg. The worse of the two indices
// that can be computed.
ScreeningAnswer ScreenThalassaemia(const ScreeningRules& rules, const ScreenedPerson& person,
                                   std::optional<Amount> mcv, std::optional<Amount> red_cells,
                                   std::optional<Amount> mch);

// The same answer as a kader may word it: `presumptive` or `needs_check`, never a class that sounds
// like a disease. Level and action stay.
ScreeningAnswer AsKaderFinding(ScreeningAnswer answer);

// Machine words: not_said, routine, recheck, pustu, puskesmas, hospital, urgent, emergency.
std::string_view Word(ScreeningLevel level);
// "V", "R", "decided by Simpul", "M".
std::string_view Word(ScreeningBasis basis);
// The word of each is in docs/screening.md.
std::string_view Word(ScreeningGap gap);
std::string_view Word(ScreeningCondition condition);
// normal, needs_check, abnormal, presumptive, inconclusive; "" for none.
std::string_view Word(event::v1::ScreeningResult result);

}  // namespace simpul::rules
