// Records as pullers see them: over gRPC, with the embedded log behind them.
#include "records/records.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/file.h"
#include "lib/base/status_macros.h"
#include "lib/event/validate.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/rpc/channel.h"
#include "lib/rpc/server.h"
#include "records/cursor.h"
#include "records/records_rpc.h"
#include "simpul/log/v1/log.pb.h"
#include "simpul/records/v1/records.grpc.pb.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_folder.h"

namespace simpul::records {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using timeline::v1::Entry;
using v1::PullRecordsRequest;
using v1::PullRecordsResponse;

constexpr char kDirectory[] = R"({
  "facilities": [{"codes": [{"system": "kemenkes", "code": "P7324020101"}],
                  "name": "Puskesmas Nuha", "kind": "puskesmas", "organization": "100027469",
                  "location": "b017aa54-f1df-4ec2-9d84-8823815d7228"}],
  "practitioners": [{"practitioner_id": "10009880728", "nik": "7324025203890003", "name": "Bidan"}],
  "defaults": [{"facility": {"system": "kemenkes", "code": "P7324020101"},
                "practitioner_id": "10009880728"}]
})";

struct Pulled {
  grpc::Status status;
  std::vector<PullRecordsResponse> records;
};

class RecordsTest : public ::testing::Test {
 protected:
  RecordsTest() {
    SIMPUL_CHECK(base::WriteFileAtomically(folder_ / "directory.json", kDirectory).ok(), "");
    directory_ = *deliver::DirectoryFile::Open(folder_ / "directory.json");
    Open();
  }

  void Open() {
    eventlog::EmbeddedLog::Options options;
    options.secret_fingerprint = secret_.Fingerprint();
    options.partitions = 4;
    auto opened = eventlog::EmbeddedLog::Open(folder_ / "log", options, clock_, metrics_);
    SIMPUL_CHECK(opened.ok(), "{}", base::Message(opened.status()));
    log_ = *std::move(opened);
    records_ = std::make_unique<Records>(*log_, secret_, *directory_, metrics_);
    auto server = rpc::Server::Start("127.0.0.1:0", {BindRecords(*records_, metrics_)});
    SIMPUL_CHECK(server.ok(), "{}", base::Message(server.status()));
    server_ = *std::move(server);
    stub_ = v1::RecordsService::NewStub(rpc::Connect(server_->address()));
  }

  void Reopen() {
    server_.reset();
    records_.reset();
    log_.reset();
    Open();
  }

  // An entry of one event, as the projection writes it.
  static Entry EntryOf(uint64_t id, event::v1::Event event, uint32_t revision = 1) {
    event.set_event_id(testing::SampleEventId(id));
    Entry entry;
    entry.set_entry_id(fmt::format("00000000-0000-5000-8000-{:012x}", id));
    entry.set_revision(revision);
    entry.set_kind(timeline::v1::ENTRY_KIND_VISIT);
    entry.set_subject_key(KeyOf(id));
    *entry.mutable_facility() = event.facility();
    entry.set_group_id(event.event_id());
    entry.set_purpose(event.purpose());
    timeline::v1::Member& member = *entry.add_members();
    member.set_event_id(event.event_id());
    member.set_kind(20);
    member.set_event(event::Canonical(event));
    member.set_state(timeline::v1::MEMBER_STATE_STANDING);
    member.set_occurred_at_us(event.occurred_at().time().seconds() * 1'000'000);
    member.set_recorded_at_us(event.recorded_at().seconds() * 1'000'000);
    member.set_received_at_us(1'772'323'200'000'000);
    *member.mutable_facility() = event.facility();
    return entry;
  }

  static Entry Weighing(uint64_t id, uint32_t revision = 1) {
    return EntryOf(id, testing::SampleWeighing(), revision);
  }

  static std::string KeyOf(uint64_t id) { return fmt::format("{:016x}", id * 0x9e3779b97f4a7c15); }

  // Appends what the projection would: the next number of the key's partition, or the one given.
  void Append(const std::string& key, log::v1::DerivedRecord derived, uint64_t number = 0) {
    const uint32_t partition = event::PartitionOf(key, log_->partitions());
    derived.set_number(number != 0 ? number : ++numbers_[partition]);
    log::v1::LogRecord record;
    *record.mutable_derived() = std::move(derived);
    AppendBytes(key, record.SerializeAsString());
  }
  void AppendEntry(const Entry& entry, uint64_t number = 0) {
    log::v1::DerivedRecord derived;
    *derived.mutable_entry() = entry;
    Append(entry.subject_key(), std::move(derived), number);
  }
  void AppendBytes(const std::string& key, const std::string& value) {
    eventlog::Draft draft;
    draft.topic = eventlog::Topic::kEntries;
    draft.key = key;
    draft.value = value;
    const auto appended = eventlog::AppendAndWait(*log_, {draft});
    SIMPUL_CHECK(appended.at(0).ok(), "{}", base::Message(appended.at(0).status()));
  }

  Pulled Pull(const PullRecordsRequest& request) {
    grpc::ClientContext context;
    const auto reader = stub_->PullRecords(&context, request);
    Pulled pulled;
    PullRecordsResponse record;
    while (reader->Read(&record)) pulled.records.push_back(record);
    pulled.status = reader->Finish();
    return pulled;
  }
  Pulled Pull(const std::string& after = "", uint32_t limit = 0) {
    PullRecordsRequest request;
    request.set_after(after);
    request.set_limit(limit);
    return Pull(request);
  }

  // The only record there is.
  PullRecordsResponse PullOne() {
    Pulled pulled = Pull();
    EXPECT_TRUE(pulled.status.ok()) << pulled.status.error_message();
    EXPECT_THAT(pulled.records, SizeIs(1));
    return pulled.records.empty() ? PullRecordsResponse() : pulled.records.front();
  }

  testing::TempFolder folder_;
  base::ManualClock clock_{testing::SampleNow()};
  base::Metrics metrics_;
  event::Secret secret_ = *event::Secret::FromBytes(std::string(32, 's'));
  std::unique_ptr<deliver::DirectoryFile> directory_;
  std::unique_ptr<eventlog::EmbeddedLog> log_;
  std::unique_ptr<Records> records_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::RecordsService::Stub> stub_;
  std::map<uint32_t, uint64_t> numbers_;
};

TEST_F(RecordsTest, PagesJoinWithoutGapOrDuplicateWhateverLiesBetweenThem) {
  std::map<uint32_t, std::vector<std::string>> expected;  // by partition, in its order
  std::map<std::string, uint32_t> partitions;
  const auto add = [&](uint64_t id) {
    Entry entry = Weighing(id);
    const uint32_t partition = event::PartitionOf(entry.subject_key(), log_->partitions());
    if (id % 7 == 0) {
      entry.set_purpose(event::v1::PURPOSE_TRAINING);
    } else {
      expected[partition].push_back(entry.entry_id());
      partitions[entry.entry_id()] = partition;
    }
    AppendEntry(entry);
    if (id % 5 == 0) AppendEntry(entry, numbers_[partition]);  // written twice
    if (id % 3 == 0) {
      log::v1::DerivedRecord waiting;
      waiting.mutable_waiting()->set_event_id(testing::SampleEventId(id));
      Append(entry.subject_key(), waiting);
    }
  };
  uint64_t id = 1;
  for (; id <= 60; ++id) add(id);

  std::map<uint32_t, std::vector<std::string>> got;
  std::string cursor;
  for (int page = 0;; ++page) {
    ASSERT_LT(page, 100);
    const Pulled pulled = Pull(cursor, 1 + page % 6);
    ASSERT_TRUE(pulled.status.ok()) << pulled.status.error_message();
    if (pulled.records.empty()) break;
    for (const PullRecordsResponse& record : pulled.records) {
      got[partitions.at(record.record_id())].push_back(record.record_id());
    }
    cursor = pulled.records.back().cursor();
    if (page % 4 == 0) Reopen();
    if (page < 10) add(id++);
  }
  EXPECT_EQ(got, expected);
  const Pulled after_end = Pull(cursor);
  EXPECT_TRUE(after_end.status.ok());
  EXPECT_THAT(after_end.records, IsEmpty());
}

TEST_F(RecordsTest, AnyCursorGoesOnRightAfterItsRecord) {
  for (uint64_t id = 1; id <= 12; ++id) AppendEntry(Weighing(id));
  std::set<std::string> all;
  for (const PullRecordsResponse& record : Pull().records) all.insert(record.record_id());
  ASSERT_THAT(all, SizeIs(12));
  std::set<std::string> before;
  for (const PullRecordsResponse& record : Pull().records) {
    before.insert(record.record_id());
    std::set<std::string> joined = before;
    size_t count = before.size();
    for (const PullRecordsResponse& later : Pull(record.cursor()).records) {
      joined.insert(later.record_id());
      ++count;
    }
    EXPECT_EQ(joined, all);
    EXPECT_EQ(count, 12u);
  }
}

TEST_F(RecordsTest, SaysWhatARecordIs) {
  Entry entry = Weighing(1);
  timeline::v1::Amendment& amendment = *entry.mutable_members(0)->add_amendments();
  amendment.set_event_id(testing::SampleEventId(99));
  amendment.set_kind(34);
  amendment.set_received_at_us(1'772'323'260'500'000);
  entry.set_revision(3);
  AppendEntry(entry);
  const PullRecordsResponse record = PullOne();
  EXPECT_EQ(record.record_id(), entry.entry_id());
  EXPECT_EQ(record.revision(), 3u);
  EXPECT_EQ(record.operation(), v1::OPERATION_REPLACED);
  EXPECT_EQ(record.facility().code(), "P7324020101");
  EXPECT_EQ(record.committed_at().seconds(), 1'772'323'260);
  EXPECT_EQ(record.committed_at().nanos(), 500'000'000);
  EXPECT_THAT(record.event_ids(),
              ElementsAre(testing::SampleEventId(1), testing::SampleEventId(99)));
  EXPECT_THAT(record.bundle_json(), HasSubstr("\"type\":\"collection\""));
  EXPECT_THAT(record.bundle_json(), HasSubstr("\"resourceType\":\"Encounter\""));
}

TEST_F(RecordsTest, NamesTheOperation) {
  AppendEntry(Weighing(1));
  AppendEntry(Weighing(1, 2));
  Entry withdrawn = Weighing(1, 3);
  withdrawn.set_withdrawn(true);
  withdrawn.mutable_members(0)->set_state(timeline::v1::MEMBER_STATE_RETRACTED);
  AppendEntry(withdrawn);
  const Pulled pulled = Pull();
  ASSERT_THAT(pulled.records, SizeIs(3));
  EXPECT_EQ(pulled.records[0].operation(), v1::OPERATION_NEW);
  EXPECT_EQ(pulled.records[1].operation(), v1::OPERATION_REPLACED);
  EXPECT_EQ(pulled.records[2].operation(), v1::OPERATION_WITHDRAWN);
  EXPECT_EQ(pulled.records[2].bundle_json(), "");
}

TEST_F(RecordsTest, PassesOverWhatIsNeverSent) {
  Entry training = Weighing(1);
  training.set_purpose(event::v1::PURPOSE_TRAINING);
  AppendEntry(training);
  Entry registration = EntryOf(2, testing::SampleOf(event::Kind::kPatientRegistered));
  registration.set_kind(timeline::v1::ENTRY_KIND_PATIENT_REGISTERED);
  registration.set_revision(2);
  AppendEntry(registration);
  AppendEntry(Weighing(3));
  EXPECT_EQ(PullOne().record_id(), Weighing(3).entry_id());
}

TEST_F(RecordsTest, TakesBackWhatIsNoRecordAnyMore) {
  event::v1::Event early = testing::SampleWeighing();
  early.mutable_occurred_at()->mutable_time()->set_seconds(1'262'304'000);  // 2010-01-01
  early.mutable_subject()->set_birth_date("2009-06-01");
  AppendEntry(EntryOf(1, early));  // before the platform began: never was a record
  AppendEntry(Weighing(2));
  AppendEntry(EntryOf(2, early, 2));
  const Pulled pulled = Pull();
  ASSERT_THAT(pulled.records, SizeIs(2));
  for (const PullRecordsResponse& record : pulled.records) {
    EXPECT_EQ(record.record_id(), Weighing(2).entry_id());
  }
  EXPECT_EQ(pulled.records[1].operation(), v1::OPERATION_WITHDRAWN);
  EXPECT_THAT(pulled.records[1].unmapped(), ElementsAre("before_platform"));
}

TEST_F(RecordsTest, GivesARecordOfAnUnknownFacilityWithoutBundleAndSaysWhy) {
  event::v1::Event event = testing::SampleWeighing();
  event.mutable_facility()->set_code("P9999999999");
  AppendEntry(EntryOf(1, event));
  const PullRecordsResponse record = PullOne();
  EXPECT_EQ(record.bundle_json(), "");
  EXPECT_THAT(record.unmapped(), ElementsAre("facility_unknown"));
}

TEST_F(RecordsTest, UsesTheDirectoryAsItIsNow) {
  ASSERT_TRUE(base::WriteFileAtomically(folder_ / "directory.json", "{}").ok());
  AppendEntry(Weighing(1));
  EXPECT_EQ(PullOne().bundle_json(), "");
  ASSERT_TRUE(base::WriteFileAtomically(folder_ / "directory.json", kDirectory).ok());
  EXPECT_NE(PullOne().bundle_json(), "");
}

TEST_F(RecordsTest, GivesOnlyWhatTheFilterAsksFor) {
  event::v1::Event elsewhere = testing::SampleWeighing();
  *elsewhere.mutable_facility() = testing::SampleHospital();
  for (uint64_t id = 1; id <= 10; ++id) {
    AppendEntry(id % 2 == 0 ? Weighing(id) : EntryOf(id, elsewhere));
  }
  PullRecordsRequest request;
  *request.mutable_facility() = testing::SampleHospital();
  request.set_limit(2);
  size_t count = 0;
  for (int page = 0;; ++page) {
    ASSERT_LT(page, 10);
    const Pulled pulled = Pull(request);
    ASSERT_TRUE(pulled.status.ok()) << pulled.status.error_message();
    if (pulled.records.empty()) break;
    for (const PullRecordsResponse& record : pulled.records) {
      EXPECT_EQ(record.facility().code(), testing::SampleHospital().code());
      ++count;
    }
    request.set_after(pulled.records.back().cursor());
  }
  EXPECT_EQ(count, 5u);

  const Pulled other = Pull(request.after());
  EXPECT_EQ(other.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(other.status.error_message(), HasSubstr("another facility"));
}

TEST_F(RecordsTest, RefusesACursorThatWasChanged) {
  AppendEntry(Weighing(1));
  std::string cursor = PullOne().cursor();
  cursor[20] = cursor[20] == 'A' ? 'B' : 'A';
  const Pulled pulled = Pull(cursor);
  EXPECT_EQ(pulled.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(pulled.status.error_message(), HasSubstr("no cursor of PullRecords"));
}

TEST_F(RecordsTest, RefusesACursorThatIsAheadOfTheLog) {
  Cursor ahead(log_->partitions());
  ahead[2] = {.position = 1000, .number = 999};
  const Pulled pulled = Pull(EncodeCursor(ahead, log_->install(), FilterDigest({}), secret_));
  EXPECT_EQ(pulled.status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_THAT(pulled.records, IsEmpty());
}

TEST_F(RecordsTest, StopsAtAHoleAndNamesIt) {
  AppendEntry(Weighing(1));
  const uint32_t partition = event::PartitionOf(KeyOf(1), log_->partitions());
  AppendEntry(Weighing(1, 3), 3);
  const Pulled pulled = Pull();
  EXPECT_THAT(pulled.records, SizeIs(1));
  EXPECT_EQ(pulled.status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_THAT(
      pulled.status.error_message(),
      HasSubstr(fmt::format("Partition {} of topic entries: record 2 is missing", partition)));
}

TEST_F(RecordsTest, StopsAtARecordThatCannotBeRead) {
  AppendBytes(KeyOf(1), "\xff\xff\xff");
  const Pulled pulled = Pull();
  EXPECT_EQ(pulled.status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_THAT(pulled.status.error_message(), HasSubstr("position 1 cannot be read"));
}

TEST_F(RecordsTest, StopsAtARecordOfANewerSimpul) {
  log::v1::LogRecord record;
  record.mutable_derived()->set_number(1);
  AppendBytes(KeyOf(1), record.SerializeAsString());
  const Pulled pulled = Pull();
  EXPECT_EQ(pulled.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(pulled.status.error_message(), HasSubstr("newer Simpul"));
}

TEST_F(RecordsTest, EndsAtTheLogsEnd) {
  EXPECT_TRUE(Pull().status.ok());
  AppendEntry(Weighing(1));
  const Pulled pulled = Pull();
  EXPECT_TRUE(pulled.status.ok());
  EXPECT_THAT(pulled.records, SizeIs(1));
}

TEST_F(RecordsTest, FollowsUntilTheCallerHangsUp) {
  AppendEntry(Weighing(1));
  PullRecordsRequest request;
  request.set_follow(true);
  grpc::ClientContext context;
  const auto reader = stub_->PullRecords(&context, request);
  PullRecordsResponse record;
  ASSERT_TRUE(reader->Read(&record));
  EXPECT_EQ(record.record_id(), Weighing(1).entry_id());
  for (uint64_t id = 2; id <= 10; ++id) {
    AppendEntry(Weighing(id));
    ASSERT_TRUE(reader->Read(&record));
    EXPECT_EQ(record.record_id(), Weighing(id).entry_id());
  }
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(RecordsTest, TellsFollowersToComeAgainWhenTheServerStops) {
  AppendEntry(Weighing(1));
  PullRecordsRequest request;
  request.set_follow(true);
  grpc::ClientContext context;
  const auto reader = stub_->PullRecords(&context, request);
  PullRecordsResponse record;
  ASSERT_TRUE(reader->Read(&record));
  auto ended = std::async(std::launch::async, [&] {
    PullRecordsResponse more;
    EXPECT_FALSE(reader->Read(&more));
    return reader->Finish();
  });
  server_->Drain(std::chrono::hours(1));
  EXPECT_EQ(ended.get().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(RecordsTest, CountsWhatWasPulled) {
  AppendEntry(Weighing(1));
  AppendEntry(Weighing(1, 2));
  EXPECT_THAT(Pull().records, SizeIs(2));
  const std::string text = metrics_.Render();
  EXPECT_THAT(text, HasSubstr("simpul_records_pulled_total{operation=\"new\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("simpul_records_pulled_total{operation=\"replaced\"} 1\n"));
}

}  // namespace
}  // namespace simpul::records
