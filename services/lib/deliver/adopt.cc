#include "lib/deliver/adopt.h"

#include <algorithm>
#include <set>

namespace simpul::deliver {
namespace {

// Of several the same one every time: the platform may hold doubles of others' making.
void SortById(std::vector<FoundResource>& found) {
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
}

}  // namespace

log::v1::Outcome Adopt(const std::vector<fhir::Part>& parts,
                       const std::map<std::string, fhir::KnownPart>& known,
                       std::string_view patient_id, const RevisionRow& row, Searched searched) {
  log::v1::Outcome outcome;
  bool under_other_patient = false;
  std::set<std::string> taken;
  for (const auto& [key, part] : known) taken.insert(part.platform_id);
  const auto take = [&](const fhir::Part& part, const std::string& id) {
    taken.insert(id);
    log::v1::PlatformId& one = *outcome.add_platform_ids();
    one.set_part(part.key);
    one.set_resource_type(part.resource_type);
    one.set_id(id);
  };

  std::string encounter_id;
  for (const fhir::Part& part : parts) {
    const bool names_encounter = part.resource_type == "Encounter" && encounter_id.empty();
    if (const auto it = known.find(part.key); it != known.end()) {
      if (names_encounter) encounter_id = it->second.platform_id;
      continue;
    }
    std::vector<FoundResource>& found = searched.by_part[part.key];
    SortById(found);
    const auto ours = std::find_if(found.begin(), found.end(), [&](const auto& resource) {
      return resource.patient_id == patient_id;
    });
    if (ours != found.end()) {
      take(part, ours->id);
      if (names_encounter) encounter_id = ours->id;
    } else if (!found.empty()) {
      under_other_patient = true;
    }
  }
  // An Immunization is told by what it says, its Encounter included.
  SortById(searched.immunizations);
  for (const fhir::Part& part : parts) {
    if (part.resource_type != "Immunization" || known.contains(part.key)) continue;
    for (const FoundResource& resource : searched.immunizations) {
      if (resource.patient_id != patient_id || taken.contains(resource.id)) continue;
      if (!SameImmunization(part.json, resource.json, encounter_id)) continue;
      take(part, resource.id);
      break;
    }
  }

  const auto adopted = static_cast<size_t>(outcome.platform_ids_size());
  if (under_other_patient) {
    outcome.set_outcome(log::v1::OUTCOME_CLASS_HELD);
    outcome.set_reason("delivered_under_other_patient");
  } else if (known.empty() && !parts.empty() && adopted == parts.size()) {
    // A transaction is whole or not at all: everything it was to create is there.
    outcome.set_outcome(log::v1::OUTCOME_CLASS_DELIVERED);
  } else if (row.last == log::v1::OUTCOME_CLASS_UNKNOWN && row.reason == "duplicate" &&
             adopted == 0) {
    outcome.set_outcome(log::v1::OUTCOME_CLASS_REFUSED);
    outcome.set_reason("duplicate_not_found");
    outcome.set_platform_says(row.platform_says);
  } else {
    // What is missing is sent; what is there is put again, which changes nothing.
    outcome.set_outcome(log::v1::OUTCOME_CLASS_RETRY);
    outcome.set_reason(adopted == 0 ? "not_found_there" : "partly_found_there");
  }
  return outcome;
}

}  // namespace simpul::deliver
