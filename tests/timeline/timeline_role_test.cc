#include "timeline/timeline_role.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <prometheus/counter.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <random>
#include <thread>

#include "lib/base/file.h"
#include "lib/base/status_macros.h"
#include "lib/eventlog/position_token.h"
#include "lib/timeline/store.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_folder.h"
#include "tests/timeline/histories.h"
#include "tests/timeline/records.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline_role {
namespace {

using event::v1::Event;
using eventlog::Topic;
using ::testing::AllOf;
using testing::CorrectionOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Registration;
using testing::RetractionOf;
using ::testing::SizeIs;
using testing::VitaminA;
using testing::Weighing;
using timeline::v1::GetStateResponse;
using timeline::v1::GetTimelineRequest;
using timeline::v1::GetTimelineResponse;

// A log, the role that follows it, and callers.
class RoleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    log_ = testing::OpenLog(folder_ / "log", secret_, metrics_);
    Start();
  }

  void Start() {
    auto role = TimelineRole::Open(*log_, secret_, folder_ / "timeline", metrics_);
    ASSERT_TRUE(role.ok()) << role.status();
    role_ = *std::move(role);
  }

  // With checkpoints, one round after the other.
  void StartWithCheckpoints() {
    auto role = TimelineRole::Open(
        *log_, secret_, folder_ / "timeline", metrics_, {},
        {.folder = folder_ / "checkpoints", .every = std::chrono::milliseconds(1)});
    ASSERT_TRUE(role.ok()) << role.status();
    role_ = *std::move(role);
  }
  // Waits until everything pushed is in a checkpoint.
  void AwaitCheckpoints() {
    for (const auto& [partition, position] : ends_) {
      const std::string line = fmt::format(
          "\nsimpul_timeline_checkpoint_position{{partition=\"{}\"}} {}\n", partition, position);
      while (metrics_.Render().find(line) == std::string::npos) std::this_thread::yield();
    }
  }
  bool IsCounted(std::string_view metric, int count) const {
    return metrics_.Render().find(fmt::format("\n{} {}\n", metric, count)) != std::string::npos;
  }

  absl::Status Get(const GetTimelineRequest& request, GetTimelineResponse& response) {
    std::promise<absl::Status> answer;
    role_->GetTimeline(request, response,
                       [&answer](absl::Status status) { answer.set_value(std::move(status)); });
    return answer.get_future().get();
  }

  GetTimelineRequest Ask() const {
    GetTimelineRequest request;
    *request.mutable_patient() = *event::StrongestIdentity(testing::SampleChild());
    return request;
  }

  // Asks once everything pushed is on the timeline.
  GetTimelineResponse Get(GetTimelineRequest request) {
    request.set_min_position(last_);
    request.mutable_wait_max()->set_seconds(30);
    GetTimelineResponse response;
    const absl::Status status = Get(request, response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }

  void Push(const std::vector<Event>& events) {
    const std::vector<int64_t> positions = testing::Push(*log_, secret_, events);
    for (size_t n = 0; n < events.size(); ++n) {
      const auto key = secret_.KeyOf(*event::StrongestIdentity(events[n].subject()));
      const uint32_t partition = event::PartitionOf(key->view(), log_->partitions());
      last_ = eventlog::PositionToken(log_->install(), partition, positions[n]);
      ends_[partition] = positions[n];
    }
  }

  // Its partition stands still from then on. The position's token.
  std::string PushWhatOnlyANewerProgramReads() {
    eventlog::Draft newer = testing::Draft(Weighing(2, "2026-02-03T09:00"), secret_);
    log::v1::LogRecord record;
    record.ParseFromString(newer.value);
    record.mutable_event()->set_key_id(1);
    newer.value = record.SerializeAsString();
    const uint32_t partition = event::PartitionOf(newer.key, log_->partitions());
    const auto appended = eventlog::AppendAndWait(*log_, {newer}).front();
    EXPECT_TRUE(appended.ok()) << appended.status();
    return eventlog::PositionToken(log_->install(), partition, *appended);
  }

  // The state once everything pushed is applied.
  GetStateResponse Settled() {
    for (const auto& [partition, position] : ends_) {
      GetTimelineRequest request = Ask();
      request.set_min_position(eventlog::PositionToken(log_->install(), partition, position));
      request.mutable_wait_max()->set_seconds(30);
      GetTimelineResponse response;
      EXPECT_TRUE(Get(request, response).ok());
    }
    GetStateResponse state;
    EXPECT_TRUE(role_->GetState(state).ok());
    return state;
  }

  static std::vector<std::string> Ids(const GetTimelineResponse& response) {
    std::vector<std::string> ids;
    for (const auto& entry : response.entries()) {
      ids.push_back(entry.events(0).event().event_id());
    }
    return ids;
  }

  testing::TempFolder folder_;
  base::Metrics metrics_;
  const event::Secret secret_ = testing::SampleSecret();
  std::unique_ptr<eventlog::EmbeddedLog> log_;
  std::unique_ptr<TimelineRole> role_;
  std::string last_;
  std::map<uint32_t, int64_t> ends_;
};

TEST_F(RoleTest, ShowsWhatWasPushed) {
  const Event weighing = Weighing(1, "2026-02-03T09:00", "v-1", 1'000);
  Push({weighing, VitaminA(2, "2026-02-03T09:10", "v-1"),
        CorrectionOf(3, weighing, "2026-02-04T08:00", 10'000)});
  const GetTimelineResponse response = Get(Ask());
  ASSERT_THAT(response.entries(), SizeIs(1));
  const auto& entry = response.entries(0);
  EXPECT_EQ(entry.revision(), 3u);
  EXPECT_EQ(entry.group_id(), "v-1");
  ASSERT_THAT(entry.events(), SizeIs(2));
  EXPECT_EQ(entry.events(0).event().visit().weight_g(), 10'000u);
  EXPECT_EQ(entry.events(0).state(), timeline::v1::MEMBER_STATE_CORRECTED);
  ASSERT_THAT(entry.events(0).amendments(), SizeIs(1));
  EXPECT_EQ(entry.events(0).amendments(0).kind(), "correction");
  EXPECT_TRUE(entry.events(0).amendments(0).counts());
  const auto position = eventlog::ParsePositionToken(log_->install(), entry.events(1).position());
  ASSERT_TRUE(position.ok());
  EXPECT_EQ(position->second, 2);
  EXPECT_EQ(response.position(), last_);
}

TEST_F(RoleTest, HasAnEmptyTimelineForAnUnknownPatient) {
  GetTimelineRequest request = Ask();
  request.mutable_patient()->mutable_nik()->set_number("7324021501900003");
  GetTimelineResponse response;
  ASSERT_TRUE(Get(request, response).ok());
  EXPECT_THAT(response.entries(), IsEmpty());
  EXPECT_THAT(response.next_page_token(), IsEmpty());
}

TEST_F(RoleTest, GivesPagesThatSurviveInserts) {
  std::vector<Event> events;
  for (int day = 1; day <= 9; day += 2) {
    events.push_back(
        Weighing(static_cast<uint64_t>(day), "2026-02-0" + std::to_string(day) + "T09:00"));
  }
  Push(events);
  for (const bool newest_first : {false, true}) {
    GetTimelineRequest request = Ask();
    request.set_page_size(2);
    request.set_order(newest_first ? timeline::v1::ORDER_NEWEST_FIRST
                                   : timeline::v1::ORDER_OLDEST_FIRST);
    GetTimelineResponse page = Get(request);
    std::vector<std::string> ids = Ids(page);
    // Before and after the place of the cursor.
    Push({Weighing(newest_first ? 101u : 102u,
                   newest_first ? "2026-02-08T09:00" : "2026-02-02T09:00"),
          Weighing(newest_first ? 103u : 104u,
                   newest_first ? "2026-02-04T09:00" : "2026-02-06T09:00")});
    while (!page.next_page_token().empty()) {
      request.set_page_token(page.next_page_token());
      page = Get(request);
      std::ranges::copy(Ids(page), std::back_inserter(ids));
    }
    std::vector<std::string> distinct = ids;
    std::ranges::sort(distinct);
    EXPECT_EQ(std::ranges::unique(distinct).begin(), distinct.end()) << "none comes twice";
    for (const Event& event : events) {
      EXPECT_THAT(ids, ::testing::Contains(event.event_id())) << "none is left out";
    }
  }
}

TEST_F(RoleTest, RefusesAPageTokenOfAnotherQuestion) {
  Push({Weighing(1, "2026-02-03T09:00"), Weighing(2, "2026-02-04T09:00")});
  GetTimelineRequest request = Ask();
  request.set_page_size(1);
  const std::string token = Get(request).next_page_token();
  ASSERT_FALSE(token.empty());
  request.set_page_token(token);
  request.set_order(timeline::v1::ORDER_NEWEST_FIRST);
  GetTimelineResponse response;
  EXPECT_EQ(Get(request, response).code(), absl::StatusCode::kInvalidArgument);
  request.set_order(timeline::v1::ORDER_UNSPECIFIED);
  EXPECT_TRUE(Get(request, response).ok());
  request.set_page_token(token + "A");
  EXPECT_EQ(Get(request, response).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RoleTest, FiltersByTimeAndKind) {
  Push({Weighing(1, "2026-02-03T09:00", "v-1"), VitaminA(2, "2026-02-05T09:00", "v-1"),
        Weighing(3, "2026-02-06T09:00"),
        testing::ReferralStep(4, "2026-02-07T09:00", "R-1", event::v1::REFERRAL_STATE_SENT)});
  GetTimelineRequest request = Ask();
  request.add_kinds("supplement");
  EXPECT_THAT(Ids(Get(request)), ElementsAre(testing::SampleEventId(1))) << "the visit, whole";
  request.clear_kinds();
  request.mutable_from()->set_seconds(base::ToMicros(testing::SampleTime("2026-02-05T09:00")) /
                                      1'000'000);
  request.mutable_until()->set_seconds(base::ToMicros(testing::SampleTime("2026-02-06T09:00")) /
                                       1'000'000);
  EXPECT_THAT(Ids(Get(request)), ElementsAre(testing::SampleEventId(1)))
      << "from is within, until is not";
  request.clear_from();
  request.clear_until();
  request.add_kinds("referral");
  request.add_kinds("visit");
  EXPECT_THAT(Get(request).entries(), SizeIs(3));
}

TEST_F(RoleTest, NamesTheFieldThatIsWrong) {
  const auto words = [this](const std::function<void(GetTimelineRequest&)>& change) {
    GetTimelineRequest request = Ask();
    change(request);
    GetTimelineResponse response;
    const absl::Status status = Get(request, response);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(base::Message(status));
  };
  EXPECT_THAT(words([](auto& r) { r.clear_patient(); }), HasSubstr("patient:"));
  EXPECT_THAT(words([](auto& r) { r.add_kinds("vaccination"); }), HasSubstr("kinds:"));
  EXPECT_THAT(words([](auto& r) { r.set_page_size(501); }), HasSubstr("page_size: at most 500"));
  EXPECT_THAT(words([](auto& r) { r.set_page_token("?"); }), HasSubstr("page_token:"));
  EXPECT_THAT(words([](auto& r) { r.set_min_position("?"); }), HasSubstr("min_position:"));
  EXPECT_THAT(words([](auto& r) {
                r.mutable_from()->set_seconds(2);
                r.mutable_until()->set_seconds(2);
              }),
              HasSubstr("until:"));
  EXPECT_THAT(words([](auto& r) { r.mutable_from()->set_seconds(INT64_MIN); }), HasSubstr("from:"));
  EXPECT_THAT(words([](auto& r) { r.mutable_until()->set_nanos(-1); }), HasSubstr("until:"));
  EXPECT_THAT(words([this](auto& r) {
                r.set_min_position(eventlog::PositionToken(log_->install(), 0, 99));
                r.mutable_wait_max()->set_seconds(31);
              }),
              HasSubstr("wait_max:"));
}

TEST_F(RoleTest, SaysHowFarItIsWhenAPositionDoesNotCome) {
  GetTimelineRequest request = Ask();
  request.set_min_position(PushWhatOnlyANewerProgramReads());
  request.mutable_wait_max()->set_nanos(1'000'000);
  GetTimelineResponse response;
  const absl::Status status = Get(request, response);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(base::Message(status),
              AllOf(HasSubstr("stands at 0, 1 was asked for"), HasSubstr("ask again")));
}

TEST_F(RoleTest, SaysHowManyRecordsOfTheLogAreNotAppliedYet) {
  Push({Weighing(1, "2026-02-03T09:00")});
  GetTimelineResponse response;
  while (response.entries().empty()) ASSERT_TRUE(Get(Ask(), response).ok());
  EXPECT_EQ(response.records_behind(), 0u);
  PushWhatOnlyANewerProgramReads();
  while (response.records_behind() == 0) {
    response.Clear();
    ASSERT_TRUE(Get(Ask(), response).ok());
  }
  EXPECT_EQ(response.records_behind(), 1u);
  EXPECT_THAT(response.entries(), SizeIs(1));
}

TEST_F(RoleTest, WaitsForNoPositionThatTheLogHasNotReached) {
  Push({Weighing(1, "2026-02-03T09:00")});
  const auto [partition, end] = *ends_.begin();
  GetTimelineRequest request = Ask();
  request.set_min_position(eventlog::PositionToken(log_->install(), partition, end + 1));
  request.mutable_wait_max()->set_seconds(30);
  GetTimelineResponse response;
  const absl::Status status = Get(request, response);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(base::Message(status), HasSubstr("the log ends before it"));
}

TEST_F(RoleTest, KeepsNoReaderWaitingWhileItStops) {
  GetTimelineRequest request = Ask();
  request.set_min_position(PushWhatOnlyANewerProgramReads());
  request.mutable_wait_max()->set_seconds(30);
  GetTimelineResponse response;
  std::promise<absl::Status> before;
  role_->GetTimeline(request, response,
                     [&before](absl::Status status) { before.set_value(std::move(status)); });
  role_->EndWaits();
  EXPECT_EQ(before.get_future().get().code(), absl::StatusCode::kUnavailable);
  const absl::Status after = Get(request, response);
  EXPECT_EQ(after.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(base::Message(after), HasSubstr("shutting down"));
}

TEST_F(RoleTest, KnowsThePersonFieldByField) {
  Event registered = Registration(1, "2026-02-03T09:00", "Budi");
  registered.mutable_subject()->set_phone("0811");
  Event renamed = Registration(2, "2026-02-04T09:00", "Budi Santoso");
  renamed.mutable_subject()->clear_phone();
  Event weighing = Weighing(3, "2026-02-05T09:00");
  weighing.mutable_subject()->set_name("Si Budi");
  weighing.mutable_subject()->set_family_card("7324020101010001");
  for (Event* event : {&registered, &renamed}) event->mutable_subject()->clear_family_card();
  Push({weighing, renamed, registered});
  {
    const GetTimelineResponse response = Get(Ask());
    EXPECT_EQ(response.patient().name(), "Budi Santoso") << "the latest registration";
    EXPECT_EQ(response.patient().phone(), "0811") << "the latest that says it";
    EXPECT_EQ(response.patient().family_card(), "7324020101010001") << "else the latest event";
    EXPECT_EQ(response.patient().birth_date(), testing::SampleChild().birth_date());
  }
  Push({RetractionOf(4, renamed, "2026-02-06T09:00")});
  EXPECT_EQ(Get(Ask()).patient().name(), "Budi");
}

TEST_F(RoleTest, TellsDerivedRecordsInOrderAndDeadLettersBeforeThem) {
  const Event weighing = Weighing(1, "2026-02-03T09:00");
  Push({weighing, Weighing(1, "2026-02-03T09:00", "", 9'999), VitaminA(2, "2026-02-03T09:10"),
        RetractionOf(3, Weighing(77, "2026-02-03T09:00"), "2026-02-04T08:00")});
  Settled();
  const auto key = secret_.KeyOf(*event::StrongestIdentity(testing::SampleChild()));
  const uint32_t partition = event::PartitionOf(key->view(), log_->partitions());
  auto subscription = *log_->Subscribe({{{Topic::kEntries, partition}, 1}});
  std::vector<log::v1::LogRecord> told(4);
  for (size_t n = 0; n < told.size(); ++n) {
    const auto record = subscription->Poll(std::chrono::seconds(30));
    ASSERT_TRUE(record.ok() && record->has_value());
    ASSERT_TRUE(told[n].ParseFromString(std::string((*record)->value)));
    EXPECT_EQ(told[n].derived().number(), n + 1);
    EXPECT_EQ((*record)->key, key->view());
  }
  EXPECT_TRUE(told[0].derived().has_entry());
  EXPECT_EQ(told[1].derived().dead_letter().cause(), "conflict");
  EXPECT_TRUE(told[2].derived().has_entry());
  EXPECT_EQ(told[3].derived().waiting().event_id(), testing::SampleEventId(3));
  const std::vector<std::string> letters =
      testing::ReadAll(*log_, {Topic::kDeadLetters, partition});
  ASSERT_THAT(letters, SizeIs(1));
  log::v1::LogRecord letter;
  ASSERT_TRUE(letter.ParseFromString(letters[0]));
  EXPECT_EQ(letter.dead_letter().SerializeAsString(),
            told[1].derived().dead_letter().SerializeAsString());
}

// A partition that is left out of a subscription costs what was fetched of all the others.
TEST_F(RoleTest, WaitsForRoomToTellInsteadOfLeavingThePartitionOut) {
  constexpr int kEvents = 160;
  role_.reset();
  std::vector<Event> events;
  for (int n = 0; n < kEvents; ++n) {
    events.push_back(VitaminA(static_cast<uint64_t>(n), "2026-02-03T09:00"));
    events.back().mutable_unit()->set_name(std::string(40 << 10, 'x'));
  }
  Push(events);
  Start();
  EXPECT_EQ(Settled().events(), kEvents);
  double retries = 0;
  for (const char* consumer : {"timeline_0", "timeline_1"}) {
    retries += metrics_.Counter("simpul_log_retries_total", "", {{"consumer", consumer}}).Value();
  }
  // What is told is six times what may wait. A disk that stands still now and then is no fault.
  EXPECT_LT(retries, 3);
}

TEST_F(RoleTest, ComesBackFromTheLogAloneAndTellsNothingTwice) {
  Push(testing::RandomStory(5, 200));
  for (const testing::SampleEvent& sample : testing::SampleEvents()) Push({sample.event});
  const GetStateResponse before = Settled();
  role_.reset();
  std::map<uint32_t, uint64_t> numbers;
  for (uint32_t p = 0; p < log_->partitions(); ++p) {
    const auto store =
        timeline::Store::Open(folder_ / "timeline" / ("0" + std::to_string(p)), log_->install(), p,
                              {.memory = timeline::StoreMemory::Make(1 << 20)});
    ASSERT_TRUE(store.ok()) << store.status();
    numbers[p] = (*store)->state().last_number;
  }
  Start();
  for (const auto& [partition, last] : numbers) {
    auto subscription = *log_->Subscribe({{{Topic::kEntries, partition}, 1}});
    for (uint64_t n = 0; n < last; ++n) {
      const auto told = subscription->Poll(std::chrono::seconds(30));
      ASSERT_TRUE(told.ok() && told->has_value()) << "what a role left is told by the next";
    }
  }
  role_.reset();
  std::filesystem::remove_all(folder_ / "timeline");
  Start();
  const GetStateResponse after = Settled();
  EXPECT_EQ(after.checksum(), before.checksum());
  EXPECT_EQ(after.events(), before.events());
  EXPECT_EQ(after.entries(), before.entries());
  role_.reset();
  for (const auto& [partition, last] : numbers) {
    uint64_t next = 1;
    for (const std::string& value : testing::ReadAll(*log_, {Topic::kEntries, partition})) {
      log::v1::LogRecord record;
      ASSERT_TRUE(record.ParseFromString(value));
      EXPECT_EQ(record.derived().number(), next++) << "each number once, without a hole";
    }
    EXPECT_EQ(next - 1, last) << "a rebuild tells nothing again";
  }
}

TEST_F(RoleTest, GivesTheSameChecksumInAnotherOrderUnderAnotherSecret) {
  std::vector<Event> events = testing::RandomStory(11, 300);
  Push(events);
  const GetStateResponse first = Settled();
  role_.reset();

  testing::TempFolder other_folder;
  const event::Secret other_secret = testing::SampleSecret('t');
  const auto other_log = testing::OpenLog(other_folder / "log", other_secret, metrics_);
  std::vector<Event> sent = events;
  sent.insert(sent.end(), events.begin(), events.end());
  std::shuffle(sent.begin(), sent.end(), std::mt19937_64(1));
  const int64_t end = testing::Push(*other_log, other_secret, sent).back();
  auto other = TimelineRole::Open(*other_log, other_secret, other_folder / "timeline", metrics_);
  ASSERT_TRUE(other.ok()) << other.status();
  const auto key = other_secret.KeyOf(*event::StrongestIdentity(testing::SampleChild()));
  GetTimelineRequest request = Ask();
  request.set_min_position(eventlog::PositionToken(
      other_log->install(), event::PartitionOf(key->view(), other_log->partitions()), end));
  request.mutable_wait_max()->set_seconds(30);
  GetTimelineResponse response;
  std::promise<absl::Status> answer;
  (*other)->GetTimeline(request, response, [&](absl::Status status) { answer.set_value(status); });
  ASSERT_TRUE(answer.get_future().get().ok());
  GetStateResponse second;
  ASSERT_TRUE((*other)->GetState(second).ok());
  EXPECT_EQ(second.checksum(), first.checksum());
  EXPECT_EQ(second.events(), first.events());
  EXPECT_EQ(second.entries(), first.entries());
}

TEST_F(RoleTest, RefusesToRunAheadOfItsLog) {
  role_.reset();
  {
    // Applied from a log that held more than this one does.
    const auto store = timeline::Store::Open(folder_ / "timeline" / "02", log_->install(), 2,
                                             {.memory = timeline::StoreMemory::Make(1 << 20)});
    ASSERT_TRUE(store.ok()) << store.status();
    timeline::Store::Applied applied;
    ASSERT_TRUE((*store)
                    ->Apply(testing::Records({Weighing(1, "2026-02-03T09:00")}), nullptr, applied)
                    .ok());
  }
  const absl::Status status =
      TimelineRole::Open(*log_, secret_, folder_ / "timeline", metrics_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(base::Message(status), AllOf(HasSubstr("ahead of its log"), HasSubstr("partition 2"),
                                           HasSubstr("restore the log"), HasSubstr("delete"),
                                           HasSubstr((folder_ / "timeline" / "02").string())));
}

TEST_F(RoleTest, StandsStillWhereTheLogHoldsAnotherRecordThanItApplied) {
  role_.reset();
  log_.reset();
  std::filesystem::copy(folder_ / "log", folder_ / "older");
  log_ = testing::OpenLog(folder_ / "log", secret_, metrics_);
  Start();
  Push({Weighing(1, "2026-02-03T09:00")});
  Settled();
  const uint32_t partition = ends_.begin()->first;
  role_.reset();
  log_.reset();

  // The log is put back from before, and written again; another role tells as much as was told.
  std::filesystem::remove_all(folder_ / "log");
  std::filesystem::rename(folder_ / "older", folder_ / "log");
  log_ = testing::OpenLog(folder_ / "log", secret_, metrics_);
  Push({Weighing(2, "2026-02-03T09:00")});
  {
    auto other = TimelineRole::Open(*log_, secret_, folder_ / "other", metrics_);
    ASSERT_TRUE(other.ok()) << other.status();
    auto told = *log_->Subscribe({{{Topic::kEntries, partition}, 1}});
    ASSERT_TRUE(told->Poll(std::chrono::seconds(30))->has_value());
  }
  Start();
  absl::Status ready;
  do {
    ready = role_->Ready();
    std::this_thread::yield();
  } while (base::Message(ready).find("stands still") == std::string_view::npos);
  EXPECT_THAT(base::Message(ready),
              AllOf(HasSubstr("holds another record at "), HasSubstr("Restore the log"),
                    HasSubstr((folder_ / "timeline").string())));
  for (uint32_t p = 0; p < log_->partitions(); ++p) {
    while (p != partition && !role_->HasCaughtUp(p)) std::this_thread::yield();
    EXPECT_EQ(role_->HasCaughtUp(p), p != partition) << "the others go on";
  }
  GetStateResponse state;
  ASSERT_TRUE(role_->GetState(state).ok());
  for (const auto& shown : state.partitions()) {
    EXPECT_EQ(!shown.stopped().empty(), shown.partition() == partition);
  }
  EXPECT_EQ(*log_->End({Topic::kEntries, partition}), 2) << "nothing is told into another log";
}

TEST_F(RoleTest, ComesBackFromACheckpointAndReadsTheRestFromTheLog) {
  role_.reset();
  StartWithCheckpoints();
  Push(testing::RandomStory(5, 200));
  Settled();
  AwaitCheckpoints();
  role_.reset();
  std::filesystem::remove_all(folder_ / "timeline");
  Push({Weighing(9'001, "2026-05-03T09:00")});
  StartWithCheckpoints();
  const GetStateResponse restored = Settled();
  EXPECT_TRUE(IsCounted("simpul_timeline_restores_total", 1));
  role_.reset();
  std::filesystem::remove_all(folder_ / "timeline");
  Start();
  const GetStateResponse from_log = Settled();
  EXPECT_EQ(restored.checksum(), from_log.checksum());
  EXPECT_EQ(restored.events(), from_log.events());
  EXPECT_EQ(restored.entries(), from_log.entries());
}

TEST_F(RoleTest, PassesOverCheckpointsThatAreNotOfTheLogAsItIs) {
  role_.reset();
  log_.reset();
  std::filesystem::copy(folder_ / "log", folder_ / "older");
  log_ = testing::OpenLog(folder_ / "log", secret_, metrics_);
  StartWithCheckpoints();
  Push({Weighing(1, "2026-02-03T09:00"), Weighing(2, "2026-02-04T09:00")});
  Settled();
  AwaitCheckpoints();
  role_.reset();
  log_.reset();
  std::filesystem::remove_all(folder_ / "log");
  std::filesystem::rename(folder_ / "older", folder_ / "log");
  log_ = testing::OpenLog(folder_ / "log", secret_, metrics_);
  Push({Weighing(3, "2026-02-05T09:00")});
  for (const bool is_as_long : {false, true}) {
    if (is_as_long) Push({Weighing(4, "2026-02-06T09:00"), Weighing(5, "2026-02-07T09:00")});
    std::filesystem::remove_all(folder_ / "timeline");
    Start();
    const GetStateResponse from_log = Settled();
    role_.reset();
    std::filesystem::remove_all(folder_ / "timeline");
    StartWithCheckpoints();
    EXPECT_EQ(Settled().checksum(), from_log.checksum());
    while (!role_->Ready().ok()) std::this_thread::yield();
    role_.reset();
  }
}

TEST_F(RoleTest, ServesOnWhenCheckpointsCannotBeWritten) {
  role_.reset();
  ASSERT_TRUE(base::WriteFileAtomically(folder_ / "checkpoints", "a file").ok());
  StartWithCheckpoints();
  Push({Weighing(1, "2026-02-03T09:00")});
  Settled();
  while (metrics_.Render().find("\nsimpul_timeline_checkpoints_failed_total ") ==
         std::string::npos) {
    std::this_thread::yield();
  }
  Push({Weighing(2, "2026-02-04T09:00")});
  EXPECT_EQ(Settled().events(), 2u);
  EXPECT_TRUE(role_->Ready().ok()) << role_->Ready();
}

TEST_F(RoleTest, RefusesTheTimelinesOfAnotherInstall) {
  role_.reset();
  testing::TempFolder other_folder;
  const auto other = testing::OpenLog(other_folder / "log", secret_, metrics_);
  const absl::Status status =
      TimelineRole::Open(*other, secret_, folder_ / "timeline", metrics_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(base::Message(status), AllOf(HasSubstr(log_->install().install_id()),
                                           HasSubstr(other->install().install_id())));
}

TEST_F(RoleTest, IsNotReadyWhileAPartitionStandsStill) {
  Push({Weighing(1, "2026-02-03T09:00")});
  Settled();
  EXPECT_TRUE(role_->Ready().ok()) << role_->Ready();
  PushWhatOnlyANewerProgramReads();
  absl::Status ready;
  do {
    ready = role_->Ready();
    std::this_thread::yield();
  } while (ready.ok());
  EXPECT_THAT(base::Message(ready), AllOf(HasSubstr("stands still"), HasSubstr("upgrade me")));
  GetStateResponse state;
  ASSERT_TRUE(role_->GetState(state).ok());
  EXPECT_EQ(
      std::ranges::count_if(state.partitions(), [](const auto& p) { return !p.stopped().empty(); }),
      1);
  EXPECT_THAT(Get(Ask()).entries(), SizeIs(1)) << "what was there is still answered";
}

// A caller that keeps what it is sent.
class Caller {
 public:
  TimelineRole::Listener listener() {
    return {.write =
                [this](const timeline::v1::WatchTimelineResponse& response) {
                  const std::lock_guard lock(mutex_);
                  sent_.push_back(response);
                  changed_.notify_all();
                  return true;
                },
            .gone =
                [this] {
                  const std::lock_guard lock(mutex_);
                  return gone_;
                },
            .when_gone =
                [this](std::function<void()> wake) {
                  const std::lock_guard lock(mutex_);
                  wake_ = std::move(wake);
                }};
  }
  std::vector<timeline::v1::WatchTimelineResponse> Await(size_t messages) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return sent_.size() >= messages; });
    return sent_;
  }
  void Leave() {
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      gone_ = true;
      wake = wake_;
    }
    if (wake) wake();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<timeline::v1::WatchTimelineResponse> sent_;
  std::function<void()> wake_;
  bool gone_ = false;
};

TEST_F(RoleTest, LetsACallerWatch) {
  const Event weighing = Weighing(1, "2026-02-03T09:00");
  Push({weighing});
  Settled();
  timeline::v1::WatchTimelineRequest request;
  *request.mutable_patient() = Ask().patient();
  Caller caller;
  std::thread watching([&] { EXPECT_TRUE(role_->WatchTimeline(request, caller.listener()).ok()); });
  auto sent = caller.Await(2);
  EXPECT_EQ(sent[0].entry().revision(), 1u);
  EXPECT_FALSE(sent[0].caught_up());
  EXPECT_FALSE(sent[1].has_entry());
  EXPECT_TRUE(sent[1].caught_up());
  Push({CorrectionOf(2, weighing, "2026-02-04T08:00", 9'000)});
  sent = caller.Await(3);
  EXPECT_EQ(sent[2].entry().entry_id(), sent[0].entry().entry_id());
  EXPECT_EQ(sent[2].entry().revision(), 2u);
  EXPECT_TRUE(sent[2].caught_up());
  Push({VitaminA(3, "2026-02-05T09:00")});
  EXPECT_EQ(caller.Await(4)[3].entry().events(0).event().event_id(), testing::SampleEventId(3));
  caller.Leave();
  watching.join();
}

TEST_F(RoleTest, EndsWhoWatchesWhenItEnds) {
  timeline::v1::WatchTimelineRequest request;
  *request.mutable_patient() = Ask().patient();
  Caller caller;
  std::thread watching([&] { EXPECT_TRUE(role_->WatchTimeline(request, caller.listener()).ok()); });
  caller.Await(1);
  role_.reset();
  watching.join();
}

}  // namespace
}  // namespace simpul::timeline_role
