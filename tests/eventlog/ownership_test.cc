#include "lib/eventlog/ownership.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

namespace simpul::eventlog {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;

TEST(Ownership, RanksAsDocumented) {
  EXPECT_THAT(RankedReplicas(0, 5), ElementsAre(1, 4, 2, 3, 0));
  EXPECT_THAT(RankedReplicas(23, 5), ElementsAre(0, 4, 1, 3, 2));
}

TEST(Ownership, OfOneReplicaIsAll) {
  const auto owned = OwnedBy({.number = 0, .count = 1}, 24, kOwners);
  ASSERT_THAT(owned, SizeIs(24));
  for (const OwnedPartition& partition : owned) EXPECT_EQ(partition.rank, 0u);
}

TEST(Ownership, OfAReplicaThatThereIsNotIsNothing) {
  EXPECT_THAT(OwnedBy({.number = 3, .count = 3}, 24, kOwners), SizeIs(0));
}

TEST(Ownership, GivesEveryPartitionItsOwnersEachOfAnotherRank) {
  for (uint32_t count = 1; count <= 9; ++count) {
    std::map<uint32_t, std::vector<uint32_t>> ranks;
    for (uint32_t number = 0; number < count; ++number) {
      for (const auto& owned : OwnedBy({number, count}, 96, kOwners)) {
        ranks[owned.number].push_back(owned.rank);
      }
    }
    ASSERT_THAT(ranks, SizeIs(96)) << count;
    for (const auto& [partition, all] : ranks) {
      EXPECT_THAT(all, UnorderedElementsAreArray(count == 1 ? std::vector<uint32_t>{0}
                                                            : std::vector<uint32_t>{0, 1}))
          << partition << " of " << count;
    }
  }
}

TEST(Ownership, MovesNothingBetweenOthersWhenOneMoreComes) {
  for (uint32_t count = 2; count <= 8; ++count) {
    size_t moved = 0;
    for (uint32_t partition = 0; partition < 960; ++partition) {
      const auto before = RankedReplicas(partition, count);
      auto after = RankedReplicas(partition, count + 1);
      const auto newcomer = std::ranges::find(after, count);
      moved += newcomer - after.begin() < static_cast<ptrdiff_t>(kOwners) ? 1 : 0;
      after.erase(newcomer);
      ASSERT_EQ(after, before) << partition;
    }
    // The newcomer's share: 2 of count + 1.
    EXPECT_NEAR(static_cast<double>(moved) / 960, 2.0 / (count + 1), 0.06) << count;
  }
}

}  // namespace
}  // namespace simpul::eventlog
