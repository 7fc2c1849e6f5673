// The directory: which organisation, location and practitioner of the platform stand behind a
// facility, unit and person.
//
// One JSON file that the operator keeps, re-read when it changes. Members not named here are
// ignored (they are for later use); a member of the wrong type, or a code used twice, is refused
// with its place. Format (docs/formats.md):
// {
//   "facilities": [{
//     "codes": [{"system": "kemenkes", "code": "P7324020201"}, ...],   any of them names the
//     facility "name": "Puskesmas Nuha", "kind": "puskesmas", "organization": "100027469", platform
//     organisation id; the credential of the same id sends its records "location": "<platform
//     Location id>", "sends_through": {"system": ..., "code": ...}     instead of organization: the
//     facility whose organisation sends
//   }],
//   "units": [{"facility": {"system", "code"}, "code": "7324022003001", "kind": "posyandu", "name":
//   "...",
//              "location": "<platform Location id>"}],  location absent: the facility's
//   "practitioners": [{"practitioner_id": "10009880728", "nik": "...", "name": "..."}],
//   "defaults": [{"facility": {"system", "code"}, "unit": "<code or empty: any unit>",
//   "practitioner_id": "...",
//                 "from": "2024-01-01", "until": "2025-01-01"}]  from/until optional; until is the
//                 first day it no
//                                                                  longer holds; an exact unit
//                                                                  beats the empty one
// }
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "simpul/event/v1/unit.pb.h"

namespace simpul::fhir {

// What stands behind a facility.
struct FacilityRow {
  std::string name;
  std::string organization;  // platform organisation id; sends_through already followed
  std::string location;      // platform Location id; may be empty
};

// Immutable once parsed: share it by shared_ptr<const Directory>. Any thread.
class Directory {
 public:
  // An empty directory knows nobody.
  Directory() = default;
  // InvalidArgument with the place in the file, never a NIK.
  static absl::StatusOr<Directory> Parse(std::string_view json);

  // Null when the directory does not know the facility.
  const FacilityRow* Facility(const event::v1::Facility& facility) const;
  // Platform Location of the unit, else of its facility; empty when neither has one.
  std::string Location(const event::v1::Facility& facility, const event::v1::Unit& unit) const;
  // Name of the unit, else of its facility.
  std::string UnitName(const event::v1::Facility& facility, const event::v1::Unit& unit) const;
  // Practitioner id of the responsible person, else the default of the unit on that local day
  // (YYYY-MM-DD); nullopt when unknown.
  std::optional<std::string> Practitioner(const event::v1::Facility& facility,
                                          const event::v1::Unit& unit,
                                          const event::v1::Responsible& responsible,
                                          std::string_view day) const;
  // Name of a practitioner; empty when unknown.
  std::string PractitionerName(std::string_view practitioner_id) const;
  // Every organisation named, for checking credentials.
  std::vector<std::string> Organizations() const;

 private:
  struct Default {
    std::string unit, practitioner_id, from, until;
  };
  struct UnitRow {
    std::string name, location;
  };
  std::unordered_map<std::string, FacilityRow> facilities_;            // by system|code
  std::unordered_map<std::string, UnitRow> units_;                     // by system|code|unit
  std::unordered_map<std::string, std::vector<Default>> defaults_;     // by system|code
  std::unordered_map<std::string, std::string> practitioners_by_nik_;  // nik to id
  std::unordered_map<std::string, std::string> practitioner_names_;    // id to name
};

}  // namespace simpul::fhir
