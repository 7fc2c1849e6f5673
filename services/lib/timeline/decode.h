// From a record of topic events to what Project works on.
#pragma once

#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/follower.h"
#include "lib/rules/versions.h"
#include "lib/timeline/project.h"

namespace simpul::timeline {

// An incoming event, or an activation of rules, or why nobody can ever read the record (cause
// undecodable).
using Decoded = std::variant<IncomingEvent, log::v1::DeadLetter, rules::Activation>;

// Pure and total. FailedPrecondition: written by a newer Simpul (a body, key, kind, field, enum
// value or version of the rules unknown here): the partition must stop until the program is
// upgraded; never a dead letter.
absl::StatusOr<Decoded> Decode(uint32_t partition, const eventlog::OwnedRecord& record);

// What a record of topic entries says of itself, without reading what it carries.
struct DerivedHead {
  uint64_t number = 0;
  int64_t source_position = 0;  // in the partition's events
};

// InvalidArgument: no derived record.
absl::StatusOr<DerivedHead> DecodeDerivedHead(std::string_view value);

// Appends the bytes of LogRecord{derived{number, source_position, entry}} around a serialized
// entry, as protobuf writes them.
void AppendDerivedEntry(std::string& out, uint64_t number, int64_t source_position,
                        std::string_view entry);

}  // namespace simpul::timeline
