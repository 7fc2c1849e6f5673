#include "lib/eventlog/embedded_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "lib/base/file.h"
#include "tests/contract/event_log_contract.h"
#include "tests/support/temp_folder.h"

namespace simpul::eventlog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

EmbeddedLog::Options OptionsFor(std::string fingerprint = "12345678") {
  return {.partitions = LogUnderTest::kPartitions, .secret_fingerprint = std::move(fingerprint)};
}

class EmbeddedUnderTest final : public LogUnderTest {
 public:
  std::unique_ptr<EventLog> Open(size_t in_flight_bytes_max) override {
    EmbeddedLog::Options options = OptionsFor();
    options.in_flight_bytes_max = in_flight_bytes_max;
    absl::StatusOr<std::unique_ptr<EmbeddedLog>> log =
        EmbeddedLog::Open(folder_ / "log", options, base::SystemClock(), metrics_);
    EXPECT_TRUE(log.ok()) << log.status();
    return log.ok() ? *std::move(log) : nullptr;
  }

 private:
  testing::TempFolder folder_;
  base::Metrics metrics_;
};

INSTANTIATE_TEST_SUITE_P(Embedded, EventLogContract,
                         ::testing::Values(+[]() -> std::unique_ptr<LogUnderTest> {
                           return std::make_unique<EmbeddedUnderTest>();
                         }));

// Embedded only: what the contract leaves to each log.
class EmbeddedLogTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<EmbeddedLog>> Open() {
    return EmbeddedLog::Open(folder_ / "log", OptionsFor(), clock_, metrics_);
  }

  testing::TempFolder folder_;
  base::ManualClock clock_{base::FromMicros(1'750'000'000'000'000)};
  base::Metrics metrics_;
};

std::vector<Draft> DraftsFor(uint32_t partition, int count, size_t bytes) {
  std::string key;
  for (int i = 0; key.empty() || event::PartitionOf(key, LogUnderTest::kPartitions) != partition;
       ++i) {
    key = std::to_string(i);
  }
  return std::vector<Draft>(static_cast<size_t>(count),
                            Draft{.key = key, .value = std::string(bytes, 'v')});
}

TEST_F(EmbeddedLogTest, TellsWhenARecordWasAppended) {
  auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status();
  AppendAndWait(**log, DraftsFor(0, 1, 10));
  clock_.Advance(std::chrono::seconds(3));
  AppendAndWait(**log, DraftsFor(0, 1, 10));
  const auto subscription = (*log)->Subscribe({{{Topic::kEvents, 0}, 1}});
  for (const int64_t at_us : {1'750'000'000'000'000, 1'750'000'003'000'000}) {
    const auto record = (*subscription)->Poll(kNever);
    ASSERT_TRUE(record.ok() && record->has_value());
    EXPECT_EQ((*record)->appended_at_us, at_us);
  }
}

TEST_F(EmbeddedLogTest, LetsNoPlaceWaitBehindTheBacklogOfAnother) {
  auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status();
  for (int i = 0; i < 10; ++i) AppendAndWait(**log, DraftsFor(0, 1000, 100));
  AppendAndWait(**log, DraftsFor(1, 1, 100));
  const auto subscription = (*log)->Subscribe({{{Topic::kEvents, 0}, 1}, {{Topic::kEvents, 1}, 1}});
  int before = 0;
  for (;; ++before) {
    const auto record = (*subscription)->Poll(kNever);
    ASSERT_TRUE(record.ok() && record->has_value());
    if ((*record)->place.partition == 1) break;
  }
  EXPECT_LT(before, 2000);
}

TEST_F(EmbeddedLogTest, GathersUntilThereIsEnough) {
  auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status();
  const auto subscription =
      (*log)->Subscribe({{{Topic::kEvents, 0}, 1}, {{Topic::kEvents, 1}, 1}}, kNever);
  ASSERT_TRUE(subscription.ok()) << subscription.status();
  const auto expect_nothing = [&] {
    const auto record = (*subscription)->Poll(std::chrono::milliseconds(1));
    ASSERT_TRUE(record.ok()) << record.status();
    EXPECT_FALSE(record->has_value());
  };
  expect_nothing();
  AppendAndWait(**log, DraftsFor(0, 100, 10));
  expect_nothing();
  AppendAndWait(**log, DraftsFor(2, 1000, 10));  // not read here
  expect_nothing();
  (*subscription)->Wake();
  expect_nothing();
  AppendAndWait(**log, DraftsFor(1, 200, 10));
  for (int64_t i = 0; i < 300; ++i) {
    const auto record = (*subscription)->Poll(std::chrono::milliseconds(0));
    ASSERT_TRUE(record.ok() && record->has_value()) << i;
  }
  expect_nothing();
  AppendAndWait(**log, DraftsFor(0, 100, 10));
  expect_nothing();
}

TEST_F(EmbeddedLogTest, ReadsABacklogThatIsLargerThanItsMemory) {
  constexpr int64_t kRecords = 100'000;
  auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status();
  for (int i = 0; i < kRecords; i += 2000) AppendAndWait(**log, DraftsFor(i / 2000 % 4, 2000, 700));
  for (int round = 0; round < 2; ++round) {
    std::vector<Start> starts;
    for (uint32_t partition = 0; partition < LogUnderTest::kPartitions; ++partition) {
      starts.push_back({{Topic::kEvents, partition}, 1});
    }
    auto subscription = (*log)->Subscribe(std::move(starts));
    std::map<uint32_t, int64_t> last;
    for (int64_t i = 0; i < kRecords; ++i) {
      const auto record = (*subscription)->Poll(kNever);
      ASSERT_TRUE(record.ok() && record->has_value()) << record.status();
      ASSERT_EQ((*record)->position, ++last[(*record)->place.partition]);
    }
    subscription->reset();
    log->reset();
    log = Open();
    ASSERT_TRUE(log.ok()) << log.status();
  }
}

// Changes what is kept under a key, past the log.
void Rewrite(const std::filesystem::path& folder, std::string_view key,
             const std::function<void(std::string&)>& change) {
  rocksdb::DB* opened = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open({}, folder.string(), &opened).ok());
  const std::unique_ptr<rocksdb::DB> store(opened);
  std::string value;
  ASSERT_TRUE(store->Get({}, key, &value).ok());
  change(value);
  ASSERT_TRUE(store->Put({}, key, value).ok());
}

constexpr std::string_view kFirstKey("\x01\0\0\0\0\0\0\0\0\0\0", 11);
constexpr size_t kHeaderBytes = 10;

TEST_F(EmbeddedLogTest, RefusesAFormatItDoesNotKnow) {
  ASSERT_TRUE(Open().ok());
  Rewrite(folder_ / "log", kFirstKey, [](std::string& value) {
    log::v1::LogRecord record;
    ASSERT_TRUE(record.ParseFromString(value.substr(kHeaderBytes)));
    record.mutable_install()->set_format(2);
    value = value.substr(0, kHeaderBytes) + record.SerializeAsString();
  });
  const auto log = Open();
  EXPECT_EQ(log.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(log.status().ToString(), AllOf(HasSubstr((folder_ / "log").string()),
                                             HasSubstr("format 2"), HasSubstr("Upgrade Simpul")));
}

TEST_F(EmbeddedLogTest, RefusesAnInstallRecordOfAnotherLog) {
  ASSERT_TRUE(Open().ok());
  const std::string third_partition = std::string(kFirstKey).replace(2, 1, 1, '\x02');
  Rewrite(folder_ / "log", third_partition, [](std::string& value) {
    log::v1::LogRecord record;
    ASSERT_TRUE(record.ParseFromString(value.substr(kHeaderBytes)));
    record.mutable_install()->set_install_id("7d444840-9dc0-41d1-b245-5ffdce74fad2");
    value = value.substr(0, kHeaderBytes) + record.SerializeAsString();
  });
  const auto log = Open();
  EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(log.status().ToString(), HasSubstr("simpul.events.v1 partition 2 position 0"));
}

TEST_F(EmbeddedLogTest, MakesACheckpointOfWhatWasAnsweredAndGoesOn) {
  auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status();
  AppendAndWait(**log, DraftsFor(1, 300, 1000));
  ASSERT_TRUE((*log)->Checkpoint(folder_ / "first").ok());
  AppendAndWait(**log, DraftsFor(1, 5, 1000));
  ASSERT_TRUE((*log)->Checkpoint(folder_ / "second").ok());
  EXPECT_FALSE((*log)->Checkpoint(folder_ / "second").ok());
  const Place place{Topic::kEvents, 1};
  const absl::StatusOr<LogContent> first = ReadWholeLog(folder_ / "first");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->places.at(place).records(), 301);
  EXPECT_EQ(first->places.size(), std::size(kTopics) * LogUnderTest::kPartitions);
  EXPECT_EQ(first->install.SerializeAsString(), (*log)->install().SerializeAsString());
  const absl::StatusOr<LogContent> second = ReadWholeLog(folder_ / "second");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->places.at(place).records(), 306);
  EXPECT_NE(second->places.at(place).Hex(), first->places.at(place).Hex());
  EXPECT_EQ(second->places.at({Topic::kEvents, 0}).Hex(),
            first->places.at({Topic::kEvents, 0}).Hex());
  log->reset();
  const absl::StatusOr<LogContent> closed = ReadWholeLog(folder_ / "log");
  ASSERT_TRUE(closed.ok()) << closed.status();
  EXPECT_EQ(closed->places.at(place).Hex(), second->places.at(place).Hex());
}

TEST_F(EmbeddedLogTest, NamesTheRecordThatIsMissingFromAWholeReading) {
  {
    const auto log = Open();
    AppendAndWait(**log, DraftsFor(1, 3, 10));
  }
  {
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, (folder_ / "log").string(), &opened).ok());
    const std::unique_ptr<rocksdb::DB> store(opened);
    ASSERT_TRUE(store->Delete({}, std::string("\x01\0\x01\0\0\0\0\0\0\0\x02", 11)).ok());
  }
  const absl::StatusOr<LogContent> read = ReadWholeLog(folder_ / "log");
  EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(read.status().ToString(), HasSubstr("simpul.events.v1 partition 1 position 2"));
  EXPECT_FALSE(ReadWholeLog(folder_ / "none").ok());
}

TEST_F(EmbeddedLogTest, IsNotMadeWhereOneMustExist) {
  EmbeddedLog::Options options = OptionsFor();
  options.must_exist = true;
  EXPECT_EQ(EmbeddedLog::Open(folder_ / "log", options, clock_, metrics_).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "log"));
  ASSERT_TRUE(Open().ok());
  options.partitions = LogUnderTest::kPartitions + 1;
  const auto log = EmbeddedLog::Open(folder_ / "log", options, clock_, metrics_);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ((*log)->partitions(), LogUnderTest::kPartitions);
}

}  // namespace
}  // namespace simpul::eventlog
