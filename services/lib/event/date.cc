#include "lib/event/date.h"

#include <fmt/format.h>

#include <algorithm>

namespace simpul::event {

std::optional<std::chrono::sys_days> ParseDay(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [&](size_t begin, size_t count) {
    int value = 0;
    for (char c : text.substr(begin, count)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const int year = number(0, 4);
  const int month = number(5, 2);
  const int day = number(8, 2);
  if (year < 0 || month < 0 || day < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::string FormatDay(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

base::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  // 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
  const int64_t seconds =
      std::clamp<int64_t>(timestamp.seconds(), -62'135'596'800, 253'402'300'799);
  const int32_t nanos = std::clamp<int32_t>(timestamp.nanos(), 0, 999'999'999);
  return base::FromMicros(seconds * 1'000'000 + nanos / 1000);
}

std::chrono::sys_days LocalDay(const v1::EventTime& time) {
  return std::chrono::floor<std::chrono::days>(ToTime(time.time()) +
                                               std::chrono::minutes(time.utc_offset_min()));
}

}  // namespace simpul::event
