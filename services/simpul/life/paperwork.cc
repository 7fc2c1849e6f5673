#include "simpul/life/paperwork.h"

#include "lib/event/date.h"
#include "simpul/life/codes.h"

namespace simpul::cli::life {
namespace {

using std::chrono::days;

v1::Event ChildRegistration(Clerk& clerk, const Person& child, Day day, const Worker& worker) {
  Attendance at = clerk.AtClinic(child, day);
  at.visit_id.clear();
  v1::Event event = clerk.EventOf(at, &worker);
  event.mutable_patient_registered()->mutable_mother()->mutable_nik()->set_number(child.mother_nik);
  return event;
}

// An event about the child as it was known before it had a NIK.
v1::Event AsNewborn(Clerk& clerk, const Person& baby, Day day, const Worker& worker) {
  Attendance at = clerk.AtClinic(baby, day);
  at.visit_id.clear();
  v1::Event event = clerk.EventOf(at, &worker);
  *event.mutable_subject() = clerk.SubjectOf(baby, baby.born);
  return event;
}

// Says that the child is the one with that NIK; returns the event's id.
std::string Link(Clerk& clerk, const Person& baby, Day day, const std::string& nik,
                 const Worker& worker) {
  v1::Event event = AsNewborn(clerk, baby, day, worker);
  event.mutable_patient_linked()->mutable_other()->mutable_nik()->set_number(nik);
  event.mutable_patient_linked()->set_reason("Akta kelahiran terbit");
  std::string id = event.event_id();
  clerk.Put(std::move(event));
  return id;
}

}  // namespace

void Register(Clerk& clerk, const Person& person, Day day) {
  Attendance at = clerk.AtClinic(person, day);
  at.visit_id.clear();
  v1::Event event = clerk.EventOf(at, &Midwife(at));
  event.mutable_patient_registered()->set_note("pendaftaran");
  clerk.Put(std::move(event));
}

void RegisterChild(Clerk& clerk, const Person& child, Day day, const Worker& worker) {
  clerk.Put(ChildRegistration(clerk, child, day, worker));
}

void GetNik(Clerk& clerk, const Person& baby, bool registers_again, const std::string& twin_nik) {
  Random& random = clerk.random();
  if (!clerk.Within(baby.nik_since)) return;
  const Worker& midwife = Midwife(clerk.AtClinic(baby, baby.nik_since));
  if (registers_again) {
    v1::Event event = ChildRegistration(clerk, baby, baby.nik_since, midwife);
    v1::Newborn& newborn = *event.mutable_subject()->add_identities()->mutable_newborn();
    newborn.set_mother_nik(baby.mother_nik);
    newborn.set_birth_date(event::FormatDay(baby.born));
    newborn.set_birth_order(static_cast<uint32_t>(baby.birth_order));
    return clerk.Put(std::move(event));
  }
  const Day noticed = baby.nik_since + days(random.Between(1, 6));
  if (twin_nik.empty() || !clerk.Within(noticed)) {
    Link(clerk, baby, baby.nik_since, baby.nik, midwife);
    return;
  }
  const std::string wrong = Link(clerk, baby, baby.nik_since, twin_nik, midwife);
  v1::Event event = AsNewborn(clerk, baby, noticed, midwife);
  event.mutable_patient_unlinked()->set_link_event_id(wrong);
  event.mutable_patient_unlinked()->set_reason("NIK milik saudara kembarnya");
  clerk.Put(std::move(event));
  Link(clerk, baby, noticed, baby.nik, midwife);
}

void Status(Clerk& clerk, const Person& person, Day day, v1::LifeStatus status) {
  Attendance at = clerk.AtClinic(person, day);
  at.visit_id.clear();
  v1::Event event = clerk.EventOf(at, &Midwife(at));
  event.mutable_patient_status()->set_status(status);
  event.mutable_patient_status()->set_on(event::FormatDay(day));
  if (status == v1::LIFE_STATUS_DIED) {
    event.mutable_patient_status()->set_cause("sebab usia lanjut");
  } else {
    event.mutable_patient_status()->mutable_moved_to()->set_village_system("kemendagri");
    event.mutable_patient_status()->mutable_moved_to()->set_village_code("73.12.01.2004");
  }
  clerk.Put(std::move(event));
}

void Agree(Clerk& clerk, const Person& person) {
  Random& random = clerk.random();
  Attendance at = clerk.AtClinic(person, clerk.SomeDay());
  if (at.day <= person.born) return;
  at.visit_id.clear();
  v1::Event event = clerk.EventOf(at, &Midwife(at));
  v1::Consent& consent = *event.mutable_consent();
  consent.set_state(random.Chance(930) ? v1::CONSENT_STATE_GIVEN : v1::CONSENT_STATE_WITHDRAWN);
  consent.set_scope("sharing");
  consent.set_method(v1::CONSENT_METHOD_WRITTEN);
  if (AgeYears(person, at.day) < 18) consent.set_given_by("orang tua");
  clerk.Put(std::move(event));
  if (random.Chance(60)) {
    at.minute += 20;
    v1::Event asks = clerk.EventOf(at, &Midwife(at));
    asks.mutable_restriction()->set_restricted(true);
    asks.mutable_restriction()->set_scope("sharing");
    asks.mutable_restriction()->set_reason("permintaan pasien");
    clerk.Put(std::move(asks));
  }
}

}  // namespace simpul::cli::life
