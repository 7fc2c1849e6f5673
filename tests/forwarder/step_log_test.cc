#include "forwarder/step_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "lib/base/uuid.h"

namespace simpul::forwarder {
namespace {

using eventlog::Appended;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A log that answers when it is told to.
class SlowLog final : public eventlog::EventLog {
 public:
  struct Batch {
    std::vector<eventlog::Draft> drafts;
    absl::AnyInvocable<void(std::vector<Appended>)> done;
  };

  const log::v1::Install& install() const override { return install_; }
  absl::StatusOr<std::unique_ptr<eventlog::Admission>> Admit(size_t) override {
    if (full) return absl::ResourceExhaustedError("full");
    return std::unique_ptr<eventlog::Admission>();
  }
  void Append(std::vector<eventlog::Draft> drafts, std::unique_ptr<eventlog::Admission>,
              absl::AnyInvocable<void(std::vector<Appended>)> done) override {
    batches.push_back({std::move(drafts), std::move(done)});
  }
  absl::StatusOr<std::vector<int64_t>> Ends(std::span<const eventlog::Place> places) override {
    return std::vector<int64_t>(places.size(), 0);
  }
  absl::StatusOr<std::unique_ptr<eventlog::Subscription>> Subscribe(
      std::vector<eventlog::Start>, std::chrono::milliseconds) override {
    return absl::UnimplementedError("nobody reads here");
  }
  absl::Status Health() const override { return absl::OkStatus(); }

  // What the oldest batch that has no answer says, one attempt's number each; then its answer.
  std::vector<uint32_t> Answer(const Appended& each) {
    std::vector<uint32_t> attempts;
    Batch batch = std::move(batches.front());
    batches.pop_front();
    for (const eventlog::Draft& draft : batch.drafts) {
      log::v1::LogRecord record;
      EXPECT_TRUE(record.ParseFromString(draft.value));
      EXPECT_EQ(record.delivery().claim(), "claim");
      EXPECT_EQ(record.delivery().at_us(), draft.ce_time_us);
      attempts.push_back(record.delivery().attempt().attempt());
    }
    batch.done(std::vector<Appended>(batch.drafts.size(), each));
    return attempts;
  }

  bool full = false;
  std::deque<Batch> batches;

 private:
  const log::v1::Install install_;
};

class StepLogTest : public ::testing::Test {
 protected:
  StepLogTest()
      : steps(log, "claim", clock,
              [this](absl::AnyInvocable<void()> task) { posted.push_back(std::move(task)); }) {}

  static log::v1::DeliveryRecord Attempt(uint32_t number) {
    log::v1::DeliveryRecord step;
    step.mutable_attempt()->set_attempt(number);
    return step;
  }
  void RunPosted() {
    for (auto& task : std::exchange(posted, {})) task();
  }
  // After every pause.
  void FlushLater() {
    clock.Advance(std::chrono::seconds(10));
    steps.Flush();
  }

  const StepLog::About entry{std::string(16, '\1'), std::string(16, 'k'), "P7324020101"};
  const StepLog::About other{std::string(16, '\2'), std::string(16, 'l'), "P7324020101"};
  const Appended lost = absl::UnavailableError("no answer");
  base::ManualClock clock{base::FromMicros(1'767'225'600'000'000)};
  SlowLog log;
  std::deque<absl::AnyInvocable<void()>> posted;
  StepLog steps;
};

TEST_F(StepLogTest, HandsOverWhatWasGatheredInOneGo) {
  steps.Flush();
  EXPECT_THAT(log.batches, IsEmpty());
  steps.Append(entry, Attempt(1));
  steps.Append(other, Attempt(2));
  steps.Flush();
  ASSERT_EQ(log.batches.size(), 1u);
  const eventlog::Draft& draft = log.batches[0].drafts[0];
  EXPECT_EQ(draft.topic, eventlog::Topic::kDeliveries);
  EXPECT_EQ(draft.key, entry.subject_key);
  EXPECT_EQ(draft.ce_id, base::UuidText(entry.entry_id));
  EXPECT_EQ(draft.ce_source, "P7324020101");
  EXPECT_THAT(log.Answer(1), ElementsAre(1, 2));
  EXPECT_THAT(posted, IsEmpty());
}

TEST_F(StepLogTest, WaitsWhileTheLogHasNoRoom) {
  log.full = true;
  steps.Append(entry, Attempt(1));
  steps.Flush();
  const auto until = steps.WaitsUntil(clock.Now());
  ASSERT_TRUE(until);
  log.full = false;
  steps.Flush();
  EXPECT_THAT(log.batches, IsEmpty());
  clock.Advance(*until - clock.Now());
  EXPECT_FALSE(steps.WaitsUntil(clock.Now()));
  steps.Flush();
  EXPECT_THAT(log.Answer(1), ElementsAre(1));
}

TEST_F(StepLogTest, AppendsAgainWhatTheLogDidNotTakeUntilItIsForgotten) {
  steps.Append(entry, Attempt(1));
  steps.Append(other, Attempt(2));
  steps.Flush();
  log.Answer(lost);
  steps.Forget(other.entry_id);
  RunPosted();
  steps.Flush();
  EXPECT_THAT(log.batches, IsEmpty());
  FlushLater();
  EXPECT_THAT(log.Answer(lost), ElementsAre(1));
  RunPosted();
  FlushLater();
  EXPECT_THAT(log.Answer(1), ElementsAre(1));
  EXPECT_THAT(posted, IsEmpty());
}

TEST_F(StepLogTest, AppendsTheLatestStepAgainWhenAnEarlierOneWasReadBackAllTheSame) {
  steps.Append(entry, Attempt(1));
  steps.Flush();
  log.Answer(lost);
  steps.Append(entry, Attempt(2));
  RunPosted();
  FlushLater();
  EXPECT_THAT(log.Answer(1), ElementsAre(2, 2));
}

TEST_F(StepLogTest, DoesNotTakeALateFailureForThatOfANewJob) {
  steps.Append(entry, Attempt(1));
  steps.Flush();
  steps.Forget(entry.entry_id);
  steps.Append(entry, Attempt(2));
  log.Answer(lost);
  RunPosted();
  FlushLater();
  EXPECT_THAT(log.Answer(1), ElementsAre(2));
}

TEST_F(StepLogTest, LosesWhatMayBeLost) {
  steps.AppendOnce(entry, Attempt(1));
  steps.Flush();
  log.Answer(lost);
  EXPECT_THAT(posted, IsEmpty());
  steps.Flush();
  EXPECT_THAT(log.batches, IsEmpty());
}

}  // namespace
}  // namespace simpul::forwarder
