#include "lib/timeline/derive.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "lib/base/uuid.h"
#include "lib/event/date.h"
#include "lib/rules/calendar_months.h"
#include "lib/rules/growth.h"
#include "lib/rules/kms.h"
#include "lib/rules/referral_states.h"
#include "lib/timeline/measured.h"
#include "lib/timeline/screened.h"
#include "simpul/event/v1/event.pb.h"
#include "simpul/timeline/v1/derived.pb.h"

namespace simpul::timeline {
namespace {

using event::v1::Event;

// Whether what the index is made of was measured at all.
bool IsMissing(const rules::Outcome& outcome) {
  const auto* reason = std::get_if<rules::NotDerived>(&outcome);
  return reason != nullptr &&
         (*reason == rules::NotDerived::kWeightMissing ||
          *reason == rules::NotDerived::kLengthMissing ||
          *reason == rules::NotDerived::kHeadMissing || *reason == rules::NotDerived::kMuacMissing);
}

void Tell(const rules::Growth& growth, rules::Index index, v1::GrowthScore& told) {
  if (const auto* reason = std::get_if<rules::NotDerived>(&growth.of(index))) {
    told.set_not_derived(std::string(rules::Word(*reason)));
    return;
  }
  const auto& score = std::get<rules::Score>(growth.of(index));
  if (score.z_hundredths.has_value()) told.set_z_hundredths(*score.z_hundredths);
  told.set_growth_class(std::string(rules::Word(score.growth_class)));
  told.set_flag(std::string(rules::FlagOf(growth, index)));
}

void Tell(const CardPlace& place, v1::WeighingOnCard& told) {
  told.set_usable(place.usable);
  if (place.no_status.has_value()) told.set_no_status(std::string(rules::Word(*place.no_status)));
  told.set_bgm(place.bgm);
  told.set_above_orange(place.above_orange);
  told.set_reweigh(place.reweigh);
  if (!place.month.has_value()) return;
  const CardPlace::Month& month = *place.month;
  told.set_status(std::string(rules::Word(month.status)));
  if (month.days > 0) {
    told.set_previous_event_id(base::UuidText({month.previous.data(), month.previous.size()}));
  }
  told.set_days(static_cast<uint32_t>(month.days));
  told.set_gain_g(static_cast<int32_t>(month.gain_g));
  if (month.kbm_g.has_value()) told.set_kbm_g(*month.kbm_g);
  told.set_two_t(month.two_t);
  told.set_by_oedema(month.by_oedema);
  told.set_interval_short(month.interval_short);
  told.set_interval_long(month.interval_long);
  if (month.proposes.has_value()) told.set_proposes(std::string(rules::Word(*month.proposes)));
}

void Tell(const rules::Growth& growth, v1::MeasuredGrowth& told) {
  using rules::Index;
  const auto tell = [&](Index index, auto score) {
    if (!IsMissing(growth.of(index))) Tell(growth, index, *(told.*score)());
  };
  tell(Index::kWeightForAge, &v1::MeasuredGrowth::mutable_weight_for_age);
  tell(Index::kLengthHeightForAge, &v1::MeasuredGrowth::mutable_length_height_for_age);
  tell(Index::kWeightForLengthHeight, &v1::MeasuredGrowth::mutable_weight_for_length_height);
  tell(Index::kBmiForAge, &v1::MeasuredGrowth::mutable_bmi_for_age);
  tell(Index::kHeadForAge, &v1::MeasuredGrowth::mutable_head_circumference_for_age);
  tell(Index::kMuacForAge, &v1::MeasuredGrowth::mutable_muac_for_age);
  // Whole as measured, and moved by whole millimetres.
  if (growth.length_used_mm.has_value()) {
    told.set_length_used_mm(static_cast<uint32_t>(std::lround(*growth.length_used_mm)));
  }
  if (growth.bmi_hundredths.has_value()) {
    told.set_bmi_hundredths(static_cast<uint32_t>(*growth.bmi_hundredths));
  }
  if (growth.status.has_value()) {
    told.set_nutritional_status(std::string(rules::Word(growth.status->growth_class)));
    told.set_nutritional_status_from(std::string(rules::Word(growth.status->from)));
  }
}

bool Parse(const MemberView& member, Event& event) {
  return event.ParseFromArray(member.event.data(), static_cast<int>(member.event.size()));
}

ScreenedEvent Screened(const Event& event, uint32_t member, const EventFacts& known,
                       const PatientFacts& facts, const rules::RulesInForce& rules) {
  const Circumstances amid = facts.CircumstancesOf(known);
  const Person& who = facts.person();
  ScreenedEvent screened{
      .event = &event,
      .member = member,
      .person = {.sex = who.sex, .pregnant = amid.pregnant, .gestation_days = amid.gestation_days},
      .days_since_doubtful_kpsp = amid.days_since_doubtful_kpsp,
      .tables = rules.On(known.day).screening};
  if (who.birth_date.has_value()) {
    screened.person.age_months = rules::CompletedMonths(*who.birth_date, known.day);
  }
  if (amid.has_hypertension_or_diabetes) screened.person.hypertension_or_diabetes = true;
  return screened;
}

bool DeriveContacts(const EntryView& entry, const PatientFacts& facts,
                    const rules::RulesInForce& rules, const ParsedEvent& parsed,
                    v1::Derived& derived) {
  std::deque<Event> events;  // what is screened points to them
  std::vector<ScreenedEvent> screened;
  for (size_t n = 0; n < entry.members.size(); ++n) {
    const MemberView& member = entry.members[n];
    const EventFacts* const known = facts.Find({member.facility, member.event_id});
    if (known == nullptr || (!known->measures && !known->screens)) continue;
    const Event* event = parsed.event;
    if (event == nullptr || parsed.key.event_id != member.event_id ||
        parsed.key.facility != member.facility) {
      if (!Parse(member, events.emplace_back())) return false;
      event = &events.back();
    }
    if (known->screens) {
      screened.push_back(Screened(*event, static_cast<uint32_t>(n), *known, facts, rules));
    }
    if (!known->measures) continue;
    v1::MeasuredGrowth& growth = *derived.add_growth();
    growth.set_member(static_cast<uint32_t>(n));
    Tell(rules::Assess(MeasurementOf(event->visit(), known->day, facts.person())), growth);
    if (const std::optional<CardPlace> place = facts.CardOf(*known, rules)) {
      Tell(*place, *growth.mutable_card());
    }
  }
  Screen(screened, derived);
  return true;
}

bool DeriveReferral(const EntryView& entry, const rules::RulesInForce& rules,
                    v1::Derived& derived) {
  std::vector<rules::ReferralEvent> events;
  std::chrono::sys_days began;   // of the first event: it picks the version
  std::vector<std::string> ids;  // places in the entry: a number names an event without doubt
  ids.reserve(entry.members.size());
  for (size_t n = 0; n < entry.members.size(); ++n) {
    const MemberView& member = entry.members[n];
    ids.push_back(std::to_string(n));
    if (member.state == v1::MEMBER_STATE_RETRACTED) continue;
    Event event;
    if (!Parse(member, event)) return false;
    const event::v1::Referral& referral = event.referral();
    if (events.empty()) began = event::LocalDay(event.occurred_at());
    events.push_back({.id = ids[n],
                      .state = referral.state(),
                      .occurred_at = base::FromMicros(member.occurred_at_us),
                      .order = n,
                      .urgency = referral.urgency(),
                      .insurance = referral.insurance(),
                      .reply = referral.has_reply()});
  }
  if (events.empty()) return true;
  const auto place = [](std::string_view id) {
    return static_cast<uint32_t>(std::stoul(std::string(id)));
  };
  const rules::ReferralCourse course = rules::DeriveReferral(*rules.On(began).referral, events);
  v1::ReferralCourse& told = *derived.mutable_referral();
  told.set_state(course.state);
  for (const rules::ReferralStep& step : course.path) {
    v1::ReferralStep& shown = *told.add_steps();
    shown.set_state(step.state);
    if (!step.implied()) shown.set_member(place(step.id));
    shown.set_before_referral(step.before_referral);
  }
  for (const rules::ReferralIllegal& illegal : course.illegal) {
    v1::ReferralMisfit& shown = *told.add_misfits();
    shown.set_member(place(illegal.id));
    shown.set_in(illegal.in);
    shown.set_why(std::string(rules::Word(illegal.why)));
  }
  told.set_urgency(course.urgency);
  told.set_insurance(course.insurance);
  if (!course.reply.empty()) told.set_reply(place(course.reply));
  return true;
}

}  // namespace

std::optional<std::string> Derive(const EntryView& entry, const PatientFacts& facts,
                                  const rules::RulesInForce& rules, const ParsedEvent& parsed) {
  v1::Derived derived;
  bool read = true;
  if (entry.kind == v1::ENTRY_KIND_VISIT || entry.kind == v1::ENTRY_KIND_PREGNANCY)
    read = DeriveContacts(entry, facts, rules, parsed, derived);
  if (entry.kind == v1::ENTRY_KIND_REFERRAL) read = DeriveReferral(entry, rules, derived);
  if (!read) return std::nullopt;
  return derived.SerializeAsString();
}

}  // namespace simpul::timeline
