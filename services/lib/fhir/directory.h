// The directory: which organisation, location and practitioner of the platform stand behind a
// facility, unit and person.
//
// One JSON file that the operator keeps, re-read when it changes. Members not named here are
// ignored (they are for later use); a member of the wrong type, a code used twice, a facility that
// does not exist or that sends through itself is refused with its place. Format
// (docs/fhir-mapping.md, "The directory"):
// {
//   "facilities": [{
//     "codes": [{"system": "kemenkes", "code": "P7324020201"}, ...],   any of them names it
//     "name": "Puskesmas Nuha", "kind": "puskesmas",
//     "organization": "100027469",    platform organisation id; its credential sends the records
//     "sends_through": {"system": ..., "code": ...},   instead of organization: the facility whose
//                                                      organisation sends
//     "location": "<platform Location id>"             absent: that of the facility it sends
//     through
//   }],
//   "units": [{"facility": {"system", "code"}, "code": "7324022003001", "kind": "posyandu",
//              "name": "...", "location": "<platform Location id>"}],  absent: the facility's
//   "practitioners": [{"practitioner_id": "10009880728", "nik": "...", "name": "..."}],
//   "defaults": [{"facility": {"system", "code"}, "unit": "<code; empty or absent: any unit>",
//                 "practitioner_id": "...",
//                 "from": "2024-01-01", "until": "2025-01-01"}]
// }
// from and until are optional; until is the first day it no longer holds. An exact unit beats the
// empty one; of several that hold, the one with the latest from counts, then the first in the file.
#pragma once

#include <cstddef>
#include <map>
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
  std::string kind;          // puskesmas, pustu, posyandu, hospital, ... as the file says
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
  // Practitioner id of the responsible person. Only where the event names nobody: the default of
  // the unit on that local day (YYYY-MM-DD). nullopt when unknown.
  std::optional<std::string> Practitioner(const event::v1::Facility& facility,
                                          const event::v1::Unit& unit,
                                          const event::v1::Responsible& responsible,
                                          std::string_view day) const;
  // Name of a practitioner; empty when unknown.
  std::string PractitionerName(std::string_view practitioner_id) const;
  // Every organisation named, sorted, each once: for checking credentials.
  std::vector<std::string> Organizations() const;

 private:
  friend class DirectoryReader;

  struct Default {
    std::string unit, practitioner_id, from, until;
  };
  struct UnitRow {
    std::string name, location;
  };
  // A facility with everything kept under it: its codes all lead here.
  struct Place {
    FacilityRow row;
    std::map<std::string, UnitRow, std::less<>> units;  // by unit code
    std::vector<Default> defaults;
  };

  const Place* Find(const event::v1::Facility& facility) const;

  std::vector<Place> places_;
  std::map<std::string, std::map<std::string, size_t, std::less<>>, std::less<>>
      codes_;                                                             // system, code: index
  std::map<std::string, std::string, std::less<>> practitioners_by_nik_;  // nik to id
  std::map<std::string, std::string, std::less<>> practitioner_names_;    // id to name
};

}  // namespace simpul::fhir
