// The forwarder as a gRPC service.
#pragma once

#include "forwarder/forwarder.h"
#include "lib/base/metrics.h"
#include "lib/rpc/server.h"

namespace simpul::forwarder {

// simpul.delivery.v1.DeliveryService. `forwarder` and `metrics` must outlive the server.
rpc::ServicePtr BindForwarder(Forwarder& forwarder, base::Metrics& metrics);

}  // namespace simpul::forwarder
