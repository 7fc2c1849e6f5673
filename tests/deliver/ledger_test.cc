#include "lib/deliver/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <random>
#include <set>

#include "lib/base/bytes.h"
#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"
#include "tests/support/crash_image.h"
#include "tests/support/temp_folder.h"

namespace simpul::deliver {
namespace {

using eventlog::OwnedRecord;
using eventlog::Topic;

const std::string kSubject(16, 's');

std::string EntryId(int n) {
  return base::UuidV5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "e" + std::to_string(n));
}
std::string EventId(int n) {
  return base::UuidV5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "v" + std::to_string(n));
}
std::string PartId(int n) {
  return base::UuidV5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "p" + std::to_string(n));
}

// The log of one partition, in memory.
struct Log {
  std::vector<OwnedRecord> entries, deliveries, events;

  Log() {
    for (auto* topic : {&entries, &deliveries, &events}) {
      log::v1::LogRecord record;
      record.mutable_install()->set_install_id("i");
      Append(*topic, record);
    }
  }
  static void Append(std::vector<OwnedRecord>& topic, const log::v1::LogRecord& record) {
    topic.push_back({static_cast<int64_t>(topic.size()), kSubject, record.SerializeAsString()});
  }
  void Entry(int n, uint32_t revision, int event) {
    log::v1::LogRecord record;
    log::v1::DerivedRecord& derived = *record.mutable_derived();
    derived.set_number(entries.size());
    timeline::v1::Entry& entry = *derived.mutable_entry();
    entry.set_entry_id(EntryId(n));
    entry.set_revision(revision);
    entry.set_kind(timeline::v1::ENTRY_KIND_VISIT);
    entry.set_subject_key(kSubject);
    entry.mutable_facility()->set_system("kemenkes");
    entry.mutable_facility()->set_code("P1");
    for (int i = 0; i <= event; ++i) {
      timeline::v1::Member& member = *entry.add_members();
      member.set_event_id(EventId(n * 100 + i));
      member.set_received_at_us(1000 + i);
    }
    Append(entries, record);
  }
  log::v1::DeliveryRecord& Step(log::v1::LogRecord& record) {
    log::v1::DeliveryRecord& step = *record.mutable_delivery();
    step.set_claim("c");
    step.set_at_us(static_cast<int64_t>(deliveries.size()) * 1000);
    return step;
  }
  void Claim(const std::string& claim) {
    log::v1::LogRecord record;
    Step(record).mutable_claimed();
    record.mutable_delivery()->set_claim(claim);
    Append(deliveries, record);
  }
  void Attempt(int n, uint32_t revision, uint32_t attempt) {
    log::v1::LogRecord record;
    log::v1::Attempt& step = *Step(record).mutable_attempt();
    step.set_entry_id(EntryId(n));
    step.set_revision(revision);
    step.set_attempt(attempt);
    Append(deliveries, record);
  }
  void Outcome(int n, uint32_t revision, uint32_t attempt, log::v1::OutcomeClass outcome,
               const std::string& reason = "", std::vector<int> parts = {},
               int64_t retry_at_us = 0) {
    log::v1::LogRecord record;
    log::v1::Outcome& step = *Step(record).mutable_outcome();
    step.set_entry_id(EntryId(n));
    step.set_revision(revision);
    step.set_attempt(attempt);
    step.set_outcome(outcome);
    step.set_reason(reason);
    step.set_retry_at_us(retry_at_us);
    for (const int part : parts) {
      log::v1::PlatformId& id = *step.add_platform_ids();
      id.set_part(PartId(part));
      id.set_resource_type(part % 10 == 0 ? "Encounter" : "Observation");
      id.set_id("id-" + std::to_string(part));
    }
    Append(deliveries, record);
  }
  void Resend(int n, uint32_t revision) {
    log::v1::LogRecord record;
    log::v1::Resend& step = *Step(record).mutable_resend();
    step.set_entry_id(EntryId(n));
    step.set_revision(revision);
    Append(deliveries, record);
  }
  void GiveUp(int n, uint32_t revision) {
    log::v1::LogRecord record;
    log::v1::GiveUp& step = *Step(record).mutable_give_up();
    step.set_entry_id(EntryId(n));
    step.set_revision(revision);
    step.set_reason("the family moved");
    Append(deliveries, record);
  }
  void Event(int n) {
    log::v1::LogRecord record;
    log::v1::AcceptedEvent& event = *record.mutable_event();
    event.set_event_id(EventId(n));
    event.mutable_facility()->set_system("kemenkes");
    event.mutable_facility()->set_code("P1");
    event.set_received_at_us(77);
    Append(events, record);
  }
};

class LedgerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Ledger> Open(const std::string& name) { return Open(name, memory_); }
  std::unique_ptr<Ledger> Open(const std::string& name, LedgerMemory& memory) {
    log::v1::Install install;
    install.set_install_id("i");
    install.set_partitions(1);
    auto ledger = Ledger::Open(folder_ / name, install, 0, memory);
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    return *std::move(ledger);
  }

  static Applied Apply(Ledger& ledger, Topic topic, const std::vector<OwnedRecord>& records,
                       size_t from, size_t count) {
    auto applied = ledger.Apply(topic, std::span(records).subspan(from, count));
    EXPECT_TRUE(applied.ok()) << applied.status();
    return applied.ok() ? *std::move(applied) : Applied{};
  }

  static std::string Picture(const Ledger& ledger, int entries) {
    std::string picture = ledger.checksum().ToHex() + "\n";
    for (const auto& [state, count] : ledger.counts().records) {
      if (count != 0) picture += std::to_string(state) + "=" + std::to_string(count) + " ";
    }
    for (int n = 0; n < entries; ++n) {
      const std::string id = base::UuidBytes(EntryId(n));
      const auto row = ledger.Entry(id);
      if (!row.ok() || !row->has_value()) continue;
      picture += "\n" + base::Hex(Encode(**row));
      picture += "\n" + base::Hex(Encode(*ledger.Parts(id)));
      for (uint32_t revision = 1; revision <= (*row)->latest; ++revision) {
        picture += "\n " + base::Hex(Encode(*ledger.Revision(id, revision)));
        picture += ledger.EntryAt(id, revision).ok() ? " kept" : " gone";
      }
    }
    const auto changes = ledger.Changes("", SIZE_MAX);
    for (const ChangeRow& change : *changes) {
      picture += fmt::format("\n{} {} {} {}", base::Hex(change.key), change.number,
                             static_cast<int>(change.state), change.reason);
    }
    const auto held = ledger.Held("", SIZE_MAX);
    for (const HeldRow& row : *held) picture += "\nheld " + base::Hex(row.key);
    for (const bool timed : {false, true}) {
      const auto work = ledger.Work(timed, "", SIZE_MAX);
      for (const WorkItem& item : *work) picture += "\nwork " + base::Hex(item.key);
    }
    return picture;
  }

  simpul::testing::TempFolder folder_;
  LedgerMemory memory_{8 << 20};
};

// A history with everything in it: delivered, corrected, held, refused, superseded, given up,
// resent, unknown, adopted.
Log Everything() {
  Log log;
  using enum log::v1::OutcomeClass;
  log.Claim("c");
  for (int n = 0; n < 8; ++n) log.Entry(n, 1, 0);
  for (int n = 0; n < 8; ++n) {
    if (n != 5) log.Attempt(n, 1, 1);
  }
  log.Outcome(0, 1, 1, OUTCOME_CLASS_DELIVERED, "", {0, 1, 2});
  log.Entry(0, 2, 1);
  log.Entry(0, 3, 2);
  log.Attempt(0, 3, 1);
  log.Outcome(0, 3, 1, OUTCOME_CLASS_DELIVERED, "", {0, 2});
  log.Outcome(1, 1, 1, OUTCOME_CLASS_REFUSED, "rule_10117");
  log.Entry(1, 2, 1);
  log.Attempt(1, 2, 1);
  log.Outcome(1, 2, 1, OUTCOME_CLASS_DELIVERED, "", {10});
  log.Outcome(2, 1, 1, OUTCOME_CLASS_HELD, "patient_unknown", {}, 5'000'000);
  log.Outcome(3, 1, 1, OUTCOME_CLASS_REFUSED, "rule_10003");
  log.GiveUp(3, 1);
  log.Outcome(4, 1, 1, OUTCOME_CLASS_UNKNOWN, "timed_out", {}, 9'000'000);
  log.Entry(4, 2, 1);
  log.Outcome(4, 1, 1, OUTCOME_CLASS_RETRY, "partly_found_there", {40});
  log.Outcome(5, 1, 0, OUTCOME_CLASS_NOT_SENT, "training");
  log.Outcome(6, 1, 1, OUTCOME_CLASS_HELD, "facility_unknown");
  log.Resend(6, 1);
  return log;
}

TEST_F(LedgerTest, EndsTheSameHoweverTheTwoTopicsInterleave) {
  const Log log = Everything();
  std::string expected;
  std::mt19937 random(7);
  for (int round = 0; round < 25; ++round) {
    const auto ledger = Open("interleaved-" + std::to_string(round));
    size_t entries = 0, deliveries = 0;
    while (entries < log.entries.size() || deliveries < log.deliveries.size()) {
      const size_t count = 1 + random() % 5;
      // The first two rounds read one topic wholly before the other.
      const bool entries_first = round == 0 || (round != 1 && random() % 2 == 0);
      const bool take_entries =
          deliveries == log.deliveries.size() || (entries < log.entries.size() && entries_first);
      if (take_entries) {
        const size_t n = std::min(count, log.entries.size() - entries);
        Apply(*ledger, Topic::kEntries, log.entries, entries, n);
        entries += n;
      } else {
        const size_t n = std::min(count, log.deliveries.size() - deliveries);
        Apply(*ledger, Topic::kDeliveries, log.deliveries, deliveries, n);
        deliveries += n;
      }
    }
    const std::string picture = Picture(*ledger, 8);
    if (expected.empty()) expected = picture;
    ASSERT_EQ(picture, expected) << "round " << round;
  }
}

TEST_F(LedgerTest, IsTheSameWhenRecordsAreReadTwiceAndAfterItIsOpenedAgain) {
  const Log log = Everything();
  const auto once = Open("once");
  Apply(*once, Topic::kEntries, log.entries, 0, log.entries.size());
  Apply(*once, Topic::kDeliveries, log.deliveries, 0, log.deliveries.size());
  const std::string expected = Picture(*once, 8);
  {
    const auto ledger = Open("twice");
    Apply(*ledger, Topic::kEntries, log.entries, 0, 6);
    Apply(*ledger, Topic::kDeliveries, log.deliveries, 0, 9);
  }
  const auto ledger = Open("twice");
  EXPECT_EQ(ledger->Next(Topic::kEntries), 6);
  EXPECT_EQ(ledger->Next(Topic::kDeliveries), 9);
  Apply(*ledger, Topic::kEntries, log.entries, 0, log.entries.size());
  Apply(*ledger, Topic::kDeliveries, log.deliveries, 2, log.deliveries.size() - 2);
  EXPECT_EQ(Picture(*ledger, 8), expected);
}

TEST_F(LedgerTest, RemembersThatDeliveriesWereAheadOfEntriesWhenItIsOpenedAgain) {
  const Log log = Everything();
  const auto once = Open("once");
  Apply(*once, Topic::kEntries, log.entries, 0, log.entries.size());
  Apply(*once, Topic::kDeliveries, log.deliveries, 0, log.deliveries.size());
  {
    Apply(*Open("ahead"), Topic::kDeliveries, log.deliveries, 0, log.deliveries.size());
  }
  for (size_t n = 0; n < log.entries.size(); ++n) {
    const size_t from = n == 0 ? 0 : n - 1;  // what was applied last is compared first
    Apply(*Open("ahead"), Topic::kEntries, log.entries, from, n + 1 - from);
  }
  EXPECT_EQ(Picture(*Open("ahead"), 8), Picture(*once, 8));
}

TEST_F(LedgerTest, KeepsTheLatestRevisionInOneRowWithItsEntry) {
  Log log;
  log.Entry(0, 1, 0);
  log.Entry(0, 2, 1);
  const std::string id = base::UuidBytes(EntryId(0));
  const auto rows = [&] {
    const auto store = LedgerStore::Open(folder_ / "rows", 0, memory_);
    EXPECT_TRUE(store.ok()) << store.status();
    std::string kept;
    for (const uint32_t revision : {1u, 2u}) {
      if ((*store)->Get(RevisionKey(id, revision))->has_value()) kept += std::to_string(revision);
    }
    return kept;
  };
  {
    Apply(*Open("rows"), Topic::kEntries, log.entries, 0, log.entries.size() - 1);
  }
  EXPECT_EQ(rows(), "");
  EXPECT_EQ(Open("rows")->Revision(id, 1)->number, 1u);
  {
    Apply(*Open("rows"), Topic::kEntries, log.entries, 0, log.entries.size());
  }
  EXPECT_EQ(rows(), "1");
  const auto ledger = Open("rows");
  EXPECT_EQ(ledger->Revision(id, 1)->number, 1u);
  EXPECT_EQ(ledger->Revision(id, 2)->number, 2u);
}

TEST_F(LedgerTest, IsAfterACrashAsItWasAfterSomeBatchAndIsFilledFromTheLog) {
  const Log log = Everything();
  const auto once = Open("once");
  Apply(*once, Topic::kEntries, log.entries, 0, log.entries.size());
  Apply(*once, Topic::kDeliveries, log.deliveries, 0, log.deliveries.size());
  const std::string expected = Picture(*once, 8);

  // With so little memory it is written out every now and then, with more never.
  LedgerMemory little(64 << 10);
  std::set<int64_t> left;
  for (const bool written_out : {true, false}) {
    const std::string name = written_out ? "written out" : "in memory";
    const auto killed = Open(name, written_out ? little : memory_);
    for (size_t n = 0; n < log.deliveries.size(); ++n) {
      if (n < log.entries.size()) Apply(*killed, Topic::kEntries, log.entries, n, 1);
      Apply(*killed, Topic::kDeliveries, log.deliveries, n, 1);
      const std::string image = fmt::format("{} {}", name, n);
      simpul::testing::CopyCrashImage(folder_ / name, folder_ / image);
      const auto ledger = Open(image);
      left.insert(ledger->Next(Topic::kDeliveries));
      Apply(*ledger, Topic::kEntries, log.entries, 0, log.entries.size());
      Apply(*ledger, Topic::kDeliveries, log.deliveries, 0, log.deliveries.size());
      ASSERT_EQ(Picture(*ledger, 8), expected) << image;
    }
  }
  EXPECT_GT(left.size(), 5u) << "it was hardly ever written out";
}

TEST_F(LedgerTest, ShowsEachRecordsStateAsTheLogTellsIt) {
  const Log log = Everything();
  const auto ledger = Open("states");
  Apply(*ledger, Topic::kEntries, log.entries, 0, log.entries.size());
  Apply(*ledger, Topic::kDeliveries, log.deliveries, 0, log.deliveries.size());
  const auto state = [&](int n, uint32_t revision) {
    const std::string id = base::UuidBytes(EntryId(n));
    return StateOf(**ledger->Entry(id), revision, *ledger->Revision(id, revision));
  };
  using enum delivery::v1::DeliveryState;
  EXPECT_EQ(state(0, 1), DELIVERY_STATE_DELIVERED);
  EXPECT_EQ(state(0, 2), DELIVERY_STATE_SUPERSEDED);
  EXPECT_EQ(state(0, 3), DELIVERY_STATE_DELIVERED);
  EXPECT_EQ(state(1, 1), DELIVERY_STATE_SUPERSEDED);
  EXPECT_EQ(state(1, 2), DELIVERY_STATE_DELIVERED);
  EXPECT_EQ(state(2, 1), DELIVERY_STATE_HELD);
  EXPECT_EQ(state(3, 1), DELIVERY_STATE_NOT_SENT);
  EXPECT_EQ(state(4, 2), DELIVERY_STATE_WAITING);
  EXPECT_EQ(state(5, 1), DELIVERY_STATE_NOT_SENT);
  EXPECT_EQ(state(6, 1), DELIVERY_STATE_WAITING);
  EXPECT_EQ(state(7, 1), DELIVERY_STATE_WAITING);
  const auto parts = ledger->Parts(base::UuidBytes(EntryId(0)));
  ASSERT_EQ(parts->parts.size(), 3u);
  EXPECT_TRUE(parts->parts[1].withdrawn);
  EXPECT_FALSE(parts->parts[2].withdrawn);
  EXPECT_EQ(*ledger->SharedId(base::UuidBytes(PartId(40))), "id-40");
}

TEST_F(LedgerTest, SettlesAnAttemptWithoutOutcomeBeforeAnythingNewerGoesOut) {
  Log log;
  log.Entry(0, 1, 0);
  log.Attempt(0, 1, 1);
  log.Entry(0, 2, 1);
  const auto ledger = Open("settle");
  Apply(*ledger, Topic::kEntries, log.entries, 0, 3);
  Apply(*ledger, Topic::kDeliveries, log.deliveries, 0, 2);
  const std::string id = base::UuidBytes(EntryId(0));
  const EntryRow row = **ledger->Entry(id);
  ASSERT_EQ(row.unsettled, std::vector<uint32_t>{1});
  const NextStep next = NextFor(row, *ledger->Revision(id, 2), *ledger->Revision(id, 1));
  EXPECT_EQ(next.kind, NextStep::Kind::kSettle);
  EXPECT_EQ(next.revision, 1u);
}

TEST_F(LedgerTest, NamesWhatIsUnsettledOfASubjectThoughEntriesHaveNotBroughtIt) {
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  Log log;
  log.Entry(0, 1, 0);
  log.Attempt(0, 1, 1);
  log.Outcome(0, 1, 1, log::v1::OUTCOME_CLASS_UNKNOWN, "timed_out");
  log.Outcome(0, 1, 1, log::v1::OUTCOME_CLASS_RETRY, "not_found_there");
  const auto ledger = Open("unsettled");
  const std::string id = base::UuidBytes(EntryId(0));
  const auto unsettled = [&] { return *ledger->Unsettled(kSubject); };
  EXPECT_THAT(unsettled(), IsEmpty());
  Apply(*ledger, Topic::kDeliveries, log.deliveries, 0, 2);
  EXPECT_THAT(unsettled(), ElementsAre(id));
  EXPECT_THAT(*ledger->Unsettled(std::string(16, 't')), IsEmpty());
  Apply(*ledger, Topic::kEntries, log.entries, 0, 2);
  EXPECT_THAT(unsettled(), ElementsAre(id));
  Apply(*ledger, Topic::kDeliveries, log.deliveries, 2, 1);
  EXPECT_THAT(unsettled(), ElementsAre(id));
  Apply(*ledger, Topic::kDeliveries, log.deliveries, 3, 1);
  EXPECT_THAT(unsettled(), IsEmpty());
}

TEST_F(LedgerTest, SendsNothingOlderThanWhatDeliveriesSpeakOf) {
  Log log;
  log.Entry(0, 1, 0);
  log.Entry(0, 2, 1);
  log.Attempt(0, 2, 1);
  log.Outcome(0, 2, 1, log::v1::OUTCOME_CLASS_DELIVERED, "", {0});
  const auto ledger = Open("older");
  Apply(*ledger, Topic::kDeliveries, log.deliveries, 0, log.deliveries.size());
  const Applied applied = Apply(*ledger, Topic::kEntries, log.entries, 0, 2);
  EXPECT_TRUE(applied.items_added.empty());
}

TEST_F(LedgerTest, PutsResentRecordsBackIntoTheOrderOfTheLog) {
  Log log;
  for (int n = 0; n < 3; ++n) log.Entry(n, 1, 0);
  log.Outcome(0, 1, 0, log::v1::OUTCOME_CLASS_HELD, "facility_unknown");
  log.Outcome(1, 1, 0, log::v1::OUTCOME_CLASS_HELD, "facility_unknown");
  log.Resend(1, 1);
  log.Resend(0, 1);
  const auto ledger = Open("order");
  Apply(*ledger, Topic::kEntries, log.entries, 0, log.entries.size());
  Apply(*ledger, Topic::kDeliveries, log.deliveries, 0, 3);
  EXPECT_EQ(ledger->Work(false, "", 10)->size(), 1u);
  EXPECT_EQ(ledger->Held("", 10)->size(), 2u);
  Apply(*ledger, Topic::kDeliveries, log.deliveries, 3, 2);
  const auto work = ledger->Work(false, "", 10);
  ASSERT_EQ(work->size(), 3u);
  for (int n = 0; n < 3; ++n) EXPECT_EQ((*work)[n].entry_id, base::UuidBytes(EntryId(n)));
  EXPECT_TRUE(ledger->Held("", 10)->empty());
}

TEST_F(LedgerTest, StopsAtAHoleInTheRunningNumbers) {
  Log log;
  log.Entry(0, 1, 0);
  log.Entry(1, 1, 0);
  log.Entry(2, 1, 0);
  log.entries.erase(log.entries.begin() + 2);
  const auto ledger = Open("hole");
  const auto applied = ledger->Apply(Topic::kEntries, log.entries);
  EXPECT_EQ(applied.status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ledger->Next(Topic::kEntries), 0);
}

TEST_F(LedgerTest, SaysUpgradeMeOfARecordOnlyANewerProgramKnows) {
  const auto ledger = Open("newer");
  log::v1::LogRecord record;
  record.mutable_delivery()->set_claim("c");
  const std::vector<OwnedRecord> records = {{0, kSubject, record.SerializeAsString()}};
  const auto applied = ledger->Apply(Topic::kDeliveries, records);
  EXPECT_EQ(applied.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(base::Message(applied.status())), ::testing::HasSubstr("upgrade"));
}

TEST_F(LedgerTest, PassesOverAnActivationOfRules) {
  const auto ledger = Open("rules");
  log::v1::LogRecord record;
  record.mutable_rules_activated()->set_version(2);
  record.mutable_rules_activated()->set_activation_id(EventId(1));
  const std::vector<OwnedRecord> records = {{0, kSubject, record.SerializeAsString()}};
  ASSERT_TRUE(ledger->Apply(Topic::kEvents, records).ok());
  EXPECT_EQ(ledger->Next(Topic::kEvents), 1);
}

TEST_F(LedgerTest, RefusesTheFolderOfAnotherInstall) {
  {
    Apply(*Open("other"), Topic::kEntries, Log().entries, 0, 1);
  }
  log::v1::Install install;
  install.set_install_id("another");
  install.set_partitions(1);
  const auto ledger = Ledger::Open(folder_ / "other", install, 0, memory_);
  EXPECT_EQ(ledger.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(LedgerTest, KnowsItsLogOnceTheLastRecordOfEachTopicCameAgain) {
  const Log log = Everything();
  {
    const auto ledger = Open("compared");
    EXPECT_TRUE(ledger->HasCompared()) << "nothing was applied yet";
    EXPECT_EQ(ledger->FirstToRead(Topic::kEntries), 0);
    Apply(*ledger, Topic::kEntries, log.entries, 0, 3);
    Apply(*ledger, Topic::kDeliveries, log.deliveries, 0, 1);
  }
  const auto ledger = Open("compared");
  EXPECT_FALSE(ledger->HasCompared());
  EXPECT_EQ(ledger->FirstToRead(Topic::kEntries), 2);
  EXPECT_EQ(ledger->FirstToRead(Topic::kDeliveries), 0);
  EXPECT_EQ(ledger->Apply(Topic::kEntries, std::span(log.entries).subspan(3)).status().code(),
            absl::StatusCode::kInternal)
      << "nothing is applied before";
  Apply(*ledger, Topic::kEntries, log.entries, 2, 1);
  EXPECT_FALSE(ledger->HasCompared()) << "topic deliveries was not";
  Apply(*ledger, Topic::kDeliveries, log.deliveries, 0, 2);
  EXPECT_TRUE(ledger->HasCompared());
  EXPECT_EQ(ledger->Next(Topic::kDeliveries), 2);
}

TEST_F(LedgerTest, StopsWhenTheLogHoldsAnotherRecordThanWasApplied) {
  const Log log = Everything();
  for (const Topic topic : {Topic::kEntries, Topic::kDeliveries, Topic::kEvents}) {
    const std::string name = std::string(eventlog::TopicName(topic));
    auto records = topic == Topic::kEntries      ? log.entries
                   : topic == Topic::kDeliveries ? log.deliveries
                                                 : log.events;
    {
      Apply(*Open(name), topic, records, 0, records.size());
    }
    const auto ledger = Open(name);
    records.back().key.back() ^= 1;
    const absl::Status status = ledger->Apply(topic, records).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(base::Message(status)),
                ::testing::AllOf(::testing::HasSubstr(name + " partition 0 holds another record"),
                                 ::testing::HasSubstr((folder_ / name).string()),
                                 ::testing::HasSubstr("Restore the log")));
    for (const Topic other : {Topic::kEntries, Topic::kDeliveries, Topic::kEvents}) {
      EXPECT_EQ(ledger->Apply(other, log.events).status(), status) << "for good, for all topics";
    }
    EXPECT_FALSE(ledger->HasCompared());
  }
}

TEST_F(LedgerTest, IsMadeAgainFromTheLogWhenItsFormatIsOlder) {
  const Log log = Everything();
  {
    Apply(*Open("older"), Topic::kEntries, log.entries, 0, log.entries.size());
  }
  const auto change_format = [this](char by) {
    const auto store = LedgerStore::Open(folder_ / "older", 0, memory_);
    ASSERT_TRUE(store.ok());
    std::string row = **(*store)->Get(kStandingKey);
    const size_t end = 4 + base::GetBe32(row);
    row[end - 1] = static_cast<char>(row[end - 1] + by);
    LedgerWrites writes;
    writes.Put(kStandingKey, row);
    ASSERT_TRUE((*store)->Write(writes).ok());
  };
  change_format(1);
  log::v1::Install install;
  install.set_install_id("i");
  install.set_partitions(1);
  const absl::Status newer = Ledger::Open(folder_ / "older", install, 0, memory_).status();
  EXPECT_EQ(newer.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(base::Message(newer)), ::testing::HasSubstr("newer"));
  change_format(-2);
  const auto ledger = Open("older");
  EXPECT_EQ(ledger->Next(Topic::kEntries), 0);
  EXPECT_TRUE(ledger->Work(false, "", 10)->empty());
  EXPECT_TRUE(ledger->HasCompared());
  Apply(*ledger, Topic::kEntries, log.entries, 0, log.entries.size());
  EXPECT_EQ(ledger->Next(Topic::kEntries), static_cast<int64_t>(log.entries.size()));
}

TEST_F(LedgerTest, KnowsWhereEveryEventIsAndWhatWaitsOrWentWrong) {
  Log log;
  log.Event(1);
  log.Event(1);
  log.Event(2);
  log::v1::LogRecord record;
  record.mutable_derived()->set_number(1);
  record.mutable_derived()->mutable_waiting()->set_event_id(EventId(1));
  record.mutable_derived()->mutable_waiting()->set_original_event_id(EventId(9));
  Log::Append(log.entries, record);
  const auto ledger = Open("index");
  Apply(*ledger, Topic::kEvents, log.events, 0, log.events.size());
  Apply(*ledger, Topic::kEntries, log.entries, 0, log.entries.size());
  const auto sightings = ledger->Sightings(base::UuidBytes(EventId(1)));
  ASSERT_EQ(sightings->size(), 1u);
  EXPECT_EQ(sightings->front().position, 1);
  EXPECT_TRUE(ledger->WaitingOf(base::UuidBytes(EventId(1)), kSubject)->has_value());
  EXPECT_EQ(ledger->counts().waiting_events, 1u);

  log::v1::LogRecord dead;
  dead.mutable_derived()->set_number(2);
  dead.mutable_derived()->mutable_dead_letter()->set_event_id(EventId(1));
  dead.mutable_derived()->mutable_dead_letter()->set_cause("names_no_original");
  Log::Append(log.entries, dead);
  Apply(*ledger, Topic::kEntries, log.entries, 2, 1);
  EXPECT_FALSE(ledger->WaitingOf(base::UuidBytes(EventId(1)), kSubject)->has_value());
  EXPECT_EQ(ledger->counts().waiting_events, 0u);
  ASSERT_EQ(ledger->DeadLettersOf(base::UuidBytes(EventId(1)), kSubject)->size(), 1u);
  EXPECT_EQ(ledger->DeadLetters("", 10)->size(), 1u);
}

}  // namespace
}  // namespace simpul::deliver
