// The growth card of the under-fives (KMS, Kartu Menuju Sehat): did the child gain enough since
// last month? One status for each child and calendar month in which it was weighed.
//
// Pure: all weighings of one child go in, in any order, and everything derived from them comes
// out. A late, corrected or retracted weighing is the same call with other weighings. Views in the
// result point to the caller's text. No call fails. Any number of threads may call.
//
// Sources: N and T by the gain of the month (KBM), BGM and the orange line are the card's, as
// reproduced KMS sheets and public specifications of the programme's anthropometry print them; each
// row of the table names its own. How that holds for weighings on any day (calendar months, B and
// O, the last usable weighing, short and long intervals, what oedema and an implausible weight do)
// is decided by Simpul. docs/kms.md says every rule in plain words and marks which is which.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "simpul/event/v1/identity.pb.h"

namespace simpul::rules {

// KBM (kenaikan berat minimal): the gain that makes an N.
struct KbmRow {
  int from_month;   // completed months of age; the row reaches up to the next one
  uint32_t gain_g;  // grams since the previous month's last weighing
  std::string_view source;
};

// One version of the rules: all that may change is data.
struct KmsRules {
  uint32_t version;
  std::span<const KbmRow> boys;  // by from_month, the first at 1
  std::span<const KbmRow> girls;
  int until_months;         // completed months of age from which there is no status
  int interval_short_days;  // a T after fewer days starts no 2T and proposes nothing
  int interval_long_days;   // an N after more days is shown as interval_long
};

// Every version this program knows, the first is version 1.
std::span<const KmsRules> KmsVersions();

// Null for a version this program does not know.
const KmsRules* FindKmsRules(uint32_t version);

// Grams a child of that age must gain. Nullopt below the first row, from until_months on, and for
// an unknown sex where boys and girls differ.
std::optional<uint32_t> KbmGrams(const KmsRules& rules, event::v1::Sex sex, int completed_months);

// What the growth standard says of one weight: BB/U, weight for age.
struct KmsWeightForAge {
  bool implausible = false;    // z outside the flags of the growth standard
  bool below_minus_3 = false;  // z < -3, implausible or not
  bool above_plus_1 = false;   // z > +1
};

// One weighing. Birth weights, retracted weighings and those after death are not passed.
struct KmsWeighing {
  std::string_view id;        // the caller's, unique among the child's weighings
  std::chrono::sys_days day;  // on the wall calendar where it took place
  // Greater for what stands later on the timeline: occurred_at, recorded_at, facility, event id.
  // Such as its place there. Decides between weighings of one day only.
  uint64_t order = 0;
  uint32_t weight_g = 0;
  // Nullopt where there is no z: sex or birth date unknown, oedema. Then nothing is known to be
  // wrong with the weight, and it is usable.
  std::optional<KmsWeightForAge> weight_for_age;
  bool oedema = false;    // bilateral
  bool training = false;  // an exercise
  // The rules that the weighing's own date picks. Never null.
  const KmsRules* rules = &KmsVersions().front();
};

struct KmsChild {
  std::optional<std::chrono::sys_days> birth_date;
  event::v1::Sex sex = event::v1::SEX_UNSPECIFIED;

  bool operator==(const KmsChild&) const = default;
};

// The status of a month. D, the children weighed, is B + O + N + T: one status each.
enum class KmsStatus {
  kB,  // new (baru): first month, or 0 completed months of age
  kO,  // not weighed last month
  kN,  // gained enough (naik)
  kT,  // did not (tidak naik)
};

// Why a weighing carries no month's status.
enum class KmsNoStatus {
  kTraining,          // an exercise
  kBirthDateUnknown,  // nothing can be said: the card is for a known age
  kBeforeBirth,       // dated before the birth date
  kFrom60Months,      // too old for the card
  kImplausible,       // no one's weight: weigh again
  kLaterInMonth,      // usable, but a later weighing of that month carries the status
  kSexUnknown,        // usable; N for the one sex, T for the other
};

// What a T asks for. Where the child was seen decides where to.
enum class KmsProposal {
  kSingleT,  // weigh again in two weeks
  kTwoT,     // refer
};

// Machine words: "B" "O" "N" "T".
std::string_view Word(KmsStatus status);
// "training" "birth_date_unknown" "before_birth" "from_60_months" "implausible" "later_in_month"
// "sex_unknown".
std::string_view Word(KmsNoStatus reason);
// "single_t" "two_t".
std::string_view Word(KmsProposal proposal);

// One weighing, judged by itself.
struct KmsJudged {
  std::string_view id;
  std::chrono::sys_days day;
  uint32_t weight_g = 0;
  std::optional<int> age_months;  // completed, on that day; nullopt when the birth date is unknown
  bool usable = false;            // may carry a status or be a previous weight
  std::optional<KmsNoStatus> no_status;  // nullopt: it carries its month's status
  bool bgm = false;                      // below the red line: BB/U < -3 SD, or oedema
  bool above_orange = false;             // BB/U > +1 SD
  bool reweigh = false;                  // on the list of those to weigh again

  bool operator==(const KmsJudged&) const = default;
};

// What an N or T rests on.
struct KmsGain {
  size_t previous = 0;  // the previous month's last usable weighing, in Kms::weighings
  int days = 0;         // from there, never 0
  int64_t gain_g = 0;   // negative for a loss
  // Nullopt when the sex is unknown, boys and girls differ, and the status is the same for both.
  std::optional<uint32_t> kbm_g;

  bool operator==(const KmsGain&) const = default;
};

// One month with a status.
struct KmsMonth {
  std::chrono::year_month month;
  KmsStatus status = KmsStatus::kB;
  size_t weighing = 0;  // the month's last usable one, in Kms::weighings; its post counts it
  std::optional<KmsGain> gain;  // with N and T
  bool two_t = false;           // a T, and the month before was one too
  bool bgm = false;             // the weighing's
  bool above_orange = false;    // the weighing's
  bool by_oedema = false;       // a T that without oedema would not be one, or may not be one
  bool interval_short = false;  // a T after fewer days than a status may rest on
  bool interval_long = false;   // an N after more days than the gain asked for
  std::optional<KmsProposal> proposes;
  uint32_t rules = 0;  // version

  bool operator==(const KmsMonth&) const = default;
};

struct Kms {
  std::vector<KmsJudged> weighings;  // all, by day and order
  std::vector<KmsMonth> months;      // ascending, one at most for each

  bool operator==(const Kms&) const = default;
};

// Whether the weighing by itself may carry a status or be a previous weight.
bool IsUsable(const KmsChild& child, const KmsWeighing& weighing);

Kms DeriveKms(const KmsChild& child, std::span<const KmsWeighing> weighings);

}  // namespace simpul::rules
