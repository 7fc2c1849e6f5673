#include "lib/rules/calendar_months.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string_view>

#include "lib/event/date.h"

namespace simpul::rules {
namespace {

std::chrono::sys_days Day(std::string_view text) { return event::ParseDay(text).value(); }

TEST(CalendarMonths, AreTheSameDayOfALaterMonthClampedToItsLast) {
  EXPECT_EQ(AddMonths(Day("2025-01-15"), 1), Day("2025-02-15"));
  EXPECT_EQ(AddMonths(Day("2025-01-31"), 1), Day("2025-02-28"));
  EXPECT_EQ(AddMonths(Day("2024-01-31"), 1), Day("2024-02-29"));
  EXPECT_EQ(AddMonths(Day("2025-01-31"), 3), Day("2025-04-30"));
  EXPECT_EQ(AddMonths(Day("2025-11-30"), 3), Day("2026-02-28"));
  EXPECT_EQ(AddMonths(Day("2024-02-29"), 12), Day("2025-02-28"));
  EXPECT_EQ(AddMonths(Day("2024-02-29"), 48), Day("2028-02-29"));
  EXPECT_EQ(AddMonths(Day("2025-03-31"), -1), Day("2025-02-28"));
  EXPECT_EQ(AddMonths(Day("2025-01-15"), -13), Day("2023-12-15"));
  EXPECT_EQ(AddMonths(Day("2025-01-15"), 0), Day("2025-01-15"));
}

TEST(CalendarMonths, AreCompletedOnTheDayItself) {
  EXPECT_EQ(CompletedMonths(Day("2025-01-15"), Day("2025-01-15")), 0);
  EXPECT_EQ(CompletedMonths(Day("2025-01-15"), Day("2025-02-14")), 0);
  EXPECT_EQ(CompletedMonths(Day("2025-01-15"), Day("2025-02-15")), 1);
  EXPECT_EQ(CompletedMonths(Day("2025-01-31"), Day("2025-02-27")), 0);
  EXPECT_EQ(CompletedMonths(Day("2025-01-31"), Day("2025-02-28")), 1);
  EXPECT_EQ(CompletedMonths(Day("2025-01-31"), Day("2025-03-30")), 1);
  EXPECT_EQ(CompletedMonths(Day("2025-01-31"), Day("2025-03-31")), 2);
  EXPECT_EQ(CompletedMonths(Day("2024-01-31"), Day("2024-02-28")), 0);
  EXPECT_EQ(CompletedMonths(Day("2024-01-31"), Day("2024-02-29")), 1);
  EXPECT_EQ(CompletedMonths(Day("2024-02-29"), Day("2025-02-27")), 11);
  EXPECT_EQ(CompletedMonths(Day("2024-02-29"), Day("2025-02-28")), 12);
  EXPECT_EQ(CompletedMonths(Day("2024-02-29"), Day("2029-02-27")), 59);
  EXPECT_EQ(CompletedMonths(Day("2024-02-29"), Day("2029-02-28")), 60);
}

TEST(CalendarMonths, AreNegativeBeforeBirth) {
  EXPECT_EQ(CompletedMonths(Day("2025-01-15"), Day("2025-01-14")), -1);
  EXPECT_EQ(CompletedMonths(Day("2025-01-15"), Day("2024-12-15")), -1);
  EXPECT_EQ(CompletedMonths(Day("2025-01-15"), Day("2024-12-14")), -2);
}

TEST(CalendarMonths, OfEveryDayAreTheGreatestNumberThatHasPassed) {
  for (std::string_view born : {"2023-12-31", "2024-01-30", "2024-02-29", "2024-05-01"}) {
    int months = 0;
    for (std::chrono::sys_days day = Day(born); day < Day("2031-01-01");
         day += std::chrono::days(1)) {
      if (AddMonths(Day(born), months + 1) <= day) ++months;
      ASSERT_EQ(CompletedMonths(Day(born), day), months) << born << " " << event::FormatDay(day);
    }
  }
}

}  // namespace
}  // namespace simpul::rules
