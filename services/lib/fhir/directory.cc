#include "lib/fhir/directory.h"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <set>
#include <utility>

#include "lib/base/status_macros.h"
#include "lib/base/text.h"
#include "lib/event/date.h"

namespace simpul::fhir {

// Reads the file's members; every refusal names the place and never a value.
class DirectoryReader {
 public:
  explicit DirectoryReader(Directory& directory) : directory_(directory) {}

  absl::Status Read(std::string_view json) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
    if (document.HasParseError()) {
      const size_t at = std::min(document.GetErrorOffset(), json.size());
      const std::string_view before = json.substr(0, at);
      const size_t line = static_cast<size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
      const size_t newline = before.rfind('\n');
      const size_t column = newline == std::string_view::npos ? at + 1 : at - newline;
      return absl::InvalidArgumentError(fmt::format("line {}, column {}: no JSON: {}", line, column,
                                                    GetParseError_En(document.GetParseError())));
    }
    if (!document.IsObject()) return Wrong("the file", "must be one JSON object");
    SIMPUL_RETURN_IF_ERROR(Each(document, "facilities", &DirectoryReader::Facility));
    SIMPUL_RETURN_IF_ERROR(FollowSendsThrough());
    SIMPUL_RETURN_IF_ERROR(Each(document, "units", &DirectoryReader::Unit));
    SIMPUL_RETURN_IF_ERROR(Each(document, "practitioners", &DirectoryReader::Practitioner));
    return Each(document, "defaults", &DirectoryReader::DefaultPractitioner);
  }

 private:
  using Json = rapidjson::Value;

  struct Through {
    std::string place;
    std::string system, code;  // empty: the facility has an organisation of its own
  };

  static absl::Status Wrong(std::string_view place, std::string_view what) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", place, what));
  }

  absl::Status Each(const Json& document, const char* name,
                    absl::Status (DirectoryReader::*read)(const Json&, const std::string&)) {
    const auto member = document.FindMember(name);
    if (member == document.MemberEnd()) return absl::OkStatus();
    if (!member->value.IsArray()) return Wrong(name, "must be a list");
    for (rapidjson::SizeType i = 0; i < member->value.Size(); ++i) {
      const std::string place = fmt::format("{}[{}]", name, i);
      if (!member->value[i].IsObject()) return Wrong(place, "must be an object");
      SIMPUL_RETURN_IF_ERROR((this->*read)(member->value[i], place));
    }
    return absl::OkStatus();
  }

  static absl::StatusOr<std::string> Text(const Json& object, const char* name,
                                          const std::string& place, bool required = false) {
    const auto member = object.FindMember(name);
    if (member == object.MemberEnd() || member->value.IsNull()) {
      if (required) return Wrong(place, fmt::format("\"{}\" is missing", name));
      return std::string();
    }
    if (!member->value.IsString()) return Wrong(place, fmt::format("\"{}\" must be text", name));
    std::string text(member->value.GetString(), member->value.GetStringLength());
    if (required && text.empty()) return Wrong(place, fmt::format("\"{}\" is empty", name));
    return text;
  }

  static absl::StatusOr<std::pair<std::string, std::string>> FacilityCode(
      const Json& code, const std::string& place) {
    if (!code.IsObject()) return Wrong(place, "must be {\"system\": …, \"code\": …}");
    SIMPUL_ASSIGN_OR_RETURN(std::string system, Text(code, "system", place, true));
    SIMPUL_ASSIGN_OR_RETURN(std::string value, Text(code, "code", place, true));
    return std::pair(std::move(system), std::move(value));
  }

  absl::StatusOr<size_t> KnownFacility(const Json& object, const std::string& place) {
    const auto member = object.FindMember("facility");
    if (member == object.MemberEnd()) return Wrong(place, "\"facility\" is missing");
    const std::string where = place + ".facility";
    SIMPUL_ASSIGN_OR_RETURN(auto code, FacilityCode(member->value, where));
    return Index(code.first, code.second, where);
  }

  absl::StatusOr<size_t> Index(std::string_view system, std::string_view code,
                               const std::string& place) {
    const auto by_system = directory_.codes_.find(system);
    if (by_system != directory_.codes_.end()) {
      const auto found = by_system->second.find(code);
      if (found != by_system->second.end()) return found->second;
    }
    return Wrong(place, "no facility of this file has that system and code");
  }

  absl::Status Facility(const Json& object, const std::string& place) {
    Directory::Place read;
    Through through{.place = place + ".sends_through"};
    SIMPUL_ASSIGN_OR_RETURN(read.row.name, Text(object, "name", place));
    SIMPUL_ASSIGN_OR_RETURN(read.row.kind, Text(object, "kind", place));
    SIMPUL_ASSIGN_OR_RETURN(read.row.organization, Text(object, "organization", place));
    SIMPUL_ASSIGN_OR_RETURN(read.row.location, Text(object, "location", place));
    const auto sends = object.FindMember("sends_through");
    if (sends != object.MemberEnd() && !sends->value.IsNull()) {
      SIMPUL_ASSIGN_OR_RETURN(auto code, FacilityCode(sends->value, through.place));
      through.system = std::move(code.first);
      through.code = std::move(code.second);
    }
    if (read.row.organization.empty() == through.system.empty()) {
      return Wrong(place, "needs either \"organization\" or \"sends_through\"");
    }
    const auto codes = object.FindMember("codes");
    if (codes == object.MemberEnd() || !codes->value.IsArray() || codes->value.Empty()) {
      return Wrong(place, "\"codes\" must be a list with at least one code");
    }
    for (rapidjson::SizeType i = 0; i < codes->value.Size(); ++i) {
      const std::string where = fmt::format("{}.codes[{}]", place, i);
      SIMPUL_ASSIGN_OR_RETURN(auto code, FacilityCode(codes->value[i], where));
      const bool fresh =
          directory_.codes_[code.first].emplace(code.second, directory_.places_.size()).second;
      if (!fresh) return Wrong(where, "this code is used twice");
    }
    directory_.places_.push_back(std::move(read));
    through_.push_back(std::move(through));
    return absl::OkStatus();
  }

  absl::Status FollowSendsThrough() {
    for (size_t i = 0; i < through_.size(); ++i) {
      size_t sender = i;
      for (size_t steps = 0; !through_[sender].system.empty(); ++steps) {
        if (steps == through_.size()) {
          return Wrong(through_[i].place, "leads back to the facility itself");
        }
        SIMPUL_ASSIGN_OR_RETURN(
            sender, Index(through_[sender].system, through_[sender].code, through_[sender].place));
        FacilityRow& row = directory_.places_[i].row;
        if (row.location.empty()) row.location = directory_.places_[sender].row.location;
      }
      directory_.places_[i].row.organization = directory_.places_[sender].row.organization;
    }
    return absl::OkStatus();
  }

  absl::Status Unit(const Json& object, const std::string& place) {
    SIMPUL_ASSIGN_OR_RETURN(const size_t facility, KnownFacility(object, place));
    SIMPUL_ASSIGN_OR_RETURN(std::string code, Text(object, "code", place, true));
    Directory::UnitRow row;
    SIMPUL_ASSIGN_OR_RETURN(row.name, Text(object, "name", place));
    SIMPUL_ASSIGN_OR_RETURN(row.location, Text(object, "location", place));
    SIMPUL_RETURN_IF_ERROR(Text(object, "kind", place).status());
    if (!directory_.places_[facility].units.emplace(std::move(code), std::move(row)).second) {
      return Wrong(place, "this unit of the facility stands here twice");
    }
    return absl::OkStatus();
  }

  absl::Status Practitioner(const Json& object, const std::string& place) {
    SIMPUL_ASSIGN_OR_RETURN(std::string id, Text(object, "practitioner_id", place, true));
    SIMPUL_ASSIGN_OR_RETURN(std::string nik, Text(object, "nik", place));
    SIMPUL_ASSIGN_OR_RETURN(std::string name, Text(object, "name", place));
    if (!nik.empty()) {
      if (nik.size() != 16 || !base::IsDigits(nik)) {
        return Wrong(place, "\"nik\" must be 16 digits");
      }
      if (!directory_.practitioners_by_nik_.emplace(std::move(nik), id).second) {
        return Wrong(place, "this \"nik\" stands here twice");
      }
    }
    if (!directory_.practitioner_names_.emplace(std::move(id), std::move(name)).second) {
      return Wrong(place, "this \"practitioner_id\" stands here twice");
    }
    return absl::OkStatus();
  }

  absl::Status DefaultPractitioner(const Json& object, const std::string& place) {
    SIMPUL_ASSIGN_OR_RETURN(const size_t facility, KnownFacility(object, place));
    Directory::Default row;
    SIMPUL_ASSIGN_OR_RETURN(row.unit, Text(object, "unit", place));
    SIMPUL_ASSIGN_OR_RETURN(row.practitioner_id, Text(object, "practitioner_id", place, true));
    SIMPUL_ASSIGN_OR_RETURN(row.from, Text(object, "from", place));
    SIMPUL_ASSIGN_OR_RETURN(row.until, Text(object, "until", place));
    for (const auto& [name, day] : {std::pair("from", &row.from), std::pair("until", &row.until)}) {
      if (!day->empty() && !event::ParseDay(*day).has_value()) {
        return Wrong(place, fmt::format("\"{}\" must be a day like 2026-01-31", name));
      }
    }
    if (!row.until.empty() && row.until <= row.from) {
      return Wrong(place, "\"until\" must be after \"from\"");
    }
    directory_.places_[facility].defaults.push_back(std::move(row));
    return absl::OkStatus();
  }

  Directory& directory_;
  std::vector<Through> through_;
};

absl::StatusOr<Directory> Directory::Parse(std::string_view json) {
  Directory directory;
  const absl::Status read = DirectoryReader(directory).Read(json);
  if (!read.ok()) return base::Within("directory", read);
  return directory;
}

const Directory::Place* Directory::Find(const event::v1::Facility& facility) const {
  const auto by_system = codes_.find(facility.system());
  if (by_system == codes_.end()) return nullptr;
  const auto found = by_system->second.find(facility.code());
  return found == by_system->second.end() ? nullptr : &places_[found->second];
}

const FacilityRow* Directory::Facility(const event::v1::Facility& facility) const {
  const Place* place = Find(facility);
  return place == nullptr ? nullptr : &place->row;
}

std::string Directory::Location(const event::v1::Facility& facility,
                                const event::v1::Unit& unit) const {
  const Place* place = Find(facility);
  if (place == nullptr) return {};
  const auto row = place->units.find(unit.code());
  if (row != place->units.end() && !row->second.location.empty()) return row->second.location;
  return place->row.location;
}

std::string Directory::UnitName(const event::v1::Facility& facility,
                                const event::v1::Unit& unit) const {
  const Place* place = Find(facility);
  if (place == nullptr) return {};
  const auto row = place->units.find(unit.code());
  if (row != place->units.end() && !row->second.name.empty()) return row->second.name;
  return place->row.name;
}

std::optional<std::string> Directory::Practitioner(const event::v1::Facility& facility,
                                                   const event::v1::Unit& unit,
                                                   const event::v1::Responsible& responsible,
                                                   std::string_view day) const {
  if (!responsible.practitioner_id().empty()) return responsible.practitioner_id();
  if (!responsible.nik().empty()) {
    const auto found = practitioners_by_nik_.find(responsible.nik());
    if (found == practitioners_by_nik_.end()) return std::nullopt;
    return found->second;
  }
  const Place* place = Find(facility);
  if (place == nullptr) return std::nullopt;
  const Default* chosen = nullptr;
  for (const Default& row : place->defaults) {
    if (!row.unit.empty() && row.unit != unit.code()) continue;
    if (day < row.from || (!row.until.empty() && day >= row.until)) continue;
    const bool closer = chosen == nullptr || (chosen->unit.empty() && !row.unit.empty());
    const bool as_close = chosen != nullptr && chosen->unit.empty() == row.unit.empty();
    if (closer || (as_close && row.from > chosen->from)) chosen = &row;
  }
  if (chosen == nullptr) return std::nullopt;
  return chosen->practitioner_id;
}

std::string Directory::PractitionerName(std::string_view practitioner_id) const {
  const auto found = practitioner_names_.find(practitioner_id);
  return found == practitioner_names_.end() ? std::string() : found->second;
}

std::vector<std::string> Directory::Organizations() const {
  std::set<std::string> organizations;
  for (const Place& place : places_) organizations.insert(place.row.organization);
  return {organizations.begin(), organizations.end()};
}

}  // namespace simpul::fhir
