#include "lib/area/roll_out.h"

#include <algorithm>
#include <set>
#include <utility>

namespace simpul::area {
namespace {

Days DaysOf(std::chrono::year_month month) {
  return {.from = Day(month / 1), .until = Day((month + std::chrono::months(1)) / 1)};
}

bool IsUnitKind(std::string_view kind) { return kind == "pustu" || kind == "posyandu"; }

// A Pustu's or another unit's month.
void CountUnit(const Directory& directory, const Place& place, bool is_pustu, const Days& month,
               const std::set<std::pair<Place, Day>>& served, RollOut& counts) {
  uint64_t active = 0;
  uint64_t ready = 0;
  uint64_t with_service = 0;
  for (Day day = month.from; day < month.until; day += std::chrono::days(1)) {
    if (directory.ActivityOn(place, day) != Activity::kActive) continue;
    ++active;
    ready += directory.ReadinessOn(place, day).ready();
    with_service += served.contains({place, day});
  }
  if (active == 0) return;
  ++counts.active_units;
  if (!is_pustu) return;
  ++counts.pustu;
  counts.pustu_ready += ready == active;
  counts.pustu_days += active;
  counts.pustu_days_ready += ready;
  counts.pustu_days_with_service += with_service;
}

}  // namespace

RollOut RollOutOf(const Directory& directory, const AreaCode& area, std::chrono::year_month month,
                  std::span<const ServiceDay> services) {
  RollOut counts;
  const Days days = DaysOf(month);
  const Day last = days.until - std::chrono::days(1);
  const std::vector<size_t> facilities = directory.FacilitiesUnder(area, last);
  const std::vector<size_t> units = directory.UnitsUnder(area, last);
  std::set<Place> here;
  for (const size_t facility : facilities) here.insert({facility, ""});
  for (const size_t unit : units) {
    here.insert({directory.units()[unit].facility, directory.units()[unit].code});
  }

  std::set<std::pair<Place, Day>> served;
  for (const ServiceDay& service : services) {
    if (!days.Holds(service.day)) continue;
    const std::optional<size_t> facility = directory.Find(service.facility, service.day);
    const bool known = facility && (service.unit.empty() ||
                                    directory.FindUnit(*facility, service.unit) != nullptr);
    if (!known) {
      counts.left_out_unknown += service.events;
      continue;
    }
    const Place place{*facility, service.unit};
    if (!here.contains(place)) continue;
    switch (directory.ActivityOn(place, service.day)) {
      case Activity::kActive:
        if (service.events > 0) served.insert({place, service.day});
        break;
      case Activity::kNotActive:
        counts.left_out_not_active += service.events;
        break;
      case Activity::kUnknown:
        counts.left_out_unknown += service.events;
        break;
    }
  }

  for (const size_t facility : facilities) {
    const std::string& kind = directory.facilities()[facility].kind;
    bool active = false;
    for (Day day = days.from; day < days.until && !active; day += std::chrono::days(1)) {
      active = directory.ActivityOn(Place{facility, ""}, day) == Activity::kActive;
    }
    counts.active_facilities += active;
    if (IsUnitKind(kind)) {
      CountUnit(directory, {facility, ""}, kind == "pustu", days, served, counts);
    }
  }
  for (const size_t unit : units) {
    const Unit& row = directory.units()[unit];
    CountUnit(directory, {row.facility, row.code}, row.kind == "pustu", days, served, counts);
  }
  return counts;
}

}  // namespace simpul::area
