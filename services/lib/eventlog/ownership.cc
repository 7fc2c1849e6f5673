#include "lib/eventlog/ownership.h"

#include <algorithm>
#include <string>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/hash.h"

namespace simpul::eventlog {
namespace {

uint64_t Score(uint32_t partition, uint32_t replica) {
  std::string name = "simpul.owner";
  base::PutBe32(name, partition);
  base::PutBe32(name, replica);
  return base::GetBe64(base::AsBytes(base::Sha256(name)));
}

}  // namespace

std::vector<uint32_t> RankedReplicas(uint32_t partition, uint32_t replicas) {
  std::vector<std::pair<uint64_t, uint32_t>> scores;
  for (uint32_t replica = 0; replica < replicas; ++replica) {
    scores.emplace_back(Score(partition, replica), replica);
  }
  std::ranges::sort(scores, std::greater<>());
  std::vector<uint32_t> ranked;
  for (const auto& [score, replica] : scores) ranked.push_back(replica);
  return ranked;
}

std::vector<OwnedPartition> OwnedBy(const Replica& replica, uint32_t partitions, size_t owners) {
  std::vector<OwnedPartition> owned;
  for (uint32_t partition = 0; partition < partitions; ++partition) {
    const std::vector<uint32_t> ranked = RankedReplicas(partition, replica.count);
    const auto at = std::ranges::find(ranked, replica.number);
    const auto rank = static_cast<size_t>(at - ranked.begin());
    if (rank < owners && at != ranked.end()) {
      owned.push_back({partition, static_cast<uint32_t>(rank)});
    }
  }
  return owned;
}

}  // namespace simpul::eventlog
