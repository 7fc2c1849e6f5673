#include "lib/area/directory_lines.h"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "lib/area/members.h"
#include "lib/base/hash.h"
#include "lib/base/status_macros.h"
#include "lib/base/text.h"

namespace simpul::area {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::string_view kKinds[] = {
    "ministry", "province_office", "regency_office", "puskesmas",  "pustu", "poskesdes",
    "posyandu", "hospital",        "clinic",         "laboratory", "psc",   "other"};
constexpr std::string_view kStages[] = {"planned", "pilot", "active", "closed"};
constexpr std::string_view kRoles[] = {"kader", "midwife", "nurse", "other"};
constexpr std::string_view kWeekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
// Source: the 25 basic skills of kader in five groups, their tiers: docs/directory.md.
constexpr std::string_view kGroups[] = {"posyandu", "infant_under_five", "pregnant_nursing",
                                        "school_adolescent", "adult_elderly"};
constexpr std::string_view kTiers[] = {"purwa", "madya", "utama"};
constexpr int kSkills = 25;
constexpr std::string_view kMeasurements[] = {
    "weight",      "length",    "head", "muac",        "waist",         "oedema",        "pulse",
    "temperature", "breathing", "spo2", "fetal_heart", "fundal_height", "blood_pressure"};
constexpr uint8_t kEveryDay = 0x7f;
constexpr int kYearFirst = 2000, kYearLast = 2100;
constexpr int64_t kTargetMax = 1'000'000'000;
constexpr std::string_view kRows =
    "facility, unit, serves, roster, target, competency, skill_needed, region";

// Where a line stands.
struct At {
  size_t file = 0;
  size_t line = 0;
  friend auto operator<=>(const At&, const At&) = default;
};

struct RegionRow {
  At at;
  Code code;
  std::string name;
};
struct FacilityRow {
  At at;
  Facility facility;
  std::optional<Code> parent;
};
// A facility that is named by a code, and one of its units.
struct NamedPlace {
  Code facility;
  std::string unit;
};
struct UnitRow {
  At at;
  Code facility;
  Unit unit;
};
struct ServesRow {
  At at;
  NamedPlace place;
  Service service;
};
struct RosterRow {
  At at;
  NamedPlace place;
  Post post;
};
struct TargetRow {
  At at;
  AreaCode area;
  std::string indicator;
  int year = 0;
  uint64_t number = 0;
};
struct CompetencyRow {
  At at;
  Code facility;
  std::string person;
  int skill = 0;
  std::string group;
  Days days;
};
struct NeededRow {
  At at;
  std::string measurement;
  int skill = 0;
  Days days;
};

// What may stand once a day under a key.
class Taken {
 public:
  // Null when nothing under the key meets the days; then they are taken. Else where it stands.
  const At* Take(std::string key, const Days& days, uint8_t weekdays, At at) {
    std::vector<Row>& rows = rows_[std::move(key)];
    for (const Row& row : rows) {
      if (row.days.Meets(days) && (row.weekdays & weekdays) != 0) return &row.at;
    }
    rows.push_back({days, weekdays, at});
    return nullptr;
  }

 private:
  struct Row {
    Days days;
    uint8_t weekdays;
    At at;
  };
  std::map<std::string, std::vector<Row>> rows_;
};

// Texts have no control characters: different parts give different keys.
template <typename... Parts>
std::string Key(const Parts&... parts) {
  std::string key;
  ((key += fmt::format("{}\n", parts)), ...);
  return key;
}

size_t WordIndex(Words words, std::string_view word) {
  return static_cast<size_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

std::vector<Code> ReadRegions(Members& members) {
  std::vector<Code> regions;
  const std::vector<std::string> texts = members.Texts("regions");
  for (size_t i = 0; i < texts.size() && members.ok(); ++i) {
    const std::string at = fmt::format("regions[{}]", i);
    const absl::StatusOr<Code> code = ParseCode(texts[i]);
    if (!code.ok()) {
      members.Fail(at, fmt::format("names no region: {}", base::Message(code.status())));
    } else if (!code->is_region()) {
      members.Fail(at, "names no region; write one such as kemendagri|73.24.02.2003");
    } else if (std::any_of(regions.begin(), regions.end(),
                           [&](const Code& other) { return other.system == code->system; })) {
      members.Fail(at, "is the second of its system; a place stands in one region");
    } else {
      regions.push_back(*code);
    }
  }
  return regions;
}

FacilityRow ReadFacility(Members& members, At at) {
  members.Only({"row", "codes", "kind", "name", "other_names", "parent", "regions", "stages"});
  FacilityRow row{.at = at};
  members.Objects("codes", [&](Members& code) {
    code.Only({"code", "from", "until"});
    row.facility.codes.push_back({code.FacilityCode("code"), code.Days()});
  });
  if (row.facility.codes.empty()) {
    members.Fail("codes", "is missing or empty; a facility has at least one code");
  }
  row.facility.kind = members.Word("kind", kKinds);
  row.facility.name = members.Text("name");
  row.facility.other_names = members.Texts("other_names");
  row.parent = members.OptionalFacilityCode("parent");
  row.facility.regions = ReadRegions(members);
  members.Objects("stages", [&](Members& stage) {
    stage.Only({"stage", "from"});
    const std::string word = stage.Word("stage", kStages);
    const std::optional<Day> from = stage.OptionalDay("from");
    if (stage.ok() && !from) stage.Fail("from", "is missing; a stage begins on a day");
    if (!stage.ok()) return;
    for (const StageFrom& other : row.facility.stages) {
      if (other.from == *from) stage.Fail("from", "is the day of another stage; keep one of them");
    }
    row.facility.stages.push_back(
        {static_cast<Stage>(WordIndex(kStages, word) + static_cast<size_t>(Stage::kPlanned)),
         *from});
  });
  std::sort(row.facility.stages.begin(), row.facility.stages.end(),
            [](const StageFrom& a, const StageFrom& b) { return a.from < b.from; });
  return row;
}

UnitRow ReadUnit(Members& members, At at) {
  members.Only({"row", "facility", "code", "kind", "name", "regions", "active"});
  UnitRow row{.at = at, .facility = members.FacilityCode("facility")};
  row.unit.code = members.Text("code");
  row.unit.kind = members.Word("kind", kKinds);
  row.unit.name = members.Text("name");
  row.unit.regions = ReadRegions(members);
  members.Objects("active", [&](Members& days) {
    days.Only({"from", "until"});
    if (!days.Has("from")) days.Fail("from", "is missing; say the first day");
    row.unit.active.push_back(days.Days());
  });
  return row;
}

ServesRow ReadServes(Members& members, At at) {
  members.Only({"row", "area", "facility", "unit", "person", "from", "until"});
  ServesRow row{.at = at};
  row.service.area = members.Area("area");
  if (members.ok() && !row.service.area.code.is_region()) {
    members.Fail("area", "names a facility; write the region that is served");
  }
  row.place = {members.FacilityCode("facility"), members.OptionalText("unit")};
  row.service.person = members.OptionalText("person");
  row.service.days = members.Days();
  return row;
}

RosterRow ReadRoster(Members& members, At at) {
  members.Only({"row", "facility", "unit", "person", "role", "weekdays", "from", "until"});
  RosterRow row{.at = at,
                .place = {members.FacilityCode("facility"), members.OptionalText("unit")}};
  row.post.person = members.Text("person");
  const std::string role = members.Word("role", kRoles);
  row.post.role = static_cast<Role>(WordIndex(kRoles, role));
  row.post.days = members.Days();
  row.post.weekdays = members.Has("weekdays") ? 0 : kEveryDay;
  for (const std::string& word : members.Texts("weekdays")) {
    const size_t day = WordIndex(kWeekdays, word);
    if (day == std::size(kWeekdays)) {
      members.Fail("weekdays",
                   "has a word that is no weekday; write mon, tue, wed, thu, fri, sat "
                   "or sun");
      break;
    }
    row.post.weekdays |= static_cast<uint8_t>(1U << day);
  }
  if (row.post.weekdays == 0) {
    members.Fail("weekdays", "is empty; name the days, or leave it out for every day");
  }
  return row;
}

TargetRow ReadTarget(Members& members, At at) {
  members.Only({"row", "area", "indicator", "year", "number"});
  TargetRow row{.at = at, .area = members.Area("area"), .indicator = members.Text("indicator")};
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (!std::all_of(row.indicator.begin(), row.indicator.end(), plain)) {
    members.Fail("indicator", "is no name of an indicator; write it as boards do, such as K1");
  }
  row.year = static_cast<int>(members.Number("year", kYearFirst, kYearLast));
  row.number = static_cast<uint64_t>(members.Number("number", 1, kTargetMax));
  return row;
}

CompetencyRow ReadCompetency(Members& members, At at) {
  members.Only({"row", "facility", "person", "skill", "group", "tier", "from", "until"});
  CompetencyRow row{.at = at, .facility = members.FacilityCode("facility")};
  row.person = members.Text("person");
  row.skill = static_cast<int>(members.Number("skill", 1, kSkills));
  row.group = members.Word("group", kGroups);
  members.Word("tier", kTiers);
  row.days = members.Days();
  return row;
}

NeededRow ReadNeeded(Members& members, At at) {
  members.Only({"row", "measurement", "skill", "from", "until"});
  NeededRow row{.at = at, .measurement = members.Word("measurement", kMeasurements)};
  row.skill = static_cast<int>(members.Number("skill", 1, kSkills));
  row.days = members.Days();
  return row;
}

RegionRow ReadRegion(Members& members, At at) {
  members.Only({"row", "code", "name"});
  return {.at = at, .code = members.RegionCode("code"), .name = members.Text("name")};
}

}  // namespace

// Puts a directory together; what is wrong is kept with its line.
class DirectoryBuilder {
 public:
  explicit DirectoryBuilder(std::span<const SourceText> files) : files_(files) {}

  Reading Build() {
    for (size_t file = 0; file < files_.size(); ++file) ReadFile(file);
    if (wrong_count_ == 0) PutTogether();
    Reading reading;
    std::stable_sort(wrong_.begin(), wrong_.end(),
                     [](const Wrong& a, const Wrong& b) { return a.at < b.at; });
    for (Wrong& wrong : wrong_) {
      reading.wrong.push_back({files_[wrong.at.file].name, wrong.at.line, std::move(wrong.what)});
    }
    reading.wrong_count = wrong_count_;
    if (wrong_count_ == 0) {
      directory_.digest_ = Digest();
      reading.directory = std::move(directory_);
    }
    return reading;
  }

 private:
  struct Wrong {
    At at;
    std::string what;
  };

  void Fail(At at, std::string what) {
    ++wrong_count_;
    if (wrong_.size() < kWrongLinesMax) wrong_.push_back({at, std::move(what)});
  }

  void FailTwice(At at, const At& first, std::string_view what) {
    Fail(at, fmt::format("{} stands at {}:{} too; leave one out, or let one end before the other "
                         "begins",
                         what, files_[first.file].name, first.line));
  }

  void ReadFile(size_t file) {
    std::string_view text = files_[file].text;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    for (size_t line = 1; !text.empty(); ++line) {
      const size_t end = text.find('\n');
      ReadLine(text.substr(0, end), {file, line});
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  void ReadLine(std::string_view line, At at) {
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#') return;
    if (line.size() > kLineBytesMax) return Fail(at, "longer than 64 KiB; write one row a line");
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(
        line.data(), line.size());
    if (document.HasParseError()) {
      return Fail(at, fmt::format("no JSON at character {}: {} Write one object a line in UTF-8",
                                  document.GetErrorOffset() + 1,
                                  GetParseError_En(document.GetParseError())));
    }
    absl::Status error;
    Members members(document, error);
    ReadRow(members, at);
    if (!error.ok()) return Fail(at, std::string(base::Message(error)));
    lines_.push_back(line);
  }

  void ReadRow(Members& members, At at) {
    const std::string row = members.Text("row");
    if (!members.ok()) return;
    if (row == "facility") {
      facilities_.push_back(ReadFacility(members, at));
    } else if (row == "unit") {
      units_.push_back(ReadUnit(members, at));
    } else if (row == "serves") {
      serves_.push_back(ReadServes(members, at));
    } else if (row == "roster") {
      roster_.push_back(ReadRoster(members, at));
    } else if (row == "target") {
      targets_.push_back(ReadTarget(members, at));
    } else if (row == "competency") {
      competencies_.push_back(ReadCompetency(members, at));
    } else if (row == "skill_needed") {
      needed_.push_back(ReadNeeded(members, at));
    } else if (row == "region") {
      regions_.push_back(ReadRegion(members, at));
    } else {
      members.Fail("row", fmt::format("is none of its words; write {}", kRows));
    }
  }

  void PutTogether() {
    AddRegions();
    AddFacilities();
    AddUnits();
    AddServices();
    AddPosts();
    AddTargets();
    AddCompetencies();
    AddNeeded();
  }

  void AddRegions() {
    Taken taken;
    for (RegionRow& row : regions_) {
      if (const At* first = taken.Take(row.code.Text(), {}, kEveryDay, row.at)) {
        Fail(row.at, fmt::format("this region stands at {}:{} too; leave one out",
                                 files_[first->file].name, first->line));
      }
      directory_.regions_[row.code.system].emplace(row.code.code, std::move(row.name));
    }
    for (const RegionRow& row : regions_) {
      const std::string above(RegionAbove(row.code.system, row.code.code));
      if (!above.empty() && !directory_.regions_[row.code.system].contains(above)) {
        Fail(row.at, fmt::format("the {} that this {} lies in has no region row; add it",
                                 Word(*RegionLevel(row.code.system, above)),
                                 Word(*RegionLevel(row.code.system, row.code.code))));
      }
    }
  }

  // A list that was read has every region that is named.
  void CheckRegion(std::string_view member, const Code& region, At at) {
    if (directory_.InRegionList(region) != Listed::kNotListed) return;
    Fail(at, fmt::format("\"{}\" names a {} that the region list of {} lacks; correct the code, or "
                         "add a region row",
                         member, Word(*RegionLevel(region.system, region.code)), region.system));
  }

  void AddFacilities() {
    std::sort(facilities_.begin(), facilities_.end(),
              [](const FacilityRow& a, const FacilityRow& b) {
                return std::tie(a.facility.codes.front().code, a.at) <
                       std::tie(b.facility.codes.front().code, b.at);
              });
    Taken taken;
    for (size_t i = 0; i < facilities_.size(); ++i) {
      FacilityRow& row = facilities_[i];
      for (const DatedCode& code : row.facility.codes) {
        if (const At* first = taken.Take(code.code.Text(), code.days, kEveryDay, row.at)) {
          FailTwice(row.at, *first, "one of its codes");
          continue;  // rows that name it are not wrong for that
        }
        directory_.owners_[code.code].push_back({i, code.days});
      }
      for (const Code& region : row.facility.regions) CheckRegion("regions", region, row.at);
      directory_.facilities_.push_back(std::move(row.facility));
    }
    for (size_t i = 0; i < facilities_.size(); ++i) {
      const FacilityRow& row = facilities_[i];
      if (row.parent) directory_.facilities_[i].parent = Named("parent", *row.parent, row.at);
    }
    for (size_t i = 0; i < facilities_.size(); ++i) CutCircle(i);
  }

  // A circle of parents, told at the first facility that leads into it.
  void CutCircle(size_t facility) {
    size_t steps = 0;
    for (auto above = directory_.facilities_[facility].parent; above;
         above = directory_.facilities_[*above].parent) {
      if (*above != facility && ++steps <= facilities_.size()) continue;
      Fail(facilities_[facility].at,
           "\"parent\" leads into a circle; name the facility above this one, or none");
      directory_.facilities_[facility].parent.reset();
      return;
    }
  }

  // The facility that a row names by code.
  std::optional<size_t> Named(std::string_view member, const Code& code, At at) {
    const std::optional<size_t> facility = directory_.FindEver(code);
    if (!facility) {
      Fail(at, directory_.owners_.contains(code)
                   ? fmt::format("\"{}\" is a code that several facilities had; name it by another "
                                 "of its codes",
                                 member)
                   : fmt::format("\"{}\" is the code of no facility here; correct it, or add a "
                                 "facility row",
                                 member));
    }
    return facility;
  }

  std::optional<Place> Named(const NamedPlace& place, At at) {
    const std::optional<size_t> facility = Named("facility", place.facility, at);
    if (!facility) return std::nullopt;
    if (!place.unit.empty() && directory_.FindUnit(*facility, place.unit) == nullptr) {
      Fail(at, "\"unit\" is no unit of the facility; correct it, or add a unit row");
      return std::nullopt;
    }
    return Place{*facility, place.unit};
  }

  void AddUnits() {
    std::vector<std::pair<Place, UnitRow*>> ordered;
    for (UnitRow& row : units_) {
      const std::optional<size_t> facility = Named("facility", row.facility, row.at);
      for (const Code& region : row.unit.regions) CheckRegion("regions", region, row.at);
      if (facility) ordered.push_back({{*facility, row.unit.code}, &row});
    }
    std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
      return std::tie(a.first, a.second->at) < std::tie(b.first, b.second->at);
    });
    Taken taken;
    for (auto& [place, row] : ordered) {
      if (const At* first = taken.Take(Key(place.facility, place.unit), {}, kEveryDay, row->at)) {
        Fail(row->at, fmt::format("this unit stands at {}:{} too; leave one out, and write all its "
                                  "days in \"active\"",
                                  files_[first->file].name, first->line));
        continue;
      }
      row->unit.facility = place.facility;
      directory_.unit_index_.emplace(place, directory_.units_.size());
      directory_.units_.push_back(std::move(row->unit));
    }
  }

  void AddServices() {
    Taken taken;
    for (ServesRow& row : serves_) {
      CheckRegion("area", row.service.area.code, row.at);
      const std::optional<Place> place = Named(row.place, row.at);
      if (!place) continue;
      row.service.place = *place;
      if (const At* first = taken.Take(
              Key(row.service.area.Text(), place->facility, place->unit, row.service.person),
              row.service.days, kEveryDay, row.at)) {
        FailTwice(row.at, *first, "the same area and who serves it");
      }
      directory_.services_in_[row.service.area.code].push_back(directory_.services_.size());
      directory_.services_.push_back(std::move(row.service));
    }
  }

  void AddPosts() {
    Taken taken;
    for (RosterRow& row : roster_) {
      const std::optional<Place> place = Named(row.place, row.at);
      if (!place) continue;
      const std::string& kind = place->unit.empty()
                                    ? directory_.facilities_[place->facility].kind
                                    : directory_.FindUnit(place->facility, place->unit)->kind;
      if (kind != "pustu") {
        Fail(row.at, "the place is no pustu; a roster is of a pustu: name its unit");
      }
      if (const At* first = taken.Take(Key(place->facility, place->unit, row.post.person),
                                       row.post.days, row.post.weekdays, row.at)) {
        FailTwice(row.at, *first, "this person in this pustu");
      }
      directory_.posts_[*place].push_back(std::move(row.post));
    }
  }

  void AddTargets() {
    Taken taken;
    for (TargetRow& row : targets_) {
      if (row.area.code.is_region()) {
        CheckRegion("area", row.area.code, row.at);
      } else {
        const std::optional<size_t> facility = Named("area", row.area.code, row.at);
        if (!facility) continue;
        row.area.code = directory_.facilities_[*facility].codes.front().code;
      }
      if (const At* first =
              taken.Take(Key(row.area.Text(), row.indicator, row.year), {}, kEveryDay, row.at)) {
        Fail(row.at, fmt::format("the same area, indicator and year stand at {}:{} too; leave one "
                                 "out",
                                 files_[first->file].name, first->line));
      }
      directory_.targets_.insert_or_assign({row.area, row.indicator, row.year}, row.number);
    }
  }

  void AddCompetencies() {
    Taken taken;
    std::array<const CompetencyRow*, kSkills + 1> first_of = {};
    for (const CompetencyRow& row : competencies_) {
      const CompetencyRow*& known = first_of[static_cast<size_t>(row.skill)];
      if (known == nullptr) known = &row;
      if (known->group != row.group) {
        Fail(row.at, fmt::format("\"group\" differs from {}:{} for the same skill; a skill belongs "
                                 "to one group",
                                 files_[known->at.file].name, known->at.line));
      }
      const std::optional<size_t> facility = Named("facility", row.facility, row.at);
      if (!facility) continue;
      if (const At* first =
              taken.Take(Key(*facility, row.person, row.skill), row.days, kEveryDay, row.at)) {
        FailTwice(row.at, *first, "the same person and skill");
      }
      directory_.competencies_[{*facility, row.person}].push_back({row.skill, row.days});
    }
  }

  void AddNeeded() {
    Taken taken;
    for (const NeededRow& row : needed_) {
      if (const At* first =
              taken.Take(Key(row.measurement, row.skill), row.days, kEveryDay, row.at)) {
        FailTwice(row.at, *first, "the same measurement and skill");
      }
      directory_.needed_[row.measurement].push_back({row.skill, row.days});
    }
  }

  std::string Digest() {
    std::sort(lines_.begin(), lines_.end());
    base::Sha256Sum sum;
    for (const std::string_view line : lines_) {
      sum.Add(line);
      sum.Add("\n");
    }
    return base::Hex(base::AsBytes(sum.Take()));
  }

  const std::span<const SourceText> files_;
  std::vector<Wrong> wrong_;
  size_t wrong_count_ = 0;
  std::vector<std::string_view> lines_;  // those that say something
  std::vector<RegionRow> regions_;
  std::vector<FacilityRow> facilities_;
  std::vector<UnitRow> units_;
  std::vector<ServesRow> serves_;
  std::vector<RosterRow> roster_;
  std::vector<TargetRow> targets_;
  std::vector<CompetencyRow> competencies_;
  std::vector<NeededRow> needed_;
  Directory directory_;
};

std::string WrongLine::Text() const { return fmt::format("{}:{}: {}", file, line, what); }

Reading ReadLines(std::span<const SourceText> files) { return DirectoryBuilder(files).Build(); }

absl::StatusOr<Directory> Parse(std::span<const SourceText> files) {
  Reading reading = ReadLines(files);
  if (reading.wrong_count == 0) return std::move(reading.directory);
  const size_t more = reading.wrong_count - 1;
  return absl::InvalidArgumentError(
      more == 0 ? reading.wrong.front().Text()
                : fmt::format("{} ({} more: simpul directory FILE… names them)",
                              reading.wrong.front().Text(), more));
}

}  // namespace simpul::area
