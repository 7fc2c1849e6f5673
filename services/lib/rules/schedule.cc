#include "lib/rules/schedule.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include "lib/rules/calendar_months.h"

namespace simpul::rules {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr Span Months(int months) { return {.months = months}; }

// With a birth date and no hour, 24 hours have passed for certain from the second day after it.
constexpr DoseRow kDoses1[] = {
    {.what = "HB0",
     .antigen = "HB0",
     .number = 1,
     .ideal = Months(0),
     .before = Span{.days = 2},
     .after = AfterWindow::kMissed},
    {.what = "BCG", .antigen = "BCG", .number = 1, .ideal = Months(0), .before = Months(1)},
    {.what = "OPV1", .antigen = "OPV", .number = 1, .ideal = Months(0)},
    {.what = "OPV2", .antigen = "OPV", .number = 2, .ideal = Months(2), .interval = Months(1)},
    {.what = "OPV3", .antigen = "OPV", .number = 3, .ideal = Months(3), .interval = Months(1)},
    {.what = "OPV4", .antigen = "OPV", .number = 4, .ideal = Months(4), .interval = Months(1)},
    {.what = "DPT-HB-HIB1", .antigen = "DPT-HB-HIB", .number = 1, .ideal = Months(2)},
    {.what = "DPT-HB-HIB2",
     .antigen = "DPT-HB-HIB",
     .number = 2,
     .ideal = Months(3),
     .interval = Months(1)},
    {.what = "DPT-HB-HIB3",
     .antigen = "DPT-HB-HIB",
     .number = 3,
     .ideal = Months(4),
     .interval = Months(1)},
    {.what = "DPT-HB-HIB4",
     .antigen = "DPT-HB-HIB",
     .number = 4,
     .ideal = Months(18),
     .before = Months(24),
     .interval = Months(12)},
    {.what = "RV1", .antigen = "RV", .number = 1, .ideal = Months(2), .before = Months(3)},
    {.what = "RV2",
     .antigen = "RV",
     .number = 2,
     .ideal = Months(3),
     .before = Months(4),
     .interval = Months(1)},
    {.what = "RV3",
     .antigen = "RV",
     .number = 3,
     .ideal = Months(4),
     .before = Months(5),
     .interval = Months(1)},
    {.what = "PCV1", .antigen = "PCV", .number = 1, .ideal = Months(2)},
    {.what = "PCV2", .antigen = "PCV", .number = 2, .ideal = Months(3), .interval = Months(1)},
    {.what = "PCV3",
     .antigen = "PCV",
     .number = 3,
     .ideal = Months(12),
     .interval = Span{.days = 56}},
    {.what = "IPV1", .antigen = "IPV", .number = 1, .ideal = Months(4)},
    {.what = "IPV2", .antigen = "IPV", .number = 2, .ideal = Months(9)},
    {.what = "MR1", .antigen = "MR", .number = 1, .ideal = Months(9)},
    {.what = "MR2",
     .antigen = "MR",
     .number = 2,
     .ideal = Months(18),
     .before = Months(24),
     .interval = Months(6)},
    {.what = "JE", .antigen = "JE", .number = 1, .ideal = Months(10), .endemic_only = true},
};

// 48 to 72 hours of life: the second and third day after the birth.
constexpr CheckRow kChecks1[] = {
    {"SHK", {.days = 2}, {.days = 4}, Months(12)},
    {"PKAT", Months(6), Months(7), Months(12)},
};

constexpr unsigned kFebruaryAugust[] = {2, 8};
constexpr unsigned kAugust[] = {8};
constexpr RoundRow kRounds1[] = {
    {"VITAMIN-A", kFebruaryAugust, Months(6), Months(60)},
    {"DEWORMING", kAugust, Months(12), Months(60)},
};

constexpr std::string_view kFirst[] = {"K1"};
constexpr std::string_view kSecond[] = {"K2", "K3"};
constexpr std::string_view kThird[] = {"K4", "K5", "K6"};
constexpr TrimesterRow kTrimesters1[] = {
    {0, 84, kFirst},
    {85, 168, kSecond},
    {169, std::nullopt, kThird},
};

constexpr ContactRow kPostpartum1[] = {
    {"KF1", 0, 2}, {"KF2", 3, 7}, {"KF3", 8, 28}, {"KF4", 29, kPostpartumLastDay}};
constexpr ContactRow kNewborn1[] = {{"KN1", 0, 2}, {"KN2", 3, 7}, {"KN3", 8, 28}};

constexpr OffRow kOff1[] = {
    {"BIAS", "the school doses have no sourced table"},
    {"TD", "women's Td doses have no sourced table"},
    {"PJB", "the repeats have hours, the first measurement has no sourced day"},
    {"TRIPLE-ELIMINATION", "no source gives the days of the HIV, syphilis and hepatitis tests"},
    {"KPSP", "no source gives the ages; the repeat after two weeks follows from a result"},
    {"PRETERM", "no source gives other ages for children born too early or too small"},
};

constexpr std::array kVersions = {
    ScheduleRules{.version = 1,
                  .doses = kDoses1,
                  .doses_until = Months(72),
                  .overdue_months = 1,
                  .ask_months = 2,
                  .checks = kChecks1,
                  .rounds = kRounds1,
                  .trimesters = kTrimesters1,
                  .postpartum = kPostpartum1,
                  .newborn = kNewborn1,
                  .missed_months = 1,
                  .off = kOff1},
};

// What is known of one number of a series.
struct Slot {
  const DoseRow* row = nullptr;
  std::vector<const GivenDose*> doses;  // by day, unknown days last
  bool too_early = false;               // all of them
  std::optional<sys_days> day;          // of the one that counts, else of the last
  sys_days possible;                    // with too_early: the day its interval had passed

  bool given() const { return !doses.empty(); }
};

auto DoseOrder(const GivenDose* dose) {
  return std::tuple(!dose->day.has_value(), dose->day.value_or(sys_days()),
                    dose->number.value_or(0), dose->id);
}

// The nearest dose before that one in the series; null when none is known.
const Slot* Before(std::span<const Slot> series, size_t at) {
  while (at > 0) {
    if (series[--at].given()) return &series[at];
  }
  return nullptr;
}

class Deriving {
 public:
  Deriving(const ScheduleRules& rules, const ScheduleOf& person, sys_days on)
      : rules_(rules), person_(person), on_(on) {}

  Schedule Derive() {
    schedule_.rules = rules_.version;
    schedule_.birth_date_unknown = !person_.birth_date;
    JudgeDoses();
    const bool gone = person_.gone_on && on_ >= *person_.gone_on;
    if (!gone) {
      if (person_.birth_date && on_ >= *person_.birth_date) ListByAge(*person_.birth_date);
      for (const Pregnancy& pregnancy : person_.pregnancies) {
        ListAntenatal(pregnancy);
        if (pregnancy.birth && pregnancy.ended_on) {
          ListContacts(rules_.postpartum, *pregnancy.ended_on, pregnancy.postpartum);
        }
      }
    }
    std::ranges::sort(schedule_.items, {}, [](const DueItem& item) {
      return std::tuple(item.due, item.what, item.state, item.why);
    });
    std::ranges::sort(schedule_.doses, {}, &JudgedDose::id);
    return std::move(schedule_);
  }

 private:
  void List(std::string_view what, DueState state, sys_days due, DueWhy why) {
    const int late = state == DueState::kDue ? 0 : static_cast<int>((on_ - due).count());
    schedule_.items.push_back(
        {.what = what, .state = state, .due = due, .overdue_days = std::max(0, late), .why = why});
  }

  void Judge(const GivenDose& dose, std::string_view what, DoseVerdict verdict) {
    schedule_.doses.push_back({.id = dose.id, .what = what, .verdict = verdict});
  }

  void JudgeDoses() {
    std::set<std::string_view> antigens;
    for (const DoseRow& row : rules_.doses) {
      if (antigens.insert(row.antigen).second) series_.push_back(SeriesOf(row.antigen));
    }
    for (const GivenDose& dose : person_.doses) {
      if (antigens.contains(dose.antigen) || (dose.day && *dose.day > on_)) continue;
      Judge(dose, "", DoseVerdict::kNotInCalendar);
    }
  }

  std::vector<Slot> SeriesOf(std::string_view antigen) {
    std::vector<Slot> series;
    for (const DoseRow& row : rules_.doses) {
      if (row.antigen == antigen) series.push_back({.row = &row});
    }
    Fill(series, antigen);
    for (size_t at = 0; at < series.size(); ++at) JudgeSlot(series, at);
    return series;
  }

  // Numbered doses have their place; the others take, by day, the places left free.
  void Fill(std::vector<Slot>& series, std::string_view antigen) {
    std::vector<const GivenDose*> unnumbered;
    for (const GivenDose& dose : person_.doses) {
      if (dose.antigen != antigen || (dose.day && *dose.day > on_)) continue;
      if (dose.day && person_.birth_date && *dose.day < *person_.birth_date) {
        Judge(dose, "", DoseVerdict::kBeforeBirth);
      } else if (series.size() == 1) {
        series.front().doses.push_back(&dose);
      } else if (!dose.number) {
        unnumbered.push_back(&dose);
      } else if (*dose.number == 0 || *dose.number > series.size()) {
        Judge(dose, "", DoseVerdict::kExtra);
      } else {
        series[*dose.number - 1].doses.push_back(&dose);
      }
    }
    std::ranges::sort(unnumbered, {}, DoseOrder);
    for (const GivenDose* dose : unnumbered) {
      const auto same_day = [&](const Slot& slot) {
        return dose->day && std::ranges::any_of(slot.doses, [&](const GivenDose* other) {
                 return other->day == dose->day;
               });
      };
      auto place = std::ranges::find_if(series, same_day);
      if (place == series.end()) {
        place = std::ranges::find_if(series, [](const Slot& slot) { return !slot.given(); });
      }
      if (place == series.end()) {
        Judge(*dose, "", DoseVerdict::kExtra);
      } else {
        place->doses.push_back(dose);
      }
    }
    for (Slot& slot : series) std::ranges::sort(slot.doses, {}, DoseOrder);
  }

  void JudgeSlot(std::vector<Slot>& series, size_t at) {
    Slot& slot = series[at];
    if (!slot.given()) return;
    const Slot* before = Before(series, at);
    if (before != nullptr && before->day) {
      slot.possible = After(*before->day, slot.row->interval.value_or(Span{}));
    }
    const auto too_early = [&](const GivenDose* dose) {
      return before != nullptr && before->day && dose->day && *dose->day < slot.possible;
    };
    const auto counts = std::ranges::find_if_not(slot.doses, too_early);
    slot.too_early = counts == slot.doses.end();
    slot.day = slot.too_early ? slot.doses.back()->day : (*counts)->day;
    for (const GivenDose* dose : slot.doses) {
      Judge(*dose, slot.row->what,
            too_early(dose)                                 ? DoseVerdict::kTooEarly
            : counts != slot.doses.end() && dose == *counts ? DoseVerdict::kCounts
                                                            : DoseVerdict::kRepeated);
    }
  }

  void ListByAge(sys_days birth) {
    if (on_ < After(birth, rules_.doses_until)) {
      for (const std::vector<Slot>& series : series_) {
        for (size_t at = 0; at < series.size(); ++at) ListDose(birth, series, at);
      }
    }
    for (const CheckRow& row : rules_.checks) ListCheck(birth, row);
    for (const RoundRow& row : rules_.rounds) ListRound(birth, row);
    ListContacts(rules_.newborn, birth, person_.newborn_contacts);
  }

  void ListDose(sys_days birth, const std::vector<Slot>& series, size_t at) {
    const Slot& slot = series[at];
    const DoseRow& row = *slot.row;
    const sys_days ideal = After(birth, row.ideal);
    if (row.endemic_only && !person_.je_endemic) return;
    if (slot.given()) {
      if (slot.too_early) List(row.what, DueState::kAsk, slot.possible, DueWhy::kTooEarly);
      return;
    }
    if (on_ < ideal) return;
    if (std::any_of(series.begin() + at + 1, series.end(),
                    [](const Slot& later) { return later.given(); })) {
      return List(row.what, DueState::kAsk, ideal, DueWhy::kLaterDoseRecorded);
    }
    sys_days due = ideal;
    bool interval_unknown = false;
    if (at > 0) {
      const Slot& before = series[at - 1];
      if (!before.given()) return;  // listed once the one before was given
      if (before.day == on_) return;
      // Without a sourced interval only the calendar's own distance is known to be meant.
      const Span distance{.months = row.ideal.months - before.row->ideal.months};
      if (before.day) {
        due = std::max(ideal, After(*before.day, row.interval.value_or(distance)));
      }
      interval_unknown = !before.day || (!row.interval && on_ < due);
    }
    if (interval_unknown) {
      return List(row.what, DueState::kAsk, ideal, DueWhy::kIntervalUnknown);
    }
    if (on_ < due) return;
    if (row.before && on_ >= After(birth, *row.before)) {
      if (row.after == AfterWindow::kMissed) {
        return List(row.what, DueState::kMissed, After(birth, *row.before) - days(1),
                    DueWhy::kWindowOver);
      }
      return List(row.what, DueState::kAsk, due, DueWhy::kAgeOver);
    }
    if (row.after == AfterWindow::kMissed) {
      List(row.what, DueState::kDue, After(birth, *row.before) - days(1), DueWhy::kWindow);
    } else if (!row.before && on_ > AddMonths(due, rules_.ask_months)) {
      List(row.what, DueState::kAsk, due, DueWhy::kTwoMonthsLate);
    } else if (on_ >= AddMonths(due, rules_.overdue_months)) {
      List(row.what, DueState::kOverdue, due, DueWhy::kOneMonthLate);
    } else {
      List(row.what, DueState::kDue, due, due > ideal ? DueWhy::kInterval : DueWhy::kIdealAge);
    }
  }

  void ListCheck(sys_days birth, const CheckRow& row) {
    if (on_ < After(birth, row.from) || on_ >= After(birth, row.until)) return;
    if (DoneBetween(row.what, birth, on_)) return;
    const sys_days last = After(birth, row.before) - days(1);
    if (on_ <= last) {
      List(row.what, DueState::kDue, last, DueWhy::kWindow);
    } else {
      List(row.what, DueState::kAsk, last, DueWhy::kWindowOver);
    }
  }

  // The round that the asked day lies in: who had the age for it on some day of its month.
  void ListRound(sys_days birth, const RoundRow& row) {
    const std::chrono::year_month_day date(on_);
    std::chrono::year_month month = date.year() / date.month();
    while (std::ranges::find(row.months, static_cast<unsigned>(month.month())) ==
           row.months.end()) {
      month -= std::chrono::months(1);
    }
    const sys_days starts = month / std::chrono::day(1);
    const sys_days first = std::max(starts, After(birth, row.from));
    const sys_days end = std::min(AddMonths(starts, 1), After(birth, row.before));
    if (first >= end || on_ < first || on_ >= After(birth, row.before)) return;
    if (DoneBetween(row.what, starts, on_)) return;
    const sys_days last = end - days(1);
    if (on_ <= last) {
      List(row.what, DueState::kDue, last, DueWhy::kRound);
    } else {
      List(row.what, DueState::kAsk, last, DueWhy::kRoundOver);
    }
  }

  bool DoneBetween(std::string_view what, sys_days first, sys_days last) const {
    return std::ranges::any_of(person_.done, [&](const DoneItem& done) {
      return done.what == what && done.day >= first && done.day <= last;
    });
  }

  void ListContacts(std::span<const ContactRow> rows, sys_days birth,
                    std::span<const sys_days> contacts) {
    for (const ContactRow& row : rows) {
      const sys_days first = birth + days(row.first_day);
      const sys_days last = birth + days(row.last_day);
      if (on_ < first || on_ >= AddMonths(last, rules_.missed_months)) continue;
      const bool met = std::ranges::any_of(
          contacts, [&](sys_days day) { return day >= first && day <= last && day <= on_; });
      if (met) continue;
      if (on_ <= last) {
        List(row.what, DueState::kDue, last, DueWhy::kWindow);
      } else {
        List(row.what, DueState::kMissed, last, DueWhy::kWindowOver);
      }
    }
  }

  void ListAntenatal(const Pregnancy& pregnancy) {
    if (on_ < pregnancy.opened_on || (pregnancy.ended_on && on_ >= *pregnancy.ended_on)) return;
    const sys_days stops = StopsOn(pregnancy);
    if (on_ >= stops) {
      return List("outcome_unknown", DueState::kAsk, stops, DueWhy::kNeverClosed);
    }
    const std::optional<sys_days> lmp = LmpOf(pregnancy);
    if (!lmp) {
      return List("ANC", DueState::kAsk, pregnancy.opened_on, DueWhy::kGestationUnknown);
    }
    for (const TrimesterRow& row : rules_.trimesters) {
      const sys_days first = *lmp + days(row.first_day);
      const sys_days last = row.last_day ? *lmp + days(*row.last_day) : stops - days(1);
      if (on_ < first) continue;
      for (size_t nth = ContactsIn(row, pregnancy, *lmp); nth < row.contacts.size(); ++nth) {
        if (on_ <= last) {
          List(row.contacts[nth], DueState::kDue, last, DueWhy::kWindow);
        } else {
          List(row.contacts[nth], DueState::kMissed, last, DueWhy::kWindowOver);
        }
      }
    }
  }

  // Local days with a contact: two on one day are one.
  size_t ContactsIn(const TrimesterRow& row, const Pregnancy& pregnancy, sys_days lmp) const {
    std::set<sys_days> met;
    for (const AntenatalContact& contact : pregnancy.antenatal) {
      if (contact.day > on_) continue;
      const int counted = static_cast<int>((contact.day - lmp).count());
      const int gestation = pregnancy.lmp ? counted : contact.gestation_days.value_or(counted);
      if (gestation < row.first_day || (row.last_day && gestation > *row.last_day)) continue;
      met.insert(contact.day);
    }
    return met.size();
  }

  const ScheduleRules& rules_;
  const ScheduleOf& person_;
  const sys_days on_;
  std::vector<std::vector<Slot>> series_;
  Schedule schedule_;
};

}  // namespace

std::span<const ScheduleRules> ScheduleVersions() { return kVersions; }

const ScheduleRules* FindScheduleRules(uint32_t version) {
  const auto found = std::ranges::find(kVersions, version, &ScheduleRules::version);
  return found == kVersions.end() ? nullptr : &*found;
}

Schedule DeriveSchedule(const ScheduleRules& rules, const ScheduleOf& person, sys_days on) {
  return Deriving(rules, person, on).Derive();
}

std::string_view Word(DueState state) {
  switch (state) {
    case DueState::kDue:
      return "due";
    case DueState::kOverdue:
      return "overdue";
    case DueState::kAsk:
      return "ask";
    case DueState::kMissed:
      return "missed";
  }
  return "";
}

std::string_view Word(DueWhy why) {
  switch (why) {
    case DueWhy::kIdealAge:
      return "ideal_age";
    case DueWhy::kInterval:
      return "interval";
    case DueWhy::kWindow:
      return "window";
    case DueWhy::kRound:
      return "round";
    case DueWhy::kOneMonthLate:
      return "one_month_late";
    case DueWhy::kTwoMonthsLate:
      return "two_months_late";
    case DueWhy::kAgeOver:
      return "age_over";
    case DueWhy::kWindowOver:
      return "window_over";
    case DueWhy::kRoundOver:
      return "round_over";
    case DueWhy::kTooEarly:
      return "too_early";
    case DueWhy::kIntervalUnknown:
      return "interval_unknown";
    case DueWhy::kLaterDoseRecorded:
      return "later_dose_recorded";
    case DueWhy::kGestationUnknown:
      return "gestation_unknown";
    case DueWhy::kNeverClosed:
      return "never_closed";
  }
  return "";
}

std::string_view Word(DoseVerdict verdict) {
  switch (verdict) {
    case DoseVerdict::kCounts:
      return "counts";
    case DoseVerdict::kTooEarly:
      return "too_early";
    case DoseVerdict::kRepeated:
      return "repeated";
    case DoseVerdict::kExtra:
      return "extra";
    case DoseVerdict::kNotInCalendar:
      return "not_in_calendar";
    case DoseVerdict::kBeforeBirth:
      return "before_birth";
  }
  return "";
}

}  // namespace simpul::rules
