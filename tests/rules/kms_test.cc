// The deterministic growth card, sentence by sentence, and docs/kms.md.
#include "lib/rules/kms.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/event/date.h"
#include "tests/support/source_file.h"

namespace simpul::rules {
namespace {

using event::v1::SEX_FEMALE;
using event::v1::SEX_MALE;
using event::v1::SEX_UNSPECIFIED;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::chrono::sys_days Day(std::string_view text) { return event::ParseDay(text).value(); }

constexpr KmsWeightForAge kPlausible = {};
constexpr KmsWeightForAge kVeryLow = {.below_minus_3 = true};
constexpr KmsWeightForAge kImplausiblyLow = {.implausible = true, .below_minus_3 = true};
constexpr KmsWeightForAge kImplausiblyHigh = {.implausible = true, .above_plus_1 = true};
constexpr KmsWeightForAge kHigh = {.above_plus_1 = true};

// The weighing's day is its id, so that tests read like a card.
KmsWeighing Weighed(std::string_view day, uint32_t weight_g) {
  return {.id = day, .day = Day(day), .weight_g = weight_g, .weight_for_age = kPlausible};
}

KmsWeighing Weighed(std::string_view day, uint32_t weight_g, KmsWeightForAge z) {
  KmsWeighing weighing = Weighed(day, weight_g);
  weighing.weight_for_age = z;
  return weighing;
}

KmsWeighing WithOedema(std::string_view day, uint32_t weight_g) {
  KmsWeighing weighing = Weighed(day, weight_g);
  weighing.weight_for_age.reset();
  weighing.oedema = true;
  return weighing;
}

KmsWeighing Exercise(std::string_view day, uint32_t weight_g) {
  KmsWeighing weighing = Weighed(day, weight_g);
  weighing.training = true;
  return weighing;
}

KmsChild Boy(std::string_view born) { return {.birth_date = Day(born), .sex = SEX_MALE}; }
KmsChild Girl(std::string_view born) { return {.birth_date = Day(born), .sex = SEX_FEMALE}; }

std::string MonthText(std::chrono::year_month month) {
  return fmt::format("{:04}-{:02}", static_cast<int>(month.year()),
                     static_cast<unsigned>(month.month()));
}

// "2025-03 T two_t", a line for each month.
std::vector<std::string> Card(const Kms& kms) {
  std::vector<std::string> lines;
  for (const KmsMonth& month : kms.months) {
    std::string line = MonthText(month.month) + " " + std::string(Word(month.status));
    if (month.two_t) line += " two_t";
    if (month.bgm) line += " bgm";
    if (month.above_orange) line += " above_orange";
    if (month.by_oedema) line += " by_oedema";
    if (month.interval_short) line += " interval_short";
    if (month.interval_long) line += " interval_long";
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> Card(const KmsChild& child, const std::vector<KmsWeighing>& weighings) {
  return Card(DeriveKms(child, weighings));
}

// Why each weighing, by day, carries no status; "" when it does.
std::vector<std::string> Reasons(const Kms& kms) {
  std::vector<std::string> reasons;
  for (const KmsJudged& judged : kms.weighings) {
    reasons.emplace_back(judged.no_status ? Word(*judged.no_status) : "");
  }
  return reasons;
}

std::string_view Carrier(const Kms& kms, size_t month) {
  return kms.weighings.at(kms.months.at(month).weighing).id;
}

const KmsRules& Version1() { return KmsVersions().front(); }

// Months of the calendar.

TEST(Kms, GivesAChildOneStatusAMonthCarriedByTheMonthsLastWeighing) {
  const Kms kms = DeriveKms(Boy("2025-01-10"),
                            std::vector{Weighed("2025-04-02", 5900), Weighed("2025-04-28", 6600),
                                        Weighed("2025-04-15", 6200)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-04 B"));
  EXPECT_EQ(Carrier(kms, 0), "2025-04-28");
  EXPECT_THAT(Reasons(kms), ElementsAre("later_in_month", "later_in_month", ""));
}

TEST(Kms, ComparesWithTheLastWeighingOfThePreviousMonthNotTheFirst) {
  const Kms kms = DeriveKms(Boy("2025-01-10"),
                            std::vector{Weighed("2025-04-02", 6000), Weighed("2025-04-28", 6600),
                                        Weighed("2025-05-28", 7200)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-04 B", "2025-05 N"));
  EXPECT_EQ(kms.weighings[kms.months[1].gain->previous].id, "2025-04-28");
  EXPECT_EQ(kms.months[1].gain->gain_g, 600);
}

TEST(Kms, CountsMonthsByTheCalendarNotByThirtyDays) {
  EXPECT_THAT(Card(Boy("2024-06-10"), {Weighed("2025-01-01", 8000), Weighed("2025-01-31", 8400)}),
              ElementsAre("2025-01 B"));
  EXPECT_THAT(Card(Boy("2024-06-10"), {Weighed("2025-01-31", 8000), Weighed("2025-02-01", 8400)}),
              ElementsAre("2025-01 B", "2025-02 N"));
  EXPECT_THAT(Card(Boy("2024-06-10"), {Weighed("2024-12-31", 8000), Weighed("2025-01-31", 8400)}),
              ElementsAre("2024-12 B", "2025-01 N"));
}

TEST(Kms, OrdersWeighingsOfOneDayByTheTimelinesOrder) {
  KmsWeighing morning = Weighed("2025-04-10", 6000);
  KmsWeighing evening = Weighed("2025-04-10", 6300);
  morning.id = "z", morning.order = 7;
  evening.id = "a", evening.order = 8;
  for (const std::vector<KmsWeighing>& both : {std::vector{morning, evening}, {evening, morning}}) {
    const Kms kms = DeriveKms(Boy("2025-01-10"), both);
    EXPECT_THAT(Card(kms), ElementsAre("2025-04 B"));
    EXPECT_EQ(Carrier(kms, 0), "a");
    EXPECT_THAT(Reasons(kms), ElementsAre("later_in_month", ""));
  }
}

TEST(Kms, OrdersByTheLocalDayBeforeTheTimelinesOrder) {
  // Half past midnight in the east of the country comes before eleven at night in its west.
  KmsWeighing east = Weighed("2025-05-01", 6600);
  KmsWeighing west = Weighed("2025-04-30", 6000);
  east.order = 1;
  west.order = 2;
  const Kms kms = DeriveKms(Boy("2025-01-10"), std::vector{east, west});
  EXPECT_THAT(Card(kms), ElementsAre("2025-04 B", "2025-05 T interval_short"));
  EXPECT_EQ(kms.months[1].gain->days, 1);
  EXPECT_EQ(kms.months[1].gain->gain_g, 600);
  EXPECT_EQ(kms.months[1].gain->kbm_g, 800U);
}

// B, O, N, T.

TEST(Kms, IsBWithoutAWeighingInAnyEarlierMonth) {
  EXPECT_THAT(Card(Girl("2023-01-10"), {Weighed("2025-04-02", 11000)}), ElementsAre("2025-04 B"));
  EXPECT_THAT(Card(Girl("2023-01-10"), {}), IsEmpty());
}

TEST(Kms, IsOAfterAMonthWithoutAWeighing) {
  EXPECT_THAT(Card(Boy("2024-01-10"), {Weighed("2025-01-20", 9000), Weighed("2025-03-01", 9900),
                                       Weighed("2025-12-01", 9900)}),
              ElementsAre("2025-01 B", "2025-03 O", "2025-12 O"));
}

TEST(Kms, ComparesTheMonthAfterAGapWithTheWeighingThatWasO) {
  const Kms kms = DeriveKms(Boy("2024-01-10"),
                            std::vector{Weighed("2025-01-20", 9000), Weighed("2025-03-20", 9500),
                                        Weighed("2025-04-20", 9700)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-01 B", "2025-03 O", "2025-04 N"));
  EXPECT_EQ(kms.months[1].gain, std::nullopt);
  EXPECT_EQ(kms.weighings[kms.months[2].gain->previous].id, "2025-03-20");
}

TEST(Kms, IsNWhenTheGainReachesKbmElseT) {
  const auto card = [](uint32_t later) {
    return Card(Boy("2025-01-10"), {Weighed("2025-02-15", 4000), Weighed("2025-03-15", later)})
        .at(1);
  };
  EXPECT_EQ(card(4899), "2025-03 T");
  EXPECT_EQ(card(4900), "2025-03 N");
  EXPECT_EQ(card(4901), "2025-03 N");
  EXPECT_EQ(card(4000), "2025-03 T");
  EXPECT_EQ(card(3500), "2025-03 T");
}

TEST(Kms, IsNotNForBeingMerelyHeavierThanLastTime) {
  EXPECT_THAT(Card(Boy("2024-01-10"), {Weighed("2025-01-20", 9000), Weighed("2025-02-20", 9199)}),
              ElementsAre("2025-01 B", "2025-02 T"));
}

TEST(Kms, SaysWhatAStatusRestsOn) {
  const Kms kms = DeriveKms(Boy("2025-01-10"),
                            std::vector{Weighed("2025-05-03", 6500), Weighed("2025-06-04", 6300)});
  ASSERT_EQ(kms.months.size(), 2U);
  EXPECT_EQ(kms.months[0].gain, std::nullopt);
  EXPECT_EQ(kms.months[1].gain, (KmsGain{.previous = 0, .days = 32, .gain_g = -200, .kbm_g = 600}));
  EXPECT_EQ(kms.months[1].rules, 1U);
}

struct Boundary {
  event::v1::Sex sex;
  int from_month, until_month;  // completed months, both in the row
  uint32_t kbm_g;
};

// Written out once more, from the sheets and not from the table of the program.
TEST(Kms, NeedsTheGramsOfTheRowAndNotOneLess) {
  const Boundary rows[] = {
      {SEX_MALE, 1, 1, 800},    {SEX_MALE, 2, 2, 900},   {SEX_MALE, 3, 3, 800},
      {SEX_MALE, 4, 4, 600},    {SEX_MALE, 5, 5, 500},   {SEX_MALE, 6, 7, 400},
      {SEX_MALE, 8, 11, 300},   {SEX_MALE, 12, 59, 200}, {SEX_FEMALE, 1, 1, 800},
      {SEX_FEMALE, 2, 2, 900},  {SEX_FEMALE, 3, 3, 800}, {SEX_FEMALE, 4, 4, 600},
      {SEX_FEMALE, 5, 5, 500},  {SEX_FEMALE, 6, 6, 400}, {SEX_FEMALE, 7, 10, 300},
      {SEX_FEMALE, 11, 59, 200}};
  const std::chrono::year_month_day born{std::chrono::year(2020), std::chrono::January,
                                         std::chrono::day(10)};
  int seen = 0;
  for (const Boundary& row : rows) {
    for (int age = row.from_month; age <= row.until_month; ++age) {
      EXPECT_EQ(KbmGrams(Version1(), row.sex, age), row.kbm_g) << age;
      const auto judge = [&](uint32_t gain_g) {
        KmsWeighing before{.id = "before",
                           .day = std::chrono::sys_days(born + std::chrono::months(age - 1)),
                           .weight_g = 9000};
        KmsWeighing later{.id = "later",
                          .day = std::chrono::sys_days(born + std::chrono::months(age)),
                          .weight_g = 9000 + gain_g};
        const Kms kms = DeriveKms({.birth_date = std::chrono::sys_days(born), .sex = row.sex},
                                  std::vector{before, later});
        return Word(kms.months.at(1).status);
      };
      EXPECT_EQ(judge(row.kbm_g - 1), "T") << age;
      EXPECT_EQ(judge(row.kbm_g), "N") << age;
      ++seen;
    }
  }
  EXPECT_EQ(seen, 2 * 59);
}

TEST(Kms, HasNoRowAtZeroMonthsAndNoneFromSixty) {
  for (const event::v1::Sex sex : {SEX_MALE, SEX_FEMALE, SEX_UNSPECIFIED}) {
    EXPECT_EQ(KbmGrams(Version1(), sex, -1), std::nullopt);
    EXPECT_EQ(KbmGrams(Version1(), sex, 0), std::nullopt);
    EXPECT_EQ(KbmGrams(Version1(), sex, 60), std::nullopt);
  }
}

TEST(Kms, PicksTheRowByCompletedMonthsOnTheLaterWeighingsDay) {
  // 7 months for a girl: 300 g; on the day before she is 6 months old: 400 g.
  EXPECT_THAT(Card(Girl("2025-01-15"), {Weighed("2025-07-20", 7000), Weighed("2025-08-14", 7300)}),
              ElementsAre("2025-07 B", "2025-08 T"));
  EXPECT_THAT(Card(Girl("2025-01-15"), {Weighed("2025-07-20", 7000), Weighed("2025-08-15", 7300)}),
              ElementsAre("2025-07 B", "2025-08 N"));
}

TEST(Kms, CompletesAMonthOnItsLastDayWhereItHasNoSuchDay) {
  // Born on the 31st: 1 month is completed on 28 February, on the 29th in a leap year.
  EXPECT_THAT(Card(Girl("2025-01-31"), {Weighed("2025-01-31", 3000), Weighed("2025-02-27", 3000)}),
              ElementsAre("2025-01 B", "2025-02 B"));
  EXPECT_THAT(Card(Girl("2025-01-31"), {Weighed("2025-01-31", 3000), Weighed("2025-02-28", 3000)}),
              ElementsAre("2025-01 B", "2025-02 T"));
  EXPECT_THAT(Card(Girl("2024-01-31"), {Weighed("2024-01-31", 3000), Weighed("2024-02-28", 3000)}),
              ElementsAre("2024-01 B", "2024-02 B"));
  EXPECT_THAT(Card(Girl("2024-01-31"), {Weighed("2024-01-31", 3000), Weighed("2024-02-29", 3800)}),
              ElementsAre("2024-01 B", "2024-02 N"));
}

TEST(Kms, IsBAtZeroCompletedMonthsEvenAfterAnEarlierMonth) {
  const Kms kms = DeriveKms(Boy("2025-01-20"),
                            std::vector{Weighed("2025-01-25", 3200), Weighed("2025-02-19", 3300)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-01 B", "2025-02 B"));
  EXPECT_EQ(kms.months[1].gain, std::nullopt);
}

TEST(Kms, ComparesTheMonthAfterAnAgeOfZeroMonthsWithThatWeighing) {
  const Kms kms = DeriveKms(Boy("2025-01-20"),
                            std::vector{Weighed("2025-01-25", 3200), Weighed("2025-02-19", 3300),
                                        Weighed("2025-03-19", 4100)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-01 B", "2025-02 B", "2025-03 N"));
  EXPECT_EQ(kms.months[2].gain, (KmsGain{.previous = 1, .days = 28, .gain_g = 800, .kbm_g = 800}));
}

TEST(Kms, TakesAWeighingOnTheDayOfBirth) {
  EXPECT_THAT(Card(Boy("2025-01-31"), {Weighed("2025-01-31", 3200)}), ElementsAre("2025-01 B"));
}

TEST(Kms, ReadsNothingFromAWeighingBeforeBirth) {
  const Kms kms = DeriveKms(Boy("2025-01-20"), std::vector{Weighed("2025-01-19", 3200, kVeryLow),
                                                           Weighed("2025-02-25", 3900)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-02 B"));
  EXPECT_THAT(Reasons(kms), ElementsAre("before_birth", ""));
  EXPECT_FALSE(kms.weighings[0].bgm);
  EXPECT_EQ(kms.weighings[0].age_months, -1);
}

TEST(Kms, GivesNoStatusFromSixtyMonthsOn) {
  const Kms kms = DeriveKms(Girl("2020-02-29"),
                            std::vector{Weighed("2025-01-27", 15000), Weighed("2025-02-27", 15300),
                                        Weighed("2025-02-28", 15300, kImplausiblyLow),
                                        Weighed("2025-03-27", 15300, kVeryLow)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-01 B", "2025-02 N"));
  EXPECT_EQ(Carrier(kms, 1), "2025-02-27");
  EXPECT_THAT(Reasons(kms), ElementsAre("", "", "from_60_months", "from_60_months"));
  for (size_t at : {2U, 3U}) {
    EXPECT_FALSE(kms.weighings[at].bgm);
    EXPECT_FALSE(kms.weighings[at].reweigh);
    EXPECT_EQ(kms.weighings[at].age_months, 60);
  }
}

// 2T.

TEST(Kms, HasTwoTWhenTwoConsecutiveMonthsAreT) {
  const Kms kms = DeriveKms(Boy("2024-01-10"),
                            std::vector{Weighed("2025-01-20", 9000), Weighed("2025-02-20", 9100),
                                        Weighed("2025-03-20", 9200), Weighed("2025-04-20", 9300),
                                        Weighed("2025-05-20", 9600), Weighed("2025-06-20", 9600)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-01 B", "2025-02 T", "2025-03 T two_t", "2025-04 T two_t",
                                     "2025-05 N", "2025-06 T"));
  EXPECT_EQ(kms.months[0].proposes, std::nullopt);
  EXPECT_EQ(kms.months[1].proposes, KmsProposal::kSingleT);
  EXPECT_EQ(kms.months[2].proposes, KmsProposal::kTwoT);
  EXPECT_EQ(kms.months[3].proposes, KmsProposal::kTwoT);
  EXPECT_EQ(kms.months[4].proposes, std::nullopt);
  EXPECT_EQ(kms.months[5].proposes, KmsProposal::kSingleT);
}

TEST(Kms, HasNoTwoTAcrossAnOOrAMissingMonth) {
  EXPECT_THAT(Card(Boy("2024-01-10"), {Weighed("2025-01-20", 9000), Weighed("2025-02-20", 9100),
                                       Weighed("2025-04-20", 9100), Weighed("2025-05-20", 9100)}),
              ElementsAre("2025-01 B", "2025-02 T", "2025-04 O", "2025-05 T"));
}

TEST(Kms, HasNoTwoTAcrossAMonthWhoseStatusTheSexWouldDecide) {
  const KmsChild child{.birth_date = Day("2024-08-10")};
  const Kms kms =
      DeriveKms(child, std::vector{Weighed("2025-01-20", 7000), Weighed("2025-02-20", 7000),
                                   Weighed("2025-03-20", 7350), Weighed("2025-04-20", 7350)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-01 B", "2025-02 T", "2025-04 T"));
}

// Short and long intervals.

TEST(Kms, StartsNoTwoTWithATAfterFewerThanFifteenDaysAndProposesNothing) {
  const auto card = [](std::string_view february) {
    return DeriveKms(Boy("2024-01-10"),
                     std::vector{Weighed("2025-01-31", 9000), Weighed(february, 9100),
                                 Weighed("2025-03-20", 9100)});
  };
  const Kms after14 = card("2025-02-14");
  EXPECT_EQ(after14.months[1].gain->days, 14);
  EXPECT_THAT(Card(after14), ElementsAre("2025-01 B", "2025-02 T interval_short", "2025-03 T"));
  EXPECT_EQ(after14.months[1].proposes, std::nullopt);
  EXPECT_EQ(after14.months[2].proposes, KmsProposal::kSingleT);

  const Kms after15 = card("2025-02-15");
  EXPECT_EQ(after15.months[1].gain->days, 15);
  EXPECT_THAT(Card(after15), ElementsAre("2025-01 B", "2025-02 T", "2025-03 T two_t"));
  EXPECT_EQ(after15.months[1].proposes, KmsProposal::kSingleT);
  EXPECT_EQ(after15.months[2].proposes, KmsProposal::kTwoT);
}

TEST(Kms, ShowsATwoTThatAShortTEndsButProposesNothingForIt) {
  const Kms kms = DeriveKms(Boy("2024-01-10"),
                            std::vector{Weighed("2025-01-10", 9000), Weighed("2025-02-25", 9100),
                                        Weighed("2025-03-05", 9100), Weighed("2025-04-05", 9100)});
  EXPECT_THAT(Card(kms),
              ElementsAre("2025-01 B", "2025-02 T", "2025-03 T two_t interval_short", "2025-04 T"));
  EXPECT_EQ(kms.months[2].proposes, std::nullopt);
}

TEST(Kms, ShowsAnNAfterMoreThanFortyFiveDaysAsIntervalLong) {
  const auto card = [](std::string_view february, uint32_t weight_g) {
    return Card(Boy("2024-01-10"), {Weighed("2025-01-01", 9000), Weighed(february, weight_g)})
        .at(1);
  };
  EXPECT_EQ(card("2025-02-15", 9200), "2025-02 N");  // 45 days
  EXPECT_EQ(card("2025-02-16", 9200), "2025-02 N interval_long");
  EXPECT_EQ(card("2025-02-16", 9199), "2025-02 T");
}

TEST(Kms, SaysNothingOfTheIntervalOfAShortN) {
  EXPECT_THAT(Card(Boy("2024-01-10"), {Weighed("2025-01-31", 9000), Weighed("2025-02-01", 9200)}),
              ElementsAre("2025-01 B", "2025-02 N"));
}

// Implausible weights.

TEST(Kms, DoesNotUseAnImplausibleWeight) {
  const Kms kms = DeriveKms(
      Boy("2024-01-10"),
      std::vector{Weighed("2025-01-20", 90000, kImplausiblyHigh), Weighed("2025-02-20", 9000),
                  Weighed("2025-03-20", 92000, kImplausiblyHigh), Weighed("2025-04-20", 9400)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-02 B", "2025-04 O"));
  EXPECT_THAT(Reasons(kms), ElementsAre("implausible", "", "implausible", ""));
}

TEST(Kms, TakesTheLastUsableWeighingWhereTheMonthsLastIsImplausible) {
  const Kms kms = DeriveKms(Boy("2024-01-10"),
                            std::vector{Weighed("2025-01-20", 9000), Weighed("2025-02-10", 9300),
                                        Weighed("2025-02-20", 930, kImplausiblyLow)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-01 B", "2025-02 N"));
  EXPECT_EQ(Carrier(kms, 1), "2025-02-10");
}

TEST(Kms, ListsImplausibleWeighingsToBeRepeatedButWarnsOfALowOne) {
  const Kms kms =
      DeriveKms(Boy("2024-01-10"), std::vector{Weighed("2025-01-20", 2000, kImplausiblyLow),
                                               Weighed("2025-02-20", 90000, kImplausiblyHigh),
                                               Weighed("2025-03-20", 9000)});
  EXPECT_TRUE(kms.weighings[0].reweigh);
  EXPECT_TRUE(kms.weighings[0].bgm);
  EXPECT_TRUE(kms.weighings[1].reweigh);
  EXPECT_FALSE(kms.weighings[1].bgm);
  EXPECT_FALSE(kms.weighings[1].above_orange);
  EXPECT_FALSE(kms.weighings[2].reweigh);
  // The board counts children of D: the one child of March, and nobody before.
  EXPECT_THAT(Card(kms), ElementsAre("2025-03 B"));
}

TEST(Kms, UsesAWeightOfWhichTheStandardSaysNothing) {
  KmsWeighing unjudged = Weighed("2025-02-20", 9300);
  unjudged.weight_for_age.reset();
  EXPECT_THAT(Card(Boy("2024-01-10"), {Weighed("2025-01-20", 9000), unjudged}),
              ElementsAre("2025-01 B", "2025-02 N"));
}

// Red and orange line, oedema.

TEST(Kms, WarnsBelowTheRedLineAndAboveTheOrangeOne) {
  EXPECT_THAT(
      Card(Boy("2024-01-10"), {Weighed("2025-01-20", 6000, kVeryLow), Weighed("2025-02-20", 6300),
                               Weighed("2025-03-20", 12000, kHigh)}),
      ElementsAre("2025-01 B bgm", "2025-02 N", "2025-03 N above_orange"));
}

TEST(Kms, GivesAMonthTheWarningsOfItsLastUsableWeighing) {
  const Kms kms = DeriveKms(Boy("2024-01-10"), std::vector{Weighed("2025-01-10", 6000, kVeryLow),
                                                           Weighed("2025-01-20", 7500)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-01 B"));
  EXPECT_TRUE(kms.weighings[0].bgm);
  EXPECT_FALSE(kms.weighings[1].bgm);
}

TEST(Kms, MakesATOfAnNWithOedemaAndWarnsBelowTheRedLine) {
  const Kms kms = DeriveKms(Boy("2024-01-10"),
                            std::vector{Weighed("2025-01-20", 9000), WithOedema("2025-02-20", 9900),
                                        WithOedema("2025-03-20", 9900)});
  EXPECT_THAT(Card(kms),
              ElementsAre("2025-01 B", "2025-02 T bgm by_oedema", "2025-03 T two_t bgm"));
  EXPECT_EQ(kms.months[1].gain->gain_g, 900);
}

TEST(Kms, LeavesBAndOWithOedemaAsTheyAre) {
  EXPECT_THAT(
      Card(Boy("2024-01-10"), {WithOedema("2025-01-20", 9000), WithOedema("2025-03-20", 9000)}),
      ElementsAre("2025-01 B bgm", "2025-03 O bgm"));
}

TEST(Kms, JudgesTheMonthAfterOedemaByItsOwnGain) {
  EXPECT_THAT(Card(Boy("2024-01-10"), {WithOedema("2025-01-20", 9000), Weighed("2025-02-20", 9200),
                                       WithOedema("2025-03-01", 9900)}),
              ElementsAre("2025-01 B bgm", "2025-02 N", "2025-03 T bgm by_oedema interval_short"));
}

// Training.

TEST(Kms, TakesAnExerciseForNothing) {
  KmsWeighing low = Exercise("2025-02-21", 2000);
  low.weight_for_age = kImplausiblyLow;
  low.oedema = true;
  const Kms kms =
      DeriveKms(Boy("2024-01-10"),
                std::vector{Exercise("2024-12-20", 9000), Weighed("2025-01-20", 9000),
                            Exercise("2025-01-25", 9250), Weighed("2025-02-20", 9200), low});
  EXPECT_THAT(Card(kms), ElementsAre("2025-01 B", "2025-02 N"));
  EXPECT_THAT(Reasons(kms), ElementsAre("training", "", "training", "", "training"));
  EXPECT_FALSE(kms.weighings[4].bgm);
  EXPECT_FALSE(kms.weighings[4].reweigh);
}

// Unknown birth date or sex.

TEST(Kms, SaysNothingWithoutABirthDate) {
  const Kms kms = DeriveKms(
      {.sex = SEX_MALE}, std::vector{WithOedema("2025-01-20", 9000), Weighed("2025-02-20", 9100)});
  EXPECT_THAT(kms.months, IsEmpty());
  EXPECT_THAT(Reasons(kms), ElementsAre("birth_date_unknown", "birth_date_unknown"));
  // It may as well be a mother's swollen feet.
  EXPECT_FALSE(kms.weighings[0].bgm);
  EXPECT_EQ(kms.weighings[0].age_months, std::nullopt);
}

TEST(Kms, SaysWithoutASexWhatHoldsForBoth) {
  const KmsChild child{.birth_date = Day("2025-01-10")};
  EXPECT_THAT(Card(child, {Weighed("2025-01-12", 3000), Weighed("2025-02-12", 3800),
                           Weighed("2025-03-12", 4600), Weighed("2025-05-12", 4600)}),
              ElementsAre("2025-01 B", "2025-02 N", "2025-03 T", "2025-05 O"));
}

TEST(Kms, HasNoStatusWhereTheUnknownSexDecides) {
  const KmsChild child{.birth_date = Day("2025-01-10")};
  // At 7 months a boy needs 400 g and a girl 300 g; at 8 months both need 300 g.
  const auto kms = [&](uint32_t august) {
    return DeriveKms(child, std::vector{Weighed("2025-07-20", 7000), Weighed("2025-08-20", august),
                                        Weighed("2025-09-20", 7700)});
  };
  EXPECT_THAT(Card(kms(7299)), ElementsAre("2025-07 B", "2025-08 T", "2025-09 N"));
  EXPECT_THAT(Card(kms(7300)), ElementsAre("2025-07 B", "2025-09 N"));
  EXPECT_THAT(Card(kms(7399)), ElementsAre("2025-07 B", "2025-09 N"));
  EXPECT_THAT(Card(kms(7400)), ElementsAre("2025-07 B", "2025-08 N", "2025-09 N"));
  EXPECT_THAT(Reasons(kms(7300)), ElementsAre("", "sex_unknown", ""));
  EXPECT_TRUE(kms(7300).weighings[1].usable);
  EXPECT_EQ(kms(7299).months[1].gain->kbm_g, std::nullopt);
  EXPECT_EQ(kms(7300).months[1].gain->kbm_g, 300U);
}

TEST(Kms, IsTWithOedemaWhicheverTheUnknownSex) {
  const Kms kms =
      DeriveKms({.birth_date = Day("2025-01-10")},
                std::vector{Weighed("2025-07-20", 7000), WithOedema("2025-08-20", 7350)});
  EXPECT_THAT(Card(kms), ElementsAre("2025-07 B", "2025-08 T bgm by_oedema"));
}

// What comes late.

TEST(Kms, RecomputesTheNextMonthWhenAWeighingComesLate) {
  const std::vector<KmsWeighing> before = {Weighed("2025-01-20", 9000), Weighed("2025-02-20", 9100),
                                           Weighed("2025-04-20", 9300)};
  EXPECT_THAT(Card(Boy("2024-01-10"), before), ElementsAre("2025-01 B", "2025-02 T", "2025-04 O"));
  std::vector<KmsWeighing> after = before;
  after.push_back(Weighed("2025-03-20", 9200));
  EXPECT_THAT(Card(Boy("2024-01-10"), after),
              ElementsAre("2025-01 B", "2025-02 T", "2025-03 T two_t", "2025-04 T two_t"));
  after.push_back(Weighed("2025-03-25", 9100));
  EXPECT_THAT(Card(Boy("2024-01-10"), after),
              ElementsAre("2025-01 B", "2025-02 T", "2025-03 T two_t", "2025-04 N"));
}

TEST(Kms, RecomputesWhatFollowsACorrectedOrRetractedWeighing) {
  std::vector<KmsWeighing> weighings = {Weighed("2025-01-20", 9000), Weighed("2025-02-20", 9100),
                                        Weighed("2025-03-20", 9200), Weighed("2025-04-20", 9300)};
  const KmsChild boy = Boy("2024-01-10");
  EXPECT_THAT(Card(boy, weighings),
              ElementsAre("2025-01 B", "2025-02 T", "2025-03 T two_t", "2025-04 T two_t"));
  weighings[1].weight_g = 9200;
  EXPECT_THAT(Card(boy, weighings),
              ElementsAre("2025-01 B", "2025-02 N", "2025-03 T", "2025-04 T two_t"));
  weighings.erase(weighings.begin());
  EXPECT_THAT(Card(boy, weighings), ElementsAre("2025-02 B", "2025-03 T", "2025-04 T two_t"));
}

TEST(Kms, ChangesWithACorrectedBirthDate) {
  const std::vector<KmsWeighing> weighings = {Weighed("2025-05-20", 7000),
                                              Weighed("2025-06-20", 7400)};
  EXPECT_THAT(Card(Boy("2025-01-10"), weighings), ElementsAre("2025-05 B", "2025-06 T"));
  EXPECT_THAT(Card(Boy("2024-12-10"), weighings), ElementsAre("2025-05 B", "2025-06 N"));
}

TEST(Kms, GivesTwinsACardEach) {
  const KmsChild twin = Girl("2025-01-10");
  EXPECT_THAT(Card(twin, {Weighed("2025-04-20", 5000), Weighed("2025-05-20", 5600)}),
              ElementsAre("2025-04 B", "2025-05 N"));
  EXPECT_THAT(Card(twin, {Weighed("2025-04-20", 5600), Weighed("2025-05-20", 5600)}),
              ElementsAre("2025-04 B", "2025-05 T"));
}

// Versions.

TEST(Kms, TakesTheVersionThatTheLaterWeighingsDatePicks) {
  constexpr KbmRow kStrict[] = {{1, 1000, "of this test"}};
  const KmsRules strict{.version = 2,
                        .boys = kStrict,
                        .girls = kStrict,
                        .until_months = 60,
                        .interval_short_days = 20,
                        .interval_long_days = 40};
  std::vector<KmsWeighing> weighings = {Weighed("2025-01-20", 9000), Weighed("2025-02-20", 9300),
                                        Weighed("2025-03-20", 9600)};
  weighings[2].rules = &strict;
  const Kms kms = DeriveKms(Boy("2024-01-10"), weighings);
  EXPECT_THAT(Card(kms), ElementsAre("2025-01 B", "2025-02 N", "2025-03 T"));
  EXPECT_EQ(kms.months[1].rules, 1U);
  EXPECT_EQ(kms.months[2].rules, 2U);
  EXPECT_EQ(kms.months[2].gain->kbm_g, 1000U);
}

TEST(Kms, FindsItsVersionsAndNoOthers) {
  uint32_t wanted = 0;
  for (const KmsRules& rules : KmsVersions()) {
    EXPECT_EQ(rules.version, ++wanted);
    EXPECT_EQ(FindKmsRules(rules.version), &rules);
    for (const std::span<const KbmRow> rows : {rules.boys, rules.girls}) {
      ASSERT_FALSE(rows.empty());
      EXPECT_EQ(rows.front().from_month, 1);
      for (size_t row = 0; row < rows.size(); ++row) {
        EXPECT_FALSE(rows[row].source.empty());
        EXPECT_LT(rows[row].from_month, rules.until_months);
        if (row == 0) continue;
        EXPECT_LT(rows[row - 1].from_month, rows[row].from_month);
      }
    }
  }
  EXPECT_EQ(FindKmsRules(0), nullptr);
  EXPECT_EQ(FindKmsRules(wanted + 1), nullptr);
}

// docs/kms.md

std::string KbmLines(std::span<const KbmRow> rows, std::string_view sex, int until_months) {
  std::string lines;
  for (size_t row = 0; row < rows.size(); ++row) {
    const int last = (row + 1 < rows.size() ? rows[row + 1].from_month : until_months) - 1;
    const int first = rows[row].from_month;
    lines +=
        fmt::format("| {} | {} | {} | {} |\n", sex,
                    first == last ? fmt::format("{}", first) : fmt::format("{}–{}", first, last),
                    rows[row].gain_g, rows[row].source);
  }
  return lines;
}

TEST(KmsDoc, HasTheTableOfTheProgram) {
  const KmsRules& rules = KmsVersions().back();
  EXPECT_THAT(simpul::testing::SourceFile("docs/kms.md"),
              HasSubstr("| sex | completed months | KBM, g | source |\n|---|---|---|---|\n" +
                        KbmLines(rules.boys, "boy", rules.until_months) +
                        KbmLines(rules.girls, "girl", rules.until_months) + "\n"));
}

TEST(KmsDoc, NamesEveryWord) {
  const std::string doc = simpul::testing::SourceFile("docs/kms.md");
  for (const KmsStatus status : {KmsStatus::kB, KmsStatus::kO, KmsStatus::kN, KmsStatus::kT}) {
    EXPECT_THAT(doc, HasSubstr(fmt::format("| **{}** |", Word(status))));
  }
  for (const KmsNoStatus reason :
       {KmsNoStatus::kTraining, KmsNoStatus::kBirthDateUnknown, KmsNoStatus::kBeforeBirth,
        KmsNoStatus::kFrom60Months, KmsNoStatus::kImplausible, KmsNoStatus::kLaterInMonth,
        KmsNoStatus::kSexUnknown}) {
    EXPECT_THAT(doc, HasSubstr(fmt::format("| `{}` |", Word(reason))));
  }
  for (const KmsProposal proposal : {KmsProposal::kSingleT, KmsProposal::kTwoT}) {
    EXPECT_THAT(doc, HasSubstr(fmt::format("`{}`", Word(proposal))));
  }
  for (std::string_view flag : {"two_t", "bgm", "above_orange", "by_oedema", "interval_short",
                                "interval_long", "reweigh"}) {
    EXPECT_THAT(doc, HasSubstr(fmt::format("| `{}` |", flag)));
  }
}

// The child of the example: every status, and most of what can be said.
std::vector<KmsWeighing> ExampleWeighings() {
  return {Weighed("2025-02-06", 3300),   Weighed("2025-03-06", 4100),
          Weighed("2025-04-03", 4900),   Weighed("2025-05-08", 5300),
          Weighed("2025-07-03", 6200),   Weighed("2025-07-29", 6500),
          Weighed("2025-08-07", 6550),   Weighed("2025-09-04", 68500, kImplausiblyHigh),
          Weighed("2025-09-11", 6850),   Exercise("2025-09-18", 7200),
          Weighed("2025-10-30", 7100),   Weighed("2025-11-13", 7000),
          WithOedema("2025-12-11", 7400)};
}

std::string ExampleLines(const Kms& kms) {
  std::string lines;
  for (size_t at = 0; at < kms.weighings.size(); ++at) {
    const KmsJudged& judged = kms.weighings[at];
    const auto month = std::ranges::find_if(
        kms.months, [&](const KmsMonth& candidate) { return candidate.weighing == at; });
    std::vector<std::string> said;
    const auto say = [&](bool yes, std::string_view word) {
      if (yes) said.push_back(fmt::format("`{}`", word));
    };
    say(judged.reweigh, "reweigh");
    say(judged.bgm, "bgm");
    say(judged.above_orange, "above_orange");
    std::string status = "–";
    std::string gain = "| | | ";
    std::string proposes;
    if (month != kms.months.end()) {
      status = fmt::format("**{}**", Word(month->status));
      say(month->two_t, "two_t");
      say(month->by_oedema, "by_oedema");
      say(month->interval_short, "interval_short");
      say(month->interval_long, "interval_long");
      if (month->proposes) proposes = fmt::format("`{}`", Word(*month->proposes));
      if (month->gain) {
        gain = fmt::format("| {} | {} | {} ", month->gain->days, month->gain->gain_g,
                           month->gain->kbm_g.value());
      }
    } else {
      say(true, Word(judged.no_status.value()));
    }
    lines += fmt::format("| {} | {} | {} {}| {} | {} | {} |\n", event::FormatDay(judged.day),
                         judged.age_months.value(), judged.weight_g, gain, status,
                         fmt::join(said, " "), proposes);
  }
  return lines;
}

TEST(KmsDoc, HasTheExampleAsTheProgramDerivesIt) {
  const Kms kms = DeriveKms(Girl("2025-01-15"), ExampleWeighings());
  EXPECT_THAT(simpul::testing::SourceFile("docs/kms.md"),
              HasSubstr("|---|---|---|---|---|---|---|---|---|\n" + ExampleLines(kms) + "\n"));
}

}  // namespace
}  // namespace simpul::rules
