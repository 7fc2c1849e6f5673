// Checks of the small values that events are made of. Each adds what it finds at its path.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "lib/event/findings.h"
#include "simpul/event/v1/event.pb.h"

namespace simpul::event {

// Limits of text, in bytes.
inline constexpr size_t kIdMax = 64;
inline constexpr size_t kLongIdMax = 128;  // visit_id and session_id hold dates and places
inline constexpr size_t kNameMax = 200;
inline constexpr size_t kLineMax = 500;
inline constexpr size_t kNoteMax = 4000;

// What the checks of one event share.
struct Checks {
  Findings& out;
  base::Time now;
  // The local day of occurred_at; nothing where the time is unusable.
  std::optional<std::chrono::sys_days> event_day;
  // The subject's birth date; nothing where there is none.
  std::optional<std::chrono::sys_days> birth_day;
  // The subject's sex as said.
  v1::Sex sex = v1::SEX_UNSPECIFIED;
  // A kader wrote it down.
  bool by_kader = false;
};

// Adds field.required at `parent`.`name`.
void Missing(Checks& c, const Path& parent, std::string_view name);

// Free text: not too long, no control characters.
void CheckText(Checks& c, const Path& where, std::string_view text, size_t bytes_max);

// The same, and not empty.
void CheckRequiredText(Checks& c, const Path& where, std::string_view text, size_t bytes_max);

// An id of a program, device or facility: text that does not look like a NIK. May be empty.
void CheckId(Checks& c, const Path& where, std::string_view id, size_t bytes_max = kIdMax);

// The same of letters, digits and . _ : / -.
void CheckPlainId(Checks& c, const Path& where, std::string_view id, size_t bytes_max = kIdMax);

// A lower-case UUID, not empty.
void CheckEventId(Checks& c, const Path& where, std::string_view id);

// A choice that must be made.
void CheckChosen(Checks& c, const Path& where, int choice);

// A day YYYY-MM-DD, or empty. Nothing when it is either empty or wrong.
std::optional<std::chrono::sys_days> CheckDay(Checks& c, const Path& where, std::string_view text);

// The same for a day that cannot lie after the event or before the subject's birth.
std::optional<std::chrono::sys_days> CheckPastDay(Checks& c, const Path& where,
                                                  std::string_view text);

// An instant: well formed, not before 2000. False when unusable.
bool CheckTimestamp(Checks& c, const Path& where, const google::protobuf::Timestamp& timestamp);

// The same, and not ahead of now by more than 24 hours.
bool CheckPastTimestamp(Checks& c, const Path& where, const google::protobuf::Timestamp& timestamp);

// Adds time.ahead or time.too_far_ahead where `time` is ahead of now.
void CheckNotAhead(Checks& c, const Path& where, base::Time time);

// A code that is present: system, code, display.
void CheckCode(Checks& c, const Path& where, const v1::Code& code);

// A code that is present and must be ICD-10; a kader's is warned about.
void CheckDiagnosisCode(Checks& c, const Path& where, const v1::Code& code);

// Decimal text, not empty.
void CheckDecimal(Checks& c, const Path& where, std::string_view text);

// A quantity that is present: value and unit.
void CheckQuantity(Checks& c, const Path& where, const v1::Quantity& quantity);

// The same for what was given: more than zero.
void CheckAmount(Checks& c, const Path& where, const v1::Quantity& quantity);

void CheckDevice(Checks& c, const Path& where, const v1::MeasuringDevice& device);
void CheckAddress(Checks& c, const Path& where, const v1::Address& address);

// A facility that is present.
void CheckFacility(Checks& c, const Path& where, const v1::Facility& facility);

// A unit that is present.
void CheckUnit(Checks& c, const Path& where, const v1::Unit& unit);

// A NIK: possible or not, and what is doubtful about it. `birth_day` and `sex` are what it is
// compared with, where known.
void CheckNik(Checks& c, const Path& where, std::string_view nik,
              std::optional<std::chrono::sys_days> birth_day, v1::Sex sex);

// An insurance card number, not empty.
void CheckCardNumber(Checks& c, const Path& where, std::string_view number);

// One identity. `own` when it is the subject's: then it is compared with the demographics.
void CheckIdentity(Checks& c, const Path& where, const v1::Identity& identity, bool own);

// True when `list` is not too long; otherwise added, and only the first `count_max` are worth
// checking. Returns how many to check.
int CheckCount(Checks& c, const Path& where, int count, int count_max);

}  // namespace simpul::event
