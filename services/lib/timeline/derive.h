// What the programme's rules say of one entry, from its events and what is known of the patient's
// others.
#pragma once

#include <optional>
#include <string>

#include "lib/timeline/entry_view.h"
#include "lib/timeline/facts.h"

namespace simpul::timeline {

// A serialized Derived; empty where there is nothing to say. The entry's events stand in order, and
// `facts` knows those that count. Nullopt: an event cannot be read.
std::optional<std::string> Derive(const EntryView& entry, PatientFacts& facts);

}  // namespace simpul::timeline
