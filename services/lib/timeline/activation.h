// How an activation of rules stands on the log: docs/rules.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "lib/eventlog/event_log.h"

namespace simpul::timeline {

// The record of topic events that activates a rule set in one partition. `partitions` are the
// log's. Pure.
eventlog::Draft ActivationDraft(uint32_t version, std::chrono::sys_days from, uint32_t partition,
                                uint32_t partitions, int64_t at_us, std::string_view by);

}  // namespace simpul::timeline
