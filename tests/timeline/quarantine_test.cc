#include "timeline/quarantine.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "lib/base/clock.h"
#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/timeline/crash_note.h"
#include "lib/timeline/quarantine.h"
#include "tests/support/temp_folder.h"
#include "tests/timeline/near_peer.h"
#include "tests/timeline/records.h"
#include "tests/timeline/stories.h"
#include "timeline/front.h"

namespace simpul::timeline_role {
namespace {

using eventlog::Topic;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using timeline::v1::GetStateResponse;
using timeline::v1::QuarantineEventRequest;
using timeline::v1::QuarantineEventResponse;

// One log, two replicas that both keep all of it, and an event at which both have died twice.
class QuarantineTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kReplicas = 2;

  void SetUp() override {
    log_ = testing::OpenLog(folder_ / "log", secret_, metrics_);
    const std::vector<event::v1::Event> events = testing::RandomStory(9, 120);
    const std::vector<int64_t> positions = testing::Push(*log_, secret_, events);
    bad_ = events[60];
    const auto key = secret_.KeyOf(*event::StrongestIdentity(bad_.subject()));
    partition_ = event::PartitionOf(key->view(), log_->partitions());
    position_ = positions[60];
    for (uint32_t number = 0; number < kReplicas; ++number) Charge(number);
  }
  void TearDown() override {
    for (uint32_t number = 0; number < kReplicas; ++number) Stop(number);
  }

  std::filesystem::path Folder(uint32_t number) const { return folder_ / std::to_string(number); }
  timeline::StoreOrigin Origin() const {
    return {.install = base::UuidBytes(log_->install().install_id()), .partition = partition_};
  }
  std::filesystem::path Beside(uint32_t number, std::string_view ending) const {
    return Folder(number) / (fmt::format("{:02}", partition_) + std::string(ending));
  }

  // The replica dies twice at the event.
  void Charge(uint32_t number) {
    std::filesystem::create_directories(Folder(number));
    for (int n = 0; n < 2; ++n) {
      (*timeline::CrashNote::Open(Beside(number, ".note"), Origin(), ""))->Begin(position_, 1);
    }
  }

  void Start(uint32_t number) {
    const eventlog::Replica replica{.number = number, .count = kReplicas};
    auto role = TimelineRole::Open(*log_, secret_, Folder(number), metrics_, replica);
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
  void StartBoth() {
    for (uint32_t number = 0; number < kReplicas; ++number) Start(number);
  }

  // Until the replica has applied all it can: why it is not ready, if it is not.
  std::string AwaitRest(uint32_t number) {
    for (;;) {
      const absl::Status ready = roles_[number]->Ready();
      const std::string said(base::Message(ready));
      if (ready.ok() || said.find("stands still") != std::string::npos) return said;
      std::this_thread::yield();
    }
  }

  // Until the replica has applied everything: it may know of a quarantine and not have gone on yet.
  void AwaitReady(uint32_t number) {
    while (!roles_[number]->Ready().ok()) std::this_thread::yield();
  }

  absl::Status Quarantine(uint32_t at, int64_t position, std::string_view reason = "it crashes",
                          std::string_view by = "sari") {
    QuarantineEventRequest request;
    request.set_partition(partition_);
    request.set_position(position);
    request.set_reason(std::string(reason));
    request.set_by(std::string(by));
    response_.Clear();
    return fronts_[at]->QuarantineEvent(request, response_);
  }

  timeline::v1::PartitionState State(uint32_t number) {
    GetStateResponse state;
    timeline::v1::GetStateRequest own;
    own.set_own_only(true);
    EXPECT_TRUE(fronts_[number]->GetState(own, state).ok());
    return state.partitions(static_cast<int>(partition_));
  }

  size_t Letters(std::string_view cause) {
    size_t count = 0;
    for (const std::string& value : testing::ReadAll(*log_, {Topic::kDeadLetters, partition_})) {
      log::v1::LogRecord record;
      EXPECT_TRUE(record.ParseFromString(value));
      count += record.has_quarantine() && cause == "quarantine";
      count += record.has_dead_letter() && record.dead_letter().cause() == cause;
    }
    return count;
  }

  // The last event that topic entries tells of.
  int64_t ToldUpTo() {
    int64_t source = 0;
    for (const std::string& value : testing::ReadAll(*log_, {Topic::kEntries, partition_})) {
      log::v1::LogRecord record;
      EXPECT_TRUE(record.ParseFromString(value));
      source = std::max(source, record.derived().source_position());
    }
    return source;
  }

  testing::TempFolder folder_;
  base::Metrics metrics_;
  const event::Secret secret_ = testing::SampleSecret();
  std::unique_ptr<eventlog::EmbeddedLog> log_;
  event::v1::Event bad_;
  uint32_t partition_ = 0;
  int64_t position_ = 0;
  QuarantineEventResponse response_;
  std::unique_ptr<TimelineRole> roles_[kReplicas];
  std::unique_ptr<Front> fronts_[kReplicas];
};

TEST_F(QuarantineTest, IsRefusedWhileAnOwnerIsAwayAndMadeOnceBothStandBeforeTheEvent) {
  Start(0);
  EXPECT_THAT(AwaitRest(0), HasSubstr(fmt::format("partition {} stands still: position {} of",
                                                  partition_, position_)));
  EXPECT_THAT(State(0).stopped(), HasSubstr("--quarantine"));
  const absl::Status away = Quarantine(0, position_);
  EXPECT_TRUE(absl::IsUnavailable(away)) << away;
  EXPECT_THAT(base::Message(away), AllOf(HasSubstr("replica 1 does not (connection refused)"),
                                         HasSubstr("Nothing was recorded")));
  EXPECT_EQ(Letters("quarantine"), 0u);
  EXPECT_FALSE(std::filesystem::exists(Beside(0, ".hold"))) << "nobody is held for nothing";

  Start(1);
  const absl::Status made = Quarantine(1, position_);
  ASSERT_TRUE(made.ok()) << made;
  EXPECT_FALSE(response_.already());
  EXPECT_EQ(response_.event_id(), bad_.event_id());
  EXPECT_THAT(response_.behind(), IsEmpty());
  for (uint32_t number = 0; number < kReplicas; ++number) AwaitReady(number);
  EXPECT_EQ(State(0).checksum(), State(1).checksum());
  EXPECT_EQ(State(0).dead_letters(), State(1).dead_letters());
  EXPECT_FALSE(std::filesystem::exists(Beside(0, ".hold")));

  for (uint32_t number = 0; number < kReplicas; ++number) {
    ASSERT_TRUE(Quarantine(number, position_, "again").ok());
    EXPECT_TRUE(response_.already());
    EXPECT_EQ(response_.event_id(), bad_.event_id());
  }
  EXPECT_EQ(Letters("quarantine"), 1u);
}

TEST_F(QuarantineTest, IsReadBeforeAnythingIsApplied) {
  StartBoth();
  for (uint32_t number = 0; number < kReplicas; ++number) AwaitRest(number);
  ASSERT_TRUE(Quarantine(0, position_).ok());
  for (uint32_t number = 0; number < kReplicas; ++number) AwaitReady(number);
  // Told by one or the other; durable before topic entries tells of it.
  while (roles_[0]->Ready().ok() && Letters("quarantined") == 0) std::this_thread::yield();
  const timeline::v1::PartitionState before = State(0);
  Stop(1);
  std::filesystem::remove_all(Folder(1));
  Start(1);
  EXPECT_THAT(AwaitRest(1), IsEmpty());
  EXPECT_EQ(State(1).checksum(), before.checksum());
  EXPECT_EQ(State(1).dead_letters(), before.dead_letters());
  EXPECT_EQ(State(1).events(), before.events());
}

TEST_F(QuarantineTest, IsRefusedWhereAnOwnerHasPassedTheEvent) {
  std::filesystem::remove(Beside(1, ".note"));
  // As a command leaves it that dies between one owner and the other.
  std::filesystem::remove(Beside(0, ".note"));
  ASSERT_TRUE(timeline::HoldFile(Beside(0, ".hold"), Origin()).Write(position_).ok());
  StartBoth();
  EXPECT_THAT(AwaitRest(1), IsEmpty());
  EXPECT_THAT(AwaitRest(0), HasSubstr("is about to be left out, and that was not finished"));
  const absl::Status status = Quarantine(0, position_);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(base::Message(status), HasSubstr("replica 1 has applied it"));
  EXPECT_EQ(Letters("quarantine"), 0u);
  AwaitReady(0);  // nobody is held for nothing
  EXPECT_EQ(State(0).checksum(), State(1).checksum());
  EXPECT_FALSE(std::filesystem::exists(Beside(0, ".hold")));
}

TEST_F(QuarantineTest, IsRefusedWhereSomethingWasDerivedFromTheEvent) {
  for (uint32_t number = 0; number < kReplicas; ++number) {
    std::filesystem::remove(Beside(number, ".note"));
  }
  StartBoth();
  for (uint32_t number = 0; number < kReplicas; ++number) EXPECT_THAT(AwaitRest(number), IsEmpty());
  while (ToldUpTo() < position_) std::this_thread::yield();
  for (uint32_t number = 0; number < kReplicas; ++number) {
    Stop(number);
    std::filesystem::remove_all(Folder(number));
    Charge(number);
  }
  StartBoth();
  for (uint32_t number = 0; number < kReplicas; ++number) {
    EXPECT_THAT(AwaitRest(number), HasSubstr("ended the program"));
  }
  const absl::Status status = Quarantine(0, position_);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(base::Message(status), HasSubstr("simpul.entries.v1 partition"));
  EXPECT_EQ(Letters("quarantine"), 0u);
  EXPECT_FALSE(std::filesystem::exists(Beside(0, ".hold")));
}

TEST_F(QuarantineTest, ThatWasHalfMadeIsCompletedByRepeatingIt) {
  for (uint32_t number = 0; number < kReplicas; ++number) {
    std::filesystem::remove(Beside(number, ".note"));
    ASSERT_TRUE(timeline::HoldFile(Beside(number, ".hold"), Origin()).Write(position_).ok());
  }
  StartBoth();
  for (uint32_t number = 0; number < kReplicas; ++number) {
    EXPECT_THAT(AwaitRest(number), HasSubstr("was not finished: run simpul dead-letters"));
  }
  ASSERT_TRUE(Quarantine(0, position_).ok());
  for (uint32_t number = 0; number < kReplicas; ++number) AwaitReady(number);
  EXPECT_EQ(State(0).checksum(), State(1).checksum());
}

TEST_F(QuarantineTest, NamesAnEventOfTheLogAndGivesAReason) {
  StartBoth();
  const auto refused = [this](int64_t position, std::string_view reason, std::string_view by) {
    const absl::Status status = Quarantine(0, position, reason, by);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(base::Message(status));
  };
  EXPECT_THAT(refused(0, "x", ""), HasSubstr("install record"));
  EXPECT_THAT(refused(-1, "x", ""), HasSubstr("position: the first event is at position 1"));
  EXPECT_THAT(refused(100'000, "x", ""), HasSubstr("ends before position 100000"));
  EXPECT_THAT(refused(position_, " \t", ""), HasSubstr("reason: say why"));
  EXPECT_THAT(refused(position_, std::string(301, 'x'), ""), HasSubstr("at most 300"));
  EXPECT_THAT(refused(position_, "NIK 7324025708960002", ""), HasSubstr("identity number"));
  EXPECT_THAT(refused(position_, "x", "7324025708960002"), HasSubstr("identity number"));
  partition_ = 99;
  EXPECT_THAT(refused(1, "x", ""), HasSubstr("there is no partition 99; the last is 3"));
}

}  // namespace
}  // namespace simpul::timeline_role
