// The flags that say which of several processes of a role this is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "lib/eventlog/ownership.h"

namespace simpul::cli {

struct ReplicaFlags {
  std::optional<uint32_t> number;
  uint32_t count = 1;
  std::string peers;
};

void AddReplicaFlags(CLI::App& command, ReplicaFlags& flags);

// `host` is this machine's name, which ends in the number where Kubernetes runs it as a
// StatefulSet. InvalidArgument: words for people.
absl::StatusOr<eventlog::Replica> ReplicaOf(const ReplicaFlags& flags, std::string_view host);

// HOST:PORT of each replica, by number. InvalidArgument: there are not as many as replicas.
absl::StatusOr<std::vector<std::string>> PeersOf(const ReplicaFlags& flags);

}  // namespace simpul::cli
