// The bands of age at their edges, pregnancy and the weeks after a birth.
#include "lib/rules/life_stages.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "lib/event/date.h"
#include "tests/support/source_file.h"

namespace simpul::rules {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using ::testing::HasSubstr;

sys_days Day(std::string_view text) { return event::ParseDay(text).value(); }

std::string Stages(const StagesOf& person, sys_days on) {
  std::vector<std::string_view> words;
  for (const LifeStage stage : StagesOn(person, on)) words.push_back(Word(stage));
  return fmt::format("{}", fmt::join(words, " "));
}

struct Edge {
  std::string_view born, on, stages;
};

TEST(LifeStages, ChangeOnTheDayAnAgeIsReached) {
  const Edge edges[] = {
      {"2024-03-10", "2024-03-09", ""},
      {"2024-03-10", "2024-03-10", "newborn bayi balita"},
      {"2024-03-10", "2024-04-07", "newborn bayi balita"},  // 28 days
      {"2024-03-10", "2024-04-08", "bayi balita"},
      {"2024-03-10", "2025-03-09", "bayi balita"},
      {"2024-03-10", "2025-03-10", "balita"},
      {"2024-03-10", "2025-03-11", "balita"},
      {"2024-03-10", "2029-03-09", "balita"},
      {"2024-03-10", "2029-03-10", "apras"},
      {"2024-03-10", "2030-03-09", "apras"},
      {"2024-03-10", "2030-03-10", "school_age"},
      {"2024-03-10", "2034-03-09", "school_age"},
      {"2024-03-10", "2034-03-10", "school_age remaja"},
      {"2024-03-10", "2042-03-09", "school_age remaja"},
      {"2024-03-10", "2042-03-10", "dewasa"},
      {"2024-03-10", "2084-03-09", "dewasa"},
      {"2024-03-10", "2084-03-10", "lansia"},
      {"2024-03-10", "2130-01-01", "lansia"},
      // Leap days, and months without the day.
      {"2024-02-29", "2025-02-27", "bayi balita"},
      {"2024-02-29", "2025-02-28", "balita"},
      {"2024-02-29", "2029-02-27", "balita"},
      {"2024-02-29", "2029-02-28", "apras"},
      {"2024-02-29", "2042-02-28", "dewasa"},
      {"2024-02-29", "2084-02-28", "dewasa"},
      {"2024-02-29", "2084-02-29", "lansia"},
  };
  for (const Edge& edge : edges) {
    EXPECT_EQ(Stages({.birth_date = Day(edge.born)}, Day(edge.on)), edge.stages)
        << edge.born << " on " << edge.on;
  }
}

TEST(LifeStages, ByAgeAreUnknownWithoutABirthDate) { EXPECT_EQ(Stages({}, Day("2025-01-01")), ""); }

TEST(LifeStages, EndOnTheDayOfDeath) {
  const StagesOf person{.birth_date = Day("2024-03-10"), .died_on = Day("2024-05-05")};
  EXPECT_EQ(Stages(person, Day("2024-05-04")), "bayi balita");
  EXPECT_EQ(Stages(person, Day("2024-05-05")), "");
  EXPECT_EQ(Stages(person, Day("2024-05-06")), "");
}

std::string Mother(const Pregnancy& pregnancy, sys_days on) {
  const std::vector<Pregnancy> pregnancies = {pregnancy};
  return Stages({.pregnancies = pregnancies}, on);
}

TEST(LifeStages, PassFromPregnantToPostpartumOnTheDayOfTheBirth) {
  const Pregnancy pregnancy{.lmp = Day("2024-01-01"),
                            .opened_on = Day("2024-02-20"),
                            .ended_on = Day("2024-10-05"),
                            .birth = true};
  EXPECT_EQ(Mother(pregnancy, Day("2024-02-19")), "");
  EXPECT_EQ(Mother(pregnancy, Day("2024-02-20")), "pregnant");
  EXPECT_EQ(Mother(pregnancy, Day("2024-10-04")), "pregnant");
  EXPECT_EQ(Mother(pregnancy, Day("2024-10-05")), "postpartum");
  EXPECT_EQ(Mother(pregnancy, Day("2024-10-05") + days(42)), "postpartum");
  EXPECT_EQ(Mother(pregnancy, Day("2024-10-05") + days(43)), "");
}

TEST(LifeStages, EndAPregnancyWithoutABirthThatDay) {
  const Pregnancy lost{
      .lmp = Day("2024-01-01"), .opened_on = Day("2024-02-20"), .ended_on = Day("2024-03-01")};
  EXPECT_EQ(Mother(lost, Day("2024-02-29")), "pregnant");
  EXPECT_EQ(Mother(lost, Day("2024-03-01")), "");
}

TEST(LifeStages, EndAPregnancyThatNobodyClosedAfterFortyFourWeeks) {
  Pregnancy open{.lmp = Day("2024-01-01"), .opened_on = Day("2024-02-20")};
  EXPECT_EQ(Mother(open, Day("2024-01-01") + days(307)), "pregnant");
  EXPECT_EQ(Mother(open, Day("2024-01-01") + days(308)), "");
  open.lmp.reset();
  EXPECT_EQ(Mother(open, Day("2024-02-20") + days(307)), "pregnant");
  EXPECT_EQ(Mother(open, Day("2024-02-20") + days(308)), "");
  // 50 days of gestation when it was opened.
  open.antenatal = {{.day = Day("2024-05-01"), .gestation_days = 3},
                    {.day = Day("2024-02-20"), .gestation_days = 50}};
  EXPECT_EQ(LmpOf(open), Day("2024-01-01"));
  EXPECT_EQ(Mother(open, Day("2024-01-01") + days(307)), "pregnant");
  EXPECT_EQ(Mother(open, Day("2024-01-01") + days(308)), "");
}

TEST(LifeStages, HoldAtOnce) {
  const std::vector<Pregnancy> pregnancies = {
      {.opened_on = Day("2024-01-20"), .ended_on = Day("2024-10-05"), .birth = true},
      {.opened_on = Day("2024-11-10")}};
  EXPECT_EQ(
      Stages({.birth_date = Day("2007-05-01"), .pregnancies = pregnancies}, Day("2024-11-12")),
      "school_age remaja pregnant postpartum");
}

TEST(LifeStages, StandInTheDocument) {
  const auto text = [](Span span) {
    return span.months == 0    ? fmt::format("{} days", span.days)
           : span.months == 12 ? "12 months"
                               : fmt::format("{} years", span.months / 12);
  };
  std::string table = "|---|---|---|---|\n";
  for (const LifeStageRow& row : LifeStageRows()) {
    table += fmt::format("| `{}` | {} | {} | {} |\n", Word(row.stage), text(row.from),
                         row.before ? text(*row.before) : "", row.cluster);
  }
  table += fmt::format(
      "| `pregnant` | the first event of a pregnancy | its end, or {} days after it began | {} |\n",
      kPregnancyMax.count(), kMotherCluster);
  table += fmt::format("| `postpartum` | the day of the birth | {} days | {} |\n",
                       kPostpartumLastDay + 1, kMotherCluster);
  EXPECT_THAT(simpul::testing::SourceFile("docs/schedules.md"), HasSubstr(table));
}

}  // namespace
}  // namespace simpul::rules
