#include "lib/timeline/child_growth.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "lib/event/date.h"
#include "lib/event/outline.h"

namespace simpul::timeline {
namespace {

using event::v1::Event;

bool Measures(const Event& event) {
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

// The earliest day anybody says the person died; nothing while nobody does.
std::optional<std::chrono::sys_days> DeathOf(std::span<const Event* const> statuses) {
  std::optional<std::chrono::sys_days> died;
  for (const Event* event : statuses) {
    const event::v1::PatientStatus& status = event->patient_status();
    if (status.status() != event::v1::LIFE_STATUS_DIED) continue;
    const auto on = event::ParseDay(status.on());
    const std::chrono::sys_days day = on.value_or(event::LocalDay(event->occurred_at()));
    died = std::min(day, died.value_or(day));
  }
  return died;
}

std::optional<rules::KmsWeightForAge> WeightForAge(const rules::Growth& growth) {
  const auto* score = std::get_if<rules::Score>(&growth.of(rules::Index::kWeightForAge));
  if (score == nullptr || !score->z_hundredths.has_value()) return std::nullopt;
  return rules::KmsWeightForAge{.implausible = score->implausible,
                                .below_minus_3 = *score->z_hundredths < -300,
                                .above_plus_1 = *score->z_hundredths > 100};
}

}  // namespace

ChildGrowth GrowthOf(std::span<const v1::Entry> entries, const event::v1::Subject& person) {
  const rules::KmsChild child{.birth_date = event::ParseDay(person.birth_date()),
                              .sex = person.sex()};
  ChildGrowth out;
  std::vector<Event> statuses;
  for (const v1::Entry& entry : entries) {
    const bool is_status = entry.kind() == v1::ENTRY_KIND_PATIENT_STATUS &&
                           entry.purpose() == event::v1::PURPOSE_PRODUCTION;
    if (entry.kind() != v1::ENTRY_KIND_VISIT && !is_status) continue;
    for (const v1::Member& member : entry.members()) {
      Event event;
      if (member.state() == v1::MEMBER_STATE_RETRACTED || !event.ParseFromString(member.event())) {
        continue;
      }
      if (is_status) {
        statuses.push_back(std::move(event));
      } else if (Measures(event)) {
        MeasuredContact& contact = out.contacts.emplace_back();
        contact.entry_id = entry.entry_id();
        contact.day = event::LocalDay(event.occurred_at());
        contact.event = std::move(event);
      }
    }
  }
  std::ranges::sort(out.contacts, {}, [](const MeasuredContact& contact) {
    const Event& event = contact.event;
    return std::tuple(
        contact.day, event::Micros(event.occurred_at().time()), event::Micros(event.recorded_at()),
        std::string_view(event.facility().system()), std::string_view(event.facility().code()),
        std::string_view(event.event_id()));
  });

  std::vector<const Event*> of_death;
  for (const Event& event : statuses) of_death.push_back(&event);
  const std::optional<std::chrono::sys_days> died = DeathOf(of_death);
  out.ids.reserve(out.contacts.size());  // views into it are kept
  std::vector<rules::KmsWeighing> weighings;
  for (size_t n = 0; n < out.contacts.size(); ++n) {
    MeasuredContact& contact = out.contacts[n];
    contact.measurement = MeasurementOf(contact.event.visit(), contact.day, child);
    contact.growth = rules::Assess(contact.measurement);
    if (!contact.measurement.weight_g.has_value() || (died.has_value() && contact.day > *died)) {
      continue;
    }
    weighings.push_back({.id = out.ids.emplace_back(std::to_string(n)),
                         .day = contact.day,
                         .order = n,
                         .weight_g = contact.event.visit().weight_g(),
                         .weight_for_age = WeightForAge(contact.growth),
                         .oedema = contact.measurement.oedema,
                         .training = contact.event.purpose() != event::v1::PURPOSE_PRODUCTION});
    contact.weighing = out.contact_of.size();
    out.contact_of.push_back(n);
  }
  // In the order in which they are given: by day, then as on the timeline.
  out.card = rules::DeriveKms(child, weighings);
  return out;
}

}  // namespace simpul::timeline
