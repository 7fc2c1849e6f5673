// Identities as people write them on a command line.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "simpul/event/v1/identity.pb.h"

namespace simpul::event {

// One of nik|N, mother|NIK|DATE|ORDER, passport|COUNTRY|N, card|N, local|SYSTEM|FACILITY|N.
// InvalidArgument names the part that is wrong and the form, never the value.
absl::StatusOr<v1::Identity> ParseIdentity(std::string_view text);

}  // namespace simpul::event
