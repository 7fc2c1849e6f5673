#include "lib/eventlog/kafka_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/eventlog/kafka_log.h"
#include "lib/eventlog/kafka_topics.h"
#include "tests/support/temp_folder.h"

namespace simpul::eventlog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kFingerprint = "12345678";
constexpr uint32_t kPartitions = 3;
constexpr std::chrono::milliseconds kNever{60'000};

// A log on this machine and topics of its own on the brokers that tests/support/with_kafka.py
// started.
class KafkaCopyTest : public ::testing::Test {
 protected:
  KafkaCopyTest() {
    const char* bootstrap = std::getenv("SIMPUL_KAFKA");
    SIMPUL_CHECK(bootstrap != nullptr, "run by tests/support/with_kafka.py; ctest does");
    settings_.bootstrap = bootstrap;
    settings_.topic_prefix = base::RandomUuid().substr(0, 8) + ".";
    options_.replicas = 1;
    options_.on_whole = [this](const PlaceCopied& whole) { whole_[whole.place] = whole; };
  }

  std::unique_ptr<EmbeddedLog> Open(const std::string& folder) {
    auto log = EmbeddedLog::Open(
        folder_ / folder,
        {.partitions = kPartitions, .secret_fingerprint = std::string(kFingerprint)},
        base::SystemClock(), metrics_);
    EXPECT_TRUE(log.ok()) << log.status();
    return log.ok() ? *std::move(log) : nullptr;
  }

  static void Append(EventLog& log, const std::string& text, int count, size_t bytes = 20) {
    std::vector<Draft> drafts;
    for (int i = 0; i < count; ++i) {
      log::v1::LogRecord record;
      record.mutable_event()->set_event_id(text + std::to_string(i));
      record.mutable_event()->mutable_facility()->set_code("P1");
      record.mutable_event()->set_event(std::string(bytes, 'x'));
      drafts.push_back({.topic = Topic::kEvents,
                        .key = "subject " + std::to_string(i % 50),
                        .value = record.SerializeAsString()});
    }
    for (const Appended& appended : AppendAndWait(log, std::move(drafts))) {
      ASSERT_TRUE(appended.ok()) << appended.status();
    }
  }

  absl::StatusOr<Copied> Copy(EventLog& log) { return CopyToKafka(log, settings_, options_); }

  std::string WhyNot(EventLog& log) {
    const absl::Status status = Copy(log).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    return std::string(base::Message(status));
  }

  // As a copy that is killed when all is there: the topics stay closed.
  void CopyAndStayClosed(EventLog& log) {
    options_.before_opening = [] { return absl::CancelledError("closed"); };
    const auto copied = Copy(log);
    ASSERT_EQ(copied.status().code(), absl::StatusCode::kCancelled) << copied.status();
    options_.before_opening = nullptr;
  }

  absl::StatusOr<std::unique_ptr<KafkaLog>> OpenOnKafka() {
    return KafkaLog::Open(
        settings_, {.secret_fingerprint = std::string(kFingerprint), .accept_single_copy = true},
        metrics_);
  }

  struct Kept {
    int64_t appended_at_ms = 0;
    std::string key, value;
    friend bool operator==(const Kept&, const Kept&) = default;
  };
  static std::vector<Kept> All(EventLog& log, Place place) {
    std::vector<Kept> all;
    const auto subscription = log.Subscribe({{place, 0}});
    SIMPUL_CHECK(subscription.ok(), "{}", subscription.status().ToString());
    for (int64_t left = *log.End(place); left > 0; --left) {
      const auto record = (*subscription)->Poll(kNever);
      SIMPUL_CHECK(record.ok() && record->has_value(), "{}", record.status().ToString());
      all.push_back({(*record)->appended_at_us / 1000, std::string((*record)->key),
                     std::string((*record)->value)});
    }
    return all;
  }

  testing::TempFolder folder_;
  base::Metrics metrics_;
  KafkaSettings settings_;
  CopyOptions options_;
  std::map<Place, PlaceCopied> whole_;
};

TEST_F(KafkaCopyTest, GivesEveryRecordItsPositionKeyBytesAndTime) {
  const auto log = Open("log");
  Append(*log, "event ", 1000);
  const auto copied = Copy(*log);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(copied->records, 1000 + 5 * kPartitions);
  EXPECT_EQ(copied->were_there, 0);
  EXPECT_FALSE(copied->was_open);
  EXPECT_EQ(whole_.size(), 5 * kPartitions);
  const auto on_kafka = OpenOnKafka();
  ASSERT_TRUE(on_kafka.ok()) << on_kafka.status();
  EXPECT_EQ((*on_kafka)->install().SerializeAsString(), log->install().SerializeAsString());
  for (const auto& [place, whole] : whole_) {
    EXPECT_EQ(All(**on_kafka, place), All(*log, place)) << PlaceText(place);
    EXPECT_EQ(whole.records, *log->End(place));
  }
  const auto found = LookAtTopics(settings_, kNever);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->differences, ::testing::IsEmpty());
}

TEST_F(KafkaCopyTest, LeavesTheTopicsClosedUntilAllIsWhole) {
  const auto log = Open("log");
  Append(*log, "event ", 10);
  CopyAndStayClosed(*log);
  const absl::Status refused = OpenOnKafka().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(base::Message(refused)),
              AllOf(HasSubstr(settings_.topic_prefix + std::string(kCopyNotFinished)),
                    HasSubstr("simpul topics copy"), Not(HasSubstr("--create"))));
  const absl::Status not_completed = CreateTopics(
      settings_,
      {.partitions = kPartitions, .replicas = 1, .secret_fingerprint = std::string(kFingerprint)},
      base::SystemClock());
  EXPECT_THAT(std::string(base::Message(not_completed)), HasSubstr("simpul topics copy"));
  ASSERT_TRUE(Copy(*log).ok());
  EXPECT_TRUE(OpenOnKafka().ok());
}

TEST_F(KafkaCopyTest, GoesOnInTheMiddleOfAPartition) {
  const auto log = Open("log");
  Append(*log, "before ", 500);
  CopyAndStayClosed(*log);
  const auto before = whole_;
  // What the topics hold now is a part of the log: as after a kill.
  Append(*log, "after ", 500);
  const auto copied = Copy(*log);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(copied->were_there, 500 + 5 * kPartitions);
  EXPECT_EQ(copied->records, 1000 + 5 * kPartitions);
  const auto on_kafka = OpenOnKafka();
  ASSERT_TRUE(on_kafka.ok()) << on_kafka.status();
  for (const auto& [place, whole] : whole_) {
    EXPECT_EQ(whole.were_there, before.at(place).records);
    EXPECT_EQ(All(**on_kafka, place), All(*log, place)) << PlaceText(place);
  }
}

TEST_F(KafkaCopyTest, RunAgainComparesAndWritesNothing) {
  const auto log = Open("log");
  Append(*log, "event ", 100);
  ASSERT_TRUE(Copy(*log).ok());
  const auto digests = whole_;
  const auto again = Copy(*log);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->was_open);
  EXPECT_EQ(again->were_there, again->records);
  for (const auto& [place, whole] : whole_) EXPECT_EQ(whole.digest, digests.at(place).digest);
}

TEST_F(KafkaCopyTest, RefusesOtherBytesAndNamesTheirPosition) {
  {
    const auto log = Open("log");
    Append(*log, "same ", 100);
  }
  std::filesystem::copy(folder_ / "log", folder_ / "other",
                        std::filesystem::copy_options::recursive);
  const auto log = Open("log");
  const auto other = Open("other");
  Append(*log, "one ", 1);
  Append(*other, "two ", 1);
  CopyAndStayClosed(*log);
  const Place place{Topic::kEvents, event::PartitionOf("subject 0", kPartitions)};
  const int64_t position = *log->End(place) - 1;
  EXPECT_THAT(WhyNot(*other), HasSubstr(settings_.TopicName(Topic::kEvents) + " partition " +
                                        std::to_string(place.partition) + " position " +
                                        std::to_string(position) + " holds another record"));
}

TEST_F(KafkaCopyTest, RefusesTopicsThatHoldMore) {
  {
    const auto log = Open("log");
    Append(*log, "same ", 100);
  }
  std::filesystem::copy(folder_ / "log", folder_ / "longer",
                        std::filesystem::copy_options::recursive);
  const auto log = Open("log");
  const auto longer = Open("longer");
  Append(*longer, "more ", 1);
  CopyAndStayClosed(*longer);
  EXPECT_THAT(WhyNot(*log), HasSubstr("the log to be copied ends there: it is not its copy"));
  ASSERT_TRUE(Copy(*longer).ok());
  EXPECT_THAT(WhyNot(*log), HasSubstr("have been served from since"));
}

TEST_F(KafkaCopyTest, RefusesToWriteIntoTopicsThatAreOpen) {
  const auto log = Open("log");
  Append(*log, "event ", 10);
  ASSERT_TRUE(Copy(*log).ok());
  Append(*log, "late ", 1);
  EXPECT_THAT(WhyNot(*log), AllOf(HasSubstr("is missing"), HasSubstr("finished before")));
}

TEST_F(KafkaCopyTest, RefusesAnotherInstallAndOtherPartitions) {
  const auto log = Open("log");
  ASSERT_TRUE(CreateTopics(settings_,
                           {.partitions = kPartitions,
                            .replicas = 1,
                            .secret_fingerprint = std::string(kFingerprint)},
                           base::SystemClock())
                  .ok());
  EXPECT_THAT(WhyNot(*log), AllOf(HasSubstr(log->install().install_id()),
                                  HasSubstr("give other topics (--kafka-prefix)")));
  KafkaSettings other = settings_;
  other.topic_prefix += "four.";
  ASSERT_TRUE(CreateTopics(
                  other,
                  {.partitions = 4, .replicas = 1, .secret_fingerprint = std::string(kFingerprint)},
                  base::SystemClock())
                  .ok());
  EXPECT_EQ(CopyToKafka(*log, other, options_).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(KafkaCopyTest, CopiesLargeRecords) {
  const auto log = Open("log");
  Append(*log, "large ", 12, (4 << 20) - 1000);
  const auto copied = Copy(*log);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(copied->records, 12 + 5 * kPartitions);
}

}  // namespace
}  // namespace simpul::eventlog
