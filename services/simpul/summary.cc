#include "simpul/summary.h"

#include <fmt/format.h>

#include <vector>

#include "lib/event/kind.h"
#include "simpul/output.h"

namespace simpul::cli {
namespace {

namespace v1 = event::v1;

using Words = std::vector<std::string>;

std::string Join(const Words& words) { return fmt::format("{}", fmt::join(words, ", ")); }

std::string Label(const v1::Code& code) {
  return code.display().empty() ? code.code() : code.display();
}

std::string Amount(const v1::Quantity& quantity) {
  return fmt::format("{} {}", quantity.value(), quantity.unit());
}

void AddVisit(const v1::Visit& visit, Words& words) {
  if (!visit.ordinal().empty()) words.push_back(visit.ordinal());
  if (visit.has_home_visit()) {
    words.push_back(
        "home visit " +
        EnumWord(v1::HomeVisitOutcome_Name(visit.home_visit().outcome()), "HOME_VISIT_OUTCOME_"));
  }
  if (visit.has_weight_g()) words.push_back(fmt::format("{:.2f} kg", visit.weight_g() / 1000.0));
  if (visit.has_length_mm()) words.push_back(fmt::format("{:.1f} cm", visit.length_mm() / 10.0));
  if (visit.has_head_mm()) words.push_back(fmt::format("head {:.1f} cm", visit.head_mm() / 10.0));
  if (visit.has_muac_mm()) words.push_back(fmt::format("arm {:.1f} cm", visit.muac_mm() / 10.0));
  if (visit.has_waist_mm()) {
    words.push_back(fmt::format("waist {:.1f} cm", visit.waist_mm() / 10.0));
  }
  if (visit.oedema() > v1::OEDEMA_NONE) words.push_back("oedema");
  if (visit.has_systolic_mmhg() && visit.has_diastolic_mmhg()) {
    words.push_back(fmt::format("BP {}/{}", visit.systolic_mmhg(), visit.diastolic_mmhg()));
  }
  if (visit.has_temperature_dc()) {
    words.push_back(fmt::format("{:.1f} °C", visit.temperature_dc() / 10.0));
  }
  if (visit.has_gestational_age_days()) {
    words.push_back(fmt::format("gestation {} weeks", visit.gestational_age_days() / 7));
  }
  if (visit.has_fetal_heart_per_min()) {
    words.push_back(fmt::format("fetal heart {}", visit.fetal_heart_per_min()));
  }
  for (const auto& diagnosis : visit.diagnoses()) words.push_back(diagnosis.code().code());
  for (const auto& sign : visit.danger_signs()) words.push_back("danger sign " + Label(sign));
  for (const auto& complaint : visit.complaints()) {
    words.push_back(complaint.text().empty() ? Label(complaint.code()) : complaint.text());
  }
  if (visit.observations_size() > 0) {
    words.push_back(fmt::format("{} more observations", visit.observations_size()));
  }
}

std::string Dose(v1::DoseStatus status) {
  return EnumWord(v1::DoseStatus_Name(status), "DOSE_STATUS_");
}

}  // namespace

std::string KindOf(const v1::Event& event) {
  return std::string(event::KindName(static_cast<uint32_t>(event.payload_case())));
}

std::string Summarise(const v1::Event& event) {
  Words words;
  switch (event.payload_case()) {
    case v1::Event::kVisit:
      AddVisit(event.visit(), words);
      break;
    case v1::Event::kImmunisation:
      words.push_back(
          event.immunisation().has_dose()
              ? fmt::format("{} {}", event.immunisation().antigen(), event.immunisation().dose())
              : event.immunisation().antigen());
      if (event.immunisation().status() != v1::DOSE_STATUS_GIVEN_HERE) {
        words.push_back(Dose(event.immunisation().status()));
      }
      break;
    case v1::Event::kSupplement: {
      const v1::Supplement& one = event.supplement();
      words.push_back(one.name().empty()
                          ? EnumWord(v1::SupplementKind_Name(one.kind()), "SUPPLEMENT_KIND_")
                          : one.name());
      if (one.has_quantity()) words.push_back(Amount(one.quantity()));
      if (one.status() != v1::DOSE_STATUS_GIVEN_HERE) words.push_back(Dose(one.status()));
      break;
    }
    case v1::Event::kLabResult: {
      const v1::LabResult& lab = event.lab_result();
      std::string text = Label(lab.code());
      if (lab.has_quantity()) text += " " + Amount(lab.quantity());
      if (lab.has_coded()) text += " " + Label(lab.coded());
      if (lab.has_text()) text += " " + lab.text();
      words.push_back(text);
      break;
    }
    case v1::Event::kScreening: {
      const v1::Screening& screening = event.screening();
      words.push_back(screening.tool());
      if (screening.has_score()) words.push_back(fmt::format("score {}", screening.score()));
      if (screening.result() != v1::SCREENING_RESULT_UNSPECIFIED) {
        words.push_back(
            EnumWord(v1::ScreeningResult_Name(screening.result()), "SCREENING_RESULT_"));
      }
      break;
    }
    case v1::Event::kReferral:
      words.push_back(
          EnumWord(v1::ReferralState_Name(event.referral().state()), "REFERRAL_STATE_"));
      if (event.referral().has_to()) words.push_back("to " + FacilityText(event.referral().to()));
      if (!event.referral().reason().empty()) words.push_back(event.referral().reason());
      break;
    case v1::Event::kPregnancy:
      words.push_back(
          EnumWord(v1::PregnancyState_Name(event.pregnancy().state()), "PREGNANCY_STATE_"));
      if (!event.pregnancy().edd().empty()) words.push_back("due " + event.pregnancy().edd());
      if (event.pregnancy().outcome() != v1::PREGNANCY_OUTCOME_UNSPECIFIED) {
        words.push_back(
            EnumWord(v1::PregnancyOutcome_Name(event.pregnancy().outcome()), "PREGNANCY_OUTCOME_"));
      }
      break;
    case v1::Event::kBirth:
      for (const auto& baby : event.birth().babies()) {
        std::string text = EnumWord(v1::Sex_Name(baby.sex()), "SEX_");
        if (baby.has_weight_g()) text += fmt::format(" {:.2f} kg", baby.weight_g() / 1000.0);
        words.push_back(text);
      }
      break;
    case v1::Event::kPatientRegistered:
      words.push_back(fmt::format("{} identities", event.subject().identities_size()));
      break;
    case v1::Event::kPatientLinked:
    case v1::Event::kPatientUnlinked:
      break;
    case v1::Event::kPatientStatus:
      words.push_back(
          EnumWord(v1::LifeStatus_Name(event.patient_status().status()), "LIFE_STATUS_"));
      words.push_back(event.patient_status().on());
      break;
    case v1::Event::kConsent:
      words.push_back(EnumWord(v1::ConsentState_Name(event.consent().state()), "CONSENT_STATE_"));
      words.push_back(event.consent().scope());
      break;
    case v1::Event::kRestriction:
      words.push_back(event.restriction().restricted() ? "restricted" : "lifted");
      break;
    case v1::Event::kCorrection:
      words.push_back("of " + event.correction().original_event_id());
      break;
    case v1::Event::kRetraction:
      words.push_back("of " + event.retraction().original_event_id());
      break;
    case v1::Event::PAYLOAD_NOT_SET:
      break;
  }
  return Join(words);
}

}  // namespace simpul::cli
