// An event in a few words, for a person who reads a timeline.
#pragma once

#include <string>

#include "simpul/event/v1/event.pb.h"

namespace simpul::cli {

// The payload's name: visit, immunisation, ...
std::string KindOf(const event::v1::Event& event);

// What was found, given or changed: "9.30 kg, 74.1 cm, BP 120/80". Pure. Holds what the event
// holds, so it is for the person who asked and for no log.
std::string Summarise(const event::v1::Event& event);

}  // namespace simpul::cli
