// Says which rules are active, and activates a version in every partition: docs/rules.md.
//
// Every replica first answers that its program knows the version and what its partitions have; only
// then is anything recorded. What was cut off in the middle is completed by asking for the same
// again: the record is the same, so one too many is harmless.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "lib/base/clock.h"
#include "lib/base/pause.h"
#include "lib/eventlog/event_log.h"
#include "simpul/timeline/v1/timeline_service.pb.h"
#include "timeline/timeline_role.h"

namespace simpul::timeline_role {

// Asks one replica; `finish` is called once, on any thread.
using AskRules = std::function<void(uint32_t replica, timeline::v1::GetRulesStateResponse& response,
                                    TimelineRole::Finish finish)>;

// The earliest day from which rules may be activated: two days after today, where Indonesia's day
// is farthest on. An event may lie a day ahead of the clock, and none may be on the log already
// that the new rules would be for. An hour is left for clocks that differ and for the recording.
std::chrono::sys_days FirstDayToActivate(base::Time now);

// Any thread. Replicas that do not answer are named in the response.
void ListRules(uint32_t partitions, const std::vector<uint32_t>& replicas, const AskRules& ask,
               timeline::v1::ListRulesResponse& response);

// Any thread; waits for some seconds for replicas that still read. InvalidArgument names the field.
// FailedPrecondition: the day is too near, a replica does not know the version, or a partition has
// another version from that day or a later one; nothing was recorded. Unavailable: a replica does
// not answer or still reads; or it was recorded in some partitions only, or that is not known: ask
// again for the same.
absl::Status ActivateRules(eventlog::EventLog& log, const std::vector<uint32_t>& replicas,
                           const AskRules& ask, base::Pause& pause, const base::Clock& clock,
                           const timeline::v1::ActivateRulesRequest& request,
                           timeline::v1::ActivateRulesResponse& response);

}  // namespace simpul::timeline_role
