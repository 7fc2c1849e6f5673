#include <algorithm>

#include "lib/event/date.h"
#include "lib/fhir/record.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;

void WriteCount(Record& record, const Happening& happening, std::string_view part,
                std::string_view loinc, std::string_view display, uint32_t count,
                std::string_view encounter_key) {
  record.BeginObservation(happening, record.KeyOf(happening, part), {kLoinc, loinc, display}, "",
                          kSurvey, encounter_key);
  record.json.Integer("valueInteger", count);
  record.End();
}

void WriteDay(Record& record, const Happening& happening, std::string_view part,
              std::string_view loinc, std::string_view display, const std::string& day,
              std::string_view encounter_key) {
  const auto parsed = event::ParseDay(day);
  if (!parsed.has_value()) return record.Unmapped("pregnancy", part);
  record.BeginObservation(happening, record.KeyOf(happening, part), {kLoinc, loinc, display}, "",
                          kSurvey, encounter_key);
  record.WriteTime("valueDateTime", LocalMidnight(*parsed, happening.utc_offset_min));
  record.End();
}

}  // namespace

MapResult MapPregnancy(Record& record) {
  std::vector<Happening>& happenings = record.happenings();
  const auto is = [](v1::PregnancyState state) {
    return [state](const Happening& happening) {
      return happening.event->pregnancy().state() == state;
    };
  };
  const auto opened =
      std::find_if(happenings.begin(), happenings.end(), is(v1::PREGNANCY_STATE_OPEN));
  const auto closed =
      std::find_if(happenings.rbegin(), happenings.rend(), is(v1::PREGNANCY_STATE_CLOSED));
  const bool is_closed = closed != happenings.rend();
  const Happening& first = opened == happenings.end() ? happenings.front() : *opened;

  std::vector<Happening> contact = {first};
  const Span span = SpanOf(contact);
  if (BeforePlatform(record.options, span.start)) return NotSent{"before_platform"};
  if (auto reason = record.Resolve(contact.front())) return NeedsDirectory{*std::move(reason)};
  const Happening& base = contact.front();

  v1::Pregnancy told;
  for (const Happening& happening : happenings) told.MergeFrom(happening.event->pregnancy());

  const std::string& visit_id =
      base.event->visit_id().empty() ? base.member->event_id() : base.event->visit_id();
  EncounterPlan plan;
  plan.key = PartKey(base.member->facility(), visit_id, "encounter", base.subject_key);
  plan.reason_key = PartKey(base.member->facility(), visit_id, "contact-reason", base.subject_key);
  plan.encounter_class = v1::ENCOUNTER_CLASS_AMBULATORY;
  plan.span = span;
  plan.only_if_absent = true;
  WriteEncounter(record, plan, contact);

  JsonWriter& json = record.json;
  Instant end = span.start + std::chrono::seconds(1);
  if (is_closed) {
    const auto ended_on = event::ParseDay(told.ended_on());
    end = std::max(
        end, ended_on.has_value() ? LocalMidnight(*ended_on, closed->utc_offset_min) : closed->at);
  }
  record.Begin("EpisodeOfCare", PartKey(record.entry.facility(), record.entry.group_id(), "episode",
                                        base.subject_key));
  json.Text("status", is_closed ? "finished" : "active");
  json.OpenList("statusHistory");
  json.Open();
  json.Text("status", "active");
  json.Open("period");
  record.WriteTime("start", span.start);
  if (is_closed) record.WriteTime("end", end);
  json.Close();
  json.Close();
  if (is_closed) {
    json.Open();
    json.Text("status", "finished");
    json.Open("period");
    record.WriteTime("start", end);
    json.Close();
    json.Close();
  }
  json.CloseList();
  record.WriteConceptList("type", {"http://terminology.kemkes.go.id/CodeSystem/episodeofcare-type",
                                   "ANC", "Antenatal Care"});
  record.WriteSubject("patient");
  record.WriteOrganization("managingOrganization", record.organization());
  json.Open("period");
  record.WriteTime("start", span.start);
  if (is_closed) record.WriteTime("end", end);
  json.Close();
  record.End();

  if (told.has_gravida()) {
    WriteCount(record, base, "gravida", "11996-6", "[#] Pregnancies", told.gravida(), plan.key);
  }
  if (told.has_para()) {
    WriteCount(record, base, "para", "11977-6", "[#] Parity", told.para(), plan.key);
  }
  if (told.has_abortus()) {
    WriteCount(record, base, "abortus", "69043-8", "", told.abortus(), plan.key);
  }
  if (!told.lmp().empty()) {
    WriteDay(record, base, "lmp", "8665-2", "Last menstrual period start date", told.lmp(),
             plan.key);
  }
  if (!told.edd().empty()) {
    WriteDay(record, base, "edd", "11778-8", "Delivery date Estimated", told.edd(), plan.key);
  }
  if (told.outcome() != v1::PREGNANCY_OUTCOME_UNSPECIFIED) {
    record.Unmapped("pregnancy", "outcome");
  }
  return record.Take();
}

}  // namespace simpul::fhir
