// A process that dies anywhere leaves nothing that the log does not heal, and planted bugs are
// seen.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <chrono>
#include <random>

#include "lib/base/log.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"
#include "tests/timeline/histories.h"
#include "tests/timeline/records.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline_role {
namespace {

using event::v1::Event;

constexpr int kCrashed = 137;

struct Ended {
  int status = 0;  // exit status, or minus the signal
  std::string said;
};

// Runs the victim to its end.
Ended RunVictim(const std::filesystem::path& folder, std::vector<std::string> environment = {},
                std::chrono::microseconds kill_after = {}, bool checkpoints = false) {
  std::vector<std::string> arguments = {folder.string()};
  if (checkpoints) arguments.push_back("checkpoints");
  simpul::testing::ChildProcess victim("timeline_crash_victim", std::move(arguments),
                                       std::move(environment));
  if (kill_after.count() > 0) victim.KillAfter(kill_after);
  const int status = victim.Wait();
  return {.status = status, .said = victim.said()};
}

class TimelineCrash : public ::testing::Test {
 protected:
  void SetUp() override {
    base::SetLogMinimum(base::Severity::kWarning);
    std::vector<Event> sent = events_;
    sent.insert(sent.end(), events_.begin(), events_.begin() + 40);  // some of it twice
    base::Metrics metrics;
    const event::Secret secret = testing::SampleSecret();
    const auto log = testing::OpenLog(folder_ / "log", secret, metrics);
    // In several appends: the role sees several batches.
    for (size_t n = 0; n < sent.size(); n += 16) {
      testing::Push(*log, secret,
                    {sent.begin() + static_cast<long>(n),
                     sent.begin() + static_cast<long>(std::min(n + 16, sent.size()))});
    }
    const testing::Outcome outcome = testing::Expect(events_);
    expected_ = fmt::format("{} {} {} {} {}\n", outcome.events, outcome.entries, outcome.waiting,
                            outcome.dead_letters, outcome.checksum);
  }

  testing::TempFolder folder_;
  const std::vector<Event> events_ = testing::RandomStory(21, 400);
  std::string expected_;
};

TEST_F(TimelineCrash, BetweenStateAndDerivedAppendLosesNothingAndLeavesNoHole) {
  int crashes = 0;
  for (int passes = 1; passes <= 4; ++passes) {
    crashes += RunVictim(folder_.path(), {fmt::format("SIMPUL_CRASH_AT=between_state_and_derived_"
                                                      "append:{}",
                                                      passes)})
                   .status == kCrashed;
  }
  EXPECT_GT(crashes, 0);
  const Ended ended = RunVictim(folder_.path());
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.said, expected_);
}

TEST_F(TimelineCrash, AtAnyMomentLosesNothingAndLeavesNoHole) {
  std::mt19937 random(3);
  for (int n = 0; n < 12; ++n) {
    if (n % 4 == 3) std::filesystem::remove_all(folder_ / "timeline");
    RunVictim(folder_.path(), {}, std::chrono::microseconds(1'000 + random() % 150'000));
  }
  const Ended ended = RunVictim(folder_.path());
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.said, expected_);
}

TEST_F(TimelineCrash, WhileACheckpointIsWrittenOrRestoredLeavesNoWrongOne) {
  const auto crash = [this](std::string_view point) {
    return RunVictim(folder_.path(), {fmt::format("SIMPUL_CRASH_AT={}", point)}, {}, true).status;
  };
  EXPECT_EQ(crash("while_a_checkpoint_is_written"), kCrashed);
  std::filesystem::remove_all(folder_ / "timeline");
  EXPECT_EQ(crash("while_a_checkpoint_is_written:2"), kCrashed);
  EXPECT_EQ(crash("before_a_checkpoint_is_verified"), kCrashed);
  std::filesystem::remove_all(folder_ / "timeline");
  EXPECT_EQ(crash("before_a_restored_store_has_its_name"), kCrashed) << "there is one by now";
  std::filesystem::remove_all(folder_ / "timeline");
  const Ended ended = RunVictim(folder_.path(), {}, {}, true);
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.said, expected_);
}

TEST_F(TimelineCrash, AtAnyMomentWithCheckpointsLosesNothing) {
  std::mt19937 random(5);
  for (int n = 0; n < 12; ++n) {
    if (n % 2 == 1) std::filesystem::remove_all(folder_ / "timeline");
    RunVictim(folder_.path(), {}, std::chrono::microseconds(1'000 + random() % 400'000), true);
  }
  std::filesystem::remove_all(folder_ / "timeline");
  const Ended ended = RunVictim(folder_.path(), {}, {}, true);
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.said, expected_);
}

TEST_F(TimelineCrash, AtTheSameEventAgainAndAgainStopsItsPartitionAlone) {
  const std::vector<std::string> deadly = {"SIMPUL_CRASH_ON=project:" + events_[200].event_id()};
  Ended ended;
  int crashes = 0;
  while ((ended = RunVictim(folder_.path(), deadly)).status == kCrashed) ASSERT_LT(++crashes, 9);
  // Once in its batch, and twice alone.
  EXPECT_EQ(crashes, 3);
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.said, ::testing::HasSubstr("ended the program 2 times"));
  EXPECT_EQ(RunVictim(folder_.path()).said, ended.said) << "it is not tried again unasked";
  for (const auto& file : std::filesystem::directory_iterator(folder_ / "timeline")) {
    if (file.path().extension() == ".note") std::filesystem::remove(file.path());
  }
  EXPECT_EQ(RunVictim(folder_.path()).said, expected_);
}

TEST_F(TimelineCrash, OfASecondBatchForThePositionIsSeen) {
  ASSERT_EQ(RunVictim(folder_.path(), {"SIMPUL_PLANT_BUG=position_in_second_batch",
                                       "SIMPUL_CRASH_AT=between_batches"})
                .status,
            kCrashed);
  EXPECT_NE(RunVictim(folder_.path()).said, expected_);
}

TEST_F(TimelineCrash, IsNotNeededToSeeThatNothingIsDeduplicated) {
  EXPECT_NE(RunVictim(folder_.path(), {"SIMPUL_PLANT_BUG=no_deduplication"}).said, expected_);
}

}  // namespace
}  // namespace simpul::timeline_role
