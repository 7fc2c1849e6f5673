#include "forwarder/backlog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/uuid.h"
#include "tests/support/temp_folder.h"

namespace simpul::forwarder {
namespace {

using eventlog::Topic;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A ledger of one partition and its backlog, fed as the log would.
class BacklogTest : public ::testing::Test {
 protected:
  BacklogTest() {
    log::v1::Install install;
    install.set_install_id("i");
    install.set_partitions(1);
    ledger_ = *deliver::Ledger::Open(folder_ / "ledger", install, 0, memory_);
    backlog.emplace(std::vector<deliver::Ledger*>{ledger_.get()}, "ours", 16);
  }

  static std::string EntryId(int n) {
    return base::UuidV5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", std::to_string(n));
  }
  void Entry(int n) {
    log::v1::LogRecord record;
    record.mutable_derived()->set_number(++entries_);
    timeline::v1::Entry& entry = *record.mutable_derived()->mutable_entry();
    entry.set_entry_id(EntryId(n));
    entry.set_revision(1);
    entry.set_subject_key(std::string(16, static_cast<char>('a' + n)));
    entry.add_members()->set_received_at_us(1000 - n);
    Apply(Topic::kEntries, record);
  }
  void Claim(const std::string& claim) {
    log::v1::LogRecord record;
    record.mutable_delivery()->set_claim(claim);
    record.mutable_delivery()->mutable_claimed();
    Apply(Topic::kDeliveries, record);
  }
  void Pause(bool paused) {
    log::v1::LogRecord record;
    record.mutable_delivery()->mutable_pause()->set_paused(paused);
    Apply(Topic::kDeliveries, record);
  }
  void RetryAt(int n, base::Time at) {
    log::v1::LogRecord record;
    log::v1::Outcome& outcome = *record.mutable_delivery()->mutable_outcome();
    outcome.set_entry_id(EntryId(n));
    outcome.set_revision(1);
    outcome.set_outcome(log::v1::OUTCOME_CLASS_RETRY);
    outcome.set_retry_at_us(base::ToMicros(at));
    Apply(Topic::kDeliveries, record);
  }

  // The entries picked, by number; `takes` all of them.
  std::vector<int> Picked(base::Time at, size_t count = 10) {
    std::vector<int> numbers;
    for (const Work& work : backlog->Pick(0, at, count, [](const Work&) { return true; })) {
      numbers.push_back(work.item.subject_key[0] - 'a');
    }
    return numbers;
  }
  std::string KeyOf(int n) {
    std::string key;
    backlog->Pick(0, now + std::chrono::hours(24), 10, [&](const Work& work) {
      if (work.item.entry_id == base::UuidBytes(EntryId(n))) key = work.item.key;
      return false;
    });
    return key;
  }

  const base::Time now = base::FromMicros(1'767'225'600'000'000);
  std::optional<Backlog> backlog;

 private:
  void Apply(Topic topic, const log::v1::LogRecord& record) {
    const eventlog::OwnedRecord owned{ledger_->Next(topic), std::string(16, 's'),
                                      record.SerializeAsString()};
    auto applied = ledger_->Apply(topic, std::span(&owned, 1));
    ASSERT_TRUE(applied.ok()) << applied.status();
    backlog->Take(0, *applied);
  }

  simpul::testing::TempFolder folder_;
  deliver::LedgerMemory memory_{8 << 20};
  std::unique_ptr<deliver::Ledger> ledger_;
  uint64_t entries_ = 0;
};

TEST_F(BacklogTest, GivesNothingOfAPartitionThatIsNotOurs) {
  Entry(0);
  EXPECT_THAT(Picked(now), IsEmpty());
  Claim("another's");
  EXPECT_THAT(Picked(now), IsEmpty());
  EXPECT_FALSE(backlog->Ours(0));
  EXPECT_EQ(backlog->Trouble(), "");
}

TEST_F(BacklogTest, GivesWhatIsDueInTheOrderInWhichItCame) {
  Claim("ours");
  for (const int n : {2, 0, 1}) Entry(n);
  EXPECT_THAT(Picked(now), ElementsAre(2, 0, 1));
  EXPECT_THAT(Picked(now, 2), ElementsAre(2, 0));
  EXPECT_EQ(backlog->OldestUs(), 998);
}

TEST_F(BacklogTest, StopsForGoodWhenAnotherClaimsThePartition) {
  Claim("ours");
  Entry(0);
  Claim("another's");
  EXPECT_THAT(Picked(now), IsEmpty());
  EXPECT_THAT(backlog->Trouble(), ::testing::HasSubstr("claimed by another forwarder"));
  Claim("ours");
  EXPECT_THAT(Picked(now), IsEmpty());
}

TEST_F(BacklogTest, GivesNothingWhileItIsPaused) {
  Claim("ours");
  Entry(0);
  Pause(true);
  EXPECT_THAT(Picked(now), IsEmpty());
  EXPECT_FALSE(backlog->NextDue(now));
  Pause(false);
  EXPECT_THAT(Picked(now), ElementsAre(0));
}

TEST_F(BacklogTest, GivesWhatWaitedForItsTimeFirstOnceItHasCome) {
  Claim("ours");
  Entry(0);
  Entry(1);
  RetryAt(1, now + seconds(5));
  EXPECT_THAT(Picked(now), ElementsAre(0));
  EXPECT_EQ(backlog->NextDue(now), now + seconds(5));
  EXPECT_THAT(Picked(now + seconds(5)), ElementsAre(1, 0));
}

TEST_F(BacklogTest, LeavesWhatWasPutOffUntilItsTimeOrUntilThatIsForgotten) {
  Claim("ours");
  Entry(0);
  const std::string key = KeyOf(0);
  backlog->PutOff(0, key, now + seconds(5), "");
  EXPECT_THAT(Picked(now), IsEmpty());
  EXPECT_EQ(backlog->NextDue(now), now + seconds(5));
  EXPECT_THAT(Picked(now + seconds(5)), ElementsAre(0));
  backlog->ForgetPutOff();
  EXPECT_THAT(Picked(now), ElementsAre(0));
}

TEST_F(BacklogTest, CountsTheFailuresOfEachRecord) {
  Claim("ours");
  Entry(0);
  const std::string key = KeyOf(0);
  EXPECT_EQ(backlog->CountFailure(0, key), 1u);
  backlog->PutOff(0, key, now, "");
  EXPECT_EQ(backlog->CountFailure(0, key), 2u);
  EXPECT_EQ(backlog->CountFailure(0, "q of nobody"), 1u);
}

TEST_F(BacklogTest, AsksItsCallerAboutEachRecord) {
  Claim("ours");
  Entry(0);
  Entry(1);
  const auto second =
      backlog->Pick(0, now, 10, [](const Work& work) { return work.item.subject_key[0] == 'b'; });
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].item.entry_id, base::UuidBytes(EntryId(1)));
}

}  // namespace
}  // namespace simpul::forwarder
