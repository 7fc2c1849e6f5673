// The timeline as a gRPC service.
#pragma once

#include "lib/base/metrics.h"
#include "lib/rpc/server.h"
#include "timeline/front.h"

namespace simpul::timeline_role {

// simpul.timeline.v1.TimelineService. `front` and `metrics` must outlive the server.
rpc::ServicePtr BindTimeline(Front& front, base::Metrics& metrics);

}  // namespace simpul::timeline_role
