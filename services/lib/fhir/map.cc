#include "lib/fhir/map.h"

#include "lib/fhir/record.h"

namespace simpul::fhir {

MapResult Map(const timeline::v1::Entry& entry, const Directory& directory,
              const PatientName& patient, const MapOptions& options) {
  if (entry.purpose() != event::v1::PURPOSE_PRODUCTION) return NotSent{"training"};
  MapResult (*map_kind)(Record&) = nullptr;
  switch (entry.kind()) {
    case timeline::v1::ENTRY_KIND_VISIT:
      map_kind = MapVisit;
      break;
    case timeline::v1::ENTRY_KIND_REFERRAL:
      map_kind = MapReferral;
      break;
    case timeline::v1::ENTRY_KIND_PREGNANCY:
      map_kind = MapPregnancy;
      break;
    case timeline::v1::ENTRY_KIND_PATIENT_REGISTERED:
      return NotSent{"patient_registered"};
    case timeline::v1::ENTRY_KIND_PATIENT_LINKED:
      return NotSent{"patient_linked"};
    case timeline::v1::ENTRY_KIND_PATIENT_UNLINKED:
      return NotSent{"patient_unlinked"};
    case timeline::v1::ENTRY_KIND_PATIENT_STATUS:
      return NotSent{"patient_status"};
    case timeline::v1::ENTRY_KIND_CONSENT:
      return NotSent{"consent"};
    case timeline::v1::ENTRY_KIND_RESTRICTION:
      return NotSent{"restriction"};
    default:
      return NotSent{"unreadable"};
  }
  const FacilityRow* facility = directory.Facility(entry.facility());
  if (facility == nullptr) return NeedsDirectory{"facility_unknown"};
  Record record(entry, directory, patient, options, facility->organization);
  if (!record.readable()) return NotSent{"unreadable"};
  if (entry.withdrawn() || record.happenings().empty()) return record.Take();
  return map_kind(record);
}

}  // namespace simpul::fhir
