// Times as the platform takes them: whole seconds, UTC, offset written +00:00.
#pragma once

#include <chrono>
#include <string>

#include "simpul/event/v1/event.pb.h"

namespace simpul::fhir {

using Instant = std::chrono::sys_seconds;

// YYYY-MM-DDThh:mm:ss+00:00.
std::string FormatInstant(Instant instant);

// A timestamp rounded down to the second.
Instant InstantOf(const google::protobuf::Timestamp& timestamp);

// When the clock on the wall showed 00:00 of that day at that offset from UTC.
Instant LocalMidnight(std::chrono::sys_days local_day, int utc_offset_min);

}  // namespace simpul::fhir
