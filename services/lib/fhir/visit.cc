#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "lib/event/date.h"
#include "lib/fhir/code_check.h"
#include "lib/fhir/decimal.h"
#include "lib/fhir/record.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;

constexpr std::string_view kConditionCategory =
    "http://terminology.hl7.org/CodeSystem/condition-category";

// A home visit that was not made is no contact. Empty when the event is one.
std::string_view HomeVisitNotMade(const v1::Event& event) {
  if (!event.has_visit() || !event.visit().has_home_visit()) return {};
  switch (event.visit().home_visit().outcome()) {
    case v1::HOME_VISIT_OUTCOME_PLANNED:
      return "home_visit_planned";
    case v1::HOME_VISIT_OUTCOME_REFUSED:
      return "home_visit_refused";
    case v1::HOME_VISIT_OUTCOME_NOT_MET:
      return "home_visit_not_met";
    default:
      return {};
  }
}

// One visit payload and its way to the platform.
class VisitParts {
 public:
  VisitParts(Record& record, const Happening& happening, std::string_view encounter_key)
      : record_(record),
        json_(record.json),
        happening_(happening),
        visit_(happening.event->visit()),
        encounter_key_(encounter_key) {}

  void Write() {
    for (const v1::Complaint& complaint : visit_.complaints()) WriteComplaint(complaint);
    WriteMeasures();
    for (const v1::Code& sign : visit_.danger_signs()) WriteDangerSign(sign);
    for (const v1::CodedObservation& observation : visit_.observations()) {
      WriteObservation(observation);
    }
    ListWhatIsLeft();
  }

 private:
  void Measured(const Measure& measure, uint32_t value) {
    record_.BeginObservation(happening_, record_.KeyOf(happening_, measure.part), measure.code, "",
                             *measure.category, encounter_key_);
    record_.WriteQuantity("valueQuantity", ScaledDecimal(value, measure.places), measure.unit);
    record_.End();
  }

  void WriteMeasures() {
    if (visit_.has_weight_g()) Measured(kWeight, visit_.weight_g());
    if (visit_.has_length_mm()) {
      const Measure& length = visit_.position() == v1::MEASURING_POSITION_LYING ? kLengthLying
                              : visit_.position() == v1::MEASURING_POSITION_STANDING
                                  ? kLengthStanding
                                  : kLengthUnspecified;
      Measured(length, visit_.length_mm());
    }
    if (visit_.has_head_mm()) Measured(kHead, visit_.head_mm());
    if (visit_.has_muac_mm()) Measured(kMuac, visit_.muac_mm());
    if (visit_.has_waist_mm()) Measured(kWaist, visit_.waist_mm());
    if (visit_.oedema() != v1::OEDEMA_UNSPECIFIED) {
      record_.BeginObservation(happening_, record_.KeyOf(happening_, "oedema"), kPittingOedema, "",
                               kExam, encounter_key_);
      record_.WriteConcept("valueCodeableConcept", OedemaFinding(visit_.oedema()));
      record_.End();
    }
    if (visit_.has_temperature_dc()) Measured(kTemperature, visit_.temperature_dc());
    if (visit_.has_pulse_per_min()) Measured(kPulse, visit_.pulse_per_min());
    if (visit_.has_breaths_per_min()) Measured(kBreathing, visit_.breaths_per_min());
    if (visit_.has_spo2_percent()) Measured(kSpo2, visit_.spo2_percent());
    if (visit_.has_systolic_mmhg()) Measured(kSystolic, visit_.systolic_mmhg());
    if (visit_.has_diastolic_mmhg()) Measured(kDiastolic, visit_.diastolic_mmhg());
    if (visit_.has_fundal_height_mm()) Measured(kFundalHeight, visit_.fundal_height_mm());
    if (visit_.has_fetal_heart_per_min()) Measured(kFetalHeart, visit_.fetal_heart_per_min());
    if (visit_.has_gestational_age_days()) {
      WriteGestation(record_, happening_, "gestational-age", visit_.gestational_age_days(),
                     encounter_key_);
    }
  }

  void WriteComplaint(const v1::Complaint& complaint) {
    if (complaint.code().code().empty()) return record_.Unmapped("complaint", "text");
    if (complaint.code().system() != kSnomed || !IsSnomedConcept(complaint.code().code())) {
      return record_.Unmapped("complaint", "code");
    }
    record_.BeginCondition(record_.KeyOf(happening_, "complaint", complaint.code()),
                           {kConditionCategory, "problem-list-item", "Problem List Item"},
                           CodingOf(complaint.code()), complaint.text(),
                           happening_.by_kader ? "unconfirmed" : "", happening_.effective,
                           encounter_key_);
    if (!complaint.since().empty()) {
      const auto since = event::ParseDay(complaint.since());
      const Instant onset =
          since.has_value() ? LocalMidnight(*since, happening_.utc_offset_min) : Instant();
      if (since.has_value() && *since <= happening_.local_day &&
          !BeforePlatform(record_.options, onset)) {
        record_.WriteTime("onsetDateTime", std::min(onset, happening_.effective));
      } else {
        record_.Unmapped("complaint", "since");
      }
    }
    record_.End();
  }

  void WriteDangerSign(const v1::Code& sign) {
    if (!IsObservationCode(sign)) return record_.Unmapped("danger_sign", sign.code());
    record_.BeginObservation(happening_, record_.KeyOf(happening_, "danger-sign", sign),
                             CodingOf(sign), "", kExam, encounter_key_);
    json_.Flag("valueBoolean", true);
    record_.End();
  }

  void WriteObservation(const v1::CodedObservation& observation) {
    const v1::Code& code = observation.code();
    if (!IsObservationCode(code)) return record_.Unmapped("observation", code.code());
    if (observation.has_coded() && !IsFindingCode(observation.coded())) {
      return record_.Unmapped("observation", code.code());
    }
    std::optional<std::string> decimal;
    if (observation.has_quantity()) {
      decimal = JsonDecimal(observation.quantity().value());
      if (!decimal.has_value() || !IsUcumUnit(observation.quantity().unit()) ||
          !UnitFits(code.system(), code.code(), observation.quantity().unit())) {
        return record_.Unmapped("observation", code.code());
      }
    }
    if (observation.value_case() == v1::CodedObservation::VALUE_NOT_SET) {
      return record_.Unmapped("observation", code.code());
    }
    record_.BeginObservation(happening_, record_.KeyOf(happening_, "observation", code),
                             CodingOf(code), "", CategoryOf(code.system(), code.code()),
                             encounter_key_);
    switch (observation.value_case()) {
      case v1::CodedObservation::kQuantity:
        record_.WriteQuantity("valueQuantity", *decimal, observation.quantity().unit());
        break;
      case v1::CodedObservation::kCoded:
        record_.WriteConcept("valueCodeableConcept", CodingOf(observation.coded()));
        break;
      case v1::CodedObservation::kText:
        json_.Text("valueString", observation.text());
        break;
      case v1::CodedObservation::kFlag:
        json_.Flag("valueBoolean", observation.flag());
        break;
      default:
        WriteNumber(observation.number());
        break;
    }
    const v1::Code& site = observation.body_site();
    const bool site_known = site.system() == kSnomed && IsSnomedConcept(site.code());
    if (site_known) record_.WriteConcept("bodySite", CodingOf(site));
    record_.End();
    if (observation.has_body_site() && !site_known) record_.Unmapped("observation", "body_site");
    if (observation.has_device()) record_.Unmapped("observation", "device");
  }

  // FHIR's integer has 32 bits.
  void WriteNumber(int64_t number) {
    if (number >= std::numeric_limits<int32_t>::min() &&
        number <= std::numeric_limits<int32_t>::max()) {
      json_.Integer("valueInteger", number);
    } else {
      record_.WriteQuantity("valueQuantity", std::to_string(number), "1");
    }
  }

  void ListWhatIsLeft() {
    if (visit_.devices_size() > 0) record_.Unmapped("visit", "devices");
    if (!visit_.advice().empty()) record_.Unmapped("visit", "advice");
    if (!visit_.note().empty()) record_.Unmapped("visit", "note");
    if (!visit_.pregnancy_id().empty()) record_.Unmapped("visit", "pregnancy_id");
    if (!visit_.ordinal().empty() && VisitOrdinalSystem(visit_.ordinal()).empty()) {
      record_.Unmapped("visit", "ordinal");
    }
    if (!visit_.has_home_visit()) return;
    const v1::HomeVisit& home = visit_.home_visit();
    if (!home.planned_on().empty()) record_.Unmapped("home_visit", "planned_on");
    if (home.reason() != v1::HOME_VISIT_REASON_UNSPECIFIED) {
      record_.Unmapped("home_visit", "reason");
    }
    if (home.has_saji()) record_.Unmapped("home_visit", "saji");
    if (!home.note().empty()) record_.Unmapped("home_visit", "note");
  }

  Record& record_;
  JsonWriter& json_;
  const Happening& happening_;
  const v1::Visit& visit_;
  std::string_view encounter_key_;
};

// A health worker's diagnosis and the key of its Condition.
struct Diagnosed {
  const Happening* happening;
  const v1::Diagnosis* diagnosis;
  std::string key;
  bool first = false;
};

std::vector<Diagnosed> DiagnosesOf(Record& record, const std::vector<Happening>& happenings) {
  std::vector<Diagnosed> found;
  for (const Happening& happening : happenings) {
    for (const v1::Diagnosis& diagnosis : happening.event->visit().diagnoses()) {
      if (happening.by_kader) {
        record.Unmapped("kader_diagnosis", "");
      } else if (diagnosis.code().system() != kIcd10 || !IsIcd10Code(diagnosis.code().code())) {
        record.Unmapped("diagnosis", "code");
      } else {
        found.push_back({&happening, &diagnosis,
                         record.KeyOf(happening, "diagnosis", diagnosis.code()),
                         diagnosis.rank() == v1::DIAGNOSIS_RANK_PRIMARY});
      }
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Diagnosed& a, const Diagnosed& b) { return a.first && !b.first; });
  return found;
}

void MapBirth(Record& record, const Happening& happening, std::string_view encounter_key) {
  const v1::Birth& birth = happening.event->birth();
  if (birth.has_gestation_days()) {
    WriteGestation(record, happening, "gestation", birth.gestation_days(), encounter_key);
  }
  if (birth.place() != v1::BIRTH_PLACE_UNSPECIFIED) record.Unmapped("birth", "place");
  if (birth.attendant() != v1::BIRTH_ATTENDANT_UNSPECIFIED) record.Unmapped("birth", "attendant");
  if (!birth.pregnancy_id().empty()) record.Unmapped("birth", "pregnancy_id");
  if (!birth.born_on().empty() && birth.born_on() != event::FormatDay(happening.local_day)) {
    record.Unmapped("birth", "born_on");
  }
  if (birth.babies_size() > 0) record.Unmapped("birth", "belongs_to_child");
}

v1::EncounterClass ClassOf(const std::vector<Happening>& happenings) {
  for (const Happening& happening : happenings) {
    if (happening.event->has_visit()) return happening.event->visit().encounter_class();
  }
  for (const Happening& happening : happenings) {
    if (happening.event->has_birth() && happening.event->unit().kind() == v1::UNIT_KIND_HOSPITAL) {
      return v1::ENCOUNTER_CLASS_INPATIENT;
    }
  }
  return v1::ENCOUNTER_CLASS_AMBULATORY;
}

}  // namespace

void WriteGestation(Record& record, const Happening& happening, std::string_view part,
                    uint32_t days, std::string_view encounter_key) {
  record.BeginObservation(happening, record.KeyOf(happening, part), kGestationalAge, "", kExam,
                          encounter_key);
  record.WriteQuantity("valueQuantity", std::to_string(days / 7), "wk");
  if (days % 7 != 0) {
    record.json.OpenList("note");
    record.json.Open();
    record.json.Text("text", fmt::format("{} weeks {} days", days / 7, days % 7));
    record.json.Close();
    record.json.CloseList();
  }
  record.End();
}

MapResult MapVisit(Record& record) {
  std::string_view not_made;
  std::vector<Happening> happenings;
  for (const Happening& happening : record.happenings()) {
    const std::string_view outcome = HomeVisitNotMade(*happening.event);
    if (outcome.empty()) {
      happenings.push_back(happening);
    } else {
      not_made = outcome;
    }
  }
  if (happenings.empty()) return NotSent{std::string(not_made)};
  if (!not_made.empty()) record.Unmapped(not_made, "");

  EncounterPlan plan;
  plan.span = SpanOf(happenings);
  if (BeforePlatform(record.options, plan.span.start)) return NotSent{"before_platform"};
  for (Happening& happening : happenings) {
    if (auto reason = record.Resolve(happening)) return NeedsDirectory{*std::move(reason)};
  }

  // All members, those taken back included: the key must not change when one is.
  std::string_view subject_key;
  for (const timeline::v1::Member& member : record.entry.members()) {
    const std::string_view key =
        member.original_key().empty() ? record.entry.subject_key() : member.original_key();
    if (subject_key.empty() || key < subject_key) subject_key = key;
  }
  plan.key = PartKey(record.entry.facility(), record.entry.group_id(), "encounter", subject_key);
  plan.reason_key =
      PartKey(record.entry.facility(), record.entry.group_id(), "contact-reason", subject_key);
  plan.encounter_class = ClassOf(happenings);
  for (const Happening& happening : happenings) {
    const std::string& ordinal = happening.event->visit().ordinal();
    if (!VisitOrdinalSystem(ordinal).empty() &&
        std::find(plan.ordinals.begin(), plan.ordinals.end(), ordinal) == plan.ordinals.end()) {
      plan.ordinals.push_back(ordinal);
    }
  }
  const std::vector<Diagnosed> diagnoses = DiagnosesOf(record, happenings);
  for (const Diagnosed& diagnosed : diagnoses) plan.diagnoses.push_back(diagnosed.key);
  WriteEncounter(record, plan, happenings);

  for (const Diagnosed& diagnosed : diagnoses) {
    const bool provisional =
        diagnosed.diagnosis->certainty() == v1::DIAGNOSIS_CERTAINTY_PROVISIONAL;
    record.BeginCondition(
        diagnosed.key, {kConditionCategory, "encounter-diagnosis", "Encounter Diagnosis"},
        CodingOf(diagnosed.diagnosis->code()), "", provisional ? "provisional" : "confirmed",
        diagnosed.happening->effective, plan.key);
    record.End();
  }
  for (const Happening& happening : happenings) {
    const v1::Event& event = *happening.event;
    switch (event.payload_case()) {
      case v1::Event::kVisit:
        VisitParts(record, happening, plan.key).Write();
        break;
      case v1::Event::kImmunisation:
        MapImmunisation(record, happening, plan.key);
        break;
      case v1::Event::kSupplement:
        MapSupplement(record, happening, plan.key);
        break;
      case v1::Event::kLabResult:
        MapLabResult(record, happening, plan.key);
        break;
      case v1::Event::kScreening:
        MapScreening(record, happening, plan.key);
        break;
      case v1::Event::kBirth:
        MapBirth(record, happening, plan.key);
        break;
      default:
        record.Unmapped("event", "kind");
        break;
    }
    MapDerived(record, happening, plan.key);
  }
  return record.Take();
}

}  // namespace simpul::fhir
