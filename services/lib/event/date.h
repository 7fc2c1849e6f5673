// Calendar days as the contract writes them: YYYY-MM-DD.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "simpul/event/v1/event.pb.h"

namespace simpul::event {

// The day, or nothing when the text is not ten characters YYYY-MM-DD or no such day exists.
std::optional<std::chrono::sys_days> ParseDay(std::string_view text);

// The text of a day between the years 0000 and 9999.
std::string FormatDay(std::chrono::sys_days day);

// The instant of a timestamp, rounded down to microseconds. Timestamps out of protobuf's range
// (years 1 to 9999) give the nearest bound.
base::Time ToTime(const google::protobuf::Timestamp& timestamp);

// The day the clock on the wall showed at that time and place.
std::chrono::sys_days LocalDay(const v1::EventTime& time);

}  // namespace simpul::event
