#include "simpul/life/illness.h"

#include <algorithm>
#include <string>

#include "lib/event/date.h"
#include "simpul/life/care.h"
#include "simpul/life/codes.h"
#include "simpul/life/referral.h"

namespace simpul::cli::life {
namespace {

using std::chrono::days;

struct Illness {
  const char* icd10;
  const char* words;
  const char* complaint_snomed;
  const char* complaint;
  const char* medicine;
  int temperature_dc;
  bool may_be_referred;
};

constexpr Illness kIllnesses[] = {
    {"J06.9", "Acute upper respiratory infection, unspecified", "49727002", "batuk pilek",
     "Parasetamol", 376, false},
    {"A09.9", "Gastroenteritis and colitis of unspecified origin", "62315008", "mencret", "Oralit",
     374, true},
    {"R50.9", "Fever, unspecified", "386661006", "demam", "Parasetamol", 388, true},
    {"K29.7", "Gastritis, unspecified", "422587007", "mual", "Antasida", 367, false},
    {"M79.1", "Myalgia", "68962001", "pegal", "Ibuprofen", 366, false},
    {"L30.9", "Dermatitis, unspecified", "418290006", "gatal", "Salep hidrokortison", 366, false},
    {"J18.9", "Pneumonia, unspecified organism", "267036007", "sesak", "Amoksisilin", 386, true},
};

}  // namespace

void FallIll(Clerk& clerk, const Person& person, Day day) {
  Random& random = clerk.random();
  const Illness& illness = random.Pick(kIllnesses);
  const bool pustu = random.Chance(350);
  const Attendance at = pustu ? clerk.AtPustu(person, day) : clerk.AtClinic(person, day);
  const Worker& worker = pustu ? Nurse(at) : Doctor(at);
  v1::Event event = clerk.EventOf(at, &worker);
  v1::Visit& visit = *event.mutable_visit();
  visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
  visit.set_temperature_dc(static_cast<uint32_t>(illness.temperature_dc + random.Between(-4, 8)));
  visit.set_pulse_per_min(
      static_cast<uint32_t>(random.Near(AgeYears(person, day) < 5 ? 118 : 84, 16)));
  visit.set_breaths_per_min(
      static_cast<uint32_t>(random.Near(AgeYears(person, day) < 5 ? 30 : 18, 5)));
  v1::Complaint& complaint = *visit.add_complaints();
  *complaint.mutable_code() = CodeOf(kSnomed, illness.complaint_snomed, illness.complaint);
  complaint.set_text(illness.complaint);
  complaint.set_since(event::FormatDay(std::max(person.born, day - days(random.Between(1, 5)))));
  v1::Diagnosis& diagnosis = *visit.add_diagnoses();
  *diagnosis.mutable_code() = CodeOf(kIcd10, illness.icd10, illness.words);
  diagnosis.set_certainty(v1::DIAGNOSIS_CERTAINTY_CONFIRMED);
  diagnosis.set_rank(v1::DIAGNOSIS_RANK_PRIMARY);
  const int64_t begin = event.occurred_at().time().seconds();
  event.mutable_started_at()->set_seconds(begin);
  event.mutable_ended_at()->set_seconds(begin + random.Between(6, 25) * 60);
  const int64_t recorded = event.ended_at().seconds() + random.Between(30, 600);
  event.mutable_recorded_at()->set_seconds(recorded);
  const std::string id = event.event_id();
  clerk.Put(std::move(event));
  Give(clerk, at, &worker, v1::SUPPLEMENT_KIND_MEDICINE, illness.medicine, "10", "{tablet}");
  if (illness.may_be_referred && random.Chance(180)) {
    Refer(clerk, at, &worker, clerk.Hospital(at),
          {"tidak membaik dengan pengobatan", "", illness.icd10, id, v1::URGENCY_URGENT});
  }
}

}  // namespace simpul::cli::life
