#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "simpul/listen.h"

namespace simpul::cli {
namespace {

// What a stop that something holds up looks like.
void StopForEver() {
  const StopLimit limit(std::chrono::milliseconds(1));
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable never;
  never.wait(lock, [] { return false; });
}

TEST(StopLimitDeathTest, EndsAProcessWhoseStopIsHeldUp) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(StopForEver(), ::testing::ExitedWithCode(1), "held the stop up");
}

TEST(StopLimit, LeavesAProcessAloneThatStopsInTime) {
  const StopLimit limit(std::chrono::hours(1));
}

}  // namespace
}  // namespace simpul::cli
