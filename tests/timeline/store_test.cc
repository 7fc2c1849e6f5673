#include "lib/timeline/store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rocksdb/db.h>

#include <functional>
#include <map>
#include <set>

#include "lib/base/status_macros.h"
#include "lib/event/date.h"
#include "lib/timeline/decode.h"
#include "tests/support/crash_image.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_folder.h"
#include "tests/timeline/histories.h"
#include "tests/timeline/records.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline {
namespace {

using event::v1::Event;
using ::testing::AllOf;
using testing::CorrectionOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Records;
using ::testing::SizeIs;
using testing::VitaminA;
using testing::Weighing;

constexpr char kInstall[] = "11111111-2222-4333-8444-555555555555";

Event Exercise(uint64_t id, std::string_view local_time) {
  Event event = Weighing(id, local_time);
  event.set_purpose(event::v1::PURPOSE_TRAINING);
  return event;
}

class StoreTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Store>> TryOpen(std::string_view folder, uint32_t partition,
                                                 const std::string& install_id) {
    log::v1::Install install;
    install.set_install_id(install_id);
    return Store::Open(folder_ / folder, install, partition,
                       {.memory = memory_, .outbox_bytes_max = outbox_bytes_max_});
  }
  std::unique_ptr<Store> Open(std::string_view folder = "07") {
    auto store = TryOpen(folder, 7, kInstall);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  static absl::Status Apply(Store& store, std::span<const eventlog::OwnedRecord> records) {
    Store::Applied applied;
    return store.Apply(records, nullptr, applied);
  }
  // What stands in topic entries once everything was appended.
  static std::vector<eventlog::OwnedRecord> Entries(const Store& store) {
    std::vector<eventlog::OwnedRecord> entries;
    for (const OutboxRecord& record : store.Unread(0, SIZE_MAX)) {
      entries.push_back({static_cast<int64_t>(entries.size()) + 1, record.key, record.value});
    }
    return entries;
  }

  testing::TempFolder folder_;
  std::shared_ptr<StoreMemory> memory_ = StoreMemory::Make(8 << 20);
  size_t outbox_bytes_max_ = 8 << 20;
  const event::SubjectKey child_ =
      *testing::SampleSecret().KeyOf(*event::StrongestIdentity(testing::SampleChild()));
  // Two entries that say nothing of each other: one is an exercise.
  const std::vector<Event> events_ = {
      Weighing(1, "2026-02-03T09:00", "v-1"), VitaminA(2, "2026-02-03T09:10", "v-1"),
      Exercise(3, "2026-01-03T09:00"),
      CorrectionOf(4, Exercise(3, "2026-01-03T09:00"), "2026-02-04T08:00", 9'000)};
};

TEST_F(StoreTest, KeepsWhatItAppliedOverAReopen) {
  {
    const auto store = Open();
    ASSERT_TRUE(Apply(*store, Records(events_)).ok());
  }
  const auto store = Open();
  EXPECT_EQ(store->state().position, 4);
  EXPECT_EQ(testing::Counted(store->state().tally), testing::Expect(events_));
  const auto patient = store->Read(child_);
  ASSERT_TRUE(patient.ok()) << patient.status();
  EXPECT_EQ(patient->position, 4);
  ASSERT_THAT(patient->entries, SizeIs(2));
  EXPECT_EQ(patient->entries[0].members(0).event_id(), testing::SampleEventId(3))
      << "in timeline order";
  EXPECT_THAT(patient->entries[1].members(), SizeIs(2));
}

TEST_F(StoreTest, KnowsNothingOfAnUnknownPatient) {
  const auto store = Open();
  const auto patient = store->Read(child_);
  ASSERT_TRUE(patient.ok()) << patient.status();
  EXPECT_THAT(patient->entries, IsEmpty());
}

TEST_F(StoreTest, LeavesWhatItAppliedBefore) {
  const auto store = Open();
  const auto records = Records(events_);
  ASSERT_TRUE(Apply(*store, std::span(records).first(2)).ok());
  ASSERT_TRUE(Apply(*store, records).ok());
  ASSERT_TRUE(Apply(*store, records).ok());
  EXPECT_EQ(store->state().last_number, 4u);
}

TEST_F(StoreTest, StopsWhenRecordsAreMissing) {
  const auto store = Open();
  const auto records = Records(events_);
  const absl::Status status = Apply(*store, std::span(records).subspan(1));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(base::Message(status), HasSubstr("position 2 follows on position 0"));
  EXPECT_EQ(Apply(*store, records), status) << "for good";
}

TEST_F(StoreTest, ContinuesItsNumbersAfterAReopenWithoutAHole) {
  const auto records = Records(events_);
  {
    const auto store = Open();
    ASSERT_TRUE(Apply(*store, std::span(records).first(3)).ok());
  }
  const auto store = Open();
  ASSERT_TRUE(Apply(*store, records).ok());
  const std::vector<OutboxRecord> unread = store->Unread(0, SIZE_MAX);
  ASSERT_THAT(unread, SizeIs(4));
  for (size_t n = 0; n < unread.size(); ++n) {
    EXPECT_EQ(unread[n].number, n + 1);
    log::v1::LogRecord record;
    ASSERT_TRUE(record.ParseFromString(unread[n].value));
    EXPECT_EQ(record.derived().number(), n + 1);
    EXPECT_EQ(record.derived().source_position(), static_cast<int64_t>(n + 1));
    EXPECT_EQ(record.SerializeAsString(), unread[n].value) << "as protobuf writes it";
  }
  EXPECT_THAT(store->Unread(2, SIZE_MAX), SizeIs(2));
  EXPECT_THAT(store->Unread(0, 1), SizeIs(1));
}

TEST_F(StoreTest, ForgetsWhatItReadsBack) {
  const auto records = Records(events_);
  {
    const auto store = Open();
    ASSERT_TRUE(Apply(*store, std::span(records).first(3)).ok());
    ASSERT_TRUE(Apply(*store, records).ok());
    const auto entries = Entries(*store);
    ASSERT_TRUE(store->ReadBack(std::span(entries).first(2)).ok());
    EXPECT_EQ(store->Unread(0, SIZE_MAX).front().number, 3u);
    ASSERT_TRUE(store->ReadBack(entries).ok()) << "read again is harmless";
    EXPECT_THAT(store->Unread(0, SIZE_MAX), IsEmpty());
    EXPECT_EQ(store->state().outbox_bytes, 0u);
  }
  const auto store = Open();
  EXPECT_THAT(store->Unread(0, SIZE_MAX), IsEmpty());
  EXPECT_EQ(store->state().entries_position, 4);
  EXPECT_EQ(store->state().read_number, 4u);
}

TEST_F(StoreTest, ForgetsTheReadPartOfABatchOverAReopen) {
  {
    const auto store = Open();
    ASSERT_TRUE(Apply(*store, Records(events_)).ok());
    const auto entries = Entries(*store);
    ASSERT_TRUE(store->ReadBack(std::span(entries).first(2)).ok());
  }
  const auto store = Open();
  const std::vector<OutboxRecord> unread = store->Unread(0, SIZE_MAX);
  ASSERT_THAT(unread, SizeIs(2));
  EXPECT_EQ(unread[0].number, 3u);
}

TEST_F(StoreTest, StopsOnOtherBytesUnderItsNumber) {
  const auto store = Open();
  ASSERT_TRUE(Apply(*store, Records(events_)).ok());
  auto entries = Entries(*store);
  entries[1].value = entries[1].value + '\0';
  const absl::Status status = store->ReadBack(entries);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(base::Message(status), AllOf(HasSubstr("number 2"), HasSubstr("other bytes")));
  EXPECT_FALSE(Apply(*store, Records(events_)).ok()) << "the partition stands still";
}

TEST_F(StoreTest, StopsWhenANumberIsMissing) {
  const auto store = Open();
  ASSERT_TRUE(Apply(*store, Records(events_)).ok());
  auto entries = Entries(*store);
  entries.erase(entries.begin() + 1);
  EXPECT_EQ(store->ReadBack(entries).code(), absl::StatusCode::kInternal);
}

TEST_F(StoreTest, TellsNothingTwiceWhenItIsMadeAgain) {
  const auto records = Records(events_);
  const auto store = Open();
  ASSERT_TRUE(Apply(*store, records).ok());
  const auto entries = Entries(*store);
  const auto again = Open("again");
  ASSERT_TRUE(again->ReadBack(std::span(entries).first(3)).ok());
  ASSERT_TRUE(Apply(*again, records).ok());
  const std::vector<OutboxRecord> unread = again->Unread(0, SIZE_MAX);
  ASSERT_THAT(unread, SizeIs(1)) << "only what topic entries does not hold";
  EXPECT_EQ(unread[0].value, entries[3].value);
  EXPECT_EQ(testing::Counted(again->state().tally), testing::Counted(store->state().tally));
  ASSERT_TRUE(again->ReadBack(entries).ok());
  EXPECT_EQ(again->state().read_number, 4u);
}

TEST_F(StoreTest, WaitsWhenTheOutboxIsFull) {
  outbox_bytes_max_ = 1;
  const auto store = Open();
  const auto records = Records(events_);
  for (size_t n = 1; n <= records.size(); ++n) {
    EXPECT_EQ(Apply(*store, records).code(),
              n < records.size() ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kOk);
    EXPECT_EQ(store->state().position, static_cast<int64_t>(n)) << "what fitted is applied";
    auto entries = Entries(*store);
    ASSERT_THAT(entries, SizeIs(1));
    entries[0].position = static_cast<int64_t>(n);
    ASSERT_TRUE(store->ReadBack(entries).ok());
  }
}

TEST_F(StoreTest, WaitsWhileTheDiskIsFull) {
  log::v1::Install install;
  install.set_install_id(kInstall);
  auto store = Store::Open(folder_ / "full", install, 7,
                           {.memory = memory_, .room_bytes = uint64_t{1} << 62});
  ASSERT_TRUE(store.ok());
  Store::Applied applied;
  const absl::Status status = (*store)->Apply(Records(events_), nullptr, applied);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(base::Message(status), AllOf(HasSubstr((folder_ / "full").string()),
                                           HasSubstr("is full"), HasSubstr("Free some space")));
  EXPECT_EQ((*store)->state().position, 0);
  EXPECT_TRUE((*store)->failure().ok()) << "it goes on once there is room";
}

TEST_F(StoreTest, RefusesTheFolderOfAnotherInstallOrPartition) {
  Open();
  const absl::Status install = TryOpen("07", 7, "99999999-2222-4333-8444-555555555555").status();
  EXPECT_EQ(install.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(base::Message(install), AllOf(HasSubstr((folder_ / "07").string()),
                                            HasSubstr(kInstall), HasSubstr("delete it")));
  const absl::Status partition = TryOpen("07", 8, kInstall).status();
  EXPECT_EQ(partition.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(base::Message(partition),
              AllOf(HasSubstr("partition 7, not of partition 8"), HasSubstr("delete it")));
}

TEST_F(StoreTest, KnowsItsLogOnceTheLastRecordCameAgain) {
  const auto records = Records(events_);
  std::vector<eventlog::OwnedRecord> entries;
  {
    const auto store = Open();
    EXPECT_TRUE(store->state().is_compared) << "nothing was applied yet";
    EXPECT_TRUE(store->state().is_entries_compared);
    ASSERT_TRUE(Apply(*store, std::span(records).first(3)).ok());
    entries = Entries(*store);
    ASSERT_TRUE(store->ReadBack(std::span(entries).first(2)).ok());
  }
  const auto store = Open();
  EXPECT_FALSE(store->state().is_compared);
  EXPECT_FALSE(store->state().is_entries_compared);
  ASSERT_TRUE(Apply(*store, std::span(records).first(2)).ok());
  EXPECT_FALSE(store->state().is_compared) << "the last one did not come";
  ASSERT_TRUE(Apply(*store, std::span(records).subspan(2, 1)).ok());
  EXPECT_TRUE(store->state().is_compared);
  ASSERT_TRUE(store->ReadBack(std::span(entries).subspan(1)).ok());
  EXPECT_TRUE(store->state().is_entries_compared);
  EXPECT_EQ(store->state().read_number, 3u);
  ASSERT_TRUE(Apply(*store, std::span(records).subspan(3)).ok());
  EXPECT_EQ(testing::Counted(store->state().tally), testing::Expect(events_));
}

TEST_F(StoreTest, StopsWhenTheLogHoldsAnotherRecordThanWasApplied) {
  const auto records = Records(events_);
  const std::vector<std::function<void(eventlog::OwnedRecord&)>> changes = {
      [](eventlog::OwnedRecord& record) { record.value.back() ^= 1; },
      [](eventlog::OwnedRecord& record) { record.key.front() ^= 1; },
      [](eventlog::OwnedRecord& record) {  // the same bytes, cut elsewhere
        record.key += record.value.front();
        record.value.erase(0, 1);
      }};
  for (size_t n = 0; n < changes.size(); ++n) {
    const std::string name = std::to_string(n);
    std::vector<eventlog::OwnedRecord> entries;
    {
      const auto store = Open(name);
      ASSERT_TRUE(Apply(*store, records).ok());
      entries = Entries(*store);
      ASSERT_TRUE(store->ReadBack(entries).ok());
    }
    {
      const auto store = Open(name);
      auto other = records;
      changes[n](other.back());
      const absl::Status status = Apply(*store, other);
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
      EXPECT_THAT(
          base::Message(status),
          AllOf(HasSubstr("simpul.events.v1 partition 7 holds another record at position 4"),
                HasSubstr((folder_ / name).string()), HasSubstr("Restore the log"),
                HasSubstr("delete the folder")));
      EXPECT_EQ(Apply(*store, records), status) << "for good";
      EXPECT_EQ(store->Read(child_).status(), status) << "nobody is told what another log said";
    }
    const auto store = Open(name);
    changes[n](entries.back());
    const absl::Status status = store->ReadBack(entries);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(base::Message(status), HasSubstr("simpul.entries.v1 partition 7"));
    EXPECT_FALSE(Apply(*store, records).ok()) << "the partition stands still";
  }
}

TEST_F(StoreTest, TakesOtherBytesUnderItsNumberForAnotherLogUntilItKnowsItsOwn) {
  const auto records = Records(events_);
  std::vector<eventlog::OwnedRecord> entries;
  {
    const auto store = Open();
    ASSERT_TRUE(Apply(*store, records).ok());
    entries = Entries(*store);
  }
  const auto store = Open();
  entries[1].value.back() ^= 1;
  const absl::Status status = store->ReadBack(entries);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(base::Message(status),
              AllOf(HasSubstr("simpul.entries.v1 partition 7 holds another record at number 2"),
                    HasSubstr("Restore the log")));
}

TEST_F(StoreTest, AppliesNothingBeforeItWasCompared) {
  const auto records = Records(events_);
  {
    const auto store = Open();
    ASSERT_TRUE(Apply(*store, std::span(records).first(2)).ok());
  }
  const auto store = Open();
  EXPECT_EQ(Apply(*store, std::span(records).subspan(2)).code(), absl::StatusCode::kInternal);
}

// Changes the row that says what a store is.
void ChangeMeta(const std::filesystem::path& folder, const std::function<void(std::string&)>& how) {
  rocksdb::DB* opened = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(rocksdb::Options(), folder.string(), &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  std::string row;
  ASSERT_TRUE(db->Get(rocksdb::ReadOptions(), std::string(kStoreMetaKey), &row).ok());
  how(row);
  ASSERT_TRUE(db->Put(rocksdb::WriteOptions(), std::string(kStoreMetaKey), row).ok());
}

TEST_F(StoreTest, IsMadeAgainFromTheLogWhenItsFormatIsOlder) {
  const auto records = Records(events_);
  {
    const auto store = Open();
    ASSERT_TRUE(Apply(*store, records).ok());
  }
  // Without the digests, as format 1 was.
  ChangeMeta(folder_ / "07", [](std::string& row) {
    row[0] = 1;
    row.erase(row.size() - 64, 32);
  });
  const auto store = Open();
  EXPECT_EQ(store->state().position, 0);
  EXPECT_THAT(store->Unread(0, SIZE_MAX), IsEmpty());
  ASSERT_TRUE(Apply(*store, records).ok());
  EXPECT_EQ(testing::Counted(store->state().tally), testing::Expect(events_));
}

TEST_F(StoreTest, RefusesANewerFormatAndAnOlderOneOfAnotherInstallOrPartition) {
  Open();
  ChangeMeta(folder_ / "07", [](std::string& row) { ++row[0]; });
  const absl::Status newer = TryOpen("07", 7, kInstall).status();
  EXPECT_EQ(newer.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(base::Message(newer), AllOf(HasSubstr((folder_ / "07").string()),
                                          HasSubstr("Upgrade Simpul"), HasSubstr("delete")));
  ChangeMeta(folder_ / "07", [](std::string& row) { row[0] = 1; });
  EXPECT_EQ(TryOpen("07", 8, kInstall).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(TryOpen("07", 7, "99999999-2222-4333-8444-555555555555").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(StoreTest, SaysWhatToDoWhenTheFolderIsInUse) {
  const auto store = Open();
  const absl::Status status = TryOpen("07", 7, kInstall).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(base::Message(status),
              AllOf(HasSubstr("partition 7"), HasSubstr((folder_ / "07").string())));
}

TEST_F(StoreTest, PutsWhatNobodyCanDecodeAsideAndMovesOn) {
  const auto store = Open();
  auto records = Records(events_);
  const auto with_receipt = [&](size_t n, auto change) {
    log::v1::LogRecord record;
    ASSERT_TRUE(record.ParseFromString(records[n].value));
    change(*record.mutable_event());
    records[n].value = record.SerializeAsString();
  };
  records[0].value = "no log record";
  with_receipt(1, [](log::v1::AcceptedEvent& receipt) { receipt.set_event("no event"); });
  with_receipt(3, [](log::v1::AcceptedEvent& receipt) { receipt.set_event_id("another"); });
  ASSERT_TRUE(Apply(*store, records).ok());
  EXPECT_EQ(store->state().position, 4);
  EXPECT_EQ(store->state().tally.dead_letters, 3u);
  EXPECT_EQ(store->state().tally.entries, 1u);
  const std::vector<OutboxRecord> told = store->Unread(0, SIZE_MAX);
  ASSERT_THAT(told, SizeIs(4));
  EXPECT_TRUE(told[0].dead_letter);
  EXPECT_FALSE(told[2].dead_letter);
  log::v1::LogRecord letter;
  ASSERT_TRUE(letter.ParseFromString(told[1].value));
  EXPECT_EQ(letter.derived().dead_letter().cause(), kUndecodable);
  EXPECT_EQ(letter.derived().dead_letter().stage(), "decode");
  EXPECT_EQ(letter.derived().dead_letter().partition(), 7u);
  EXPECT_EQ(letter.derived().dead_letter().position(), 2);
  EXPECT_EQ(letter.derived().dead_letter().event_id(), testing::SampleEventId(2));
}

TEST_F(StoreTest, StopsBeforeWhatANewerProgramWrote) {
  const std::vector<std::function<void(log::v1::LogRecord&)>> newer = {
      [](log::v1::LogRecord& record) {
        record.clear_event();
        record.GetReflection()->MutableUnknownFields(&record)->AddVarint(900, 1);
      },
      [](log::v1::LogRecord& record) { record.mutable_event()->set_key_id(3); },
      [](log::v1::LogRecord& record) {
        Event event;
        event.ParseFromString(record.event().event());
        event.GetReflection()->MutableUnknownFields(&event)->AddVarint(900, 1);
        record.mutable_event()->set_event(event.SerializeAsString());
      },
      [](log::v1::LogRecord& record) {
        Event event;
        event.ParseFromString(record.event().event());
        event.set_purpose(static_cast<event::v1::Purpose>(77));
        record.mutable_event()->set_event(event.SerializeAsString());
      }};
  for (size_t n = 0; n < newer.size(); ++n) {
    const auto store = Open(std::to_string(n));
    auto records = Records(events_);
    log::v1::LogRecord record;
    ASSERT_TRUE(record.ParseFromString(records[2].value));
    newer[n](record);
    records[2].value = record.SerializeAsString();
    const absl::Status status = Apply(*store, records);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(base::Message(status), AllOf(HasSubstr("Partition 7 position 3"),
                                             HasSubstr("newer"), HasSubstr("upgrade me")));
    EXPECT_EQ(store->state().position, 2) << "everything before it is applied";
  }
}

// Events with activations of rules between them, as positions 1 to 6.
std::vector<eventlog::OwnedRecord> WithActivations(const std::vector<Event>& events) {
  std::vector<eventlog::OwnedRecord> records = Records(events);
  records.insert(records.begin() + 1, testing::Activated(7, 0, 2, *event::ParseDay("2026-12-10")));
  records.insert(records.begin() + 3, testing::Activated(7, 0, 1, *event::ParseDay("2027-03-01")));
  for (size_t n = 0; n < records.size(); ++n) records[n].position = static_cast<int64_t>(n) + 1;
  return records;
}

uint32_t On(const rules::RulesInForce& rules, std::string_view day) {
  return rules.On(*event::ParseDay(day)).version;
}

TEST_F(StoreTest, KnowsTheRulesInForceOverAReopen) {
  {
    const auto store = Open();
    EXPECT_EQ(On(store->rules(), "2026-12-10"), 1u);
    ASSERT_TRUE(Apply(*store, WithActivations(events_)).ok());
  }
  const auto store = Open();
  EXPECT_EQ(store->state().position, 6);
  EXPECT_EQ(testing::Counted(store->state().tally), testing::Expect(events_))
      << "an activation is no event, and no dead letter";
  const auto without = Open("without");
  ASSERT_TRUE(Apply(*without, Records(events_)).ok());
  EXPECT_EQ(store->state().last_number, without->state().last_number);
  EXPECT_EQ(store->state().tally.content, without->state().tally.content);
  EXPECT_EQ(On(store->rules(), "2026-12-09"), 1u);
  EXPECT_EQ(On(store->rules(), "2026-12-10"), 2u);
  EXPECT_EQ(On(store->rules(), "2027-03-01"), 1u);
  EXPECT_EQ(store->Read(child_)->rules, store->rules());
}

// The class of an arm of 23.5 cm in pregnancy, on whose bound the two versions differ, by event.
std::map<std::string, std::string> ArmsIn(const Store& store, const event::v1::Subject& mother) {
  std::map<std::string, std::string> arms;
  const auto patient =
      store.Read(*testing::SampleSecret().KeyOf(*event::StrongestIdentity(mother)));
  for (const v1::Entry& entry : patient->entries) {
    for (const v1::Screened& screened : entry.derived().screened()) {
      if (screened.rule() != "lila_pregnancy") continue;
      arms[entry.members(static_cast<int>(screened.member())).event_id().substr(35)] =
          screened.screening_class();
    }
  }
  return arms;
}

TEST_F(StoreTest, JudgesEachEventByTheRulesOfItsOwnDay) {
  const auto arm = [](uint64_t id, std::string_view local_time) {
    Event event = Weighing(id, local_time);
    *event.mutable_subject() = testing::SampleMother();
    event.mutable_visit()->clear_weight_g();
    event.mutable_visit()->set_muac_mm(235);
    event.mutable_visit()->set_gestational_age_days(140);
    return event;
  };
  // Activated after the second of them came; the last came late, and is of a day before.
  const std::vector<Event> events = {arm(1, "2026-11-02T09:00"), arm(2, "2026-12-09T09:00"),
                                     arm(3, "2026-12-10T09:00"), arm(4, "2026-12-08T09:00")};
  std::vector<eventlog::OwnedRecord> records = Records(events);
  records.insert(records.begin() + 2, testing::Activated(7, 0, 2, *event::ParseDay("2026-12-10")));
  for (size_t n = 0; n < records.size(); ++n) records[n].position = static_cast<int64_t>(n) + 1;

  const auto whole = Open("whole");
  ASSERT_TRUE(Apply(*whole, records).ok());
  const auto arms = ArmsIn(*whole, testing::SampleMother());
  ASSERT_THAT(arms, SizeIs(4));
  EXPECT_EQ(arms.at("1"), arms.at("2"));
  EXPECT_EQ(arms.at("4"), arms.at("2"));
  EXPECT_NE(arms.at("3"), arms.at("2")) << arms.at("3");
  EXPECT_EQ(whole->state().last_number, 4u) << "an activation gives no entry another revision";

  const auto one_by_one = Open("one");
  for (size_t n = 1; n <= records.size(); ++n) {
    ASSERT_TRUE(Apply(*one_by_one, std::span(records).first(n)).ok());
  }
  EXPECT_EQ(one_by_one->state().tally.content, whole->state().tally.content);
  EXPECT_EQ(Entries(*one_by_one).back().value, Entries(*whole).back().value);
}

TEST_F(StoreTest, IsGivenTheSameRulesHoweverTheRecordsAreCut) {
  const auto records = WithActivations(events_);
  const auto whole = Open("whole");
  ASSERT_TRUE(Apply(*whole, records).ok());
  const auto one_by_one = Open("one");
  for (size_t n = 1; n <= records.size(); ++n) {
    ASSERT_TRUE(Apply(*one_by_one, std::span(records).first(n)).ok());
    EXPECT_EQ(one_by_one->rules().activations().size(), n < 2 ? 0u : n < 4 ? 1u : 2u);
  }
  EXPECT_EQ(one_by_one->rules(), whole->rules());
  EXPECT_EQ(one_by_one->state().tally.content, whole->state().tally.content);
  EXPECT_EQ(Entries(*one_by_one).size(), Entries(*whole).size());
}

TEST_F(StoreTest, IsNotChangedByAnActivationThatComesAgain) {
  auto records = WithActivations(events_);
  // Completed by somebody else later: another record with the same id.
  records.push_back(testing::Activated(7, 7, 2, *event::ParseDay("2026-12-10")));
  const auto store = Open();
  Store::Applied applied;
  ASSERT_TRUE(store->Apply(std::span(records).first(6), nullptr, applied).ok());
  const rules::RulesInForce before = store->rules();
  EXPECT_EQ(applied.activations, 2u);
  ASSERT_TRUE(store->Apply(records, nullptr, applied).ok());
  EXPECT_EQ(store->state().position, 7);
  EXPECT_EQ(applied.activations, 2u);
  EXPECT_EQ(store->rules(), before);
}

TEST_F(StoreTest, StopsBeforeRulesThatItDoesNotKnow) {
  const auto store = Open();
  auto records = Records(events_);
  records[2] = testing::Activated(7, 3, 77, *event::ParseDay("2026-12-10"));
  const absl::Status status = Apply(*store, records);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(base::Message(status), AllOf(HasSubstr("Partition 7 position 3"),
                                           HasSubstr("version 77"), HasSubstr("upgrade me")));
  EXPECT_EQ(store->state().position, 2);
  EXPECT_EQ(store->state().tally.dead_letters, 0u);
}

TEST_F(StoreTest, RefusesAFolderWithRulesThatItDoesNotKnow) {
  {
    const auto store = Open();
    ASSERT_TRUE(Apply(*store, WithActivations(events_)).ok());
  }
  // The version of the activation that comes last.
  ChangeMeta(folder_ / "07", [](std::string& row) { row[row.size() - 24 + 3] = 77; });
  const absl::Status status = TryOpen("07", 7, kInstall).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(base::Message(status), AllOf(HasSubstr("version 77"), HasSubstr("Upgrade Simpul")));
}

TEST_F(StoreTest, EndsInTheSameStateHoweverTheRecordsAreCut) {
  const auto records = Records(testing::RandomStory(3, 300));
  const auto whole = Open("whole");
  ASSERT_TRUE(Apply(*whole, records).ok());
  const auto cut = Open("cut");
  for (size_t n = 0; n < records.size(); n += 7) {
    ASSERT_TRUE(
        Apply(*cut, std::span(records).subspan(n, std::min<size_t>(7, records.size() - n))).ok());
  }
  EXPECT_EQ(testing::Counted(cut->state().tally), testing::Counted(whole->state().tally));
  const auto a = whole->Unread(0, SIZE_MAX);
  const auto b = cut->Unread(0, SIZE_MAX);
  ASSERT_EQ(a.size(), b.size());
  for (size_t n = 0; n < a.size(); ++n) EXPECT_EQ(a[n].value, b[n].value) << n;
}

TEST_F(StoreTest, IsAfterACrashAsItWasAfterSomeBatchAndIsFilledFromTheLog) {
  // So little memory that it is written out every now and then.
  memory_ = StoreMemory::Make(256 << 10);
  const auto records = Records(testing::RandomStory(5, 600));
  const auto whole = Open("whole");
  ASSERT_TRUE(Apply(*whole, records).ok());
  const std::vector<eventlog::OwnedRecord> entries = Entries(*whole);

  const auto killed = Open("killed");
  std::set<int64_t> left;
  constexpr size_t kStep = 20;
  size_t told = 0;
  for (size_t n = 0; n < records.size(); n += kStep) {
    const size_t size = std::min(kStep, records.size() - n);
    ASSERT_TRUE(Apply(*killed, std::span(records).subspan(n, size)).ok());
    // Some of what it told came back.
    const size_t back = (killed->state().last_number - told) / 2;
    ASSERT_TRUE(killed->ReadBack(std::span(entries).subspan(told, back)).ok());
    told += back;

    const std::string image = fmt::format("image-{}", n);
    testing::CopyCrashImage(folder_ / "killed", folder_ / image);
    const auto store = Open(image);
    const Store::State state = store->state();
    left.insert(state.position);
    ASSERT_LE(state.position, killed->state().position);
    // The log is read again from where it stands, entries to their end first.
    ASSERT_TRUE(store->ReadBack(std::span(entries).first(told)).ok());
    ASSERT_TRUE(Apply(*store, records).ok());
    ASSERT_EQ(testing::Counted(store->state().tally), testing::Counted(whole->state().tally));
    const auto unread = store->Unread(0, SIZE_MAX);
    ASSERT_EQ(unread.size(), entries.size() - told);
    for (size_t i = 0; i < unread.size(); ++i) {
      ASSERT_EQ(unread[i].value, entries[told + i].value) << i;
    }
  }
  EXPECT_GT(left.size(), 3u) << "it was hardly ever written out";
}

TEST_F(StoreTest, ShowsRevisionsOfWatchedPatientsOnly) {
  const auto store = Open();
  Store::Applied applied;
  ASSERT_TRUE(store
                  ->Apply(
                      Records(events_),
                      [this](const event::SubjectKey& subject) { return subject == child_; },
                      applied)
                  .ok());
  ASSERT_THAT(applied.watched, SizeIs(4));
  EXPECT_EQ(applied.watched[1].revision(), 2u);
  EXPECT_EQ(applied.events, 4u);
  EXPECT_EQ(applied.revisions, 4u);
}

}  // namespace
}  // namespace simpul::timeline
