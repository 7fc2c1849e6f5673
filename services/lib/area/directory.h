// The directory: what an operator writes about the places and people of the programme.
//
// Which facilities and units there are and when they take part, who serves which area, who stands
// in a Pustu, what is to be reached in a year, who has which skill, and the lists of regions.
// docs/directory.md describes the files. It is read when a question is asked: nothing that is
// derived from events depends on it, and it is not the directory of the platform's identifiers
// (lib/fhir/directory.h).
//
// People are ids only, as the clinic's program calls them (event.v1 Recorder.id); an id is known
// within its facility.
//
// Days are local calendar days; `until` is the first day that something no longer holds.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/area/area_code.h"
#include "simpul/event/v1/identity.pb.h"

namespace simpul::area {

using Day = std::chrono::sys_days;

// From the first day it holds to the day it no longer does.
struct Days {
  Day from = Day::min();
  Day until = Day::max();

  bool Holds(Day day) const { return from <= day && day < until; }
  bool Meets(const Days& other) const { return from < other.until && other.from < until; }
};

// How far a facility is in the roll-out. In pilot and active it takes part.
enum class Stage { kUnknown, kPlanned, kPilot, kActive, kClosed };
std::string_view Word(Stage stage);

struct DatedCode {
  Code code;
  Days days;
};

struct StageFrom {
  Stage stage;
  Day from;
};

struct Facility {
  std::vector<DatedCode> codes;  // at least one
  std::string kind;  // puskesmas, pustu, posyandu, hospital, ... one of docs/directory.md
  std::string name;
  std::vector<std::string> other_names;
  std::optional<size_t> parent;   // index among the facilities
  std::vector<Code> regions;      // where it stands, at most one code a system
  std::vector<StageFrom> stages;  // by day, each until the next; empty: not said
};

// A part of a facility with a code of its own: a Pustu, a posyandu.
struct Unit {
  size_t facility;
  std::string code;
  std::string kind;
  std::string name;
  std::vector<Code> regions;  // empty: those of its facility
  std::vector<Days> active;   // empty: as long as its facility
};

// A facility (unit empty), or one of its units.
struct Place {
  size_t facility;
  std::string unit;
  friend bool operator==(const Place&, const Place&) = default;
  friend auto operator<=>(const Place&, const Place&) = default;
};

// Who serves an area: a facility, a unit, or a kader of one.
struct Service {
  AreaCode area;
  Place place;
  std::string person;  // empty: the place as a whole
  Days days;
};

// The contract's recorder roles that stand in a roster.
enum class Role { kKader, kMidwife, kNurse, kOther };

// Somebody who stands in a Pustu.
struct Post {
  std::string person;
  Role role;
  Days days;
  uint8_t weekdays;  // bit 0 is Sunday
};

// Who stands in a place on one day. Ready is what the local decrees ask for every day: 1 midwife
// (bidan), 1 nurse (perawat) and 2 kader.
struct Readiness {
  int midwives = 0, nurses = 0, kader = 0;
  bool ready() const { return midwives >= 1 && nurses >= 1 && kader >= 2; }
};

enum class Activity { kUnknown, kActive, kNotActive };
enum class Listed { kNoList, kListed, kNotListed };
// kNotAsked: no row says that the measurement needs a skill. kUnknown: no row tells any skill of
// this person.
enum class Skill { kNotAsked, kUnknown, kHas, kLacks };

// What is in the files, in numbers.
struct Counts {
  size_t facilities = 0, units = 0, services = 0, posts = 0, targets = 0, competencies = 0,
         needed_skills = 0;
  std::map<std::string, std::array<size_t, 4>, std::less<>> regions;  // by system, then Level
  std::map<std::string, size_t, std::less<>> targets_by_indicator;
};

// Immutable once read (directory_lines.h): share it by shared_ptr<const Directory>. The order of
// lines and files changes no answer. Any thread.
class Directory {
 public:
  // Knows nothing.
  Directory() = default;

  // Facilities by their first code, units by facility and code.
  const std::vector<Facility>& facilities() const { return facilities_; }
  const std::vector<Unit>& units() const { return units_; }
  Counts Count() const;
  // SHA-256, lower-case hexadecimal, of every line that says something, sorted: the same for the
  // same lines in any order and any files. Empty for a directory that was not read.
  const std::string& digest() const { return digest_; }

  // Index of the facility that has the code on that day; nullopt when none has.
  std::optional<size_t> Find(const Code& code, Day day) const;
  // Null when the facility has no such unit.
  const Unit* FindUnit(size_t facility, std::string_view code) const;

  // Its parents, nearest first.
  std::vector<size_t> Ancestors(size_t facility) const;
  // What stands in a region, or the facility that has the code on that day and all below it. In the
  // order of facilities(). Empty for an area below a village: the files do not say where in a
  // village something stands.
  std::vector<size_t> FacilitiesUnder(const AreaCode& area, Day day) const;
  // Likewise, indices of units(); a unit that says no region stands with its facility.
  std::vector<size_t> UnitsUnder(const AreaCode& area, Day day) const;

  // The stage that day: planned before the first one, unknown when the file says none.
  Stage StageOn(size_t facility, Day day) const;
  // Whether it takes part that day: the facility in pilot or active, the unit in days of its own
  // too. Unknown: no such facility or unit, or a facility without stages. `unit` empty: the
  // facility itself.
  Activity ActivityOn(const Code& facility, std::string_view unit, Day day) const;
  Activity ActivityOn(const Place& place, Day day) const;

  // True when someone living there that day lives in the area: for a region by its code; for a
  // facility in an area that it, a unit of it or a facility below it serves that day.
  bool Contains(const AreaCode& area, const event::v1::Address& residence, Day day) const;
  // Who serves where somebody lives, that day: what names RT, RW and dusun before the village,
  // a village before greater regions; then by area, place and person.
  std::vector<Service> Serving(const event::v1::Address& residence, Day day) const;

  // Whether the region list of the code's system has it; kNoList when no region of it was read.
  Listed InRegionList(const Code& region) const;
  // Empty when the list lacks it.
  std::string_view RegionName(const Code& region) const;

  // Everyone is counted once, under the role of that day.
  Readiness ReadinessOn(const Place& place, Day day) const;

  // The number to reach in that year. A facility may be named by any of its codes. nullopt: none.
  std::optional<uint64_t> Target(const AreaCode& area, std::string_view indicator, int year) const;

  // Has this person of the facility every skill that the measurement needs on that day?
  Skill SkillOn(const Code& facility, std::string_view person, std::string_view measurement,
                Day day) const;

 private:
  friend class DirectoryBuilder;

  struct Owner {
    size_t facility;
    Days days;
  };
  struct TargetKey {
    AreaCode area;  // a facility by the first of its codes
    std::string indicator;
    int year;
    friend auto operator<=>(const TargetKey&, const TargetKey&) = default;
  };
  struct Competency {
    int skill;
    Days days;
  };

  // The facility that ever had the code; nullopt when none or several had it.
  std::optional<size_t> FindEver(const Code& code) const;
  // The facility and all below it, by index.
  std::vector<bool> Below(size_t facility) const;

  std::vector<Facility> facilities_;
  std::vector<Unit> units_;
  std::map<Code, std::vector<Owner>> owners_;
  std::map<Place, size_t> unit_index_;
  std::vector<Service> services_;
  std::map<Code, std::vector<size_t>> services_in_;  // by the area's region
  std::map<Place, std::vector<Post>> posts_;
  std::map<TargetKey, uint64_t> targets_;
  std::map<std::pair<size_t, std::string>, std::vector<Competency>> competencies_;  // by person
  std::map<std::string, std::vector<Competency>, std::less<>> needed_;  // by measurement
  std::map<std::string, std::unordered_map<std::string, std::string>, std::less<>>
      regions_;  // system, code: name
  std::string digest_;
};

}  // namespace simpul::area
