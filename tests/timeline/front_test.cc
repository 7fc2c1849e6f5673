#include "timeline/front.h"

#include <gmock/gmock.h>

#include <future>
#include <map>
#include <memory>
#include <thread>

#include "lib/base/clock.h"
#include "lib/base/status_macros.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/eventlog/position_token.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_folder.h"
#include "tests/timeline/histories.h"
#include "tests/timeline/near_peer.h"
#include "tests/timeline/records.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline_role {
namespace {

using event::v1::Event;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using timeline::v1::GetStateResponse;
using timeline::v1::GetTimelineRequest;
using timeline::v1::GetTimelineResponse;

// One log, three replicas that follow it.
class FrontTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kReplicas = 3;

  void SetUp() override {
    auto log = eventlog::EmbeddedLog::Open(
        folder_ / "log", {.partitions = 24, .secret_fingerprint = secret_.Fingerprint()},
        base::SystemClock(), metrics_);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
    const std::vector<int64_t> positions = testing::Push(*log_, secret_, events_);
    for (size_t n = 0; n < events_.size(); ++n) {
      last_[PartitionOf(events_[n])] = positions[n];
    }
    for (uint32_t number = 0; number < kReplicas; ++number) Start(number);
  }
  void TearDown() override {
    for (uint32_t number = 0; number < kReplicas; ++number) Stop(number);
  }

  void Start(uint32_t number) {
    const eventlog::Replica replica{.number = number, .count = kReplicas};
    auto role =
        TimelineRole::Open(*log_, secret_, folder_ / std::to_string(number), metrics_, replica);
    ASSERT_TRUE(role.ok()) << role.status();
    roles_[number] = *std::move(role);
    std::vector<std::unique_ptr<Peer>> peers;
    for (uint32_t other = 0; other < kReplicas; ++other) {
      peers.push_back(other == number ? nullptr : std::make_unique<NearPeer>(fronts_[other]));
    }
    fronts_[number] = std::make_unique<Front>(*roles_[number], secret_, replica, std::move(peers));
  }
  void Stop(uint32_t number) {
    fronts_[number].reset();
    roles_[number].reset();
  }

  uint32_t PartitionOf(const Event& event) const {
    const auto key = secret_.KeyOf(*event::StrongestIdentity(event.subject()));
    return event::PartitionOf(key->view(), log_->partitions());
  }

  absl::StatusOr<GetTimelineResponse> Get(uint32_t replica, const Event& event) {
    const uint32_t partition = PartitionOf(event);
    GetTimelineRequest request;
    *request.mutable_patient() = *event::StrongestIdentity(event.subject());
    request.set_page_size(500);
    request.set_min_position(
        eventlog::PositionToken(log_->install(), partition, last_.at(partition)));
    request.mutable_wait_max()->set_seconds(30);
    GetTimelineResponse response;
    std::promise<absl::Status> answer;
    fronts_[replica]->GetTimeline(
        request, response, {}, [&answer](const absl::Status& status) { answer.set_value(status); });
    SIMPUL_RETURN_IF_ERROR(answer.get_future().get());
    return response;
  }

  void AwaitReady() {
    for (uint32_t number = 0; number < kReplicas; ++number) {
      while (roles_[number] != nullptr && !roles_[number]->Ready().ok()) std::this_thread::yield();
    }
  }

  GetStateResponse State(uint32_t replica) {
    GetStateResponse state;
    EXPECT_TRUE(fronts_[replica]->GetState({}, state).ok());
    return state;
  }

  testing::TempFolder folder_;
  base::Metrics metrics_;
  const event::Secret secret_ = testing::SampleSecret();
  const std::vector<Event> events_ = testing::RandomStory(9, 200);
  std::map<uint32_t, int64_t> last_;  // position by partition
  std::unique_ptr<eventlog::EmbeddedLog> log_;
  std::unique_ptr<TimelineRole> roles_[kReplicas];
  std::unique_ptr<Front> fronts_[kReplicas];
};

TEST_F(FrontTest, AnswersForEveryPatientWhicheverReplicaIsAsked) {
  AwaitReady();
  for (const Event& event : events_) {
    const auto first = Get(0, event);
    ASSERT_TRUE(first.ok()) << first.status();
    for (uint32_t replica = 1; replica < kReplicas; ++replica) {
      const auto other = Get(replica, event);
      ASSERT_TRUE(other.ok()) << other.status();
      EXPECT_EQ(other->SerializeAsString(), first->SerializeAsString());
    }
  }
}

TEST_F(FrontTest, AnswersForTheGrowthOfEveryPatientWhicheverReplicaIsAsked) {
  AwaitReady();
  size_t measured = 0;
  for (const Event& event : events_) {
    const uint32_t partition = PartitionOf(event);
    timeline::v1::GetGrowthRequest request;
    *request.mutable_patient() = *event::StrongestIdentity(event.subject());
    request.set_min_position(
        eventlog::PositionToken(log_->install(), partition, last_.at(partition)));
    request.mutable_wait_max()->set_seconds(30);
    std::string first;
    for (uint32_t replica = 0; replica < kReplicas; ++replica) {
      timeline::v1::GetGrowthResponse response;
      std::promise<absl::Status> answer;
      fronts_[replica]->GetGrowth(request, response, {}, [&answer](const absl::Status& status) {
        answer.set_value(status);
      });
      const absl::Status status = answer.get_future().get();
      ASSERT_TRUE(status.ok()) << status;
      response.clear_records_behind();
      if (replica == 0) first = response.SerializeAsString();
      EXPECT_EQ(response.SerializeAsString(), first) << replica;
      measured += static_cast<size_t>(response.measured_size());
    }
  }
  EXPECT_GT(measured, 0u);
}

TEST_F(FrontTest, AnswersForEveryPatientWithOneReplicaGone) {
  AwaitReady();
  Stop(1);
  for (const Event& event : events_) {
    for (const uint32_t replica : {0u, 2u}) {
      const auto answer = Get(replica, event);
      ASSERT_TRUE(answer.ok()) << answer.status();
      EXPECT_FALSE(answer->entries().empty());
    }
  }
}

TEST_F(FrontTest, SaysWhoDidNotAnswerWhenNoOwnerDoes) {
  AwaitReady();
  Stop(0);
  Stop(1);
  size_t refused = 0;
  for (const Event& event : events_) {
    const auto answer = Get(2, event);
    const bool kept = roles_[2]->Keeps(PartitionOf(event));
    EXPECT_EQ(answer.ok(), kept) << answer.status();
    if (kept) continue;
    ++refused;
    EXPECT_TRUE(absl::IsUnavailable(answer.status()));
    EXPECT_THAT(std::string(base::Message(answer.status())),
                AllOf(HasSubstr("replica 0: connection refused"),
                      HasSubstr("replica 1: connection refused"), HasSubstr("Try again")));
  }
  EXPECT_GT(refused, 0u);
}

TEST_F(FrontTest, HandsOverOnceAndNotFurther) {
  AwaitReady();
  const Event& event = events_.front();
  const uint32_t partition = PartitionOf(event);
  const uint32_t stranger = eventlog::RankedReplicas(partition, kReplicas).back();
  GetTimelineRequest request;
  *request.mutable_patient() = *event::StrongestIdentity(event.subject());
  GetTimelineResponse response;
  absl::Status said;
  fronts_[stranger]->GetTimeline(request, response, {.is_peer = true},
                                 [&said](const absl::Status& status) { said = status; });
  EXPECT_TRUE(absl::IsUnavailable(said)) << said;
  EXPECT_THAT(std::string(base::Message(said)), HasSubstr("does not keep partition"));
}

TEST_F(FrontTest, PutsTheStatesOfAllTogetherAndOwnersAgree) {
  AwaitReady();
  const testing::Outcome expected = testing::Expect(events_);
  for (uint32_t replica = 0; replica < kReplicas; ++replica) {
    const GetStateResponse state = State(replica);
    EXPECT_EQ(state.replica(), replica);
    EXPECT_EQ(state.checksum(), expected.checksum);
    EXPECT_EQ(state.events(), expected.events);
    ASSERT_THAT(state.partitions(), SizeIs(log_->partitions()));
    for (const auto& partition : state.partitions()) {
      ASSERT_THAT(partition.owners(), SizeIs(2));
      EXPECT_EQ(partition.owners(0).position(), partition.owners(1).position());
      EXPECT_EQ(partition.owners(0).checksum(), partition.owners(1).checksum());
    }
  }
  Stop(2);
  const GetStateResponse state = State(0);
  EXPECT_EQ(state.checksum(), expected.checksum) << "two of three have it all";
  ASSERT_THAT(state.silent(), SizeIs(1));
  EXPECT_EQ(state.silent(0).replica(), 2u);
  Stop(1);
  const GetStateResponse alone = State(0);
  bool missing = false;
  for (const auto& partition : alone.partitions()) missing |= !partition.stopped().empty();
  EXPECT_TRUE(missing) << "nobody keeps some partitions, and nobody says so";
}

TEST_F(FrontTest, PassesAWatchOn) {
  AwaitReady();
  const Event& event = events_.front();
  const uint32_t partition = PartitionOf(event);
  for (uint32_t replica = 0; replica < kReplicas; ++replica) {
    timeline::v1::WatchTimelineRequest request;
    *request.mutable_patient() = *event::StrongestIdentity(event.subject());
    bool caught_up = false;
    int entries = 0;
    const absl::Status status = fronts_[replica]->WatchTimeline(
        request, {},
        {.write =
             [&](const timeline::v1::WatchTimelineResponse& response) {
               entries += response.has_entry() ? 1 : 0;
               caught_up = caught_up || response.caught_up();
               return !caught_up;
             },
         .gone = [&] { return caught_up; },
         .when_gone = [](const std::function<void()>&) {}});
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_TRUE(caught_up) << "replica " << replica << ", partition " << partition;
    EXPECT_GT(entries, 0);
  }
}

}  // namespace
}  // namespace simpul::timeline_role
