#include "tests/support/sample_events.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/check.h"
#include "lib/event/date.h"

namespace simpul::testing {
namespace {

namespace v1 = ::simpul::event::v1;

constexpr std::string_view kLoinc = "http://loinc.org";
constexpr std::string_view kSnomed = "http://snomed.info/sct";
constexpr std::string_view kIcd10 = "http://hl7.org/fhir/sid/icd-10";

constexpr int kOffsetMin = 480;

void SetTime(base::Time time, google::protobuf::Timestamp* timestamp) {
  const int64_t micros = base::ToMicros(time);
  timestamp->set_seconds(micros / 1'000'000);
  timestamp->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
}

void SetCode(std::string_view system, std::string_view code, std::string_view display,
             v1::Code* out) {
  out->set_system(std::string(system));
  out->set_code(std::string(code));
  out->set_display(std::string(display));
}

void SetQuantity(std::string_view value, std::string_view unit, v1::Quantity* out) {
  out->set_value(std::string(value));
  out->set_unit(std::string(unit));
}

v1::Subject Person(std::string_view nik, std::string_view name, v1::Sex sex,
                   std::string_view birth_date) {
  v1::Subject subject;
  if (!nik.empty()) subject.add_identities()->mutable_nik()->set_number(std::string(nik));
  subject.set_name(std::string(name));
  subject.set_sex(sex);
  subject.set_birth_date(std::string(birth_date));
  v1::Address* residence = subject.mutable_residence();
  residence->set_village_system("kemendagri");
  residence->set_village_code("73.24.02.2003");
  residence->set_dusun("Dusun Matano");
  residence->set_rw("002");
  residence->set_rt("005");
  return subject;
}

// As recorded by a midwife at the Puskesmas.
v1::Event AtPuskesmas(uint64_t id, const v1::Subject& subject, std::string_view local_time) {
  v1::Event event = SampleEnvelope(id, subject, local_time);
  event.mutable_unit()->set_kind(v1::UNIT_KIND_PUSKESMAS);
  event.mutable_unit()->set_code("KIA");
  event.mutable_unit()->set_name("Poli KIA");
  event.mutable_recorder()->set_id("bidan-07");
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_MIDWIFE);
  event.mutable_responsible()->set_practitioner_id("10009880728");
  event.set_channel(v1::CHANNEL_CLINIC_SYSTEM);
  return event;
}

v1::Event GrowthVisit() {
  v1::Event event = SampleEnvelope(2, SampleChild(), "2026-02-03T09:20");
  event.set_visit_id("posyandu-melati-3/2026-02-03/anak-0007");
  event.mutable_responsible()->set_nik("7324025203890003");
  event.set_session_id("posyandu-melati-3-2026-02-03");
  event.mutable_device()->set_id("hp-kader-12");
  event.mutable_device()->set_sequence(481);
  event.mutable_form()->set_id("posyandu-balita");
  event.mutable_form()->set_version("2025.2");
  event.mutable_place()->set_name("Posyandu Melati 3");
  *event.mutable_place()->mutable_address() = SampleChild().residence();
  SetTime(SampleTime("2026-02-03T09:18"), event.mutable_started_at());
  SetTime(SampleTime("2026-02-03T09:31"), event.mutable_ended_at());
  v1::Visit* visit = event.mutable_visit();
  visit->set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
  visit->set_weight_g(10'450);
  visit->set_length_mm(842);
  visit->set_position(v1::MEASURING_POSITION_LYING);
  visit->set_head_mm(472);
  visit->set_muac_mm(146);
  visit->set_oedema(v1::OEDEMA_NONE);
  visit->set_temperature_dc(367);
  v1::MeasuringDevice* scale = visit->add_devices();
  scale->set_kind("digital scale");
  scale->set_model("Baby Scale 20");
  scale->set_serial("TB-0042");
  visit->set_advice("Makanan tambahan dua kali sehari, timbang lagi bulan depan.");
  return event;
}

v1::Event OutpatientVisit() {
  v1::Event event = AtPuskesmas(3, SampleChild(), "2026-02-05T10:05");
  event.mutable_unit()->set_code("MTBS");
  event.mutable_unit()->set_name("Poli MTBS");
  event.mutable_recorder()->set_id("dokter-02");
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_DOCTOR);
  event.set_visit_id("RJ-2026-02-05-0113");
  v1::Visit* visit = event.mutable_visit();
  visit->set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
  visit->set_weight_g(10'400);
  visit->set_temperature_dc(385);
  visit->set_pulse_per_min(118);
  visit->set_breaths_per_min(34);
  visit->set_spo2_percent(98);
  v1::Complaint* complaint = visit->add_complaints();
  SetCode(kSnomed, "386661006", "Fever", complaint->mutable_code());
  complaint->set_text("Demam dan mencret sejak kemarin");
  complaint->set_since("2026-02-04");
  v1::Diagnosis* primary = visit->add_diagnoses();
  SetCode(kIcd10, "A09.9", "Gastroenteritis and colitis of unspecified origin",
          primary->mutable_code());
  primary->set_certainty(v1::DIAGNOSIS_CERTAINTY_CONFIRMED);
  primary->set_rank(v1::DIAGNOSIS_RANK_PRIMARY);
  v1::Diagnosis* secondary = visit->add_diagnoses();
  SetCode(kIcd10, "E86", "Volume depletion", secondary->mutable_code());
  secondary->set_certainty(v1::DIAGNOSIS_CERTAINTY_PROVISIONAL);
  secondary->set_rank(v1::DIAGNOSIS_RANK_SECONDARY);
  return event;
}

v1::Event AntenatalVisit() {
  v1::Event event = AtPuskesmas(4, SampleMother(), "2026-02-06T08:40");
  event.set_visit_id("ANC-2026-0071-K4");
  v1::Visit* visit = event.mutable_visit();
  visit->set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
  visit->set_ordinal("K4");
  visit->set_pregnancy_id("HML-2025-0071");
  visit->set_weight_g(58'700);
  visit->set_muac_mm(252);
  visit->set_systolic_mmhg(112);
  visit->set_diastolic_mmhg(74);
  visit->set_fundal_height_mm(270);
  visit->set_fetal_heart_per_min(142);
  visit->set_gestational_age_days(206);
  v1::CodedObservation* presentation = visit->add_observations();
  SetCode(kLoinc, "72155-5", "Fetal presentation", presentation->mutable_code());
  SetCode(kSnomed, "70028003", "Vertex presentation", presentation->mutable_coded());
  v1::CodedObservation* haemoglobin = visit->add_observations();
  SetCode(kLoinc, "718-7", "Hemoglobin", haemoglobin->mutable_code());
  SetQuantity("11.8", "g/dL", haemoglobin->mutable_quantity());
  haemoglobin->mutable_device()->set_kind("haemoglobinometer");
  v1::CodedObservation* movements = visit->add_observations();
  SetCode(kLoinc, "57088-7", "Fetal movement", movements->mutable_code());
  movements->set_flag(true);
  return event;
}

v1::Event ElderVisit() {
  v1::Event event = SampleEnvelope(5, SampleElder(), "2026-02-03T10:10");
  event.set_visit_id("posyandu-melati-3/2026-02-03/lansia-0002");
  v1::Visit* visit = event.mutable_visit();
  visit->set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
  visit->set_weight_g(61'300);
  visit->set_length_mm(1612);
  visit->set_position(v1::MEASURING_POSITION_STANDING);
  visit->set_waist_mm(912);
  visit->set_systolic_mmhg(146);
  visit->set_diastolic_mmhg(88);
  v1::CodedObservation* smoking = visit->add_observations();
  SetCode(kLoinc, "72166-2", "Tobacco smoking status", smoking->mutable_code());
  smoking->set_text("berhenti sejak 2019");
  v1::CodedObservation* falls = visit->add_observations();
  SetCode(kLoinc, "52552-7", "Falls in the past year", falls->mutable_code());
  falls->set_number(0);
  return event;
}

v1::Event HomeVisitDone() {
  v1::Event event = SampleEnvelope(6, SampleMother(), "2026-02-10T15:30");
  event.mutable_unit()->set_kind(v1::UNIT_KIND_HOME);
  v1::Visit* visit = event.mutable_visit();
  visit->set_encounter_class(v1::ENCOUNTER_CLASS_HOME);
  SetCode(kSnomed, "25064002", "Headache", visit->add_danger_signs());
  v1::HomeVisit* home = visit->mutable_home_visit();
  home->set_outcome(v1::HOME_VISIT_OUTCOME_DONE);
  home->set_planned_on("2026-02-10");
  home->set_reason(v1::HOME_VISIT_REASON_ROUTINE);
  home->mutable_saji()->set_salam(true);
  home->mutable_saji()->set_ajak_bicara(true);
  home->mutable_saji()->set_jelaskan(true);
  home->mutable_saji()->set_ingatkan(true);
  home->set_note("Diantar ke bidan hari ini juga.");
  return event;
}

v1::Event HomeVisitRefused() {
  v1::Event event = SampleEnvelope(7, SampleElder(), "2026-02-11T16:00");
  event.mutable_unit()->set_kind(v1::UNIT_KIND_HOME);
  event.mutable_occurred_at()->set_precision(v1::TIME_PRECISION_DAY);
  v1::Visit* visit = event.mutable_visit();
  visit->set_encounter_class(v1::ENCOUNTER_CLASS_HOME);
  visit->mutable_home_visit()->set_outcome(v1::HOME_VISIT_OUTCOME_REFUSED);
  visit->mutable_home_visit()->set_planned_on("2026-02-11");
  visit->mutable_home_visit()->set_reason(v1::HOME_VISIT_REASON_MISSED_RETURN);
  return event;
}

v1::Event ImmunisationGiven() {
  v1::Event event = AtPuskesmas(8, SampleChild(), "2026-02-03T09:40");
  event.set_visit_id("posyandu-melati-3/2026-02-03/anak-0007");
  v1::Immunisation* dose = event.mutable_immunisation();
  dose->set_antigen("MR");
  dose->set_dose(2);
  dose->set_kfa_code("93005781");
  dose->set_lot("MR24-118");
  dose->set_expiry("2027-05-31");
  dose->set_route(v1::ROUTE_SUBCUTANEOUS);
  dose->set_status(v1::DOSE_STATUS_GIVEN_HERE);
  SetQuantity("0.5", "mL", dose->mutable_amount());
  return event;
}

v1::Event ImmunisationReported() {
  v1::Event event = SampleEnvelope(9, SampleChild(), "2026-02-03T09:22");
  v1::Immunisation* dose = event.mutable_immunisation();
  dose->set_antigen("DPT-HB-HIB");
  dose->set_dose(3);
  dose->set_status(v1::DOSE_STATUS_REPORTED);
  dose->set_given_on("2024-08-14");
  dose->set_note("Dari buku KIA");
  return event;
}

v1::Event ImmunisationNotGiven() {
  v1::Event event = AtPuskesmas(10, SampleChild(), "2026-02-05T10:20");
  event.set_visit_id("RJ-2026-02-05-0113");
  v1::Immunisation* dose = event.mutable_immunisation();
  dose->set_antigen("DPT-HB-HIB");
  dose->set_dose(4);
  dose->set_status(v1::DOSE_STATUS_NOT_GIVEN);
  dose->set_not_given_reason(v1::NOT_GIVEN_REASON_DEFERRED);
  dose->set_note("Demam");
  return event;
}

v1::Event VitaminA() {
  v1::Event event = SampleEnvelope(11, SampleChild(), "2026-02-03T09:27");
  event.set_visit_id("posyandu-melati-3/2026-02-03/anak-0007");
  v1::Supplement* supplement = event.mutable_supplement();
  supplement->set_kind(v1::SUPPLEMENT_KIND_VITAMIN_A_RED);
  SetQuantity("1", "{capsule}", supplement->mutable_quantity());
  supplement->set_status(v1::DOSE_STATUS_GIVEN_HERE);
  supplement->set_route(v1::ROUTE_ORAL);
  return event;
}

v1::Event IronTablets() {
  v1::Event event = AtPuskesmas(12, SampleMother(), "2026-02-06T08:50");
  event.set_visit_id("ANC-2026-0071-K4");
  v1::Supplement* supplement = event.mutable_supplement();
  supplement->set_kind(v1::SUPPLEMENT_KIND_IRON_FOLATE);
  supplement->set_kfa_code("92000653");
  supplement->set_name("Tablet tambah darah");
  SetQuantity("30", "{tablet}", supplement->mutable_quantity());
  supplement->set_status(v1::DOSE_STATUS_GIVEN_HERE);
  supplement->set_instruction("Satu tablet setiap malam");
  supplement->set_taken(true);
  return event;
}

v1::Event Medicine() {
  v1::Event event = AtPuskesmas(13, SampleChild(), "2026-02-05T10:30");
  event.set_visit_id("RJ-2026-02-05-0113");
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_DOCTOR);
  v1::Supplement* supplement = event.mutable_supplement();
  supplement->set_kind(v1::SUPPLEMENT_KIND_MEDICINE);
  supplement->set_kfa_code("93001019");
  supplement->set_name("Parasetamol sirup 120 mg/5 mL");
  SetQuantity("60", "mL", supplement->mutable_quantity());
  supplement->set_status(v1::DOSE_STATUS_GIVEN_HERE);
  supplement->set_instruction("3 x 1 sendok takar bila demam");
  supplement->set_lot("PCT-2291");
  supplement->set_expiry("2027-11-30");
  supplement->set_route(v1::ROUTE_ORAL);
  return event;
}

v1::Event LabQuantity() {
  v1::Event event = AtPuskesmas(14, SampleMother(), "2026-02-06T09:10");
  event.set_visit_id("ANC-2026-0071-K4");
  event.mutable_recorder()->set_id("lab-01");
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_LABORATORY);
  v1::LabResult* result = event.mutable_lab_result();
  SetCode(kLoinc, "718-7", "Hemoglobin [Mass/volume] in Blood", result->mutable_code());
  SetQuantity("10.4", "g/dL", result->mutable_quantity());
  result->mutable_range()->set_low("11.0");
  result->mutable_range()->set_high("14.0");
  SetCode(kSnomed, "119297000", "Blood specimen", result->mutable_specimen());
  result->set_method("POCT");
  result->set_abnormal(true);
  return event;
}

v1::Event LabCoded() {
  v1::Event event = AtPuskesmas(15, SampleMother(), "2026-02-06T09:12");
  event.set_visit_id("ANC-2026-0071-K4");
  event.mutable_recorder()->set_id("lab-01");
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_LABORATORY);
  v1::LabResult* result = event.mutable_lab_result();
  SetCode(kLoinc, "75410-1", "Hepatitis B virus surface Ag", result->mutable_code());
  SetCode(kSnomed, "260385009", "Negative", result->mutable_coded());
  result->set_abnormal(false);
  return event;
}

v1::Event MentalScreening() {
  v1::Event event = SampleEnvelope(16, SampleMother(), "2026-02-10T15:45");
  event.mutable_unit()->set_kind(v1::UNIT_KIND_HOME);
  v1::Screening* screening = event.mutable_screening();
  screening->set_tool("SRQ-20");
  screening->set_tool_version("2023");
  for (int question = 1; question <= 20; ++question) {
    v1::Answer* answer = screening->add_answers();
    answer->set_link_id(std::to_string(question));
    answer->set_flag(question <= 7);
  }
  screening->set_score(7);
  screening->set_result(v1::SCREENING_RESULT_ABNORMAL);
  screening->set_result_text("Perlu pemeriksaan lanjut");
  screening->set_follow_up(v1::FOLLOW_UP_REFER);
  screening->set_follow_up_on("2026-02-12");
  return event;
}

v1::Event TuberculosisScreening() {
  v1::Event event = SampleEnvelope(17, SampleElder(), "2026-02-03T10:15");
  event.set_visit_id("posyandu-melati-3/2026-02-03/lansia-0002");
  v1::Screening* screening = event.mutable_screening();
  screening->set_tool("TB-SYMPTOM");
  v1::Answer* cough = screening->add_answers();
  cough->set_link_id("1");
  cough->set_text("Batuk dua minggu atau lebih");
  cough->set_flag(true);
  v1::Answer* weeks = screening->add_answers();
  weeks->set_link_id("1.1");
  weeks->set_number(3);
  v1::Answer* since = screening->add_answers();
  since->set_link_id("1.2");
  since->set_date("2026-01-13");
  v1::Answer* words = screening->add_answers();
  words->set_link_id("9");
  words->set_words("Cucu serumah juga batuk");
  screening->set_result(v1::SCREENING_RESULT_PRESUMPTIVE);
  screening->set_follow_up(v1::FOLLOW_UP_URGENT);
  return event;
}

v1::Event ElderScreening() {
  v1::Event event = AtPuskesmas(18, SampleElder(), "2026-02-17T09:30");
  event.mutable_recorder()->set_id("perawat-04");
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_NURSE);
  v1::Screening* screening = event.mutable_screening();
  screening->set_tool("SKILAS");
  screening->set_tool_version("2023");
  v1::Answer* cognition = screening->add_answers();
  cognition->set_link_id("kognitif");
  SetCode("http://snomed.info/sct", "17621005", "Normal", cognition->mutable_coded());
  v1::Answer* chair = screening->add_answers();
  chair->set_link_id("mobilisasi");
  SetQuantity("12.5", "s", chair->mutable_quantity());
  screening->set_result(v1::SCREENING_RESULT_NORMAL);
  screening->set_follow_up(v1::FOLLOW_UP_NONE);
  screening->set_platform_questionnaire("Q0042");
  return event;
}

v1::Event ReferralProposed() {
  v1::Event event = SampleEnvelope(19, SampleElder(), "2026-02-03T10:25");
  event.set_visit_id("posyandu-melati-3/2026-02-03/lansia-0002");
  v1::Referral* referral = event.mutable_referral();
  referral->set_number("RJK-2026-0031");
  referral->set_state(v1::REFERRAL_STATE_PROPOSED);
  *referral->mutable_from() = SamplePuskesmas();
  *referral->mutable_from_unit() = event.unit();
  *referral->mutable_to() = SamplePuskesmas();
  referral->set_reason("Terduga TB pada skrining gejala");
  referral->set_rule("tb-symptom/1");
  referral->add_evidence_event_ids(SampleEventId(17));
  referral->set_urgency(v1::URGENCY_URGENT);
  return event;
}

v1::Event ReferralSent() {
  v1::Event event = AtPuskesmas(20, SampleElder(), "2026-02-04T08:30");
  event.set_visit_id("RJ-2026-02-04-0021");
  event.mutable_recorder()->set_id("dokter-02");
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_DOCTOR);
  v1::Referral* referral = event.mutable_referral();
  referral->set_number("RJK-2026-0032");
  referral->set_state(v1::REFERRAL_STATE_SENT);
  *referral->mutable_from() = SamplePuskesmas();
  *referral->mutable_from_unit() = event.unit();
  *referral->mutable_to() = SampleHospital();
  SetCode(kSnomed, "722165004", "Pulmonology service", referral->mutable_service());
  referral->set_reason("TB paru dengan sesak");
  referral->add_evidence_event_ids(SampleEventId(17));
  referral->set_urgency(v1::URGENCY_ROUTINE);
  SetCode(kIcd10, "A15.0", "Tuberculosis of lung", referral->mutable_diagnosis());
  referral->set_care(v1::CARE_TYPE_OUTPATIENT);
  referral->set_insurance(v1::INSURANCE_STATUS_ACTIVE);
  referral->set_insurance_card("0002035020396");
  referral->set_action_done("Oksigen 3 L/menit");
  referral->set_transport("Ambulans desa");
  referral->set_accompanied_by("Anak");
  referral->set_psc_called(false);
  referral->set_patient_agrees(true);
  return event;
}

v1::Event ReferralAt(uint64_t id, std::string_view local_time, v1::ReferralState state) {
  v1::Event event = AtPuskesmas(id, SampleElder(), local_time);
  *event.mutable_facility() = SampleHospital();
  event.mutable_unit()->set_kind(v1::UNIT_KIND_HOSPITAL);
  event.mutable_unit()->set_code("PARU");
  event.mutable_unit()->set_name("Poli Paru");
  event.mutable_recorder()->set_id("admisi-01");
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_ADMINISTRATION);
  v1::Referral* referral = event.mutable_referral();
  referral->set_number("RJK-2026-0032");
  referral->set_state(state);
  *referral->mutable_from() = SamplePuskesmas();
  *referral->mutable_to() = SampleHospital();
  return event;
}

v1::Event ReferralAccepted() {
  v1::Event event = ReferralAt(21, "2026-02-04T08:41", v1::REFERRAL_STATE_ACCEPTED);
  event.mutable_referral()->set_accepted_by("Petugas admisi");
  v1::ReferralNumber* number = event.mutable_referral()->add_other_numbers();
  number->set_system("http://sys-ids.kemkes.go.id/referral-number-satusehat");
  number->set_number("1202602040032");
  return event;
}

v1::Event ReferralBack() {
  v1::Event event = ReferralAt(22, "2026-02-14T11:00", v1::REFERRAL_STATE_BACK_REFERRED);
  v1::ReferralReply* reply = event.mutable_referral()->mutable_reply();
  SetCode(kIcd10, "A15.0", "Tuberculosis of lung", reply->add_diagnoses());
  reply->set_therapy("OAT kategori 1");
  reply->set_plan("Lanjut OAT di Puskesmas, periksa dahak akhir bulan kedua");
  reply->set_control_on("2026-04-14");
  return event;
}

v1::Event PregnancyOpened() {
  v1::Event event = AtPuskesmas(23, SampleMother(), "2026-02-06T08:35");
  v1::Pregnancy* pregnancy = event.mutable_pregnancy();
  pregnancy->set_pregnancy_id("HML-2025-0071");
  pregnancy->set_state(v1::PREGNANCY_STATE_OPEN);
  pregnancy->set_lmp("2025-07-15");
  pregnancy->set_edd("2026-04-21");
  pregnancy->set_gravida(2);
  pregnancy->set_para(1);
  pregnancy->set_abortus(0);
  return event;
}

v1::Event TwinBirth() {
  v1::Event event = AtPuskesmas(24, SampleMother(), "2026-02-20T03:15");
  v1::Birth* birth = event.mutable_birth();
  birth->set_pregnancy_id("HML-2025-0071");
  birth->set_place(v1::BIRTH_PLACE_PUSKESMAS);
  birth->set_attendant(v1::BIRTH_ATTENDANT_MIDWIFE);
  birth->set_gestation_days(220);
  birth->set_born_on("2026-02-20");
  v1::Baby* first = birth->add_babies();
  first->set_order(1);
  first->set_sex(v1::SEX_MALE);
  first->set_weight_g(1985);
  first->set_length_mm(432);
  first->set_head_mm(305);
  first->set_alive(true);
  v1::Baby* second = birth->add_babies();
  second->set_order(2);
  second->set_sex(v1::SEX_FEMALE);
  second->set_weight_g(1870);
  second->set_length_mm(425);
  second->set_alive(true);
  second->set_name("Ananda Uji Kedua");
  return event;
}

v1::Event PregnancyClosed() {
  v1::Event event = AtPuskesmas(25, SampleMother(), "2026-02-20T06:00");
  v1::Pregnancy* pregnancy = event.mutable_pregnancy();
  pregnancy->set_pregnancy_id("HML-2025-0071");
  pregnancy->set_state(v1::PREGNANCY_STATE_CLOSED);
  pregnancy->set_outcome(v1::PREGNANCY_OUTCOME_LIVE_BIRTH);
  pregnancy->set_ended_on("2026-02-20");
  return event;
}

v1::Event ChildRegistered() {
  v1::Event event = SampleEnvelope(26, SampleChild(), "2026-02-03T09:00");
  event.mutable_subject()->set_family_card("7324021505180011");
  event.mutable_subject()->set_phone("+6281100000001");
  v1::PatientRegistered* registered = event.mutable_patient_registered();
  registered->mutable_mother()->mutable_nik()->set_number("7324025708960002");
  registered->set_note("Pindahan dari posyandu Mawar");
  return event;
}

v1::Event NewbornRegistered() {
  v1::Event event = AtPuskesmas(27, SampleNewborn(), "2026-02-20T07:00");
  event.mutable_patient_registered()->mutable_mother()->mutable_nik()->set_number(
      "7324025708960002");
  return event;
}

v1::Event NewbornVisit() {
  v1::Event event = AtPuskesmas(28, SampleNewborn(), "2026-02-20T08:00");
  v1::Visit* visit = event.mutable_visit();
  visit->set_encounter_class(v1::ENCOUNTER_CLASS_INPATIENT);
  visit->set_ordinal("KN1");
  visit->set_weight_g(1985);
  visit->set_temperature_dc(364);
  visit->set_spo2_percent(96);
  return event;
}

v1::Event NewbornLinked() {
  v1::Event event = AtPuskesmas(29, SampleNewborn(), "2026-02-26T09:00");
  v1::PatientLinked* linked = event.mutable_patient_linked();
  linked->mutable_other()->mutable_nik()->set_number("7324022002260004");
  linked->set_reason("Akta kelahiran terbit");
  return event;
}

v1::Event NewbornUnlinked() {
  v1::Event event = AtPuskesmas(30, SampleNewborn(), "2026-02-27T09:00");
  event.mutable_patient_unlinked()->set_link_event_id(SampleEventId(29));
  event.mutable_patient_unlinked()->set_reason("NIK milik saudara kembarnya");
  return event;
}

v1::Event MovedAway() {
  v1::Event event = SampleEnvelope(31, SampleTraveller(), "2026-02-24T09:00");
  v1::PatientStatus* status = event.mutable_patient_status();
  status->set_status(v1::LIFE_STATUS_MOVED_AWAY);
  status->set_on("2026-02-22");
  status->mutable_moved_to()->set_village_system("kemendagri");
  status->mutable_moved_to()->set_village_code("17.05.06.1006");
  return event;
}

v1::Event Died() {
  v1::Event event = AtPuskesmas(32, SampleElder(), "2026-02-25T20:10");
  v1::PatientStatus* status = event.mutable_patient_status();
  status->set_status(v1::LIFE_STATUS_DIED);
  status->set_on("2026-02-25");
  status->set_cause("A15.0");
  return event;
}

v1::Event ConsentGiven() {
  v1::Event event = SampleEnvelope(33, SampleChild(), "2026-02-03T09:02");
  v1::Consent* consent = event.mutable_consent();
  consent->set_state(v1::CONSENT_STATE_GIVEN);
  consent->set_scope("sharing");
  consent->set_method(v1::CONSENT_METHOD_ORAL);
  consent->set_witness("Kader pendamping");
  consent->set_given_by("Ibu kandung");
  SetTime(SampleTime("2031-02-03T00:00"), consent->mutable_expires_at());
  return event;
}

v1::Event SharingRestricted() {
  v1::Event event = AtPuskesmas(34, SampleTraveller(), "2026-02-19T09:00");
  event.mutable_restriction()->set_restricted(true);
  event.mutable_restriction()->set_scope("sharing");
  event.mutable_restriction()->set_reason("Permintaan pasien");
  return event;
}

v1::Event WeighingCorrected() {
  v1::Event event = SampleEnvelope(35, SampleChild(), "2026-02-04T13:00");
  v1::Correction* correction = event.mutable_correction();
  correction->set_original_event_id(SampleEventId(2));
  correction->set_reason("Berat salah ketik");
  *correction->mutable_replacement() = GrowthVisit();
  correction->mutable_replacement()->mutable_visit()->set_weight_g(10'540);
  return event;
}

v1::Event ImmunisationRetracted() {
  v1::Event event = SampleEnvelope(36, SampleChild(), "2026-02-04T13:05");
  event.mutable_retraction()->set_original_event_id(SampleEventId(9));
  event.mutable_retraction()->set_reason("Buku milik kakaknya");
  return event;
}

v1::Event TrainingVisit() {
  v1::Event event = SampleWeighing();
  event.set_event_id(SampleEventId(37));
  event.set_purpose(v1::PURPOSE_TRAINING);
  return event;
}

v1::Event TravellerVisit() {
  v1::Event event = AtPuskesmas(38, SampleTraveller(), "2026-02-18T19:45");
  event.mutable_unit()->set_code("UGD");
  event.mutable_unit()->set_name("Unit gawat darurat");
  event.mutable_recorder()->set_id("perawat-04");
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_NURSE);
  v1::Visit* visit = event.mutable_visit();
  visit->set_encounter_class(v1::ENCOUNTER_CLASS_EMERGENCY);
  visit->set_systolic_mmhg(98);
  visit->set_diastolic_mmhg(61);
  visit->set_pulse_per_min(112);
  visit->set_note("Terjatuh dari sepeda motor");
  return event;
}

}  // namespace

base::Time SampleNow() { return base::FromMicros(1'772'323'200'000'000); }

std::string SampleEventId(uint64_t n) { return fmt::format("5a3b1e00-0000-4000-8000-{:012x}", n); }

v1::Facility SamplePuskesmas() {
  v1::Facility facility;
  facility.set_system("kemenkes");
  facility.set_code("P7324020101");
  return facility;
}

v1::Facility SampleHospital() {
  v1::Facility facility;
  facility.set_system("kemenkes");
  facility.set_code("7324011");
  return facility;
}

v1::Subject SampleChild() {
  v1::Subject subject =
      Person("7324021203240001", "Ananda Uji Pertama", v1::SEX_MALE, "2024-03-12");
  v1::Local* local = subject.add_identities()->mutable_local();
  local->set_system("kemenkes");
  local->set_facility("P7324020101");
  local->set_number("MLT3-0007");
  return subject;
}

v1::Subject SampleMother() {
  return Person("7324025708960002", "Ibu Uji Contoh", v1::SEX_FEMALE, "1996-08-17");
}

v1::Subject SampleNewborn() {
  v1::Subject subject = Person("", "Bayi Ibu Uji Contoh", v1::SEX_MALE, "2026-02-20");
  v1::Newborn* newborn = subject.add_identities()->mutable_newborn();
  newborn->set_mother_nik("7324025708960002");
  newborn->set_birth_date("2026-02-20");
  newborn->set_birth_order(1);
  return subject;
}

v1::Subject SampleElder() {
  v1::Subject subject = Person("7324020906590005", "Bapak Uji Contoh", v1::SEX_MALE, "1959-06-09");
  subject.add_identities()->mutable_card()->set_number("0002035020396");
  return subject;
}

v1::Subject SampleTraveller() {
  v1::Subject subject = Person("", "Sample Traveller", v1::SEX_FEMALE, "1988-11-30");
  subject.clear_residence();
  subject.add_identities()->mutable_passport()->set_country("NLD");
  subject.mutable_identities(0)->mutable_passport()->set_number("XR1402217");
  return subject;
}

base::Time SampleTime(std::string_view local_time) {
  const auto day = event::ParseDay(local_time.substr(0, 10));
  SIMPUL_CHECK(day.has_value() && local_time.size() == 16, "Not a local time: {}.", local_time);
  const int hours = (local_time[11] - '0') * 10 + (local_time[12] - '0');
  const int minutes = (local_time[14] - '0') * 10 + (local_time[15] - '0');
  return base::Time(*day) + std::chrono::hours(hours) + std::chrono::minutes(minutes - kOffsetMin);
}

v1::Event SampleEnvelope(uint64_t id, const v1::Subject& subject, std::string_view local_time) {
  v1::Event event;
  event.set_event_id(SampleEventId(id));
  *event.mutable_facility() = SamplePuskesmas();
  event.mutable_unit()->set_kind(v1::UNIT_KIND_POSYANDU);
  event.mutable_unit()->set_code("MLT3");
  event.mutable_unit()->set_name("Posyandu Melati 3");
  event.mutable_recorder()->set_id("kader-12");
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_KADER);
  *event.mutable_subject() = subject;
  SetTime(SampleTime(local_time), event.mutable_occurred_at()->mutable_time());
  event.mutable_occurred_at()->set_utc_offset_min(kOffsetMin);
  event.mutable_occurred_at()->set_precision(v1::TIME_PRECISION_MINUTE);
  SetTime(SampleTime(local_time) + std::chrono::hours(1), event.mutable_recorded_at());
  event.set_channel(v1::CHANNEL_APP);
  event.set_purpose(v1::PURPOSE_PRODUCTION);
  return event;
}

v1::Event SampleWeighing() {
  v1::Event event = SampleEnvelope(1, SampleChild(), "2026-01-06T09:10");
  event.mutable_visit()->set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
  event.mutable_visit()->set_weight_g(10'250);
  return event;
}

const std::vector<SampleEvent>& SampleEvents() {
  static const std::vector<SampleEvent> all = {
      {"weighing", SampleWeighing()},
      {"growth_visit", GrowthVisit()},
      {"outpatient_visit", OutpatientVisit()},
      {"antenatal_visit", AntenatalVisit()},
      {"elder_visit", ElderVisit()},
      {"home_visit_done", HomeVisitDone()},
      {"home_visit_refused", HomeVisitRefused()},
      {"immunisation_given", ImmunisationGiven()},
      {"immunisation_reported", ImmunisationReported()},
      {"immunisation_not_given", ImmunisationNotGiven()},
      {"vitamin_a", VitaminA()},
      {"iron_tablets", IronTablets()},
      {"medicine", Medicine()},
      {"lab_quantity", LabQuantity()},
      {"lab_coded", LabCoded()},
      {"mental_screening", MentalScreening()},
      {"tuberculosis_screening", TuberculosisScreening()},
      {"elder_screening", ElderScreening()},
      {"referral_proposed", ReferralProposed()},
      {"referral_sent", ReferralSent()},
      {"referral_accepted", ReferralAccepted()},
      {"referral_back", ReferralBack()},
      {"pregnancy_opened", PregnancyOpened()},
      {"twin_birth", TwinBirth()},
      {"pregnancy_closed", PregnancyClosed()},
      {"child_registered", ChildRegistered()},
      {"newborn_registered", NewbornRegistered()},
      {"newborn_visit", NewbornVisit()},
      {"newborn_linked", NewbornLinked()},
      {"newborn_unlinked", NewbornUnlinked()},
      {"moved_away", MovedAway()},
      {"died", Died()},
      {"consent_given", ConsentGiven()},
      {"sharing_restricted", SharingRestricted()},
      {"weighing_corrected", WeighingCorrected()},
      {"immunisation_retracted", ImmunisationRetracted()},
      {"training_visit", TrainingVisit()},
      {"traveller_visit", TravellerVisit()},
  };
  return all;
}

const v1::Event& SampleNamed(std::string_view name) {
  const auto& all = SampleEvents();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const SampleEvent& sample) { return sample.name == name; });
  SIMPUL_CHECK(found != all.end(), "No sample event is called {}.", name);
  return found->event;
}

const v1::Event& SampleOf(event::Kind kind) {
  for (const SampleEvent& sample : SampleEvents()) {
    if (static_cast<uint32_t>(sample.event.payload_case()) == static_cast<uint32_t>(kind)) {
      return sample.event;
    }
  }
  SIMPUL_CHECK(false, "No sample event of kind {}.", static_cast<uint32_t>(kind));
}

}  // namespace simpul::testing
