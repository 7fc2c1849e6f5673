#include "simpul/life/care.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/event/date.h"
#include "simpul/life/codes.h"

namespace simpul::cli::life {
namespace {

using std::chrono::days;

void Lab(Clerk& clerk, const Attendance& at, const Worker& worker, const v1::Code& code,
         v1::Quantity value, bool abnormal) {
  v1::Event event = clerk.EventOf(at, &worker);
  v1::LabResult& lab = *event.mutable_lab_result();
  *lab.mutable_code() = code;
  *lab.mutable_quantity() = std::move(value);
  lab.set_abnormal(abnormal);
  clerk.Put(std::move(event));
}

}  // namespace

void CheckAdult(Clerk& clerk, const Attendance& at, const Worker* worker, bool full) {
  Random& random = clerk.random();
  const Person& person = *at.person;
  v1::Event event = clerk.EventOf(at, worker);
  v1::Visit& visit = *event.mutable_visit();
  visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
  const int64_t systolic = random.Near(person.hypertensive ? 148 : 118, 18);
  visit.set_systolic_mmhg(static_cast<uint32_t>(systolic));
  visit.set_diastolic_mmhg(static_cast<uint32_t>(systolic * 62 / 100 + random.Between(0, 8)));
  visit.set_weight_g(static_cast<uint32_t>((person.female ? 56000 : 63000) + person.weight_z * 90 +
                                           random.Between(-9, 9) * 100));
  if (full) {
    visit.set_length_mm(
        static_cast<uint32_t>((person.female ? 1540 : 1650) + person.length_z * 55 / 100));
    visit.set_position(v1::MEASURING_POSITION_STANDING);
    visit.set_waist_mm(static_cast<uint32_t>(820 + person.weight_z * 3 / 2));
  }
  const bool treated = worker != nullptr && person.hypertensive;
  if (treated) {
    v1::Diagnosis& diagnosis = *visit.add_diagnoses();
    *diagnosis.mutable_code() = CodeOf(kIcd10, "I10", "Essential (primary) hypertension");
    diagnosis.set_certainty(v1::DIAGNOSIS_CERTAINTY_CONFIRMED);
    diagnosis.set_rank(v1::DIAGNOSIS_RANK_PRIMARY);
  }
  clerk.Put(std::move(event));
  if (treated) {
    Give(clerk, at, worker, v1::SUPPLEMENT_KIND_MEDICINE, "Amlodipin 5 mg", "30", "{tablet}");
  }
}

void Haemoglobin(Clerk& clerk, const Attendance& at, const Worker& worker) {
  Random& random = clerk.random();
  const int64_t tenths = random.Near(117, 22);
  Lab(clerk, at, worker, CodeOf(kLoinc, "718-7", "Hemoglobin [Mass/volume] in Blood"),
      QuantityOf(fmt::format("{}.{}", tenths / 10, tenths % 10), "g/dL"), tenths < 110);
}

void Glucose(Clerk& clerk, const Attendance& at, const Worker& worker) {
  Random& random = clerk.random();
  const int64_t value = random.Near(at.person->diabetic ? 205 : 112, 40);
  Lab(clerk, at, worker, CodeOf(kLoinc, "2345-7", "Glucose [Mass/volume] in Serum or Plasma"),
      QuantityOf(fmt::format("{}", value), "mg/dL"), value >= 140);
}

void UrineProtein(Clerk& clerk, const Attendance& at, const Worker& worker) {
  v1::Event urine = clerk.EventOf(at, &worker);
  v1::LabResult& lab = *urine.mutable_lab_result();
  *lab.mutable_code() = CodeOf(kLoinc, "5804-0", "Protein [Mass/volume] in Urine by Test strip");
  *lab.mutable_coded() = clerk.random().Chance(40) ? CodeOf(kSnomed, "10828004", "Positive")
                                                   : CodeOf(kSnomed, "260385009", "Negative");
  clerk.Put(std::move(urine));
}

void Give(Clerk& clerk, const Attendance& at, const Worker* worker, v1::SupplementKind kind,
          const char* name, const char* amount, const char* unit) {
  Random& random = clerk.random();
  v1::Event event = clerk.EventOf(at, worker);
  v1::Supplement& supplement = *event.mutable_supplement();
  supplement.set_kind(kind);
  supplement.set_name(name);
  *supplement.mutable_quantity() = QuantityOf(amount, unit);
  supplement.set_status(v1::DOSE_STATUS_GIVEN_HERE);
  supplement.set_route(v1::ROUTE_ORAL);
  if (kind == v1::SUPPLEMENT_KIND_IRON_FOLATE) {
    supplement.set_kfa_code("92000653");
    supplement.set_taken(random.Chance(800));
  }
  clerk.Put(std::move(event));
}

void Immunise(Clerk& clerk, const Attendance& at, const Dose& dose) {
  Random& random = clerk.random();
  v1::Event event = clerk.EventOf(at, &Midwife(at));
  v1::Immunisation& one = *event.mutable_immunisation();
  one.set_antigen(dose.antigen);
  one.set_dose(dose.number);
  const uint64_t luck = random.Below(1000);
  if (luck < 25) {
    one.set_status(v1::DOSE_STATUS_NOT_GIVEN);
    one.set_not_given_reason(luck < 12 ? v1::NOT_GIVEN_REASON_DEFERRED
                                       : v1::NOT_GIVEN_REASON_REFUSED);
  } else if (luck < 45) {
    one.set_status(v1::DOSE_STATUS_REPORTED);
    one.set_given_on(
        event::FormatDay(std::max(at.person->born, at.day - days(random.Between(3, 20)))));
  } else {
    one.set_status(v1::DOSE_STATUS_GIVEN_HERE);
    one.set_kfa_code(dose.kfa);
    one.set_lot(fmt::format("L{}{:04}", dose.antigen[0], random.Below(10000)));
    one.set_expiry(event::FormatDay(at.day + days(random.Between(60, 500))));
    one.set_route(dose.route);
    *one.mutable_amount() = QuantityOf(dose.route == v1::ROUTE_ORAL          ? "2"
                                       : dose.route == v1::ROUTE_INTRADERMAL ? "0.05"
                                                                             : "0.5",
                                       dose.route == v1::ROUTE_ORAL ? "[drp]" : "mL");
  }
  clerk.Put(std::move(event));
}

std::string Screen(Clerk& clerk, const Attendance& at, const Worker& worker, const char* tool,
                   int questions, unsigned yes_permille, int abnormal_from,
                   const char* platform_number) {
  Random& random = clerk.random();
  v1::Event event = clerk.EventOf(at, &worker);
  v1::Screening& screening = *event.mutable_screening();
  screening.set_tool(tool);
  screening.set_tool_version("2025");
  screening.set_platform_questionnaire(platform_number);
  int score = 0;
  for (int i = 1; i <= questions; ++i) {
    v1::Answer& answer = *screening.add_answers();
    answer.set_link_id(fmt::format("{}", i));
    const bool yes = random.Chance(yes_permille);
    answer.set_flag(yes);
    score += yes ? 1 : 0;
  }
  screening.set_score(score);
  const bool abnormal = score >= abnormal_from;
  screening.set_result(abnormal ? v1::SCREENING_RESULT_NEEDS_CHECK : v1::SCREENING_RESULT_NORMAL);
  screening.set_follow_up(abnormal ? v1::FOLLOW_UP_REFER : v1::FOLLOW_UP_NONE);
  std::string id = abnormal ? event.event_id() : "";
  clerk.Put(std::move(event));
  return id;
}

}  // namespace simpul::cli::life
