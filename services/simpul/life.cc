#include "simpul/life.h"

#include <utility>

#include "simpul/life/care.h"
#include "simpul/life/clerk.h"
#include "simpul/life/codes.h"
#include "simpul/life/illness.h"
#include "simpul/life/motherhood.h"
#include "simpul/life/paperwork.h"
#include "simpul/life/posyandu.h"

namespace simpul::cli {
namespace life {
namespace {

using std::chrono::days;

// Until when somebody lives here: most until the end.
Day Leave(Clerk& clerk, const Person& person) {
  // Out of a thousand: 8 old people die in a year, a family in a hundred moves away.
  const auto dies_permille = static_cast<unsigned>(1 + 30 * clerk.length_days() / 365);
  if (AgeYears(person, clerk.start()) >= 60 && clerk.random().Chance(dies_permille)) {
    const Day day = clerk.SomeDay();
    Status(clerk, person, day, v1::LIFE_STATUS_DIED);
    return day;
  }
  if (person.family % 97 == 13) {
    const Day day = clerk.start() + days(clerk.length_days() * 3 / 4);
    Status(clerk, person, day, v1::LIFE_STATUS_MOVED_AWAY);
    return day;
  }
  return clerk.end();
}

// Pupils, adults and old people at the posyandu.
void Attend(Clerk& clerk, const Person& person, int years, Day until) {
  bool yearly = true;
  const unsigned attends = years >= 60 ? 760 : years >= 18 ? 260 : 340;
  EachPosyandu(clerk, person, until, [&](Day day) {
    if (!clerk.random().Chance(attends)) return;
    if (years >= 60) {
      ElderAtPosyandu(clerk, person, day, std::exchange(yearly, false));
    } else if (years >= 18) {
      AdultAtPosyandu(clerk, person, day);
    } else {
      PupilAtPosyandu(clerk, person, day);
    }
  });
}

// Monthly, for high blood pressure.
void ComeForTreatment(Clerk& clerk, const Person& person, Day until) {
  EachPosyandu(clerk, person, until, [&](Day day) {
    const Day then = day + days(clerk.random().Between(1, 6));
    if (then >= until || !clerk.random().Chance(700)) return;
    const Attendance at = clerk.AtPustu(person, then);
    CheckAdult(clerk, at, &Nurse(at), false);
  });
}

void BeIllAtTimes(Clerk& clerk, const Person& person, int years, Day until) {
  // About once a year, small children twice.
  const unsigned ill = years < 5 ? 170 : 100;
  for (int64_t month = 0; month * 30 < clerk.length_days(); ++month) {
    if (!clerk.random().Chance(ill)) continue;
    const Day day = clerk.start() + days(month * 30 + clerk.random().Between(0, 29));
    if (day < until && day > person.born) FallIll(clerk, person, day);
  }
}

void BeVisitedAtHome(Clerk& clerk, const Person& person, Day until) {
  if (!clerk.random().Chance(static_cast<unsigned>(450 * clerk.length_days() / 365 + 20))) return;
  const Day day = clerk.SomeDay();
  if (day < until && day > person.born) {
    VisitHome(clerk, person, day, v1::HOME_VISIT_REASON_ROUTINE);
  }
}

// A whole life in these days.
void LiveOne(Clerk& clerk, Motherhood& motherhood, const Person& person) {
  const int years = AgeYears(person, clerk.start());
  const Day until = Leave(clerk, person);
  if (clerk.random().Chance(60)) Register(clerk, person, clerk.start());
  if (clerk.random().Chance(90)) Agree(clerk, person);
  if (years < 6) {
    GrowUp(clerk, person, until);
  } else {
    Attend(clerk, person, years, until);
    if (person.hypertensive) ComeForTreatment(clerk, person, until);
  }
  BeIllAtTimes(clerk, person, years, until);
  BeVisitedAtHome(clerk, person, until);
  if (person.mother_to_be) motherhood.Expect(person, until);
}

}  // namespace
}  // namespace life

void Live(uint64_t seed, Village& village, Day start, int days, Outbox& outbox) {
  life::Clerk clerk(seed, village, start, start + std::chrono::days(days), outbox);
  life::Motherhood motherhood(clerk, village);
  const size_t at_first = village.people.size();
  for (size_t i = 0; i < at_first; ++i) {
    // The village grows while it is walked through: who lives must not move.
    const Person person = village.people[i];
    clerk.BeginPerson(i);
    life::LiveOne(clerk, motherhood, person);
  }
}

}  // namespace simpul::cli
