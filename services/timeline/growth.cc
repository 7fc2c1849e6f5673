#include "timeline/growth.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <variant>

#include "lib/event/date.h"

namespace simpul::timeline_role {
namespace {

using timeline::v1::CardMonth;
using timeline::v1::GrowthIndex;
using timeline::v1::Measured;

void ShowIndices(const rules::Growth& growth, Measured& shown) {
  for (int n = 0; n < rules::kIndices; ++n) {
    const auto index = static_cast<rules::Index>(n);
    GrowthIndex& one = *shown.add_indices();
    one.set_index(std::string(rules::Word(index)));
    if (const auto* reason = std::get_if<rules::NotDerived>(&growth.of(index))) {
      one.set_not_derived(std::string(rules::Word(*reason)));
      continue;
    }
    const auto& score = std::get<rules::Score>(growth.of(index));
    if (score.z_hundredths.has_value()) one.set_z_hundredths(*score.z_hundredths);
    one.set_growth_class(std::string(rules::Word(score.growth_class)));
    one.set_flag(std::string(rules::FlagOf(growth, index)));
  }
  if (growth.status.has_value()) {
    shown.set_nutritional_status(std::string(rules::Word(growth.status->growth_class)));
    shown.set_nutritional_status_from(std::string(rules::Word(growth.status->from)));
  }
}

void ShowMeasured(const timeline::MeasuredContact& contact, const rules::Kms& card,
                  Measured& shown) {
  const event::v1::Event& event = contact.event;
  const event::v1::Visit& visit = event.visit();
  shown.set_entry_id(contact.entry_id);
  shown.set_event_id(event.event_id());
  *shown.mutable_facility() = event.facility();
  shown.set_purpose(event.purpose());
  shown.set_day(event::FormatDay(contact.day));
  if (contact.measurement.age.has_value()) shown.set_age_days(contact.measurement.age->days);
  if (visit.has_weight_g()) shown.set_weight_g(visit.weight_g());
  if (visit.has_length_mm()) shown.set_length_mm(visit.length_mm());
  shown.set_position(visit.position());
  // Whole as measured, and moved by whole millimetres.
  if (contact.growth.length_used_mm.has_value()) {
    shown.set_length_used_mm(static_cast<uint32_t>(std::lround(*contact.growth.length_used_mm)));
  }
  if (visit.has_head_mm()) shown.set_head_mm(visit.head_mm());
  if (visit.has_muac_mm()) shown.set_muac_mm(visit.muac_mm());
  shown.set_oedema(contact.measurement.oedema);
  if (contact.growth.bmi_hundredths.has_value()) {
    shown.set_bmi_hundredths(static_cast<uint32_t>(*contact.growth.bmi_hundredths));
  }
  ShowIndices(contact.growth, shown);
  if (!contact.weighing.has_value()) return;
  const rules::KmsJudged& judged = card.weighings[*contact.weighing];
  timeline::v1::CardWeighing& weighing = *shown.mutable_weighing();
  weighing.set_usable(judged.usable);
  if (judged.no_status.has_value()) {
    weighing.set_no_status(std::string(rules::Word(*judged.no_status)));
  }
  weighing.set_bgm(judged.bgm);
  weighing.set_above_orange(judged.above_orange);
  weighing.set_reweigh(judged.reweigh);
}

void ShowMonth(const timeline::ChildGrowth& growth, const rules::KmsMonth& month,
               CardMonth& shown) {
  const auto contact_of = [&growth](size_t weighing) {
    return static_cast<uint32_t>(growth.contact_of[weighing]);
  };
  shown.set_month(fmt::format("{:04}-{:02}", static_cast<int>(month.month.year()),
                              static_cast<unsigned>(month.month.month())));
  shown.set_status(std::string(rules::Word(month.status)));
  shown.set_weighing(contact_of(month.weighing));
  if (month.gain.has_value()) {
    shown.set_previous(contact_of(month.gain->previous));
    shown.set_days(static_cast<uint32_t>(month.gain->days));
    shown.set_gain_g(static_cast<int32_t>(month.gain->gain_g));
    if (month.gain->kbm_g.has_value()) shown.set_kbm_g(*month.gain->kbm_g);
  }
  shown.set_two_t(month.two_t);
  shown.set_bgm(month.bgm);
  shown.set_above_orange(month.above_orange);
  shown.set_by_oedema(month.by_oedema);
  shown.set_interval_short(month.interval_short);
  shown.set_interval_long(month.interval_long);
  if (month.proposes.has_value()) shown.set_proposes(std::string(rules::Word(*month.proposes)));
  shown.set_rules(month.rules);
}

}  // namespace

void ShowGrowth(const timeline::ChildGrowth& growth, const event::v1::Subject& person,
                timeline::v1::GetGrowthResponse& response) {
  response.set_sex(person.sex());
  response.set_birth_date(person.birth_date());
  for (const timeline::MeasuredContact& contact : growth.contacts) {
    ShowMeasured(contact, growth.card, *response.add_measured());
  }
  for (const rules::KmsMonth& month : growth.card.months) {
    ShowMonth(growth, month, *response.add_card());
  }
  response.set_rules(rules::kGrowthVersion);
}

}  // namespace simpul::timeline_role
