#include "lib/fhir/instant.h"

#include <algorithm>

#include "lib/event/date.h"

namespace simpul::fhir {
namespace {

void PutDigits(char* to, int count, unsigned value) {
  for (int i = count - 1; i >= 0; --i) {
    to[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

std::string FormatInstant(Instant instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const auto seconds = static_cast<unsigned>((instant - day).count());
  std::string text = "0000-00-00T00:00:00+00:00";
  PutDigits(&text[0], 4, static_cast<unsigned>(static_cast<int>(date.year())));
  PutDigits(&text[5], 2, static_cast<unsigned>(date.month()));
  PutDigits(&text[8], 2, static_cast<unsigned>(date.day()));
  PutDigits(&text[11], 2, seconds / 3600);
  PutDigits(&text[14], 2, seconds / 60 % 60);
  PutDigits(&text[17], 2, seconds % 60);
  return text;
}

Instant InstantOf(const google::protobuf::Timestamp& timestamp) {
  return std::chrono::floor<std::chrono::seconds>(event::ToTime(timestamp));
}

Instant LocalMidnight(std::chrono::sys_days local_day, int utc_offset_min) {
  return Instant(local_day) - std::chrono::minutes(utc_offset_min);
}

}  // namespace simpul::fhir
