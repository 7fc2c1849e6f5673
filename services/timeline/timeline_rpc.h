// The timeline as a gRPC service.
#pragma once

#include "lib/base/metrics.h"
#include "lib/rpc/server.h"
#include "timeline/timeline_role.h"

namespace simpul::timeline_role {

// simpul.timeline.v1.TimelineService. `role` and `metrics` must outlive the server.
rpc::ServicePtr BindTimeline(TimelineRole& role, base::Metrics& metrics);

}  // namespace simpul::timeline_role
