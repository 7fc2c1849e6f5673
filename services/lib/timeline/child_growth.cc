#include "lib/timeline/child_growth.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "lib/event/date.h"
#include "lib/event/outline.h"
#include "lib/timeline/measured.h"

namespace simpul::timeline {
namespace {

using event::v1::Event;

}  // namespace

ChildGrowth GrowthOf(std::span<const v1::Entry> entries, const event::v1::Subject& person,
                     const rules::RulesInForce& rules) {
  const rules::KmsChild child{.birth_date = event::ParseDay(person.birth_date()),
                              .sex = person.sex()};
  ChildGrowth out;
  std::vector<
      std::pair<std::tuple<int64_t, int64_t, std::string, std::string, std::string>, LifeTold>>
      lives;
  for (const v1::Entry& entry : entries) {
    if (entry.kind() != v1::ENTRY_KIND_VISIT && entry.kind() != v1::ENTRY_KIND_PATIENT_STATUS) {
      continue;
    }
    for (const v1::Member& member : entry.members()) {
      Event event;
      if (member.state() == v1::MEMBER_STATE_RETRACTED || !event.ParseFromString(member.event())) {
        continue;
      }
      if (const auto told = LifeToldBy(event)) {
        lives.emplace_back(std::tuple(event::Micros(event.occurred_at().time()),
                                      event::Micros(event.recorded_at()), event.facility().system(),
                                      event.facility().code(), event.event_id()),
                           *told);
      }
      if (MeasuresGrowth(event)) {
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

  // The earliest day of death told since anybody said that the person is alive.
  std::ranges::sort(lives, {}, [](const auto& life) { return life.first; });
  auto died = std::chrono::sys_days::max();
  for (const auto& [order, told] : lives) {
    died = told.died ? std::min(told.day, died) : std::chrono::sys_days::max();
  }

  out.ids.reserve(out.contacts.size());  // views into it are kept
  std::vector<rules::KmsWeighing> weighings;
  for (size_t n = 0; n < out.contacts.size(); ++n) {
    MeasuredContact& contact = out.contacts[n];
    contact.measurement = MeasurementOf(contact.event.visit(), contact.day, child);
    contact.growth = rules::Assess(contact.measurement);
    if (!contact.measurement.weight_g.has_value() || contact.day > died) {
      continue;
    }
    weighings.push_back({.id = out.ids.emplace_back(std::to_string(n)),
                         .day = contact.day,
                         .order = n,
                         .weight_g = contact.event.visit().weight_g(),
                         .weight_for_age = WeightForAge(contact.growth),
                         .oedema = contact.measurement.oedema,
                         .training = contact.event.purpose() != event::v1::PURPOSE_PRODUCTION,
                         .rules = rules.On(contact.day).kms});
    contact.weighing = out.contact_of.size();
    out.contact_of.push_back(n);
  }
  // In the order in which they are given: by day, then as on the timeline.
  out.card = rules::DeriveKms(child, weighings);
  return out;
}

}  // namespace simpul::timeline
