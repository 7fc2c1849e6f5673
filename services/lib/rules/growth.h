// How one measurement of a person stands against WHO's growth standards, and the programme's class
// of it. Pure; any thread.
//
// Sources: WHO Child Growth Standards (2006) to 1856 days, WHO growth reference 5-19 years (2007)
// from there; classes of Permenkes 2/2020 below 60 months, KMK HK.01.07/MENKES/2015/2023 from
// there; arm circumference by centimetres. docs/growth.md says which rule comes from where, and
// what was decided by Simpul. The same numbers on every machine: lib/rules/power.h.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "simpul/event/v1/identity.pb.h"
#include "simpul/event/v1/visit.pb.h"

namespace simpul::rules {

// What tables, rules, thresholds and words of this file mean together. Whatever changes an answer
// gets another version; old answers keep theirs.
inline constexpr uint32_t kGrowthVersion = 1;

// On the day of measuring. `days` chooses the row of a table by day, `months`, never rounded, all
// that is said in months. A month is 30.4375 days.
struct Age {
  int days;
  double months;
};
Age AgeOfDays(int days);
// Days are rounded half up. `months` is between -10^6 and 10^6.
Age AgeOfMonths(double months);
Age AgeBetween(std::chrono::sys_days birth, std::chrono::sys_days day);

// What was measured. Absent is unknown. Whole grams and millimetres are exact; more precise values
// are taken as they are.
struct Measurement {
  event::v1::Sex sex = event::v1::SEX_UNSPECIFIED;
  std::optional<Age> age;
  std::optional<double> weight_g;
  std::optional<double> length_mm;  // or height
  event::v1::MeasuringPosition position = event::v1::MEASURING_POSITION_UNSPECIFIED;
  std::optional<double> head_mm;
  std::optional<double> muac_mm;  // LiLA, the middle of the upper arm
  bool oedema = false;            // bilateral pitting oedema was seen
};

enum class Index {
  kWeightForAge,           // BB/U
  kLengthHeightForAge,     // PB/U, TB/U
  kWeightForLengthHeight,  // BB/PB, BB/TB
  kBmiForAge,              // IMT/U
  kHeadForAge,             // LK/U
  kMuacForAge,             // LiLA/U
};
inline constexpr int kIndices = 6;

enum class GrowthClass {
  kNone,  // the z is known, but no source gives classes for this index at this age
  kSangatKurang,
  kKurang,
  kNormal,
  kRisikoBeratBadanLebih,
  kSangatPendek,
  kPendek,
  kTinggi,
  kGiziBuruk,
  kGiziKurang,
  kGiziBaik,
  kBerisikoGiziLebih,
  kGiziLebih,
  kObesitas,
  kMikrosefali,
  kMakrosefali,
  kLilaMerah,
  kLilaKuning,
  kLilaHijau,
  kImtKurang,
  kImtNormal,
  kImtBerisiko,
  kObesitas1,
  kObesitas2,
};

// Why an index is not derived.
enum class NotDerived {
  kWeightMissing,
  kLengthMissing,
  kHeadMissing,
  kMuacMissing,
  kMeasureOutOfRange,  // 0, below, or beyond any human being
  kOedema,             // the weight is not the child's own
  kSexUnknown,
  kAgeUnknown,
  kAgeOutOfTable,
  kLengthOutOfTable,
};

struct Score {
  // In hundredths of a standard deviation, rounded half away from zero; what is classed and flagged
  // is this, not what lies behind it. Absent where a class needs none: the arm's centimetres when
  // sex is unknown, an adult's body mass index.
  std::optional<int32_t> z_hundredths;
  GrowthClass growth_class = GrowthClass::kNone;
  // Beyond what WHO takes for possible: measured or typed wrong. Kept, marked, and nothing is to be
  // concluded from its class.
  bool implausible = false;
};

using Outcome = std::variant<Score, NotDerived>;

// What the nutritional status was concluded from.
enum class StatusFrom { kOedema, kWeightForLengthHeight, kBmiForAge };

struct NutritionalStatus {
  GrowthClass growth_class;
  StatusFrom from;
};

struct Growth {
  std::array<Outcome, kIndices> outcomes;  // by Index
  // Length below 731 days, height from there, as the indices used it: 7 mm more than measured
  // standing before that day, less than measured lying from it.
  std::optional<double> length_used_mm;
  // kg/m² in hundredths, of that length; rounded half away from zero. None with oedema.
  std::optional<int64_t> bmi_hundredths;
  // "Standing" before 9 months is taken for a slip: the position was ignored.
  bool standing_too_young = false;
  // The overall status: severe with oedema, else weight for length or height, else body mass index
  // for age; never weight for age. Below 18 years; absent where what it would come from is
  // implausible or not derived.
  std::optional<NutritionalStatus> status;

  const Outcome& of(Index index) const { return outcomes[static_cast<size_t>(index)]; }
};

// Total: every measurement has an answer.
Growth Assess(const Measurement& measurement);

// What is wrong with a score: "implausible", or "position_ignored" where the length counts; else
// empty.
std::string_view FlagOf(const Growth& growth, Index index);

// The words of the contract: weight_for_age, sangat_kurang (kNone: no_class_table), age_unknown,
// oedema. docs/growth.md lists them.
std::string_view Word(Index index);
std::string_view Word(GrowthClass growth_class);
std::string_view Word(NotDerived reason);
std::string_view Word(StatusFrom from);

}  // namespace simpul::rules
