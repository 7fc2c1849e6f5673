// What the programme's rules say of one entry, from its events and what is known of the patient's
// others.
#pragma once

#include <optional>
#include <string>

#include "lib/timeline/entry_view.h"
#include "lib/timeline/facts.h"

namespace simpul::timeline {

// An event of the entry that was parsed already.
struct ParsedEvent {
  EventKey key;
  const event::v1::Event* event = nullptr;
};

// A serialized Derived; empty where there is nothing to say. The entry's events stand in order, and
// `facts` knows those that count; each is judged by the rules in force on its own day. Nullopt: an
// event cannot be read.
std::optional<std::string> Derive(const EntryView& entry, const PatientFacts& facts,
                                  const rules::RulesInForce& rules, const ParsedEvent& parsed = {});

}  // namespace simpul::timeline
