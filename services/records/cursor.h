// Where a puller stands: what it gives back to go on after a record.
//
// Bytes before base64url (docs/formats.md, "Pull cursors"): version 1 (1 byte), the first four
// bytes of the install's id, the filter's digest (8), then for each partition the position to be
// read next and the last running number taken, both as protobuf varints; then the first 16 bytes of
// HMAC(secret, "simpul.records.cursor.v1") over all of it. Opaque to callers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "lib/event/subject.h"
#include "simpul/event/v1/unit.pb.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::records {

// One partition of topic entries.
struct PulledPlace {
  int64_t position = 1;  // to be read next
  uint64_t number = 0;   // the last one taken
};
using Cursor = std::vector<PulledPlace>;  // by partition

// Tells one filter from another: 8 bytes.
std::string FilterDigest(const event::v1::Facility& facility);

std::string EncodeCursor(const Cursor& cursor, const log::v1::Install& install,
                         std::string_view filter_digest, const event::Secret& secret);

// InvalidArgument: no cursor, a changed one, or one of another filter. FailedPrecondition: one of
// another install.
absl::StatusOr<Cursor> ParseCursor(std::string_view text, const log::v1::Install& install,
                                   std::string_view filter_digest, const event::Secret& secret);

}  // namespace simpul::records
