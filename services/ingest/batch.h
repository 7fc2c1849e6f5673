// The outer message of a batch, split without parsing what is in it. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace simpul::ingest {

// The bytes of each event of a serialized simpul.ingest.v1.SubmitEventsRequest, in order. On the
// wire `repeated Event` equals `repeated bytes`: so what is wrong with one event is found with that
// event alone. Views into `request`. InvalidArgument, in words for the caller, for what is no
// batch: other bytes, a field this program does not know, no event, too many events, too many
// bytes.
absl::StatusOr<std::vector<std::string_view>> SplitBatch(std::string_view request);

// InvalidArgument for a request that is too large to be a batch, before its bytes are looked at.
absl::Status CheckRequestBytes(size_t bytes);

}  // namespace simpul::ingest
