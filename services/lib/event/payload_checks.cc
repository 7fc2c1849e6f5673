#include "lib/event/payload_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "lib/base/text.h"
#include "lib/event/date.h"
#include "lib/event/subject.h"

namespace simpul::event {
namespace {

using std::chrono::days;

// What a measurement can be, and what is seen in ordinary years.
struct Limits {
  std::string_view field;
  std::string_view unit;
  uint32_t min;
  uint32_t max;
  uint32_t usual_min;
  uint32_t usual_max;
};

// Wide enough that the extremes on record pass: a 212 g newborn, a man of 635 kg less than fits on
// a scale, 2.72 m. What is between usual and possible is accepted with a warning; zero is a reading
// only where the heart, breath or pressure may be absent.
constexpr Limits kWeight = {"weight_g", "g", 200, 500'000, 600, 200'000};
constexpr Limits kLength = {"length_mm", "mm", 200, 2'750, 300, 2'100};
constexpr Limits kHead = {"head_mm", "mm", 100, 1'000, 200, 650};
constexpr Limits kMuac = {"muac_mm", "mm", 30, 800, 60, 500};
constexpr Limits kWaist = {"waist_mm", "mm", 150, 3'000, 300, 1'600};
constexpr Limits kTemperature = {
    "temperature_dc", "tenths of a degree Celsius", 150, 470, 320, 420};
constexpr Limits kPulse = {"pulse_per_min", "per minute", 0, 400, 40, 220};
constexpr Limits kBreaths = {"breaths_per_min", "per minute", 0, 200, 8, 90};
constexpr Limits kSpo2 = {"spo2_percent", "percent", 0, 100, 70, 100};
constexpr Limits kSystolic = {"systolic_mmhg", "mm[Hg]", 20, 370, 60, 250};
constexpr Limits kDiastolic = {"diastolic_mmhg", "mm[Hg]", 0, 360, 30, 150};
constexpr Limits kFundalHeight = {"fundal_height_mm", "mm", 10, 700, 50, 450};
constexpr Limits kFetalHeart = {"fetal_heart_per_min", "per minute", 0, 350, 90, 200};
constexpr Limits kGestation = {"gestational_age_days", "days", 0, 330, 14, 301};
constexpr Limits kBirthWeight = {"weight_g", "g", 100, 11'000, 500, 5'500};
constexpr Limits kBirthLength = {"length_mm", "mm", 100, 800, 250, 600};
constexpr Limits kBirthHead = {"head_mm", "mm", 50, 800, 180, 420};
constexpr Limits kBirthGestation = {"gestation_days", "days", 70, 330, 150, 301};

// As the contract names them; what else is given has no code at the platform yet.
constexpr std::array<std::string_view, 12> kAntigens = {
    "BCG", "DPT-HB-HIB", "HB0", "HPV", "IPV", "JE", "MR", "OPV", "PCV", "RV", "TD", "TT"};

// Absent is fine; present is checked against the limits.
void CheckMeasured(Checks& c, const Path& parent, bool present, uint32_t value,
                   const Limits& limits) {
  if (!present || (value >= limits.usual_min && value <= limits.usual_max)) return;
  const Path where(parent, limits.field);
  if (value < limits.min || value > limits.max) {
    c.out.Add("measurement.range", where,
              fmt::format("a measurement is beyond anything possible: {} to {} {}", limits.min,
                          limits.max, limits.unit));
  } else {
    c.out.Add("measurement.unusual", where);
  }
}

void CheckComplaint(Checks& c, const Path& where, const v1::Complaint& complaint) {
  if (complaint.has_code()) CheckCode(c, Path(where, "code"), complaint.code());
  const Path text(where, "text");
  CheckText(c, text, complaint.text(), kNoteMax);
  if (!complaint.has_code() && complaint.text().empty()) c.out.Add("field.required", text);
  CheckDay(c, Path(where, "since"), complaint.since());
}

void CheckObservation(Checks& c, const Path& where, const v1::CodedObservation& observation) {
  if (observation.has_code()) {
    CheckCode(c, Path(where, "code"), observation.code());
  } else {
    Missing(c, where, "code");
  }
  switch (observation.value_case()) {
    case v1::CodedObservation::kQuantity:
      CheckQuantity(c, Path(where, "quantity"), observation.quantity());
      break;
    case v1::CodedObservation::kCoded:
      CheckCode(c, Path(where, "coded"), observation.coded());
      break;
    case v1::CodedObservation::kText:
      CheckRequiredText(c, Path(where, "text"), observation.text(), kNoteMax);
      break;
    case v1::CodedObservation::kFlag:
    case v1::CodedObservation::kNumber:
      break;
    case v1::CodedObservation::VALUE_NOT_SET:
      Missing(c, where, "value");
      break;
  }
  if (observation.has_device()) CheckDevice(c, Path(where, "device"), observation.device());
  if (observation.has_body_site()) CheckCode(c, Path(where, "body_site"), observation.body_site());
}

bool HasMeasurement(const v1::Visit& visit) {
  return visit.has_weight_g() || visit.has_length_mm() || visit.has_head_mm() ||
         visit.has_muac_mm() || visit.has_waist_mm() || visit.has_temperature_dc() ||
         visit.has_pulse_per_min() || visit.has_breaths_per_min() || visit.has_spo2_percent() ||
         visit.has_systolic_mmhg() || visit.has_diastolic_mmhg() || visit.has_fundal_height_mm() ||
         visit.has_fetal_heart_per_min() || visit.observations_size() > 0;
}

void CheckHomeVisit(Checks& c, const Path& where, const v1::Visit& visit) {
  const v1::HomeVisit& home = visit.home_visit();
  const Path outcome(where, "outcome");
  CheckChosen(c, outcome, home.outcome());
  if (home.outcome() != v1::HOME_VISIT_OUTCOME_UNSPECIFIED &&
      home.outcome() != v1::HOME_VISIT_OUTCOME_DONE && HasMeasurement(visit)) {
    c.out.Add("home_visit.not_made", outcome);
  }
  if (visit.encounter_class() != v1::ENCOUNTER_CLASS_HOME &&
      visit.encounter_class() != v1::ENCOUNTER_CLASS_UNSPECIFIED) {
    c.out.Add("home_visit.class", where);
  }
  CheckDay(c, Path(where, "planned_on"), home.planned_on());
  CheckText(c, Path(where, "note"), home.note(), kNoteMax);
}

void CheckVisit(Checks& c, const Path& where, const v1::Visit& visit) {
  CheckChosen(c, Path(where, "encounter_class"), visit.encounter_class());
  CheckText(c, Path(where, "ordinal"), visit.ordinal(), 16);
  const auto measured = [&](bool present, uint32_t value, const Limits& limits) {
    CheckMeasured(c, where, present, value, limits);
  };
  measured(visit.has_weight_g(), visit.weight_g(), kWeight);
  measured(visit.has_length_mm(), visit.length_mm(), kLength);
  measured(visit.has_head_mm(), visit.head_mm(), kHead);
  measured(visit.has_muac_mm(), visit.muac_mm(), kMuac);
  measured(visit.has_waist_mm(), visit.waist_mm(), kWaist);
  measured(visit.has_temperature_dc(), visit.temperature_dc(), kTemperature);
  measured(visit.has_pulse_per_min(), visit.pulse_per_min(), kPulse);
  measured(visit.has_breaths_per_min(), visit.breaths_per_min(), kBreaths);
  measured(visit.has_spo2_percent(), visit.spo2_percent(), kSpo2);
  measured(visit.has_systolic_mmhg(), visit.systolic_mmhg(), kSystolic);
  measured(visit.has_diastolic_mmhg(), visit.diastolic_mmhg(), kDiastolic);
  measured(visit.has_fundal_height_mm(), visit.fundal_height_mm(), kFundalHeight);
  measured(visit.has_fetal_heart_per_min(), visit.fetal_heart_per_min(), kFetalHeart);
  measured(visit.has_gestational_age_days(), visit.gestational_age_days(), kGestation);
  if (visit.position() != v1::MEASURING_POSITION_UNSPECIFIED && !visit.has_length_mm()) {
    c.out.Add("length.position_alone", Path(where, "position"));
  }
  if (visit.has_systolic_mmhg() != visit.has_diastolic_mmhg()) {
    c.out.Add("pressure.alone",
              Path(where, visit.has_systolic_mmhg() ? "diastolic_mmhg" : "systolic_mmhg"));
  } else if (visit.has_systolic_mmhg() && visit.diastolic_mmhg() >= visit.systolic_mmhg()) {
    c.out.Add("pressure.order", Path(where, "diastolic_mmhg"));
  }
  CheckId(c, Path(where, "pregnancy_id"), visit.pregnancy_id());

  int count = CheckCount(c, Path(where, "complaints"), visit.complaints_size(), 32);
  for (int i = 0; i < count; ++i) {
    CheckComplaint(c, Path(where, "complaints", i), visit.complaints(i));
  }
  count = CheckCount(c, Path(where, "diagnoses"), visit.diagnoses_size(), 32);
  int primaries = 0;
  for (int i = 0; i < count; ++i) {
    const Path diagnosis(where, "diagnoses", i);
    if (visit.diagnoses(i).has_code()) {
      CheckDiagnosisCode(c, Path(diagnosis, "code"), visit.diagnoses(i).code());
    } else {
      Missing(c, diagnosis, "code");
    }
    if (visit.diagnoses(i).rank() == v1::DIAGNOSIS_RANK_PRIMARY && ++primaries == 2) {
      c.out.Add("diagnosis.two_primary", Path(diagnosis, "rank"));
    }
  }
  count = CheckCount(c, Path(where, "danger_signs"), visit.danger_signs_size(), 32);
  for (int i = 0; i < count; ++i) {
    CheckCode(c, Path(where, "danger_signs", i), visit.danger_signs(i));
  }
  if (visit.has_home_visit()) CheckHomeVisit(c, Path(where, "home_visit"), visit);
  count = CheckCount(c, Path(where, "observations"), visit.observations_size(), 100);
  for (int i = 0; i < count; ++i) {
    CheckObservation(c, Path(where, "observations", i), visit.observations(i));
  }
  count = CheckCount(c, Path(where, "devices"), visit.devices_size(), 16);
  for (int i = 0; i < count; ++i) {
    CheckDevice(c, Path(where, "devices", i), visit.devices(i));
  }
  CheckText(c, Path(where, "advice"), visit.advice(), kNoteMax);
  CheckText(c, Path(where, "note"), visit.note(), kNoteMax);
}

void CheckKfaCode(Checks& c, const Path& where, std::string_view code) {
  if (!code.empty() && (code.size() < 8 || code.size() > 12 || !base::IsDigits(code))) {
    c.out.Add("kfa.digits", where);
  }
}

// What immunisations and supplements have alike.
template <typename Given>
void CheckGiven(Checks& c, const Path& where, const Given& given) {
  CheckKfaCode(c, Path(where, "kfa_code"), given.kfa_code());
  CheckText(c, Path(where, "lot"), given.lot(), kIdMax);
  const auto expiry = CheckDay(c, Path(where, "expiry"), given.expiry());
  const bool here = given.status() == v1::DOSE_STATUS_GIVEN_HERE;
  if (expiry && here && c.event_day && *expiry < *c.event_day) {
    c.out.Add("dose.expired", Path(where, "expiry"));
  }
  CheckChosen(c, Path(where, "status"), given.status());
  const Path reason(where, "not_given_reason");
  const bool has_reason = given.not_given_reason() != v1::NOT_GIVEN_REASON_UNSPECIFIED;
  if (given.status() == v1::DOSE_STATUS_NOT_GIVEN) {
    CheckChosen(c, reason, given.not_given_reason());
  } else if (has_reason) {
    c.out.Add("dose.status", reason);
  }
}

void CheckImmunisation(Checks& c, const Path& where, const v1::Immunisation& dose) {
  CheckGiven(c, where, dose);
  const Path antigen(where, "antigen");
  CheckRequiredText(c, antigen, dose.antigen(), 32);
  const bool shaped = std::all_of(dose.antigen().begin(), dose.antigen().end(), [](char x) {
    return (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') || x == '-';
  });
  if (!shaped) {
    c.out.Add("antigen.shape", antigen);
  } else if (!dose.antigen().empty() &&
             std::find(kAntigens.begin(), kAntigens.end(), dose.antigen()) == kAntigens.end()) {
    c.out.Add("antigen.unknown", antigen);
  }
  const bool given_here = dose.status() == v1::DOSE_STATUS_GIVEN_HERE;
  const bool reported = dose.status() == v1::DOSE_STATUS_REPORTED;
  const Path number(where, "dose");
  if (dose.has_dose()) {
    if (dose.dose() < 1 || dose.dose() > 20) c.out.Add("dose.range", number);
  } else if (given_here || reported) {
    c.out.Add("dose.number_missing", number);
  }
  if (given_here && (dose.lot().empty() || dose.expiry().empty())) {
    c.out.Add("dose.lot_missing", Path(where, dose.lot().empty() ? "lot" : "expiry"));
  }
  const Path given_path(where, "given_on");
  const auto given_on = CheckPastDay(c, given_path, dose.given_on());
  if (!dose.given_on().empty()) {
    const bool another_day = given_on && c.event_day && *given_on != *c.event_day;
    if (dose.status() == v1::DOSE_STATUS_NOT_GIVEN || (given_here && another_day)) {
      c.out.Add("dose.status", given_path);
    }
  } else if (reported) {
    c.out.Add("dose.day_missing", given_path);
  }
  if (dose.has_amount()) CheckAmount(c, Path(where, "amount"), dose.amount());
  CheckText(c, Path(where, "note"), dose.note(), kNoteMax);
}

void CheckSupplement(Checks& c, const Path& where, const v1::Supplement& supplement) {
  CheckGiven(c, where, supplement);
  CheckChosen(c, Path(where, "kind"), supplement.kind());
  CheckText(c, Path(where, "name"), supplement.name(), kNameMax);
  if (supplement.kind() == v1::SUPPLEMENT_KIND_MEDICINE && supplement.kfa_code().empty() &&
      supplement.name().empty()) {
    c.out.Add("medicine.unnamed", Path(where, "name"));
  }
  if (supplement.has_quantity()) CheckAmount(c, Path(where, "quantity"), supplement.quantity());
  CheckText(c, Path(where, "instruction"), supplement.instruction(), kLineMax);
}

// Order of two plain decimals with few digits; doubles are exact enough to warn.
bool Above(std::string_view low, std::string_view high) {
  return std::strtod(std::string(low).c_str(), nullptr) >
         std::strtod(std::string(high).c_str(), nullptr);
}

void CheckRange(Checks& c, const Path& where, const v1::ReferenceRange& range) {
  if (!range.low().empty()) CheckDecimal(c, Path(where, "low"), range.low());
  if (!range.high().empty()) CheckDecimal(c, Path(where, "high"), range.high());
  if (!range.low().empty() && !range.high().empty() && Above(range.low(), range.high())) {
    c.out.Add("range.order", where);
  }
  CheckText(c, Path(where, "text"), range.text(), kLineMax);
}

void CheckLabResult(Checks& c, const Path& where, const v1::LabResult& result) {
  if (result.has_code()) {
    CheckCode(c, Path(where, "code"), result.code());
  } else {
    Missing(c, where, "code");
  }
  switch (result.value_case()) {
    case v1::LabResult::kQuantity:
      CheckQuantity(c, Path(where, "quantity"), result.quantity());
      break;
    case v1::LabResult::kCoded:
      CheckCode(c, Path(where, "coded"), result.coded());
      break;
    case v1::LabResult::kText:
      CheckRequiredText(c, Path(where, "text"), result.text(), kNoteMax);
      break;
    case v1::LabResult::VALUE_NOT_SET:
      Missing(c, where, "value");
      break;
  }
  if (result.has_range()) CheckRange(c, Path(where, "range"), result.range());
  if (result.has_specimen()) CheckCode(c, Path(where, "specimen"), result.specimen());
  CheckText(c, Path(where, "method"), result.method(), kNameMax);
}

void CheckAnswer(Checks& c, const Path& where, const v1::Answer& answer) {
  CheckRequiredText(c, Path(where, "link_id"), answer.link_id(), kIdMax);
  CheckText(c, Path(where, "text"), answer.text(), kLineMax);
  switch (answer.value_case()) {
    case v1::Answer::kQuantity:
      CheckQuantity(c, Path(where, "quantity"), answer.quantity());
      break;
    case v1::Answer::kCoded:
      CheckCode(c, Path(where, "coded"), answer.coded());
      break;
    case v1::Answer::kWords:
      CheckText(c, Path(where, "words"), answer.words(), kNoteMax);
      break;
    case v1::Answer::kDate: {
      const Path date(where, "date");
      if (answer.date().empty()) c.out.Add("field.required", date);
      CheckDay(c, date, answer.date());
      break;
    }
    case v1::Answer::kFlag:
    case v1::Answer::kNumber:
      break;
    case v1::Answer::VALUE_NOT_SET:
      c.out.Add("answer.empty", where);
      break;
  }
}

void CheckScreening(Checks& c, const Path& where, const v1::Screening& screening) {
  const Path tool(where, "tool");
  CheckRequiredText(c, tool, screening.tool(), kIdMax);
  const bool capitals = std::none_of(screening.tool().begin(), screening.tool().end(), [](char x) {
    return (x >= 'a' && x <= 'z') || x == '\t' || x == '\n';
  });
  if (!capitals) c.out.Add("tool.shape", tool);
  CheckText(c, Path(where, "tool_version"), screening.tool_version(), kIdMax);
  const int count = CheckCount(c, Path(where, "answers"), screening.answers_size(), 400);
  for (int i = 0; i < count; ++i) {
    CheckAnswer(c, Path(where, "answers", i), screening.answers(i));
  }
  if (count == 0 && !screening.has_score() && screening.result_text().empty() &&
      screening.result() == v1::SCREENING_RESULT_UNSPECIFIED) {
    c.out.Add("screening.empty", where);
  }
  CheckText(c, Path(where, "result_text"), screening.result_text(), kLineMax);
  CheckDay(c, Path(where, "follow_up_on"), screening.follow_up_on());
  const std::string& questionnaire = screening.platform_questionnaire();
  if (questionnaire.size() > 16 ||
      !std::all_of(questionnaire.begin(), questionnaire.end(), [](char x) {
        return (x >= 'A' && x <= 'Z') || (x >= 'a' && x <= 'z') || (x >= '0' && x <= '9');
      })) {
    c.out.Add("questionnaire.shape", Path(where, "platform_questionnaire"));
  }
}

void CheckReply(Checks& c, const Path& where, const v1::ReferralReply& reply) {
  const int count = CheckCount(c, Path(where, "diagnoses"), reply.diagnoses_size(), 32);
  for (int i = 0; i < count; ++i) {
    CheckDiagnosisCode(c, Path(where, "diagnoses", i), reply.diagnoses(i));
  }
  CheckText(c, Path(where, "therapy"), reply.therapy(), kNoteMax);
  CheckText(c, Path(where, "plan"), reply.plan(), kNoteMax);
  CheckDay(c, Path(where, "control_on"), reply.control_on());
}

void CheckReferral(Checks& c, const Path& where, const v1::Referral& referral) {
  const Path number(where, "number");
  CheckRequiredText(c, number, referral.number(), kIdMax);
  CheckId(c, number, referral.number());
  CheckChosen(c, Path(where, "state"), referral.state());
  if (referral.has_from()) {
    CheckFacility(c, Path(where, "from"), referral.from());
  } else {
    Missing(c, where, "from");
  }
  if (referral.has_from_unit()) CheckUnit(c, Path(where, "from_unit"), referral.from_unit());
  const bool asks = referral.state() == v1::REFERRAL_STATE_PROPOSED ||
                    referral.state() == v1::REFERRAL_STATE_SENT;
  if (referral.has_to()) {
    CheckFacility(c, Path(where, "to"), referral.to());
  } else if (asks) {
    Missing(c, where, "to");
  }
  if (referral.has_service()) CheckCode(c, Path(where, "service"), referral.service());
  const Path reason(where, "reason");
  if (asks || referral.state() == v1::REFERRAL_STATE_REJECTED) {
    CheckRequiredText(c, reason, referral.reason(), kNoteMax);
  } else {
    CheckText(c, reason, referral.reason(), kNoteMax);
  }
  if (asks) CheckChosen(c, Path(where, "urgency"), referral.urgency());
  CheckText(c, Path(where, "rule"), referral.rule(), kNameMax);
  int count =
      CheckCount(c, Path(where, "evidence_event_ids"), referral.evidence_event_ids_size(), 64);
  for (int i = 0; i < count; ++i) {
    CheckEventId(c, Path(where, "evidence_event_ids", i), referral.evidence_event_ids(i));
  }
  if (referral.has_diagnosis()) {
    CheckDiagnosisCode(c, Path(where, "diagnosis"), referral.diagnosis());
  }
  if (!referral.insurance_card().empty()) {
    CheckCardNumber(c, Path(where, "insurance_card"), referral.insurance_card());
  }
  CheckText(c, Path(where, "sep"), referral.sep(), kIdMax);
  CheckText(c, Path(where, "action_done"), referral.action_done(), kNoteMax);
  CheckText(c, Path(where, "transport"), referral.transport(), kLineMax);
  CheckText(c, Path(where, "accompanied_by"), referral.accompanied_by(), kLineMax);
  CheckText(c, Path(where, "accepted_by"), referral.accepted_by(), kLineMax);
  if (referral.has_reply()) {
    CheckReply(c, Path(where, "reply"), referral.reply());
  } else if (referral.state() == v1::REFERRAL_STATE_BACK_REFERRED) {
    c.out.Add("referral.reply_missing", Path(where, "reply"));
  }
  count = CheckCount(c, Path(where, "other_numbers"), referral.other_numbers_size(), 16);
  for (int i = 0; i < count; ++i) {
    const Path other(where, "other_numbers", i);
    CheckRequiredText(c, Path(other, "system"), referral.other_numbers(i).system(), kNameMax);
    CheckRequiredText(c, Path(other, "number"), referral.other_numbers(i).number(), kIdMax);
  }
}

void CheckMotherhood(Checks& c, const Path& root) {
  if (c.sex != v1::SEX_MALE) return;
  const Path subject(root, "subject");
  c.out.Add("subject.sex", Path(subject, "sex"));
}

void CheckPregnancy(Checks& c, const Path& where, const v1::Pregnancy& pregnancy) {
  const Path id(where, "pregnancy_id");
  CheckRequiredText(c, id, pregnancy.pregnancy_id(), kIdMax);
  CheckId(c, id, pregnancy.pregnancy_id());
  CheckChosen(c, Path(where, "state"), pregnancy.state());
  const auto lmp = CheckPastDay(c, Path(where, "lmp"), pregnancy.lmp());
  const auto edd = CheckDay(c, Path(where, "edd"), pregnancy.edd());
  const auto ended_on = CheckPastDay(c, Path(where, "ended_on"), pregnancy.ended_on());
  if (lmp && edd && (*edd <= *lmp || *edd - *lmp > days(330))) {
    c.out.Add("pregnancy.dates", Path(where, "edd"));
  }
  if (lmp && ended_on && *ended_on < *lmp) c.out.Add("pregnancy.dates", Path(where, "ended_on"));
  for (const auto& [name, present, value, min] :
       {std::tuple<std::string_view, bool, uint32_t, uint32_t>{"gravida", pregnancy.has_gravida(),
                                                               pregnancy.gravida(), 1},
        {"para", pregnancy.has_para(), pregnancy.para(), 0},
        {"abortus", pregnancy.has_abortus(), pregnancy.abortus(), 0}}) {
    if (present && (value < min || value > 40)) c.out.Add("count.range", Path(where, name));
  }
  if (pregnancy.has_gravida() &&
      static_cast<uint64_t>(pregnancy.para()) + pregnancy.abortus() > pregnancy.gravida()) {
    c.out.Add("pregnancy.gpa", Path(where, "gravida"));
  }
  const Path outcome(where, "outcome");
  if (pregnancy.state() == v1::PREGNANCY_STATE_CLOSED) {
    CheckChosen(c, outcome, pregnancy.outcome());
  } else if (pregnancy.state() == v1::PREGNANCY_STATE_OPEN) {
    if (pregnancy.outcome() != v1::PREGNANCY_OUTCOME_UNSPECIFIED) {
      c.out.Add("pregnancy.outcome", outcome);
    }
    if (!pregnancy.ended_on().empty()) c.out.Add("pregnancy.outcome", Path(where, "ended_on"));
    if (pregnancy.lmp().empty() && pregnancy.edd().empty()) {
      c.out.Add("pregnancy.dates_missing", Path(where, "lmp"));
    }
  }
}

void CheckBirth(Checks& c, const Path& where, const v1::Birth& birth) {
  CheckId(c, Path(where, "pregnancy_id"), birth.pregnancy_id());
  CheckMeasured(c, where, birth.has_gestation_days(), birth.gestation_days(), kBirthGestation);
  CheckPastDay(c, Path(where, "born_on"), birth.born_on());
  const Path babies(where, "babies");
  if (birth.babies_size() == 0) c.out.Add("field.required", babies);
  const int count = CheckCount(c, babies, birth.babies_size(), 9);
  uint32_t seen = 0;
  bool ordered = true;
  for (int i = 0; i < count; ++i) {
    const v1::Baby& baby = birth.babies(i);
    const Path at(where, "babies", i);
    ordered = ordered && baby.order() >= 1 && baby.order() <= static_cast<uint32_t>(count) &&
              (seen >> baby.order() & 1) == 0;
    if (baby.order() < 32) seen |= 1u << baby.order();
    if (baby.sex() == v1::SEX_UNSPECIFIED) c.out.Add("birth.sex_unknown", Path(at, "sex"));
    CheckMeasured(c, at, baby.has_weight_g(), baby.weight_g(), kBirthWeight);
    CheckMeasured(c, at, baby.has_length_mm(), baby.length_mm(), kBirthLength);
    CheckMeasured(c, at, baby.has_head_mm(), baby.head_mm(), kBirthHead);
    if (!baby.has_alive()) Missing(c, at, "alive");
    CheckText(c, Path(at, "name"), baby.name(), kNameMax);
  }
  if (!ordered) c.out.Add("birth.order", babies);
}

void CheckRegistered(Checks& c, const Path& where, const v1::Event& event) {
  const v1::PatientRegistered& registered = event.patient_registered();
  if (registered.has_mother()) {
    const Path mother(where, "mother");
    CheckIdentity(c, mother, registered.mother(), false);
    const v1::Identity* own = StrongestIdentity(event.subject());
    if (own != nullptr && registered.mother().kind_case() == own->kind_case() &&
        *CanonicalIdentity(registered.mother()) == *CanonicalIdentity(*own)) {
      c.out.Add("link.same", mother, "a person is registered as their own mother");
    }
  }
  CheckText(c, Path(where, "note"), registered.note(), kNoteMax);
}

void CheckLinked(Checks& c, const Path& where, const v1::Event& event) {
  const v1::PatientLinked& linked = event.patient_linked();
  const Path other(where, "other");
  CheckText(c, Path(where, "reason"), linked.reason(), kLineMax);
  if (!linked.has_other()) {
    Missing(c, where, "other");
    return;
  }
  CheckIdentity(c, other, linked.other(), false);
  const v1::Identity* own = StrongestIdentity(event.subject());
  if (own == nullptr || linked.other().kind_case() == v1::Identity::KIND_NOT_SET) return;
  if (*CanonicalIdentity(linked.other()) == *CanonicalIdentity(*own)) {
    c.out.Add("link.same", other);
  } else if (linked.other().kind_case() > own->kind_case()) {
    c.out.Add("link.weaker", other);
  }
}

void CheckStatus(Checks& c, const Path& where, const v1::PatientStatus& status) {
  CheckChosen(c, Path(where, "status"), status.status());
  const Path on(where, "on");
  if (status.on().empty() &&
      (status.status() == v1::LIFE_STATUS_DIED || status.status() == v1::LIFE_STATUS_MOVED_AWAY)) {
    c.out.Add("field.required", on);
  }
  CheckPastDay(c, on, status.on());
  if (status.has_moved_to()) CheckAddress(c, Path(where, "moved_to"), status.moved_to());
  CheckText(c, Path(where, "cause"), status.cause(), kLineMax);
}

void CheckConsent(Checks& c, const Path& where, const v1::Consent& consent) {
  CheckChosen(c, Path(where, "state"), consent.state());
  CheckRequiredText(c, Path(where, "scope"), consent.scope(), kIdMax);
  CheckText(c, Path(where, "witness"), consent.witness(), kNameMax);
  CheckText(c, Path(where, "given_by"), consent.given_by(), kNameMax);
  if (consent.has_expires_at()) CheckTimestamp(c, Path(where, "expires_at"), consent.expires_at());
}

void CheckRestriction(Checks& c, const Path& where, const v1::Restriction& restriction) {
  if (!restriction.has_restricted()) Missing(c, where, "restricted");
  CheckText(c, Path(where, "scope"), restriction.scope(), kIdMax);
  CheckText(c, Path(where, "reason"), restriction.reason(), kLineMax);
}

}  // namespace

void CheckPayload(Checks& c, const Path& root, const v1::Event& event) {
  switch (event.payload_case()) {
    case v1::Event::kVisit:
      return CheckVisit(c, Path(root, "visit"), event.visit());
    case v1::Event::kImmunisation:
      return CheckImmunisation(c, Path(root, "immunisation"), event.immunisation());
    case v1::Event::kSupplement:
      return CheckSupplement(c, Path(root, "supplement"), event.supplement());
    case v1::Event::kLabResult:
      return CheckLabResult(c, Path(root, "lab_result"), event.lab_result());
    case v1::Event::kScreening:
      return CheckScreening(c, Path(root, "screening"), event.screening());
    case v1::Event::kReferral:
      return CheckReferral(c, Path(root, "referral"), event.referral());
    case v1::Event::kPregnancy:
      CheckMotherhood(c, root);
      return CheckPregnancy(c, Path(root, "pregnancy"), event.pregnancy());
    case v1::Event::kBirth:
      CheckMotherhood(c, root);
      return CheckBirth(c, Path(root, "birth"), event.birth());
    case v1::Event::kPatientRegistered:
      return CheckRegistered(c, Path(root, "patient_registered"), event);
    case v1::Event::kPatientLinked:
      return CheckLinked(c, Path(root, "patient_linked"), event);
    case v1::Event::kPatientUnlinked: {
      const Path unlinked(root, "patient_unlinked");
      CheckEventId(c, Path(unlinked, "link_event_id"), event.patient_unlinked().link_event_id());
      CheckText(c, Path(unlinked, "reason"), event.patient_unlinked().reason(), kLineMax);
      return;
    }
    case v1::Event::kPatientStatus:
      return CheckStatus(c, Path(root, "patient_status"), event.patient_status());
    case v1::Event::kConsent:
      return CheckConsent(c, Path(root, "consent"), event.consent());
    case v1::Event::kRestriction:
      return CheckRestriction(c, Path(root, "restriction"), event.restriction());
    case v1::Event::kCorrection:
    case v1::Event::kRetraction:
    case v1::Event::PAYLOAD_NOT_SET:
      return;
  }
}

}  // namespace simpul::event
