// Checks of what happened: one function for every payload but corrections and retractions.
#pragma once

#include "lib/event/value_checks.h"

namespace simpul::event {

// The event's payload, whatever kind it is; nothing for a correction, a retraction or none at all.
// `root` is the way to the event.
void CheckPayload(Checks& c, const Path& root, const v1::Event& event);

}  // namespace simpul::event
