// The posyandu: its monthly day, whom it sees there by their age, and whom its kader visit at home.
#pragma once

#include <algorithm>

#include "simpul/life/clerk.h"

namespace simpul::cli::life {

// The day of the month's posyandu; each post has its own, never a Sunday.
Day PosyanduDay(const Person& person, std::chrono::year_month month);

// Calls `visit` for each posyandu day of the simulated days, before `until`, after the person's
// birth.
template <typename Visit>
void EachPosyandu(const Clerk& clerk, const Person& person, Day until, Visit visit) {
  const std::chrono::year_month_day first{clerk.start()};
  for (std::chrono::year_month month{first.year(), first.month()};;
       month += std::chrono::months(1)) {
    const Day day = PosyanduDay(person, month);
    if (day >= std::min(until, clerk.end())) return;
    if (day >= clerk.start() && day > person.born) visit(day);
  }
}

// A child's months until then: weighed, measured and immunised where it comes, visited at home
// where it does not.
void GrowUp(Clerk& clerk, const Person& child, Day until);

void PupilAtPosyandu(Clerk& clerk, const Person& pupil, Day day);
void AdultAtPosyandu(Clerk& clerk, const Person& person, Day day);
void ElderAtPosyandu(Clerk& clerk, const Person& person, Day day, bool yearly);

void VisitHome(Clerk& clerk, const Person& person, Day day, event::v1::HomeVisitReason reason);

}  // namespace simpul::cli::life
