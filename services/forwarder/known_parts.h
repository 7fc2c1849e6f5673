// What the platform has already of a record that is about to be sent.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "lib/deliver/ledger.h"
#include "lib/fhir/map.h"

namespace simpul::forwarder {

// By part key: the mapped parts that have an id at the platform, and those sent with an earlier
// revision that fell away since, as they were last sent. `parts` is what the ledger knows of the
// entry. Errors: the ledger cannot be read, or what was sent before cannot be mapped again.
absl::StatusOr<std::map<std::string, fhir::KnownPart>> KnownParts(
    const deliver::Ledger& ledger, std::string_view entry_id, const deliver::PartsRow& parts,
    const fhir::Mapped& mapped, const fhir::Directory& directory, const fhir::PatientName& patient,
    const fhir::MapOptions& map_options);

}  // namespace simpul::forwarder
