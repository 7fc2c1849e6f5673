#include "lib/rules/calendar_months.h"

namespace simpul::rules {

std::chrono::sys_days AddMonths(std::chrono::sys_days day, int months) {
  const std::chrono::year_month_day date(day);
  const std::chrono::year_month month = date.year() / date.month() + std::chrono::months(months);
  const std::chrono::year_month_day same = month / date.day();
  return same.ok() ? std::chrono::sys_days(same) : std::chrono::sys_days(month / std::chrono::last);
}

int CompletedMonths(std::chrono::sys_days birth, std::chrono::sys_days on) {
  const std::chrono::year_month_day from(birth);
  const std::chrono::year_month_day to(on);
  const int months =
      static_cast<int>((to.year() / to.month() - from.year() / from.month()).count());
  return AddMonths(birth, months) > on ? months - 1 : months;
}

}  // namespace simpul::rules
