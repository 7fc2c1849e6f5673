#include "tests/sandbox/samples.h"

#include <fmt/format.h>

#include "lib/base/check.h"

namespace simpul::sandbox::testing {
namespace {

std::string Replace(std::string text,
                    std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  for (const auto& [name, value] : values) {
    const std::string mark = fmt::format("${}$", name);
    for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

}  // namespace

std::string Encounter(std::string_view local_id, std::string_view patient) {
  return Replace(R"({"resourceType":"Encounter",
"identifier":[{"system":"http://sys-ids.kemkes.go.id/encounter/$org$","value":"$id$"}],
"status":"arrived",
"class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB","display":"ambulatory"},
"subject":{"reference":"$patient$"},
"participant":[{"type":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"ATND"}]}],
"individual":{"reference":"$practitioner$"}}],
"period":{"start":"2026-01-05T01:00:00+00:00"},
"location":[{"location":{"reference":"Location/b017aa54-f1df-4ec2-9d84-8823815d7228"},
"period":{"start":"2026-01-05T01:00:00+00:00"}}],
"statusHistory":[{"status":"arrived","period":{"start":"2026-01-05T01:00:00+00:00"}}],
"serviceProvider":{"reference":"Organization/$org$"}})",
                 {{"org", kOrganization},
                  {"id", local_id},
                  {"patient", patient},
                  {"practitioner", kPractitioner}});
}

std::string FinishedEncounter(std::string_view local_id, std::string_view condition_reference) {
  return Replace(R"({"resourceType":"Encounter",
"identifier":[{"system":"http://sys-ids.kemkes.go.id/encounter/$org$","value":"$id$"}],
"status":"finished",
"class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB","display":"ambulatory"},
"subject":{"reference":"$patient$"},
"participant":[{"type":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"ATND"}]}],
"individual":{"reference":"$practitioner$"}}],
"period":{"start":"2026-01-05T01:00:00+00:00","end":"2026-01-05T01:30:00+00:00"},
"location":[{"location":{"reference":"Location/b017aa54-f1df-4ec2-9d84-8823815d7228"},
"period":{"start":"2026-01-05T01:00:00+00:00","end":"2026-01-05T01:30:00+00:00"}}],
"statusHistory":[
{"status":"arrived","period":{"start":"2026-01-05T01:00:00+00:00","end":"2026-01-05T01:10:00+00:00"}},
{"status":"in-progress","period":{"start":"2026-01-05T01:10:00+00:00","end":"2026-01-05T01:20:00+00:00"}},
{"status":"finished","period":{"start":"2026-01-05T01:20:00+00:00","end":"2026-01-05T01:30:00+00:00"}}],
"diagnosis":[{"condition":{"reference":"$condition$"},
"use":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/diagnosis-role","code":"DD"}]},"rank":1}],
"hospitalization":{"dischargeDisposition":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/discharge-disposition","code":"home"}]}},
"serviceProvider":{"reference":"Organization/$org$"}})",
                 {{"org", kOrganization},
                  {"id", local_id},
                  {"patient", kPatient},
                  {"practitioner", kPractitioner},
                  {"condition", condition_reference}});
}

std::string Condition(std::string_view local_id, std::string_view encounter_reference) {
  return Replace(R"({"resourceType":"Condition",
"identifier":[{"system":"http://sys-ids.kemkes.go.id/condition/$org$","value":"$id$"}],
"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-category","code":"encounter-diagnosis"}]}],
"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"Z00.1","display":"Routine child health examination"}]},
"subject":{"reference":"$patient$"},
"encounter":{"reference":"$encounter$"},
"recordedDate":"2026-01-05T01:25:00+00:00"})",
                 {{"org", kOrganization},
                  {"id", local_id},
                  {"patient", kPatient},
                  {"encounter", encounter_reference}});
}

std::string Observation(std::string_view local_id, std::string_view encounter_reference,
                        std::string_view patient) {
  return Replace(R"({"resourceType":"Observation",
"identifier":[{"system":"http://sys-ids.kemkes.go.id/observation/$org$","value":"$id$"}],
"status":"final",
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
"code":{"coding":[{"system":"http://loinc.org","code":"29463-7","display":"Body weight"}]},
"subject":{"reference":"$patient$"},
"encounter":{"reference":"$encounter$"},
"effectiveDateTime":"2026-01-05T01:15:00+00:00",
"issued":"2026-01-05T01:15:00+00:00",
"performer":[{"reference":"$practitioner$"}],
"valueQuantity":{"value":9.35,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}})",
                 {{"org", kOrganization},
                  {"id", local_id},
                  {"patient", patient},
                  {"practitioner", kPractitioner},
                  {"encounter", encounter_reference}});
}

std::string Procedure(std::string_view local_id, std::string_view encounter_reference) {
  return Replace(R"({"resourceType":"Procedure",
"identifier":[{"system":"http://sys-ids.kemkes.go.id/procedure/$org$","value":"$id$"}],
"status":"completed",
"category":{"coding":[{"system":"http://snomed.info/sct","code":"409073007","display":"Education"}]},
"code":{"coding":[{"system":"http://snomed.info/sct","code":"767224000","display":"Administration of vitamin A"}]},
"subject":{"reference":"$patient$"},
"encounter":{"reference":"$encounter$"},
"performedPeriod":{"start":"2026-01-05T01:15:00+00:00","end":"2026-01-05T01:16:00+00:00"},
"performer":[{"actor":{"reference":"$practitioner$"}}]})",
                 {{"org", kOrganization},
                  {"id", local_id},
                  {"patient", kPatient},
                  {"practitioner", kPractitioner},
                  {"encounter", encounter_reference}});
}

std::string Immunization(std::string_view encounter_reference, int dose) {
  return Replace(R"({"resourceType":"Immunization",
"status":"completed",
"vaccineCode":{"coding":[{"system":"http://sys-ids.kemkes.go.id/kfa","code":"93001282"},{"system":"http://sys-ids.kemkes.go.id/kfa","code":"VG107"},{"system":"http://hl7.org/fhir/sid/cvx","code":"198"}]},
"patient":{"reference":"$patient$"},
"encounter":{"reference":"$encounter$"},
"occurrenceDateTime":"2026-01-05T01:15:00+00:00",
"recorded":"2026-01-05T01:15:00+00:00",
"primarySource":true,
"location":{"reference":"Location/b017aa54-f1df-4ec2-9d84-8823815d7228"},
"lotNumber":"1625042A",
"expirationDate":"2027-06-01",
"performer":[{"function":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0443","code":"AP"}]},"actor":{"reference":"$practitioner$"}}],
"reasonCode":[{"coding":[{"system":"http://terminology.kemkes.go.id/CodeSystem/immunization-reason","code":"IM-Dasar"}]}],
"protocolApplied":[{"doseNumberPositiveInt":$dose$}]})",
                 {{"patient", kPatient},
                  {"practitioner", kPractitioner},
                  {"dose", fmt::format("{}", dose)},
                  {"encounter", encounter_reference}});
}

std::string ServiceRequest(std::string_view local_id, std::string_view encounter_reference) {
  return Replace(R"({"resourceType":"ServiceRequest",
"identifier":[{"system":"http://sys-ids.kemkes.go.id/servicerequest/$org$","value":"$id$"}],
"status":"active","intent":"original-order","priority":"routine",
"category":[{"coding":[{"system":"http://snomed.info/sct","code":"3457005","display":"Patient referral"}]}],
"code":{"coding":[{"system":"http://snomed.info/sct","code":"737492002"}]},
"subject":{"reference":"$patient$"},
"encounter":{"reference":"$encounter$"},
"occurrenceDateTime":"2026-01-05T01:30:00+00:00",
"authoredOn":"2026-01-05T01:25:00+00:00",
"requester":{"reference":"$practitioner$"},
"performer":[{"reference":"Organization/100000001"}]})",
                 {{"org", kOrganization},
                  {"id", local_id},
                  {"patient", kPatient},
                  {"practitioner", kPractitioner},
                  {"encounter", encounter_reference}});
}

std::string QuestionnaireResponse(std::string_view local_id, std::string_view encounter_reference) {
  return Replace(R"({"resourceType":"QuestionnaireResponse",
"identifier":{"system":"http://sys-ids.kemkes.go.id/QuestionnaireResponse/$org$","value":"$id$"},
"questionnaire":"https://fhir.kemkes.go.id/Questionnaire/Q0003",
"status":"completed",
"subject":{"reference":"$patient$"},
"encounter":{"reference":"$encounter$"},
"authored":"2026-01-05T01:20:00+00:00",
"author":{"reference":"$practitioner$"},
"source":{"reference":"$patient$"},
"item":[{"linkId":"1","text":"KPSP","answer":[{"valueBoolean":true}]}]})",
                 {{"org", kOrganization},
                  {"id", local_id},
                  {"patient", kPatient},
                  {"practitioner", kPractitioner},
                  {"encounter", encounter_reference}});
}

std::string EpisodeOfCare(std::string_view local_id, std::string_view patient) {
  return Replace(R"({"resourceType":"EpisodeOfCare",
"identifier":[{"system":"http://sys-ids.kemkes.go.id/episode-of-care/$org$","value":"$id$"}],
"status":"active",
"statusHistory":[{"status":"active","period":{"start":"2026-01-05T01:00:00+00:00"}}],
"type":[{"coding":[{"system":"http://terminology.kemkes.go.id/CodeSystem/episodeofcare-type","code":"ANC"}]}],
"patient":{"reference":"$patient$"},
"managingOrganization":{"reference":"Organization/$org$"},
"period":{"start":"2026-01-05T01:00:00+00:00"}})",
                 {{"org", kOrganization}, {"id", local_id}, {"patient", patient}});
}

std::string MedicationStatement(std::string_view local_id, std::string_view encounter_reference) {
  return Replace(R"({"resourceType":"MedicationStatement",
"identifier":[{"system":"http://sys-ids.kemkes.go.id/medicationstatement/$org$","value":"$id$"}],
"status":"completed",
"category":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/medication-statement-category","code":"community"}]},
"medicationCodeableConcept":{"coding":[{"system":"http://sys-ids.kemkes.go.id/kfa","code":"92000653"}]},
"subject":{"reference":"$patient$"},
"context":{"reference":"$encounter$"},
"effectiveDateTime":"2026-01-05T01:15:00+00:00",
"dateAsserted":"2026-01-05T01:15:00+00:00",
"informationSource":{"reference":"$patient$"}})",
                 {{"org", kOrganization},
                  {"id", local_id},
                  {"patient", kPatient},
                  {"encounter", encounter_reference}});
}

std::string NewbornPatient(std::string_view mother_nik, std::string_view birth_date, int order) {
  return Replace(
      R"({"resourceType":"Patient",
"meta":{"profile":["https://fhir.kemkes.go.id/r4/StructureDefinition/Patient"]},
"identifier":[{"use":"official","system":"https://fhir.kemkes.go.id/id/nik-ibu","value":"$mother$"}],
"name":[{"use":"official","text":"Bayi Contoh"}],
"gender":"male",
"birthDate":"$date$",
"address":[{"use":"home","line":["Dusun Satu"],"country":"ID"}],
"multipleBirthInteger":$order$})",
      {{"mother", mother_nik}, {"date", birth_date}, {"order", fmt::format("{}", order)}});
}

std::string Altered(std::string text, std::string_view part, std::string_view by) {
  const size_t at = text.find(part);
  SIMPUL_CHECK(at != std::string::npos, "the sample has no {}", part);
  return text.replace(at, part.size(), by);
}

std::string Transaction(const std::vector<Entry>& entries) {
  std::string out = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
  for (size_t i = 0; i < entries.size(); ++i) {
    constexpr std::string_view kType = R"("resourceType":")";
    const size_t at = entries[i].resource.find(kType) + kType.size();
    const std::string type = entries[i].resource.substr(at, entries[i].resource.find('"', at) - at);
    out += fmt::format(
        R"({}{{"fullUrl":"urn:uuid:{}","resource":{},"request":{{"method":"POST","url":"{}"}}}})",
        i == 0 ? "" : ",", entries[i].uuid, entries[i].resource, type);
  }
  return out + "]}";
}

std::string Uuid(int number, int n) {
  return fmt::format("{:08x}-0000-4000-8000-{:012x}", number, n + 1);
}

std::string VisitTransaction(int number, int observations, std::string_view patient) {
  auto urn = [number](int n) { return "urn:uuid:" + Uuid(number, n); };
  auto for_patient = [patient](std::string text) {
    for (size_t at = text.find(kPatient); at != std::string::npos;
         at = text.find(kPatient, at + patient.size())) {
      text.replace(at, kPatient.size(), patient);
    }
    return text;
  };
  std::vector<Entry> entries;
  entries.push_back(
      {Uuid(number, 0), for_patient(FinishedEncounter(fmt::format("visit-{}", number), urn(1)))});
  entries.push_back(
      {Uuid(number, 1), for_patient(Condition(fmt::format("visit-{}-c", number), urn(0)))});
  for (int i = 0; i < observations; ++i) {
    entries.push_back({Uuid(number, 2 + i),
                       Observation(fmt::format("visit-{}-o{}", number, i), urn(0), patient)});
  }
  return Transaction(entries);
}

}  // namespace simpul::sandbox::testing
