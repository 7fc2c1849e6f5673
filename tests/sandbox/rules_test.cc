// Every kind of refusal the sandbox knows, over HTTP: the number, the words, the element.

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "sandbox/rule_table.h"
#include "tests/sandbox/sandbox_fixture.h"

namespace simpul::sandbox::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A sample with one part altered, and what the platform says of it.
struct Broken {
  std::string name;
  std::string type;
  std::string part, by;
  std::string words;       // in details.text
  std::string expression;  // empty: not looked at
};

std::string Sample(const std::string& type, const std::string& encounter) {
  if (type == "Encounter") return Encounter("rules-e");
  if (type == "FinishedEncounter") return FinishedEncounter("rules-f", "Condition/none");
  if (type == "Condition") return Condition("rules-c", encounter);
  if (type == "Observation") return Observation("rules-o", encounter);
  if (type == "Procedure") return Procedure("rules-p", encounter);
  if (type == "Immunization") return Immunization(encounter);
  if (type == "ServiceRequest") return ServiceRequest("rules-s", encounter);
  if (type == "QuestionnaireResponse") return QuestionnaireResponse("rules-q", encounter);
  if (type == "EpisodeOfCare") return EpisodeOfCare("rules-x");
  return MedicationStatement("rules-m", encounter);
}

class Rules : public SandboxFixture, public ::testing::WithParamInterface<Broken> {};

TEST_P(Rules, RefuseWithTheirNumberAndElement) {
  Start();
  const std::string encounter = "Encounter/" + Create("Encounter", Encounter("rules-base"));
  const Broken& broken = GetParam();
  const std::string body = Altered(Sample(broken.type, encounter), broken.part, broken.by);
  const std::string type = broken.type == "FinishedEncounter" ? "Encounter" : broken.type;
  const HttpReply reply = PostFhir(type, body);
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, AllOf(HasSubstr(R"("resourceType":"OperationOutcome")"),
                                HasSubstr(R"("text":{"status":"generated"})"),
                                HasSubstr(R"("severity":"error")"), HasSubstr(broken.words)));
  if (!broken.expression.empty()) {
    EXPECT_THAT(reply.body, HasSubstr(fmt::format("\"expression\":[\"{}\"]", broken.expression)));
  }
  EXPECT_THAT(Report(), HasSubstr(R"("creates":{"Encounter":1})"));
}

const Broken kBroken[] = {
    {"identifier_of_another_organisation", "Encounter", "encounter/100027469", "encounter/999",
     "Wrong organization ID provided by system URL (RuleNumber: 10117)",
     "Encounter.identifier[0].system"},
    {"unknown_identifier_system", "Encounter", "http://sys-ids.kemkes.go.id/encounter/100027469",
     "http://example.org/visits",
     "Invalid identifier system: http://example.org/visits (RuleNumber: 10117)",
     "Encounter.identifier[0].system"},
    {"no_identifier", "Encounter", R"("identifier")", R"("note")",
     "Element not found: Encounter.identifier (RuleNumber: 10117)", "Encounter.identifier"},
    {"no_subject", "Encounter", R"("subject")", R"("about")",
     "Element not found: Encounter.subject (RuleNumber: 10118)", "Encounter.subject"},
    {"no_participant", "Encounter", R"("individual")", R"("someone")",
     "Element not found: Encounter.participant[0].individual (RuleNumber: 10119)", ""},
    {"no_place", "Encounter", R"("location":{)", R"("place":{)",
     "Element not found: Encounter.location[0].location (RuleNumber: 10120)", ""},
    {"no_status_history", "Encounter", R"("statusHistory")", R"("history")",
     "Element not found: Encounter.statusHistory (RuleNumber: 10122)", ""},
    {"no_service_provider", "Encounter", R"("serviceProvider")", R"("provider")",
     "Element not found: Encounter.serviceProvider (RuleNumber: 10124)", ""},
    {"no_period_start", "Encounter", R"("period":{"start")", R"("period":{"begin")",
     "Element not found: Encounter.period.start (RuleNumber: 10123)", "Encounter.period.start"},
    {"unknown_class", "Encounter", R"("code":"AMB")", R"("code":"QQQ")",
     "Code not found: 'QQQ' in system: http://terminology.hl7.org/CodeSystem/v3-ActCode", ""},
    {"finished_without_end", "FinishedEncounter",
     R"("period":{"start":"2026-01-05T01:00:00+00:00","end":"2026-01-05T01:30:00+00:00"})",
     R"("period":{"start":"2026-01-05T01:00:00+00:00"})",
     "Element not found: Encounter.period.end (RuleNumber: 10121)", ""},
    {"finished_when_it_began", "FinishedEncounter",
     R"("period":{"start":"2026-01-05T01:00:00+00:00","end":"2026-01-05T01:30:00+00:00"})",
     R"("period":{"start":"2026-01-05T01:00:00+00:00","end":"2026-01-05T01:00:00+00:00"})",
     "(RuleNumber: 10173)", "Encounter.period.end"},
    {"ends_before_it_begins", "FinishedEncounter",
     R"("period":{"start":"2026-01-05T01:00:00+00:00","end":"2026-01-05T01:30:00+00:00"})",
     R"("period":{"start":"2026-01-05T01:00:00+00:00","end":"2026-01-05T00:30:00+00:00"})",
     "unparseable_resource: fhirpath-constraint-violation-Encounter.period", "Encounter.period"},
    {"history_without_end", "FinishedEncounter", R"(,"end":"2026-01-05T01:10:00+00:00")", "",
     "Element not found: Encounter.statusHistory[0].period.end (RuleNumber: 10122)", ""},
    {"finished_without_diagnosis", "FinishedEncounter", R"("diagnosis")", R"("finding")",
     "Element not found: Encounter.diagnosis (RuleNumber: 10457)", "Encounter.diagnosis"},
    {"finished_without_disposition", "FinishedEncounter", R"("dischargeDisposition")",
     R"("disposition")",
     "Element not found: Encounter.hospitalization.dischargeDisposition (RuleNumber: 10318)", ""},
    {"unknown_reference", "FinishedEncounter", "Condition/none", "Condition/0f",
     "Resource not found Condition/0f (RuleNumber: 20007)", ""},
    {"other_offset", "Encounter", "2026-01-05T01:00:00+00:00", "2026-01-05T08:00:00+07:00",
     "Invalid date time format: Encounter.period.start must be YYYY-MM-DDThh:mm:ss+00:00 "
     "(RuleNumber: 10121)",
     "Encounter.period.start"},
    {"future", "Observation", R"("effectiveDateTime":"2026)", R"("effectiveDateTime":"2190)",
     "Invalid date time value: Observation.effectiveDateTime", "Observation.effectiveDateTime"},
    {"too_old", "Observation", R"("effectiveDateTime":"2026)", R"("effectiveDateTime":"2014)",
     "(RuleNumber: 10295)", "Observation.effectiveDateTime"},
    {"day_without_time", "Observation", R"("issued":"2026-01-05T01:15:00+00:00")",
     R"("issued":"2026-01-05")",
     "Invalid date time format: Observation.issued must be "
     "YYYY-MM-DDThh:mm:ss+00:00 (RuleNumber: 10296)",
     ""},
    {"number_as_text", "Observation", R"("value":9.35)", R"("value":"9.35")", "(RuleNumber: 10331)",
     "Observation.valueQuantity.value"},
    {"wrong_type", "Immunization", R"("primarySource":true)", R"("primarySource":"true")",
     "Failed to unmarshal request payload: Immunization.primarySource must be a boolean "
     "(RuleNumber: 20008)",
     "Immunization.primarySource"},
    {"empty_array", "Observation", R"("performer":[)", R"("note":[],"performer":[)",
     "invalid value (expected a note object): []", "Observation.note"},
    {"empty_object", "Observation", R"("performer":[)", R"("device":{},"performer":[)",
     "invalid value (expected a device object): {}", "Observation.device"},
    {"empty_text", "Observation", R"("display":"Body weight")", R"("display":"")",
     "invalid value (expected a display value)", ""},
    {"null", "Observation", R"("performer":[)", R"("note":null,"performer":[)",
     "invalid value (expected a note value): null", ""},
    {"unknown_unit", "Observation", R"("code":"kg")", R"("code":"kilos")",
     "Code not found: 'kilos' in system: http://unitsofmeasure.org (RuleNumber: 10012)",
     "Observation.valueQuantity.code"},
    {"other_unit_system", "Observation", "http://unitsofmeasure.org", "http://example.org/units",
     "Invalid coding system: http://example.org/units (RuleNumber: 10012)", ""},
    {"loinc_check_digit", "Observation", "29463-7", "29463-6",
     "Code not found: '29463-6' in system: http://loinc.org (RuleNumber: 10010)",
     "Observation.code.coding[0].code"},
    {"other_code_system", "Observation", "http://loinc.org", "http://example.org/codes",
     "Invalid coding system: http://example.org/codes (RuleNumber: 10010)",
     "Observation.code.coding[0].system"},
    {"no_performer", "Observation", R"("performer")", R"("doer")",
     "Element not found: Observation.performer (RuleNumber: 10383)", ""},
    {"performer_is_no_practitioner", "Observation", "Practitioner/10009880728",
     "Organization/100027469", "(RuleNumber: 10383)", "Observation.performer[0].reference"},
    {"unknown_patient", "Observation", "Patient/P02478375538", "Patient/nobody",
     "Resource not found Patient/nobody (RuleNumber: 20007)", ""},
    {"observation_status", "Observation", R"("status":"final")", R"("status":"done")",
     "Code not found: 'done' in system: http://hl7.org/fhir/observation-status (RuleNumber: "
     "10008)",
     "Observation.status"},
    {"no_value", "Observation", R"("valueQuantity")", R"("extraQuantity")",
     "Element not found: Observation.value[x]", ""},
    {"complaint_code", "Condition", "Z00.1", "Z001",
     "Code not found: 'Z001' in system: http://hl7.org/fhir/sid/icd-10 (RuleNumber: 10003)", ""},
    {"no_clinical_status", "Condition", R"("clinicalStatus")", R"("clinical")",
     "Element not found: Condition.clinicalStatus (RuleNumber: 10006)", ""},
    {"no_condition_encounter", "Condition", R"("encounter")", R"("visit")",
     "Element not found: Condition.encounter (RuleNumber: 10126)", ""},
    {"no_procedure_category", "Procedure", R"("category")", R"("kind")",
     "Element not found: Procedure.category (RuleNumber: 10013)", ""},
    {"no_lot", "Immunization", R"("lotNumber")", R"("batch")",
     "Element not found: Immunization.lotNumber (RuleNumber: 10306)", ""},
    {"no_place_of_immunisation", "Immunization", R"("location")", R"("place")",
     "Element not found: Immunization.location (RuleNumber: 10305)", ""},
    {"expired", "Immunization", "2027-06-01", "2025-06-01", "(RuleNumber: 10307)",
     "Immunization.expirationDate"},
    {"dose_zero", "Immunization", R"("doseNumberPositiveInt":1)", R"("doseNumberPositiveInt":0)",
     "Integer must be more than 0 (RuleNumber: 10456)", ""},
    {"vaccine_system", "Immunization", "http://hl7.org/fhir/sid/cvx", "http://example.org/cvx",
     "Invalid coding system: http://example.org/cvx (RuleNumber: 10103)", ""},
    {"function_for_given_here", "Immunization", R"("code":"AP")", R"("code":"EP")",
     "(RuleNumber: 10104)", "Immunization.performer.function"},
    {"not_done_without_reason", "Immunization", R"("status":"completed")", R"("status":"not-done")",
     "Element not found: Immunization.statusReason (RuleNumber: 10108)", ""},
    {"no_referral_performer", "ServiceRequest", R"("performer")", R"("to")",
     "Element not found: ServiceRequest.performer (RuleNumber: 10377)", ""},
    {"no_referral_identifier", "ServiceRequest", R"("identifier")", R"("number")",
     "Element not found: ServiceRequest.identifier (RuleNumber: 10415)", ""},
    {"unknown_questionnaire", "QuestionnaireResponse", "Questionnaire/Q0003", "Questionnaire/mine",
     "(RuleNumber: 10169)", "QuestionnaireResponse.questionnaire"},
    {"answers_of_another_organisation", "QuestionnaireResponse", "QuestionnaireResponse/100027469",
     "QuestionnaireResponse/1", "Wrong organization ID provided by system URL", ""},
    {"no_answers_encounter", "QuestionnaireResponse", R"("encounter")", R"("visit")",
     "Element not found: QuestionnaireResponse.encounter (RuleNumber: 10378)", ""},
    {"no_episode_type", "EpisodeOfCare", R"("type")", R"("kind")",
     "Element not found: EpisodeOfCare.type (RuleNumber: 10110)", ""},
    {"no_date_asserted", "MedicationStatement", R"("dateAsserted")", R"("asserted")",
     "Element not found: MedicationStatement.dateAsserted (RuleNumber: 10299)", ""},
};

INSTANTIATE_TEST_SUITE_P(Dictionary, Rules, ::testing::ValuesIn(kBroken),
                         [](const auto& test) { return test.param.name; });

class Samples : public SandboxFixture {};

TEST_F(Samples, BreakNoRule) {
  Start();
  const std::string encounter = "Encounter/" + Create("Encounter", Encounter("ok"));
  for (const std::string type :
       {"Condition", "Observation", "Procedure", "Immunization", "ServiceRequest",
        "QuestionnaireResponse", "EpisodeOfCare", "MedicationStatement"}) {
    EXPECT_NE(Create(type, Sample(type, encounter)), "") << type;
  }
}

TEST_F(Samples, SeveralIssuesComeInOneReply) {
  Start();
  std::string body = Altered(Encounter("many"), R"("serviceProvider")", R"("provider")");
  body = Altered(body, R"("statusHistory")", R"("history")");
  const HttpReply reply = PostFhir("Encounter", body);
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, AllOf(HasSubstr("10122"), HasSubstr("10124")));
}

TEST_F(Samples, WhatAKaderReportsNeedsNeitherEncounterNorLot) {
  Start();
  std::string body =
      Altered(Immunization("Encounter/x"), R"("primarySource":true)", R"("primarySource":false)");
  body = Altered(body, R"("encounter":{"reference":"Encounter/x"},)", "");
  body = Altered(body, R"("lotNumber":"1625042A",)", "");
  body = Altered(body, R"("expirationDate":"2027-06-01",)", "");
  body = Altered(
      body, R"("location":{"reference":"Location/b017aa54-f1df-4ec2-9d84-8823815d7228"},)", "");
  body = Altered(body, R"("code":"AP")", R"("code":"EP")");
  EXPECT_EQ(
      PostFhir("Immunization", Altered(body, "Practitioner/10009880728", "Organization/100027469"))
          .status,
      201);
  const HttpReply by_practitioner = PostFhir("Immunization", body);
  EXPECT_EQ(by_practitioner.status, 400);
  EXPECT_THAT(by_practitioner.body, HasSubstr("RuleNumber: 10293"));
}

TEST_F(Samples, AnEntryMadeInErrorNeedsNoClinicalStatus) {
  Start();
  const std::string encounter = "Encounter/" + Create("Encounter", Encounter("err"));
  std::string body = Altered(
      Condition("err-c", encounter),
      R"("clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]})",
      R"("verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"entered-in-error"}]})");
  EXPECT_EQ(PostFhir("Condition", body).status, 201);
}

TEST_F(Samples, TheDocumentationNamesEveryRuleNumber) {
  const char* source = std::getenv("SIMPUL_SOURCE_DIR");
  ASSERT_NE(source, nullptr);
  std::ifstream file(std::string(source) + "/docs/sandbox.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  for (const Rule& rule : RuleTable()) {
    if (rule.number == 0) continue;
    EXPECT_THAT(text, HasSubstr(fmt::format("{}", rule.number))) << rule.path;
  }
  for (const int number :
       {20002, 20003, 20004, 20005, 20006, 20007, 20008, 20009, 20011, 20012, 20013, 20014, 20016,
        20017, 20018, 20019, 20020, 20021, 10173, 10457, 10119, 10306, 10307, 10450, 10456}) {
    EXPECT_THAT(text, HasSubstr(fmt::format("{}", number)));
  }
}

}  // namespace
}  // namespace simpul::sandbox::testing
