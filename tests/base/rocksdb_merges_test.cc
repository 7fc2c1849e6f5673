#include "lib/base/rocksdb_merges.h"

#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/rate_limiter.h>

namespace simpul::base {
namespace {

// One test: nothing is held back any more once it was.
TEST(MergesTest, WaitOnceToldToAndNobodyElseDoes) {
  const auto rate = MergeRate();
  const auto held_back = [&](rocksdb::Env::IOPriority priority) {
    const int64_t before = rate->GetTotalBytesThrough(rocksdb::Env::IO_TOTAL);
    rate->Request(1000, priority, nullptr);
    return rate->GetTotalBytesThrough(rocksdb::Env::IO_TOTAL) - before;
  };
  EXPECT_EQ(held_back(rocksdb::Env::IO_LOW), 0);
  LetMergesWait();
  EXPECT_EQ(held_back(rocksdb::Env::IO_LOW), 1000);
  EXPECT_EQ(held_back(rocksdb::Env::IO_HIGH), 0) << "what is written out";
  EXPECT_EQ(held_back(rocksdb::Env::IO_USER), 0) << "a merge that writers wait for";
  EXPECT_EQ(MergeRate(), rate);
}

}  // namespace
}  // namespace simpul::base
