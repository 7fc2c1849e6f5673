#include "lib/eventlog/kafka_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "lib/base/check.h"
#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"
#include "lib/eventlog/kafka_topics.h"
#include "tests/contract/event_log_contract.h"

namespace simpul::eventlog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kFingerprint = "12345678";

// Topics of its own on the brokers that tests/support/with_kafka.py started.
KafkaSettings NewSettings() {
  const char* bootstrap = std::getenv("SIMPUL_KAFKA");
  SIMPUL_CHECK(bootstrap != nullptr, "run by tests/support/with_kafka.py; ctest does");
  KafkaSettings settings;
  settings.bootstrap = bootstrap;
  settings.topic_prefix = base::RandomUuid().substr(0, 8) + ".";
  return settings;
}

TopicsWanted Wanted() {
  return {.partitions = LogUnderTest::kPartitions,
          .replicas = 1,
          .secret_fingerprint = std::string(kFingerprint)};
}

KafkaLog::Options OptionsFor(std::string_view fingerprint = kFingerprint) {
  KafkaLog::Options options;
  options.secret_fingerprint = fingerprint;
  options.accept_single_copy = true;
  return options;
}

class KafkaUnderTest final : public LogUnderTest {
 public:
  KafkaUnderTest() : settings_(NewSettings()) {
    const absl::Status made = CreateTopics(settings_, Wanted(), base::SystemClock());
    EXPECT_TRUE(made.ok()) << made;
  }
  std::unique_ptr<EventLog> Open(size_t in_flight_bytes_max) override {
    KafkaLog::Options options = OptionsFor();
    options.in_flight_bytes_max = in_flight_bytes_max;
    auto log = KafkaLog::Open(settings_, options, metrics_);
    EXPECT_TRUE(log.ok()) << log.status();
    return log.ok() ? *std::move(log) : nullptr;
  }

 private:
  const KafkaSettings settings_;
  base::Metrics metrics_;
};

INSTANTIATE_TEST_SUITE_P(Kafka, EventLogContract,
                         ::testing::Values(+[]() -> std::unique_ptr<LogUnderTest> {
                           return std::make_unique<KafkaUnderTest>();
                         }));

class KafkaLogTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<KafkaLog>> Open(const KafkaLog::Options& options = OptionsFor()) {
    return KafkaLog::Open(settings_, options, metrics_);
  }
  std::string WhyNot(const KafkaLog::Options& options = OptionsFor()) {
    const absl::Status status = Open(options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    return std::string(base::Message(status));
  }

  KafkaSettings settings_ = NewSettings();
  base::Metrics metrics_;
};

TEST_F(KafkaLogTest, SaysWhichTopicsAreMissingAndHowTheyAreMade) {
  EXPECT_THAT(WhyNot(), AllOf(HasSubstr(settings_.TopicName(Topic::kEvents)),
                              HasSubstr(settings_.TopicName(Topic::kAudit)),
                              HasSubstr("simpul topics --create")));
}

TEST_F(KafkaLogTest, RefusesAnotherSecret) {
  ASSERT_TRUE(CreateTopics(settings_, Wanted(), base::SystemClock()).ok());
  EXPECT_THAT(WhyNot(OptionsFor("87654321")), HasSubstr("another secret"));
  TopicsWanted other = Wanted();
  other.secret_fingerprint = "87654321";
  EXPECT_THAT(std::string(base::Message(CreateTopics(settings_, other, base::SystemClock()))),
              HasSubstr("another secret"));
}

TEST_F(KafkaLogTest, RefusesASingleCopyThatNobodyAccepted) {
  ASSERT_TRUE(CreateTopics(settings_, Wanted(), base::SystemClock()).ok());
  KafkaLog::Options options = OptionsFor();
  options.accept_single_copy = false;
  EXPECT_THAT(WhyNot(options), HasSubstr("--accept-single-copy"));
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(metrics_.Render(), HasSubstr("simpul_kafka_single_copy 1"));
}

TEST_F(KafkaLogTest, IsMadeOnceAndStaysWhenItIsMadeAgain) {
  ASSERT_TRUE(CreateTopics(settings_, Wanted(), base::SystemClock()).ok());
  const auto before = LookAtTopics(settings_, kNever);
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_THAT(before->differences, IsEmpty());
  ASSERT_TRUE(CreateTopics(settings_, Wanted(), base::SystemClock()).ok());
  const auto after = LookAtTopics(settings_, kNever);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->install->SerializeAsString(), before->install->SerializeAsString());
  for (const TopicFound& topic : after->topics) {
    EXPECT_EQ(topic.installed, LogUnderTest::kPartitions) << topic.name;
    EXPECT_EQ(topic.retention, "for good");
  }
  const auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ((*log)->End({Topic::kEvents, 0}).value(), 1) << "one install record and no other";
}

TEST_F(KafkaLogTest, SaysThatNobodyAnswers) {
  settings_.bootstrap = "127.0.0.1:1";
  KafkaLog::Options options = OptionsFor();
  options.connect_within = std::chrono::milliseconds(500);
  const absl::Status status = Open(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(base::Message(status)),
              AllOf(HasSubstr("127.0.0.1:1"), HasSubstr("no Kafka broker answers")));
}

TEST_F(KafkaLogTest, RefusesSettingsThatCannotBe) {
  settings_.ca = "/nowhere/ca.pem";
  const absl::Status status = Open().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
}

}  // namespace
}  // namespace simpul::eventlog
