// Which replicas of a role keep a partition. No coordinator: who knows how many there are computes
// it, and others may be of another opinion for a while. Pure. Bytes: docs/formats.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace simpul::eventlog {

// One of the processes that share a role: 0 to count - 1.
struct Replica {
  uint32_t number = 0;
  uint32_t count = 1;
};

// So many keep each partition's timelines, when there are so many.
inline constexpr size_t kOwners = 2;

// All replicas, the one that is to keep the partition first: a rendezvous hash, so that one more
// replica takes its share from all others and moves nothing between them. `replicas` is at least 1.
std::vector<uint32_t> RankedReplicas(uint32_t partition, uint32_t replicas);

// A partition that a replica keeps.
struct OwnedPartition {
  uint32_t number = 0;
  // Among its owners: the first appends what it derives at once, the others what stays unread.
  uint32_t rank = 0;
};

// The partitions of which a replica is among the first `owners`, ascending.
std::vector<OwnedPartition> OwnedBy(const Replica& replica, uint32_t partitions, size_t owners);

}  // namespace simpul::eventlog
