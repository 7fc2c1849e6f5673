// What one person is due for on an asked day: immunisation, vitamin A, deworming, antenatal and
// postpartum contacts, newborn contacts and checks.
//
// Pure: what was given and done goes in, in any order; the asked day is an argument. Computed when
// read, never stored. Views in the result point to the rules' and the caller's text. No call fails.
// Any number of threads may call.
//
// Source: KMK HK.01.07/MENKES/2015/2023 for every age, window and interval of the tables. What due,
// overdue, ask and missed mean to the day is decided by Simpul. An interval or an age that no
// source gives is not invented: the row is off, or the answer is `ask`.
// docs/schedules.md says every rule in plain words.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lib/rules/life_stages.h"

namespace simpul::rules {

// What follows the last day in time.
enum class AfterWindow {
  kAsk,     // a health worker decides whether it is still given
  kMissed,  // it was for that time only
};

// One dose of the immunisation calendar.
struct DoseRow {
  std::string_view what;            // antigen and number
  std::string_view antigen;         // as in event.v1.Immunisation.antigen
  uint32_t number;                  // within the antigen's series, from 1
  Span ideal;                       // age from which it is due
  std::optional<Span> before = {};  // age at which it is late for good: `after` from there on
  AfterWindow after = AfterWindow::kAsk;
  std::optional<Span> interval = {};  // since the dose before, at least; nullopt: none is sourced
  bool endemic_only = false;
};

// Something done once at a certain age.
struct CheckRow {
  std::string_view what;
  Span from, before;  // ages; `ask` from `before` on
  Span until;         // no longer listed
};

// What is given to all of an age in certain months of the year. One dose lasts from a month's first
// day to the next of these months.
struct RoundRow {
  std::string_view what;
  std::span<const unsigned> months;  // of the calendar
  Span from, before;                 // ages
};

// A contact in a window of days, both counted in.
struct ContactRow {
  std::string_view what;
  int first_day, last_day;
};

// Contacts of one trimester.
struct TrimesterRow {
  int first_day;                // completed days of gestation
  std::optional<int> last_day;  // nullopt: until the pregnancy ends or stops
  std::span<const std::string_view> contacts;
};

// What stays off, and why.
struct OffRow {
  std::string_view what, why;
};

// One version of the rules: all that may change is data.
struct ScheduleRules {
  uint32_t version;
  std::span<const DoseRow> doses;  // those of an antigen by number
  Span doses_until;                // age from which no dose is listed
  int overdue_months;              // from so long after it was due
  int ask_months;                  // more than so long after it, where no latest age is sourced
  std::span<const CheckRow> checks;
  std::span<const RoundRow> rounds;
  std::span<const TrimesterRow> trimesters;
  std::span<const ContactRow> postpartum;  // days after the birth, of the mother
  std::span<const ContactRow> newborn;     // and of the child
  int missed_months;                       // a missed contact is listed so long
  std::span<const OffRow> off;
};

// Every version this program knows, the first is version 1.
std::span<const ScheduleRules> ScheduleVersions();

// Null for a version this program does not know.
const ScheduleRules* FindScheduleRules(uint32_t version);

// One dose of a vaccine, given here or reported.
struct GivenDose {
  std::string_view id;  // the caller's, unique
  std::string_view antigen;
  std::optional<uint32_t> number = {};
  // Local. Nullopt when it was reported and nobody knows since when.
  std::optional<std::chrono::sys_days> day = {};
};

// A round's dose or a check, by the row's `what`.
struct DoneItem {
  std::string_view what;
  std::chrono::sys_days day;  // local
};

struct ScheduleOf {
  std::optional<std::chrono::sys_days> birth_date;
  std::optional<std::chrono::sys_days> gone_on;  // died or moved away, and did not come back
  bool je_endemic = false;                       // the district is marked so
  std::span<const GivenDose> doses;
  std::span<const DoneItem> done;
  // Local days of contacts of the child, recorded or answered for by a health worker.
  std::span<const std::chrono::sys_days> newborn_contacts;
  std::span<const Pregnancy> pregnancies;
};

enum class DueState { kDue, kOverdue, kAsk, kMissed };

enum class DueWhy {
  kIdealAge,           // due: the age has come
  kInterval,           // due: the interval since the dose before has passed
  kWindow,             // due: the window is open
  kRound,              // due: the month of the round
  kOneMonthLate,       // overdue
  kTwoMonthsLate,      // ask: no latest age is sourced
  kAgeOver,            // ask: past the age that the calendar gives
  kWindowOver,         // ask or missed
  kRoundOver,          // ask: the month of the round has passed without
  kTooEarly,           // ask: what was given came before its interval
  kIntervalUnknown,    // ask: no source, or nobody, tells how long to wait after the dose before
  kLaterDoseRecorded,  // ask: a later dose of the series is known, this one is not
  kGestationUnknown,   // ask: no trimester can be told
  kNeverClosed,        // ask: how did the pregnancy end?
};

struct DueItem {
  std::string_view what;
  DueState state = DueState::kDue;
  std::chrono::sys_days due;  // the ideal day; of a window its last day
  int overdue_days = 0;       // since then; 0 while due
  DueWhy why = DueWhy::kIdealAge;

  bool operator==(const DueItem&) const = default;
};

// What a recorded dose counts for.
enum class DoseVerdict {
  kCounts,
  kTooEarly,       // before its interval: kept, and asked about unless another dose counts
  kRepeated,       // that number was given already
  kExtra,          // more than the calendar has
  kNotInCalendar,  // another antigen
  kBeforeBirth,    // one of the two dates is wrong
};

struct JudgedDose {
  std::string_view id;
  std::string_view what;  // the row; empty when none
  DoseVerdict verdict = DoseVerdict::kCounts;

  bool operator==(const JudgedDose&) const = default;
};

struct Schedule {
  std::vector<DueItem> items;       // by due day, then `what`
  std::vector<JudgedDose> doses;    // by id; those dated after the asked day are not judged
  bool birth_date_unknown = false;  // nothing that goes by age could be derived
  uint32_t rules = 0;               // version

  bool operator==(const Schedule&) const = default;
};

// `rules` are those that the asked day picks. What was given or done after `on` is not counted.
Schedule DeriveSchedule(const ScheduleRules& rules, const ScheduleOf& person,
                        std::chrono::sys_days on);

// "due" "overdue" "ask" "missed".
std::string_view Word(DueState state);
// "ideal_age" "interval" "window" "round" "one_month_late" "two_months_late" "age_over"
// "window_over" "round_over" "too_early" "interval_unknown" "later_dose_recorded"
// "gestation_unknown" "never_closed".
std::string_view Word(DueWhy why);
// "counts" "too_early" "repeated" "extra" "not_in_calendar" "before_birth".
std::string_view Word(DoseVerdict verdict);

}  // namespace simpul::rules
