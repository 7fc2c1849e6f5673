#include "lib/rules/kms.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "lib/rules/calendar_months.h"

namespace simpul::rules {
namespace {

using event::v1::Sex;

// Chart widths, row "KBM (gr)", as public software reproduces the sheets. No official print was at
// hand. One field workbook has 600 g at month 3, taken for an error.
constexpr std::string_view kSheets = "reproduced KMS sheets";
// The boys' to month 6; from month 7 inferred by a public specification of z-scores and classes.
constexpr std::string_view kInferred = "inferred";

// {completed months, grams, source}
constexpr KbmRow kBoys1[] = {
    {1, 800, kSheets}, {2, 900, kSheets}, {3, 800, kSheets}, {4, 600, kSheets},
    {5, 500, kSheets}, {6, 400, kSheets}, {8, 300, kSheets}, {12, 200, kSheets},
};
constexpr KbmRow kGirls1[] = {
    {1, 800, kInferred}, {2, 900, kInferred}, {3, 800, kInferred}, {4, 600, kInferred},
    {5, 500, kInferred}, {6, 400, kInferred}, {7, 300, kInferred}, {11, 200, kInferred},
};

// 15 and 45 days: decided by Simpul, for posyandu that weigh on any day.
constexpr std::array kVersions = {
    KmsRules{.version = 1,
             .boys = kBoys1,
             .girls = kGirls1,
             .until_months = 60,
             .interval_short_days = 15,
             .interval_long_days = 45},
};

std::optional<uint32_t> Row(std::span<const KbmRow> rows, int completed_months) {
  std::optional<uint32_t> gain_g;
  for (const KbmRow& row : rows) {
    if (row.from_month <= completed_months) gain_g = row.gain_g;
  }
  return gain_g;
}

KmsJudged Judge(const KmsChild& child, const KmsWeighing& weighing) {
  KmsJudged judged{.id = weighing.id, .day = weighing.day, .weight_g = weighing.weight_g};
  if (child.birth_date) judged.age_months = CompletedMonths(*child.birth_date, weighing.day);
  if (weighing.training) {
    judged.no_status = KmsNoStatus::kTraining;
  } else if (!judged.age_months) {
    judged.no_status = KmsNoStatus::kBirthDateUnknown;
  } else if (*judged.age_months < 0) {
    judged.no_status = KmsNoStatus::kBeforeBirth;
  } else if (*judged.age_months >= weighing.rules->until_months) {
    judged.no_status = KmsNoStatus::kFrom60Months;
  } else {
    const KmsWeightForAge z = weighing.weight_for_age.value_or(KmsWeightForAge{});
    judged.usable = !z.implausible;
    judged.reweigh = z.implausible;
    if (z.implausible) judged.no_status = KmsNoStatus::kImplausible;
    // A weight too low to be believed is still the one that must not be missed; one too high is
    // most likely a slip of the pen.
    judged.bgm = z.below_minus_3 || weighing.oedema;
    judged.above_orange = z.above_plus_1 && !z.implausible;
  }
  return judged;
}

std::chrono::year_month MonthOf(const KmsJudged& judged) {
  const std::chrono::year_month_day date(judged.day);
  return date.year() / date.month();
}

// N or T by weight alone; nullopt when that depends on a sex nobody told.
std::optional<KmsStatus> ByGain(const KmsRules& rules, Sex sex, int completed_months,
                                int64_t gain_g) {
  const auto enough = [&](Sex as) {
    const std::optional<uint32_t> needed = KbmGrams(rules, as, completed_months);
    return needed && gain_g >= int64_t{*needed};
  };
  const bool known = sex == Sex::SEX_MALE || sex == Sex::SEX_FEMALE;
  const bool first = enough(known ? sex : Sex::SEX_MALE);
  const bool second = enough(known ? sex : Sex::SEX_FEMALE);
  if (first != second) return std::nullopt;
  return first ? KmsStatus::kN : KmsStatus::kT;
}

}  // namespace

std::span<const KmsRules> KmsVersions() { return kVersions; }

const KmsRules* FindKmsRules(uint32_t version) {
  const auto found = std::ranges::find(kVersions, version, &KmsRules::version);
  return found == kVersions.end() ? nullptr : &*found;
}

std::optional<uint32_t> KbmGrams(const KmsRules& rules, Sex sex, int completed_months) {
  if (completed_months >= rules.until_months) return std::nullopt;
  const std::optional<uint32_t> boys = Row(rules.boys, completed_months);
  const std::optional<uint32_t> girls = Row(rules.girls, completed_months);
  if (sex == Sex::SEX_MALE) return boys;
  if (sex == Sex::SEX_FEMALE) return girls;
  return boys == girls ? boys : std::nullopt;
}

std::string_view Word(KmsStatus status) {
  switch (status) {
    case KmsStatus::kB:
      return "B";
    case KmsStatus::kO:
      return "O";
    case KmsStatus::kN:
      return "N";
    case KmsStatus::kT:
      return "T";
  }
  return "";
}

std::string_view Word(KmsNoStatus reason) {
  switch (reason) {
    case KmsNoStatus::kTraining:
      return "training";
    case KmsNoStatus::kBirthDateUnknown:
      return "birth_date_unknown";
    case KmsNoStatus::kBeforeBirth:
      return "before_birth";
    case KmsNoStatus::kFrom60Months:
      return "from_60_months";
    case KmsNoStatus::kImplausible:
      return "implausible";
    case KmsNoStatus::kLaterInMonth:
      return "later_in_month";
    case KmsNoStatus::kSexUnknown:
      return "sex_unknown";
  }
  return "";
}

std::string_view Word(KmsProposal proposal) {
  switch (proposal) {
    case KmsProposal::kSingleT:
      return "single_t";
    case KmsProposal::kTwoT:
      return "two_t";
  }
  return "";
}

bool IsUsable(const KmsChild& child, const KmsWeighing& weighing) {
  return Judge(child, weighing).usable;
}

Kms DeriveKms(const KmsChild& child, std::span<const KmsWeighing> weighings) {
  std::vector<const KmsWeighing*> sorted;
  sorted.reserve(weighings.size());
  for (const KmsWeighing& weighing : weighings) sorted.push_back(&weighing);
  // By the calendar first: between time zones an earlier instant can be a later day.
  std::ranges::sort(sorted, {}, [](const KmsWeighing* weighing) {
    return std::tuple(weighing->day, weighing->order, weighing->id);
  });

  Kms kms;
  kms.weighings.reserve(sorted.size());
  for (const KmsWeighing* weighing : sorted) kms.weighings.push_back(Judge(child, *weighing));

  std::vector<size_t> lasts;  // the last usable weighing of each month
  for (size_t at = 0; at < kms.weighings.size(); ++at) {
    if (!kms.weighings[at].usable) continue;
    if (!lasts.empty() && MonthOf(kms.weighings[lasts.back()]) == MonthOf(kms.weighings[at])) {
      kms.weighings[lasts.back()].no_status = KmsNoStatus::kLaterInMonth;
      lasts.back() = at;
    } else {
      lasts.push_back(at);
    }
  }

  kms.months.reserve(lasts.size());
  for (size_t nth = 0; nth < lasts.size(); ++nth) {
    const size_t at = lasts[nth];
    KmsJudged& judged = kms.weighings[at];
    const KmsRules& rules = *sorted[at]->rules;
    KmsMonth month{.month = MonthOf(judged),
                   .weighing = at,
                   .bgm = judged.bgm,
                   .above_orange = judged.above_orange,
                   .rules = rules.version};
    const std::chrono::year_month before = month.month - std::chrono::months(1);
    if (nth == 0 || *judged.age_months == 0) {
      month.status = KmsStatus::kB;
    } else if (MonthOf(kms.weighings[lasts[nth - 1]]) != before) {
      month.status = KmsStatus::kO;
    } else {
      const KmsJudged& previous = kms.weighings[lasts[nth - 1]];
      const int64_t gain_g = int64_t{judged.weight_g} - int64_t{previous.weight_g};
      const std::optional<KmsStatus> by_gain = ByGain(rules, child.sex, *judged.age_months, gain_g);
      if (!by_gain && !sorted[at]->oedema) {
        judged.no_status = KmsNoStatus::kSexUnknown;
        continue;
      }
      month.gain = KmsGain{.previous = lasts[nth - 1],
                           .days = static_cast<int>((judged.day - previous.day).count()),
                           .gain_g = gain_g,
                           .kbm_g = KbmGrams(rules, child.sex, *judged.age_months)};
      month.by_oedema = sorted[at]->oedema && by_gain != KmsStatus::kT;
      month.status = month.by_oedema ? KmsStatus::kT : *by_gain;
      if (month.status == KmsStatus::kN) {
        month.interval_long = month.gain->days > rules.interval_long_days;
      } else {
        const KmsMonth* last = kms.months.empty() ? nullptr : &kms.months.back();
        month.interval_short = month.gain->days < rules.interval_short_days;
        month.two_t = last != nullptr && last->month == before && last->status == KmsStatus::kT &&
                      !last->interval_short;
        if (!month.interval_short) {
          month.proposes = month.two_t ? KmsProposal::kTwoT : KmsProposal::kSingleT;
        }
      }
    }
    kms.months.push_back(month);
  }
  return kms;
}

}  // namespace simpul::rules
