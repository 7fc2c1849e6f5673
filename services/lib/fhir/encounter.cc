#include <algorithm>

#include "lib/fhir/record.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;

constexpr std::chrono::seconds kShortestContact{3};

Coding ClassCode(v1::EncounterClass encounter_class) {
  constexpr std::string_view kSystem = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
  switch (encounter_class) {
    case v1::ENCOUNTER_CLASS_EMERGENCY:
      return {kSystem, "EMER", "emergency"};
    case v1::ENCOUNTER_CLASS_INPATIENT:
      return {kSystem, "IMP", "inpatient encounter"};
    case v1::ENCOUNTER_CLASS_OBSERVATION:
      return {kSystem, "OBSENC", "observation encounter"};
    default:
      return {kSystem, "AMB", "ambulatory"};
  }
}

// The ordinary class of rooms. An inpatient's class of room is not in the contract: left out.
void WriteServiceClass(Record& record) {
  constexpr std::string_view kUrl = "https://fhir.kemkes.go.id/r4/StructureDefinition/ServiceClass";
  JsonWriter& json = record.json;
  json.OpenList("extension");
  json.Open();
  json.OpenList("extension");
  json.Open();
  json.Text("url", "value");
  record.WriteConcept("valueCodeableConcept",
                      {"http://terminology.kemkes.go.id/CodeSystem/locationServiceClass-Outpatient",
                       "reguler", "Kelas Reguler"});
  json.Close();
  json.Open();
  json.Text("url", "upgradeClassIndicator");
  record.WriteConcept("valueCodeableConcept",
                      {"http://terminology.kemkes.go.id/CodeSystem/locationUpgradeClass",
                       "kelas-tetap", "Kelas Tetap Perawatan"});
  json.Close();
  json.CloseList();
  json.Text("url", kUrl);
  json.Close();
  json.CloseList();
}

void WriteStatus(Record& record, std::string_view status, Instant start, Instant end) {
  record.json.Open();
  record.json.Text("status", status);
  record.WritePeriod("period", start, end);
  record.json.Close();
}

void WriteParticipants(Record& record, const std::vector<Happening>& happenings) {
  std::vector<std::string_view> named;
  for (const Happening& happening : happenings) {
    if (happening.practitioner.empty() ||
        std::find(named.begin(), named.end(), happening.practitioner) != named.end()) {
      continue;
    }
    if (named.empty()) record.json.OpenList("participant");
    named.push_back(happening.practitioner);
    record.json.Open();
    record.WriteConceptList(
        "type", {"http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "ATND", "attender"});
    record.json.Raw("individual", happening.practitioner);
    record.json.Close();
  }
  if (!named.empty()) record.json.CloseList();
}

void WriteLocations(Record& record, const std::vector<Happening>& happenings, const Span& span,
                    bool inpatient) {
  std::vector<std::string_view> named;
  for (const Happening& happening : happenings) {
    if (happening.location.empty() ||
        std::find(named.begin(), named.end(), happening.location) != named.end()) {
      continue;
    }
    if (named.empty()) record.json.OpenList("location");
    named.push_back(happening.location);
    record.json.Open();
    if (!inpatient) WriteServiceClass(record);
    record.json.Open("location");
    record.json.Text("reference", "Location/" + happening.location);
    record.json.TextIfAny(
        "display", record.directory.UnitName(happening.event->facility(), happening.event->unit()));
    record.json.Close();
    record.WritePeriod("period", span.start, span.end);
    record.json.Close();
  }
  if (!named.empty()) record.json.CloseList();
}

bool ConcernsPregnancy(const v1::Visit& visit) {
  return VisitOrdinalSystem(visit.ordinal()).ends_with("/ANC") || !visit.pregnancy_id().empty() ||
         visit.has_gestational_age_days() || visit.has_fundal_height_mm() ||
         visit.has_fetal_heart_per_min();
}

}  // namespace

Span SpanOf(std::vector<Happening>& happenings) {
  const auto clock_known = [&](std::chrono::sys_days day) {
    return std::any_of(happenings.begin(), happenings.end(), [&](const Happening& happening) {
      return happening.precise && happening.local_day == day;
    });
  };
  std::optional<Span> span;
  const auto include = [&](Instant instant) {
    if (!span.has_value()) span = Span{instant, instant};
    span->start = std::min(span->start, instant);
    span->end = std::max(span->end, instant);
  };
  for (const Happening& happening : happenings) {
    if (happening.precise || !clock_known(happening.local_day)) include(happening.at);
    if (happening.event->has_started_at()) include(InstantOf(happening.event->started_at()));
    if (happening.event->has_ended_at()) include(InstantOf(happening.event->ended_at()));
  }
  for (Happening& happening : happenings) {
    happening.effective = std::clamp(happening.at, span->start, span->end);
  }
  span->end = std::max(span->end, span->start + kShortestContact);
  return *span;
}

ContactReason ReasonOfContact(const Record& record, const std::vector<Happening>& happenings,
                              std::chrono::sys_days on) {
  bool vaccinated = false;
  bool infant = false;
  for (const Happening& happening : happenings) {
    const v1::Event& event = *happening.event;
    if (event.has_birth()) return ContactReason::kPostpartum;
    if (event.has_pregnancy()) return ContactReason::kPregnancy;
    vaccinated = vaccinated || (event.has_immunisation() &&
                                event.immunisation().status() == v1::DOSE_STATUS_GIVEN_HERE);
    if (event.has_visit()) {
      const std::string_view system = VisitOrdinalSystem(event.visit().ordinal());
      if (system.ends_with("/puerperium")) return ContactReason::kPostpartum;
      if (ConcernsPregnancy(event.visit())) return ContactReason::kPregnancy;
      infant = infant || system.ends_with("/neonate");
    }
  }
  if (vaccinated) return ContactReason::kImmunisation;
  const std::optional<int> age = AgeYears(record.subject(), on);
  if (infant || (age.has_value() && *age < 10)) return ContactReason::kChild;
  if (age.has_value() && *age < 18) return ContactReason::kAdolescent;
  return ContactReason::kOther;
}

std::string WriteEncounter(Record& record, const EncounterPlan& plan,
                           const std::vector<Happening>& happenings) {
  JsonWriter& json = record.json;
  std::vector<Coding> ordinals;
  for (const std::string& ordinal : plan.ordinals) {
    ordinals.push_back({VisitOrdinalSystem(ordinal), ordinal, ""});
  }
  record.BeginWith("Encounter", plan.key, ordinals, plan.only_if_absent);
  const auto [start, end] = plan.span;
  const std::chrono::seconds second{1};
  json.Text("status", "finished");
  json.OpenList("statusHistory");
  WriteStatus(record, "arrived", start, start + second);
  WriteStatus(record, "in-progress", start + second, end - second);
  WriteStatus(record, "finished", end - second, end);
  json.CloseList();
  const Coding class_code = ClassCode(plan.encounter_class);
  json.Open("class");
  json.Text("system", class_code.system);
  json.Text("code", class_code.code);
  json.Text("display", class_code.display);
  json.Close();
  record.WriteSubject("subject");
  WriteParticipants(record, happenings);
  record.WritePeriod("period", start, end);
  const bool reason_only = plan.diagnoses.empty();
  json.OpenList("diagnosis");
  const size_t count = reason_only ? 1 : plan.diagnoses.size();
  for (size_t i = 0; i < count; ++i) {
    json.Open();
    record.WritePart("condition", reason_only ? plan.reason_key : plan.diagnoses[i]);
    record.WriteConcept("use", {"http://terminology.hl7.org/CodeSystem/diagnosis-role", "DD",
                                "Discharge diagnosis"});
    json.Integer("rank", static_cast<int64_t>(i) + 1);
    json.Close();
  }
  json.CloseList();
  json.Open("hospitalization");
  constexpr std::string_view kDisposition =
      "http://terminology.hl7.org/CodeSystem/discharge-disposition";
  record.WriteConcept("dischargeDisposition", plan.referred ? Coding{kDisposition, "oth", "Other"}
                                                            : Coding{kDisposition, "home", "Home"});
  json.Close();
  WriteLocations(record, happenings, plan.span,
                 plan.encounter_class == v1::ENCOUNTER_CLASS_INPATIENT);
  record.WriteOrganization("serviceProvider", record.organization());
  record.End();
  if (reason_only) {
    const ContactReason reason = ReasonOfContact(record, happenings, happenings.front().local_day);
    record.BeginCondition(plan.reason_key,
                          {"http://terminology.hl7.org/CodeSystem/condition-category",
                           "encounter-diagnosis", "Encounter Diagnosis"},
                          ContactReasonCode(reason), "", "", start, plan.key, plan.only_if_absent);
    record.End();
  }
  return plan.key;
}

}  // namespace simpul::fhir
