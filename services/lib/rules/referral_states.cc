#include "lib/rules/referral_states.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace simpul::rules {
namespace {

using event::v1::ReferralState;

constexpr ReferralState kNone = event::v1::REFERRAL_STATE_UNSPECIFIED;

constexpr ReferralState kChain1[] = {
    event::v1::REFERRAL_STATE_PROPOSED,      event::v1::REFERRAL_STATE_SENT,
    event::v1::REFERRAL_STATE_ACCEPTED,      event::v1::REFERRAL_STATE_PATIENT_ARRIVED,
    event::v1::REFERRAL_STATE_UNDER_CARE,    event::v1::REFERRAL_STATE_COMPLETED,
    event::v1::REFERRAL_STATE_BACK_REFERRED, event::v1::REFERRAL_STATE_CLOSED,
};

constexpr ReferralMove kBranches1[] = {
    {event::v1::REFERRAL_STATE_SENT, event::v1::REFERRAL_STATE_REJECTED},
    {event::v1::REFERRAL_STATE_SENT, event::v1::REFERRAL_STATE_EXPIRED},
    {event::v1::REFERRAL_STATE_ACCEPTED, event::v1::REFERRAL_STATE_NO_SHOW},
};

constexpr ReferralMove kReturns1[] = {
    {event::v1::REFERRAL_STATE_EXPIRED, event::v1::REFERRAL_STATE_PATIENT_ARRIVED},
    {event::v1::REFERRAL_STATE_NO_SHOW, event::v1::REFERRAL_STATE_PATIENT_ARRIVED},
};

// 90 days: a first-level facility's letter under the national insurance (JKN), valid once. The
// others are decided by Simpul.
constexpr std::array kVersions = {
    ReferralRules{.version = 1,
                  .chain = kChain1,
                  .begins = 2,
                  .branches = kBranches1,
                  .returns = kReturns1,
                  .cancel_before = event::v1::REFERRAL_STATE_PATIENT_ARRIVED,
                  .letter_valid = std::chrono::days(90),
                  .emergency_answer_max = std::chrono::hours(1),
                  .urgent_answer_max = std::chrono::hours(24),
                  .routine_answer_max = std::chrono::days(7),
                  .arrival_max = std::chrono::days(7),
                  .back_referral_max = std::chrono::days(14)},
};

constexpr int kOffChain = -2;

// -1 before the first event.
int PlaceOf(const ReferralRules& rules, ReferralState state) {
  if (state == kNone) return -1;
  const auto found = std::ranges::find(rules.chain, state);
  return found == rules.chain.end() ? kOffChain : static_cast<int>(found - rules.chain.begin());
}

// Where on the chain a state stands, or branches off.
int AnchorOf(const ReferralRules& rules, ReferralState state) {
  const auto branch = std::ranges::find(rules.branches, state, &ReferralMove::to);
  return PlaceOf(rules, branch == rules.branches.end() ? state : branch->from);
}

// What a step passes over, as places of the chain, first and last; none when first > last.
struct Passed {
  std::optional<IllegalStep> illegal;
  int first = 0;  // may have been
  int last = -1;
  int implied_first = 0;  // must have been
  int implied_last = -1;
};

Passed Illegal(IllegalStep why) { return {.illegal = why}; }

Passed Fit(const ReferralRules& rules, ReferralState from, ReferralState to) {
  if (from == to) return Illegal(IllegalStep::kRepeated);
  const int place = PlaceOf(rules, from);
  if (to == event::v1::REFERRAL_STATE_CANCELLED) {
    if (place >= PlaceOf(rules, rules.cancel_before)) return Illegal(IllegalStep::kAfterArrival);
    if (from != kNone) return {};
    // What was called off had begun, no one knows how.
    return {.first = 0, .last = rules.begins - 1, .implied_first = 0, .implied_last = 0};
  }
  const int target = PlaceOf(rules, to);
  if (place == kOffChain) {
    const auto back = std::ranges::find(rules.returns, from, &ReferralMove::from);
    if (back == rules.returns.end()) return Illegal(IllegalStep::kEnded);
    const int first = PlaceOf(rules, back->to);
    if (target < first) return Illegal(IllegalStep::kOnlyArrival);
    return {.first = first, .last = target - 1, .implied_first = first, .implied_last = target - 1};
  }
  if (place + 1 == static_cast<int>(rules.chain.size())) return Illegal(IllegalStep::kEnded);
  const int last = target == kOffChain ? AnchorOf(rules, to) : target - 1;
  if (place > last) return Illegal(IllegalStep::kPassed);
  // What was sent need not have been proposed.
  return {.first = place + 1,
          .last = last,
          .implied_first = std::max(place + 1, from == kNone ? rules.begins - 1 : 0),
          .implied_last = last};
}

std::optional<std::chrono::hours> AnswerMax(const ReferralRules& rules,
                                            event::v1::Urgency urgency) {
  switch (urgency) {
    case event::v1::URGENCY_EMERGENCY:
      return rules.emergency_answer_max;
    case event::v1::URGENCY_URGENT:
      return rules.urgent_answer_max;
    case event::v1::URGENCY_ROUTINE:
      return rules.routine_answer_max;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::span<const ReferralRules> ReferralVersions() { return kVersions; }

const ReferralRules* FindReferralRules(uint32_t version) {
  const auto found = std::ranges::find(kVersions, version, &ReferralRules::version);
  return found == kVersions.end() ? nullptr : &*found;
}

ReferralFit FitStep(const ReferralRules& rules, ReferralState from, ReferralState to) {
  const Passed passed = Fit(rules, from, to);
  ReferralFit fit{.illegal = passed.illegal};
  for (int place = passed.implied_first; place <= passed.implied_last; ++place) {
    fit.implied.push_back(rules.chain[place]);
  }
  return fit;
}

const ReferralStep* ReferralCourse::Find(ReferralState of) const {
  const auto found = std::ranges::find(path, of, &ReferralStep::state);
  return found == path.end() ? nullptr : &*found;
}

ReferralCourse DeriveReferral(const ReferralRules& rules, std::span<const ReferralEvent> events) {
  std::vector<const ReferralEvent*> sorted;
  sorted.reserve(events.size());
  for (const ReferralEvent& event : events) sorted.push_back(&event);
  std::ranges::sort(sorted, {}, [](const ReferralEvent* event) {
    return std::tuple(event->occurred_at, event->order, event->id);
  });

  ReferralCourse course{.rules = rules.version};
  std::vector<bool> applied(sorted.size());
  const auto apply = [&](size_t at) {
    const ReferralEvent& event = *sorted[at];
    for (const ReferralState state : FitStep(rules, course.state, event.state).implied) {
      course.path.push_back({.state = state});
    }
    course.path.push_back({.state = event.state, .id = event.id, .at = event.occurred_at});
    course.state = event.state;
    course.since = event.occurred_at;
    applied[at] = true;
  };
  // The first event that brings one of these states, the earliest state first. None of them was
  // applied: they lie ahead of where the referral stands.
  const auto own_event = [&](const Passed& passed) -> std::optional<size_t> {
    for (int place = passed.first; place <= passed.last; ++place) {
      for (size_t at = 0; at < sorted.size(); ++at) {
        if (sorted[at]->state == rules.chain[place]) return at;
      }
    }
    return std::nullopt;
  };

  for (size_t at = 0; at < sorted.size(); ++at) {
    const ReferralEvent& event = *sorted[at];
    if (event.urgency != event::v1::URGENCY_UNSPECIFIED) course.urgency = event.urgency;
    if (event.insurance != event::v1::INSURANCE_STATUS_UNSPECIFIED) {
      course.insurance = event.insurance;
    }
    if (event.reply) course.reply = event.id;
    if (applied[at]) continue;
    Passed passed = Fit(rules, course.state, event.state);
    while (!passed.illegal) {
      // A state that has an event of its own, stamped later by another clock, was not passed over:
      // that event goes first. An illegal one does not come up: what is illegal once stays so.
      const std::optional<size_t> own = own_event(passed);
      if (!own) break;
      apply(*own);
      passed = Fit(rules, course.state, event.state);
    }
    if (!passed.illegal) {
      apply(at);
    } else {
      course.illegal.push_back({.id = event.id,
                                .state = event.state,
                                .at = event.occurred_at,
                                .in = course.state,
                                .why = *passed.illegal});
    }
  }

  const ReferralStep* began = course.Find(event::v1::REFERRAL_STATE_SENT);
  if (began == nullptr || began->implied()) {
    began = course.Find(event::v1::REFERRAL_STATE_PROPOSED);
  }
  if (began != nullptr && !began->implied()) {
    const size_t after = began - course.path.data() + 1;
    for (size_t at = after; at < course.path.size(); ++at) {
      ReferralStep& step = course.path[at];
      step.before_referral = step.at && *step.at < *began->at;
    }
  }
  return course;
}

ReferralWatch WatchReferral(const ReferralRules& rules, const ReferralCourse& course,
                            base::Time at) {
  ReferralWatch watch;
  const auto time_of = [&](ReferralState state) {
    const ReferralStep* step = course.Find(state);
    return step == nullptr ? std::nullopt : step->at;
  };
  const auto wait = [&](ReferralWait what, base::Time due) {
    watch.waits_for = what;
    watch.due = due;
    watch.overdue = at >= due;
  };
  const std::optional<base::Time> sent = time_of(event::v1::REFERRAL_STATE_SENT);
  if (course.state == event::v1::REFERRAL_STATE_SENT) {
    const std::optional<std::chrono::hours> answer_max = AnswerMax(rules, course.urgency);
    if (answer_max) wait(ReferralWait::kAnswer, *sent + *answer_max);
  } else if (course.state == event::v1::REFERRAL_STATE_ACCEPTED) {
    wait(ReferralWait::kArrival, course.since + rules.arrival_max);
  } else if (course.state == event::v1::REFERRAL_STATE_COMPLETED) {
    wait(ReferralWait::kBackReferral, course.since + rules.back_referral_max);
  }

  const bool open = course.state == event::v1::REFERRAL_STATE_SENT ||
                    course.state == event::v1::REFERRAL_STATE_ACCEPTED ||
                    course.state == event::v1::REFERRAL_STATE_EXPIRED ||
                    course.state == event::v1::REFERRAL_STATE_NO_SHOW;
  if (!open || !sent) return watch;
  if (at >= *sent) watch.age = std::chrono::floor<std::chrono::hours>(at - *sent);
  const bool has_letter = course.urgency != event::v1::URGENCY_EMERGENCY &&
                          (course.insurance == event::v1::INSURANCE_STATUS_UNSPECIFIED ||
                           course.insurance == event::v1::INSURANCE_STATUS_ACTIVE);
  if (has_letter) {
    watch.letter_expires = *sent + rules.letter_valid;
    watch.letter_expired = at >= *watch.letter_expires;
  }
  return watch;
}

std::string_view Word(ReferralState state) {
  switch (state) {
    case event::v1::REFERRAL_STATE_PROPOSED:
      return "proposed";
    case event::v1::REFERRAL_STATE_SENT:
      return "sent";
    case event::v1::REFERRAL_STATE_ACCEPTED:
      return "accepted";
    case event::v1::REFERRAL_STATE_REJECTED:
      return "rejected";
    case event::v1::REFERRAL_STATE_EXPIRED:
      return "expired";
    case event::v1::REFERRAL_STATE_PATIENT_ARRIVED:
      return "patient_arrived";
    case event::v1::REFERRAL_STATE_UNDER_CARE:
      return "under_care";
    case event::v1::REFERRAL_STATE_COMPLETED:
      return "completed";
    case event::v1::REFERRAL_STATE_BACK_REFERRED:
      return "back_referred";
    case event::v1::REFERRAL_STATE_CLOSED:
      return "closed";
    case event::v1::REFERRAL_STATE_CANCELLED:
      return "cancelled";
    case event::v1::REFERRAL_STATE_NO_SHOW:
      return "no_show";
    default:
      return "none";
  }
}

std::string_view Word(IllegalStep why) {
  switch (why) {
    case IllegalStep::kRepeated:
      return "repeated";
    case IllegalStep::kPassed:
      return "passed";
    case IllegalStep::kAfterArrival:
      return "after_arrival";
    case IllegalStep::kOnlyArrival:
      return "only_arrival";
    case IllegalStep::kEnded:
      return "ended";
  }
  return "";
}

std::string_view Word(ReferralWait wait) {
  switch (wait) {
    case ReferralWait::kAnswer:
      return "answer";
    case ReferralWait::kArrival:
      return "arrival";
    case ReferralWait::kBackReferral:
      return "back_referral";
  }
  return "";
}

}  // namespace simpul::rules
