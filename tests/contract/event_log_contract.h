// The contract of EventLog, as tests. Every implementation passes it unchanged:
//
//   INSTANTIATE_TEST_SUITE_P(Embedded, EventLogContract, ::testing::Values(MakeEmbedded));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "lib/eventlog/event_log.h"

namespace simpul::eventlog {

// One log, to be opened and closed again, gone with this. The test closes it before it opens it
// again.
class LogUnderTest {
 public:
  virtual ~LogUnderTest() = default;
  // `kPartitions` partitions; the first time it is installed.
  virtual std::unique_ptr<EventLog> Open(size_t in_flight_bytes_max) = 0;

  static constexpr uint32_t kPartitions = 4;
};

// Makes a log that holds nothing.
using MakeLogUnderTest = std::unique_ptr<LogUnderTest> (*)();

// A record as a test keeps it.
struct SeenRecord {
  Place place;
  int64_t position = 0;
  std::string key;
  std::string value;
  friend bool operator==(const SeenRecord&, const SeenRecord&) = default;
};

// Long enough to tell "slow" from "never".
inline constexpr std::chrono::milliseconds kNever{30'000};

// The next `count` records; fewer only after a failure has been noted.
inline std::vector<SeenRecord> Read(Subscription& subscription, size_t count) {
  std::vector<SeenRecord> seen;
  while (seen.size() < count) {
    const absl::StatusOr<std::optional<Record>> record = subscription.Poll(kNever);
    if (!record.ok() || !record->has_value()) {
      ADD_FAILURE() << "after " << seen.size() << " of " << count
                    << " records: " << record.status().ToString();
      break;
    }
    seen.push_back({(*record)->place, (*record)->position, std::string((*record)->key),
                    std::string((*record)->value)});
  }
  return seen;
}

class EventLogContract : public ::testing::TestWithParam<MakeLogUnderTest> {
 protected:
  EventLogContract() : under_test_(GetParam()()) { Reopen(); }

  void Reopen(size_t in_flight_bytes_max = 64 << 20) {
    log_.reset();
    log_ = under_test_->Open(in_flight_bytes_max);
    ASSERT_NE(log_, nullptr);
  }

  EventLog& log() { return *log_; }

  static Draft MakeDraft(std::string key, std::string value, Topic topic = Topic::kEvents) {
    return {.topic = topic,
            .key = std::move(key),
            .value = std::move(value),
            .ce_id = "7d444840-9dc0-41d1-b245-5ffdce74fad2",
            .ce_type = "simpul.test",
            .ce_source = "1001"};
  }

  // The n-th key that falls into the partition.
  static std::string KeyIn(uint32_t partition, int n = 0) {
    for (int i = 0;; ++i) {
      std::string key = "key-" + std::to_string(i);
      key.resize(16, '.');
      if (event::PartitionOf(key, LogUnderTest::kPartitions) == partition && n-- == 0) return key;
    }
  }

  // The position of one record appended alone.
  int64_t AppendOne(Draft draft) {
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    const std::vector<Appended> outcomes = AppendAndWait(log(), std::move(drafts));
    if (outcomes.size() != 1 || !outcomes[0].ok()) {
      ADD_FAILURE() << "not appended";
      return -1;
    }
    return *outcomes[0];
  }

  std::unique_ptr<Subscription> Subscribe(std::vector<Start> starts) {
    absl::StatusOr<std::unique_ptr<Subscription>> subscription = log().Subscribe(std::move(starts));
    EXPECT_TRUE(subscription.ok()) << subscription.status();
    return subscription.ok() ? *std::move(subscription) : nullptr;
  }

  // What a subscription says when it is asked for what is not there.
  absl::StatusCode CodeOf(std::vector<Start> starts) {
    absl::StatusOr<std::unique_ptr<Subscription>> subscription = log().Subscribe(std::move(starts));
    if (!subscription.ok()) return subscription.status().code();
    return (*subscription)->Poll(kNever).status().code();
  }

 private:
  std::unique_ptr<LogUnderTest> under_test_;
  std::unique_ptr<EventLog> log_;
};

TEST_P(EventLogContract, GivesEachPlaceDensePositionsFromOneInTheOrderOfTheBatch) {
  std::vector<Draft> drafts;
  for (int i = 0; i < 100; ++i) {
    drafts.push_back(MakeDraft(KeyIn(static_cast<uint32_t>(i) % LogUnderTest::kPartitions, i % 3),
                               std::to_string(i)));
  }
  const std::vector<Appended> outcomes = AppendAndWait(log(), drafts);
  ASSERT_EQ(outcomes.size(), drafts.size());
  std::map<uint32_t, int64_t> last;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    ASSERT_TRUE(outcomes[i].ok()) << outcomes[i].status();
    EXPECT_EQ(*outcomes[i], ++last[event::PartitionOf(drafts[i].key, log().partitions())]);
  }
  EXPECT_EQ(AppendOne(MakeDraft(KeyIn(2), "next")), last[2] + 1);
}

TEST_P(EventLogContract, PutsARecordIntoThePartitionOfItsKey) {
  for (uint32_t partition = 0; partition < log().partitions(); ++partition) {
    const int64_t position = AppendOne(MakeDraft(KeyIn(partition), "value"));
    const Place place{Topic::kEvents, partition};
    const auto subscription = Subscribe({{place, position}});
    EXPECT_THAT(Read(*subscription, 1),
                testing::ElementsAre(SeenRecord{place, position, KeyIn(partition), "value"}));
  }
}

TEST_P(EventLogContract, HoldsTheInstallRecordAtPositionZeroOfEveryPlace) {
  const log::v1::Install& install = log().install();
  EXPECT_EQ(install.partitions(), LogUnderTest::kPartitions);
  EXPECT_EQ(install.install_id().size(), 36u);
  for (const Topic topic : kTopics) {
    for (uint32_t partition = 0; partition < log().partitions(); ++partition) {
      const auto subscription = Subscribe({{{topic, partition}, 0}});
      const std::vector<SeenRecord> seen = Read(*subscription, 1);
      ASSERT_EQ(seen.size(), 1u);
      EXPECT_EQ(seen[0].position, 0);
      log::v1::LogRecord record;
      ASSERT_TRUE(record.ParseFromString(seen[0].value));
      ASSERT_TRUE(record.has_install());
      EXPECT_EQ(record.install().topic(), TopicName(topic));
      EXPECT_EQ(record.install().partition(), partition);
      EXPECT_EQ(record.install().install_id(), install.install_id());
      EXPECT_EQ(record.install().partitions(), install.partitions());
      EXPECT_EQ(record.install().format(), install.format());
      EXPECT_EQ(record.install().secret_fingerprint(), install.secret_fingerprint());
      EXPECT_EQ(record.install().installed_at_us(), install.installed_at_us());
    }
  }
}

TEST_P(EventLogContract, EndsOnePastTheLastDurablePosition) {
  EXPECT_EQ(log().End({Topic::kEvents, 1}).value(), 1);
  AppendOne(MakeDraft(KeyIn(1), "a"));
  AppendOne(MakeDraft(KeyIn(1), "b"));
  EXPECT_EQ(log().End({Topic::kEvents, 1}).value(), 3);
  EXPECT_EQ(log().End({Topic::kEvents, 0}).value(), 1);
  EXPECT_EQ(log().End({Topic::kEntries, 1}).value(), 1);
}

TEST_P(EventLogContract, TellsManyEndsAtOnceInTheOrderAsked) {
  AppendOne(MakeDraft(KeyIn(1), "a"));
  AppendOne(MakeDraft(KeyIn(1), "b"));
  AppendOne(MakeDraft(KeyIn(0), "c", Topic::kEntries));
  const std::vector<Place> places = {
      {Topic::kEntries, 0}, {Topic::kEvents, 1}, {Topic::kEvents, 0}, {Topic::kEvents, 1}};
  EXPECT_THAT(log().Ends(places).value(), ::testing::ElementsAre(2, 3, 1, 3));
  EXPECT_THAT(log().Ends({}).value(), ::testing::IsEmpty());
}

TEST_P(EventLogContract, ASubscriptionKnowsTheEndOfWhatItHasRead) {
  AppendOne(MakeDraft(KeyIn(0), "a"));
  const auto subscription = Subscribe({{{Topic::kEvents, 0}, 1}});
  ASSERT_EQ(Read(*subscription, 1).size(), 1u);
  EXPECT_EQ(subscription->KnownEnd({Topic::kEvents, 0}), 2);
  EXPECT_EQ(subscription->KnownEnd({Topic::kEvents, 1}), std::nullopt);
}

TEST_P(EventLogContract, KeepsTopicsApart) {
  for (const Topic topic : kTopics) {
    EXPECT_EQ(AppendOne(MakeDraft(KeyIn(0), std::string(TopicName(topic)), topic)), 1);
  }
  for (const Topic topic : kTopics) {
    const auto subscription = Subscribe({{{topic, 0}, 1}});
    const std::vector<SeenRecord> seen = Read(*subscription, 1);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].place, (Place{topic, 0}));
    EXPECT_EQ(seen[0].value, TopicName(topic));
  }
}

TEST_P(EventLogContract, KeepsAnyBytes) {
  const std::string zeros(3, '\0');
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const uint32_t partition = event::PartitionOf(zeros, log().partitions());
  AppendOne(MakeDraft(zeros, all));
  AppendOne(MakeDraft(zeros, ""));
  const Place place{Topic::kEvents, partition};
  const auto subscription = Subscribe({{place, 1}});
  EXPECT_THAT(Read(*subscription, 2), testing::ElementsAre(SeenRecord{place, 1, zeros, all},
                                                           SeenRecord{place, 2, zeros, ""}));
}

TEST_P(EventLogContract, ReadsFromAnyPosition) {
  constexpr int64_t kRecords = 50;
  std::vector<Draft> drafts;
  for (int64_t i = 1; i <= kRecords; ++i) drafts.push_back(MakeDraft(KeyIn(3), std::to_string(i)));
  AppendAndWait(log(), std::move(drafts));
  for (int64_t start = 1; start <= kRecords; ++start) {
    const auto subscription = Subscribe({{{Topic::kEvents, 3}, start}});
    int64_t position = start;
    for (const SeenRecord& record :
         Read(*subscription, static_cast<size_t>(kRecords - start + 1))) {
      EXPECT_EQ(record.position, position);
      EXPECT_EQ(record.value, std::to_string(position++));
    }
  }
}

TEST_P(EventLogContract, SaysOutOfRangeBeyondTheEnd) {
  AppendOne(MakeDraft(KeyIn(0), "only"));
  EXPECT_EQ(CodeOf({{{Topic::kEvents, 0}, 3}}), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(CodeOf({{{Topic::kEvents, 0}, -1}}), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(CodeOf({{{Topic::kEvents, 1}, 1}, {{Topic::kEvents, 0}, 1000}}),
            absl::StatusCode::kOutOfRange);
}

TEST_P(EventLogContract, RefusesPlacesThatDoNotExistOrAreNamedTwice) {
  const Place beyond{Topic::kEvents, LogUnderTest::kPartitions};
  EXPECT_EQ(log().End(beyond).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf({{beyond, 0}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf({{{Topic::kEvents, 0}, 0}, {{Topic::kEvents, 0}, 1}}),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(EventLogContract, AtTheEndWaitsForWhatComes) {
  const auto subscription = Subscribe({{{Topic::kEvents, 0}, 1}, {{Topic::kEvents, 1}, 1}});
  const absl::StatusOr<std::optional<Record>> nothing =
      subscription->Poll(std::chrono::milliseconds(1));
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->has_value());
  std::thread appending([&] { AppendOne(MakeDraft(KeyIn(1), "later")); });
  EXPECT_THAT(Read(*subscription, 1),
              testing::ElementsAre(SeenRecord{{Topic::kEvents, 1}, 1, KeyIn(1), "later"}));
  appending.join();
}

TEST_P(EventLogContract, ShowsARecordToASubscriptionOnceItIsAnswered) {
  const auto subscription = Subscribe({{{Topic::kEvents, 0}, 1}});
  for (int64_t i = 1; i <= 200; ++i) {
    ASSERT_EQ(AppendOne(MakeDraft(KeyIn(0), std::to_string(i))), i);
    EXPECT_GE(log().End({Topic::kEvents, 0}).value(), i + 1);
    const std::vector<SeenRecord> seen = Read(*subscription, 1);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].position, i);
  }
}

TEST_P(EventLogContract, GivesEveryRecordToASubscriptionThatGathersAndIsWokenMeanwhile) {
  const auto subscribed =
      log().Subscribe({{{Topic::kEvents, 0}, 1}}, /*gather=*/std::chrono::milliseconds(5));
  ASSERT_TRUE(subscribed.ok()) << subscribed.status();
  Subscription& subscription = **subscribed;
  constexpr int64_t kRecords = 60;
  std::thread appending([&] {
    for (int64_t i = 0; i < kRecords; ++i) {
      AppendOne(MakeDraft(KeyIn(0), "v"));
      if (i % 3 == 0) subscription.Wake();
    }
  });
  for (int64_t next = 1; next <= kRecords;) {
    const absl::StatusOr<std::optional<Record>> record = subscription.Poll(kNever);
    ASSERT_TRUE(record.ok()) << record.status();
    if (!record->has_value()) continue;
    ASSERT_EQ((*record)->position, next);
    ++next;
  }
  appending.join();
}

TEST_P(EventLogContract, NeverShowsARecordBeyondTheEnd) {
  const Place place{Topic::kEvents, 0};
  const auto subscription = Subscribe({{place, 1}});
  constexpr int64_t kRecords = 500;
  std::thread appending([&] {
    for (int64_t i = 0; i < kRecords; ++i) AppendOne(MakeDraft(KeyIn(0), "v"));
  });
  for (int64_t i = 1; i <= kRecords; ++i) {
    const std::vector<SeenRecord> seen = Read(*subscription, 1);
    if (seen.empty()) break;
    EXPECT_EQ(seen[0].position, i);
    EXPECT_LT(seen[0].position, log().End(place).value());
  }
  appending.join();
}

TEST_P(EventLogContract, TakesManyWritersAndKeepsTheOrderOfEach) {
  constexpr int kWriters = 8;
  constexpr int kBatches = 25;
  constexpr int kDrafts = 20;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([this, writer] {
      int number = 0;
      for (int batch = 0; batch < kBatches; ++batch) {
        std::vector<Draft> drafts;
        for (int i = 0; i < kDrafts; ++i) {
          drafts.push_back(MakeDraft(KeyIn(static_cast<uint32_t>(i) % LogUnderTest::kPartitions),
                                     std::to_string(writer) + " " + std::to_string(number++)));
        }
        for (const Appended& outcome : AppendAndWait(log(), std::move(drafts))) {
          EXPECT_TRUE(outcome.ok()) << outcome.status();
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();

  std::vector<Start> starts;
  for (uint32_t partition = 0; partition < log().partitions(); ++partition) {
    starts.push_back({{Topic::kEvents, partition}, 1});
  }
  const auto subscription = Subscribe(std::move(starts));
  std::map<uint32_t, int64_t> position;
  std::map<std::pair<uint32_t, int>, int> last;  // of each partition and writer
  std::set<std::string> values;
  for (const SeenRecord& record : Read(*subscription, kWriters * kBatches * kDrafts)) {
    EXPECT_EQ(record.position, ++position[record.place.partition]);
    EXPECT_TRUE(values.insert(record.value).second) << record.value;
    const int writer = std::stoi(record.value);
    const int number = std::stoi(record.value.substr(record.value.find(' ')));
    int& before = last.try_emplace({record.place.partition, writer}, -1).first->second;
    EXPECT_LT(before, number);
    before = number;
  }
  EXPECT_EQ(values.size(), static_cast<size_t>(kWriters * kBatches * kDrafts));
}

TEST_P(EventLogContract, KeepsEverythingWhenItIsOpenedAgain) {
  const std::string install = log().install().SerializeAsString();
  std::vector<Draft> drafts;
  for (int i = 0; i < 300; ++i) drafts.push_back(MakeDraft(KeyIn(0), std::to_string(i)));
  AppendAndWait(log(), std::move(drafts));
  for (int round = 0; round < 3; ++round) {
    Reopen();
    EXPECT_EQ(log().install().SerializeAsString(), install);
    EXPECT_EQ(log().End({Topic::kEvents, 0}).value(), 301 + round);
    EXPECT_EQ(log().End({Topic::kEvents, 1}).value(), 1);
    const auto subscription = Subscribe({{{Topic::kEvents, 0}, 1}});
    const std::vector<SeenRecord> seen = Read(*subscription, 300);
    for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].value, std::to_string(i));
    EXPECT_EQ(AppendOne(MakeDraft(KeyIn(0), "more")), 301 + round);
  }
}

TEST_P(EventLogContract, RefusesAWholeBatchBeforeAnythingOfItIsWritten) {
  Reopen(1000);
  absl::StatusOr<std::unique_ptr<Admission>> first = log().Admit(600);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(log().Admit(401).status().code(), absl::StatusCode::kResourceExhausted);
  const std::vector<Appended> outcomes = AppendAndWait(
      log(),
      {MakeDraft(KeyIn(0), std::string(200, 'a')), MakeDraft(KeyIn(0), std::string(300, 'b'))});
  ASSERT_EQ(outcomes.size(), 2u);
  for (const Appended& outcome : outcomes) {
    EXPECT_EQ(outcome.status().code(), absl::StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(log().End({Topic::kEvents, 0}).value(), 1);
  EXPECT_TRUE(log().Admit(400).ok());
  first->reset();
  EXPECT_TRUE(log().Admit(1000).ok());
}

TEST_P(EventLogContract, GivesRoomBackBeforeItAnswers) {
  Reopen(1000);
  for (int i = 0; i < 20; ++i) {
    absl::StatusOr<std::unique_ptr<Admission>> admission = log().Admit(1000);
    ASSERT_TRUE(admission.ok()) << admission.status();
    std::promise<void> answered;
    std::vector<Draft> drafts;
    drafts.push_back(MakeDraft(KeyIn(0), std::string(900, 'x')));
    log().Append(std::move(drafts), *std::move(admission),
                 [&](std::vector<Appended>) { answered.set_value(); });
    answered.get_future().get();
  }
}

TEST_P(EventLogContract, AnswersEachBatchOnceInTheOrderOfItsDrafts) {
  constexpr size_t kBatches = 200;
  std::vector<std::atomic<int>> calls(kBatches);
  std::vector<std::vector<int64_t>> positions(kBatches);
  std::promise<void> all_answered;
  std::atomic<size_t> left = kBatches;
  for (size_t batch = 0; batch < kBatches; ++batch) {
    std::vector<Draft> drafts;
    for (size_t i = 0; i < batch % 5; ++i) {
      drafts.push_back(MakeDraft(KeyIn(0), std::to_string(batch) + " " + std::to_string(i)));
    }
    log().Append(std::move(drafts), nullptr, [&, batch](std::vector<Appended> outcomes) {
      ++calls[batch];
      for (const Appended& outcome : outcomes) positions[batch].push_back(outcome.value());
      if (--left == 0) all_answered.set_value();
    });
  }
  all_answered.get_future().get();
  const auto subscription = Subscribe({{{Topic::kEvents, 0}, 1}});
  std::map<int64_t, std::string> values;
  for (const SeenRecord& record : Read(*subscription, kBatches / 5 * (0 + 1 + 2 + 3 + 4))) {
    values[record.position] = record.value;
  }
  for (size_t batch = 0; batch < kBatches; ++batch) {
    EXPECT_EQ(calls[batch], 1);
    ASSERT_EQ(positions[batch].size(), batch % 5);
    for (size_t i = 0; i < positions[batch].size(); ++i) {
      EXPECT_EQ(values[positions[batch][i]], std::to_string(batch) + " " + std::to_string(i));
    }
  }
}

TEST_P(EventLogContract, AnswersWhatWasHandedOverWhenItIsClosed) {
  std::atomic<int> answered = 0;
  for (int i = 0; i < 50; ++i) {
    std::vector<Draft> drafts;
    drafts.push_back(MakeDraft(KeyIn(0), std::to_string(i)));
    log().Append(std::move(drafts), nullptr, [&](std::vector<Appended> outcomes) {
      if (outcomes.size() == 1 && outcomes[0].ok()) ++answered;
    });
  }
  Reopen();
  EXPECT_EQ(answered, 50);
  EXPECT_EQ(log().End({Topic::kEvents, 0}).value(), 51);
}

TEST_P(EventLogContract, RefusesARecordThatIsTooLargeAndTakesItsNeighbours) {
  const std::vector<Appended> outcomes = AppendAndWait(
      log(), {MakeDraft(KeyIn(0), "before"), MakeDraft(KeyIn(0), std::string(kRecordBytesMax, 'x')),
              MakeDraft(KeyIn(0), std::string(kRecordBytesMax - 16, 'y'))});
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[0].value(), 1);
  EXPECT_EQ(outcomes[1].status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(outcomes[2].value(), 2);
  const auto subscription = Subscribe({{{Topic::kEvents, 0}, 1}});
  const std::vector<SeenRecord> seen = Read(*subscription, 2);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].value.size(), kRecordBytesMax - 16);
}

TEST_P(EventLogContract, WakesAPollThatWaits) {
  const auto subscription = Subscribe({{{Topic::kEvents, 0}, 1}});
  std::thread waking([&] { subscription->Wake(); });
  const absl::StatusOr<std::optional<Record>> woken = subscription->Poll(kNever);
  waking.join();
  ASSERT_TRUE(woken.ok());
  EXPECT_FALSE(woken->has_value());
}

TEST_P(EventLogContract, ReturnsAtOnceFromAPollAfterAWakeAndThenReadsOn) {
  const auto subscription = Subscribe({{{Topic::kEvents, 0}, 1}});
  AppendOne(MakeDraft(KeyIn(0), "there"));
  subscription->Wake();
  const absl::StatusOr<std::optional<Record>> woken = subscription->Poll(kNever);
  ASSERT_TRUE(woken.ok());
  EXPECT_FALSE(woken->has_value());
  EXPECT_EQ(Read(*subscription, 1).size(), 1u);
}

TEST_P(EventLogContract, WaitsWithASubscriptionToNothing) {
  const auto subscription = Subscribe({});
  AppendOne(MakeDraft(KeyIn(0), "there"));
  const absl::StatusOr<std::optional<Record>> nothing =
      subscription->Poll(std::chrono::milliseconds(1));
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->has_value());
  subscription->Wake();
  EXPECT_TRUE(subscription->Poll(kNever).ok());
}

TEST_P(EventLogContract, ServesManySubscriptionsAtOnce) {
  constexpr int kReaders = 4;
  constexpr int kRecords = 400;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([this] {
      const auto subscription = Subscribe({{{Topic::kEvents, 0}, 1}, {{Topic::kEvents, 1}, 1}});
      EXPECT_EQ(Read(*subscription, kRecords).size(), static_cast<size_t>(kRecords));
    });
  }
  for (int i = 0; i < kRecords; i += 10) {
    std::vector<Draft> drafts;
    for (int j = 0; j < 10; ++j) drafts.push_back(MakeDraft(KeyIn(j % 2), std::to_string(i + j)));
    AppendAndWait(log(), std::move(drafts));
  }
  for (std::thread& reader : readers) reader.join();
}

TEST_P(EventLogContract, IsHealthyWhileAppendsSucceed) {
  EXPECT_TRUE(log().Health().ok());
  AppendOne(MakeDraft(KeyIn(0), "fine"));
  EXPECT_TRUE(log().Health().ok());
}

}  // namespace simpul::eventlog
