// Months of age and of schedules: the same day of a later month, or that month's last day where it
// has no such day. Decided by Simpul; regulations count months and do not say how.
#pragma once

#include <chrono>

namespace simpul::rules {

// 31 January and 1 month is 28 February, or 29 in a leap year. Negative months go back.
std::chrono::sys_days AddMonths(std::chrono::sys_days day, int months);

// The greatest n with AddMonths(birth, n) <= on: 0 from the day of birth, negative before it.
int CompletedMonths(std::chrono::sys_days birth, std::chrono::sys_days on);

}  // namespace simpul::rules
