// What the rules say of an event, in a few words for a person who reads a timeline.
#pragma once

#include <cstdint>
#include <string>

#include "simpul/timeline/v1/derived.pb.h"

namespace simpul::cli {

// Of the entry's event at that place: "BB/U -2.31 kurang, gizi_kurang, T 2T, blood_pressure
// hypertension_1". Empty where nothing is said. Pure.
std::string DerivedText(const timeline::v1::Derived& derived, uint32_t member);

}  // namespace simpul::cli
