// Events as people and programs write them: protobuf JSON, one a line.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "simpul/event/v1/event.pb.h"
#include "simpul/ingest/v1/ingest.pb.h"

namespace simpul::cli {

// The event of one line, or why it is none. The violation names the path of the field, or the byte
// of the line, and a rule (json.syntax, json.unknown_field, json.utf8, json.value, enum.unknown),
// never what stands there. Pure.
std::variant<event::v1::Event, ingest::v1::Violation> ParseEventLine(std::string_view line);

// The line of an event, as every protobuf library writes it: names in lowerCamelCase.
std::string EventLine(const event::v1::Event& event);

// The event id in a line that is no event, where one can be seen: a UUID after "event_id" or
// "eventId". Else empty.
std::string FindEventId(std::string_view line);

// Longest line that is read, in bytes. An event of 64 KiB is far below it in JSON.
inline constexpr size_t kLineBytesMax = 1 << 20;

// After_upgrade for what the contract of a newer program may have, else final.
ingest::v1::Retry RetryOf(const ingest::v1::Violation& violation);

// The violation of a longer line.
ingest::v1::Violation LineTooLong();

}  // namespace simpul::cli
