// Leaves an event out of the timelines of all owners of its partition, or of none.
//
// Every owner first answers that it stands right before the event and stays there; only then is it
// recorded. docs/decisions/0009-an-event-that-ends-the-program.md.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "lib/base/pause.h"
#include "lib/eventlog/event_log.h"
#include "simpul/timeline/v1/timeline_service.pb.h"
#include "timeline/timeline_role.h"

namespace simpul::timeline_role {

// Asks one owner; `finish` is called once, on any thread.
using AskOwner =
    std::function<void(uint32_t owner, const timeline::v1::HoldEventRequest& request,
                       timeline::v1::HoldEventResponse& response, TimelineRole::Finish finish)>;

// Any thread; waits for some seconds for owners that still read. InvalidArgument names the field.
// FailedPrecondition: an owner has passed the event, topic entries holds what was derived from it
// or from a later one, or the partition stands still for another reason; nothing was changed.
// Unavailable: an owner does not answer or is not there yet, or it is not known whether it was
// recorded; owners may stay before the event until it is done again.
absl::Status Quarantine(eventlog::EventLog& log, const std::vector<uint32_t>& owners,
                        const AskOwner& ask, base::Pause& pause,
                        const timeline::v1::QuarantineEventRequest& request,
                        timeline::v1::QuarantineEventResponse& response);

}  // namespace simpul::timeline_role
