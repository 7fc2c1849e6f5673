// Ingest as its callers see it: over gRPC, with the embedded log behind it.
#include "ingest/ingest.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ingest/ingest_rpc.h"
#include "lib/base/check.h"
#include "lib/base/status_macros.h"
#include "lib/event/validate.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/eventlog/position_token.h"
#include "lib/rpc/channel.h"
#include "lib/rpc/server.h"
#include "simpul/ingest/v1/ingest.grpc.pb.h"
#include "simpul/log/v1/log.pb.h"
#include "tests/rpc/raw_call.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_folder.h"

namespace simpul::ingest {
namespace {

using ::testing::_;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::Property;
using v1::EventOutcome;
using v1::SubmitEventsRequest;
using v1::SubmitEventsResponse;

constexpr char kMethod[] = "/simpul.ingest.v1.IngestService/SubmitEvents";

// A log that appends, yet does not know of some drafts whether it did: as when a disk fails.
class ForgetfulLog : public eventlog::EventLog {
 public:
  explicit ForgetfulLog(eventlog::EventLog& log) : log_(log) {}
  std::set<size_t> forgets;

  const log::v1::Install& install() const override { return log_.install(); }
  absl::StatusOr<std::unique_ptr<eventlog::Admission>> Admit(size_t bytes) override {
    return log_.Admit(bytes);
  }
  void Append(std::vector<eventlog::Draft> drafts, std::unique_ptr<eventlog::Admission> admission,
              absl::AnyInvocable<void(std::vector<eventlog::Appended>)> done) override {
    log_.Append(std::move(drafts), std::move(admission),
                [this, done = std::move(done)](std::vector<eventlog::Appended> appended) mutable {
                  for (const size_t i : forgets) appended.at(i) = absl::UnavailableError("lost");
                  done(std::move(appended));
                });
  }
  absl::StatusOr<std::vector<int64_t>> Ends(std::span<const eventlog::Place> places) override {
    return log_.Ends(places);
  }
  absl::StatusOr<std::unique_ptr<eventlog::Subscription>> Subscribe(
      std::vector<eventlog::Start> starts, std::chrono::milliseconds gather) override {
    return log_.Subscribe(std::move(starts), gather);
  }
  absl::Status Health() const override { return log_.Health(); }

 private:
  eventlog::EventLog& log_;
};

class IngestTest : public ::testing::Test {
 protected:
  explicit IngestTest(size_t in_flight_bytes_max = 16 << 20) {
    eventlog::EmbeddedLog::Options options;
    options.secret_fingerprint = secret_.Fingerprint();
    options.in_flight_bytes_max = in_flight_bytes_max;
    auto opened = eventlog::EmbeddedLog::Open(folder_ / "log", options, clock_, metrics_);
    SIMPUL_CHECK(opened.ok(), "{}", base::Message(opened.status()));
    log_ = *std::move(opened);
    forgetful_ = std::make_unique<ForgetfulLog>(*log_);
    ingest_ = std::make_unique<Ingest>(*forgetful_, secret_, clock_, metrics_);
    auto server = rpc::Server::Start("127.0.0.1:0", {BindIngest(*ingest_, metrics_)});
    SIMPUL_CHECK(server.ok(), "{}", base::Message(server.status()));
    server_ = *std::move(server);
    channel_ = rpc::Connect(server_->address());
    stub_ = v1::IngestService::NewStub(channel_);
  }

  grpc::Status Submit(const std::vector<event::v1::Event>& events, SubmitEventsResponse& response) {
    SubmitEventsRequest request;
    for (const event::v1::Event& event : events) *request.add_events() = event;
    grpc::ClientContext context;
    return stub_->SubmitEvents(&context, request, &response);
  }

  SubmitEventsResponse Answer(const std::vector<event::v1::Event>& events) {
    SubmitEventsResponse response;
    const grpc::Status status = Submit(events, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  // The answers for events that are given as bytes.
  SubmitEventsResponse AnswerBytes(const std::vector<std::string>& events) {
    const rpc::RawAnswer raw = rpc::RawCall(channel_, kMethod, Frame(events));
    EXPECT_TRUE(raw.status.ok()) << raw.status.error_message();
    SubmitEventsResponse response;
    EXPECT_TRUE(response.ParseFromString(raw.bytes));
    return response;
  }

  static std::string Frame(const std::vector<std::string>& events) {
    std::string request;
    for (const std::string& event : events) {
      request.push_back('\x0a');
      for (size_t rest = event.size();; rest >>= 7) {
        request.push_back(static_cast<char>(rest < 0x80 ? rest : rest | 0x80));
        if (rest < 0x80) break;
      }
      request += event;
    }
    return request;
  }

  // What the log holds, by place; positions rise within a place.
  std::map<std::pair<uint32_t, int64_t>, log::v1::AcceptedEvent> Appended() {
    std::map<std::pair<uint32_t, int64_t>, log::v1::AcceptedEvent> all;
    for (uint32_t partition = 0; partition < log_->partitions(); ++partition) {
      const eventlog::Place place{eventlog::Topic::kEvents, partition};
      const int64_t end = *log_->End(place);
      auto subscription = *log_->Subscribe({{place, 1}});
      for (int64_t position = 1; position < end; ++position) {
        const auto record = *subscription->Poll(std::chrono::seconds(30));
        log::v1::LogRecord read;
        EXPECT_TRUE(
            record.has_value() &&
            read.ParseFromArray(record->value.data(), static_cast<int>(record->value.size())));
        keys_[{partition, position}] = std::string(record->key);
        all[{partition, position}] = read.event();
      }
    }
    return all;
  }

  testing::TempFolder folder_;
  base::ManualClock clock_{testing::SampleNow()};
  base::Metrics metrics_;
  event::Secret secret_ = *event::Secret::FromBytes(std::string(32, 's'));
  std::unique_ptr<eventlog::EmbeddedLog> log_;
  std::unique_ptr<ForgetfulLog> forgetful_;
  std::unique_ptr<Ingest> ingest_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::IngestService::Stub> stub_;
  std::map<std::pair<uint32_t, int64_t>, std::string> keys_;
};

event::v1::Event NewWeighing(uint64_t id) {
  event::v1::Event event = testing::SampleWeighing();
  event.set_event_id(testing::SampleEventId(id));
  return event;
}

TEST_F(IngestTest, AppendsWhatItAcceptsWithItsReceipt) {
  const event::v1::Event event = testing::SampleWeighing();
  const SubmitEventsResponse response = Answer({event});
  ASSERT_EQ(response.outcomes_size(), 1);
  EXPECT_EQ(response.outcomes(0).outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(response.outcomes(0).event_id(), event.event_id());

  const auto appended = Appended();
  ASSERT_EQ(appended.size(), 1u);
  const auto& [place, accepted] = *appended.begin();
  EXPECT_EQ(*eventlog::ParsePositionToken(log_->install(), response.outcomes(0).position()), place);
  EXPECT_EQ(accepted.event_id(), event.event_id());
  EXPECT_EQ(accepted.facility().code(), event.facility().code());
  EXPECT_EQ(accepted.kind(), 20u);
  EXPECT_EQ(accepted.event(), event::Canonical(event));
  EXPECT_EQ(accepted.digest(), secret_.DigestOf(accepted.event()));
  EXPECT_EQ(accepted.received_at_us(), base::ToMicros(testing::SampleNow()));
  EXPECT_EQ(accepted.key_id(), 0u);
  EXPECT_EQ(accepted.traceparent(), "");
  EXPECT_EQ(keys_.at(place), secret_.KeyOf(*event::StrongestIdentity(event.subject()))->view());
}

TEST_F(IngestTest, AcceptsOneOfEveryKindAndKeepsEachWhole) {
  std::vector<event::v1::Event> events;
  std::set<std::string> canonical;
  for (const testing::SampleEvent& sample : testing::SampleEvents()) {
    events.push_back(sample.event);
    canonical.insert(event::Canonical(sample.event));
  }
  const SubmitEventsResponse response = Answer(events);
  for (int i = 0; i < response.outcomes_size(); ++i) {
    EXPECT_EQ(response.outcomes(i).outcome(), v1::OUTCOME_ACCEPTED)
        << testing::SampleEvents()[i].name << ": " << response.outcomes(i).ShortDebugString();
  }
  std::set<std::string> kept;
  for (const auto& [place, accepted] : Appended()) kept.insert(accepted.event());
  EXPECT_EQ(kept, canonical);
}

TEST_F(IngestTest, AnswersInTheOrderOfTheBatch) {
  event::v1::Event wrong = NewWeighing(1002);
  wrong.mutable_subject()->clear_identities();
  wrong.clear_occurred_at();
  const SubmitEventsResponse response = Answer({NewWeighing(1001), wrong, NewWeighing(1003)});
  ASSERT_EQ(response.outcomes_size(), 3);
  EXPECT_EQ(response.outcomes(0).event_id(), testing::SampleEventId(1001));
  EXPECT_EQ(response.outcomes(0).outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(response.outcomes(1).event_id(), testing::SampleEventId(1002));
  EXPECT_EQ(response.outcomes(1).outcome(), v1::OUTCOME_REFUSED);
  EXPECT_EQ(response.outcomes(2).event_id(), testing::SampleEventId(1003));
  EXPECT_EQ(response.outcomes(2).outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(Appended().size(), 2u);
}

TEST_F(IngestTest, NamesEverythingThatIsWrongAndNeverTheValue) {
  event::v1::Event wrong = NewWeighing(1);
  wrong.set_event_id("not-a-uuid");
  wrong.mutable_subject()->mutable_identities(0)->mutable_nik()->set_number("73240215059000");
  const EventOutcome outcome = Answer({wrong}).outcomes(0);
  EXPECT_EQ(outcome.retry(), v1::RETRY_FINAL);
  std::map<std::string, std::string> rules;
  for (const v1::Violation& violation : outcome.violations()) {
    rules[violation.field()] = violation.rule();
    EXPECT_NE(violation.message(), "");
    EXPECT_NE(violation.fix(), "");
    EXPECT_THAT(violation.ShortDebugString(), Not(HasSubstr("73240215059000")));
  }
  EXPECT_THAT(rules, Contains(Pair("event_id", "id.uuid")));
  EXPECT_THAT(rules, Contains(Pair("subject.identities[0].nik.number", "nik.digits")));
  EXPECT_THAT(Appended(), IsEmpty());
}

TEST_F(IngestTest, AcceptsWhatIsDoubtfulWithAWarning) {
  event::v1::Event event = NewWeighing(1);
  const base::Time soon = testing::SampleNow() + std::chrono::hours(2);
  for (auto* time : {event.mutable_occurred_at()->mutable_time(), event.mutable_recorded_at()}) {
    time->set_seconds(base::ToMicros(soon) / 1'000'000);
  }
  const EventOutcome outcome = Answer({event}).outcomes(0);
  EXPECT_EQ(outcome.outcome(), v1::OUTCOME_ACCEPTED) << outcome.ShortDebugString();
  EXPECT_THAT(outcome.warnings(), Contains(Property(&v1::Violation::rule, "time.ahead")));
}

TEST_F(IngestTest, HasNoMemoryOfWhatCameBefore) {
  const SubmitEventsResponse response = Answer({NewWeighing(1), NewWeighing(1)});
  EXPECT_EQ(response.outcomes(0).outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(response.outcomes(1).outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_NE(response.outcomes(0).position(), response.outcomes(1).position());
  EXPECT_EQ(Appended().size(), 2u);
}

TEST_F(IngestTest, KeepsTheOrderOfOnePatientsEvents) {
  std::vector<event::v1::Event> events;
  for (uint64_t i = 0; i < 300; ++i) events.push_back(NewWeighing(5000 + i));
  Answer(events);
  uint64_t next = 5000;
  for (const auto& [place, accepted] : Appended()) {
    EXPECT_EQ(accepted.event_id(), testing::SampleEventId(next++));
  }
  EXPECT_EQ(next, 5300u);
}

TEST_F(IngestTest, OneBrokenEventNeverHarmsItsNeighbours) {
  const std::string good = NewWeighing(1).SerializeAsString();
  event::v1::Event text = NewWeighing(2);
  text.mutable_subject()->set_name("Siti XXXX");
  std::string broken_utf8 = text.SerializeAsString();
  broken_utf8.replace(broken_utf8.find("XXXX"), 4, "\xff\xfe\xc3(");
  const std::string unknown_field = NewWeighing(3).SerializeAsString() + "\x9a\x3e\x01x";
  const std::string unknown_kind =
      NewWeighing(4).SerializeAsString() + std::string("\xfa\x02\x00", 3);
  const std::string cut_short = good.substr(0, good.size() - 1);
  const std::string no_event = "\xff\xff\xff\xff";
  event::v1::Event large = NewWeighing(5);
  large.mutable_subject()->set_name(std::string(70'000, 'x'));

  const SubmitEventsResponse response =
      AnswerBytes({good, broken_utf8, good, unknown_field, good, unknown_kind, good, cut_short,
                   good, no_event, good, "", good, large.SerializeAsString(), good});
  ASSERT_EQ(response.outcomes_size(), 15);
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(response.outcomes(i).outcome(),
              i % 2 == 0 ? v1::OUTCOME_ACCEPTED : v1::OUTCOME_REFUSED)
        << i << ": " << response.outcomes(i).ShortDebugString();
  }
  const auto rule = [&](int i) { return response.outcomes(i).violations(0).rule(); };
  EXPECT_EQ(rule(1), "text.utf8");
  EXPECT_EQ(response.outcomes(1).event_id(), testing::SampleEventId(2));
  EXPECT_EQ(response.outcomes(1).retry(), v1::RETRY_FINAL);
  EXPECT_EQ(rule(3), "field.unknown");
  EXPECT_EQ(response.outcomes(3).retry(), v1::RETRY_AFTER_UPGRADE);
  EXPECT_EQ(rule(5), "field.unknown");
  EXPECT_EQ(response.outcomes(5).retry(), v1::RETRY_AFTER_UPGRADE);
  EXPECT_EQ(rule(7), "event.malformed");
  EXPECT_EQ(rule(9), "event.malformed");
  EXPECT_EQ(rule(13), "event.too_large");
  EXPECT_EQ(Appended().size(), 8u);
}

TEST_F(IngestTest, SaysThatItIsOlderThanAnUnknownEnumValue) {
  event::v1::Event event = NewWeighing(1);
  event.set_channel(static_cast<event::v1::Channel>(99));
  const EventOutcome outcome = Answer({event}).outcomes(0);
  EXPECT_EQ(outcome.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_EQ(outcome.retry(), v1::RETRY_AFTER_UPGRADE);
  EXPECT_EQ(outcome.violations(0).rule(), "enum.unknown");
  EXPECT_EQ(outcome.violations(0).field(), "channel");
}

TEST_F(IngestTest, RefusesABatchOfNoneOrTooMany) {
  SubmitEventsResponse response;
  grpc::Status status = Submit({}, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("holds no event"));

  status = Submit(std::vector<event::v1::Event>(501, testing::SampleWeighing()), response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("holds 501 events; at most 500"));
  EXPECT_THAT(Appended(), IsEmpty());
}

TEST_F(IngestTest, RefusesAMessageOfTwoMebibytesInItsOwnWords) {
  const rpc::RawAnswer answer = rpc::RawCall(channel_, kMethod, Frame({std::string(2 << 20, 'x')}));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("at most 1048576 are taken in one call"));
}

TEST_F(IngestTest, DoesNotAskForAMessageAgainThatIsTooLargeForGrpc) {
  const rpc::RawAnswer answer = rpc::RawCall(channel_, kMethod, Frame({std::string(5 << 20, 'x')}));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("larger than max"));
  EXPECT_THAT(answer.trailers, Not(Contains(Pair("grpc-retry-pushback-ms", _))));
}

TEST_F(IngestTest, RefusesWhatIsNoBatch) {
  const rpc::RawAnswer answer = rpc::RawCall(channel_, kMethod, "hello, world");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("is no SubmitEventsRequest"));
}

TEST_F(IngestTest, SaysOfWhichEventsItDoesNotKnow) {
  forgetful_->forgets = {1};
  const SubmitEventsResponse response = Answer({NewWeighing(1), NewWeighing(2), NewWeighing(3)});
  EXPECT_EQ(response.outcomes(0).outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(response.outcomes(1).outcome(), v1::OUTCOME_UNKNOWN);
  EXPECT_EQ(response.outcomes(1).event_id(), testing::SampleEventId(2));
  EXPECT_EQ(response.outcomes(1).position(), "");
  EXPECT_EQ(response.outcomes(2).outcome(), v1::OUTCOME_ACCEPTED);
}

TEST_F(IngestTest, KeepsTheTraceparentOfTheCallAndNothingElseInItsPlace) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (const std::string& sent : {trace, std::string("7324021505900001"), trace + "1"}) {
    const rpc::RawAnswer answer =
        rpc::RawCall(channel_, kMethod, Frame({testing::SampleWeighing().SerializeAsString()}),
                     {{"traceparent", sent}});
    EXPECT_TRUE(answer.status.ok());
  }
  std::vector<std::string> kept;
  for (const auto& [place, accepted] : Appended()) kept.push_back(accepted.traceparent());
  EXPECT_THAT(kept, ::testing::ElementsAre(trace, "", ""));
}

TEST_F(IngestTest, CountsOutcomesByKind) {
  event::v1::Event wrong = NewWeighing(2);
  wrong.clear_facility();
  AnswerBytes({NewWeighing(1).SerializeAsString(), wrong.SerializeAsString(), "\xff"});
  const std::string text = metrics_.Render();
  EXPECT_THAT(text,
              HasSubstr("simpul_ingest_events_total{kind=\"visit\",outcome=\"accepted\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("simpul_ingest_events_total{kind=\"visit\",outcome=\"refused\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("simpul_ingest_events_total{kind=\"none\",outcome=\"refused\"} 1\n"));
}

TEST_F(IngestTest, IsDescribedByReflectionAsTheTypedService) {
  const std::string symbol = "simpul.ingest.v1.IngestService";
  const rpc::RawAnswer answer =
      rpc::RawCall(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                   "\x22" + std::string(1, static_cast<char>(symbol.size())) + symbol);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_THAT(answer.bytes, HasSubstr("SubmitEventsRequest"));
  EXPECT_THAT(answer.bytes, HasSubstr("simpul/event/v1/event.proto"));
}

TEST_F(IngestTest, TakesBatchesOfManyCallersAtOnce) {
  std::vector<std::thread> callers;
  std::atomic<int> accepted{0};
  for (uint64_t caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&, caller] {
      for (uint64_t i = 0; i < 25; ++i) {
        const SubmitEventsResponse response =
            Answer({NewWeighing(caller * 1000 + i * 2), NewWeighing(caller * 1000 + i * 2 + 1)});
        for (const EventOutcome& outcome : response.outcomes()) {
          if (outcome.outcome() == v1::OUTCOME_ACCEPTED) accepted.fetch_add(1);
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(accepted.load(), 400);
  EXPECT_EQ(Appended().size(), 400u);
}

class FullLogTest : public IngestTest {
 protected:
  FullLogTest() : IngestTest(100) {}
};

TEST_F(FullLogTest, RefusesTheWholeBatchBeforeAnythingIsWritten) {
  SubmitEventsResponse response;
  const grpc::Status status = Submit({NewWeighing(1), NewWeighing(2)}, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_details(), HasSubstr("google.rpc.RetryInfo"));
  EXPECT_THAT(Appended(), IsEmpty());
}

TEST_F(FullLogTest, StillTellsWhatIsWrongWithABatchOfRefusedEvents) {
  event::v1::Event wrong = NewWeighing(1);
  wrong.clear_facility();
  EXPECT_EQ(Answer({wrong}).outcomes(0).outcome(), v1::OUTCOME_REFUSED);
}

}  // namespace
}  // namespace simpul::ingest
