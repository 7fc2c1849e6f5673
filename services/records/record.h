// One delivery record from one entry. Pure.
#pragma once

#include <optional>

#include "lib/fhir/directory.h"
#include "simpul/records/v1/records.pb.h"
#include "simpul/timeline/v1/entry.pb.h"

namespace simpul::records {

// The record without its cursor; nullopt for an entry that is never sent.
std::optional<v1::PullRecordsResponse> MakeRecord(const timeline::v1::Entry& entry,
                                                  const fhir::Directory& directory);

}  // namespace simpul::records
