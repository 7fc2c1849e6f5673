#include "lib/rules/life_stages.h"

#include <algorithm>
#include <tuple>

#include "lib/rules/calendar_months.h"

namespace simpul::rules {
namespace {

constexpr int kYear = 12;

constexpr LifeStageRow kRows[] = {
    {LifeStage::kNewborn, {.days = 0}, Span{.days = 29}, 2},
    {LifeStage::kBayi, {.months = 0}, Span{.months = kYear}, 2},
    {LifeStage::kBalita, {.months = 0}, Span{.months = 5 * kYear}, 2},
    {LifeStage::kApras, {.months = 5 * kYear}, Span{.months = 6 * kYear}, 2},
    {LifeStage::kSchoolAge, {.months = 6 * kYear}, Span{.months = 18 * kYear}, 2},
    {LifeStage::kRemaja, {.months = 10 * kYear}, Span{.months = 18 * kYear}, 2},
    {LifeStage::kDewasa, {.months = 18 * kYear}, Span{.months = 60 * kYear}, 3},
    {LifeStage::kLansia, {.months = 60 * kYear}, std::nullopt, 3},
};

}  // namespace

std::chrono::sys_days After(std::chrono::sys_days day, Span span) {
  return AddMonths(day, span.months) + std::chrono::days(span.days);
}

std::optional<std::chrono::sys_days> LmpOf(const Pregnancy& pregnancy) {
  if (pregnancy.lmp) return pregnancy.lmp;
  const AntenatalContact* first = nullptr;
  for (const AntenatalContact& contact : pregnancy.antenatal) {
    if (!contact.gestation_days) continue;
    if (first == nullptr || std::tuple(contact.day, *contact.gestation_days) <
                                std::tuple(first->day, *first->gestation_days)) {
      first = &contact;
    }
  }
  if (first == nullptr) return std::nullopt;
  return first->day - std::chrono::days(*first->gestation_days);
}

std::chrono::sys_days StopsOn(const Pregnancy& pregnancy) {
  return LmpOf(pregnancy).value_or(pregnancy.opened_on) + kPregnancyMax;
}

std::span<const LifeStageRow> LifeStageRows() { return kRows; }

std::vector<LifeStage> StagesOn(const StagesOf& person, std::chrono::sys_days on) {
  std::vector<LifeStage> stages;
  if (person.died_on && on >= *person.died_on) return stages;
  if (person.birth_date && on >= *person.birth_date) {
    for (const LifeStageRow& row : kRows) {
      if (on < After(*person.birth_date, row.from)) continue;
      if (row.before && on >= After(*person.birth_date, *row.before)) continue;
      stages.push_back(row.stage);
    }
  }
  const auto any = [&](auto in_stage) { return std::ranges::any_of(person.pregnancies, in_stage); };
  if (any([&](const Pregnancy& pregnancy) {
        return on >= pregnancy.opened_on && on < StopsOn(pregnancy) &&
               (!pregnancy.ended_on || on < *pregnancy.ended_on);
      })) {
    stages.push_back(LifeStage::kPregnant);
  }
  if (any([&](const Pregnancy& pregnancy) {
        return pregnancy.birth && pregnancy.ended_on && on >= *pregnancy.ended_on &&
               on <= *pregnancy.ended_on + std::chrono::days(kPostpartumLastDay);
      })) {
    stages.push_back(LifeStage::kPostpartum);
  }
  return stages;
}

std::string_view Word(LifeStage stage) {
  switch (stage) {
    case LifeStage::kNewborn:
      return "newborn";
    case LifeStage::kBayi:
      return "bayi";
    case LifeStage::kBalita:
      return "balita";
    case LifeStage::kApras:
      return "apras";
    case LifeStage::kSchoolAge:
      return "school_age";
    case LifeStage::kRemaja:
      return "remaja";
    case LifeStage::kDewasa:
      return "dewasa";
    case LifeStage::kLansia:
      return "lansia";
    case LifeStage::kPregnant:
      return "pregnant";
    case LifeStage::kPostpartum:
      return "postpartum";
  }
  return "";
}

}  // namespace simpul::rules
