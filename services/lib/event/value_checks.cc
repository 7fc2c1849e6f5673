#include "lib/event/value_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "lib/base/text.h"
#include "lib/base/uuid.h"
#include "lib/event/date.h"
#include "lib/event/subject.h"

namespace simpul::event {
namespace {

using std::chrono::sys_days;

constexpr std::string_view kIcd10 = "http://hl7.org/fhir/sid/icd-10";
constexpr sys_days kYear2000 = std::chrono::year(2000) / 1 / 1;
constexpr std::chrono::hours kAheadMax(24);

// Kepmendagri 300.2.2-2430/2025: 38 provinces.
constexpr std::array<int, 38> kProvinces = {11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 31, 32, 33,
                                            34, 35, 36, 51, 52, 53, 61, 62, 63, 64, 65, 71, 72,
                                            73, 74, 75, 76, 81, 82, 91, 92, 93, 94, 95, 96};

// Categories of WHO's ICD-10 that have no fourth character, as far as primary care meets them.
constexpr std::array<std::string_view, 58> kWholeCategories = {
    "A33", "A34", "A35", "B03", "B04", "B09", "B24", "B54", "B72", "B86", "B89", "B91",
    "B92", "D62", "D65", "D70", "E86", "G10", "I10", "I64", "J00", "J22", "K30", "L22",
    "N40", "N62", "N63", "O13", "O16", "O25", "O40", "P53", "P90", "R02", "R05", "R11",
    "R12", "R13", "R14", "R15", "R17", "R18", "R21", "R31", "R32", "R33", "R34", "R35",
    "R42", "R51", "R53", "R54", "R55", "R58", "R64", "R71", "R80", "R81"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsLetter(char c) { return IsUpper(c) || IsLower(c); }

template <typename Predicate>
bool All(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

int TwoDigits(std::string_view digits, size_t at) {
  return (digits[at] - '0') * 10 + (digits[at + 1] - '0');
}

bool HasControlCharacter(std::string_view text) {
  // What FHIR forbids in a string; text that is refused here could never be sent on.
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<uint8_t>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
  });
}

// Random ids in hexadecimal, such as UUIDs, hold long runs of digits by chance: they are no NIK.
bool IdLooksLikeNik(std::string_view id) {
  if (!base::LooksLikeNik(id) || base::IsUuid(id)) return false;
  std::string rest;
  for (size_t begin = 0; begin < id.size();) {
    size_t end = begin;
    size_t digits = 0;
    size_t letters = 0;
    for (; end < id.size(); ++end) {
      const char c = id[end];
      if (IsDigit(c)) {
        ++digits;
      } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        ++letters;
      } else if (c != '-') {
        break;
      }
    }
    if (digits + letters < 32 || letters < 2) rest += id.substr(begin, end - begin);
    if (end < id.size()) rest += id[end];
    begin = end + 1;
  }
  return base::LooksLikeNik(rest);
}

bool IsDecimal(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (!base::IsDigits(whole) || whole.size() > 15) return false;
  if (point == std::string_view::npos) return true;
  const std::string_view fraction = text.substr(point + 1);
  return base::IsDigits(fraction) && fraction.size() <= 9;
}

bool IsVillageCode(std::string_view system, std::string_view code) {
  if (system == "bps") return code.size() == 10 && base::IsDigits(code);
  // 73.24.02.2003
  if (code.size() != 13) return false;
  for (size_t i = 0; i < code.size(); ++i) {
    const bool dot = i == 2 || i == 5 || i == 8;
    if (dot ? code[i] != '.' : !IsDigit(code[i])) return false;
  }
  return true;
}

void CheckSystemAndCode(Checks& c, const Path& system_path, std::string_view system,
                        const Path& code_path, std::string_view code) {
  CheckRequiredText(c, system_path, system, kIdMax);
  if (!All(system,
           [](char x) { return IsLower(x) || IsDigit(x) || x == '.' || x == '_' || x == '-'; })) {
    c.out.Add("facility.system", system_path);
  }
  if (code.empty()) c.out.Add("field.required", code_path);
  CheckPlainId(c, code_path, code);
}

}  // namespace

void Missing(Checks& c, const Path& parent, std::string_view name) {
  c.out.Add("field.required", Path(parent, name));
}

void CheckText(Checks& c, const Path& where, std::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max) {
    c.out.Add("text.too_long", where, fmt::format("the text is longer than {} bytes", bytes_max));
  }
  if (HasControlCharacter(text)) c.out.Add("text.control", where);
}

void CheckRequiredText(Checks& c, const Path& where, std::string_view text, size_t bytes_max) {
  if (base::IsBlank(text)) c.out.Add("field.required", where);
  CheckText(c, where, text, bytes_max);
}

void CheckId(Checks& c, const Path& where, std::string_view id, size_t bytes_max) {
  if (id.empty()) return;
  CheckText(c, where, id, bytes_max);
  if (IdLooksLikeNik(id)) c.out.Add("id.nik_like", where);
}

void CheckPlainId(Checks& c, const Path& where, std::string_view id, size_t bytes_max) {
  CheckId(c, where, id, bytes_max);
  const bool plain = All(id, [](char x) {
    return IsLetter(x) || IsDigit(x) || std::string_view("._:/-").find(x) != std::string_view::npos;
  });
  if (!plain) c.out.Add("id.shape", where);
}

void CheckEventId(Checks& c, const Path& where, std::string_view id) {
  if (id.empty()) {
    c.out.Add("field.required", where);
  } else if (!base::IsUuid(id)) {
    c.out.Add("id.uuid", where);
  }
}

void CheckChosen(Checks& c, const Path& where, int choice) {
  if (choice == 0) c.out.Add("enum.unspecified", where);
}

std::optional<sys_days> CheckDay(Checks& c, const Path& where, std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::optional<sys_days> day = ParseDay(text);
  if (!day) c.out.Add("day.shape", where);
  return day;
}

std::optional<sys_days> CheckPastDay(Checks& c, const Path& where, std::string_view text) {
  const std::optional<sys_days> day = CheckDay(c, where, text);
  if (!day) return day;
  if (c.event_day && *day > *c.event_day) c.out.Add("day.after_event", where);
  if (c.birth_day && *day < *c.birth_day) c.out.Add("time.before_birth", where);
  return day;
}

bool CheckTimestamp(Checks& c, const Path& where, const google::protobuf::Timestamp& timestamp) {
  // 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
  if (timestamp.seconds() < -62'135'596'800 || timestamp.seconds() > 253'402'300'799 ||
      timestamp.nanos() < 0 || timestamp.nanos() > 999'999'999) {
    c.out.Add("time.malformed", where);
    return false;
  }
  // Midnight of 2000 comes first in the east.
  if (ToTime(timestamp) < kYear2000 - std::chrono::hours(14)) {
    c.out.Add("time.before_2000", where);
    return false;
  }
  return true;
}

void CheckNotAhead(Checks& c, const Path& where, base::Time time) {
  if (time > c.now + kAheadMax) {
    c.out.Add("time.too_far_ahead", where);
  } else if (time > c.now) {
    c.out.Add("time.ahead", where);
  }
}

bool CheckPastTimestamp(Checks& c, const Path& where,
                        const google::protobuf::Timestamp& timestamp) {
  if (!CheckTimestamp(c, where, timestamp)) return false;
  CheckNotAhead(c, where, ToTime(timestamp));
  return true;
}

void CheckCode(Checks& c, const Path& where, const v1::Code& code) {
  const Path system(where, "system");
  CheckRequiredText(c, system, code.system(), kNameMax);
  if (!code.system().empty() &&
      (code.system().find(':') == std::string::npos ||
       !All(code.system(), [](char x) { return x > ' ' && x != 0x7f; }))) {
    c.out.Add("code.system", system);
  }
  const Path text(where, "code");
  CheckRequiredText(c, text, code.code(), kIdMax);
  // FHIR's code: no space around it, single spaces within.
  const std::string_view value = code.code();
  if (!value.empty() &&
      (value.front() == ' ' || value.back() == ' ' || value.find("  ") != std::string_view::npos ||
       value.find_first_of("\t\r\n") != std::string_view::npos)) {
    c.out.Add("code.shape", text);
  }
  CheckText(c, Path(where, "display"), code.display(), kLineMax);
}

void CheckDiagnosisCode(Checks& c, const Path& where, const v1::Code& code) {
  CheckCode(c, where, code);
  if (c.by_kader) c.out.Add("kader.diagnosis", where);
  if (code.system().empty() || code.code().empty()) return;
  if (code.system() != kIcd10) {
    c.out.Add("icd10.system", Path(where, "system"));
    return;
  }
  const std::string_view text = code.code();
  const bool category =
      text.size() >= 3 && IsUpper(text[0]) && IsDigit(text[1]) && IsDigit(text[2]);
  if (category && text.size() == 3) {
    if (!std::binary_search(kWholeCategories.begin(), kWholeCategories.end(), text)) {
      c.out.Add("icd10.three_characters", Path(where, "code"));
    }
  } else if (!category || text.size() < 5 || text.size() > 6 || text[3] != '.' ||
             !base::IsDigits(text.substr(4))) {
    c.out.Add("icd10.shape", Path(where, "code"));
  }
}

void CheckDecimal(Checks& c, const Path& where, std::string_view text) {
  if (text.empty()) {
    c.out.Add("field.required", where);
  } else if (!IsDecimal(text)) {
    c.out.Add("decimal.shape", where);
  }
}

void CheckQuantity(Checks& c, const Path& where, const v1::Quantity& quantity) {
  CheckDecimal(c, Path(where, "value"), quantity.value());
  const Path unit(where, "unit");
  if (quantity.unit().empty()) {
    c.out.Add("field.required", unit);
  } else if (quantity.unit().size() > 40 ||
             !All(quantity.unit(), [](char x) { return x > ' ' && x < 0x7f; })) {
    c.out.Add("unit.shape", unit);
  }
}

void CheckAmount(Checks& c, const Path& where, const v1::Quantity& quantity) {
  CheckQuantity(c, where, quantity);
  if (!IsDecimal(quantity.value())) return;
  const bool zero = quantity.value().find_first_of("123456789") == std::string::npos;
  if (zero || quantity.value()[0] == '-') c.out.Add("quantity.negative", Path(where, "value"));
}

void CheckDevice(Checks& c, const Path& where, const v1::MeasuringDevice& device) {
  CheckText(c, Path(where, "kind"), device.kind(), kNameMax);
  CheckText(c, Path(where, "model"), device.model(), kNameMax);
  CheckId(c, Path(where, "serial"), device.serial());
}

void CheckAddress(Checks& c, const Path& where, const v1::Address& address) {
  const bool system_known =
      address.village_system() == "kemendagri" || address.village_system() == "bps";
  if (!address.village_system().empty() || !address.village_code().empty()) {
    if (!system_known) {
      c.out.Add("village.system", Path(where, "village_system"));
    } else if (!IsVillageCode(address.village_system(), address.village_code())) {
      c.out.Add("village.shape", Path(where, "village_code"));
    }
  }
  CheckText(c, Path(where, "dusun"), address.dusun(), kNameMax);
  for (const auto& [name, digits] :
       {std::pair<std::string_view, std::string_view>{"rw", address.rw()}, {"rt", address.rt()}}) {
    if (!digits.empty() && (digits.size() > 4 || !base::IsDigits(digits))) {
      c.out.Add("rt_rw.digits", Path(where, name));
    }
  }
  CheckText(c, Path(where, "line"), address.line(), kLineMax);
}

void CheckFacility(Checks& c, const Path& where, const v1::Facility& facility) {
  CheckSystemAndCode(c, Path(where, "system"), facility.system(), Path(where, "code"),
                     facility.code());
}

void CheckUnit(Checks& c, const Path& where, const v1::Unit& unit) {
  CheckChosen(c, Path(where, "kind"), unit.kind());
  CheckId(c, Path(where, "code"), unit.code());
  CheckText(c, Path(where, "name"), unit.name(), kNameMax);
}

void CheckNik(Checks& c, const Path& where, std::string_view nik, std::optional<sys_days> birth_day,
              v1::Sex sex) {
  if (nik.size() != 16 || !base::IsDigits(nik)) {
    c.out.Add("nik.digits", where);
    return;
  }
  const int province = TwoDigits(nik, 0);
  const int regency = TwoDigits(nik, 2);
  const int district = TwoDigits(nik, 4);
  int day = TwoDigits(nik, 6);
  const int month = TwoDigits(nik, 8);
  const int year = TwoDigits(nik, 10);
  const bool woman = day > 40;
  if (woman) day -= 40;
  const bool day_possible = day >= 1 && day <= 31;
  const bool month_possible = month >= 1 && month <= 12;
  if (!std::binary_search(kProvinces.begin(), kProvinces.end(), province)) {
    c.out.Add("nik.province", where);
  } else if (regency == 0 || regency == 70 || district == 0) {
    c.out.Add("nik.region", where);
  }
  if (!day_possible) c.out.Add("nik.day", where);
  if (!month_possible) c.out.Add("nik.month", where);
  if (nik.substr(12) == "0000") c.out.Add("nik.serial", where);
  if (birth_day && day_possible && month_possible) {
    const std::chrono::year_month_day born(*birth_day);
    if (static_cast<unsigned>(born.day()) != static_cast<unsigned>(day) ||
        static_cast<unsigned>(born.month()) != static_cast<unsigned>(month) ||
        static_cast<int>(born.year()) % 100 != year) {
      c.out.Add("nik.birth_date", where);
    }
  }
  if (day_possible && ((sex == v1::SEX_MALE && woman) || (sex == v1::SEX_FEMALE && !woman))) {
    c.out.Add("nik.sex", where);
  }
}

void CheckCardNumber(Checks& c, const Path& where, std::string_view number) {
  if (number.size() != 13 || !base::IsDigits(number)) c.out.Add("card.digits", where);
}

void CheckIdentity(Checks& c, const Path& where, const v1::Identity& identity, bool own) {
  const std::optional<sys_days> birth_day = own ? c.birth_day : std::nullopt;
  switch (identity.kind_case()) {
    case v1::Identity::kNik: {
      const Path nik(where, "nik");
      CheckNik(c, Path(nik, "number"), identity.nik().number(), birth_day,
               own ? c.sex : v1::SEX_UNSPECIFIED);
      return;
    }
    case v1::Identity::kNewborn: {
      const Path newborn(where, "newborn");
      CheckNik(c, Path(newborn, "mother_nik"), identity.newborn().mother_nik(), std::nullopt,
               v1::SEX_FEMALE);
      const Path born_path(newborn, "birth_date");
      if (identity.newborn().birth_date().empty()) c.out.Add("field.required", born_path);
      const auto born = CheckDay(c, born_path, identity.newborn().birth_date());
      if (born && own && c.event_day && *born > *c.event_day) {
        c.out.Add("day.after_event", born_path);
      }
      if (born && birth_day && *born != *birth_day) {
        c.out.Add("newborn.birth_date_differs", born_path);
      }
      if (identity.newborn().birth_order() < 1 || identity.newborn().birth_order() > 9) {
        c.out.Add("newborn.order", Path(newborn, "birth_order"));
      }
      return;
    }
    case v1::Identity::kPassport: {
      const Path passport(where, "passport");
      if (identity.passport().country().size() != 3 ||
          !All(identity.passport().country(), IsLetter)) {
        c.out.Add("passport.country", Path(passport, "country"));
      }
      const std::string& number = identity.passport().number();
      if (number.size() < 3 || number.size() > 20 ||
          !All(number, [](char x) { return IsLetter(x) || IsDigit(x); })) {
        c.out.Add("passport.number", Path(passport, "number"));
      }
      return;
    }
    case v1::Identity::kCard: {
      const Path card(where, "card");
      CheckCardNumber(c, Path(card, "number"), identity.card().number());
      return;
    }
    case v1::Identity::kLocal: {
      const Path local(where, "local");
      CheckSystemAndCode(c, Path(local, "system"), identity.local().system(),
                         Path(local, "facility"), identity.local().facility());
      const Path number(local, "number");
      CheckRequiredText(c, number, identity.local().number(), kIdMax);
      if (IdLooksLikeNik(identity.local().number())) c.out.Add("local.nik_like", number);
      return;
    }
    case v1::Identity::KIND_NOT_SET:
      break;
  }
  c.out.Add("field.required", where,
            "the identity is empty: it needs one of nik, newborn, passport, card, local");
}

int CheckCount(Checks& c, const Path& where, int count, int count_max) {
  if (count <= count_max) return count;
  c.out.Add("list.too_long", where, fmt::format("the list has more than {} entries", count_max));
  return count_max;
}

}  // namespace simpul::event
