// What becomes of a record whose last attempt has no known end, once the platform was searched for
// its parts. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/deliver/found.h"
#include "lib/deliver/ledger_row.h"
#include "lib/fhir/map.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::deliver {

// What the platform has of what was asked for, whoever's it is.
struct Searched {
  std::map<std::string, std::vector<FoundResource>> by_part;  // by part key: what bears it
  std::vector<FoundResource> immunizations;                   // the patient's; they bear no key
};

// How the attempt ended, and the ids of the parts that are taken for ours: delivered when it
// created all of the record, retry when something is to be sent again, held when a part lies under
// another patient, refused when the platform called it a duplicate and has nothing of it. Entry,
// revision and attempt are left to the caller.
//
// `parts` are the record's, `known` those whose ids were known before the search and were not
// searched for, by part key; `row` is the revision's.
log::v1::Outcome Adopt(const std::vector<fhir::Part>& parts,
                       const std::map<std::string, fhir::KnownPart>& known,
                       std::string_view patient_id, const RevisionRow& row, Searched searched);

}  // namespace simpul::deliver
