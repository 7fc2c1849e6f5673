#include "sandbox/times.h"

#include <chrono>

namespace simpul::sandbox {
namespace {

// The number in text[at, at + count); -1 when there is another character.
int Digits(std::string_view text, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

bool LooksLikeDateTime(std::string_view text) {
  return text.size() > 10 && text[10] == 'T' && text[4] == '-' && text[7] == '-' &&
         Digits(text, 0, 4) >= 0 && Digits(text, 5, 2) >= 0 && Digits(text, 8, 2) >= 0;
}

std::optional<int64_t> ParseDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int year = Digits(text, 0, 4), month = Digits(text, 5, 2), day = Digits(text, 8, 2);
  if (year < 0 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::optional<Instant> ParseDateTime(std::string_view text) {
  if (text.size() != 20 && text.size() != 25) return std::nullopt;
  const std::optional<int64_t> day = ParseDate(text.substr(0, 10));
  if (!day.has_value() || text[10] != 'T' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int hour = Digits(text, 11, 2), minute = Digits(text, 14, 2), second = Digits(text, 17, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return std::nullopt;
  }
  Instant instant{*day * 86400 + hour * 3600 + minute * 60 + second, false};
  if (text.size() == 20) {
    if (text[19] != 'Z') return std::nullopt;
    return instant;
  }
  if ((text[19] != '+' && text[19] != '-') || text[22] != ':') return std::nullopt;
  const int off_hour = Digits(text, 20, 2), off_minute = Digits(text, 23, 2);
  if (off_hour < 0 || off_hour > 14 || off_minute < 0 || off_minute > 59) return std::nullopt;
  const int64_t offset = off_hour * 3600 + off_minute * 60;
  instant.seconds -= text[19] == '+' ? offset : -offset;
  instant.offset_is_utc = text.substr(19) == "+00:00";
  return instant;
}

}  // namespace simpul::sandbox
