// How far the roll-out is in a month: which units take part, which Pustu are staffed, which serve.
//
// What counts is what a place was on the day itself. An event from a place that took no part that
// day stays on its timeline and goes to the platform; only these numbers leave it out, and say how
// many. Source: the local launches' decrees, docs/directory.md.
//
// Pure. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "lib/area/directory.h"

namespace simpul::area {

// What a place recorded on one day.
struct ServiceDay {
  Code facility;     // as the events name it
  std::string unit;  // as the events name it; empty: the facility itself
  Day day;           // local day of the events
  uint64_t events = 1;
};

// A unit here is a unit row, or a facility that is a Pustu or posyandu of its own.
struct RollOut {
  uint64_t active_facilities = 0;  // on at least one day of the month
  uint64_t active_units = 0;       // likewise
  uint64_t pustu = 0;              // of the active units
  uint64_t pustu_ready = 0;        // of the pustu: ready on every day that they were active
  uint64_t pustu_days = 0;         // days that pustu were active, all together
  uint64_t pustu_days_ready = 0;
  uint64_t pustu_days_with_service = 0;
  uint64_t left_out_not_active = 0;  // events from places that took no part that day
  uint64_t left_out_unknown = 0;     // events from places that the directory does not know, or does
                                     // not say since when they take part
  friend bool operator==(const RollOut&, const RollOut&) = default;
};

// `services` of the area and month, in any order; a place and day may stand there several times.
// Those of another month, and of places known to stand elsewhere, are passed over; a place that the
// directory does not know is taken to be in the area. A facility's area is read as it is on the
// month's last day.
RollOut RollOutOf(const Directory& directory, const AreaCode& area, std::chrono::year_month month,
                  std::span<const ServiceDay> services);

}  // namespace simpul::area
