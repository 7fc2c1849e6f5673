// Records as a gRPC service.
#pragma once

#include "lib/base/metrics.h"
#include "lib/rpc/server.h"
#include "records/records.h"

namespace simpul::records {

// simpul.records.v1.RecordsService. `records` and `metrics` must outlive the server.
rpc::ServicePtr BindRecords(Records& records, base::Metrics& metrics);

}  // namespace simpul::records
