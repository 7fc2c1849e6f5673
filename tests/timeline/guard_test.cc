#include "lib/timeline/guard.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "lib/base/file.h"
#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"
#include "lib/event/subject.h"
#include "tests/support/temp_folder.h"
#include "tests/timeline/records.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kInstall[] = "11111111-2222-4333-8444-555555555555";
constexpr uint32_t kPartition = 7;
constexpr uint32_t kPartitions = 24;

StoreOrigin Origin(std::string_view install = kInstall, uint32_t partition = kPartition) {
  return {.install = base::UuidBytes(std::string(install)), .partition = partition};
}

class CrashNoteTest : public ::testing::Test {
 protected:
  std::unique_ptr<CrashNote> Open(std::string_view program = "1",
                                  const StoreOrigin& origin = Origin()) {
    auto note = CrashNote::Open(path_, origin, program);
    EXPECT_TRUE(note.ok()) << note.status();
    return *std::move(note);
  }
  // A program dies with these in hand.
  void Die(int64_t first, size_t count, std::string_view program = "1") {
    Open(program)->Begin(first, count);
  }

  testing::TempFolder folder_;
  const std::filesystem::path path_ = folder_ / "07.note";
};

TEST_F(CrashNoteTest, LetsEverythingGoTogetherWhereNobodyDied) {
  EXPECT_EQ(Open()->Together(1, 512), 512u);
  auto note = Open();
  note->Begin(1, 512);
  note->End();
  note->Begin(513, 512);
  note->PutDown();
  note = Open();
  EXPECT_EQ(note->Together(1, 2000), 2000u);
  EXPECT_EQ(note->deaths().count, 0u);
}

TEST_F(CrashNoteTest, GivesOutOneByOneWhatWasInHandAtADeath) {
  Die(100, 512);
  const auto note = Open();
  EXPECT_EQ(note->Together(40, 60), 60u);
  EXPECT_EQ(note->Together(40, 512), 60u) << "up to what was in hand";
  EXPECT_EQ(note->Together(100, 512), 1u);
  EXPECT_EQ(note->Together(611, 512), 1u);
  EXPECT_EQ(note->Together(612, 512), 512u);
  EXPECT_EQ(note->deaths().count, 0u) << "any of them may have been it";
}

TEST_F(CrashNoteTest, CountsDeathsInARowAtOneRecord) {
  Die(100, 512);
  Die(300, 1);
  EXPECT_EQ(Open()->deaths().count, 1u);
  EXPECT_EQ(Open()->deaths().count, 1u) << "to look is no death";
  EXPECT_EQ(Open()->Together(200, 512), 100u) << "what was applied singly goes together again";
  Die(300, 1);
  EXPECT_EQ(Open()->deaths().count, 2u);
  EXPECT_EQ(Open()->deaths().position, 300);
  Die(301, 1);
  EXPECT_EQ(Open()->deaths().count, 1u);
  EXPECT_EQ(Open()->deaths().position, 301);
}

TEST_F(CrashNoteTest, ForgetsTheDeathsOfARecordThatWasApplied) {
  Die(300, 1);
  auto note = Open();
  note->Begin(299, 1);
  note->End();
  EXPECT_EQ(note->deaths().count, 1u);
  note->Begin(300, 1);
  note->PutDown();
  EXPECT_EQ(note->deaths().count, 1u) << "it was not applied";
  note->Begin(300, 1);
  note->End();
  EXPECT_EQ(note->deaths().count, 0u);
  note.reset();
  Die(300, 1);
  EXPECT_EQ(Open()->deaths().count, 1u);
}

TEST_F(CrashNoteTest, OfAnotherProgramInstallOrPartitionIsForgotten) {
  for (const auto& [program, origin] : {std::pair("2", Origin()),
                                        {"1", Origin("22222222-2222-4333-8444-555555555555")},
                                        {"1", Origin(kInstall, 8)}}) {
    Die(300, 1);
    Die(300, 1);
    EXPECT_EQ(Open()->deaths().count, 2u);
    const auto note = Open(program, origin);
    EXPECT_EQ(note->deaths().count, 0u);
    EXPECT_EQ(note->Together(300, 9), 9u);
    std::filesystem::remove(path_);
  }
}

TEST_F(CrashNoteTest, ThatIsDamagedIsForgottenAndMadeAgain) {
  Die(300, 1);
  Die(300, 1);
  ASSERT_EQ(Open()->deaths().count, 2u);
  const std::string whole = *base::ReadFile(path_);
  ASSERT_THAT(whole, SizeIs(64));
  std::mt19937 random(1);
  for (size_t at = 0; at < whole.size(); ++at) {
    ASSERT_TRUE(base::WriteFileAtomically(path_, whole.substr(0, at)).ok());
    EXPECT_EQ(Open()->deaths().count, 0u) << at;
    std::string bent = whole;
    bent[at] = static_cast<char>(bent[at] ^ (1 + random() % 255));
    ASSERT_TRUE(base::WriteFileAtomically(path_, bent).ok());
    // What is in hand and what is suspected have words of their own.
    const uint32_t left = at >= 40 && at < 56 ? 2 : 0;
    EXPECT_EQ(Open()->deaths().count, left) << "byte " << at;
    EXPECT_EQ(Open()->deaths().count, left) << "byte " << at;
  }
}

TEST_F(CrashNoteTest, TakesAnyBatchAndPosition) {
  Die(INT64_MAX, 3);
  EXPECT_EQ(Open()->Together(5, 10), 10u) << "too far to be noted";
  Die(7, 1'000'000);
  EXPECT_EQ(Open()->Together(7, 10), 1u);
  EXPECT_EQ(Open()->Together(7 + 65'535, 10), 10u);
}

// Twenty events of one partition, and a store that a guard stands before.
class GuardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<event::v1::Event> events;
    for (uint64_t n = 1; n <= 20; ++n) events.push_back(testing::VitaminA(n, "2026-02-03T08:00"));
    records_ = testing::Records(events);
    Start();
  }

  void Start(std::string_view program = "1") {
    guard_.reset();
    log::v1::Install install;
    install.set_install_id(kInstall);
    if (store_ == nullptr) {
      store_ =
          *Store::Open(folder_ / "07", install, kPartition, {.memory = StoreMemory::Make(1 << 20)});
    }
    auto guard = Guard::Open(folder_ / "07", Origin(), program);
    ASSERT_TRUE(guard.ok()) << guard.status();
    guard_ = *std::move(guard);
  }
  void Die(int64_t first, size_t count) {
    guard_.reset();
    (*CrashNote::Open(folder_ / "07.note", Origin(), "1"))->Begin(first, count);
  }

  absl::Status Apply() {
    Store::Applied applied;
    return guard_->Apply(*store_, records_, nullptr, applied);
  }
  int64_t Position() const { return store_->state().position; }

  // As it stands in topic dead-letters.
  eventlog::OwnedRecord Quarantine(int64_t position, std::string_view reason = "it crashes") const {
    const eventlog::Draft draft = QuarantineDraft(records_[static_cast<size_t>(position) - 1],
                                                  kPartition, kPartitions, 5, "sari", reason);
    EXPECT_EQ(draft.topic, eventlog::Topic::kDeadLetters);
    EXPECT_EQ(event::PartitionOf(draft.key, kPartitions), kPartition);
    return {.position = 1, .key = draft.key, .value = draft.value};
  }

  testing::TempFolder folder_;
  std::vector<eventlog::OwnedRecord> records_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Guard> guard_;
};

TEST_F(GuardTest, GoesOnAfterDeathsAtDifferentRecords) {
  Die(1, 20);
  Die(5, 1);
  Die(6, 1);
  Start();
  EXPECT_TRUE(Apply().ok());
  EXPECT_EQ(Position(), 20);
  EXPECT_THAT(guard_->Stands(), IsEmpty());
}

TEST_F(GuardTest, StandsBeforeARecordThatEndedTheProgramTwiceAndSaysTheWaysOut) {
  Die(5, 1);
  Die(5, 1);
  Start();
  EXPECT_THAT(guard_->Stands(), IsEmpty()) << "it may have been left out meanwhile";
  EXPECT_TRUE(absl::IsUnavailable(Apply()));
  EXPECT_EQ(Position(), 4);
  EXPECT_THAT(guard_->Stands(),
              AllOf(HasSubstr("position 5 of simpul.events.v1 partition 7 ended the program 2 "),
                    HasSubstr("simpul dead-letters --quarantine 7:5 --reason"),
                    HasSubstr((folder_ / "07.note").string())));
  EXPECT_TRUE(absl::IsUnavailable(Apply())) << "again and again";
  Start();
  EXPECT_TRUE(absl::IsUnavailable(Apply())) << "after a restart too";
}

TEST_F(GuardTest, TriesAgainInAnotherVersionAndWithoutTheNote) {
  Die(5, 1);
  Die(5, 1);
  Start();
  EXPECT_TRUE(absl::IsUnavailable(Apply()));
  std::filesystem::remove(folder_ / "07.note");
  Start();
  EXPECT_TRUE(Apply().ok());
  store_.reset();
  std::filesystem::remove_all(folder_ / "07");
  Die(5, 1);
  Die(5, 1);
  Start("2");
  EXPECT_TRUE(Apply().ok());
  EXPECT_EQ(Position(), 20);
}

TEST_F(GuardTest, GoesOnAtOnceWhenTheEventIsLeftOut) {
  Die(5, 1);
  Die(5, 1);
  Start();
  EXPECT_TRUE(absl::IsUnavailable(Apply()));
  const std::vector<eventlog::OwnedRecord> letters = {Quarantine(5), Quarantine(5, "again")};
  EXPECT_EQ(*guard_->Learn(letters), true);
  EXPECT_EQ(*guard_->Learn(letters), false);
  EXPECT_TRUE(guard_->IsLeftOut(5));
  EXPECT_TRUE(Apply().ok());
  EXPECT_THAT(guard_->Stands(), IsEmpty());
  EXPECT_EQ(store_->state().tally.events, 19u);
  EXPECT_EQ(store_->state().tally.dead_letters, 1u);
  std::vector<log::v1::DeadLetter> told;
  uint64_t number = 0;
  for (const OutboxRecord& record : store_->Unread(0, SIZE_MAX)) {
    EXPECT_EQ(record.number, ++number);
    log::v1::LogRecord outer;
    ASSERT_TRUE(outer.ParseFromString(record.value));
    EXPECT_EQ(record.dead_letter, outer.derived().has_dead_letter());
    if (record.dead_letter) told.push_back(outer.derived().dead_letter());
  }
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].cause(), "quarantined");
  EXPECT_EQ(told[0].position(), 5);
  EXPECT_EQ(told[0].event_id(), testing::Weighing(5, "2026-02-03T08:00").event_id());
  EXPECT_FALSE(told[0].facility().code().empty());
  EXPECT_THAT(told[0].message(), HasSubstr("it crashes")) << "the first of several counts";
}

TEST_F(GuardTest, DoesNotLookAtWhatIsLeftOut) {
  records_[4].value = "\xff\xff\xff";
  records_[4].key = "short";
  EXPECT_EQ(*guard_->Learn({{Quarantine(5)}}), true);
  EXPECT_TRUE(Apply().ok());
  EXPECT_EQ(Position(), 20);
  log::v1::LogRecord outer;
  ASSERT_TRUE(outer.ParseFromString(store_->Unread(4, 1).front().value));
  EXPECT_EQ(outer.derived().dead_letter().cause(), "quarantined");
  EXPECT_THAT(outer.derived().dead_letter().event_id(), IsEmpty());
}

TEST_F(GuardTest, HoldsAlsoAfterARestartUntilTheEventIsLeftOut) {
  ASSERT_TRUE(guard_->Hold(*store_, 12).ok());
  EXPECT_TRUE(absl::IsUnavailable(Apply()));
  EXPECT_EQ(Position(), 11);
  Start("2");
  EXPECT_TRUE(absl::IsUnavailable(Apply()));
  EXPECT_EQ(Position(), 11);
  EXPECT_THAT(guard_->Stands(), HasSubstr("simpul dead-letters --quarantine 7:12"));
  ASSERT_TRUE(guard_->Learn({{Quarantine(12)}}).ok());
  EXPECT_TRUE(Apply().ok());
  EXPECT_EQ(Position(), 20);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "07.hold"));
}

TEST_F(GuardTest, LetsGoOfTheHeldPositionAlone) {
  ASSERT_TRUE(guard_->Hold(*store_, 12).ok());
  EXPECT_EQ(guard_->Hold(*store_, 13).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(guard_->Hold(*store_, 12).ok());
  ASSERT_TRUE(guard_->Release(11).ok());
  EXPECT_TRUE(absl::IsUnavailable(Apply()));
  ASSERT_TRUE(guard_->Release(12).ok());
  EXPECT_TRUE(Apply().ok());
  ASSERT_TRUE(guard_->Hold(*store_, 20).ok()) << "passed: nothing to hold";
  EXPECT_FALSE(std::filesystem::exists(folder_ / "07.hold"));
}

TEST_F(GuardTest, RefusesADamagedHoldAndLeavesThatOfAnotherInstall) {
  ASSERT_TRUE(guard_->Hold(*store_, 12).ok());
  const std::string whole = *base::ReadFile(folder_ / "07.hold");
  EXPECT_TRUE(Guard::Open(folder_ / "07", Origin(kInstall, 8), "1").ok());
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string bent = whole;
    bent[at] ^= 1;
    for (const std::string& damaged : {bent, whole.substr(0, at)}) {
      ASSERT_TRUE(base::WriteFileAtomically(folder_ / "07.hold", damaged).ok());
      const auto guard = Guard::Open(folder_ / "07", Origin(), "1");
      EXPECT_EQ(guard.status().code(), absl::StatusCode::kFailedPrecondition) << at;
      EXPECT_THAT(base::Message(guard.status()), HasSubstr("07.hold"));
    }
  }
}

TEST_F(GuardTest, StopsAtARecordOfTopicDeadLettersThatItDoesNotKnow) {
  eventlog::OwnedRecord letter = Quarantine(5);
  log::v1::LogRecord record;
  ASSERT_TRUE(record.ParseFromString(letter.value));
  record.mutable_quarantine()->mutable_dead_letter()->set_partition(8);
  letter.value = record.SerializeAsString();
  EXPECT_EQ(guard_->Learn({{letter}}).status().code(), absl::StatusCode::kInternal);
  letter.value = "\x7a\x01x";  // field 15
  EXPECT_THAT(base::Message(guard_->Learn({{letter}}).status()), HasSubstr("upgrade me"));
  record.Clear();
  record.mutable_dead_letter()->set_cause("conflict");
  letter.value = record.SerializeAsString();
  EXPECT_EQ(*guard_->Learn({{letter}}), false);
}

}  // namespace
}  // namespace simpul::timeline
