#include "simpul/life.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "lib/event/date.h"
#include "simpul/growth_table.h"

namespace simpul::cli {
namespace {

namespace v1 = event::v1;

using std::chrono::days;

constexpr std::string_view kLoinc = "http://loinc.org";
constexpr std::string_view kSnomed = "http://snomed.info/sct";
constexpr std::string_view kIcd10 = "http://hl7.org/fhir/sid/icd-10";

// One dose of the national calendar (KMK HK.01.07/MENKES/2015/2023) that a posyandu gives.
struct Dose {
  const char* antigen;
  unsigned number;
  int due_months;
  const char* kfa;
  v1::Route route;
};

constexpr Dose kCalendar[] = {
    {"BCG", 1, 1, "93005208", v1::ROUTE_INTRADERMAL},
    {"OPV", 1, 1, "93004972", v1::ROUTE_ORAL},
    {"DPT-HB-HIB", 1, 2, "93001282", v1::ROUTE_INTRAMUSCULAR},
    {"OPV", 2, 2, "93004972", v1::ROUTE_ORAL},
    {"PCV", 1, 2, "93001620", v1::ROUTE_INTRAMUSCULAR},
    {"RV", 1, 2, "93001652", v1::ROUTE_ORAL},
    {"DPT-HB-HIB", 2, 3, "93001282", v1::ROUTE_INTRAMUSCULAR},
    {"OPV", 3, 3, "93004972", v1::ROUTE_ORAL},
    {"PCV", 2, 3, "93001620", v1::ROUTE_INTRAMUSCULAR},
    {"RV", 2, 3, "93001652", v1::ROUTE_ORAL},
    {"DPT-HB-HIB", 3, 4, "93001282", v1::ROUTE_INTRAMUSCULAR},
    {"OPV", 4, 4, "93004972", v1::ROUTE_ORAL},
    {"IPV", 1, 4, "93004736", v1::ROUTE_INTRAMUSCULAR},
    {"RV", 3, 4, "93001652", v1::ROUTE_ORAL},
    {"MR", 1, 9, "93005781", v1::ROUTE_SUBCUTANEOUS},
    {"IPV", 2, 9, "93004736", v1::ROUTE_INTRAMUSCULAR},
    {"PCV", 3, 12, "93001620", v1::ROUTE_INTRAMUSCULAR},
    {"DPT-HB-HIB", 4, 18, "93001282", v1::ROUTE_INTRAMUSCULAR},
    {"MR", 2, 18, "93005781", v1::ROUTE_SUBCUTANEOUS},
};

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

v1::Code CodeOf(std::string_view system, std::string_view code, std::string_view display) {
  v1::Code one;
  one.set_system(std::string(system));
  one.set_code(std::string(code));
  one.set_display(std::string(display));
  return one;
}

v1::Quantity QuantityOf(std::string value, const char* unit) {
  v1::Quantity quantity;
  quantity.set_value(std::move(value));
  quantity.set_unit(unit);
  return quantity;
}

int AgeDays(const Person& person, Day day) { return static_cast<int>((day - person.born).count()); }
int AgeYears(const Person& person, Day day) { return AgeDays(person, day) * 4 / 1461; }

int Completed(Day from, Day to) {
  const std::chrono::year_month_day a{from}, b{to};
  const int months =
      (int(b.year()) - int(a.year())) * 12 + int(unsigned(b.month())) - int(unsigned(a.month()));
  return months - (unsigned(b.day()) < unsigned(a.day()) ? 1 : 0);
}

// One person's one attendance: what its events share.
struct Attendance {
  const Person* person;
  const Clinic* clinic;
  const VillageUnit* unit;  // null: the clinic itself
  v1::UnitKind kind;
  Day day;
  int minute;  // local
  std::string visit_id;
  bool training = false;
};

class Country {
 public:
  Country(uint64_t seed, Village& village, Day start, int length, Outbox& outbox)
      : random_(seed * 2 + 3),
        seed_(seed),
        village_(village),
        start_(start),
        end_(start + days(length)),
        outbox_(outbox) {}

  void Live() {
    const size_t at_first = village_.people.size();
    for (size_t i = 0; i < at_first; ++i) {
      // The village grows while it is walked through: work on a copy, keep what changed.
      Person person = village_.people[i];
      LiveOne(person, i);
    }
  }

 private:
  // --- what every event has ---

  v1::Subject SubjectOf(const Person& person, Day day) {
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

  v1::Address AddressOf(const Person& person) {
    v1::Address address;
    address.set_village_system("kemendagri");
    address.set_village_code(UnitOf(person).village_code);
    address.set_dusun(person.dusun);
    address.set_rw(person.rw);
    address.set_rt(person.rt);
    return address;
  }

  const VillageUnit& UnitOf(const Person& person) const {
    return village_.clinics[person.clinic].units[person.posyandu];
  }

  static v1::Facility FacilityOf(const Clinic& clinic) {
    v1::Facility facility;
    facility.set_system(clinic.system);
    facility.set_code(clinic.code);
    return facility;
  }

  static v1::Unit UnitMessage(const Attendance& at) {
    v1::Unit unit;
    unit.set_kind(at.kind);
    if (at.unit != nullptr) unit.set_code(at.unit->code);
    unit.set_name(at.unit != nullptr ? at.unit->name : at.clinic->name);
    return unit;
  }

  // `worker` null: a kader.
  v1::Event EventOf(const Attendance& at, const Worker* worker) {
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

  Attendance At(const Person& person, const VillageUnit* unit, v1::UnitKind kind, Day day) {
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

  Attendance AtPosyandu(const Person& person, Day day) {
    Attendance at = At(person, &UnitOf(person), v1::UNIT_KIND_POSYANDU, day);
    at.training = random_.Chance(5);
    return at;
  }

  Attendance AtClinic(const Person& person, Day day) {
    return At(person, nullptr, v1::UNIT_KIND_PUSKESMAS, day);
  }

  Attendance AtPustu(const Person& person, Day day) {
    // The units of a village stand together, its Pustu first.
    size_t pustu = person.posyandu;
    const Clinic& clinic = village_.clinics[person.clinic];
    while (clinic.units[pustu].kind != v1::UNIT_KIND_PUSTU) --pustu;
    return At(person, &clinic.units[pustu], v1::UNIT_KIND_PUSTU, day);
  }

  const Worker& Doctor(const Attendance& at) const { return at.clinic->workers[0]; }
  const Worker& Midwife(const Attendance& at) const {
    return at.clinic->workers[1 + at.person->family % 2];
  }

  bool Within(Day day) const { return day >= start_ && day < end_; }

  // --- small events of an attendance ---

  void Lab(const Attendance& at, const Worker& worker, const v1::Code& code, v1::Quantity value,
           bool abnormal) {
    v1::Event event = EventOf(at, &worker);
    v1::LabResult& lab = *event.mutable_lab_result();
    *lab.mutable_code() = code;
    *lab.mutable_quantity() = std::move(value);
    lab.set_abnormal(abnormal);
    outbox_.Put(std::move(event));
  }

  void Haemoglobin(const Attendance& at, const Worker& worker) {
    const int64_t tenths = random_.Near(117, 22);
    Lab(at, worker, CodeOf(kLoinc, "718-7", "Hemoglobin [Mass/volume] in Blood"),
        QuantityOf(fmt::format("{}.{}", tenths / 10, tenths % 10), "g/dL"), tenths < 110);
  }

  void Glucose(const Attendance& at, const Worker& worker) {
    const int64_t value = random_.Near(at.person->diabetic ? 205 : 112, 40);
    Lab(at, worker, CodeOf(kLoinc, "2345-7", "Glucose [Mass/volume] in Serum or Plasma"),
        QuantityOf(fmt::format("{}", value), "mg/dL"), value >= 140);
  }

  void Give(const Attendance& at, const Worker* worker, v1::SupplementKind kind, const char* name,
            const char* amount, const char* unit) {
    v1::Event event = EventOf(at, worker);
    v1::Supplement& supplement = *event.mutable_supplement();
    supplement.set_kind(kind);
    supplement.set_name(name);
    *supplement.mutable_quantity() = QuantityOf(amount, unit);
    supplement.set_status(v1::DOSE_STATUS_GIVEN_HERE);
    supplement.set_route(v1::ROUTE_ORAL);
    if (kind == v1::SUPPLEMENT_KIND_IRON_FOLATE) {
      supplement.set_kfa_code("92000653");
      supplement.set_taken(random_.Chance(800));
    }
    outbox_.Put(std::move(event));
  }

  void Immunise(const Attendance& at, const Dose& dose) {
    v1::Event event = EventOf(at, &Midwife(at));
    v1::Immunisation& one = *event.mutable_immunisation();
    one.set_antigen(dose.antigen);
    one.set_dose(dose.number);
    const uint64_t luck = random_.Below(1000);
    if (luck < 25) {
      one.set_status(v1::DOSE_STATUS_NOT_GIVEN);
      one.set_not_given_reason(luck < 12 ? v1::NOT_GIVEN_REASON_DEFERRED
                                         : v1::NOT_GIVEN_REASON_REFUSED);
    } else if (luck < 45) {
      one.set_status(v1::DOSE_STATUS_REPORTED);
      one.set_given_on(
          event::FormatDay(std::max(at.person->born, at.day - days(random_.Between(3, 20)))));
    } else {
      one.set_status(v1::DOSE_STATUS_GIVEN_HERE);
      one.set_kfa_code(dose.kfa);
      one.set_lot(fmt::format("L{}{:04}", dose.antigen[0], random_.Below(10000)));
      one.set_expiry(event::FormatDay(at.day + days(random_.Between(60, 500))));
      one.set_route(dose.route);
      *one.mutable_amount() = QuantityOf(dose.route == v1::ROUTE_ORAL          ? "2"
                                         : dose.route == v1::ROUTE_INTRADERMAL ? "0.05"
                                                                               : "0.5",
                                         dose.route == v1::ROUTE_ORAL ? "[drp]" : "mL");
    }
    outbox_.Put(std::move(event));
  }

  // A screening of yes-or-no questions; returns the event's id.
  std::string Screen(const Attendance& at, const Worker& worker, const char* tool, int questions,
                     unsigned yes_permille, int abnormal_from, const char* platform_number) {
    v1::Event event = EventOf(at, &worker);
    v1::Screening& screening = *event.mutable_screening();
    screening.set_tool(tool);
    screening.set_tool_version("2025");
    screening.set_platform_questionnaire(platform_number);
    int score = 0;
    for (int i = 1; i <= questions; ++i) {
      v1::Answer& answer = *screening.add_answers();
      answer.set_link_id(fmt::format("{}", i));
      const bool yes = random_.Chance(yes_permille);
      answer.set_flag(yes);
      score += yes ? 1 : 0;
    }
    screening.set_score(score);
    const bool abnormal = score >= abnormal_from;
    screening.set_result(abnormal ? v1::SCREENING_RESULT_NEEDS_CHECK : v1::SCREENING_RESULT_NORMAL);
    screening.set_follow_up(abnormal ? v1::FOLLOW_UP_REFER : v1::FOLLOW_UP_NONE);
    std::string id = abnormal ? event.event_id() : "";
    outbox_.Put(std::move(event));
    return id;
  }

  // --- referrals ---

  void Refer(const Attendance& at, const Worker* by, const Clinic& to, std::string reason,
             const char* rule, const char* icd10, const std::string& evidence,
             v1::Urgency urgency) {
    const std::string number = fmt::format("R{}-{}", seed_ % 1000, ++referrals_);
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
      where.minute = minute += static_cast<int>(random_.Between(5, 40));
      v1::Event event = EventOf(where, worker);
      v1::Referral& referral = *event.mutable_referral();
      referral.set_number(number);
      referral.set_state(state);
      *referral.mutable_from() = FacilityOf(*at.clinic);
      *referral.mutable_from_unit() = UnitMessage(at);
      *referral.mutable_to() = FacilityOf(to);
      referral.set_reason(reason);
      referral.set_rule(rule);
      if (!evidence.empty() && !from_target) referral.add_evidence_event_ids(evidence);
      referral.set_urgency(urgency);
      // A kader refers without naming a disease.
      if (worker != nullptr) *referral.mutable_diagnosis() = CodeOf(kIcd10, icd10, "");
      referral.set_care(urgency == v1::URGENCY_EMERGENCY ? v1::CARE_TYPE_EMERGENCY
                                                         : v1::CARE_TYPE_OUTPATIENT);
      referral.set_insurance(at.person->card.empty() ? v1::INSURANCE_STATUS_NONE
                                                     : v1::INSURANCE_STATUS_ACTIVE);
      referral.set_patient_agrees(true);
      if (state == v1::REFERRAL_STATE_REJECTED) referral.set_reason("ruangan penuh");
      if (state == v1::REFERRAL_STATE_ACCEPTED) referral.set_accepted_by("petugas pendaftaran");
      if (state == v1::REFERRAL_STATE_BACK_REFERRED) {
        *referral.mutable_reply()->add_diagnoses() = CodeOf(kIcd10, icd10, "");
        referral.mutable_reply()->set_therapy("terapi dilanjutkan di Puskesmas");
        referral.mutable_reply()->set_plan("kontrol sesuai jadwal");
        referral.mutable_reply()->set_control_on(event::FormatDay(day + days(14)));
      }
      outbox_.Put(std::move(event));
    };
    if (by == nullptr) {
      put(v1::REFERRAL_STATE_PROPOSED, nullptr, false);
      if (random_.Chance(250)) return;  // nobody took it up
      day += days(random_.Between(0, 2));
    }
    const Worker& sender = by != nullptr ? *by : Midwife(at);
    put(v1::REFERRAL_STATE_SENT, &sender, false);
    day += days(random_.Between(0, 3));
    const uint64_t luck = random_.Below(100);
    if (luck < 6) return put(v1::REFERRAL_STATE_REJECTED, &receiver, true);
    if (luck < 11) return put(v1::REFERRAL_STATE_CANCELLED, &sender, false);
    put(v1::REFERRAL_STATE_ACCEPTED, &receiver, true);
    day += days(random_.Between(0, 5));
    if (luck < 20) return put(v1::REFERRAL_STATE_NO_SHOW, &receiver, true);
    put(v1::REFERRAL_STATE_PATIENT_ARRIVED, &receiver, true);
    if (luck < 60) put(v1::REFERRAL_STATE_UNDER_CARE, &receiver, true);
    day += days(random_.Between(1, 9));
    put(v1::REFERRAL_STATE_COMPLETED, &receiver, true);
    put(v1::REFERRAL_STATE_BACK_REFERRED, &receiver, true);
    if (luck < 85) return;
    day += days(random_.Between(2, 20));
    put(v1::REFERRAL_STATE_CLOSED, &sender, false);
  }

  const Clinic& Hospital(const Attendance& at) const {
    return village_.clinics[at.clinic->refers_to];
  }

  // --- attendances ---

  void ChildAtPosyandu(const Person& child, Day day) {
    Attendance at = AtPosyandu(child, day);
    const int age = AgeDays(child, day);
    // A child that grows too slowly loses 4 hundredths of a standard deviation a week from half a
    // year on.
    const int lost = child.faltering && age > 180 ? (age - 180) / 7 * 4 : 0;
    const int z = std::max(-370, child.weight_z - std::min(lost, 260)) +
                  static_cast<int>(random_.Near(0, 12));
    v1::Event event = EventOf(at, nullptr);
    v1::Visit& visit = *event.mutable_visit();
    visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
    visit.set_weight_g(static_cast<uint32_t>(WeightG(child.female, age, z)));
    // Some posts have no measuring board.
    const bool lying = age < 731;
    if (random_.Chance(900)) {
      visit.set_length_mm(static_cast<uint32_t>(
          LengthMm(child.female, age, child.length_z + static_cast<int>(random_.Near(0, 10)))));
      visit.set_position(lying ? v1::MEASURING_POSITION_LYING : v1::MEASURING_POSITION_STANDING);
      visit.add_devices()->set_kind(lying ? "infantometer" : "stadiometer");
    }
    if (age >= 183) visit.set_muac_mm(static_cast<uint32_t>(ArmMm(age, z)));
    if (age < 730 && random_.Chance(600)) {
      visit.set_head_mm(static_cast<uint32_t>(HeadMm(child.female, age, child.length_z / 2)));
    }
    if (random_.Chance(300)) visit.set_oedema(v1::OEDEMA_NONE);
    visit.set_advice("makan beragam, porsi kecil tetapi sering");
    const std::string weighed = event.event_id();
    const bool training = at.training;
    outbox_.Put(std::move(event));
    if (training) return;

    const unsigned month = unsigned(std::chrono::year_month_day(day).month());
    const int months = Completed(child.born, day);
    if ((month == 2 || month == 8) && months >= 6) {
      Give(at, nullptr,
           months < 12 ? v1::SUPPLEMENT_KIND_VITAMIN_A_BLUE : v1::SUPPLEMENT_KIND_VITAMIN_A_RED,
           "Vitamin A", "1", "{capsule}");
      if (month == 8 && months >= 12) {
        Give(at, nullptr, v1::SUPPLEMENT_KIND_DEWORMING, "Albendazol", "1", "{tablet}");
      }
    }
    int today = 0;
    for (size_t i = 0; i < std::size(kCalendar); ++i) {
      const int late = months - kCalendar[i].due_months;
      // What was due before these days was given before them.
      if (late < 0 || late > 3 || (doses_ >> i & 1) != 0 || today == 3) continue;
      if (late > 0 && day - days(31) < start_ && !child.born_here) continue;
      if (!random_.Chance(880)) continue;
      doses_ |= uint64_t{1} << i;
      ++today;
      Immunise(at, kCalendar[i]);
    }
    if (months % 6 == 3 && random_.Chance(500)) {
      Screen(at, Midwife(at), "KPSP", 10, 40, 2, "");
    }
    if (child.faltering && z < -220 && !referred_) {
      referred_ = true;
      Give(at, nullptr, v1::SUPPLEMENT_KIND_FOOD, "PMT lokal", "7", "{package}");
      Attendance home = at;
      Refer(home, nullptr, *at.clinic, "berat badan tidak naik dan di bawah garis merah",
            "growth.bgm", "R62.8", weighed, v1::URGENCY_ROUTINE);
    }
  }

  void AdultVisit(const Attendance& at, const Worker* worker, bool full) {
    const Person& person = *at.person;
    v1::Event event = EventOf(at, worker);
    v1::Visit& visit = *event.mutable_visit();
    visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
    const int64_t systolic = random_.Near(person.hypertensive ? 148 : 118, 18);
    visit.set_systolic_mmhg(static_cast<uint32_t>(systolic));
    visit.set_diastolic_mmhg(static_cast<uint32_t>(systolic * 62 / 100 + random_.Between(0, 8)));
    visit.set_weight_g(static_cast<uint32_t>((person.female ? 56000 : 63000) +
                                             person.weight_z * 90 + random_.Between(-9, 9) * 100));
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
    outbox_.Put(std::move(event));
    if (treated) {
      Give(at, worker, v1::SUPPLEMENT_KIND_MEDICINE, "Amlodipin 5 mg", "30", "{tablet}");
    }
  }

  void AdultAtPosyandu(const Person& person, Day day) {
    Attendance at = AtPosyandu(person, day);
    at.training = false;
    AdultVisit(at, nullptr, true);
    const int years = AgeYears(person, day);
    if (years >= 40 || person.diabetic) Glucose(at, Midwife(at));
    if (years >= 18) {
      const std::string found = Screen(at, Midwife(at), "SRQ-20", 20, 90, 6, "");
      if (!found.empty() && random_.Chance(500)) {
        Refer(at, &Midwife(at), *at.clinic, "skrining kesehatan jiwa perlu pemeriksaan",
              "srq20.abnormal", "F41.9", found, v1::URGENCY_URGENT);
      }
    }
    if (years >= 40 && !person.female) {
      const std::string found = Screen(at, Midwife(at), "PUMA", 7, 300, 6, "Q0021");
      (void)found;
    }
    Screen(at, Midwife(at), "TB-SYMPTOM", 5, 30, 2, "");
  }

  void ElderAtPosyandu(const Person& person, Day day, bool yearly) {
    Attendance at = AtPosyandu(person, day);
    at.training = false;
    AdultVisit(at, nullptr, yearly);
    if (random_.Chance(300)) Glucose(at, Midwife(at));
    if (!yearly) return;
    const std::string found = Screen(at, Midwife(at), "SKILAS", 9, 130, 1, "Q0042");
    if (!found.empty()) Screen(at, Midwife(at), "AKS", 10, 850, 11, "");
  }

  void PupilAtPosyandu(const Person& pupil, Day day) {
    Attendance at = AtPosyandu(pupil, day);
    at.training = false;
    const int age = AgeDays(pupil, day);
    v1::Event event = EventOf(at, nullptr);
    v1::Visit& visit = *event.mutable_visit();
    visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
    visit.set_weight_g(static_cast<uint32_t>(WeightG(pupil.female, age, pupil.weight_z)));
    visit.set_length_mm(static_cast<uint32_t>(LengthMm(pupil.female, age, pupil.length_z)));
    visit.set_position(v1::MEASURING_POSITION_STANDING);
    if (age > 13 * 365) {
      visit.set_systolic_mmhg(static_cast<uint32_t>(random_.Near(110, 14)));
      visit.set_diastolic_mmhg(static_cast<uint32_t>(random_.Near(70, 9)));
    }
    outbox_.Put(std::move(event));
    if (pupil.female && age > 12 * 365) {
      Give(at, nullptr, v1::SUPPLEMENT_KIND_IRON_FOLATE, "Tablet tambah darah", "4", "{tablet}");
      if (random_.Chance(300)) Haemoglobin(at, Midwife(at));
    }
    if (age > 11 * 365) Screen(at, Midwife(at), "SDQ", 25, 200, 14, "");
  }

  void FallIll(const Person& person, Day day) {
    const Illness& illness = random_.Pick(kIllnesses);
    const bool pustu = random_.Chance(350);
    const Attendance at = pustu ? AtPustu(person, day) : AtClinic(person, day);
    const Worker& worker = pustu ? at.clinic->workers[3] : Doctor(at);
    v1::Event event = EventOf(at, &worker);
    v1::Visit& visit = *event.mutable_visit();
    visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
    visit.set_temperature_dc(
        static_cast<uint32_t>(illness.temperature_dc + random_.Between(-4, 8)));
    visit.set_pulse_per_min(
        static_cast<uint32_t>(random_.Near(AgeYears(person, day) < 5 ? 118 : 84, 16)));
    visit.set_breaths_per_min(
        static_cast<uint32_t>(random_.Near(AgeYears(person, day) < 5 ? 30 : 18, 5)));
    v1::Complaint& complaint = *visit.add_complaints();
    *complaint.mutable_code() = CodeOf(kSnomed, illness.complaint_snomed, illness.complaint);
    complaint.set_text(illness.complaint);
    complaint.set_since(event::FormatDay(std::max(person.born, day - days(random_.Between(1, 5)))));
    v1::Diagnosis& diagnosis = *visit.add_diagnoses();
    *diagnosis.mutable_code() = CodeOf(kIcd10, illness.icd10, illness.words);
    diagnosis.set_certainty(v1::DIAGNOSIS_CERTAINTY_CONFIRMED);
    diagnosis.set_rank(v1::DIAGNOSIS_RANK_PRIMARY);
    const int64_t begin = event.occurred_at().time().seconds();
    event.mutable_started_at()->set_seconds(begin);
    event.mutable_ended_at()->set_seconds(begin + random_.Between(6, 25) * 60);
    const int64_t recorded = event.ended_at().seconds() + random_.Between(30, 600);
    event.mutable_recorded_at()->set_seconds(recorded);
    const std::string id = event.event_id();
    outbox_.Put(std::move(event));
    Give(at, &worker, v1::SUPPLEMENT_KIND_MEDICINE, illness.medicine, "10", "{tablet}");
    if (illness.may_be_referred && random_.Chance(180)) {
      Refer(at, &worker, Hospital(at), "tidak membaik dengan pengobatan", "", illness.icd10, id,
            v1::URGENCY_URGENT);
    }
  }

  void VisitHome(const Person& person, Day day, v1::HomeVisitReason reason) {
    Attendance at = At(person, &UnitOf(person), v1::UNIT_KIND_HOME, day);
    at.minute += 5 * 60;
    v1::Event event = EventOf(at, nullptr);
    v1::Visit& visit = *event.mutable_visit();
    visit.set_encounter_class(v1::ENCOUNTER_CLASS_HOME);
    v1::HomeVisit& home = *visit.mutable_home_visit();
    home.set_planned_on(event::FormatDay(day - days(random_.Between(0, 6))));
    home.set_reason(reason);
    const uint64_t luck = random_.Below(100);
    if (luck < 72) {
      home.set_outcome(v1::HOME_VISIT_OUTCOME_DONE);
      home.mutable_saji()->set_salam(true);
      home.mutable_saji()->set_ajak_bicara(true);
      home.mutable_saji()->set_jelaskan(true);
      home.mutable_saji()->set_ingatkan(random_.Chance(850));
      visit.set_temperature_dc(static_cast<uint32_t>(random_.Near(366, 6)));
    } else if (luck < 80) {
      home.set_outcome(v1::HOME_VISIT_OUTCOME_REFUSED);
    } else if (luck < 95) {
      home.set_outcome(v1::HOME_VISIT_OUTCOME_NOT_MET);
    } else {
      home.set_outcome(v1::HOME_VISIT_OUTCOME_PLANNED);
    }
    outbox_.Put(std::move(event));
  }

  // --- pregnancy and birth ---

  struct Expecting {
    Day lmp;
    Day born;
    std::string id;
    bool opened = false;
    bool lost = false;
  };

  void AntenatalVisit(const Person& mother, Expecting& expecting, Day day, int number) {
    const Attendance at = number == 1 || number == 5 ? AtClinic(mother, day) : AtPustu(mother, day);
    const Worker& worker = number == 1 || number == 5 ? Doctor(at) : Midwife(at);
    if (!expecting.opened) {
      expecting.opened = true;
      v1::Event event = EventOf(at, &worker);
      v1::Pregnancy& pregnancy = *event.mutable_pregnancy();
      pregnancy.set_pregnancy_id(expecting.id);
      pregnancy.set_state(v1::PREGNANCY_STATE_OPEN);
      pregnancy.set_lmp(event::FormatDay(expecting.lmp));
      pregnancy.set_edd(event::FormatDay(expecting.lmp + days(280)));
      const uint32_t para = static_cast<uint32_t>(mother.family % 3);
      pregnancy.set_gravida(para + 1);
      pregnancy.set_para(para);
      pregnancy.set_abortus(0);
      outbox_.Put(std::move(event));
    }
    const int gestation = static_cast<int>((day - expecting.lmp).count());
    v1::Event event = EventOf(at, &worker);
    v1::Visit& visit = *event.mutable_visit();
    visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
    visit.set_ordinal(fmt::format("K{}", number));
    visit.set_pregnancy_id(expecting.id);
    visit.set_gestational_age_days(static_cast<uint32_t>(gestation));
    visit.set_weight_g(static_cast<uint32_t>(52000 + mother.weight_z * 60 + gestation * 40));
    visit.set_systolic_mmhg(
        static_cast<uint32_t>(random_.Near(mother.hypertensive ? 142 : 112, 14)));
    visit.set_diastolic_mmhg(visit.systolic_mmhg() * 64 / 100);
    visit.set_muac_mm(static_cast<uint32_t>(random_.Near(258 + mother.weight_z / 12, 14)));
    if (gestation > 140) {
      visit.set_fundal_height_mm(
          static_cast<uint32_t>(gestation * 10 / 7 + random_.Between(-15, 15)));
      visit.set_fetal_heart_per_min(static_cast<uint32_t>(random_.Near(142, 14)));
    }
    const std::string seen = event.event_id();
    const uint32_t systolic = visit.systolic_mmhg();
    outbox_.Put(std::move(event));
    Give(at, &worker, v1::SUPPLEMENT_KIND_IRON_FOLATE, "Tablet tambah darah", "30", "{tablet}");
    if (number == 1 || number == 3 || number == 5) {
      Haemoglobin(at, worker);
      v1::Event urine = EventOf(at, &worker);
      v1::LabResult& lab = *urine.mutable_lab_result();
      *lab.mutable_code() =
          CodeOf(kLoinc, "5804-0", "Protein [Mass/volume] in Urine by Test strip");
      *lab.mutable_coded() = random_.Chance(40) ? CodeOf(kSnomed, "10828004", "Positive")
                                                : CodeOf(kSnomed, "260385009", "Negative");
      outbox_.Put(std::move(urine));
    }
    if (systolic >= 145 && gestation > 140 && !referred_) {
      referred_ = true;
      Refer(at, &worker, Hospital(at), "tekanan darah tinggi pada kehamilan", "anc.hypertension",
            "O14.9", seen, v1::URGENCY_URGENT);
    }
  }

  void PregnancyCloses(const Attendance& at, const Worker& worker, const Expecting& expecting,
                       v1::PregnancyOutcome outcome) {
    v1::Event event = EventOf(at, &worker);
    v1::Pregnancy& pregnancy = *event.mutable_pregnancy();
    pregnancy.set_pregnancy_id(expecting.id);
    pregnancy.set_state(v1::PREGNANCY_STATE_CLOSED);
    pregnancy.set_outcome(outcome);
    pregnancy.set_ended_on(event::FormatDay(at.day));
    outbox_.Put(std::move(event));
  }

  void GiveBirth(const Person& mother, const Expecting& expecting) {
    const Day day = expecting.born;
    Attendance at = AtClinic(mother, day);
    const Worker& midwife = Midwife(at);
    ++births_;
    const int count = births_ == 2 || random_.Chance(15) ? 2 : 1;
    std::vector<Person> babies;
    v1::Event event = EventOf(at, &midwife);
    v1::Birth& birth = *event.mutable_birth();
    birth.set_pregnancy_id(expecting.id);
    birth.set_place(v1::BIRTH_PLACE_PUSKESMAS);
    birth.set_attendant(v1::BIRTH_ATTENDANT_MIDWIFE);
    birth.set_gestation_days(static_cast<uint32_t>((day - expecting.lmp).count()));
    birth.set_born_on(event::FormatDay(day));
    for (int order = 1; order <= count; ++order) {
      Person baby = mother;
      baby.female = random_.Chance(490);
      // Nobody calls both twins the same, and the platform tells them apart by name.
      do {
        baby.name = MakeName(random_, baby.female);
      } while (!babies.empty() && baby.name == babies.back().name);
      baby.born = day;
      baby.born_here = true;
      baby.mother_nik = mother.nik;
      baby.birth_order = order;
      baby.card.clear();
      baby.hypertensive = baby.diabetic = baby.mother_to_be = false;
      baby.weight_z = static_cast<int>(random_.Near(count == 2 ? -150 : -30, 140));
      baby.length_z = static_cast<int>(random_.Near(-60, 150));
      baby.faltering = random_.Chance(100);
      baby.nik =
          MakeNik(random_, village_.clinics[mother.clinic].district, day, baby.female, niks_);
      baby.nik_since = day + days(random_.Between(21, 75));
      baby.platform_id = PatientId(seed_, village_.people.size() + babies.size());
      v1::Baby& row = *birth.add_babies();
      row.set_order(static_cast<uint32_t>(order));
      row.set_sex(baby.female ? v1::SEX_FEMALE : v1::SEX_MALE);
      row.set_weight_g(static_cast<uint32_t>(WeightG(baby.female, 0, baby.weight_z)));
      row.set_length_mm(static_cast<uint32_t>(LengthMm(baby.female, 0, baby.length_z)));
      row.set_head_mm(static_cast<uint32_t>(HeadMm(baby.female, 0, baby.length_z / 2)));
      row.set_alive(true);
      babies.push_back(std::move(baby));
    }
    outbox_.Put(std::move(event));
    PregnancyCloses(at, midwife, expecting, v1::PREGNANCY_OUTCOME_LIVE_BIRTH);
    const std::array<int, 4> visits = {
        static_cast<int>(random_.Between(1, 2)), static_cast<int>(random_.Between(4, 7)),
        static_cast<int>(random_.Between(9, 26)), static_cast<int>(random_.Between(30, 41))};
    for (size_t i = 0; i < visits.size(); ++i) {
      const Day then = day + days(visits[i]);
      if (!Within(then) || random_.Chance(80)) continue;
      const Attendance after = AtPustu(mother, then);
      v1::Event check = EventOf(after, &Midwife(after));
      v1::Visit& visit = *check.mutable_visit();
      visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
      visit.set_ordinal(fmt::format("KF{}", i + 1));
      visit.set_pregnancy_id(expecting.id);
      visit.set_systolic_mmhg(static_cast<uint32_t>(random_.Near(114, 12)));
      visit.set_diastolic_mmhg(static_cast<uint32_t>(random_.Near(72, 8)));
      visit.set_temperature_dc(static_cast<uint32_t>(random_.Near(367, 6)));
      outbox_.Put(std::move(check));
      if (i == 0) {
        Give(after, &Midwife(after), v1::SUPPLEMENT_KIND_VITAMIN_A_RED, "Vitamin A", "2",
             "{capsule}");
      }
    }
    for (Person& baby : babies) {
      village_.people.push_back(baby);
      BeBorn(baby, visits);
      GetNik(baby, &baby == &babies.front() && count == 2 ? babies.back().nik : "");
      LiveAsChild(baby);
    }
  }

  void Register(const Person& person, Day day, bool with_both, const Worker& worker) {
    Attendance at = AtClinic(person, day);
    at.visit_id.clear();
    v1::Event event = EventOf(at, &worker);
    if (with_both) {
      v1::Newborn& newborn = *event.mutable_subject()->add_identities()->mutable_newborn();
      newborn.set_mother_nik(person.mother_nik);
      newborn.set_birth_date(event::FormatDay(person.born));
      newborn.set_birth_order(static_cast<uint32_t>(person.birth_order));
    }
    event.mutable_patient_registered()->mutable_mother()->mutable_nik()->set_number(
        person.mother_nik);
    outbox_.Put(std::move(event));
  }

  void BeBorn(const Person& baby, const std::array<int, 4>& visits) {
    const Attendance at = AtClinic(baby, baby.born);
    const Worker& midwife = Midwife(at);
    Register(baby, baby.born, false, midwife);
    Immunise(at, {"HB0", 1, 0, "", v1::ROUTE_INTRAMUSCULAR});
    Give(at, &midwife, v1::SUPPLEMENT_KIND_MEDICINE, "Vitamin K1 1 mg", "1", "{ampule}");
    for (size_t i = 0; i < 3; ++i) {
      const Day day = baby.born + days(visits[i]);
      if (!Within(day)) continue;
      const Attendance check = AtPustu(baby, day);
      v1::Event event = EventOf(check, &midwife);
      v1::Visit& visit = *event.mutable_visit();
      visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
      visit.set_ordinal(fmt::format("KN{}", i + 1));
      visit.set_weight_g(static_cast<uint32_t>(WeightG(baby.female, visits[i], baby.weight_z)));
      visit.set_temperature_dc(static_cast<uint32_t>(random_.Near(368, 5)));
      visit.set_breaths_per_min(static_cast<uint32_t>(random_.Near(45, 8)));
      if (i == 0) visit.set_spo2_percent(static_cast<uint32_t>(random_.Between(95, 99)));
      outbox_.Put(std::move(event));
    }
  }

  // The identity number comes weeks later. Some programs register the child again under both
  // identities, some link the one to the other; `twin_nik` is the number a clerk takes by mistake.
  void GetNik(const Person& baby, const std::string& twin_nik) {
    if (!Within(baby.nik_since)) return;
    const Worker& midwife = Midwife(AtClinic(baby, baby.nik_since));
    if (births_ % 2 == 1) return Register(baby, baby.nik_since, true, midwife);
    const Day noticed = baby.nik_since + days(random_.Between(1, 6));
    if (twin_nik.empty() || !Within(noticed)) {
      Link(baby, baby.nik_since, baby.nik, midwife);
      return;
    }
    const std::string wrong = Link(baby, baby.nik_since, twin_nik, midwife);
    v1::Event event = AsNewborn(baby, noticed, midwife);
    event.mutable_patient_unlinked()->set_link_event_id(wrong);
    event.mutable_patient_unlinked()->set_reason("NIK milik saudara kembarnya");
    outbox_.Put(std::move(event));
    Link(baby, noticed, baby.nik, midwife);
  }

  // An event about the child as it was known before it had a NIK.
  v1::Event AsNewborn(const Person& baby, Day day, const Worker& worker) {
    Attendance at = AtClinic(baby, day);
    at.visit_id.clear();
    v1::Event event = EventOf(at, &worker);
    *event.mutable_subject() = SubjectOf(baby, baby.born);
    return event;
  }

  // Says that the child is the one with that NIK; returns the event's id.
  std::string Link(const Person& baby, Day day, const std::string& nik, const Worker& worker) {
    v1::Event event = AsNewborn(baby, day, worker);
    event.mutable_patient_linked()->mutable_other()->mutable_nik()->set_number(nik);
    event.mutable_patient_linked()->set_reason("Akta kelahiran terbit");
    std::string id = event.event_id();
    outbox_.Put(std::move(event));
    return id;
  }

  // --- a whole life in these days ---

  // The day of the month's posyandu; each post has its own.
  Day PosyanduDay(const Person& person, std::chrono::year_month month) const {
    const unsigned day = 4 + static_cast<unsigned>((person.clinic * 5 + person.posyandu * 2) % 20);
    const Day date = month / std::chrono::day(day);
    // Not on a Sunday.
    return std::chrono::weekday(date) == std::chrono::Sunday ? date + days(1) : date;
  }

  template <typename Visit>
  void EachMonth(const Person& person, Day until, Visit visit) {
    const std::chrono::year_month_day first{start_};
    for (std::chrono::year_month month{first.year(), first.month()};;
         month += std::chrono::months(1)) {
      const Day day = PosyanduDay(person, month);
      if (day >= std::min(until, end_)) return;
      if (day >= start_ && day > person.born) visit(day);
    }
  }

  Day SomeDay() {
    return start_ + days(random_.Below(static_cast<uint64_t>((end_ - start_).count())));
  }

  void LiveAsChild(const Person& child, std::optional<Day> until = std::nullopt) {
    doses_ = 0;
    referred_ = false;
    EachMonth(child, until.value_or(end_), [&](Day day) {
      if (Completed(child.born, day) >= 60) {
        if (random_.Chance(100)) PupilAtPosyandu(child, day);
        return;
      }
      if (random_.Chance(820)) {
        ChildAtPosyandu(child, day);
      } else if (random_.Chance(300)) {
        const Day later = day + days(random_.Between(2, 9));
        if (Within(later)) VisitHome(child, later, v1::HOME_VISIT_REASON_MISSING_SERVICE);
      }
    });
  }

  void Status(const Person& person, Day day, v1::LifeStatus status) {
    Attendance at = AtClinic(person, day);
    at.visit_id.clear();
    v1::Event event = EventOf(at, &Midwife(at));
    event.mutable_patient_status()->set_status(status);
    event.mutable_patient_status()->set_on(event::FormatDay(day));
    if (status == v1::LIFE_STATUS_DIED) {
      event.mutable_patient_status()->set_cause("sebab usia lanjut");
    } else {
      event.mutable_patient_status()->mutable_moved_to()->set_village_system("kemendagri");
      event.mutable_patient_status()->mutable_moved_to()->set_village_code("73.12.01.2004");
    }
    outbox_.Put(std::move(event));
  }

  void Agree(const Person& person) {
    Attendance at = AtClinic(person, SomeDay());
    if (at.day <= person.born) return;
    at.visit_id.clear();
    v1::Event event = EventOf(at, &Midwife(at));
    v1::Consent& consent = *event.mutable_consent();
    consent.set_state(random_.Chance(930) ? v1::CONSENT_STATE_GIVEN : v1::CONSENT_STATE_WITHDRAWN);
    consent.set_scope("sharing");
    consent.set_method(v1::CONSENT_METHOD_WRITTEN);
    if (AgeYears(person, at.day) < 18) consent.set_given_by("orang tua");
    outbox_.Put(std::move(event));
    if (random_.Chance(60)) {
      at.minute += 20;
      v1::Event asks = EventOf(at, &Midwife(at));
      asks.mutable_restriction()->set_restricted(true);
      asks.mutable_restriction()->set_scope("sharing");
      asks.mutable_restriction()->set_reason("permintaan pasien");
      outbox_.Put(std::move(asks));
    }
  }

  void LiveOne(const Person& person, size_t number) {
    random_ = Random(seed_ * 1000003 + number * 2 + 5);
    const int years = AgeYears(person, start_);
    const int64_t length = (end_ - start_).count();
    Day until = end_;
    // Out of a thousand: 8 old people die in a year, a family in a hundred moves away.
    if (years >= 60 && random_.Chance(static_cast<unsigned>(1 + 30 * length / 365))) {
      until = SomeDay();
      Status(person, until, v1::LIFE_STATUS_DIED);
    } else if (person.family % 97 == 13) {
      until = start_ + days(length * 3 / 4);
      Status(person, until, v1::LIFE_STATUS_MOVED_AWAY);
    }
    if (random_.Chance(60)) Register(person, start_);
    if (random_.Chance(90)) Agree(person);

    if (years < 6) {
      LiveAsChild(person, until);
    } else {
      bool yearly = true;
      const unsigned attends = years >= 60 ? 760 : years >= 18 ? 260 : 340;
      EachMonth(person, until, [&](Day day) {
        if (!random_.Chance(attends)) return;
        if (years >= 60) {
          ElderAtPosyandu(person, day, std::exchange(yearly, false));
        } else if (years >= 18) {
          AdultAtPosyandu(person, day);
        } else {
          PupilAtPosyandu(person, day);
        }
      });
      if (person.hypertensive) {
        EachMonth(person, until, [&](Day day) {
          const Day then = day + days(random_.Between(1, 6));
          if (then >= until || !random_.Chance(700)) return;
          const Attendance at = AtPustu(person, then);
          AdultVisit(at, &at.clinic->workers[3], false);
        });
      }
    }
    // Ill about once a year, small children twice.
    const unsigned ill = years < 5 ? 170 : 100;
    for (int64_t month = 0; month * 30 < length; ++month) {
      if (!random_.Chance(ill)) continue;
      const Day day = start_ + days(month * 30 + random_.Between(0, 29));
      if (day < until && day > person.born) FallIll(person, day);
    }
    if (random_.Chance(static_cast<unsigned>(450 * length / 365 + 20))) {
      const Day day = SomeDay();
      if (day < until && day > person.born) VisitHome(person, day, v1::HOME_VISIT_REASON_ROUTINE);
    }
    if (person.mother_to_be) BeExpecting(person, until);
  }

  // A registration of somebody who came for the first time.
  void Register(const Person& person, Day day) {
    Attendance at = AtClinic(person, day);
    at.visit_id.clear();
    v1::Event event = EventOf(at, &Midwife(at));
    event.mutable_patient_registered()->set_note("pendaftaran");
    outbox_.Put(std::move(event));
  }

  void BeExpecting(const Person& mother, Day until) {
    const int64_t length = (end_ - start_).count();
    // One in six is with child on the first day, as many more begin in a year.
    Expecting expecting;
    referred_ = false;
    if (random_.Chance(160)) {
      expecting.lmp = start_ - days(random_.Between(10, 255));
    } else if (random_.Chance(static_cast<unsigned>(170 * length / 365))) {
      expecting.lmp = SomeDay();
    } else {
      return;
    }
    expecting.born = expecting.lmp + days(random_.Near(279, 16));
    expecting.id = fmt::format("preg-{}-{}", seed_ % 1000, ++pregnancies_);
    expecting.lost = random_.Chance(45);
    const std::array<int, 6> planned = {63, 112, 154, 196, 231, 258};
    for (size_t i = 0; i < planned.size(); ++i) {
      const Day day = expecting.lmp + days(planned[i] + random_.Between(-9, 9));
      if (!Within(day) || day >= until || day >= expecting.born || random_.Chance(90)) continue;
      if (expecting.lost && i == 2) {
        const Attendance at = AtClinic(mother, day);
        if (expecting.opened) {
          PregnancyCloses(at, Doctor(at), expecting, v1::PREGNANCY_OUTCOME_MISCARRIAGE);
        }
        return;
      }
      AntenatalVisit(mother, expecting, day, static_cast<int>(i) + 1);
    }
    if (!expecting.lost && Within(expecting.born) && expecting.born < until) {
      GiveBirth(mother, expecting);
    }
  }

  Random random_;
  const uint64_t seed_;
  Village& village_;
  const Day start_, end_;
  Outbox& outbox_;
  std::set<std::string> niks_;  // of babies; their region and day keep them apart from the others'
  uint64_t sequence_ = 0, visits_ = 0, referrals_ = 0, pregnancies_ = 0, births_ = 0;
  uint64_t doses_ = 0;     // of the child in hand, by index in the calendar
  bool referred_ = false;  // the person in hand, for the reason that lasts
};

}  // namespace

void Live(uint64_t seed, Village& village, Day start, int days_count, Outbox& outbox) {
  Country(seed, village, start, days_count, outbox).Live();
}

}  // namespace simpul::cli
