#include "simpul/life/referral.h"

#include "lib/event/date.h"
#include "simpul/life/codes.h"

namespace simpul::cli::life {

using std::chrono::days;

void Refer(Clerk& clerk, const Attendance& at, const Worker* by, const Clinic& to,
           const ReferralReason& reason) {
  Random& random = clerk.random();
  const std::string number = clerk.NextReferral();
  const Worker& receiver = to.workers[0];
  Attendance there = at;
  there.clinic = &to;
  there.unit = nullptr;
  there.kind = to.hospital ? v1::UNIT_KIND_HOSPITAL : v1::UNIT_KIND_PUSKESMAS;
  Day day = at.day;
  int minute = at.minute;
  const auto put = [&](v1::ReferralState state, const Worker* worker, bool from_target) {
    Attendance where = from_target ? there : at;
    // What the target writes down is no part of the visit at the origin.
    if (from_target) where.visit_id.clear();
    where.day = day;
    where.minute = minute += static_cast<int>(random.Between(5, 40));
    v1::Event event = clerk.EventOf(where, worker);
    v1::Referral& referral = *event.mutable_referral();
    referral.set_number(number);
    referral.set_state(state);
    *referral.mutable_from() = FacilityOf(*at.clinic);
    *referral.mutable_from_unit() = UnitMessage(at);
    *referral.mutable_to() = FacilityOf(to);
    referral.set_reason(reason.words);
    referral.set_rule(reason.rule);
    if (!reason.evidence.empty() && !from_target) referral.add_evidence_event_ids(reason.evidence);
    referral.set_urgency(reason.urgency);
    // A kader refers without naming a disease.
    if (worker != nullptr) *referral.mutable_diagnosis() = CodeOf(kIcd10, reason.icd10, "");
    referral.set_care(reason.urgency == v1::URGENCY_EMERGENCY ? v1::CARE_TYPE_EMERGENCY
                                                              : v1::CARE_TYPE_OUTPATIENT);
    referral.set_insurance(at.person->card.empty() ? v1::INSURANCE_STATUS_NONE
                                                   : v1::INSURANCE_STATUS_ACTIVE);
    referral.set_patient_agrees(true);
    if (state == v1::REFERRAL_STATE_REJECTED) referral.set_reason("ruangan penuh");
    if (state == v1::REFERRAL_STATE_ACCEPTED) referral.set_accepted_by("petugas pendaftaran");
    if (state == v1::REFERRAL_STATE_BACK_REFERRED) {
      *referral.mutable_reply()->add_diagnoses() = CodeOf(kIcd10, reason.icd10, "");
      referral.mutable_reply()->set_therapy("terapi dilanjutkan di Puskesmas");
      referral.mutable_reply()->set_plan("kontrol sesuai jadwal");
      referral.mutable_reply()->set_control_on(event::FormatDay(day + days(14)));
    }
    clerk.Put(std::move(event));
  };
  if (by == nullptr) {
    put(v1::REFERRAL_STATE_PROPOSED, nullptr, false);
    if (random.Chance(250)) return;  // nobody took it up
    day += days(random.Between(0, 2));
  }
  const Worker& sender = by != nullptr ? *by : Midwife(at);
  put(v1::REFERRAL_STATE_SENT, &sender, false);
  day += days(random.Between(0, 3));
  const uint64_t luck = random.Below(100);
  if (luck < 6) return put(v1::REFERRAL_STATE_REJECTED, &receiver, true);
  if (luck < 11) return put(v1::REFERRAL_STATE_CANCELLED, &sender, false);
  put(v1::REFERRAL_STATE_ACCEPTED, &receiver, true);
  day += days(random.Between(0, 5));
  if (luck < 20) return put(v1::REFERRAL_STATE_NO_SHOW, &receiver, true);
  put(v1::REFERRAL_STATE_PATIENT_ARRIVED, &receiver, true);
  if (luck < 60) put(v1::REFERRAL_STATE_UNDER_CARE, &receiver, true);
  day += days(random.Between(1, 9));
  put(v1::REFERRAL_STATE_COMPLETED, &receiver, true);
  put(v1::REFERRAL_STATE_BACK_REFERRED, &receiver, true);
  if (luck < 85) return;
  day += days(random.Between(2, 20));
  put(v1::REFERRAL_STATE_CLOSED, &sender, false);
}

}  // namespace simpul::cli::life
