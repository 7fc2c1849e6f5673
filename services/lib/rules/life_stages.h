// The life stages a person is in on a day: several at once, for the programme's bands overlap.
//
// Pure, any thread, no call fails. Source: KMK HK.01.07/MENKES/2015/2023, target groups of the
// clusters. Bands are half-open on the next printed bound; when a pregnancy that nobody closed
// ends is decided by Simpul. docs/schedules.md lists them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace simpul::rules {

// An age, or a span of time: calendar months (lib/rules/calendar_months.h), then days.
struct Span {
  int months = 0;
  int days = 0;

  bool operator==(const Span&) const = default;
};
std::chrono::sys_days After(std::chrono::sys_days day, Span span);

// A contact of the antenatal care, recorded or answered for by a health worker.
struct AntenatalContact {
  std::chrono::sys_days day;               // local
  std::optional<int> gestation_days = {};  // completed, as recorded
};

// One pregnancy of a woman, and what was done for it.
struct Pregnancy {
  std::optional<std::chrono::sys_days> lmp;       // first day of the last menstrual period (HPHT)
  std::chrono::sys_days opened_on;                // the local day of its first event
  std::optional<std::chrono::sys_days> ended_on;  // with an outcome, whichever
  bool birth = false;                             // it ended in a live birth or a stillbirth
  std::vector<AntenatalContact> antenatal;
  // Local days of contacts after the birth, recorded or answered for by a health worker.
  std::vector<std::chrono::sys_days> postpartum;
};

// As told, else counted back from the first contact whose gestation was recorded.
std::optional<std::chrono::sys_days> LmpOf(const Pregnancy& pregnancy);

// 44 weeks after it began: from this day on nobody takes a woman for pregnant who was not seen to
// give birth. Counts from the last menstrual period, else from the first event.
inline constexpr std::chrono::days kPregnancyMax{308};
std::chrono::sys_days StopsOn(const Pregnancy& pregnancy);

enum class LifeStage {
  kNewborn,
  kBayi,    // infant
  kBalita,  // under five
  kApras,   // preschool
  kSchoolAge,
  kRemaja,  // adolescent
  kDewasa,  // adult
  kLansia,  // elderly
  kPregnant,
  kPostpartum,
};

// One band of age. The cluster is the part of a Puskesmas that serves it.
struct LifeStageRow {
  LifeStage stage;
  Span from;
  std::optional<Span> before;  // nullopt: for good
  int cluster;
};

// From the birth on, by age; the version is the schedules'.
std::span<const LifeStageRow> LifeStageRows();
// Pregnant and postpartum women are served by cluster 2 at any age.
inline constexpr int kMotherCluster = 2;
// Days after the day of birth that still are postpartum.
inline constexpr int kPostpartumLastDay = 42;

struct StagesOf {
  std::optional<std::chrono::sys_days> birth_date;
  std::optional<std::chrono::sys_days> died_on;
  std::span<const Pregnancy> pregnancies;
};

// In the order of the enum, each once. None before the birth and from the day of death on. By age
// none with an unknown birth date.
std::vector<LifeStage> StagesOn(const StagesOf& person, std::chrono::sys_days on);

// "newborn" "bayi" "balita" "apras" "school_age" "remaja" "dewasa" "lansia" "pregnant"
// "postpartum".
std::string_view Word(LifeStage stage);

}  // namespace simpul::rules
