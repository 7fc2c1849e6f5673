#include "lib/rules/growth.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "lib/rules/power.h"
#include "lib/rules/tables/who_growth.h"

namespace simpul::rules {
namespace {

namespace v1 = event::v1;

constexpr double kDaysPerMonth = 30.4375;

// WHO: length is measured lying below two years, height standing from there; who was measured the
// other way is 0.7 cm longer or shorter.
constexpr int kHeightFromDays = 731;
constexpr double kLyingIsLongerMm = 7;
// WHO: nobody stands before.
constexpr double kStandsFromMonths = 9;
// WHO, for an age that is not known.
constexpr double kHeightFromMm = 870;

// What classes there are: Permenkes 2/2020 to below 60 months, KMK 2015/2023 for 5 to 18 years and
// for adults.
constexpr double kChildBelowMonths = 60;
constexpr double kAdultFromMonths = 18 * 12;
constexpr double kMuacClassFromMonths = 6;

// As intake takes them: beyond, nothing was measured.
struct Range {
  double least, most;
};
constexpr Range kWeightG = {100, 500'000};
constexpr Range kLengthMm = {100, 2'750};
constexpr Range kHeadMm = {50, 1'000};
constexpr Range kMuacMm = {30, 800};

bool Within(const Range& range, double value) {
  return value >= range.least && value <= range.most;  // false for NaN
}

// A class up to and with this value, in hundredths.
template <typename Bound>
struct Band {
  Bound up_to;
  GrowthClass growth_class;
};
constexpr int32_t kAbove = std::numeric_limits<int32_t>::max();

// Permenkes 2/2020. -3 and -2 belong to the better class, +1, +2 and +3 to the lower one.
constexpr Band<int32_t> kWeightForAgeBands[] = {
    {-301, GrowthClass::kSangatKurang},
    {-201, GrowthClass::kKurang},
    {100, GrowthClass::kNormal},
    {kAbove, GrowthClass::kRisikoBeratBadanLebih},
};
constexpr Band<int32_t> kLengthHeightForAgeBands[] = {
    {-301, GrowthClass::kSangatPendek},
    {-201, GrowthClass::kPendek},
    {300, GrowthClass::kNormal},
    {kAbove, GrowthClass::kTinggi},
};
constexpr Band<int32_t> kNutritionBands[] = {
    {-301, GrowthClass::kGiziBuruk}, {-201, GrowthClass::kGiziKurang},
    {100, GrowthClass::kGiziBaik},   {200, GrowthClass::kBerisikoGiziLebih},
    {300, GrowthClass::kGiziLebih},  {kAbove, GrowthClass::kObesitas},
};
constexpr Band<int32_t> kHeadForAgeBands[] = {
    {-201, GrowthClass::kMikrosefali},
    {200, GrowthClass::kNormal},
    {kAbove, GrowthClass::kMakrosefali},
};
// KMK HK.01.07/MENKES/2015/2023, 5 to 18 years.
constexpr Band<int32_t> kSchoolNutritionBands[] = {
    {-301, GrowthClass::kGiziBuruk},  {-201, GrowthClass::kGiziKurang},
    {100, GrowthClass::kGiziBaik},    {200, GrowthClass::kGiziLebih},
    {kAbove, GrowthClass::kObesitas},
};
// The same KMK, Asia-Pacific, in hundredths of kg/m²: 18.5, 23, 25 and 30 begin a class.
constexpr Band<int64_t> kAdultBmiBands[] = {
    {1849, GrowthClass::kImtKurang},
    {2299, GrowthClass::kImtNormal},
    {2499, GrowthClass::kImtBerisiko},
    {2999, GrowthClass::kObesitas1},
    {std::numeric_limits<int64_t>::max(), GrowthClass::kObesitas2},
};
// 11.5 and 12.5 cm begin a class.
constexpr double kMuacKuningFromMm = 115;
constexpr double kMuacHijauFromMm = 125;

// WHO: below or above, in hundredths, is not possible.
struct Plausible {
  int32_t least, most;
};
constexpr Plausible kWeightForAgePlausible = {-600, 500};
constexpr Plausible kLengthHeightForAgePlausible = {-600, 600};
constexpr Plausible kOtherPlausible = {-500, 500};

template <typename Bound>
GrowthClass ClassOf(std::span<const Band<Bound>> bands, Bound value) {
  for (const Band<Bound>& band : bands) {
    if (value <= band.up_to) return band.growth_class;
  }
  return GrowthClass::kNone;
}

GrowthClass MuacClass(double mm) {
  if (mm < kMuacKuningFromMm) return GrowthClass::kLilaMerah;
  return mm < kMuacHijauFromMm ? GrowthClass::kLilaKuning : GrowthClass::kLilaHijau;
}

// One row, or what lies between two.
struct Distribution {
  double l, m, s;
};

// The row at `place`, between two rows straight in L, M and S. nullopt outside the table.
std::optional<Distribution> At(const LmsTable& table, double place) {
  if (!(place >= table.first && place <= table.last())) return std::nullopt;
  const double below = std::floor(place);
  const double part = place - below;
  const auto row = [&table](size_t i) {
    const Lms& lms = table.rows[i];
    return Distribution{lms.l_e4 / 10000.0, lms.m_e4 / 10000.0, lms.s_e5 / 100000.0};
  };
  const auto i = static_cast<size_t>(static_cast<int>(below) - table.first);
  const Distribution low = row(i);
  if (part == 0) return low;
  const Distribution high = row(i + 1);
  return Distribution{low.l + part * (high.l - low.l), low.m + part * (high.m - low.m),
                      low.s + part * (high.s - low.s)};
}

// The measure at k standard deviations.
double AtSd(const Distribution& d, double k) {
  if (d.l == 0) return d.m * Exp(d.s * k);
  return d.m * Power(1 + d.l * d.s * k, 1 / d.l);
}

// WHO's LMS method. `restricted`: beyond three standard deviations the distance between the second
// and the third counts on, for what depends on weight.
double Z(const Distribution& d, double y, bool restricted) {
  const double z = d.l == 0 ? Ln(y / d.m) / d.s : (Power(y / d.m, d.l) - 1) / (d.l * d.s);
  if (!restricted || std::fabs(z) <= 3) return z;
  if (z > 3) {
    const double sd3 = AtSd(d, 3);
    return 3 + (y - sd3) / (sd3 - AtSd(d, 2));
  }
  const double sd3 = AtSd(d, -3);
  return -3 + (y - sd3) / (AtSd(d, -2) - sd3);
}

int64_t Hundredths(double value) { return std::llround(value * 100); }

// Where the index stands in the tables of both standards.
struct Source {
  const LmsTable GrowthStandards::* by_day;
  const LmsTable GrowthStandards::* by_month;  // nullptr: the second has none
};

// Everything that is known about the person, made ready.
class Assessment {
 public:
  explicit Assessment(const Measurement& in) : in_(in) {
    if (in.sex == v1::SEX_MALE) standards_ = &kBoysGrowth;
    if (in.sex == v1::SEX_FEMALE) standards_ = &kGirlsGrowth;
    UseLength();
    if (in.weight_g && Within(kWeightG, *in.weight_g) && out_.length_used_mm && !in.oedema) {
      const double mm = *out_.length_used_mm;
      bmi_ = *in.weight_g * 1000 / (mm * mm);
      out_.bmi_hundredths = Hundredths(*bmi_);
    }
  }

  Growth Take() {
    Put(Index::kWeightForAge, WeightForAge());
    Put(Index::kLengthHeightForAge, LengthHeightForAge());
    Put(Index::kWeightForLengthHeight, WeightForLengthHeight());
    Put(Index::kBmiForAge, BmiForAge());
    Put(Index::kHeadForAge, HeadForAge());
    Put(Index::kMuacForAge, MuacForAge());
    out_.status = Status();
    return std::move(out_);
  }

 private:
  void Put(Index index, Outcome outcome) { out_.outcomes[static_cast<size_t>(index)] = outcome; }

  bool is_child() const { return in_.age && in_.age->months < kChildBelowMonths; }
  bool is_adult() const { return in_.age && in_.age->months >= kAdultFromMonths; }

  void UseLength() {
    if (!in_.length_mm || !Within(kLengthMm, *in_.length_mm)) return;
    const double mm = *in_.length_mm;
    out_.length_used_mm = mm;
    if (!in_.age) {
      by_height_ = in_.position == v1::MEASURING_POSITION_UNSPECIFIED
                       ? mm >= kHeightFromMm
                       : in_.position == v1::MEASURING_POSITION_STANDING;
      return;
    }
    by_height_ = in_.age->days >= kHeightFromDays;
    if (in_.position == v1::MEASURING_POSITION_STANDING && in_.age->months < kStandsFromMonths) {
      out_.standing_too_young = true;
    } else if (in_.position == v1::MEASURING_POSITION_STANDING && !by_height_) {
      out_.length_used_mm = mm + kLyingIsLongerMm;
    } else if (in_.position == v1::MEASURING_POSITION_LYING && by_height_) {
      out_.length_used_mm = mm - kLyingIsLongerMm;
    }
  }

  std::optional<NotDerived> WithoutWeight() const {
    if (!in_.weight_g) return NotDerived::kWeightMissing;
    if (!Within(kWeightG, *in_.weight_g)) return NotDerived::kMeasureOutOfRange;
    if (in_.oedema) return NotDerived::kOedema;
    return std::nullopt;
  }

  std::optional<NotDerived> WithoutLength() const {
    if (!in_.length_mm) return NotDerived::kLengthMissing;
    if (!out_.length_used_mm) return NotDerived::kMeasureOutOfRange;
    return std::nullopt;
  }

  // The distribution at the age, or why there is none.
  std::variant<Distribution, NotDerived> ForAge(const Source& source) const {
    if (standards_ == nullptr) return NotDerived::kSexUnknown;
    if (!in_.age) return NotDerived::kAgeUnknown;
    // The standards of 2006 go on to the day before the reference of 2007 begins.
    const int last_day = standards_->weight_by_day.last();
    std::optional<Distribution> found;
    if (in_.age->days <= last_day) {
      found = At(standards_->*source.by_day, in_.age->days);
    } else if (source.by_month != nullptr) {
      // Between the last day and 61 months lie hours.
      const LmsTable& table = standards_->*source.by_month;
      found = At(table, std::max<double>(in_.age->months, table.first));
    }
    if (!found) return NotDerived::kAgeOutOfTable;
    return *found;
  }

  static Score Scored(const Distribution& d, double y, bool restricted,
                      const Plausible& plausible) {
    Score score;
    const auto z = static_cast<int32_t>(Hundredths(Z(d, y, restricted)));
    score.z_hundredths = z;
    score.implausible = z < plausible.least || z > plausible.most;
    return score;
  }

  Outcome WeightForAge() const {
    if (const auto without = WithoutWeight()) return *without;
    const auto found = ForAge({&GrowthStandards::weight_by_day, &GrowthStandards::weight_by_month});
    if (const auto* reason = std::get_if<NotDerived>(&found)) return *reason;
    Score score =
        Scored(std::get<Distribution>(found), *in_.weight_g / 1000, true, kWeightForAgePlausible);
    if (is_child()) score.growth_class = ClassOf<int32_t>(kWeightForAgeBands, *score.z_hundredths);
    return score;
  }

  Outcome LengthHeightForAge() const {
    if (const auto without = WithoutLength()) return *without;
    const auto found =
        ForAge({&GrowthStandards::stature_by_day, &GrowthStandards::stature_by_month});
    if (const auto* reason = std::get_if<NotDerived>(&found)) return *reason;
    Score score = Scored(std::get<Distribution>(found), *out_.length_used_mm / 10, false,
                         kLengthHeightForAgePlausible);
    if (is_child()) {
      score.growth_class = ClassOf<int32_t>(kLengthHeightForAgeBands, *score.z_hundredths);
    }
    return score;
  }

  Outcome WeightForLengthHeight() const {
    if (const auto without = WithoutWeight()) return *without;
    if (const auto without = WithoutLength()) return *without;
    if (standards_ == nullptr) return NotDerived::kSexUnknown;
    if (in_.age && (in_.age->days < 0 || in_.age->days > standards_->weight_by_day.last())) {
      return NotDerived::kAgeOutOfTable;
    }
    const auto found = At(by_height_ ? standards_->weight_by_height : standards_->weight_by_length,
                          *out_.length_used_mm);
    if (!found) return NotDerived::kLengthOutOfTable;
    Score score = Scored(*found, *in_.weight_g / 1000, true, kOtherPlausible);
    // Without an age the table's own lengths say that this is a small child.
    if (is_child() || !in_.age) {
      score.growth_class = ClassOf<int32_t>(kNutritionBands, *score.z_hundredths);
    }
    return score;
  }

  Outcome BmiForAge() const {
    if (const auto without = WithoutWeight()) return *without;
    if (const auto without = WithoutLength()) return *without;
    const auto found = ForAge({&GrowthStandards::bmi_by_day, &GrowthStandards::bmi_by_month});
    const auto* reason = std::get_if<NotDerived>(&found);
    if (reason != nullptr && !is_adult()) return *reason;
    Score score;
    if (reason == nullptr) {
      score = Scored(std::get<Distribution>(found), *bmi_, true, kOtherPlausible);
    }
    if (is_adult()) {
      score.growth_class = ClassOf<int64_t>(kAdultBmiBands, *out_.bmi_hundredths);
    } else if (is_child()) {
      score.growth_class = ClassOf<int32_t>(kNutritionBands, *score.z_hundredths);
    } else {
      score.growth_class = ClassOf<int32_t>(kSchoolNutritionBands, *score.z_hundredths);
    }
    return score;
  }

  Outcome HeadForAge() const {
    if (!in_.head_mm) return NotDerived::kHeadMissing;
    if (!Within(kHeadMm, *in_.head_mm)) return NotDerived::kMeasureOutOfRange;
    const auto found = ForAge({&GrowthStandards::head_by_day, nullptr});
    if (const auto* reason = std::get_if<NotDerived>(&found)) return *reason;
    Score score = Scored(std::get<Distribution>(found), *in_.head_mm / 10, false, kOtherPlausible);
    if (is_child()) score.growth_class = ClassOf<int32_t>(kHeadForAgeBands, *score.z_hundredths);
    return score;
  }

  Outcome MuacForAge() const {
    if (!in_.muac_mm) return NotDerived::kMuacMissing;
    if (!Within(kMuacMm, *in_.muac_mm)) return NotDerived::kMeasureOutOfRange;
    const auto found = ForAge({&GrowthStandards::arm_by_day, nullptr});
    const auto* reason = std::get_if<NotDerived>(&found);
    const bool has_class = is_child() && in_.age->months >= kMuacClassFromMonths;
    if (reason != nullptr && !has_class) return *reason;
    Score score;
    if (reason == nullptr) {
      score = Scored(std::get<Distribution>(found), *in_.muac_mm / 10, true, kOtherPlausible);
    }
    if (has_class) score.growth_class = MuacClass(*in_.muac_mm);
    return score;
  }

  std::optional<NutritionalStatus> Status() const {
    if (!in_.age || in_.age->days < 0 || is_adult()) return std::nullopt;
    if (is_child()) {
      if (in_.oedema) return NutritionalStatus{GrowthClass::kGiziBuruk, StatusFrom::kOedema};
      if (const auto* score = std::get_if<Score>(&out_.of(Index::kWeightForLengthHeight))) {
        if (score->implausible) return std::nullopt;
        return NutritionalStatus{score->growth_class, StatusFrom::kWeightForLengthHeight};
      }
    }
    const auto* score = std::get_if<Score>(&out_.of(Index::kBmiForAge));
    if (score == nullptr || score->implausible) return std::nullopt;
    return NutritionalStatus{score->growth_class, StatusFrom::kBmiForAge};
  }

  const Measurement& in_;
  const GrowthStandards* standards_ = nullptr;
  bool by_height_ = false;
  std::optional<double> bmi_;
  Growth out_;
};

}  // namespace

Age AgeOfDays(int days) { return {days, days / kDaysPerMonth}; }

Age AgeOfMonths(double months) {
  return {static_cast<int>(std::floor(months * kDaysPerMonth + 0.5)), months};
}

Age AgeBetween(std::chrono::sys_days birth, std::chrono::sys_days day) {
  return AgeOfDays(static_cast<int>((day - birth).count()));
}

Growth Assess(const Measurement& measurement) { return Assessment(measurement).Take(); }

std::string_view FlagOf(const Growth& growth, Index index) {
  const auto* score = std::get_if<Score>(&growth.of(index));
  if (score == nullptr) return "";
  if (score->implausible) return "implausible";
  const bool uses_length = index == Index::kLengthHeightForAge ||
                           index == Index::kWeightForLengthHeight || index == Index::kBmiForAge;
  return uses_length && growth.standing_too_young ? "position_ignored" : "";
}

std::string_view Word(Index index) {
  switch (index) {
    case Index::kWeightForAge:
      return "weight_for_age";
    case Index::kLengthHeightForAge:
      return "length_height_for_age";
    case Index::kWeightForLengthHeight:
      return "weight_for_length_height";
    case Index::kBmiForAge:
      return "bmi_for_age";
    case Index::kHeadForAge:
      return "head_circumference_for_age";
    case Index::kMuacForAge:
      return "muac_for_age";
  }
  return "";
}

std::string_view Word(GrowthClass growth_class) {
  switch (growth_class) {
    case GrowthClass::kNone:
      return "no_class_table";
    case GrowthClass::kSangatKurang:
      return "sangat_kurang";
    case GrowthClass::kKurang:
      return "kurang";
    case GrowthClass::kNormal:
      return "normal";
    case GrowthClass::kRisikoBeratBadanLebih:
      return "risiko_berat_badan_lebih";
    case GrowthClass::kSangatPendek:
      return "sangat_pendek";
    case GrowthClass::kPendek:
      return "pendek";
    case GrowthClass::kTinggi:
      return "tinggi";
    case GrowthClass::kGiziBuruk:
      return "gizi_buruk";
    case GrowthClass::kGiziKurang:
      return "gizi_kurang";
    case GrowthClass::kGiziBaik:
      return "gizi_baik";
    case GrowthClass::kBerisikoGiziLebih:
      return "berisiko_gizi_lebih";
    case GrowthClass::kGiziLebih:
      return "gizi_lebih";
    case GrowthClass::kObesitas:
      return "obesitas";
    case GrowthClass::kMikrosefali:
      return "mikrosefali";
    case GrowthClass::kMakrosefali:
      return "makrosefali";
    case GrowthClass::kLilaMerah:
      return "lila_merah";
    case GrowthClass::kLilaKuning:
      return "lila_kuning";
    case GrowthClass::kLilaHijau:
      return "lila_hijau";
    case GrowthClass::kImtKurang:
      return "imt_kurang";
    case GrowthClass::kImtNormal:
      return "imt_normal";
    case GrowthClass::kImtBerisiko:
      return "imt_berisiko";
    case GrowthClass::kObesitas1:
      return "obesitas_1";
    case GrowthClass::kObesitas2:
      return "obesitas_2";
  }
  return "";
}

std::string_view Word(NotDerived reason) {
  switch (reason) {
    case NotDerived::kWeightMissing:
      return "weight_missing";
    case NotDerived::kLengthMissing:
      return "length_missing";
    case NotDerived::kHeadMissing:
      return "head_missing";
    case NotDerived::kMuacMissing:
      return "muac_missing";
    case NotDerived::kMeasureOutOfRange:
      return "measure_out_of_range";
    case NotDerived::kOedema:
      return "oedema";
    case NotDerived::kSexUnknown:
      return "sex_unknown";
    case NotDerived::kAgeUnknown:
      return "age_unknown";
    case NotDerived::kAgeOutOfTable:
      return "age_out_of_table";
    case NotDerived::kLengthOutOfTable:
      return "length_out_of_table";
  }
  return "";
}

std::string_view Word(StatusFrom from) {
  switch (from) {
    case StatusFrom::kOedema:
      return "oedema";
    case StatusFrom::kWeightForLengthHeight:
      return "weight_for_length_height";
    case StatusFrom::kBmiForAge:
      return "bmi_for_age";
  }
  return "";
}

}  // namespace simpul::rules
