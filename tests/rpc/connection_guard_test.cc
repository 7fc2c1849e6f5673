#include "lib/rpc/connection_guard.h"

#include <gtest/gtest.h>

namespace simpul::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kMiB = 1 << 20;

class ConnectionGuardTest : public ::testing::Test {
 protected:
  Verdict Look(int64_t bytes_received, const StreamCounts& counts, bool has_unread = false) {
    return guard_.Look(now_, bytes_received, has_unread, counts);
  }

  ConnectionGuard guard_;
  ConnectionGuard::Time now_{seconds(1000)};
};

TEST_F(ConnectionGuardTest, LetsACallerMakeAnyNumberOfCallsThatAreAnswered) {
  for (int64_t i = 1; i <= 100; ++i) {
    now_ += milliseconds(50);
    EXPECT_EQ(Look(i * kMiB, {.started = i * 10'000, .succeeded = i * 10'000 - 128}),
              Verdict::kFine);
  }
}

TEST_F(ConnectionGuardTest, CutsWhenMoreCallsAreGivenUpThanCanBeLetGoOf) {
  EXPECT_EQ(Look(10'000, {.started = 1000, .succeeded = 488}), Verdict::kFine);
  EXPECT_EQ(Look(20'000, {.started = 1001, .succeeded = 488}), Verdict::kResets);
}

TEST_F(ConnectionGuardTest, CutsWhenTooManyCallsAreGivenUpWithinASecond) {
  EXPECT_EQ(Look(10'000, {.started = 5000, .failed = 5000}), Verdict::kFine);
  now_ += seconds(1);
  EXPECT_EQ(Look(20'000, {.started = 9000, .failed = 9000}), Verdict::kFine);
  now_ += milliseconds(950);
  EXPECT_EQ(Look(30'000, {.started = 14'000, .failed = 14'000}), Verdict::kFine);
  EXPECT_EQ(Look(40'000, {.started = 14'001, .failed = 14'001}), Verdict::kResets);
}

TEST_F(ConnectionGuardTest, LetsTheLargestMessageComeAsSlowlyAsItMay) {
  for (int64_t bytes = 100; bytes < 4 * kMiB + 100'000; bytes += 50'000) {
    now_ += seconds(10);
    EXPECT_EQ(Look(bytes, {.started = 1}), Verdict::kFine);
  }
  EXPECT_EQ(Look(4 * kMiB + 100'000, {.started = 1, .messages = 1}), Verdict::kFine);
  EXPECT_EQ(Look(8 * kMiB + 100'000, {.started = 2, .succeeded = 1, .messages = 1}),
            Verdict::kFine);
}

TEST_F(ConnectionGuardTest, LetsAMessageComeThatIsRefusedForItsSize) {
  EXPECT_EQ(Look(1000, {.started = 1}), Verdict::kFine);
  EXPECT_EQ(Look(1000 + 17 * kMiB, {.started = 1}), Verdict::kFine);
  EXPECT_EQ(Look(1001 + 17 * kMiB, {.started = 1}), Verdict::kBytes);
}

TEST_F(ConnectionGuardTest, CutsWhenMuchCameAndNothingCameOfIt) {
  EXPECT_EQ(Look(5 * kMiB, {}), Verdict::kFine);
  EXPECT_EQ(Look(5 * kMiB + 1, {}), Verdict::kBytes);
}

TEST_F(ConnectionGuardTest, LetsEveryOpenCallHaveAMessageUnderWay) {
  const StreamCounts sixty_open = {.started = 100, .succeeded = 40};
  EXPECT_EQ(Look(1000, sixty_open), Verdict::kFine);
  EXPECT_EQ(Look(1000 + 65 * kMiB, sixty_open), Verdict::kFine);
  EXPECT_EQ(Look(1001 + 65 * kMiB, sixty_open), Verdict::kBytes);
}

TEST_F(ConnectionGuardTest, CutsWhatKeepsTheServerBusyForNothing) {
  EXPECT_EQ(Look(1000, {.started = 1}), Verdict::kFine);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(Look(kMiB, {.started = 1}, /*has_unread=*/true), Verdict::kFine) << i;
    now_ += milliseconds(50);
  }
  EXPECT_EQ(Look(kMiB, {.started = 1}, /*has_unread=*/true), Verdict::kStalled);
}

TEST_F(ConnectionGuardTest, DoesNotTakeAMachineThatStoodStillForAStall) {
  EXPECT_EQ(Look(kMiB, {}, /*has_unread=*/true), Verdict::kFine);
  now_ += seconds(3600);
  EXPECT_EQ(Look(kMiB, {}, /*has_unread=*/true), Verdict::kFine);
}

TEST_F(ConnectionGuardTest, ForgetsAStallOnceSomethingCameOfIt) {
  for (int i = 0; i < 100; ++i) {
    now_ += milliseconds(500);
    EXPECT_EQ(Look(i * kMiB, {.started = i / 3}, /*has_unread=*/true), Verdict::kFine) << i;
  }
}

TEST_F(ConnectionGuardTest, IsNotInterestedInConnectionsOnWhichLittleComes) {
  EXPECT_FALSE(guard_.WantsLook(1000));
  EXPECT_TRUE(guard_.WantsLook(10'000));
  EXPECT_EQ(Look(10'000, {.started = 3}), Verdict::kFine);
  EXPECT_FALSE(guard_.WantsLook(11'000));
  EXPECT_EQ(Look(kMiB, {.started = 3}, /*has_unread=*/true), Verdict::kFine);
  EXPECT_TRUE(guard_.WantsLook(kMiB));
}

}  // namespace
}  // namespace simpul::rpc
