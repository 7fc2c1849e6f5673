// Ingest as a gRPC service.
#pragma once

#include "ingest/ingest.h"
#include "lib/base/metrics.h"
#include "lib/rpc/server.h"

namespace simpul::ingest {

// simpul.ingest.v1.IngestService. `ingest` and `metrics` must outlive the server.
rpc::ServicePtr BindIngest(Ingest& ingest, base::Metrics& metrics);

}  // namespace simpul::ingest
