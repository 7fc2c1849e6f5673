#include "simpul/replica_flags.h"

#include <fmt/format.h>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "lib/base/text.h"

namespace simpul::cli {
namespace {

constexpr std::string_view kPlace = "{}";

std::optional<uint32_t> NumberOf(std::string_view host) {
  const size_t dash = host.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  return base::ReadNumber<uint32_t>(host.substr(dash + 1));
}

}  // namespace

void AddReplicaFlags(CLI::App& command, ReplicaFlags& flags) {
  command
      .add_option("--replicas", flags.count,
                  "How many processes share this role (timeline, forwarder)")
      ->check(CLI::Range(1u, 1000u))
      ->capture_default_str();
  command.add_option("--replica", flags.number,
                     "Which of them this is, from 0; else the number that the host's name ends in");
  command.add_option("--peers", flags.peers,
                     "Where the timeline's replicas answer gRPC: HOST:PORT,HOST:PORT in their "
                     "order, or one HOST:PORT with {} for the number");
}

absl::StatusOr<eventlog::Replica> ReplicaOf(const ReplicaFlags& flags, std::string_view host) {
  if (flags.count == 1 && !flags.number.has_value()) return eventlog::Replica{};
  const std::optional<uint32_t> number = flags.number.has_value() ? flags.number : NumberOf(host);
  if (!number.has_value()) {
    return absl::InvalidArgumentError(
        fmt::format("--replica: say which of the {} this is, from 0 to {} (the name of this host, "
                    "{}, ends in no number)",
                    flags.count, flags.count - 1, host));
  }
  if (*number >= flags.count) {
    return absl::InvalidArgumentError(
        fmt::format("--replica {}: with --replicas {} they are numbered from 0 to {}", *number,
                    flags.count, flags.count - 1));
  }
  return eventlog::Replica{.number = *number, .count = flags.count};
}

absl::StatusOr<std::vector<std::string>> PeersOf(const ReplicaFlags& flags) {
  std::vector<std::string> peers;
  if (flags.peers.find(kPlace) != std::string::npos) {
    for (uint32_t number = 0; number < flags.count; ++number) {
      peers.push_back(absl::StrReplaceAll(flags.peers, {{"{}", std::to_string(number)}}));
    }
  } else {
    peers = absl::StrSplit(flags.peers, ',', absl::SkipEmpty());
  }
  if (peers.size() != flags.count) {
    return absl::InvalidArgumentError(fmt::format(
        "--peers: give HOST:PORT of each of the {} timeline replicas, in their order, or one with "
        "{{}} for the number; here are {}",
        flags.count, peers.size()));
  }
  return peers;
}

}  // namespace simpul::cli
