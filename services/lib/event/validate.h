// What an event must be to be accepted.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/base/clock.h"
#include "simpul/event/v1/event.pb.h"

namespace simpul::event {

// Limits of intake.
inline constexpr size_t kBatchEventsMax = 500;
inline constexpr size_t kBatchBytesMax = 1 << 20;
inline constexpr size_t kEventBytesMax = 64 << 10;

// One thing that is wrong or worth a look. Never holds the value.
struct Violation {
  std::string field;      // path such as subject.identities[0].nik.number
  std::string_view rule;  // stable name, one of Rules()
  std::string message;    // what is wrong
  std::string fix;        // what to do
};

// An event that is not taken.
struct Refusal {
  std::string event_id;               // only where it is a UUID; anything else might be a NIK
  std::vector<Violation> violations;  // everything that is wrong, at least one
  bool after_upgrade =
      false;  // only a newer Simpul may be able to take it: keep it and send it again
};

// An event that may be appended.
struct ValidEvent {
  v1::Event event;
  std::string canonical;  // the canonical encoding: what the log keeps
  uint32_t kind = 0;      // field number of the payload
  std::vector<Violation> warnings;
};

// An event from its wire bytes. A refusal when the bytes are no Event, hold broken UTF-8, or hold a
// field or an enum value, at any depth, that this program does not know (after_upgrade). Total: any
// bytes have an answer. Any thread.
std::variant<v1::Event, Refusal> Parse(std::string_view bytes);

// Whether the event may be appended, given the time. Pure and total: depends on its arguments only,
// answers for every event. Reports every violation, not the first; of more than two dozen the first
// and that there are more. Unknown fields and choices are Parse's business: events come from there.
// Any thread.
std::variant<ValidEvent, Refusal> Validate(v1::Event event, base::Time now);

// The canonical encoding of an event without unknown fields: fields in the order of their numbers,
// numbers in the shortest form, repeated numbers packed, implicit defaults left out
// (docs/formats.md).
std::string Canonical(const v1::Event& event);

// A rule of Parse or Validate.
struct Rule {
  std::string_view name;     // stable, such as nik.digits
  bool warning;              // accepted all the same
  std::string_view meaning;  // what is wrong, for docs/errors.md
  std::string_view fix;      // what to do
};

// Every rule, sorted by name: docs/errors.md is made of it.
const std::vector<Rule>& Rules();

}  // namespace simpul::event
