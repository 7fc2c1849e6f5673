#include "lib/fhir/map.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "lib/base/uuid.h"
#include "lib/fhir/code_check.h"
#include "lib/fhir/terminology.h"
#include "lib/rules/growth.h"
#include "lib/rules/screening.h"
#include "tests/fhir/entries.h"
#include "tests/support/sample_events.h"
#include "tests/support/source_file.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::SampleNamed;

const Part* PartOf(const Mapped& mapped, std::string_view type, std::string_view holding = "") {
  for (const Part& part : mapped.parts) {
    if (part.resource_type == type && part.json.find(holding) != std::string::npos) return &part;
  }
  return nullptr;
}

std::string JsonOf(const Mapped& mapped, std::string_view type, std::string_view holding = "") {
  const Part* part = PartOf(mapped, type, holding);
  return part == nullptr ? "no such part" : part->json;
}

std::string ReasonOf(const MapResult& result) {
  if (const auto* not_sent = std::get_if<NotSent>(&result)) return not_sent->reason;
  if (const auto* needs = std::get_if<NeedsDirectory>(&result)) return needs->reason;
  return "mapped";
}

MapResult MapOf(const timeline::v1::Entry& entry) {
  return Map(entry, TestDirectory(), {"P02478375538"});
}

v1::Event Weighing() { return SampleNamed("weighing"); }

// Test vectors of docs/fhir-mapping.md, "Platform identifiers": frozen.
TEST(PartKey, IsTheOneWrittenDown) {
  const v1::Facility puskesmas = testing::SamplePuskesmas();
  EXPECT_EQ(PartKey(puskesmas, "RJ-2026-02-05-0113", "encounter", TestSubjectKey()),
            "b30455df-4d00-5fbb-aa03-cdfca23c0678");
  EXPECT_EQ(PartKey(puskesmas, testing::SampleEventId(1), "weight", TestSubjectKey()),
            "264e856f-da4f-5ed0-b0dc-40db30615bff");
  EXPECT_EQ(PartKey(puskesmas, testing::SampleEventId(1), "weight", std::string(16, '\0')),
            "66123ca3-a98b-5ecc-ad25-2e4d3494d40d");
}

TEST(PartKey, DiffersWhereAnyFieldDoesAndFieldsDoNotRunTogether) {
  v1::Facility a, b;
  a.set_system("ab");
  a.set_code("c");
  b.set_system("a");
  b.set_code("bc");
  EXPECT_NE(PartKey(a, "1", "weight", "k"), PartKey(b, "1", "weight", "k"));
  EXPECT_NE(PartKey(a, "1", "weight", "k"), PartKey(a, "1weight", "", "k"));
  EXPECT_TRUE(base::IsUuid(PartKey(a, "1", "weight", "k")));
}

TEST(IdentifierSystem, NamesTheOrganisation) {
  EXPECT_EQ(IdentifierSystem("Observation", "100027469"),
            "http://sys-ids.kemkes.go.id/observation/100027469");
  EXPECT_EQ(IdentifierSystem("EpisodeOfCare", "1"),
            "http://sys-ids.kemkes.go.id/episode-of-care/1");
  EXPECT_EQ(IdentifierSystem("QuestionnaireResponse", "1"),
            "http://sys-ids.kemkes.go.id/QuestionnaireResponse/1");
  EXPECT_EQ(IdentifierSystem("Immunization", "1"), "");
}

TEST(Map, PutsEveryPartUnderItsOwnKeyAndIdentifier) {
  const Mapped mapped = MappedOf(EntryOf(
      {SampleNamed("growth_visit"), SampleNamed("vitamin_a"), SampleNamed("immunisation_given")}));
  std::set<std::string> keys;
  ASSERT_FALSE(mapped.parts.empty());
  EXPECT_EQ(mapped.parts[0].resource_type, "Encounter");
  EXPECT_EQ(mapped.organization, "100027469");
  for (const Part& part : mapped.parts) {
    EXPECT_TRUE(base::IsUuid(part.key));
    EXPECT_TRUE(keys.insert(part.key).second) << part.resource_type;
    if (part.resource_type == "Immunization") {
      EXPECT_EQ(part.identifier_system, "");
      continue;
    }
    EXPECT_EQ(part.identifier_system, IdentifierSystem(part.resource_type, "100027469"));
    EXPECT_THAT(part.json, HasSubstr("{\"system\":\"" + part.identifier_system + "\",\"value\":\"" +
                                     part.key + "\"}"));
  }
}

TEST(Map, KeepsKeysWhenAMemberIsCorrected) {
  const Mapped before = MappedOf(EntryOf({SampleNamed("growth_visit")}));
  const Mapped after =
      MappedOf(EntryOf({SampleNamed("growth_visit"), SampleNamed("weighing_corrected")}));
  ASSERT_EQ(before.parts.size(), after.parts.size());
  for (size_t i = 0; i < before.parts.size(); ++i) {
    EXPECT_EQ(before.parts[i].key, after.parts[i].key);
  }
  EXPECT_THAT(JsonOf(before, "Observation", "29463-7"), HasSubstr("\"value\":10.45,"));
  EXPECT_THAT(JsonOf(after, "Observation", "29463-7"), HasSubstr("\"value\":10.54,"));
}

TEST(Map, KeepsKeysWhenALinkMovesTheEntryToAnotherPatient) {
  timeline::v1::Entry entry = EntryOf({Weighing()});
  const Mapped before = MappedOf(entry);
  entry.mutable_members(0)->set_original_key(entry.subject_key());
  entry.set_subject_key("another patient!");
  const Mapped after = MappedOf(entry);
  for (size_t i = 0; i < before.parts.size(); ++i) {
    EXPECT_EQ(before.parts[i].key, after.parts[i].key);
  }
}

TEST(Map, KeepsTheEncountersKeyWhenItsFirstEventIsTakenBack) {
  timeline::v1::Entry entry = EntryOf({SampleNamed("growth_visit"), SampleNamed("vitamin_a")});
  entry.mutable_members(0)->set_original_key("\x01 an older key...");
  const std::string before = MappedOf(entry).parts[0].key;
  entry.mutable_members(0)->set_state(timeline::v1::MEMBER_STATE_RETRACTED);
  const Mapped after = MappedOf(entry);
  EXPECT_EQ(after.parts[0].key, before);
  EXPECT_EQ(PartOf(after, "Observation"), nullptr);
  EXPECT_NE(PartOf(after, "Procedure"), nullptr);
}

TEST(Map, PrintsMeasuresAsExactDecimals) {
  v1::Event event = Weighing();
  v1::Visit* visit = event.mutable_visit();
  visit->set_weight_g(3005);
  visit->set_length_mm(501);
  visit->set_position(v1::MEASURING_POSITION_LYING);
  visit->set_temperature_dc(370);
  visit->set_gestational_age_days(195);
  const Mapped mapped = MappedOf(EntryOf({event}));
  EXPECT_THAT(JsonOf(mapped, "Observation", "29463-7"),
              HasSubstr("\"valueQuantity\":{\"value\":3.005,\"unit\":\"kg\""));
  EXPECT_THAT(JsonOf(mapped, "Observation", "8306-3"), HasSubstr("\"value\":50.1,"));
  EXPECT_THAT(JsonOf(mapped, "Observation", "8310-5"), HasSubstr("\"value\":37,"));
  EXPECT_THAT(JsonOf(mapped, "Observation", "18185-9"), HasSubstr("\"value\":27,"));
  EXPECT_THAT(JsonOf(mapped, "Observation", "18185-9"), HasSubstr("27 weeks 6 days"));
}

TEST(Map, SendsAMeasuredZeroAndNothingThatWasNotMeasured) {
  v1::Event event = Weighing();
  event.mutable_visit()->clear_weight_g();
  event.mutable_visit()->set_fetal_heart_per_min(0);
  const Mapped mapped = MappedOf(EntryOf({event}));
  EXPECT_EQ(PartOf(mapped, "Observation", "29463-7"), nullptr);
  EXPECT_THAT(JsonOf(mapped, "Observation", "55283-6"), HasSubstr("\"value\":0,"));
}

TEST(Map, SpreadsTheStatusesOverAKnownContact) {
  const Mapped mapped = MappedOf(EntryOf({SampleNamed("growth_visit")}));
  EXPECT_THAT(
      JsonOf(mapped, "Encounter"),
      HasSubstr("\"statusHistory\":["
                "{\"status\":\"arrived\",\"period\":{\"start\":\"2026-02-03T01:18:00+00:00\","
                "\"end\":\"2026-02-03T01:18:01+00:00\"}},"
                "{\"status\":\"in-progress\",\"period\":{\"start\":\"2026-02-03T01:18:01+00:00\","
                "\"end\":\"2026-02-03T01:30:59+00:00\"}},"
                "{\"status\":\"finished\",\"period\":{\"start\":\"2026-02-03T01:30:59+00:00\","
                "\"end\":\"2026-02-03T01:31:00+00:00\"}}]"));
}

TEST(Map, SpansAllEventsOfAVisitWhateverTheirOrder) {
  const auto events = std::vector{SampleNamed("growth_visit"), SampleNamed("vitamin_a"),
                                  SampleNamed("immunisation_given")};
  const Mapped forward = MappedOf(EntryOf(events));
  EXPECT_THAT(JsonOf(forward, "Encounter"),
              HasSubstr("\"period\":{\"start\":\"2026-02-03T01:18:00+00:00\","
                        "\"end\":\"2026-02-03T01:40:00+00:00\"}"));
  EXPECT_THAT(JsonOf(forward, "Encounter"), HasSubstr("Practitioner/10001354453"));
  EXPECT_THAT(JsonOf(forward, "Encounter"), HasSubstr("Practitioner/10009880728"));
}

TEST(Map, PutsAnEventOfAKnownDayWithinTheVisitOfThatDay) {
  v1::Event day_only = SampleNamed("vitamin_a");
  day_only.mutable_occurred_at()->set_precision(v1::TIME_PRECISION_DAY);
  const Mapped mapped = MappedOf(EntryOf({day_only, SampleNamed("growth_visit")}));
  EXPECT_THAT(JsonOf(mapped, "Procedure"),
              HasSubstr("\"performedDateTime\":\"2026-02-03T01:18:00+00:00\""));
  const Mapped alone = MappedOf(EntryOf({day_only}));
  EXPECT_THAT(JsonOf(alone, "Procedure"),
              HasSubstr("\"performedDateTime\":\"2026-02-02T16:00:00+00:00\""));
}

TEST(Map, GivesEveryVisitWithoutADiagnosisAReasonThatIsNoDisease) {
  const auto reason = [](const v1::Event& event) {
    const Mapped mapped = MappedOf(EntryOf({event}));
    const std::string json = JsonOf(mapped, "Condition", "encounter-diagnosis");
    const size_t at = json.find("icd-10\",\"code\":\"");
    return at == std::string::npos ? json : json.substr(at + 16, 5);
  };
  EXPECT_EQ(reason(SampleNamed("weighing")), "Z00.1");
  EXPECT_EQ(reason(SampleNamed("newborn_visit")), "Z00.1");
  EXPECT_EQ(reason(SampleNamed("antenatal_visit")), "Z34.9");
  EXPECT_EQ(reason(SampleNamed("twin_birth")), "Z39.2");
  EXPECT_EQ(reason(SampleNamed("immunisation_given")), "Z27.8");
  EXPECT_EQ(reason(SampleNamed("immunisation_reported")), "Z00.1");
  EXPECT_EQ(reason(SampleNamed("elder_visit")), "Z00.0");
  v1::Event postpartum = SampleNamed("elder_visit");
  postpartum.mutable_visit()->set_ordinal("KF2");
  EXPECT_EQ(reason(postpartum), "Z39.2");
  for (const auto& [birth_date, code] :
       {std::pair("2016-02-04", "Z00.1"), std::pair("2016-02-03", "Z00.3"),
        std::pair("2008-02-04", "Z00.3"), std::pair("2008-02-03", "Z00.0"),
        std::pair("", "Z00.0")}) {
    v1::Event event = SampleNamed("elder_visit");  // 2026-02-03
    event.mutable_subject()->set_birth_date(birth_date);
    EXPECT_EQ(reason(event), code) << birth_date;
  }
}

TEST(Map, RanksDiagnosesAndLeavesTheReasonOut) {
  const Mapped mapped = MappedOf(EntryOf({SampleNamed("outpatient_visit")}));
  const Part* primary = PartOf(mapped, "Condition", "A09.9");
  const Part* secondary = PartOf(mapped, "Condition", "E86");
  ASSERT_NE(primary, nullptr);
  ASSERT_NE(secondary, nullptr);
  EXPECT_THAT(primary->json, HasSubstr("\"confirmed\""));
  EXPECT_THAT(secondary->json, HasSubstr("\"provisional\""));
  const std::string encounter = JsonOf(mapped, "Encounter");
  EXPECT_LT(encounter.find(primary->key), encounter.find(secondary->key));
  EXPECT_EQ(PartOf(mapped, "Condition", "Z00"), nullptr);
  EXPECT_THAT(JsonOf(mapped, "Condition", "386661006"),
              HasSubstr("\"onsetDateTime\":\"2026-02-03T16:00:00+00:00\""));
}

TEST(Map, NeverMakesADiagnosisOfWhatAKaderWrote) {
  v1::Event event = SampleNamed("growth_visit");
  v1::Diagnosis* diagnosis = event.mutable_visit()->add_diagnoses();
  diagnosis->mutable_code()->set_system("http://hl7.org/fhir/sid/icd-10");
  diagnosis->mutable_code()->set_code("A15.0");
  diagnosis->set_certainty(v1::DIAGNOSIS_CERTAINTY_CONFIRMED);
  const Mapped mapped = MappedOf(EntryOf({event}));
  EXPECT_THAT(mapped.unmapped, Contains("kader_diagnosis"));
  for (const Part& part : mapped.parts) EXPECT_THAT(part.json, Not(HasSubstr("A15.0")));
  EXPECT_NE(PartOf(mapped, "Condition", "Z00.1"), nullptr);

  v1::Event referral = SampleNamed("referral_sent");
  referral.mutable_recorder()->set_role(v1::RECORDER_ROLE_KADER);
  const Mapped referred = MappedOf(EntryOf({referral}));
  EXPECT_THAT(referred.unmapped, Contains("kader_diagnosis"));
  for (const Part& part : referred.parts) EXPECT_THAT(part.json, Not(HasSubstr("A15.0")));
}

TEST(Map, SendsAHomeVisitAsAmbulatoryAndNotOneThatWasNotMade) {
  EXPECT_THAT(JsonOf(MappedOf(EntryOf({SampleNamed("home_visit_done")})), "Encounter"),
              HasSubstr("\"code\":\"AMB\""));
  v1::Event event = SampleNamed("home_visit_refused");
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({event}))), "home_visit_refused");
  event.mutable_visit()->mutable_home_visit()->set_outcome(v1::HOME_VISIT_OUTCOME_PLANNED);
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({event}))), "home_visit_planned");
  event.mutable_visit()->mutable_home_visit()->set_outcome(v1::HOME_VISIT_OUTCOME_NOT_MET);
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({event}))), "home_visit_not_met");
}

TEST(Map, SaysWhatTheDirectoryLacks) {
  EXPECT_EQ(ReasonOf(Map(EntryOf({Weighing()}), Directory(), {})), "facility_unknown");
  v1::Event event = Weighing();
  event.mutable_responsible()->set_nik("7324020101800009");
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({event}))), "practitioner_unknown");
  const auto bare = Directory::Parse(R"({"facilities": [
    {"codes": [{"system": "kemenkes", "code": "P7324020101"}], "organization": "1"}]})");
  ASSERT_TRUE(bare.ok());
  EXPECT_EQ(ReasonOf(Map(EntryOf({Weighing()}), *bare, {})), "location_unknown");
  EXPECT_EQ(ReasonOf(Map(EntryOf({SampleNamed("referral_sent")}), *bare, {})), "facility_unknown");
}

TEST(Map, NeverSendsTrainingProposalsOrWhatConcernsThePersonAlone) {
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({SampleNamed("training_visit")}))), "training");
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({SampleNamed("referral_proposed")}))), "proposed");
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({SampleNamed("child_registered")}))), "patient_registered");
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({SampleNamed("died")}))), "patient_status");
  v1::Event cancelled = SampleNamed("referral_proposed");
  cancelled.mutable_referral()->set_state(v1::REFERRAL_STATE_CANCELLED);
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({SampleNamed("referral_proposed"), cancelled}))), "proposed");
}

TEST(Map, KeepsWhatIsOlderThanThePlatform) {
  v1::Event event = Weighing();
  event.mutable_occurred_at()->mutable_time()->set_seconds(1'401'753'599);
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({event}))), "before_platform");
  event.mutable_occurred_at()->mutable_time()->set_seconds(1'401'753'600);
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({event}))), "mapped");
  EXPECT_EQ(ReasonOf(Map(EntryOf({event}), TestDirectory(), {}, {.earliest_day = "2020-01-01"})),
            "before_platform");
  event.mutable_occurred_at()->mutable_time()->set_seconds(0);
  EXPECT_EQ(ReasonOf(Map(EntryOf({event}), TestDirectory(), {}, {.earliest_day = ""})), "mapped");
}

TEST(Map, YieldsNoPartsForAWithdrawnEntry) {
  timeline::v1::Entry entry = EntryOf({Weighing()});
  entry.mutable_members(0)->set_state(timeline::v1::MEMBER_STATE_RETRACTED);
  entry.set_withdrawn(true);
  const Mapped mapped = MappedOf(entry);
  EXPECT_THAT(mapped.parts, IsEmpty());
  EXPECT_EQ(mapped.organization, "100027469");
}

TEST(Map, SurvivesBytesThatAreNoEvent) {
  timeline::v1::Entry entry = EntryOf({Weighing()});
  entry.mutable_members(0)->set_event("\xff\xff");
  EXPECT_EQ(ReasonOf(MapOf(entry)), "unreadable");
}

v1::Event Dose(const std::function<void(v1::Immunisation&)>& change) {
  v1::Event event = SampleNamed("immunisation_given");
  change(*event.mutable_immunisation());
  return event;
}

TEST(Immunisation, IsSentOnlyWithWhatThePlatformDemands) {
  const auto unmapped = [](const std::function<void(v1::Immunisation&)>& change) {
    const Mapped mapped = MappedOf(EntryOf({Dose(change)}));
    EXPECT_EQ(PartOf(mapped, "Immunization"), nullptr);
    return mapped.unmapped;
  };
  EXPECT_THAT(unmapped([](v1::Immunisation& dose) { dose.clear_lot(); }),
              ElementsAre("immunisation lot"));
  EXPECT_THAT(unmapped([](v1::Immunisation& dose) { dose.clear_expiry(); }),
              ElementsAre("immunisation expiry"));
  EXPECT_THAT(unmapped([](v1::Immunisation& dose) { dose.set_expiry("2026-02-03"); }),
              ElementsAre("immunisation expiry"));
  EXPECT_THAT(unmapped([](v1::Immunisation& dose) { dose.clear_dose(); }),
              ElementsAre("immunisation dose"));
  EXPECT_THAT(unmapped([](v1::Immunisation& dose) { dose.set_antigen("XYZ"); }),
              ElementsAre("immunisation XYZ"));
  EXPECT_THAT(unmapped([](v1::Immunisation& dose) {
                dose.set_status(v1::DOSE_STATUS_REPORTED);
                dose.set_given_on("2013-05-02");
              }),
              ElementsAre("immunisation before_platform"));
}

TEST(Immunisation, ReportedKeepsAnExpiryOnlyAfterTheDayItWasGiven) {
  const auto reported = [](std::string_view expiry) {
    return MappedOf(EntryOf({Dose([&](v1::Immunisation& dose) {
      dose.set_status(v1::DOSE_STATUS_REPORTED);
      dose.set_given_on("2025-06-10");
      dose.set_expiry(std::string(expiry));
    })}));
  };
  EXPECT_THAT(JsonOf(reported("2025-06-11"), "Immunization"), HasSubstr("expirationDate"));
  EXPECT_THAT(JsonOf(reported("2025-06-10"), "Immunization"), Not(HasSubstr("expirationDate")));
  EXPECT_THAT(reported("2025-06-10").unmapped, ElementsAre("immunisation expiry"));
}

TEST(Immunisation, NamesAProductOnlyFromTheListThePlatformTakes) {
  const Mapped known = MappedOf(EntryOf({SampleNamed("immunisation_given")}));
  EXPECT_THAT(JsonOf(known, "Immunization"), HasSubstr("\"code\":\"93005781\""));
  const Mapped other = MappedOf(EntryOf({Dose([](auto& dose) { dose.set_kfa_code("93999999"); })}));
  EXPECT_THAT(JsonOf(other, "Immunization"), Not(HasSubstr("93999999")));
  EXPECT_THAT(JsonOf(other, "Immunization"), HasSubstr("\"code\":\"VG03\""));
  EXPECT_THAT(other.unmapped, ElementsAre("immunisation kfa 93999999"));
}

TEST(Immunisation, CountsTheOnlyDoseOfASeriesAsTheFirst) {
  const Mapped mapped = MappedOf(EntryOf({Dose([](auto& dose) {
    dose.set_antigen("BCG");
    dose.clear_dose();
  })}));
  EXPECT_THAT(JsonOf(mapped, "Immunization"), HasSubstr("\"doseNumberPositiveInt\":1"));
}

TEST(Immunisation, ReportedByAKaderIsTheOrganisationsWord) {
  const std::string json =
      JsonOf(MappedOf(EntryOf({SampleNamed("immunisation_reported")})), "Immunization");
  EXPECT_THAT(json, HasSubstr("\"primarySource\":false"));
  EXPECT_THAT(json, HasSubstr("\"code\":\"EP\""));
  EXPECT_THAT(json, HasSubstr("\"actor\":{\"reference\":\"Organization/100027469\"}"));
  EXPECT_THAT(json, HasSubstr("\"code\":\"provider\""));
  EXPECT_THAT(json, HasSubstr("\"occurrenceDateTime\":\"2024-08-13T16:00:00+00:00\""));
}

TEST(Observations, LeaveOutWhatThePlatformWouldRefuseAndListIt) {
  const auto unmapped = [](const std::function<void(v1::CodedObservation&)>& change) {
    v1::Event event = Weighing();
    v1::CodedObservation* observation = event.mutable_visit()->add_observations();
    observation->mutable_code()->set_system("http://loinc.org");
    observation->mutable_code()->set_code("2345-7");
    observation->mutable_quantity()->set_value("104");
    observation->mutable_quantity()->set_unit("mg/dL");
    change(*observation);
    return MappedOf(EntryOf({event})).unmapped;
  };
  EXPECT_THAT(unmapped([](v1::CodedObservation&) {}), IsEmpty());
  EXPECT_THAT(unmapped([](auto& o) { o.mutable_quantity()->set_unit("mg per dl"); }),
              ElementsAre("observation 2345-7"));
  EXPECT_THAT(unmapped([](auto& o) { o.mutable_quantity()->set_value("1e2"); }),
              ElementsAre("observation 2345-7"));
  EXPECT_THAT(unmapped([](auto& o) { o.mutable_code()->set_code("2345-8"); }),
              ElementsAre("observation 2345-8"));
  EXPECT_THAT(unmapped([](auto& o) { o.mutable_code()->set_system("urn:own"); }),
              ElementsAre("observation 2345-7"));
  EXPECT_THAT(unmapped([](auto& o) { o.clear_value(); }), ElementsAre("observation 2345-7"));
  EXPECT_THAT(unmapped([](auto& o) { o.mutable_coded()->set_code("x"); }),
              ElementsAre("observation 2345-7"));
  EXPECT_THAT(unmapped([](auto& o) { o.mutable_code()->set_code("7324021203240001"); }),
              ElementsAre("observation code"));
}

TEST(Observations, OfTheSameCodeTwiceHaveTwoKeys) {
  v1::Event event = Weighing();
  for (const char* value : {"104", "98"}) {
    v1::CodedObservation* observation = event.mutable_visit()->add_observations();
    observation->mutable_code()->set_system("http://loinc.org");
    observation->mutable_code()->set_code("2345-7");
    observation->mutable_quantity()->set_value(value);
    observation->mutable_quantity()->set_unit("mg/dL");
  }
  const Mapped mapped = MappedOf(EntryOf({event}));
  EXPECT_NE(PartOf(mapped, "Observation", "\"value\":104,")->key,
            PartOf(mapped, "Observation", "\"value\":98,")->key);
}

TEST(Referral, FollowsTheLatestState) {
  const auto status = [](const std::vector<v1::Event>& events) {
    const std::string json = JsonOf(MappedOf(EntryOf(events)), "ServiceRequest");
    const size_t at = json.find("\"status\":\"");
    return json.substr(at + 10, json.find('"', at + 10) - at - 10);
  };
  const v1::Event sent = SampleNamed("referral_sent");
  const auto then = [&](v1::ReferralState state) {
    v1::Event event = SampleNamed("referral_accepted");
    event.mutable_referral()->set_state(state);
    return std::vector{sent, event};
  };
  EXPECT_EQ(status({sent}), "active");
  EXPECT_EQ(status(then(v1::REFERRAL_STATE_ACCEPTED)), "active");
  EXPECT_EQ(status(then(v1::REFERRAL_STATE_PATIENT_ARRIVED)), "active");
  EXPECT_EQ(status(then(v1::REFERRAL_STATE_REJECTED)), "revoked");
  EXPECT_EQ(status(then(v1::REFERRAL_STATE_NO_SHOW)), "revoked");
  EXPECT_EQ(status(then(v1::REFERRAL_STATE_CANCELLED)), "revoked");
  EXPECT_EQ(status(then(v1::REFERRAL_STATE_COMPLETED)), "completed");
  EXPECT_EQ(status(then(v1::REFERRAL_STATE_CLOSED)), "completed");
}

TEST(Referral, HangsOnTheEncounterOfTheVisitThatReferred) {
  const v1::Event sent = SampleNamed("referral_sent");
  v1::Event visit = SampleNamed("elder_visit");
  visit.set_visit_id(sent.visit_id());
  const Mapped referral = MappedOf(EntryOf({sent, SampleNamed("referral_accepted")}));
  ASSERT_EQ(referral.parts[0].resource_type, "Encounter");
  EXPECT_TRUE(referral.parts[0].only_if_absent);
  EXPECT_EQ(referral.parts[0].key, MappedOf(EntryOf({visit})).parts[0].key);
  EXPECT_THAT(JsonOf(referral, "ServiceRequest"),
              HasSubstr("\"encounter\":{\"reference\":\"urn:uuid:" + referral.parts[0].key));
  EXPECT_THAT(JsonOf(referral, "ServiceRequest"),
              HasSubstr("\"performer\":[{\"reference\":\"Organization/100011111\"}]"));
}

TEST(Referral, WaitsForTheOriginsOwnEventWhicheverComesFirst) {
  const v1::Event sent = SampleNamed("referral_sent");
  const v1::Event accepted = SampleNamed("referral_accepted");
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({accepted}))), "referral_without_origin");
  v1::Event by_other_code = sent;
  by_other_code.mutable_facility()->set_system("satusehat");
  by_other_code.mutable_facility()->set_code("100027469");
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({accepted, by_other_code}))), "mapped");
  v1::Event clock_ahead = sent;
  clock_ahead.mutable_occurred_at()->mutable_time()->set_seconds(
      accepted.occurred_at().time().seconds() + 60);
  EXPECT_EQ(MappedOf(EntryOf({accepted, clock_ahead})).parts[0].key,
            MappedOf(EntryOf({sent, accepted})).parts[0].key);
}

TEST(Referral, NamesTheLatestTarget) {
  v1::Event moved = SampleNamed("referral_accepted");
  moved.mutable_referral()->mutable_to()->set_system("satusehat");
  moved.mutable_referral()->mutable_to()->set_code("100099999");
  EXPECT_THAT(JsonOf(MappedOf(EntryOf({SampleNamed("referral_sent"), moved})), "ServiceRequest"),
              HasSubstr("Organization/100099999"));
  v1::Event nowhere = SampleNamed("referral_sent");
  nowhere.mutable_referral()->clear_to();
  EXPECT_EQ(ReasonOf(MapOf(EntryOf({nowhere}))), "referral_without_target");
}

TEST(Referral, StandsWhereAllItsEventsTogetherSay) {
  timeline::v1::Entry entry =
      EntryOf({SampleNamed("referral_sent"), SampleNamed("referral_accepted")});
  EXPECT_THAT(JsonOf(MappedOf(entry), "ServiceRequest"), HasSubstr(R"("status":"active")"));
  entry.mutable_derived()->mutable_referral()->set_urgency(v1::URGENCY_ROUTINE);
  EXPECT_THAT(JsonOf(MappedOf(entry), "ServiceRequest"), HasSubstr(R"("status":"active")"));
  entry.mutable_derived()->mutable_referral()->set_state(v1::REFERRAL_STATE_COMPLETED);
  EXPECT_THAT(JsonOf(MappedOf(entry), "ServiceRequest"), HasSubstr(R"("status":"completed")"));
}

timeline::v1::MeasuredGrowth& AddGrowth(timeline::v1::Entry& entry) {
  return *entry.mutable_derived()->add_growth();
}

void SetScore(timeline::v1::GrowthScore& score, int32_t z_hundredths, std::string_view word) {
  score.set_z_hundredths(z_hundredths);
  score.set_growth_class(std::string(word));
}

timeline::v1::Screened& AddScreened(timeline::v1::Entry& entry, std::string_view rule,
                                    std::string_view word) {
  timeline::v1::Screened& row = *entry.mutable_derived()->add_screened();
  row.set_input("x");
  row.set_rule(std::string(rule));
  row.set_screening_class(std::string(word));
  row.set_result(v1::SCREENING_RESULT_ABNORMAL);
  return row;
}

std::string KeyOfPart(const v1::Event& event, std::string_view part) {
  return PartKey(event.facility(), event.event_id(), part, TestSubjectKey());
}

TEST(Derived, HangsOnTheMeasuresOfItsOwnEventUnderAStableKey) {
  // The first was taken back: places are those among all members.
  v1::Event gone = SampleNamed("growth_visit");
  gone.set_event_id(testing::SampleEventId(91));
  const v1::Event event = SampleNamed("growth_visit");
  timeline::v1::Entry entry = EntryOf({gone, event});
  entry.mutable_members(0)->set_state(timeline::v1::MEMBER_STATE_RETRACTED);
  timeline::v1::MeasuredGrowth& growth = AddGrowth(entry);
  growth.set_member(1);
  SetScore(*growth.mutable_weight_for_age(), -5, "normal");
  const Mapped mapped = MappedOf(entry);
  const Part* z = PartOf(mapped, "Observation", "1153593003");
  ASSERT_NE(z, nullptr);
  EXPECT_EQ(z->key, KeyOfPart(event, "z_weight_for_age"));
  EXPECT_THAT(z->json, HasSubstr(R"("value":-0.05,"unit":"Zscore")"));
  EXPECT_THAT(z->json, HasSubstr(R"("derivedFrom":[{"reference":"urn:uuid:)" +
                                 KeyOfPart(event, "weight") + R"("}])"));
  EXPECT_EQ(JsonOf(mapped, "Condition", "43664005"), "no such part");

  growth.set_member(0);
  EXPECT_EQ(PartOf(MappedOf(entry), "Observation", "1153593003"), nullptr);
}

TEST(Derived, NeverSendsAFlaggedScoreAndListsIt) {
  timeline::v1::Entry entry = EntryOf({SampleNamed("growth_visit")});
  timeline::v1::MeasuredGrowth& growth = AddGrowth(entry);
  for (timeline::v1::GrowthScore* score :
       {growth.mutable_weight_for_age(), growth.mutable_bmi_for_age()}) {
    SetScore(*score, 700, "obesitas");
    score->set_flag("implausible");
  }
  growth.set_bmi_hundredths(4000);
  const Mapped mapped = MappedOf(entry);
  EXPECT_EQ(PartOf(mapped, "Observation", "Zscore"), nullptr);
  EXPECT_EQ(PartOf(mapped, "Observation", "39156-5"), nullptr);
  EXPECT_THAT(mapped.unmapped, Contains("implausible weight_for_age"));
  EXPECT_THAT(mapped.unmapped, Contains("implausible bmi_for_age"));
}

TEST(Derived, NamesLengthOrHeightAsTheRulesTookIt) {
  struct Case {
    v1::MeasuringPosition position;
    uint32_t used_mm;
    std::string birth_date;
    std::string flag;
    std::string_view code;
  };
  constexpr std::string_view kLength = "1153590000";
  constexpr std::string_view kHeight = "1153604005";
  const uint32_t measured = SampleNamed("growth_visit").visit().length_mm();
  for (const Case& one : {
           Case{v1::MEASURING_POSITION_LYING, measured, "", "", kLength},
           Case{v1::MEASURING_POSITION_LYING, measured - 7, "", "", kHeight},
           Case{v1::MEASURING_POSITION_STANDING, measured, "", "", kHeight},
           Case{v1::MEASURING_POSITION_STANDING, measured + 7, "", "", kLength},
           Case{v1::MEASURING_POSITION_STANDING, measured, "", "position_ignored", kLength},
           Case{v1::MEASURING_POSITION_UNSPECIFIED, measured, "2024-02-04", "", kLength},
           Case{v1::MEASURING_POSITION_UNSPECIFIED, measured, "2024-02-03", "", kHeight},
           Case{v1::MEASURING_POSITION_UNSPECIFIED, measured, "", "", kLength},
       }) {
    v1::Event event = SampleNamed("growth_visit");
    event.mutable_visit()->set_position(one.position);
    event.mutable_subject()->set_birth_date(one.birth_date);
    timeline::v1::Entry entry = EntryOf({event});
    timeline::v1::MeasuredGrowth& growth = AddGrowth(entry);
    growth.set_length_used_mm(one.used_mm);
    SetScore(*growth.mutable_length_height_for_age(), -100, "normal");
    growth.mutable_length_height_for_age()->set_flag(one.flag);
    const Mapped mapped = MappedOf(entry);
    EXPECT_NE(PartOf(mapped, "Observation", one.code), nullptr)
        << one.position << " " << one.used_mm << " " << one.birth_date << " " << one.flag;
  }
}

TEST(Derived, SaysGainOnlyWhereItWasComparedAndNeverWhatIsProposed) {
  for (const auto& [status, expected] : std::vector<std::pair<std::string, std::string>>{
           {"N", R"("valueBoolean":true)"}, {"T", R"("valueBoolean":false)"}}) {
    timeline::v1::Entry entry = EntryOf({Weighing()});
    AddGrowth(entry).mutable_card()->set_status(status);
    entry.mutable_derived()->mutable_growth(0)->mutable_card()->set_proposes("two_t");
    const Mapped mapped = MappedOf(entry);
    EXPECT_THAT(JsonOf(mapped, "Observation", "OC000012"), HasSubstr(expected));
    EXPECT_THAT(mapped.unmapped, IsEmpty());
  }
  for (const char* status : {"B", "O"}) {
    timeline::v1::Entry entry = EntryOf({Weighing()});
    AddGrowth(entry).mutable_card()->set_status(status);
    const Mapped mapped = MappedOf(entry);
    EXPECT_EQ(PartOf(mapped, "Observation", "OC000012"), nullptr);
    EXPECT_THAT(mapped.unmapped, ElementsAre("no_code kms_status"));
  }
}

TEST(Derived, ListsWhatHasNoCode) {
  timeline::v1::Entry entry = EntryOf({SampleNamed("growth_visit")});
  timeline::v1::MeasuredGrowth& growth = AddGrowth(entry);
  SetScore(*growth.mutable_muac_for_age(), -20, "lila_hijau");
  growth.mutable_bmi_for_age()->set_growth_class("imt_normal");
  growth.mutable_weight_for_age()->set_not_derived("oedema");
  growth.set_nutritional_status("gizi_buruk");
  growth.set_nutritional_status_from("oedema");
  growth.mutable_card()->set_bgm(true);
  growth.mutable_card()->set_above_orange(true);
  AddScreened(entry, "lila_pregnancy", "kek");
  timeline::v1::Screened& unknown = AddScreened(entry, "", "");
  unknown.set_not_derived("no_table");
  const Mapped mapped = MappedOf(entry);
  EXPECT_EQ(PartOf(mapped, "Observation", "derivedFrom"), nullptr);
  EXPECT_THAT(mapped.unmapped,
              ElementsAre("visit devices", "visit advice", "no_code bmi_for_age",
                          "no_code muac_for_age", "no_code nutritional_status", "no_code bgm",
                          "no_code above_orange", "no_code lila_pregnancy"));
}

TEST(Derived, AClassWithoutACodeKeepsItsWordInTheGeneralInterpretation) {
  timeline::v1::Entry entry = EntryOf({SampleNamed("growth_visit")});
  SetScore(*AddGrowth(entry).mutable_head_circumference_for_age(), 212, "makrosefali");
  SetScore(*entry.mutable_derived()->mutable_growth(0)->mutable_weight_for_age(), 10,
           "no_class_table");
  const Mapped mapped = MappedOf(entry);
  EXPECT_THAT(JsonOf(mapped, "Observation", "1153594009"),
              HasSubstr(R"("code":"A","display":"Abnormal"}],"text":"makrosefali"}])"));
  EXPECT_THAT(JsonOf(mapped, "Observation", "1153593003"), Not(HasSubstr("interpretation")));
}

TEST(Derived, BloodPressureHasItsClassAndWhatElseIsSaidIsListed) {
  for (const auto& [word, result, expected] :
       std::vector<std::tuple<std::string, v1::ScreeningResult, std::string>>{
           {"optimal", v1::SCREENING_RESULT_NORMAL,
            R"("code":"N","display":"Normal"}],"text":"optimal"})"},
           {"normal", v1::SCREENING_RESULT_NORMAL, "2004005"},
           {"high_normal", v1::SCREENING_RESULT_NEEDS_CHECK,
            R"("code":"A","display":"Abnormal"}],"text":"high_normal"})"},
           {"ht_1", v1::SCREENING_RESULT_ABNORMAL, "827069000"},
           {"ht_2", v1::SCREENING_RESULT_ABNORMAL, "827068008"},
           {"ht_3", v1::SCREENING_RESULT_ABNORMAL, "OI000042"}}) {
    timeline::v1::Entry entry = EntryOf({SampleNamed("elder_visit")});
    AddScreened(entry, "blood_pressure_adult", word).set_result(result);
    AddScreened(entry, "high_with_danger_sign", "high_with_danger_sign");
    const Mapped mapped = MappedOf(entry);
    const std::string json = JsonOf(mapped, "Observation", "268607006");
    EXPECT_THAT(json, HasSubstr(expected));
    EXPECT_THAT(json, HasSubstr(KeyOfPart(SampleNamed("elder_visit"), "diastolic")));
    EXPECT_THAT(mapped.unmapped, ElementsAre("no_code high_with_danger_sign"));
    EXPECT_EQ(PartOf(mapped, "Condition", "82706"), nullptr);
  }
}

TEST(Derived, BloodPressureIsThatOfItsOwnEvent) {
  v1::Event first = SampleNamed("elder_visit");
  v1::Event second = first;
  second.set_event_id(testing::SampleEventId(91));
  second.mutable_visit()->set_systolic_mmhg(138);
  timeline::v1::Entry entry = EntryOf({first, second});
  AddScreened(entry, "blood_pressure_adult", "high_normal").set_member(1);
  const Mapped mapped = MappedOf(entry);
  EXPECT_THAT(JsonOf(mapped, "Observation", "268607006"),
              HasSubstr(R"("numerator":{"value":138,)"));
  EXPECT_EQ(std::ranges::count_if(
                mapped.parts,
                [](const Part& part) { return part.json.find("268607006") != std::string::npos; }),
            1);
}

TEST(Derived, SomeClassesAreTheInterpretationOfWhatWasMeasured) {
  timeline::v1::Entry lab = EntryOf({SampleNamed("lab_quantity")});
  AddScreened(lab, "glucose_random", "prediabetes_range");
  EXPECT_THAT(JsonOf(MappedOf(lab), "Observation", "718-7"),
              HasSubstr(R"("code":"A","display":"Abnormal"}]},{"coding":[{"system":)"
                        R"("http://snomed.info/sct","code":"714628002")"));
  EXPECT_THAT(MappedOf(lab).unmapped, Not(Contains(HasSubstr("no_code"))));

  v1::Event event = SampleNamed("elder_screening");
  event.mutable_screening()->set_tool("MINI-COG");
  event.mutable_screening()->set_score(2);
  timeline::v1::Entry tool = EntryOf({event});
  AddScreened(tool, "mini_cog", "impaired");
  EXPECT_THAT(JsonOf(MappedOf(tool), "Observation", "72233-0"), HasSubstr("38369006"));

  // In a kader's words it is no class of the platform's.
  tool.mutable_derived()->mutable_screened(0)->set_screening_class("needs_check");
  EXPECT_THAT(JsonOf(MappedOf(tool), "Observation", "72233-0"), Not(HasSubstr("38369006")));
  EXPECT_THAT(MappedOf(tool).unmapped, Contains("no_code mini_cog"));
}

// A row that names no class of ours would never be found, and a mistyped code is refused.
TEST(CodedClasses, AreOfClassesThatTheRulesHaveAndStandOnThePage) {
  const std::string page = testing::SourceFile("docs/fhir-mapping.md");
  for (const CodedClass& row : CodedClasses()) {
    bool known = false;
    if (const auto* rule = rules::FindScreeningRule(*rules::FindScreeningRules(1), row.of)) {
      known = std::ranges::any_of(
          rule->rows, [&](const rules::ScreeningRow& printed) { return printed.word == row.word; });
    } else if (ZScoreCodeOf(row.of, true) != nullptr) {
      for (int word = 0; word <= static_cast<int>(rules::GrowthClass::kObesitas2); ++word) {
        known = known || rules::Word(static_cast<rules::GrowthClass>(word)) == row.word;
      }
    }
    EXPECT_TRUE(known) << row.of << " " << row.word;
    if (row.code.system == kSnomed) {
      EXPECT_TRUE(IsSnomedConcept(row.code.code)) << row.code.code;
    }
    EXPECT_THAT(page, HasSubstr(fmt::format("`{}` {}", row.word, row.code.code)));
  }
  for (int index = 0; index < rules::kIndices; ++index) {
    for (const bool length : {true, false}) {
      const Coding* code = ZScoreCodeOf(rules::Word(static_cast<rules::Index>(index)), length);
      if (code == nullptr) continue;
      EXPECT_TRUE(IsSnomedConcept(code->code)) << code->code;
      EXPECT_THAT(page, HasSubstr(std::string(code->code)));
    }
  }
  EXPECT_TRUE(IsSnomedConcept(kHypertensionRisk.code));
  EXPECT_TRUE(IsLoincCode(kBodyMassIndex.code));
}

TEST(SubjectOf, TakesEachFieldFromTheLatestRecordedEvent) {
  v1::Event first = SampleNamed("growth_visit");
  v1::Event later = SampleNamed("vitamin_a");
  later.mutable_recorded_at()->set_seconds(first.recorded_at().seconds() + 10);
  later.mutable_subject()->set_name("Ananda Uji Perdana");
  later.mutable_subject()->clear_birth_date();
  later.mutable_subject()->clear_identities();
  later.mutable_subject()->add_identities()->mutable_card()->set_number("0002035020396");
  v1::Event taken_back = SampleNamed("immunisation_given");
  taken_back.mutable_recorded_at()->set_seconds(first.recorded_at().seconds() + 20);
  taken_back.mutable_subject()->set_name("Anak Lain");
  timeline::v1::Entry entry = EntryOf({first, later, taken_back});
  entry.mutable_members(2)->set_state(timeline::v1::MEMBER_STATE_RETRACTED);
  const v1::Subject subject = SubjectOf(entry);
  EXPECT_EQ(subject.name(), "Ananda Uji Perdana");
  EXPECT_EQ(subject.birth_date(), "2024-03-12");
  EXPECT_EQ(subject.sex(), v1::SEX_MALE);
  ASSERT_EQ(subject.identities_size(), 3);
  EXPECT_TRUE(subject.identities(0).has_card());
  EXPECT_TRUE(subject.identities(1).has_nik());
  EXPECT_TRUE(subject.identities(2).has_local());
}

TEST(Naming, NamesThePatientByTheStrongestIdentity) {
  const auto subject = [](const v1::Event& event) {
    const MapResult result = Map(EntryOf({event}), TestDirectory(), {});
    const std::string& json = std::get<Mapped>(result).parts[0].json;
    const size_t at = json.find("\"subject\":");
    return json.substr(at, json.find("\"participant\"") - at);
  };
  EXPECT_THAT(subject(Weighing()), HasSubstr("\"system\":\"https://fhir.kemkes.go.id/id/nik\","
                                             "\"value\":\"7324021203240001\""));
  EXPECT_THAT(subject(SampleNamed("newborn_visit")),
              HasSubstr("/id/nik-ibu\",\"value\":\"7324025708960002\"},"
                        "\"display\":\"born 2026-02-20, birth order 1\""));
  EXPECT_THAT(subject(SampleNamed("traveller_visit")), HasSubstr("/id/paspor"));
  v1::Event local = Weighing();
  local.mutable_subject()->mutable_identities()->DeleteSubrange(0, 1);
  EXPECT_THAT(subject(local),
              HasSubstr("http://sys-ids.kemkes.go.id/mrn/100027469\",\"value\":\"MLT3-0007\""));
}

TEST(Naming, NeverWaitsForThePlatformsIdsWherePulled) {
  v1::Event event = Weighing();
  event.mutable_responsible()->set_nik("7324020101800009");
  const auto bare = Directory::Parse(R"({"facilities": [
    {"codes": [{"system": "kemenkes", "code": "P7324020101"}], "organization": "1"}]})");
  ASSERT_TRUE(bare.ok());
  const MapResult result = Map(EntryOf({event}), *bare, {}, {.naming = Naming::kIdentifiers});
  const auto& mapped = std::get<Mapped>(result);
  EXPECT_THAT(mapped.unmapped, ElementsAre("visit location", "visit practitioner"));
  EXPECT_THAT(JsonOf(mapped, "Observation"), HasSubstr("\"value\":\"7324020101800009\""));
}

}  // namespace
}  // namespace simpul::fhir
