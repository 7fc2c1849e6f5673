#include "simpul/life/clerk.h"

#include <fmt/format.h>

#include "lib/event/date.h"

namespace simpul::cli::life {

namespace v1 = event::v1;

using std::chrono::days;

Day Clerk::SomeDay() { return start_ + days(random_.Below(static_cast<uint64_t>(length_days()))); }

Attendance Clerk::At(const Person& person, const VillageUnit* unit, v1::UnitKind kind, Day day) {
  Attendance at;
  at.person = &person;
  at.clinic = &village_.clinics[person.clinic];
  at.unit = unit;
  at.kind = kind;
  at.day = day;
  at.minute = static_cast<int>(random_.Between(7 * 60 + 30, 11 * 60 + 45));
  at.visit_id = fmt::format("v{}.{}", seed_ % 1000, ++visits_);
  return at;
}

Attendance Clerk::AtPosyandu(const Person& person, Day day) {
  Attendance at = At(person, &UnitOf(person), v1::UNIT_KIND_POSYANDU, day);
  at.training = random_.Chance(5);
  return at;
}

Attendance Clerk::AtClinic(const Person& person, Day day) {
  return At(person, nullptr, v1::UNIT_KIND_PUSKESMAS, day);
}

Attendance Clerk::AtPustu(const Person& person, Day day) {
  // The units of a village stand together, its Pustu first.
  size_t pustu = person.posyandu;
  const Clinic& clinic = village_.clinics[person.clinic];
  while (clinic.units[pustu].kind != v1::UNIT_KIND_PUSTU) --pustu;
  return At(person, &clinic.units[pustu], v1::UNIT_KIND_PUSTU, day);
}

const VillageUnit& Clerk::UnitOf(const Person& person) const {
  return village_.clinics[person.clinic].units[person.posyandu];
}

const Clinic& Clerk::Hospital(const Attendance& at) const {
  return village_.clinics[at.clinic->refers_to];
}

v1::Event Clerk::EventOf(const Attendance& at, const Worker* worker) {
  v1::Event event;
  event.set_event_id(outbox_.NextId());
  *event.mutable_facility() = FacilityOf(*at.clinic);
  *event.mutable_unit() = UnitMessage(at);
  if (worker == nullptr) {
    event.mutable_recorder()->set_id(fmt::format("kader-{}", at.unit->code));
    event.mutable_recorder()->set_role(v1::RECORDER_ROLE_KADER);
  } else {
    event.mutable_recorder()->set_id("staff-" + worker->practitioner_id);
    event.mutable_recorder()->set_role(worker->role);
    // Some programs name the person by NIK, some by the platform's id, some leave it to the
    // directory.
    const uint64_t way = at.person->family % 3;
    if (way == 0) event.mutable_responsible()->set_nik(worker->nik);
    if (way == 1) event.mutable_responsible()->set_practitioner_id(worker->practitioner_id);
  }
  *event.mutable_subject() = SubjectOf(*at.person, at.day);
  event.set_visit_id(at.visit_id);
  const int64_t occurred =
      at.day.time_since_epoch().count() * 86400 + (at.minute - at.clinic->utc_offset_min) * 60;
  event.mutable_occurred_at()->mutable_time()->set_seconds(occurred);
  event.mutable_occurred_at()->set_utc_offset_min(at.clinic->utc_offset_min);
  event.mutable_occurred_at()->set_precision(v1::TIME_PRECISION_MINUTE);
  event.mutable_recorded_at()->set_seconds(occurred + random_.Between(60, 7200));
  *event.mutable_place()->mutable_address() = AddressOf(*at.person);
  if (at.unit != nullptr) event.mutable_place()->set_name(at.unit->name);
  event.set_session_id(fmt::format("{}/{}", at.unit != nullptr ? at.unit->code : at.clinic->code,
                                   event::FormatDay(at.day)));
  event.set_channel(worker == nullptr ? v1::CHANNEL_APP : v1::CHANNEL_CLINIC_SYSTEM);
  event.set_purpose(at.training ? v1::PURPOSE_TRAINING : v1::PURPOSE_PRODUCTION);
  if (worker == nullptr) {
    event.mutable_device()->set_id(fmt::format("hp-{}", at.unit->code));
    event.mutable_device()->set_sequence(++sequence_);
    event.mutable_form()->set_id("posyandu-ilp");
    event.mutable_form()->set_version("2025.1");
  }
  return event;
}

v1::Subject Clerk::SubjectOf(const Person& person, Day day) const {
  v1::Subject subject;
  if (!person.nik.empty() && day >= person.nik_since) {
    subject.add_identities()->mutable_nik()->set_number(person.nik);
  } else if (!person.mother_nik.empty() && person.born_here) {
    v1::Newborn& newborn = *subject.add_identities()->mutable_newborn();
    newborn.set_mother_nik(person.mother_nik);
    newborn.set_birth_date(event::FormatDay(person.born));
    newborn.set_birth_order(static_cast<uint32_t>(person.birth_order));
  }
  if (!person.passport.empty()) {
    subject.add_identities()->mutable_passport()->set_country("MYS");
    subject.mutable_identities(subject.identities_size() - 1)
        ->mutable_passport()
        ->set_number(person.passport);
  }
  if (!person.card.empty()) {
    subject.add_identities()->mutable_card()->set_number(person.card);
  }
  if (!person.local_number.empty()) {
    v1::Local& local = *subject.add_identities()->mutable_local();
    local.set_system(village_.clinics[person.clinic].system);
    local.set_facility(village_.clinics[person.clinic].code);
    local.set_number(person.local_number);
  }
  subject.set_name(person.name);
  subject.set_sex(person.female ? v1::SEX_FEMALE : v1::SEX_MALE);
  subject.set_birth_date(event::FormatDay(person.born));
  *subject.mutable_residence() = AddressOf(person);
  subject.set_family_card(person.family_card);
  return subject;
}

v1::Address Clerk::AddressOf(const Person& person) const {
  v1::Address address;
  address.set_village_system("kemendagri");
  address.set_village_code(UnitOf(person).village_code);
  address.set_dusun(person.dusun);
  address.set_rw(person.rw);
  address.set_rt(person.rt);
  return address;
}

void Clerk::Put(v1::Event event) { outbox_.Put(std::move(event)); }

std::string Clerk::NextReferral() { return fmt::format("R{}-{}", seed_ % 1000, ++referrals_); }

std::string Clerk::NextPregnancy() {
  return fmt::format("preg-{}-{}", seed_ % 1000, ++pregnancies_);
}

const Worker& Doctor(const Attendance& at) { return at.clinic->workers[0]; }

const Worker& Midwife(const Attendance& at) {
  return at.clinic->workers[1 + at.person->family % 2];
}

const Worker& Nurse(const Attendance& at) { return at.clinic->workers[3]; }

v1::Facility FacilityOf(const Clinic& clinic) {
  v1::Facility facility;
  facility.set_system(clinic.system);
  facility.set_code(clinic.code);
  return facility;
}

v1::Unit UnitMessage(const Attendance& at) {
  v1::Unit unit;
  unit.set_kind(at.kind);
  if (at.unit != nullptr) unit.set_code(at.unit->code);
  unit.set_name(at.unit != nullptr ? at.unit->name : at.clinic->name);
  return unit;
}

}  // namespace simpul::cli::life
