#include "lib/timeline/measured.h"

#include <algorithm>
#include <string_view>

#include "lib/event/date.h"

namespace simpul::timeline {

bool MeasuresGrowth(const event::v1::Event& event) {
  if (!event.has_visit()) return false;
  const event::v1::Visit& visit = event.visit();
  return visit.has_weight_g() || visit.has_length_mm() || visit.has_head_mm() ||
         visit.has_muac_mm() || visit.oedema() != event::v1::OEDEMA_UNSPECIFIED;
}

rules::Measurement MeasurementOf(const event::v1::Visit& visit, std::chrono::sys_days day,
                                 const rules::KmsChild& child) {
  rules::Measurement measured;
  measured.sex = child.sex;
  if (child.birth_date.has_value()) measured.age = rules::AgeBetween(*child.birth_date, day);
  if (visit.has_weight_g()) measured.weight_g = visit.weight_g();
  if (visit.has_length_mm()) measured.length_mm = visit.length_mm();
  measured.position = visit.position();
  if (visit.has_head_mm()) measured.head_mm = visit.head_mm();
  if (visit.has_muac_mm()) measured.muac_mm = visit.muac_mm();
  measured.oedema = visit.oedema() > event::v1::OEDEMA_NONE;
  return measured;
}

std::optional<rules::KmsWeightForAge> WeightForAge(const rules::Growth& growth) {
  const auto* score = std::get_if<rules::Score>(&growth.of(rules::Index::kWeightForAge));
  if (score == nullptr || !score->z_hundredths.has_value()) return std::nullopt;
  return rules::KmsWeightForAge{.implausible = score->implausible,
                                .below_minus_3 = *score->z_hundredths < -300,
                                .above_plus_1 = *score->z_hundredths > 100};
}

bool IsHypertensionOrDiabetesDiagnosed(const event::v1::Event& event) {
  if (event.recorder().role() == event::v1::RECORDER_ROLE_KADER) return false;
  return std::ranges::any_of(event.visit().diagnoses(), [](const event::v1::Diagnosis& diagnosis) {
    const std::string_view group = std::string_view(diagnosis.code().code()).substr(0, 3);
    return (group >= "I10" && group <= "I15") || (group >= "E10" && group <= "E14");
  });
}

std::optional<LifeTold> LifeToldBy(const event::v1::Event& event) {
  if (!event.has_patient_status() || event.purpose() != event::v1::PURPOSE_PRODUCTION) {
    return std::nullopt;
  }
  const event::v1::PatientStatus& status = event.patient_status();
  if (status.status() != event::v1::LIFE_STATUS_DIED &&
      status.status() != event::v1::LIFE_STATUS_ALIVE) {
    return std::nullopt;
  }
  const auto on = event::ParseDay(status.on());
  return LifeTold{.died = status.status() == event::v1::LIFE_STATUS_DIED,
                  .day = on.value_or(event::LocalDay(event.occurred_at()))};
}

}  // namespace simpul::timeline
