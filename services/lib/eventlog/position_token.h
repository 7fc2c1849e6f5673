// Position tokens: what a client is given for an accepted event and hands back as min_position.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::eventlog {

// Base64url of 14 bytes: the first four of the install's id, the partition in two, the position in
// eight, most significant first. Opaque to clients.
std::string PositionToken(const log::v1::Install& install, uint32_t partition, int64_t position);

// The partition and position of a token. InvalidArgument: no position token. FailedPrecondition: a
// token of another install.
absl::StatusOr<std::pair<uint32_t, int64_t>> ParsePositionToken(const log::v1::Install& install,
                                                                std::string_view token);

}  // namespace simpul::eventlog
