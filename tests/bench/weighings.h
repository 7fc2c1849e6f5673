// Weighings by the million, of about 450 bytes each.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lib/event/subject.h"
#include "lib/eventlog/event_log.h"
#include "simpul/event/v1/event.pb.h"

namespace simpul::bench {

inline constexpr size_t kEventsAPatient = 20;

// The n-th event: patients take turns, so that the partitions' batches hold many of them. A third
// of a patient's events share a visit with others.
event::v1::Event Weighing(size_t n, size_t patients);

// The record that intake makes of it.
eventlog::Draft DraftOf(const event::v1::Event& event, const event::Secret& secret,
                        int64_t received_at_us = 1'770'000'000'000'000);

// Appends the events 0 to `events` - 1 and waits until all are durable.
void Fill(eventlog::EventLog& log, const event::Secret& secret, size_t events, size_t patients);

}  // namespace simpul::bench
