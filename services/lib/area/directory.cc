#include "lib/area/directory.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace simpul::area {
namespace {

bool StandsIn(const std::vector<Code>& regions, const Code& region) {
  return std::any_of(regions.begin(), regions.end(),
                     [&](const Code& code) { return Within(region, code); });
}

// The more an area says, the higher.
int Exactness(const AreaCode& area) {
  const int level = static_cast<int>(*RegionLevel(area.code.system, area.code.code));
  return level * 8 + (area.below.rt.empty() ? 0 : 4) + (area.below.rw.empty() ? 0 : 2) +
         (area.below.dusun.empty() ? 0 : 1);
}

}  // namespace

std::string_view Word(Stage stage) {
  switch (stage) {
    case Stage::kUnknown:
      return "unknown";
    case Stage::kPlanned:
      return "planned";
    case Stage::kPilot:
      return "pilot";
    case Stage::kActive:
      return "active";
    case Stage::kClosed:
      return "closed";
  }
  return "";
}

Counts Directory::Count() const {
  Counts counts{.facilities = facilities_.size(),
                .units = units_.size(),
                .services = services_.size(),
                .targets = targets_.size()};
  for (const auto& [place, posts] : posts_) counts.posts += posts.size();
  for (const auto& [person, competencies] : competencies_) {
    counts.competencies += competencies.size();
  }
  for (const auto& [measurement, skills] : needed_) counts.needed_skills += skills.size();
  for (const auto& [key, number] : targets_) ++counts.targets_by_indicator[key.indicator];
  for (const auto& [system, names] : regions_) {
    for (const auto& [code, name] : names) {
      ++counts.regions[system][static_cast<size_t>(*RegionLevel(system, code))];
    }
  }
  return counts;
}

std::optional<size_t> Directory::Find(const Code& code, Day day) const {
  const auto owners = owners_.find(code);
  if (owners == owners_.end()) return std::nullopt;
  for (const Owner& owner : owners->second) {
    if (owner.days.Holds(day)) return owner.facility;
  }
  return std::nullopt;
}

std::optional<size_t> Directory::FindEver(const Code& code) const {
  const auto owners = owners_.find(code);
  if (owners == owners_.end()) return std::nullopt;
  const size_t first = owners->second.front().facility;
  for (const Owner& owner : owners->second) {
    if (owner.facility != first) return std::nullopt;
  }
  return first;
}

const Unit* Directory::FindUnit(size_t facility, std::string_view code) const {
  const auto found = unit_index_.find({facility, std::string(code)});
  return found == unit_index_.end() ? nullptr : &units_[found->second];
}

std::vector<size_t> Directory::Ancestors(size_t facility) const {
  std::vector<size_t> ancestors;
  for (auto above = facilities_[facility].parent; above; above = facilities_[*above].parent) {
    ancestors.push_back(*above);
  }
  return ancestors;
}

std::vector<bool> Directory::Below(size_t facility) const {
  std::vector<bool> below(facilities_.size());
  for (size_t i = 0; i < facilities_.size(); ++i) {
    for (std::optional<size_t> at = i; at && !below[i]; at = facilities_[*at].parent) {
      below[i] = *at == facility;
    }
  }
  return below;
}

std::vector<size_t> Directory::FacilitiesUnder(const AreaCode& area, Day day) const {
  std::vector<size_t> under;
  if (!area.below.empty()) return under;
  std::vector<bool> below;
  if (!area.code.is_region()) {
    const std::optional<size_t> top = Find(area.code, day);
    if (!top) return under;
    below = Below(*top);
  }
  for (size_t i = 0; i < facilities_.size(); ++i) {
    if (area.code.is_region() ? StandsIn(facilities_[i].regions, area.code) : below[i]) {
      under.push_back(i);
    }
  }
  return under;
}

std::vector<size_t> Directory::UnitsUnder(const AreaCode& area, Day day) const {
  std::vector<size_t> under;
  if (!area.below.empty()) return under;
  std::vector<bool> below;
  if (!area.code.is_region()) {
    const std::optional<size_t> top = Find(area.code, day);
    if (!top) return under;
    below = Below(*top);
  }
  for (size_t i = 0; i < units_.size(); ++i) {
    const Unit& unit = units_[i];
    const auto& regions = unit.regions.empty() ? facilities_[unit.facility].regions : unit.regions;
    if (area.code.is_region() ? StandsIn(regions, area.code) : below[unit.facility]) {
      under.push_back(i);
    }
  }
  return under;
}

Stage Directory::StageOn(size_t facility, Day day) const {
  const std::vector<StageFrom>& stages = facilities_[facility].stages;
  if (stages.empty()) return Stage::kUnknown;
  Stage stage = Stage::kPlanned;
  for (const StageFrom& next : stages) {
    if (next.from <= day) stage = next.stage;
  }
  return stage;
}

Activity Directory::ActivityOn(const Code& facility, std::string_view unit, Day day) const {
  const std::optional<size_t> found = Find(facility, day);
  return found ? ActivityOn({*found, std::string(unit)}, day) : Activity::kUnknown;
}

Activity Directory::ActivityOn(const Place& place, Day day) const {
  const Unit* unit = nullptr;
  if (!place.unit.empty()) {
    unit = FindUnit(place.facility, place.unit);
    if (unit == nullptr) return Activity::kUnknown;
  }
  const Stage stage = StageOn(place.facility, day);
  if (stage == Stage::kUnknown) return Activity::kUnknown;
  if (stage != Stage::kPilot && stage != Stage::kActive) return Activity::kNotActive;
  if (unit == nullptr || unit->active.empty()) return Activity::kActive;
  const bool holds = std::any_of(unit->active.begin(), unit->active.end(),
                                 [&](const Days& days) { return days.Holds(day); });
  return holds ? Activity::kActive : Activity::kNotActive;
}

bool Directory::Contains(const AreaCode& area, const event::v1::Address& residence, Day day) const {
  if (area.code.is_region()) return area::Contains(area, residence);
  if (!area.below.Holds(HamletOf(residence))) return false;
  const std::optional<size_t> top = Find(area.code, day);
  if (!top) return false;
  for (const Service& service : Serving(residence, day)) {
    for (std::optional<size_t> at = service.place.facility; at; at = facilities_[*at].parent) {
      if (*at == *top) return true;
    }
  }
  return false;
}

std::vector<Service> Directory::Serving(const event::v1::Address& residence, Day day) const {
  std::vector<Service> serving;
  const std::string& system = residence.village_system();
  const Hamlet home = HamletOf(residence);
  std::string_view region = residence.village_code();
  if (RegionLevel(system, region) != Level::kVillage) return serving;
  for (; !region.empty(); region = RegionAbove(system, region)) {
    const auto rows = services_in_.find({system, std::string(region)});
    if (rows == services_in_.end()) continue;
    for (const size_t row : rows->second) {
      const Service& service = services_[row];
      if (service.days.Holds(day) && service.area.below.Holds(home)) serving.push_back(service);
    }
  }
  std::sort(serving.begin(), serving.end(), [](const Service& a, const Service& b) {
    const int exact_a = Exactness(a.area);
    const int exact_b = Exactness(b.area);
    if (exact_a != exact_b) return exact_a > exact_b;
    return std::tie(a.area, a.place, a.person) < std::tie(b.area, b.place, b.person);
  });
  return serving;
}

Listed Directory::InRegionList(const Code& region) const {
  const auto names = regions_.find(region.system);
  if (names == regions_.end()) return Listed::kNoList;
  return names->second.contains(region.code) ? Listed::kListed : Listed::kNotListed;
}

std::string_view Directory::RegionName(const Code& region) const {
  const auto names = regions_.find(region.system);
  if (names == regions_.end()) return {};
  const auto found = names->second.find(region.code);
  return found == names->second.end() ? std::string_view() : found->second;
}

Readiness Directory::ReadinessOn(const Place& place, Day day) const {
  Readiness readiness;
  const auto posts = posts_.find(place);
  if (posts == posts_.end()) return readiness;
  const unsigned weekday = std::chrono::weekday(day).c_encoding();
  for (const Post& post : posts->second) {
    if (!post.days.Holds(day) || (post.weekdays >> weekday & 1) == 0) continue;
    readiness.midwives += post.role == Role::kMidwife;
    readiness.nurses += post.role == Role::kNurse;
    readiness.kader += post.role == Role::kKader;
  }
  return readiness;
}

std::optional<uint64_t> Directory::Target(const AreaCode& area, std::string_view indicator,
                                          int year) const {
  TargetKey key{area, std::string(indicator), year};
  if (!area.code.is_region()) {
    const std::optional<size_t> facility = FindEver(area.code);
    if (!facility) return std::nullopt;
    key.area.code = facilities_[*facility].codes.front().code;
  }
  const auto found = targets_.find(key);
  if (found == targets_.end()) return std::nullopt;
  return found->second;
}

Skill Directory::SkillOn(const Code& facility, std::string_view person,
                         std::string_view measurement, Day day) const {
  const auto needed = needed_.find(measurement);
  std::set<int> skills;
  if (needed != needed_.end()) {
    for (const Competency& row : needed->second) {
      if (row.days.Holds(day)) skills.insert(row.skill);
    }
  }
  if (skills.empty()) return Skill::kNotAsked;
  const std::optional<size_t> found = Find(facility, day);
  if (!found) return Skill::kUnknown;
  const auto rows = competencies_.find({*found, std::string(person)});
  if (rows == competencies_.end()) return Skill::kUnknown;
  for (const Competency& row : rows->second) {
    if (row.days.Holds(day)) skills.erase(row.skill);
  }
  return skills.empty() ? Skill::kHas : Skill::kLacks;
}

}  // namespace simpul::area
