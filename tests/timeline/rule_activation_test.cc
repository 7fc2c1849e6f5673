#include "timeline/rule_activation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>
#include <memory>
#include <thread>

#include "lib/base/status_macros.h"
#include "lib/event/date.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/rules/versions.h"
#include "lib/timeline/activation.h"
#include "tests/support/temp_folder.h"
#include "tests/timeline/near_peer.h"
#include "tests/timeline/records.h"
#include "tests/timeline/stories.h"
#include "timeline/front.h"

namespace simpul::timeline_role {
namespace {

using eventlog::Topic;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::sys_days;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using timeline::v1::ActivateRulesRequest;
using timeline::v1::ActivateRulesResponse;
using timeline::v1::ListRulesResponse;
using timeline::v1::RuleActivation;

sys_days Day(std::string_view text) { return event::ParseDay(text).value(); }

TEST(FirstDayToActivate, IsTwoDaysAheadWhereTheDayIsFarthestOn) {
  const auto first = [](hours since_midnight_utc) {
    return event::FormatDay(FirstDayToActivate(Day("2026-12-01") + since_midnight_utc));
  };
  EXPECT_EQ(first(hours(0)), "2026-12-03");
  EXPECT_EQ(first(hours(13)), "2026-12-03");
  // 23:00 in the east of Indonesia: an hour early, for clocks that differ.
  EXPECT_EQ(first(hours(14)), "2026-12-04");
  EXPECT_EQ(first(hours(23)), "2026-12-04");
}

// One log of four partitions, and two replicas that both keep all of it.
class RulesTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kReplicas = 2;
  static constexpr uint32_t kPartitions = 4;

  void SetUp() override {
    log_ = testing::OpenLog(folder_ / "log", secret_, metrics_);
    testing::Push(*log_, secret_, testing::RandomStory(9, 60));
    for (uint32_t number = 0; number < kReplicas; ++number) Start(number);
  }
  void TearDown() override {
    for (uint32_t number = 0; number < kReplicas; ++number) Stop(number);
  }

  std::filesystem::path Folder(uint32_t number) const { return folder_ / std::to_string(number); }
  void Start(uint32_t number) {
    const eventlog::Replica replica{.number = number, .count = kReplicas};
    auto role = TimelineRole::Open(*log_, secret_, Folder(number), metrics_, replica);
    ASSERT_TRUE(role.ok()) << role.status();
    roles_[number] = *std::move(role);
    std::vector<std::unique_ptr<Peer>> peers(kReplicas);
    const uint32_t other = 1 - number;
    auto peer = std::make_unique<NearPeer>(fronts_[other]);
    peer_of_[number] = peer.get();
    peers[other] = std::move(peer);
    fronts_[number] =
        std::make_unique<Front>(*roles_[number], secret_, replica, std::move(peers), clock_);
  }
  void Stop(uint32_t number) {
    fronts_[number].reset();
    roles_[number].reset();
  }

  absl::Status Activate(uint32_t version, std::string_view from, bool dry_run = false,
                        uint32_t at = 0, std::string_view by = "sari") {
    ActivateRulesRequest request;
    request.set_version(version);
    request.set_from(std::string(from));
    request.set_by(std::string(by));
    request.set_dry_run(dry_run);
    response_.Clear();
    return fronts_[at]->ActivateRules(request, response_);
  }
  // Refused with that code, and nothing recorded: the message.
  std::string Refused(absl::StatusCode code, uint32_t version, std::string_view from,
                      uint32_t at = 0) {
    const size_t before = Records();
    const absl::Status status = Activate(version, from, /*dry_run=*/false, at);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_EQ(Records(), before);
    return std::string(base::Message(status));
  }

  // As a command leaves it that is cut off in the middle.
  void RecordIn(std::vector<uint32_t> partitions, uint32_t version, std::string_view from) {
    std::vector<eventlog::Draft> drafts;
    for (const uint32_t partition : partitions) {
      drafts.push_back(timeline::ActivationDraft(version, Day(from), partition, kPartitions,
                                                 /*at_us=*/1, "budi"));
    }
    for (const eventlog::Appended& one : eventlog::AppendAndWait(*log_, std::move(drafts))) {
      ASSERT_TRUE(one.ok()) << one.status();
    }
  }

  // The activations on the log.
  size_t Records() {
    size_t count = 0;
    for (uint32_t partition = 0; partition < kPartitions; ++partition) {
      for (const std::string& value : testing::ReadAll(*log_, {Topic::kEvents, partition})) {
        log::v1::LogRecord record;
        EXPECT_TRUE(record.ParseFromString(value));
        count += record.has_rules_activated() ? 1 : 0;
      }
    }
    return count;
  }

  void AwaitReady(uint32_t number) {
    while (!roles_[number]->Ready().ok()) std::this_thread::yield();
  }
  ListRulesResponse List(uint32_t at = 0) {
    ListRulesResponse listed;
    EXPECT_TRUE(fronts_[at]->ListRules({}, listed).ok());
    return listed;
  }
  // Of a version, once `partitions` have all that was recorded.
  std::vector<RuleActivation> Activations(uint32_t version, uint32_t partitions) {
    for (;;) {
      const ListRulesResponse listed = List();
      for (const timeline::v1::RuleSet& set : listed.rule_sets()) {
        if (set.version() != version) continue;
        if (set.activations().empty() || set.activations(0).partitions() < partitions) break;
        return {set.activations().begin(), set.activations().end()};
      }
      std::this_thread::yield();
    }
  }

  testing::TempFolder folder_;
  base::Metrics metrics_;
  const event::Secret secret_ = testing::SampleSecret();
  base::ManualClock clock_{Day("2026-12-01") + hours(3)};  // 10:00 in Jakarta
  std::unique_ptr<eventlog::EmbeddedLog> log_;
  ActivateRulesResponse response_;
  std::array<NearPeer*, kReplicas> peer_of_ = {};
  std::unique_ptr<TimelineRole> roles_[kReplicas];
  std::unique_ptr<Front> fronts_[kReplicas];
};

TEST_F(RulesTest, AreListedWithWhatTheySayAndWhatIsOff) {
  const ListRulesResponse listed = List();
  EXPECT_EQ(listed.partitions(), kPartitions);
  EXPECT_THAT(listed.absent(), IsEmpty());
  EXPECT_THAT(listed.unheard(), IsEmpty());
  ASSERT_EQ(listed.rule_sets_size(), static_cast<int>(rules::RuleSets().size()));
  for (int n = 0; n < listed.rule_sets_size(); ++n) {
    const timeline::v1::RuleSet& set = listed.rule_sets(n);
    EXPECT_EQ(set.version(), static_cast<uint32_t>(n) + 1);
    EXPECT_NE(set.what(), "");
    EXPECT_NE(set.source(), "");
    EXPECT_THAT(set.activations(), IsEmpty());
    EXPECT_EQ(static_cast<size_t>(set.off_size()),
              rules::OffRules(rules::RuleSets()[static_cast<size_t>(n)]).size());
  }
  EXPECT_EQ(listed.rule_sets(0).screening(), 1u);
  EXPECT_EQ(listed.rule_sets(1).screening(), 2u);
}

TEST_F(RulesTest, AreActivatedInEveryPartitionAndReadByEverybody) {
  const absl::Status made = Activate(2, "2026-12-03");
  ASSERT_TRUE(made.ok()) << made;
  EXPECT_THAT(response_.recorded(), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(response_.before(), 0u);
  EXPECT_THAT(response_.behind(), IsEmpty());
  EXPECT_EQ(response_.activation_id(), rules::ActivationId(2, Day("2026-12-03")));
  EXPECT_EQ(Records(), kPartitions);
  for (uint32_t at = 0; at < kReplicas; ++at) {
    const ListRulesResponse listed = List(at);
    EXPECT_THAT(listed.rule_sets(0).activations(), IsEmpty());
    ASSERT_THAT(listed.rule_sets(1).activations(), SizeIs(1));
    EXPECT_EQ(listed.rule_sets(1).activations(0).from(), "2026-12-03");
    EXPECT_EQ(listed.rule_sets(1).activations(0).partitions(), kPartitions);
    EXPECT_THAT(listed.rule_sets(1).activations(0).missing(), IsEmpty());
  }
}

TEST_F(RulesTest, AreKnownAgainToAReplicaThatLostItsFolder) {
  ASSERT_TRUE(Activate(2, "2026-12-03").ok());
  timeline::v1::GetRulesStateResponse before;
  ASSERT_TRUE(fronts_[0]->GetRulesState({}, before).ok());
  Stop(1);
  std::filesystem::remove_all(Folder(1));
  Start(1);
  AwaitReady(1);
  timeline::v1::GetRulesStateResponse after;
  ASSERT_TRUE(fronts_[1]->GetRulesState({}, after).ok());
  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
}

TEST_F(RulesTest, AreActivatedOnce) {
  ASSERT_TRUE(Activate(2, "2026-12-03").ok());
  for (uint32_t at = 0; at < kReplicas; ++at) {
    // Also when the day has come: there is nothing to complete.
    clock_.Advance(days(2));
    ASSERT_TRUE(Activate(2, "2026-12-03", /*dry_run=*/false, at).ok());
    EXPECT_THAT(response_.recorded(), IsEmpty());
    EXPECT_EQ(response_.before(), kPartitions);
  }
  EXPECT_EQ(Records(), kPartitions);
}

TEST_F(RulesTest, ThatAreHalfActivatedAreCompletedByActivatingThemAgain) {
  RecordIn({0, 2}, 2, "2026-12-03");
  const std::vector<RuleActivation> half = Activations(2, 2);
  ASSERT_THAT(half, SizeIs(1));
  EXPECT_EQ(half[0].partitions(), 2u);
  EXPECT_THAT(half[0].missing(), ElementsAre(1, 3));
  const absl::Status made = Activate(2, "2026-12-03");
  ASSERT_TRUE(made.ok()) << made;
  EXPECT_THAT(response_.recorded(), ElementsAre(1, 3));
  EXPECT_EQ(response_.before(), 2u);
  EXPECT_EQ(Records(), kPartitions);
  EXPECT_EQ(Activations(2, 4)[0].partitions(), kPartitions);
}

TEST_F(RulesTest, AreNotCompletedOnceTheirDayIsLessThanTwoDaysAway) {
  RecordIn({0, 2}, 2, "2026-12-03");
  clock_.Set(Day("2026-12-01") + hours(14));
  EXPECT_THAT(Refused(absl::StatusCode::kFailedPrecondition, 2, "2026-12-03"),
              AllOf(HasSubstr("the earliest day is 2026-12-04"),
                    HasSubstr("in 2 of 4 partitions already, and cannot be completed any more"),
                    HasSubstr("from a later day")));
  const absl::Status later = Activate(2, "2026-12-04");
  ASSERT_TRUE(later.ok()) << later;
  EXPECT_THAT(response_.recorded(), SizeIs(4));
}

TEST_F(RulesTest, AreActivatedTwoDaysAheadAndNotLater) {
  for (const std::string_view day : {"2026-12-02", "2026-12-01", "2020-01-01"}) {
    EXPECT_THAT(Refused(absl::StatusCode::kFailedPrecondition, 2, day),
                AllOf(HasSubstr("at least two days ahead"), HasSubstr("2026-12-03"),
                      ::testing::Not(HasSubstr("already"))));
  }
  EXPECT_TRUE(Activate(2, "2026-12-03").ok());
}

TEST_F(RulesTest, NeedEveryReplica) {
  AwaitReady(0);
  Stop(1);
  EXPECT_THAT(Refused(absl::StatusCode::kUnavailable, 2, "2026-12-03"),
              AllOf(HasSubstr("replica 1 does not (connection refused)"),
                    HasSubstr("Nothing was recorded")));
  const ListRulesResponse listed = List();
  ASSERT_THAT(listed.absent(), SizeIs(1));
  EXPECT_EQ(listed.absent(0).replica(), 1u);
  EXPECT_EQ(listed.absent(0).reason(), "connection refused");
  EXPECT_THAT(listed.unheard(), IsEmpty()) << "this one keeps them all";
  Start(1);
  EXPECT_TRUE(Activate(2, "2026-12-03").ok());
}

TEST_F(RulesTest, AreNotActivatedWhereAReplicaDoesNotKnowThem) {
  peer_of_[0]->knows_only_version = 1;
  EXPECT_THAT(Refused(absl::StatusCode::kFailedPrecondition, 2, "2026-12-03"),
              HasSubstr("replica 1 does not know version 2"));
  peer_of_[0]->knows_only_version = 0;
  peer_of_[0]->is_of_an_older_program = true;
  EXPECT_THAT(Refused(absl::StatusCode::kFailedPrecondition, 2, "2026-12-03"),
              AllOf(HasSubstr("replica 1 does not know version 2"), HasSubstr("Upgrade it first")));
}

TEST_F(RulesTest, AreNotActivatedBeforeOthersThatWouldEndThem) {
  ASSERT_TRUE(Activate(2, "2026-12-10").ok());
  for (const std::string_view day : {"2026-12-05", "2026-12-10"}) {
    EXPECT_THAT(Refused(absl::StatusCode::kFailedPrecondition, 1, day),
                AllOf(HasSubstr("version 2 is active from 2026-12-10"),
                      HasSubstr("Activate version 1 from a later day")));
  }
  ASSERT_TRUE(Activate(1, "2026-12-11").ok());
  EXPECT_THAT(response_.changes(), SizeIs(2));
  // One partition is enough.
  RecordIn({3}, 2, "2026-12-20");
  EXPECT_THAT(Refused(absl::StatusCode::kFailedPrecondition, 1, "2026-12-15"),
              HasSubstr("in partition 3"));
}

TEST_F(RulesTest, AreOnlyShownInADryRun) {
  RecordIn({1}, 2, "2026-12-03");
  const absl::Status status = Activate(2, "2026-12-03", /*dry_run=*/true);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Records(), 1u);
  EXPECT_THAT(response_.recorded(), ElementsAre(0, 2, 3));
  EXPECT_EQ(response_.before(), 1u);
  ASSERT_THAT(response_.changes(), SizeIs(2));
  EXPECT_EQ(response_.changes(0).rule(), "lila_pregnancy");
  EXPECT_EQ(response_.changes(0).before_version(), 1u);
  EXPECT_THAT(response_.changes(0).before(), HasSubstr("< 235 mm: kek"));
  EXPECT_THAT(response_.changes(0).after(), HasSubstr("≤ 235 mm: kek"));
  // What is refused, a dry run refuses.
  EXPECT_EQ(Activate(2, "2026-12-02", /*dry_run=*/true).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(RulesTest, ChangeNothingWhereTheyHoldAlready) {
  ASSERT_TRUE(Activate(1, "2026-12-03").ok());
  EXPECT_THAT(response_.changes(), IsEmpty());
}

TEST_F(RulesTest, AreNamedByANumberADayAndWhoeverAsksForThem) {
  EXPECT_THAT(Refused(absl::StatusCode::kInvalidArgument, 77, "2026-12-03"),
              HasSubstr("there is no version 77 of the rules; this Simpul knows 1 to 2"));
  EXPECT_THAT(Refused(absl::StatusCode::kInvalidArgument, 0, "2026-12-03"), HasSubstr("version:"));
  for (const std::string_view day : {"", "tomorrow", "2026-02-30", "2026-12-3"}) {
    EXPECT_THAT(Refused(absl::StatusCode::kInvalidArgument, 2, day), HasSubstr("YYYY-MM-DD"));
  }
  EXPECT_THAT(
      base::Message(Activate(2, "2026-12-03", /*dry_run=*/false, 0, "NIK 7324025708960002")),
      HasSubstr("identity number"));
  EXPECT_THAT(base::Message(Activate(2, "2026-12-03", /*dry_run=*/false, 0, std::string(101, 'x'))),
              HasSubstr("at most 100 bytes"));
  EXPECT_EQ(Records(), 0u);
}

}  // namespace
}  // namespace simpul::timeline_role
