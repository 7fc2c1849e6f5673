// Records of topic events as intake writes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lib/event/subject.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/follower.h"
#include "simpul/event/v1/event.pb.h"

namespace simpul::testing {

// A secret, the same each time; `n` makes others.
event::Secret SampleSecret(char n = 's');

// The log record of an accepted event, with its key.
eventlog::Draft Draft(const event::v1::Event& event, const event::Secret& secret);

// The same as read from a partition, from position 1 on.
std::vector<eventlog::OwnedRecord> Records(const std::vector<event::v1::Event>& events);

// An activation of rules as read from a partition of a log with 24.
eventlog::OwnedRecord Activated(uint32_t partition, int64_t position, uint32_t version,
                                std::chrono::sys_days from);

// An embedded log with few partitions in `folder`.
std::unique_ptr<eventlog::EmbeddedLog> OpenLog(const std::filesystem::path& folder,
                                               const event::Secret& secret, base::Metrics& metrics);

// Appends the events and waits; ends the process when one is not taken. The last position of each
// event.
std::vector<int64_t> Push(eventlog::EventLog& log, const event::Secret& secret,
                          const std::vector<event::v1::Event>& events);

// All values of a place, from position 1 on.
std::vector<std::string> ReadAll(eventlog::EventLog& log, eventlog::Place place);

}  // namespace simpul::testing
