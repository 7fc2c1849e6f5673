// A process that dies anywhere leaves nothing that the log does not heal, and planted bugs are
// seen.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "lib/base/check.h"
#include "lib/base/log.h"
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
                useconds_t kill_after_us = 0) {
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "timeline_crash_victim";
  std::string path = program.string();
  std::string argument = folder.string();
  char* argv[] = {path.data(), argument.data(), nullptr};
  std::vector<char*> envp;
  for (char** variable = environ; *variable != nullptr; ++variable) envp.push_back(*variable);
  for (std::string& variable : environment) envp.push_back(variable.data());
  envp.push_back(nullptr);
  int ends[2];
  SIMPUL_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "No pipe.");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t pid = 0;
  SIMPUL_CHECK(::posix_spawn(&pid, path.c_str(), &actions, nullptr, argv, envp.data()) == 0,
               "{} cannot be started.", path);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (kill_after_us > 0) {
    // The moment of the kill is what is tried, not something that is waited for.
    timespec pause{.tv_sec = 0, .tv_nsec = static_cast<long>(kill_after_us) * 1000};
    ::nanosleep(&pause, nullptr);
    ::kill(pid, SIGKILL);
  }
  Ended ended;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    ended.said.append(buffer, static_cast<size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return ended;
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
    RunVictim(folder_.path(), {}, 1'000 + random() % 150'000);
  }
  const Ended ended = RunVictim(folder_.path());
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.said, expected_);
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
