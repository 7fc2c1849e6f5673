// What is due on a day, rule by rule at its edges, and docs/schedules.md.
#include "lib/rules/schedule.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/event/date.h"
#include "tests/support/source_file.h"

namespace simpul::rules {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

sys_days Day(std::string_view text) { return event::ParseDay(text).value(); }

// A person with everything of its own, so that tests can add to it.
struct Person {
  std::optional<sys_days> birth_date;
  std::optional<sys_days> gone_on;
  bool je_endemic = false;
  std::vector<GivenDose> doses;
  std::vector<DoneItem> done;
  std::vector<sys_days> newborn_contacts;
  std::vector<Pregnancy> pregnancies;

  ScheduleOf View() const {
    return {.birth_date = birth_date,
            .gone_on = gone_on,
            .je_endemic = je_endemic,
            .doses = doses,
            .done = done,
            .newborn_contacts = newborn_contacts,
            .pregnancies = pregnancies};
  }
};

Person Born(std::string_view day) { return {.birth_date = Day(day)}; }

// A dose by the name of its row, "OPV2"; its id is name and day.
GivenDose Dose(std::string_view what, std::string_view day) {
  static std::set<std::string> ids;
  for (const DoseRow& row : ScheduleVersions().front().doses) {
    if (row.what != what) continue;
    return {.id = *ids.insert(fmt::format("{} {}", what, day)).first,
            .antigen = row.antigen,
            .number = row.number,
            .day = Day(day)};
  }
  ADD_FAILURE() << "no row " << what;
  return {};
}

Person With(Person person, std::initializer_list<GivenDose> doses) {
  person.doses.insert(person.doses.end(), doses.begin(), doses.end());
  return person;
}

Person Done(Person person, std::string_view what, std::string_view day) {
  person.done.push_back({.what = what, .day = Day(day)});
  return person;
}

Schedule On(const Person& person, sys_days on) {
  return DeriveSchedule(ScheduleVersions().front(), person.View(), on);
}

// "overdue 2025-03-10 31 one_month_late"; "" when it is not listed.
std::string Line(const Person& person, std::string_view what, sys_days on) {
  std::string line;
  for (const DueItem& item : On(person, on).items) {
    if (item.what != what) continue;
    EXPECT_EQ(line, "") << what << " is listed twice on " << event::FormatDay(on);
    line = fmt::format("{} {} {} {}", Word(item.state), event::FormatDay(item.due),
                       item.overdue_days, Word(item.why));
  }
  return line;
}

std::string Line(const Person& person, std::string_view what, std::string_view on) {
  return Line(person, what, Day(on));
}

std::string StateOf(const Person& person, std::string_view what, sys_days on) {
  const std::string line = Line(person, what, on);
  return line.substr(0, line.find(' '));
}

std::vector<std::string_view> Listed(const Person& person, std::string_view on) {
  std::vector<std::string_view> listed;
  for (const DueItem& item : On(person, Day(on)).items) listed.push_back(item.what);
  return listed;
}

// "OPV1 counts", by id.
std::vector<std::string> Verdicts(const Person& person, std::string_view on) {
  std::vector<std::string> verdicts;
  for (const JudgedDose& dose : On(person, Day(on)).doses) {
    verdicts.push_back(fmt::format("{}: {} {}", dose.id, dose.what, Word(dose.verdict)));
  }
  return verdicts;
}

struct Case {
  std::string_view on, line;
};

void Expect(const Person& person, std::string_view what, std::initializer_list<Case> cases) {
  for (const Case& at : cases) {
    EXPECT_EQ(Line(person, what, at.on), at.line) << what << " on " << at.on;
  }
}

// Immunisation.

struct DoseCase {
  std::string_view what;
  std::string_view due;      // first day, for one born on 10 January 2025
  std::string_view overdue;  // first day; empty when never
  std::string_view ask;      // first day
};

// Written out once more, from the calendar and not from the table of the program.
TEST(Immunisation, IsDueOverdueAndAskedAboutOnTheDaysOfTheCalendar) {
  const DoseCase cases[] = {
      {"BCG", "2025-01-10", "", "2025-02-10"},
      {"OPV1", "2025-01-10", "2025-02-10", "2025-03-11"},
      {"OPV2", "2025-03-10", "2025-04-10", "2025-05-11"},
      {"OPV3", "2025-04-10", "2025-05-10", "2025-06-11"},
      {"OPV4", "2025-05-10", "2025-06-10", "2025-07-11"},
      {"DPT-HB-HIB1", "2025-03-10", "2025-04-10", "2025-05-11"},
      {"DPT-HB-HIB2", "2025-04-10", "2025-05-10", "2025-06-11"},
      {"DPT-HB-HIB3", "2025-05-10", "2025-06-10", "2025-07-11"},
      {"DPT-HB-HIB4", "2026-07-10", "2026-08-10", "2027-01-10"},
      {"RV1", "2025-03-10", "", "2025-04-10"},
      {"RV2", "2025-04-10", "", "2025-05-10"},
      {"RV3", "2025-05-10", "", "2025-06-10"},
      {"PCV1", "2025-03-10", "2025-04-10", "2025-05-11"},
      {"PCV2", "2025-04-10", "2025-05-10", "2025-06-11"},
      {"PCV3", "2026-01-10", "2026-02-10", "2026-03-11"},
      {"IPV1", "2025-05-10", "2025-06-10", "2025-07-11"},
      {"IPV2", "2025-10-10", "2025-11-10", "2025-12-11"},
      {"MR1", "2025-10-10", "2025-11-10", "2025-12-11"},
      {"MR2", "2026-07-10", "2026-08-10", "2027-01-10"},
      {"JE", "2025-11-10", "2025-12-10", "2026-01-11"},
  };
  for (const DoseCase& expected : cases) {
    // All others were given on their day.
    Person child = Born("2025-01-10");
    child.je_endemic = true;
    for (const DoseCase& other : cases) {
      if (other.what != expected.what && Day(other.due) <= Day(expected.due)) {
        child.doses.push_back(Dose(other.what, other.due));
      }
    }
    std::string wanted;
    for (sys_days on = Day("2025-01-05"); on < Day("2031-01-15"); on += days(1)) {
      if (on == Day("2027-03-01")) on = Day("2031-01-01");  // nothing changes between
      if (on == Day(expected.due)) wanted = "due";
      if (!expected.overdue.empty() && on == Day(expected.overdue)) wanted = "overdue";
      if (on == Day(expected.ask)) wanted = "ask";
      if (on == Day("2031-01-10")) wanted = "";  // six years old
      ASSERT_EQ(StateOf(child, expected.what, on), wanted)
          << expected.what << " on " << event::FormatDay(on);
    }
    child.doses.push_back(Dose(expected.what, expected.due));
    EXPECT_EQ(Line(child, expected.what, expected.due), "") << expected.what;
    EXPECT_EQ(Line(child, expected.what, "2030-12-31"), "") << expected.what;
  }
  EXPECT_EQ(std::size(cases) + 1, ScheduleVersions().front().doses.size());  // and HB0
}

TEST(Immunisation, SaysSinceWhenAndWhy) {
  const Person child = Born("2025-01-10");
  Expect(child, "OPV1",
         {{"2025-01-10", "due 2025-01-10 0 ideal_age"},
          {"2025-02-09", "due 2025-01-10 0 ideal_age"},
          {"2025-02-10", "overdue 2025-01-10 31 one_month_late"},
          {"2025-03-10", "overdue 2025-01-10 59 one_month_late"},
          {"2025-03-11", "ask 2025-01-10 60 two_months_late"}});
  Expect(child, "BCG", {{"2025-02-10", "ask 2025-01-10 31 age_over"}});
  Expect(child, "DPT-HB-HIB1", {{"2025-05-11", "ask 2025-03-10 62 two_months_late"}});
}

TEST(Immunisation, MissesHb0OnceADayHasSurelyPassedAndStillCountsIt) {
  const Person child = Born("2025-01-10");
  Expect(child, "HB0",
         {{"2025-01-09", ""},
          {"2025-01-10", "due 2025-01-11 0 window"},
          {"2025-01-11", "due 2025-01-11 0 window"},
          {"2025-01-12", "missed 2025-01-11 1 window_over"},
          {"2025-06-01", "missed 2025-01-11 141 window_over"},
          {"2031-01-09", "missed 2025-01-11 2189 window_over"},
          {"2031-01-10", ""}});
  const Person late = With(child, {Dose("HB0", "2025-01-15")});
  Expect(late, "HB0", {{"2025-01-14", "missed 2025-01-11 3 window_over"}, {"2025-01-15", ""}});
  EXPECT_THAT(Verdicts(late, "2025-01-15"), ElementsAre("HB0 2025-01-15: HB0 counts"));
}

TEST(Immunisation, WaitsForTheDoseBefore) {
  const Person child = Born("2025-01-10");
  for (std::string_view what : {"OPV2", "OPV3", "DPT-HB-HIB4", "MR2", "IPV2", "PCV3"}) {
    EXPECT_EQ(Line(child, what, "2027-06-01"), "") << what;
  }
}

struct IntervalCase {
  std::string_view before, given, what, possible;
};

TEST(Immunisation, KeepsTheIntervalSinceTheDoseBefore) {
  const IntervalCase cases[] = {
      {"OPV1", "2025-04-30", "OPV2", "2025-05-30"},
      {"OPV1", "2025-05-31", "OPV2", "2025-06-30"},  // the month has no 31st
      {"OPV1", "2026-01-31", "OPV2", "2026-02-28"},
      {"OPV1", "2028-01-31", "OPV2", "2028-02-29"},  // leap year
      {"OPV2", "2025-06-15", "OPV3", "2025-07-15"},
      {"OPV3", "2025-06-15", "OPV4", "2025-07-15"},
      {"DPT-HB-HIB1", "2025-03-31", "DPT-HB-HIB2", "2025-04-30"},
      {"DPT-HB-HIB2", "2025-06-15", "DPT-HB-HIB3", "2025-07-15"},
      {"DPT-HB-HIB3", "2025-08-31", "DPT-HB-HIB4", "2026-08-31"},
      {"DPT-HB-HIB3", "2027-02-28", "DPT-HB-HIB4", "2028-02-28"},
      {"RV1", "2025-03-20", "RV2", "2025-04-20"},
      {"RV2", "2025-04-20", "RV3", "2025-05-20"},
      {"PCV1", "2025-06-15", "PCV2", "2025-07-15"},
      {"PCV2", "2025-12-20", "PCV3", "2026-02-14"},  // eight weeks
      {"MR1", "2026-02-28", "MR2", "2026-08-28"},
      {"MR1", "2026-08-31", "MR2", "2027-02-28"},
  };
  for (const IntervalCase& expected : cases) {
    const Person child = With(Born("2025-01-10"), {Dose(expected.before, expected.given)});
    const sys_days possible = Day(expected.possible);
    const std::string what = fmt::format("{} after {}", expected.what, expected.given);
    EXPECT_EQ(Line(child, expected.what, possible - days(1)), "") << what;
    EXPECT_NE(Line(child, expected.what, possible), "") << what;
    EXPECT_NE(Line(child, expected.what, possible + days(1)), "") << what;

    const std::string before = event::FormatDay(possible - days(1));
    const Person hasty = With(child, {Dose(expected.what, before)});
    EXPECT_EQ(Line(hasty, expected.what, possible - days(1)),
              fmt::format("ask {} 0 too_early", expected.possible))
        << what;
    EXPECT_EQ(Line(hasty, expected.what, possible + days(9)),
              fmt::format("ask {} 9 too_early", expected.possible))
        << what;
    for (const days late : {days(0), days(1)}) {
      const std::string on = event::FormatDay(possible + late);
      const Person patient = With(child, {Dose(expected.what, on)});
      EXPECT_EQ(Line(patient, expected.what, "2029-01-01"), "") << what;
    }
  }
}

TEST(Immunisation, IsDueFromTheIntervalWhenThatIsLaterThanTheAge) {
  const Person child = With(Born("2025-01-10"), {Dose("OPV1", "2025-02-20")});
  Expect(child, "OPV2",
         {{"2025-03-19", ""},
          {"2025-03-20", "due 2025-03-20 0 interval"},
          {"2025-04-19", "due 2025-03-20 0 interval"},
          {"2025-04-20", "overdue 2025-03-20 31 one_month_late"},
          {"2025-05-20", "overdue 2025-03-20 61 one_month_late"},
          {"2025-05-21", "ask 2025-03-20 62 two_months_late"}});
}

TEST(Immunisation, AsksAboutRotavirusAndBoostersPastTheirAgeHoweverLateTheIntervalEnds) {
  Expect(With(Born("2025-01-10"), {Dose("RV1", "2025-04-05")}), "RV2",
         {{"2025-05-04", ""},
          {"2025-05-05", "due 2025-05-05 0 interval"},
          {"2025-05-09", "due 2025-05-05 0 interval"},
          {"2025-05-10", "ask 2025-05-05 5 age_over"}});
  Expect(With(Born("2025-01-10"), {Dose("RV1", "2025-03-10"), Dose("RV2", "2025-05-20")}), "RV3",
         {{"2025-06-19", ""}, {"2025-06-20", "ask 2025-06-20 0 age_over"}});
  Expect(With(Born("2025-01-10"), {Dose("DPT-HB-HIB3", "2026-03-01")}), "DPT-HB-HIB4",
         {{"2027-02-28", ""}, {"2027-03-01", "ask 2027-03-01 0 age_over"}});
}

TEST(Immunisation, ClampsMonthsToTheirLastDay) {
  const Person child = With(Born("2024-12-31"), {Dose("OPV1", "2025-01-02")});
  Expect(child, "OPV2",
         {{"2025-02-27", ""},
          {"2025-02-28", "due 2025-02-28 0 ideal_age"},
          {"2025-03-27", "due 2025-02-28 0 ideal_age"},
          {"2025-03-28", "overdue 2025-02-28 28 one_month_late"}});
  const Person leap = With(Born("2023-12-31"), {Dose("OPV1", "2024-01-02")});
  Expect(leap, "OPV2", {{"2024-02-28", ""}, {"2024-02-29", "due 2024-02-29 0 ideal_age"}});
  Expect(
      Born("2024-02-29"), "BCG",
      {{"2024-03-28", "due 2024-02-29 0 ideal_age"}, {"2024-03-29", "ask 2024-02-29 29 age_over"}});
  Expect(Born("2024-02-29"), "MR1",
         {{"2024-11-28", ""}, {"2024-11-29", "due 2024-11-29 0 ideal_age"}});
}

TEST(Immunisation, KeepsADoseGivenTooEarlyAndCountsTheOneGivenAgain) {
  const Person child = With(Born("2025-01-10"),
                            {Dose("DPT-HB-HIB1", "2025-03-10"), Dose("DPT-HB-HIB2", "2025-04-09")});
  EXPECT_THAT(Verdicts(child, "2025-04-20"),
              ElementsAre("DPT-HB-HIB1 2025-03-10: DPT-HB-HIB1 counts",
                          "DPT-HB-HIB2 2025-04-09: DPT-HB-HIB2 too_early"));
  EXPECT_EQ(Line(child, "DPT-HB-HIB2", "2025-04-20"), "ask 2025-04-10 10 too_early");
  // What follows is counted from it.
  EXPECT_EQ(Line(child, "DPT-HB-HIB3", "2025-05-10"), "due 2025-05-10 0 ideal_age");
  const Person again = With(child, {Dose("DPT-HB-HIB2", "2025-05-20")});
  EXPECT_EQ(Line(again, "DPT-HB-HIB2", "2025-05-20"), "");
  EXPECT_EQ(Line(again, "DPT-HB-HIB3", "2025-06-20"), "due 2025-06-20 0 interval");
  EXPECT_THAT(Verdicts(again, "2025-05-20"),
              ElementsAre("DPT-HB-HIB1 2025-03-10: DPT-HB-HIB1 counts",
                          "DPT-HB-HIB2 2025-04-09: DPT-HB-HIB2 too_early",
                          "DPT-HB-HIB2 2025-05-20: DPT-HB-HIB2 counts"));
}

TEST(Immunisation, AsksWhereNoSourceGivesAnInterval) {
  // From four to nine months is the calendar's own distance.
  const Person child = With(Born("2025-01-10"), {Dose("IPV1", "2025-07-20")});
  Expect(child, "IPV2",
         {{"2025-10-09", ""},
          {"2025-10-10", "ask 2025-10-10 0 interval_unknown"},
          {"2025-12-19", "ask 2025-10-10 70 interval_unknown"},
          {"2025-12-20", "due 2025-12-20 0 interval"},
          {"2026-01-20", "overdue 2025-12-20 31 one_month_late"}});
  const Person late = With(Born("2025-01-10"), {Dose("IPV1", "2025-11-05")});
  Expect(late, "IPV2", {{"2025-11-05", ""}, {"2025-11-06", "ask 2025-10-10 27 interval_unknown"}});
  // A second dose counts whenever it came after the first.
  EXPECT_EQ(Line(With(late, {Dose("IPV2", "2025-11-20")}), "IPV2", "2025-12-01"), "");
  EXPECT_EQ(Line(With(late, {Dose("IPV2", "2025-11-04")}), "IPV2", "2025-12-01"),
            "ask 2025-11-05 26 too_early");
}

TEST(Immunisation, AsksWhereNobodyKnowsWhenTheDoseBeforeWasGiven) {
  Person child = Born("2025-01-10");
  child.doses = {{.id = "reported", .antigen = "OPV", .number = 1}};
  EXPECT_EQ(Line(child, "OPV1", "2025-03-10"), "");
  Expect(child, "OPV2", {{"2025-03-09", ""}, {"2025-03-10", "ask 2025-03-10 0 interval_unknown"}});
}

TEST(Immunisation, AsksAboutADoseThatOnlyALaterOneSpeaksFor) {
  const Person child = With(Born("2025-01-10"), {Dose("OPV3", "2025-04-20")});
  EXPECT_EQ(Line(child, "OPV1", "2025-05-01"), "ask 2025-01-10 111 later_dose_recorded");
  EXPECT_EQ(Line(child, "OPV2", "2025-05-01"), "ask 2025-03-10 52 later_dose_recorded");
  EXPECT_EQ(Line(child, "OPV4", "2025-05-20"), "due 2025-05-20 0 interval");
}

TEST(Immunisation, PutsDosesWithoutANumberInTheOrderOfTheirDays) {
  Person child = Born("2025-01-10");
  child.doses = {{.id = "c", .antigen = "OPV", .day = Day("2025-03-12")},
                 {.id = "a", .antigen = "OPV", .day = Day("2025-01-12")},
                 {.id = "b", .antigen = "OPV", .day = Day("2025-01-12")},
                 {.id = "d", .antigen = "OPV", .number = 3, .day = Day("2025-04-12")}};
  EXPECT_THAT(Verdicts(child, "2025-05-01"), ElementsAre("a: OPV1 counts", "b: OPV1 repeated",
                                                         "c: OPV2 counts", "d: OPV3 counts"));
  EXPECT_EQ(Line(child, "OPV4", "2025-05-12"), "due 2025-05-12 0 interval");
}

TEST(Immunisation, CountsTheFirstReportOfADoseReportedAgain) {
  const Person child =
      With(Born("2025-01-10"), {Dose("OPV1", "2025-01-12"), Dose("OPV1", "2025-03-01")});
  EXPECT_THAT(Verdicts(child, "2025-03-10"),
              ElementsAre("OPV1 2025-01-12: OPV1 counts", "OPV1 2025-03-01: OPV1 repeated"));
  EXPECT_EQ(Line(child, "OPV2", "2025-03-10"), "due 2025-03-10 0 ideal_age");
}

TEST(Immunisation, SaysWhyADoseCountsForNothing) {
  Person child = Born("2025-01-10");
  child.doses = {{.id = "a", .antigen = "OPV", .number = 5, .day = Day("2025-03-01")},
                 {.id = "b", .antigen = "OPV", .number = 0, .day = Day("2025-03-01")},
                 {.id = "c", .antigen = "HPV", .number = 1, .day = Day("2025-03-01")},
                 {.id = "d", .antigen = "BCG", .day = Day("2025-01-09")},
                 {.id = "e", .antigen = "BCG", .number = 2, .day = Day("2025-01-11")},
                 {.id = "f", .antigen = "BCG", .day = Day("2025-01-20")},
                 {.id = "g", .antigen = "MR", .number = 1, .day = Day("2025-12-01")}};
  EXPECT_THAT(Verdicts(child, "2025-04-01"),
              ElementsAre("a:  extra", "b:  extra", "c:  not_in_calendar", "d:  before_birth",
                          "e: BCG counts", "f: BCG repeated"));
}

TEST(Immunisation, CountsNothingGivenAfterTheAskedDay) {
  const Person child = With(Born("2025-01-10"), {Dose("OPV1", "2025-02-15")});
  EXPECT_EQ(StateOf(child, "OPV1", Day("2025-02-14")), "overdue");
  EXPECT_EQ(StateOf(child, "OPV1", Day("2025-02-15")), "");
  EXPECT_THAT(On(child, Day("2025-02-14")).doses, IsEmpty());
}

TEST(Schedule, CountsNothingDoneAfterTheAskedDay) {
  Person child = Done(Done(Born("2025-01-10"), "SHK", "2025-01-13"), "VITAMIN-A", "2025-08-03");
  child.newborn_contacts = {Day("2025-01-12")};
  Expect(child, "SHK", {{"2025-01-12", "due 2025-01-13 0 window"}, {"2025-01-13", ""}});
  Expect(child, "KN1", {{"2025-01-11", "due 2025-01-12 0 window"}, {"2025-01-12", ""}});
  Expect(child, "VITAMIN-A", {{"2025-08-02", "due 2025-08-31 0 round"}, {"2025-08-03", ""}});
}

TEST(Immunisation, HasJapaneseEncephalitisOnlyWhereItIsEndemic) {
  Person child = Born("2025-01-10");
  EXPECT_EQ(Line(child, "JE", "2025-11-10"), "");
  child.je_endemic = true;
  EXPECT_EQ(Line(child, "JE", "2025-11-09"), "");
  EXPECT_EQ(Line(child, "JE", "2025-11-10"), "due 2025-11-10 0 ideal_age");
}

// Vitamin A and deworming.

TEST(VitaminA, IsDueInFebruaryAndAugustFromSixMonths) {
  Expect(Born("2024-08-20"), "VITAMIN-A",
         {{"2025-02-19", ""},
          {"2025-02-20", "due 2025-02-28 0 round"},
          {"2025-02-28", "due 2025-02-28 0 round"},
          {"2025-03-01", "ask 2025-02-28 1 round_over"},
          {"2025-07-31", "ask 2025-02-28 153 round_over"},
          {"2025-08-01", "due 2025-08-31 0 round"},
          {"2025-08-31", "due 2025-08-31 0 round"},
          {"2025-09-01", "ask 2025-08-31 1 round_over"},
          {"2026-01-31", "ask 2025-08-31 153 round_over"},
          {"2026-02-01", "due 2026-02-28 0 round"}});
  Expect(Born("2023-01-10"), "VITAMIN-A",
         {{"2024-02-29", "due 2024-02-29 0 round"}, {"2024-03-01", "ask 2024-02-29 1 round_over"}});
}

TEST(VitaminA, SkipsTheRoundOfAChildThatWasTooYoungInItsMonth) {
  Expect(Born("2024-08-28"), "VITAMIN-A",
         {{"2025-02-27", ""}, {"2025-02-28", "due 2025-02-28 0 round"}});
  Expect(Born("2024-08-31"), "VITAMIN-A",  // six months on the last day of February
         {{"2025-02-27", ""}, {"2025-02-28", "due 2025-02-28 0 round"}});
  Expect(Born("2024-09-01"), "VITAMIN-A",
         {{"2025-02-28", ""},
          {"2025-03-01", ""},
          {"2025-07-31", ""},
          {"2025-08-01", "due 2025-08-31 0 round"}});
}

TEST(VitaminA, EndsAtFiveYears) {
  Expect(Born("2020-02-10"), "VITAMIN-A",
         {{"2025-01-31", "ask 2024-08-31 153 round_over"},
          {"2025-02-01", "due 2025-02-09 0 round"},
          {"2025-02-09", "due 2025-02-09 0 round"},
          {"2025-02-10", ""}});
  Expect(Born("2020-02-01"), "VITAMIN-A", {{"2025-02-01", ""}, {"2025-03-01", ""}});
  Expect(Born("2020-03-10"), "VITAMIN-A",
         {{"2025-03-09", "ask 2025-02-28 9 round_over"}, {"2025-03-10", ""}});
}

TEST(VitaminA, IsDoneByOneDoseInTheHalfYear) {
  const Person child = Born("2024-03-10");
  Expect(Done(child, "VITAMIN-A", "2025-01-31"), "VITAMIN-A",
         {{"2025-01-31", ""}, {"2025-02-01", "due 2025-02-28 0 round"}});
  Expect(Done(child, "VITAMIN-A", "2025-02-01"), "VITAMIN-A",
         {{"2025-02-01", ""}, {"2025-07-31", ""}, {"2025-08-01", "due 2025-08-31 0 round"}});
  Expect(Done(child, "VITAMIN-A", "2025-07-31"), "VITAMIN-A",
         {{"2025-07-30", "ask 2025-02-28 152 round_over"},
          {"2025-07-31", ""},
          {"2025-08-01", "due 2025-08-31 0 round"}});
}

TEST(Deworming, IsDueInAugustFromOneYear) {
  const Person child = Born("2024-08-20");
  Expect(child, "DEWORMING",
         {{"2025-08-19", ""},
          {"2025-08-20", "due 2025-08-31 0 round"},
          {"2025-08-31", "due 2025-08-31 0 round"},
          {"2025-09-01", "ask 2025-08-31 1 round_over"},
          {"2026-07-31", "ask 2025-08-31 334 round_over"},
          {"2026-08-01", "due 2026-08-31 0 round"}});
  Expect(Done(child, "DEWORMING", "2026-02-10"), "DEWORMING",
         {{"2026-02-09", "ask 2025-08-31 162 round_over"},
          {"2026-02-10", ""},
          {"2026-07-31", ""},
          {"2026-08-01", "due 2026-08-31 0 round"}});
  Expect(Born("2024-09-01"), "DEWORMING",
         {{"2025-08-31", ""}, {"2026-07-31", ""}, {"2026-08-01", "due 2026-08-31 0 round"}});
  Expect(Born("2020-08-15"), "DEWORMING",
         {{"2025-08-14", "due 2025-08-14 0 round"}, {"2025-08-15", ""}});
}

// Checks of the newborn and the infant.

TEST(Checks, AreDueInTheirWindowAndThenAskedAbout) {
  const Person child = Born("2025-01-10");
  Expect(child, "SHK",
         {{"2025-01-11", ""},
          {"2025-01-12", "due 2025-01-13 0 window"},
          {"2025-01-13", "due 2025-01-13 0 window"},
          {"2025-01-14", "ask 2025-01-13 1 window_over"},
          {"2026-01-09", "ask 2025-01-13 361 window_over"},
          {"2026-01-10", ""}});
  Expect(child, "PKAT",
         {{"2025-07-09", ""},
          {"2025-07-10", "due 2025-08-09 0 window"},
          {"2025-08-09", "due 2025-08-09 0 window"},
          {"2025-08-10", "ask 2025-08-09 1 window_over"},
          {"2026-01-10", ""}});
  Expect(Done(child, "SHK", "2025-01-11"), "SHK", {{"2025-01-12", ""}, {"2025-01-20", ""}});
  Expect(Done(child, "PKAT", "2025-08-20"), "PKAT",
         {{"2025-08-19", "ask 2025-08-09 10 window_over"}, {"2025-08-20", ""}});
}

// Contacts after a birth.

struct WindowCase {
  std::string_view newborn, postpartum;
  int first_day, last_day;
};

TEST(Contacts, AreDueInTheirDaysAfterTheBirthAndThenMissed) {
  const WindowCase cases[] = {
      {"KN1", "KF1", 0, 2}, {"KN2", "KF2", 3, 7}, {"KN3", "KF3", 8, 28}, {"", "KF4", 29, 42}};
  const sys_days birth = Day("2025-10-05");
  const Person child = Born("2025-10-05");
  Person mother;
  mother.pregnancies = {{.opened_on = Day("2025-02-01"), .ended_on = birth, .birth = true}};
  for (const WindowCase& window : cases) {
    const sys_days first = birth + days(window.first_day);
    const sys_days last = birth + days(window.last_day);
    const std::string text = event::FormatDay(last);
    for (const auto& [person, what] :
         {std::pair(child, window.newborn), std::pair(mother, window.postpartum)}) {
      if (what.empty()) continue;
      EXPECT_EQ(Line(person, what, first - days(1)), "") << what;
      EXPECT_EQ(Line(person, what, first), fmt::format("due {} 0 window", text)) << what;
      EXPECT_EQ(Line(person, what, last), fmt::format("due {} 0 window", text)) << what;
      EXPECT_EQ(Line(person, what, last + days(1)), fmt::format("missed {} 1 window_over", text))
          << what;
      for (const auto& [day, met] : {std::pair(first - days(1), false), std::pair(first, true),
                                     std::pair(last, true), std::pair(last + days(1), false)}) {
        Person visited = person;
        if (person.birth_date) {
          visited.newborn_contacts = {day};
        } else {
          visited.pregnancies.front().postpartum = {day};
        }
        EXPECT_EQ(Line(visited, what, last + days(1)).empty(), met) << what;
      }
    }
  }
  // A missed contact is listed for a month.
  Expect(mother, "KF4",
         {{"2025-11-17", "missed 2025-11-16 1 window_over"},
          {"2025-12-15", "missed 2025-11-16 29 window_over"},
          {"2025-12-16", ""}});
}

TEST(Contacts, OfTheMotherFollowABirthAndNothingElse) {
  Person lost;
  lost.pregnancies = {{.opened_on = Day("2025-02-01"), .ended_on = Day("2025-03-01")}};
  EXPECT_THAT(Listed(lost, "2025-03-01"), IsEmpty());
  EXPECT_THAT(Listed(lost, "2025-03-05"), IsEmpty());
}

// Pregnancy.

Person Mother(Pregnancy pregnancy) {
  Person mother;
  mother.pregnancies = {std::move(pregnancy)};
  return mother;
}

TEST(Antenatal, IsDueByTheLastDayOfItsTrimester) {
  const Person mother = Mother({.lmp = Day("2025-01-01"), .opened_on = Day("2025-01-20")});
  Expect(mother, "K1",
         {{"2025-01-19", ""},
          {"2025-01-20", "due 2025-03-26 0 window"},
          {"2025-03-26", "due 2025-03-26 0 window"},  // 84 days
          {"2025-03-27", "missed 2025-03-26 1 window_over"},
          {"2025-11-04", "missed 2025-03-26 223 window_over"}});
  for (std::string_view what : {"K2", "K3"}) {
    Expect(mother, what,
           {{"2025-03-26", ""},
            {"2025-03-27", "due 2025-06-18 0 window"},
            {"2025-06-18", "due 2025-06-18 0 window"},  // 168 days
            {"2025-06-19", "missed 2025-06-18 1 window_over"}});
  }
  for (std::string_view what : {"K4", "K5", "K6"}) {
    Expect(mother, what,
           {{"2025-06-18", ""},
            {"2025-06-19", "due 2025-11-04 0 window"},
            {"2025-11-04", "due 2025-11-04 0 window"},  // 307 days
            {"2025-11-05", ""}});
  }
}

TEST(Antenatal, CountsOneContactADayInItsTrimester) {
  Pregnancy pregnancy{.lmp = Day("2025-01-01"), .opened_on = Day("2025-01-20")};
  pregnancy.antenatal = {{.day = Day("2025-03-26")}};
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-03-25"), ElementsAre("K1"));
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-03-26"), IsEmpty());
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-03-27"), ElementsAre("K2", "K3"));
  pregnancy.antenatal.push_back({.day = Day("2025-03-27")});
  pregnancy.antenatal.push_back({.day = Day("2025-03-27")});
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-04-01"), ElementsAre("K3"));
  pregnancy.antenatal.push_back({.day = Day("2025-06-18")});
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-06-18"), IsEmpty());
  pregnancy.antenatal.push_back({.day = Day("2025-06-19")});
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-06-19"), ElementsAre("K5", "K6"));
  // What came before the period belongs to no trimester.
  pregnancy.antenatal = {{.day = Day("2024-12-31")}};
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-02-01"), ElementsAre("K1"));
  // An early miss is not made good later.
  pregnancy.antenatal = {{.day = Day("2025-04-01")}, {.day = Day("2025-04-02")}};
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-04-02"), ElementsAre("K1"));
}

TEST(Antenatal, TakesTheRecordedGestationWithoutAPeriod) {
  Pregnancy pregnancy{.opened_on = Day("2025-02-20")};
  EXPECT_EQ(Line(Mother(pregnancy), "ANC", "2025-02-22"), "ask 2025-02-20 2 gestation_unknown");
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-02-22"), ElementsAre("ANC"));
  pregnancy.antenatal = {{.day = Day("2025-03-26"), .gestation_days = 84}};
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-03-26"), IsEmpty());
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-03-27"), ElementsAre("K2", "K3"));
  // Another day's record counts as it is; a contact without goes by the first.
  pregnancy.antenatal.push_back({.day = Day("2025-03-27"), .gestation_days = 84});
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-03-27"), ElementsAre("K2", "K3"));
  pregnancy.antenatal.push_back({.day = Day("2025-03-28")});
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-03-28"), ElementsAre("K3"));
  // A told period counts over any record.
  pregnancy.lmp = Day("2025-01-02");
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-03-27"), IsEmpty());
  pregnancy.antenatal = {{.day = Day("2025-03-26"), .gestation_days = 100}};
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-03-27"), IsEmpty());
}

TEST(Antenatal, LeavesOneQuestionOfAPregnancyThatNobodyClosed) {
  const Person told = Mother({.lmp = Day("2025-01-01"), .opened_on = Day("2025-01-20")});
  EXPECT_THAT(Listed(told, "2025-11-05"), ElementsAre("outcome_unknown"));
  Expect(told, "outcome_unknown",
         {{"2025-11-04", ""},
          {"2025-11-05", "ask 2025-11-05 0 never_closed"},
          {"2026-11-05", "ask 2025-11-05 365 never_closed"}});
  const Person untold = Mother({.opened_on = Day("2025-01-20")});
  EXPECT_THAT(Listed(untold, "2025-11-23"), ElementsAre("ANC"));
  EXPECT_THAT(Listed(untold, "2025-11-24"), ElementsAre("outcome_unknown"));
}

TEST(Antenatal, StopsOnTheDayThePregnancyEnds) {
  Pregnancy pregnancy{.lmp = Day("2025-01-01"),
                      .opened_on = Day("2025-01-20"),
                      .ended_on = Day("2025-09-20"),
                      .birth = true};
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-09-19"),
              ElementsAre("K1", "K2", "K3", "K4", "K5", "K6"));
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-09-20"), ElementsAre("KF1"));
  pregnancy.birth = false;
  EXPECT_THAT(Listed(Mother(pregnancy), "2025-09-20"), IsEmpty());
  EXPECT_THAT(Listed(Mother(pregnancy), "2026-09-20"), IsEmpty());
}

// Everything.

TEST(Schedule, StopsOnTheDayOfDeathOrOfMovingAway) {
  Person person = Born("2024-03-10");
  person.pregnancies = {
      {.opened_on = Day("2025-01-01"), .ended_on = Day("2025-08-04"), .birth = true}};
  person.gone_on = Day("2025-08-05");
  EXPECT_FALSE(Listed(person, "2025-08-04").empty());
  EXPECT_THAT(Listed(person, "2025-08-05"), IsEmpty());
  EXPECT_THAT(Listed(person, "2025-08-06"), IsEmpty());
}

TEST(Schedule, SaysThatWithoutABirthDateNothingGoesByAge) {
  const Schedule schedule = On(Person{}, Day("2025-02-01"));
  EXPECT_TRUE(schedule.birth_date_unknown);
  EXPECT_THAT(schedule.items, IsEmpty());
  EXPECT_EQ(schedule.rules, 1U);
  EXPECT_FALSE(On(Born("2024-01-01"), Day("2025-02-01")).birth_date_unknown);
}

TEST(Schedule, HasNothingBeforeTheBirth) {
  EXPECT_THAT(Listed(Born("2025-01-10"), "2025-01-09"), IsEmpty());
  EXPECT_THAT(Listed(Born("2025-01-10"), "2025-01-10"), ElementsAre("BCG", "OPV1", "HB0", "KN1"));
}

Person RandomPerson(std::mt19937& random, int doses) {
  static const std::vector<std::string> ids = [] {
    std::vector<std::string> names;
    for (int at = 0; at < 100; ++at) names.push_back(fmt::format("d{:02}", at));
    return names;
  }();
  static constexpr std::string_view kAntigens[] = {"OPV", "OPV", "IPV", "DPT-HB-HIB", "BCG", "HPV"};
  const sys_days birth = Day("2024-01-31");
  const auto below = [&](unsigned bound) { return static_cast<int>(random() % bound); };
  const auto some_day = [&](unsigned bound) { return birth + days(below(bound) - 2); };
  Person person{.birth_date = birth};
  for (int at = 0; at < doses; ++at) {
    GivenDose dose{.id = ids[at], .antigen = kAntigens[below(std::size(kAntigens))]};
    if (below(3) != 0) dose.number = below(6);
    if (below(6) != 0) dose.day = some_day(below(3) == 0 ? 30 : 300);
    person.doses.push_back(dose);
  }
  for (int at = 0; at < 5; ++at) {
    person.done.push_back({.what = below(2) == 0 ? "VITAMIN-A" : "SHK", .day = some_day(800)});
    person.newborn_contacts.push_back(some_day(40));
  }
  for (int at = 0; at < 2; ++at) {
    Pregnancy pregnancy{.opened_on = some_day(300)};
    for (int nth = 0; nth < 4; ++nth) {
      pregnancy.antenatal.push_back({.day = some_day(500)});
      if (below(2) == 0) pregnancy.antenatal.back().gestation_days = below(200);
      pregnancy.postpartum.push_back(some_day(600));
    }
    pregnancy.birth = below(2) == 0;
    if (pregnancy.birth) pregnancy.ended_on = pregnancy.opened_on + days(200);
    person.pregnancies.push_back(pregnancy);
  }
  return person;
}

TEST(Schedule, IsTheSameInWhateverOrderThingsWereTold) {
  std::mt19937 random(20240131);
  for (int round = 0; round < 300; ++round) {
    Person person = RandomPerson(random, 1 + round % 30);
    const sys_days on = Day("2024-02-01") + days(random() % 900);
    const Schedule wanted = On(person, on);
    for (int shuffle = 0; shuffle < 10; ++shuffle) {
      std::ranges::shuffle(person.doses, random);
      std::ranges::shuffle(person.done, random);
      std::ranges::shuffle(person.newborn_contacts, random);
      std::ranges::shuffle(person.pregnancies, random);
      for (Pregnancy& pregnancy : person.pregnancies) {
        std::ranges::shuffle(pregnancy.antenatal, random);
        std::ranges::shuffle(pregnancy.postpartum, random);
      }
      ASSERT_EQ(On(person, on), wanted) << "round " << round;
    }
  }
  for (int round = 0; round < 20; ++round) {
    Person person = RandomPerson(random, 6);
    const sys_days on = Day("2024-06-01") + days(random() % 200);
    const Schedule wanted = On(person, on);
    std::ranges::sort(person.doses, {}, &GivenDose::id);
    do {
      ASSERT_EQ(On(person, on), wanted) << "round " << round;
    } while (std::ranges::next_permutation(person.doses, {}, &GivenDose::id).found);
  }
}

TEST(Schedule, JudgesEveryDoseOnceAndListsNothingTwice) {
  std::mt19937 random(3);
  std::map<std::string_view, int> seen;
  for (int round = 0; round < 2000; ++round) {
    const Person person = RandomPerson(random, round % 20);
    const sys_days on = Day("2024-01-25") + days(random() % 900);
    const Schedule schedule = On(person, on);
    const auto told = std::ranges::count_if(
        person.doses, [&](const GivenDose& dose) { return !dose.day || *dose.day <= on; });
    ASSERT_EQ(std::ssize(schedule.doses), told);
    std::set<std::string_view> counted;
    for (const JudgedDose& dose : schedule.doses) {
      ++seen[Word(dose.verdict)];
      if (dose.verdict != DoseVerdict::kCounts) continue;
      ASSERT_TRUE(counted.insert(dose.what).second) << dose.what;
    }
    for (const DueItem& item : schedule.items) {
      ++seen[Word(item.state)];
      ASSERT_FALSE(counted.contains(item.what)) << item.what;
      ASSERT_GE(item.overdue_days, 0);
      ASSERT_TRUE(item.state != DueState::kDue || item.overdue_days == 0);
    }
  }
  EXPECT_EQ(seen.size(), 10U);  // six verdicts, four states
}

TEST(ScheduleRules, AreFoundByTheirVersion) {
  EXPECT_EQ(FindScheduleRules(1), &ScheduleVersions().front());
  EXPECT_EQ(FindScheduleRules(0), nullptr);
  EXPECT_EQ(FindScheduleRules(2), nullptr);
}

// docs/schedules.md

std::string Text(Span span) {
  if (span.days != 0) return fmt::format("{} days", span.days);
  return span.months == 0   ? "birth"
         : span.months == 1 ? "1 month"
                            : fmt::format("{} months", span.months);
}

TEST(ScheduleDoc, HasEveryRowOfTheTables) {
  const ScheduleRules& rules = ScheduleVersions().front();
  const std::string doc = simpul::testing::SourceFile("docs/schedules.md");
  std::string table = "|---|---|---|---|\n";
  for (const DoseRow& row : rules.doses) {
    table += fmt::format("| `{}` | {} | {} | {} |\n", row.what, Text(row.ideal),
                         row.interval ? Text(*row.interval) : "",
                         !row.before                         ? ""
                         : row.after == AfterWindow::kMissed ? "`missed` from " + Text(*row.before)
                                                             : "`ask` from " + Text(*row.before));
  }
  EXPECT_THAT(doc, HasSubstr(table + "\n"));
  table = "|---|---|---|---|\n";
  for (const CheckRow& row : rules.checks) {
    table += fmt::format("| `{}` | {} | {} | {} |\n", row.what, Text(row.from), Text(row.before),
                         Text(row.until));
  }
  EXPECT_THAT(doc, HasSubstr(table + "\n"));
  table = "|---|---|---|---|\n";
  for (const RoundRow& row : rules.rounds) {
    std::vector<std::string_view> months;
    for (const unsigned month : row.months) months.push_back(month == 2 ? "February" : "August");
    table += fmt::format("| `{}` | {} | {} | {} |\n", row.what, fmt::join(months, ", "),
                         Text(row.from), Text(row.before));
  }
  EXPECT_THAT(doc, HasSubstr(table + "\n"));
  table = "|---|---|---|\n";
  for (const auto& contacts : {rules.newborn, rules.postpartum}) {
    for (const ContactRow& row : contacts) {
      table += fmt::format("| `{}` | {} | {} |\n", row.what, row.first_day, row.last_day);
    }
  }
  EXPECT_THAT(doc, HasSubstr(table + "\n"));
  table = "|---|---|---|\n";
  for (const TrimesterRow& row : rules.trimesters) {
    table += fmt::format("| `{}` | {} | {} |\n", fmt::join(row.contacts, "` `"), row.first_day,
                         row.last_day ? fmt::to_string(*row.last_day) : "the end");
  }
  EXPECT_THAT(doc, HasSubstr(table + "\n"));
  table = "|---|---|\n";
  for (const OffRow& row : rules.off) table += fmt::format("| `{}` | {} |\n", row.what, row.why);
  EXPECT_THAT(doc, HasSubstr(table + "\n"));
}

TEST(ScheduleDoc, HasEveryWord) {
  const std::string doc = simpul::testing::SourceFile("docs/schedules.md");
  for (const DueState state :
       {DueState::kDue, DueState::kOverdue, DueState::kAsk, DueState::kMissed}) {
    EXPECT_THAT(doc, HasSubstr(fmt::format("| `{}` |", Word(state))));
  }
  for (int why = 0; why <= static_cast<int>(DueWhy::kNeverClosed); ++why) {
    EXPECT_THAT(doc, HasSubstr(fmt::format("| `{}` |", Word(static_cast<DueWhy>(why)))));
  }
  for (int verdict = 0; verdict <= static_cast<int>(DoseVerdict::kBeforeBirth); ++verdict) {
    EXPECT_THAT(doc, HasSubstr(fmt::format("| `{}` |", Word(static_cast<DoseVerdict>(verdict)))));
  }
}

}  // namespace
}  // namespace simpul::rules
