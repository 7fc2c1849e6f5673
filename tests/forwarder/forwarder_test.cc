#include "forwarder/forwarder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "lib/base/file.h"
#include "lib/base/status_macros.h"
#include "tests/fhir/entries.h"
#include "tests/forwarder/world.h"
#include "tests/support/sample_events.h"
#include "tests/timeline/records.h"

namespace simpul::forwarder {
namespace {

using simpul::testing::SampleEventId;
using simpul::testing::SampleNamed;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using enum delivery::v1::DeliveryState;

class ForwarderTest : public World {
 protected:
  void Start() {
    StartSandbox();
    StartForwarder();
  }
  static const event::v1::Event& Visit() { return SampleNamed("growth_visit"); }
  // Of the same child in the same month. Not weighed: what the first one says stays as it is.
  static event::v1::Event OtherVisit() {
    event::v1::Event event = SampleNamed("outpatient_visit");
    event.mutable_visit()->clear_weight_g();
    return event;
  }
  // The metric; below 0: there is none.
  double OldestSeconds() {
    const std::string text = metrics.Render();
    const std::string name = "\nsimpul_forwarder_oldest_undelivered_seconds ";
    const size_t at = text.find(name);
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size()));
  }
  double WaitedSeconds(const delivery::v1::EventTrace& trace) {
    const auto received = std::chrono::seconds(trace.received_at().seconds()) +
                          std::chrono::microseconds(trace.received_at().nanos() / 1000);
    return std::chrono::duration<double>(clock.Now().time_since_epoch() - received).count();
  }
};

event::v1::Event CorrectionOf(const event::v1::Event& original, uint64_t id, int64_t weight_g) {
  event::v1::Event event = SampleNamed("weighing_corrected");
  event.set_event_id(SampleEventId(id));
  *event.mutable_subject() = original.subject();
  *event.mutable_facility() = original.facility();
  event.mutable_correction()->set_original_event_id(original.event_id());
  *event.mutable_correction()->mutable_replacement() = original;
  event.mutable_correction()->mutable_replacement()->mutable_visit()->set_weight_g(weight_g);
  return event;
}

event::v1::Event RetractionOf(const event::v1::Event& original, uint64_t id) {
  event::v1::Event event = SampleNamed("immunisation_retracted");
  event.set_event_id(SampleEventId(id));
  *event.mutable_subject() = original.subject();
  *event.mutable_facility() = original.facility();
  event.mutable_retraction()->set_original_event_id(original.event_id());
  return event;
}

// The visit in which the patient was referred.
event::v1::Event VisitOf(const event::v1::Event& referral) {
  event::v1::Event visit = SampleNamed("growth_visit");
  *visit.mutable_subject() = referral.subject();
  *visit.mutable_facility() = referral.referral().from();
  visit.set_visit_id(referral.visit_id());
  return visit;
}

// The next transaction is refused with these words.
std::string RefusedOnce(const std::string& words) {
  return R"({"match":{"method":"POST","path":"/fhir-r4/v1"},"times":1,
             "fault":{"status":400,"issue":{"code":"value","text":")" +
         words + R"("}}})";
}

TEST_F(ForwarderTest, DeliversEverySampleOrSaysWhyNot) {
  Start();
  std::vector<event::v1::Event> events;
  for (const simpul::testing::SampleEvent& sample : simpul::testing::SampleEvents())
    events.push_back(sample.event);
  Push(events);
  std::map<delivery::v1::DeliveryState, int> states;
  for (const simpul::testing::SampleEvent& sample : simpul::testing::SampleEvents()) {
    delivery::v1::EventTrace trace;
    ASSERT_TRUE(Eventually([&] {
      trace = Trace(sample.event.event_id());
      if (trace.state() == delivery::v1::EVENT_STATE_ACCEPTED) return false;
      for (const auto& record : trace.records()) {
        if (record.state() == DELIVERY_STATE_WAITING) return false;
      }
      return true;
    })) << sample.name
        << ": " << trace.ShortDebugString();
    for (const auto& record : trace.records()) {
      ++states[record.state()];
      EXPECT_NE(record.state(), DELIVERY_STATE_REFUSED)
          << sample.name << ": " << record.ShortDebugString();
      if (record.state() == DELIVERY_STATE_HELD || record.state() == DELIVERY_STATE_NOT_SENT) {
        EXPECT_FALSE(record.reason().empty()) << sample.name;
      }
    }
  }
  EXPECT_GT(states[DELIVERY_STATE_DELIVERED], 10);
  EXPECT_GT(Created(), 50u);
  ExpectNothingTwice();
}

TEST_F(ForwarderTest, NamesThePlatformsIdsOfADeliveredVisit) {
  Start();
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
  const auto trace = Trace(Visit().event_id());
  EXPECT_EQ(trace.state(), delivery::v1::EVENT_STATE_ON_TIMELINE);
  EXPECT_EQ(trace.facility().code(), Visit().facility().code());
  EXPECT_FALSE(trace.position().empty());
  ASSERT_EQ(trace.records_size(), 1);
  EXPECT_EQ(trace.records(0).attempts(), 1u);
  EXPECT_EQ(static_cast<uint64_t>(trace.records(0).platform_ids_size()), Created());
  EXPECT_THAT(trace.records(0).platform_ids(0), ::testing::StartsWith("Encounter/"));
}

TEST_F(ForwarderTest, TracesAnEventFromTheMomentOfItsAnswer) {
  Start();
  Push({Visit()});
  EXPECT_NE(Trace(Visit().event_id()).state(), delivery::v1::EVENT_STATE_UNKNOWN);
  EXPECT_EQ(Trace(SampleEventId(9999)).state(), delivery::v1::EVENT_STATE_UNKNOWN);
}

TEST_F(ForwarderTest, PutsACorrectionInPlaceOfWhatWasDelivered) {
  Start();
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
  const uint64_t created = Created();
  const event::v1::Event correction = CorrectionOf(Visit(), 5001, 11'000);
  Push({correction});
  ASSERT_TRUE(Becomes(correction.event_id(), DELIVERY_STATE_DELIVERED));
  EXPECT_EQ(Created(), created);
  EXPECT_THAT(Resources("Observation"), ::testing::Contains(HasSubstr("11")));
  EXPECT_EQ(Trace(Visit().event_id()).records_size(), 2);
  EXPECT_EQ(Trace(Visit().event_id()).member_state(), timeline::v1::MEMBER_STATE_CORRECTED);
  ExpectNothingTwice();
}

TEST_F(ForwarderTest, TellsThePlatformThatWhatWasTakenBackIsEnteredInError) {
  Start();
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
  const event::v1::Event retraction = RetractionOf(Visit(), 5002);
  Push({retraction});
  ASSERT_TRUE(Becomes(retraction.event_id(), DELIVERY_STATE_DELIVERED));
  for (const std::string& resource : Resources("Observation")) {
    EXPECT_THAT(resource, HasSubstr("entered-in-error"));
  }
  for (const std::string& resource : Resources("Encounter")) {
    EXPECT_THAT(resource, HasSubstr("entered-in-error"));
  }
  EXPECT_EQ(Record(retraction.event_id()).reason(), "withdrawn");
  const auto trace = Trace(Visit().event_id());
  EXPECT_EQ(trace.member_state(), timeline::v1::MEMBER_STATE_RETRACTED);
  ASSERT_EQ(trace.records_size(), 2);
  EXPECT_EQ(trace.records(0).reason(), "");
  EXPECT_GT(trace.records(0).platform_ids_size(), 0);
  EXPECT_EQ(trace.records(1).reason(), "withdrawn");
  EXPECT_EQ(trace.records(1).platform_ids_size(), 0);
}

TEST_F(ForwarderTest, NeverSendsWhatWasTakenBackBefore) {
  StartForwarder();
  Push({Visit(), RetractionOf(Visit(), 5003)});
  ASSERT_TRUE(Eventually([&] {
    return Trace(Visit().event_id()).state() == delivery::v1::EVENT_STATE_ON_TIMELINE &&
           Trace(SampleEventId(5003)).state() == delivery::v1::EVENT_STATE_ON_TIMELINE;
  }));
  StopForwarder();
  Start();
  ASSERT_TRUE(Becomes(SampleEventId(5003), DELIVERY_STATE_NOT_SENT, "withdrawn"));
  EXPECT_EQ(Trace(Visit().event_id()).records(0).state(), DELIVERY_STATE_SUPERSEDED);
  EXPECT_EQ(Trace(Visit().event_id()).records(0).reason(), "newer_revision");
  EXPECT_EQ(Created(), 0u);
}

TEST_F(ForwarderTest, KeepsBackTrainingAndWhatIsBeforeThePlatform) {
  options.earliest_day = "2026-02-04";
  Start();
  Push({SampleNamed("training_visit"), Visit(), SampleNamed("child_registered")});
  EXPECT_TRUE(
      Becomes(SampleNamed("training_visit").event_id(), DELIVERY_STATE_NOT_SENT, "training"));
  EXPECT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_NOT_SENT, "before_platform"));
  EXPECT_TRUE(Becomes(SampleNamed("child_registered").event_id(), DELIVERY_STATE_NOT_SENT,
                      "patient_registered"));
  EXPECT_EQ(Created(), 0u);
}

TEST_F(ForwarderTest, SendsWhatIsAheadOfTheClockOnceItIsPast) {
  clock.Advance(std::chrono::hours(-24 * 26));
  Start();
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_WAITING, "ahead_of_clock"));
  EXPECT_EQ(Created(), 0u);
  clock.Advance(std::chrono::hours(24 * 26));
  EXPECT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
}

TEST_F(ForwarderTest, AdoptsWhatALostAnswerCreatedWithTheDuplicateCheckOnOrOff) {
  for (const bool duplicate_check : {true, false}) {
    sandbox_options.duplicate_check = duplicate_check;
    sandbox_options.data = folder / (duplicate_check ? "with" : "without");
    Start();
    Fault(
        R"({"match":{"method":"POST","path":"/fhir-r4/v1"},"fault":{"answer_lost_after_commit":true},"times":1})");
    const event::v1::Event& visit = duplicate_check ? Visit() : SampleNamed("elder_visit");
    Push({visit});
    ASSERT_TRUE(Becomes(visit.event_id(), DELIVERY_STATE_DELIVERED));
    const auto record = Record(visit.event_id());
    EXPECT_EQ(record.attempts(), 1u);
    EXPECT_EQ(static_cast<uint64_t>(record.platform_ids_size()), Created());
    ExpectNothingTwice();
    StopForwarder();
    platform.reset();
  }
}

TEST_F(ForwarderTest, DeliversTheFirstVisitOfEachOfTwoPregnancies) {
  Start();
  event::v1::Event now = SampleNamed("antenatal_visit");
  now.mutable_visit()->set_ordinal("K1");
  event::v1::Event before = now;
  before.set_event_id(SampleEventId(5002));
  before.set_visit_id("ANC-2024-0013-K1");
  before.mutable_visit()->set_pregnancy_id("HML-2024-0013");
  constexpr int64_t kTwoYears_s = 730 * 86'400;
  before.mutable_occurred_at()->mutable_time()->set_seconds(now.occurred_at().time().seconds() -
                                                            kTwoYears_s);
  before.mutable_recorded_at()->set_seconds(now.recorded_at().seconds() - kTwoYears_s);
  Push({before});
  ASSERT_TRUE(Becomes(before.event_id(), DELIVERY_STATE_DELIVERED));
  // The second one's answer is lost: it is found again by its own identifier, not by the number.
  Fault(
      R"({"match":{"method":"POST","path":"/fhir-r4/v1"},"fault":{"answer_lost_after_commit":true},"times":1})");
  Push({now});
  ASSERT_TRUE(Becomes(now.event_id(), DELIVERY_STATE_DELIVERED));
  EXPECT_NE(Record(before.event_id()).platform_ids(0), Record(now.event_id()).platform_ids(0));
  EXPECT_EQ(Resources("Encounter").size(), 2u);
  ExpectNothingTwice();
}

TEST_F(ForwarderTest, FindsALostImmunisationByItsPatient) {
  sandbox_options.duplicate_check = false;
  Start();
  Fault(
      R"({"match":{"method":"POST","path":"/fhir-r4/v1"},"fault":{"answer_lost_after_commit":true},"times":1})");
  const event::v1::Event& dose = SampleNamed("immunisation_given");
  Push({dose});
  ASSERT_TRUE(Becomes(dose.event_id(), DELIVERY_STATE_DELIVERED));
  EXPECT_EQ(Record(dose.event_id()).attempts(), 1u);
  EXPECT_EQ(Resources("Immunization").size(), 1u);
  EXPECT_THAT(Record(dose.event_id()).platform_ids(),
              ::testing::Contains(::testing::StartsWith("Immunization/")));
}

TEST_F(ForwarderTest, SearchesForAnAttemptThatAStoppedProcessLeftBehind) {
  sandbox_options.duplicate_check = false;
  Start();
  const event::v1::Event& unsent = SampleNamed("elder_visit");
  Push({Visit(), OtherVisit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
  ASSERT_TRUE(Becomes(OtherVisit().event_id(), DELIVERY_STATE_DELIVERED));
  const std::string record_id = Record(Visit().event_id()).record_id();
  delivery::v1::PauseRequest pause;
  delivery::v1::PauseResponse paused;
  ASSERT_TRUE(forwarder->Pause(pause, paused).ok());
  Push({unsent});
  ASSERT_TRUE(Becomes(unsent.event_id(), DELIVERY_STATE_WAITING));
  const std::string unsent_id = Record(unsent.event_id()).record_id();
  const uint64_t created = Created();
  StopForwarder();

  // The same on another log, whose forwarder stopped after the attempt: once after the request was
  // sent, once before.
  ForgetDeliveries();
  StartTimeline();
  AppendAttempt(Visit(), record_id);
  AppendAttempt(unsent, unsent_id);
  Push({Visit(), unsent});
  StartForwarder();
  EXPECT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
  EXPECT_TRUE(Becomes(unsent.event_id(), DELIVERY_STATE_DELIVERED));
  EXPECT_EQ(Record(Visit().event_id()).attempts(), 1u);
  EXPECT_EQ(Record(unsent.event_id()).attempts(), 2u);
  EXPECT_GT(Created(), created);
  ExpectNothingTwice();
}

TEST_F(ForwarderTest, SendsNothingElseOfAPatientWhileAnAttemptHasNoKnownEnd) {
  sandbox_options.duplicate_check = false;
  Start();
  const event::v1::Event& referral = SampleNamed("referral_sent");
  Push({referral});
  ASSERT_TRUE(Becomes(referral.event_id(), DELIVERY_STATE_DELIVERED));
  const std::string record_id = Record(referral.event_id()).record_id();

  // The same on another log, whose forwarder stopped once the request was sent: it created the
  // Encounter of a visit whose own record is to be sent too.
  ForgetDeliveries();
  StartTimeline();
  AppendAttempt(referral, record_id);
  const event::v1::Event visit = VisitOf(referral);
  Push({visit, referral});
  StartForwarder();
  EXPECT_TRUE(Becomes(visit.event_id(), DELIVERY_STATE_DELIVERED));
  EXPECT_TRUE(Becomes(referral.event_id(), DELIVERY_STATE_DELIVERED));
  EXPECT_EQ(Resources("Encounter").size(), 1u);
  ExpectNothingTwice();
}

TEST_F(ForwarderTest, ComesThroughEveryFaultOfThePlatformWithNothingCreatedTwice) {
  sandbox_options.duplicate_check = false;
  Start();
  int at = 0;
  const std::vector<std::string> faults = {
      R"("status":401)",
      R"("status":429,"retry_after":1)",
      R"("status":500,"text":"An unexpected internal error has occurred.")",
      R"("status":504,"text":"Gateway Timeout")",
      R"("half_answer":true)",
      R"("answer_lost_after_commit":true)",
      R"("close_before":true)",
  };
  const std::vector<std::string> visits = {
      "growth_visit",    "outpatient_visit",   "antenatal_visit", "elder_visit",
      "home_visit_done", "immunisation_given", "traveller_visit"};
  for (const std::string& fault : faults) {
    Fault(R"({"match":{"method":"POST","path":"/fhir-r4/v1"},"fault":{)" + fault +
          R"(},"times":1})");
    const event::v1::Event& visit = SampleNamed(visits[at++]);
    Push({visit});
    EXPECT_TRUE(Becomes(visit.event_id(), DELIVERY_STATE_DELIVERED)) << fault;
    ClearFaults();
  }
  ExpectNothingTwice();
}

TEST_F(ForwarderTest, WaitsWithoutHarmWhileThereIsNoPlatform) {
  Start();
  const std::string address = platform->address();
  platform.reset();
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_WAITING));
  sandbox_options.http = address;
  StartSandbox();
  EXPECT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
}

TEST_F(ForwarderTest, HoldsAPatientThePlatformDoesNotKnowAndTriesAgain) {
  ASSERT_TRUE(base::WriteFileAtomically(folder / "population.json", "[]").ok());
  sandbox_options.population = folder / "population.json";
  Start();
  Push({Visit()});
  EXPECT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_HELD, "patient_unknown"));
  StopForwarder();
  platform.reset();
  sandbox_options.population.clear();
  Start();
  EXPECT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
}

TEST_F(ForwarderTest, FindsANewbornByTheMotherWhetherThePlatformKnowsEverybodyOrOnlySome) {
  const event::v1::Event& visit = SampleNamed("newborn_visit");
  Start();
  Push({visit});
  EXPECT_TRUE(Becomes(visit.event_id(), DELIVERY_STATE_DELIVERED));
  StopForwarder();
  platform.reset();
  // The same child, and an older one of the same mother.
  ASSERT_TRUE(
      base::WriteFileAtomically(
          folder / "population.json",
          R"([{"mother_nik":"7324025708960002","birth_date":"2023-04-05","platform_id":"P00000000011"},
                      {"mother_nik":"7324025708960002","birth_date":"2026-02-20","platform_id":"P00000000012"}])")
          .ok());
  sandbox_options.population = folder / "population.json";
  sandbox_options.data = folder / "another-sandbox";
  ForgetDeliveries();
  StartTimeline();
  Start();
  Push({visit});
  EXPECT_TRUE(Becomes(visit.event_id(), DELIVERY_STATE_DELIVERED));
  const auto encounters = Resources("Encounter");
  ASSERT_EQ(encounters.size(), 1u);
  EXPECT_THAT(encounters[0], HasSubstr("Patient/P00000000012"));
}

// The sample's newborn as one of twins.
event::v1::Event TwinVisit(uint32_t order, const std::string& name) {
  event::v1::Event event = SampleNamed("newborn_visit");
  event.set_event_id(SampleEventId(5100 + order));
  event.mutable_subject()->set_name(name);
  event.mutable_subject()->mutable_identities(0)->mutable_newborn()->set_birth_order(order);
  return event;
}

std::string TwinRow(std::string_view name, std::string_view platform_id) {
  std::string row = R"({"mother_nik":"7324025708960002","birth_date":"2026-02-20",)";
  if (!name.empty()) row += fmt::format(R"("name":"{}",)", name);
  return row + fmt::format(R"("platform_id":"{}"}})", platform_id);
}

TEST_F(ForwarderTest, TellsTwinsApartByNameWhereThePlatformKnowsBoth) {
  ASSERT_TRUE(base::WriteFileAtomically(folder / "population.json",
                                        "[" + TwinRow("Bayi Satu", "P00000000011") + "," +
                                            TwinRow("Bayi Dua", "P00000000012") + "]")
                  .ok());
  sandbox_options.population = folder / "population.json";
  Start();
  Push({TwinVisit(1, "Bayi Satu"), TwinVisit(2, "Bayi Dua")});
  EXPECT_TRUE(Becomes(SampleEventId(5101), DELIVERY_STATE_DELIVERED));
  EXPECT_TRUE(Becomes(SampleEventId(5102), DELIVERY_STATE_DELIVERED));
  EXPECT_THAT(Resources("Encounter"), UnorderedElementsAre(HasSubstr("Patient/P00000000011"),
                                                           HasSubstr("Patient/P00000000012")));
}

TEST_F(ForwarderTest, TellsTwinsApartByNameWhereThePlatformKnowsEverybody) {
  Start();
  Push({TwinVisit(1, "Bayi Satu"), TwinVisit(2, "Bayi Dua")});
  EXPECT_TRUE(Becomes(SampleEventId(5101), DELIVERY_STATE_DELIVERED));
  EXPECT_TRUE(Becomes(SampleEventId(5102), DELIVERY_STATE_DELIVERED));
  const auto encounters = Resources("Encounter");
  ASSERT_EQ(encounters.size(), 2u);
  const auto patient = [](const std::string& json) {
    return json.substr(json.find("Patient/P"), std::string("Patient/P00000000000").size());
  };
  EXPECT_NE(patient(encounters[0]), patient(encounters[1]));
}

TEST_F(ForwarderTest, HoldsATwinWhomThePlatformCannotTellFromTheOther) {
  // Both without a name, then the first alone.
  for (const std::string& rows : {TwinRow("", "P00000000011") + "," + TwinRow("", "P00000000012"),
                                  TwinRow("Bayi Satu", "P00000000011")}) {
    StopForwarder();
    platform.reset();
    ForgetDeliveries();
    std::filesystem::remove_all(folder / "sandbox");
    StartTimeline();
    ASSERT_TRUE(base::WriteFileAtomically(folder / "population.json", "[" + rows + "]").ok());
    sandbox_options.population = folder / "population.json";
    Start();
    Push({TwinVisit(2, "Bayi Dua")});
    EXPECT_TRUE(Becomes(SampleEventId(5102), DELIVERY_STATE_HELD, "patient_ambiguous")) << rows;
    EXPECT_EQ(Created(), 0u);
  }
  // Tried again: once the second is registered too, it goes out.
  StopForwarder();
  platform.reset();
  ASSERT_TRUE(base::WriteFileAtomically(folder / "population.json",
                                        "[" + TwinRow("Bayi Satu", "P00000000011") + "," +
                                            TwinRow("Bayi Dua", "P00000000012") + "]")
                  .ok());
  Start();
  EXPECT_TRUE(Becomes(SampleEventId(5102), DELIVERY_STATE_DELIVERED));
}

TEST_F(ForwarderTest, HoldsWithWrongCredentialsAndSaysSo) {
  ASSERT_TRUE(base::WriteFileAtomically(
                  folder / "sandbox-credentials.json",
                  R"([{"organization":"100027469","client_id":"another","client_secret":"x"}])")
                  .ok());
  sandbox_options.credentials = folder / "sandbox-credentials.json";
  Start();
  Push({Visit()});
  EXPECT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_HELD, "credentials"));
}

TEST_F(ForwarderTest, LetsARefusedRecordHoldOnlyItselfAndSendsACorrectionInItsPlace) {
  Start();
  Fault(RefusedOnce("Code not found: 'x' in system: y (RuleNumber: 10003)"));
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_REFUSED, "rule_10003"));
  EXPECT_THAT(Record(Visit().event_id()).platform_says(), HasSubstr("Code not found"));
  // Another visit of the same child.
  Push({OtherVisit()});
  EXPECT_TRUE(Becomes(OtherVisit().event_id(), DELIVERY_STATE_DELIVERED));
  EXPECT_EQ(Record(Visit().event_id()).attempts(), 1u);
  const event::v1::Event correction = CorrectionOf(Visit(), 5004, 10'900);
  Push({correction});
  EXPECT_TRUE(Becomes(correction.event_id(), DELIVERY_STATE_DELIVERED));
  const auto trace = Trace(Visit().event_id());
  ASSERT_EQ(trace.records_size(), 2);
  EXPECT_EQ(trace.records(0).state(), DELIVERY_STATE_SUPERSEDED);
}

TEST_F(ForwarderTest, SendsWhatALateWeighingChangesOfAnotherVisit) {
  Start();
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
  const auto gains = [&] {
    const auto observations = Resources("Observation");
    return std::ranges::count_if(observations, [](const std::string& observation) {
      return observation.find("OC000012") != std::string::npos;
    });
  };
  EXPECT_EQ(gains(), 0) << "the first month has no gain";
  event::v1::Event january = Visit();
  january.set_event_id(SampleEventId(5010));
  january.set_visit_id("posyandu-melati-3/2026-01-06/anak-0007");
  january.mutable_occurred_at()->mutable_time()->set_seconds(
      Visit().occurred_at().time().seconds() - 28 * 86'400);
  january.mutable_visit()->set_weight_g(10'000);
  Push({january});
  ASSERT_TRUE(Becomes(january.event_id(), DELIVERY_STATE_DELIVERED));
  ASSERT_TRUE(Eventually([&] {
    const auto trace = Trace(Visit().event_id());
    return trace.records_size() == 2 && trace.records(1).state() == DELIVERY_STATE_DELIVERED;
  }));
  EXPECT_EQ(gains(), 1);
  EXPECT_EQ(Resources("Encounter").size(), 2u);
  ExpectNothingTwice();
}

TEST_F(ForwarderTest, SendsTheHeldInOrderOnceTheDirectoryKnowsTheirFacility) {
  WriteDirectory("{}");
  Start();
  Push({Visit(), OtherVisit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_HELD, "facility_unknown"));
  ASSERT_TRUE(Becomes(OtherVisit().event_id(), DELIVERY_STATE_HELD));
  delivery::v1::ResendRequest dry;
  dry.set_cause("facility_unknown");
  dry.set_dry_run(true);
  delivery::v1::ResendResponse would;
  ASSERT_TRUE(forwarder->Resend(dry, would).ok());
  EXPECT_EQ(would.records_size(), 2);
  WriteDirectory(fhir::TestDirectoryJson());
  EXPECT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
  EXPECT_TRUE(Becomes(OtherVisit().event_id(), DELIVERY_STATE_DELIVERED));
  const auto encounters = Resources("Encounter");
  ASSERT_EQ(encounters.size(), 2u);
  EXPECT_THAT(encounters[0], HasSubstr("2026-02-03"));
}

TEST_F(ForwarderTest, GivesUpWithAReasonAndTakesBackGivingUp) {
  WriteDirectory("{}");
  Start();
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_HELD));
  delivery::v1::ResendRequest request;
  request.add_event_ids(Visit().event_id());
  request.set_give_up_reason("facility closed for good");
  delivery::v1::ResendResponse response;
  ASSERT_TRUE(forwarder->Resend(request, response).ok());
  ASSERT_EQ(response.records_size(), 1);
  EXPECT_EQ(response.records(0).state(), DELIVERY_STATE_NOT_SENT);
  EXPECT_THAT(response.records(0).reason(), HasSubstr("facility closed for good"));
  delivery::v1::ListDeadLettersResponse letters;
  ASSERT_TRUE(forwarder->ListDeadLetters({}, letters).ok());
  EXPECT_EQ(letters.rows_size(), 0);
  WriteDirectory(fhir::TestDirectoryJson());
  request.clear_give_up_reason();
  response.Clear();
  ASSERT_TRUE(forwarder->Resend(request, response).ok());
  EXPECT_EQ(response.had_been_given_up(), 1u);
  EXPECT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
}

TEST_F(ForwarderTest, NeitherSendsNorGivesUpForABlankReason) {
  WriteDirectory("{}");
  Start();
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_HELD));
  for (const char* reason : {"", " \t"}) {
    delivery::v1::ResendRequest request;
    request.add_event_ids(Visit().event_id());
    request.set_give_up_reason(reason);
    delivery::v1::ResendResponse response;
    const absl::Status status = forwarder->Resend(request, response);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(base::Message(status)), HasSubstr("give a reason"));
    EXPECT_EQ(response.records_size(), 0);
  }
}

TEST_F(ForwarderTest, NamesTheEventsItCannotSendAgainBecauseNobodySentThem) {
  Start();
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
  delivery::v1::ResendRequest request;
  request.add_event_ids(SampleEventId(77));
  request.add_event_ids(Visit().event_id());
  delivery::v1::ResendResponse response;
  ASSERT_TRUE(forwarder->Resend(request, response).ok());
  EXPECT_EQ(response.records_size(), 0);
  EXPECT_EQ(response.had_been_given_up(), 0u);
  EXPECT_THAT(response.unknown_event_ids(), ::testing::ElementsAre(SampleEventId(77)));
}

TEST_F(ForwarderTest, StaysPausedOverARestartUntilItIsResumed) {
  Start();
  delivery::v1::PauseRequest pause;
  pause.set_reason("the platform asked for it");
  delivery::v1::PauseResponse paused;
  ASSERT_TRUE(forwarder->Pause(pause, paused).ok());
  StopForwarder();
  StartForwarder();
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_WAITING));
  delivery::v1::GetLedgerResponse ledger;
  ASSERT_TRUE(forwarder->GetLedger({}, ledger).ok());
  EXPECT_TRUE(ledger.paused());
  EXPECT_EQ(Record(Visit().event_id()).reason(), "paused: the platform asked for it");
  EXPECT_EQ(Created(), 0u);
  delivery::v1::ResumeResponse resumed;
  ASSERT_TRUE(forwarder->Resume({}, resumed).ok());
  EXPECT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
}

TEST_F(ForwarderTest, SaysThatPausingKeepsARecordThoughNobodySaidWhy) {
  Start();
  delivery::v1::PauseResponse paused;
  ASSERT_TRUE(forwarder->Pause({}, paused).ok());
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_WAITING));
  EXPECT_EQ(Record(Visit().event_id()).reason(), "paused");
}

TEST_F(ForwarderTest, SaysWithoutAPlatformThatThereIsNoneAndHowLongTheOldestWaits) {
  StartForwarder();
  EXPECT_TRUE(Eventually([&] { return OldestSeconds() == 0; }));
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_WAITING));
  EXPECT_EQ(Record(Visit().event_id()).reason(), "no_platform");
  const double before = WaitedSeconds(Trace(Visit().event_id()));
  EXPECT_TRUE(Eventually([&] { return OldestSeconds() >= before; }));
  clock.Advance(std::chrono::hours(1));
  const double after = WaitedSeconds(Trace(Visit().event_id()));
  EXPECT_TRUE(Eventually([&] { return OldestSeconds() >= after; }));
  EXPECT_LE(OldestSeconds(), WaitedSeconds(Trace(Visit().event_id())));
}

TEST_F(ForwarderTest, IsTheSameLedgerAfterItsFolderWasDeleted) {
  Start();
  std::vector<event::v1::Event> events;
  for (const simpul::testing::SampleEvent& sample : simpul::testing::SampleEvents())
    events.push_back(sample.event);
  Push(events);
  delivery::v1::GetLedgerResponse ledger;
  const auto settled = [&] {
    ledger.Clear();
    EXPECT_TRUE(forwarder->GetLedger({}, ledger).ok());
    uint64_t waiting = 0, delivered = 0;
    for (const auto& partition : ledger.partitions()) {
      waiting += partition.waiting();
      delivered += partition.delivered();
    }
    return waiting == 0 && delivered > 10 && forwarder->Ready().ok();
  };
  ASSERT_TRUE(Eventually([&] {
    for (const event::v1::Event& event : events) {
      if (Trace(event.event_id()).state() == delivery::v1::EVENT_STATE_ACCEPTED) return false;
    }
    return settled();
  }));
  const std::string checksum = ledger.checksum();
  const uint64_t created = Created();
  StopForwarder();
  std::filesystem::remove_all(options.folder);
  StartForwarder();
  ASSERT_TRUE(Eventually(settled));
  EXPECT_EQ(ledger.checksum(), checksum);
  EXPECT_EQ(Created(), created);
  ExpectNothingTwice();
}

TEST_F(ForwarderTest, ClaimsNoPartitionWhoseLogIsNotTheOneItApplied) {
  StartSandbox();
  timeline.reset();
  // Claims every partition and applies it, and a pause behind it.
  const auto claim_and_stop = [this] {
    StartForwarder();
    EXPECT_TRUE(Eventually([this] { return forwarder->Ready().ok(); })) << forwarder->Ready();
    delivery::v1::PauseResponse response;
    EXPECT_TRUE(forwarder->Pause({}, response).ok());
    StopForwarder();
    log.reset();
  };
  log.reset();
  std::filesystem::copy(folder / "log", folder / "older");
  log = simpul::testing::OpenLog(folder / "log", secret, metrics);
  claim_and_stop();
  std::filesystem::remove_all(folder / "log");
  std::filesystem::rename(folder / "older", folder / "log");

  // The log is put back from before, and another forwarder writes as many records as are gone.
  log = simpul::testing::OpenLog(folder / "log", secret, metrics);
  const std::filesystem::path own = std::exchange(options.folder, folder / "another");
  claim_and_stop();
  options.folder = own;
  log = simpul::testing::OpenLog(folder / "log", secret, metrics);
  std::vector<int64_t> ends;
  for (uint32_t p = 0; p < log->partitions(); ++p) {
    ends.push_back(*log->End({eventlog::Topic::kDeliveries, p}));
  }
  StartForwarder();
  EXPECT_TRUE(Eventually([this] {
    return base::Message(forwarder->Ready()).find("another record at position 2") !=
           std::string_view::npos;
  })) << forwarder->Ready();
  StopForwarder();
  for (uint32_t p = 0; p < log->partitions(); ++p) {
    EXPECT_EQ(*log->End({eventlog::Topic::kDeliveries, p}), ends[p]) << "of partition " << p;
  }
}

TEST_F(ForwarderTest, ListsWhatChangedSinceACursor) {
  Start();
  Push({Visit()});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_DELIVERED));
  delivery::v1::ListDeliveriesRequest request;
  delivery::v1::ListDeliveriesResponse first;
  ASSERT_TRUE(forwarder->ListDeliveries(request, first).ok());
  ASSERT_EQ(first.changes_size(), 1);
  EXPECT_TRUE(first.at_end());
  EXPECT_EQ(first.changes(0).record().state(), DELIVERY_STATE_DELIVERED);
  EXPECT_EQ(first.changes(0).event_ids(0), Visit().event_id());
  EXPECT_GT(first.changes(0).record().platform_ids_size(), 0);

  Push({SampleNamed("elder_visit")});
  ASSERT_TRUE(Becomes(SampleNamed("elder_visit").event_id(), DELIVERY_STATE_DELIVERED));
  request.set_after(first.cursor());
  delivery::v1::ListDeliveriesResponse second;
  ASSERT_TRUE(forwarder->ListDeliveries(request, second).ok());
  ASSERT_EQ(second.changes_size(), 1);
  EXPECT_EQ(second.changes(0).event_ids(0), SampleNamed("elder_visit").event_id());
  request.set_after(second.cursor() + "x");
  EXPECT_EQ(forwarder->ListDeliveries(request, second).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ForwarderTest, ListsDeadLettersHeldRecordsAndWhatWaits) {
  WriteDirectory("{}");
  Start();
  event::v1::Event lonely = CorrectionOf(SampleNamed("elder_visit"), 5005, 60'000);
  event::v1::Event conflicting = Visit();
  conflicting.mutable_visit()->set_weight_g(12'345);
  Push({Visit(), lonely, conflicting});
  ASSERT_TRUE(Becomes(Visit().event_id(), DELIVERY_STATE_HELD));
  ASSERT_TRUE(Eventually([&] {
    return Trace(lonely.event_id()).state() == delivery::v1::EVENT_STATE_WAITING_FOR_ORIGINAL;
  }));
  EXPECT_EQ(Trace(lonely.event_id()).reason(), SampleNamed("elder_visit").event_id());
  delivery::v1::ListDeadLettersRequest request;
  request.set_waiting(true);
  request.set_page_size(1);
  std::vector<std::string> causes;
  ASSERT_TRUE(Eventually([&] {
    causes.clear();
    request.clear_page_token();
    do {
      delivery::v1::ListDeadLettersResponse response;
      EXPECT_TRUE(forwarder->ListDeadLetters(request, response).ok());
      for (const auto& row : response.rows()) causes.push_back(row.cause());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return causes.size() == 3;
  }));
  EXPECT_THAT(causes, ::testing::UnorderedElementsAre("facility_unknown", "conflict",
                                                      "waiting_for_original"));

  request.Clear();
  request.set_cause("waiting_for_original");
  delivery::v1::ListDeadLettersResponse waiting;
  ASSERT_TRUE(forwarder->ListDeadLetters(request, waiting).ok());
  ASSERT_EQ(waiting.rows_size(), 1);
  EXPECT_THAT(waiting.rows(0).fix(), HasSubstr("push the original"));
  EXPECT_THAT(Trace(lonely.event_id()).fix(), HasSubstr("push the original"));
  request.set_cause("held");
  delivery::v1::ListDeadLettersResponse held;
  ASSERT_TRUE(forwarder->ListDeadLetters(request, held).ok());
  ASSERT_EQ(held.rows_size(), 1);
  EXPECT_THAT(held.rows(0).message(), HasSubstr("held: the directory has no facility"));
  EXPECT_THAT(held.rows(0).fix(), HasSubstr("directory file"));
  EXPECT_EQ(Record(Visit().event_id()).fix(), held.rows(0).fix());
}

TEST_F(ForwarderTest, CreatesOneEncounterWhicheverOfVisitAndReferralComesFirst) {
  Start();
  const event::v1::Event& referral = SampleNamed("referral_sent");
  Push({referral});
  ASSERT_TRUE(Becomes(referral.event_id(), DELIVERY_STATE_DELIVERED));
  ASSERT_EQ(Resources("Encounter").size(), 1u);
  const event::v1::Event visit = VisitOf(referral);
  Push({visit});
  ASSERT_TRUE(Becomes(visit.event_id(), DELIVERY_STATE_DELIVERED));
  EXPECT_EQ(Resources("Encounter").size(), 1u);
  ExpectNothingTwice();
}

TEST_F(ForwarderTest, KeepsNamesAndIdentityNumbersInside) {
  constexpr std::string_view kName = "Kanaria Mustikawati";
  constexpr std::string_view kNik = "7324021505880007";
  const auto with_canary = [&](event::v1::Event event) {
    event.mutable_subject()->set_name(std::string(kName));
    event.mutable_subject()->mutable_identities()->Clear();
    event.mutable_subject()->add_identities()->mutable_nik()->set_number(std::string(kNik));
    return event;
  };
  const event::v1::Event refused = with_canary(Visit());
  const event::v1::Event delivered = with_canary(OtherVisit());
  event::v1::Event conflicting = refused;
  conflicting.mutable_visit()->set_weight_g(9'999);
  ::testing::internal::CaptureStderr();
  Start();
  Fault(RefusedOnce("Kanaria MUSTIKAWATI with 7324021505880007 is not wanted (RuleNumber: 10166)"));
  Push({refused});
  ASSERT_TRUE(Becomes(refused.event_id(), DELIVERY_STATE_REFUSED));
  ClearFaults();
  Push({delivered, conflicting});
  ASSERT_TRUE(Becomes(delivered.event_id(), DELIVERY_STATE_DELIVERED));
  delivery::v1::ListDeadLettersResponse letters;
  ASSERT_TRUE(Eventually([&] {
    letters.Clear();
    return forwarder->ListDeadLetters({}, letters).ok() && letters.rows_size() == 2;
  }));
  delivery::v1::ListDeliveriesResponse changes;
  ASSERT_TRUE(forwarder->ListDeliveries({}, changes).ok());
  // Last a hold: the platform is gone while another patient is looked up.
  platform.reset();
  const event::v1::Event waiting = with_canary(SampleNamed("home_visit_done"));
  Push({waiting});
  ASSERT_TRUE(Becomes(waiting.event_id(), DELIVERY_STATE_WAITING));
  const std::string told = Trace(refused.event_id()).DebugString() +
                           Trace(delivered.event_id()).DebugString() +
                           Trace(waiting.event_id()).DebugString() + letters.DebugString() +
                           changes.DebugString() + metrics.Render();
  StopForwarder();
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(told, HasSubstr("is not wanted"));
  for (const std::string& text : {told, logged}) {
    EXPECT_THAT(text, Not(HasSubstr(std::string(kNik))));
    EXPECT_THAT(text, Not(::testing::ContainsRegex("[Kk]anaria")));
    EXPECT_THAT(text, Not(::testing::ContainsRegex("[Mm][Uu][Ss][Tt][Ii][Kk]")));
  }
}

TEST_F(ForwarderTest, RefusesRequestsItCannotMeanAnythingBy) {
  Start();
  delivery::v1::TraceResponse traces;
  EXPECT_THAT(std::string(base::Message(forwarder->Trace({}, traces))), HasSubstr("1 to 500"));
  delivery::v1::ResendRequest request;
  delivery::v1::ResendResponse response;
  EXPECT_THAT(std::string(base::Message(forwarder->Resend(request, response))), HasSubstr("cause"));
  delivery::v1::ListDeadLettersRequest letters;
  delivery::v1::ListDeadLettersResponse rows;
  letters.set_cause("nonsense");
  EXPECT_THAT(std::string(base::Message(forwarder->ListDeadLetters(letters, rows))),
              HasSubstr("docs/delivery.md"));
  request.set_cause("nonsense");
  EXPECT_THAT(std::string(base::Message(forwarder->Resend(request, response))),
              HasSubstr("docs/delivery.md"));
  request.clear_cause();
  request.add_event_ids("nonsense");
  EXPECT_THAT(std::string(base::Message(forwarder->Resend(request, response))),
              HasSubstr("event_ids[0]"));
  request.set_event_ids(0, SampleEventId(1));
  request.set_give_up_reason("child 7324021505200001");
  const std::string why(base::Message(forwarder->Resend(request, response)));
  EXPECT_THAT(why, HasSubstr("identity number"));
  EXPECT_THAT(why, Not(HasSubstr("7324021505200001")));
}

}  // namespace
}  // namespace simpul::forwarder
