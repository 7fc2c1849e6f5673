// The states of a referral (rujukan), judged over all its events at once: where it stands, the way
// it took, and what does not fit.
//
// Pure: the events of one referral go in, in any order, and what follows from them comes out. A
// late, corrected or retracted event is the same call with other events. Views in the result point
// to the caller's text. No call fails. Any number of threads may call.
//
// Sources: the states are a superset of those of SISRUTE and of the platform's referrals; 90 days
// of a JKN letter are the insurance's. Which steps are legal, what a step that skips others means,
// and every other clock is decided by Simpul. docs/referrals.md says all of it in plain words.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "simpul/event/v1/referral.pb.h"

namespace simpul::rules {

struct ReferralMove {
  event::v1::ReferralState from;
  event::v1::ReferralState to;
};

// One version of the rules: all that may change is data. A span of time has passed at its last
// instant: 24 h after 08:00 is 08:00.
struct ReferralRules {
  uint32_t version;
  std::span<const event::v1::ReferralState> chain;  // forward along it, skipping or not, is legal
  int begins;                                       // so many states of the chain begin a referral
  std::span<const ReferralMove> branches;           // off the chain
  std::span<const ReferralMove> returns;            // and back to it
  event::v1::ReferralState cancel_before;           // cancelled only before this state of the chain
  std::chrono::days letter_valid;                   // of a JKN letter, from `sent`
  std::chrono::hours emergency_answer_max;          // from `sent` to an answer or the arrival
  std::chrono::hours urgent_answer_max;
  std::chrono::hours routine_answer_max;
  std::chrono::days arrival_max;        // from `accepted`
  std::chrono::days back_referral_max;  // from `completed`
};

// Every version this program knows, the first is version 1.
std::span<const ReferralRules> ReferralVersions();

// Null for a version this program does not know.
const ReferralRules* FindReferralRules(uint32_t version);

// Why a state cannot follow another. Whatever follows later, it stays impossible.
enum class IllegalStep {
  kRepeated,      // the referral is in that state already
  kPassed,        // it is past the place of that state on the chain
  kAfterArrival,  // cancelled when the patient was there
  kOnlyArrival,   // expired, or the patient did not come: only coming after all leads on
  kEnded,         // nothing follows this end
};

// One step from a state to another. `from` REFERRAL_STATE_UNSPECIFIED is before the first event.
struct ReferralFit {
  std::optional<IllegalStep> illegal;
  // What the step passed over, in the order of the chain: it must have happened. Empty with
  // `illegal`.
  std::vector<event::v1::ReferralState> implied;

  bool operator==(const ReferralFit&) const = default;
};

// `to` is a state, never REFERRAL_STATE_UNSPECIFIED.
ReferralFit FitStep(const ReferralRules& rules, event::v1::ReferralState from,
                    event::v1::ReferralState to);

// One event of the referral. Retracted events and exercises are not passed.
struct ReferralEvent {
  std::string_view id;  // the caller's, unique among the referral's events
  event::v1::ReferralState state = event::v1::REFERRAL_STATE_UNSPECIFIED;
  base::Time occurred_at{};
  // Greater for what stands later on the timeline. Decides between events of one instant only.
  uint64_t order = 0;
  event::v1::Urgency urgency = event::v1::URGENCY_UNSPECIFIED;
  event::v1::InsuranceStatus insurance = event::v1::INSURANCE_STATUS_UNSPECIFIED;
  bool reply = false;  // carries what the target tells the origin
};

// One state the referral has been in.
struct ReferralStep {
  event::v1::ReferralState state = event::v1::REFERRAL_STATE_UNSPECIFIED;
  std::string_view id;           // of its event; empty when implied
  std::optional<base::Time> at;  // nullopt when implied: nobody knows
  // Stamped before the sending (or proposal) that it answers: one of the clocks is wrong.
  bool before_referral = false;

  bool implied() const { return !at; }
  bool operator==(const ReferralStep&) const = default;
};

// One event that does not fit. It is kept and shown, and changes no state.
struct ReferralIllegal {
  std::string_view id;
  event::v1::ReferralState state = event::v1::REFERRAL_STATE_UNSPECIFIED;
  base::Time at{};
  event::v1::ReferralState in = event::v1::REFERRAL_STATE_UNSPECIFIED;  // where the referral stood
  IllegalStep why = IllegalStep::kRepeated;

  bool operator==(const ReferralIllegal&) const = default;
};

// What the events say together.
struct ReferralCourse {
  // REFERRAL_STATE_UNSPECIFIED without events.
  event::v1::ReferralState state = event::v1::REFERRAL_STATE_UNSPECIFIED;
  base::Time since{};                    // occurred_at of the event that brought it
  std::vector<ReferralStep> path;        // in the order of the states
  std::vector<ReferralIllegal> illegal;  // by occurred_at
  // The latest said, by whichever event: one that changes no state still tells something.
  event::v1::Urgency urgency = event::v1::URGENCY_UNSPECIFIED;
  event::v1::InsuranceStatus insurance = event::v1::INSURANCE_STATUS_UNSPECIFIED;
  std::string_view reply;  // id of the latest event with a reply; empty without
  uint32_t rules = 0;      // version

  // The step into that state; null when the path does not lead through it.
  const ReferralStep* Find(event::v1::ReferralState of) const;
  bool operator==(const ReferralCourse&) const = default;
};

// `rules` are those that the day of the referral's first event picks.
ReferralCourse DeriveReferral(const ReferralRules& rules, std::span<const ReferralEvent> events);

// What an open referral waits for.
enum class ReferralWait { kAnswer, kArrival, kBackReferral };

// What the asked instant adds. Computed when read, never stored.
struct ReferralWatch {
  // Nullopt where nothing is waited for, or since when is unknown: the state it counts from was
  // implied, or the urgency was never said.
  std::optional<ReferralWait> waits_for;
  base::Time due{};      // with waits_for: overdue from this instant on
  bool overdue = false;  // no answer, no arrival (the patient did not come), no back-referral
  // Of a letter that is not used up: sent, not an emergency, not known to be without JKN, and
  // neither arrived nor rejected nor cancelled.
  std::optional<base::Time> letter_expires;
  bool letter_expired = false;
  std::optional<std::chrono::hours> age;  // whole hours since it was sent, until the patient came

  bool operator==(const ReferralWatch&) const = default;
};

// Events after `at` are the caller's to leave out of the course.
ReferralWatch WatchReferral(const ReferralRules& rules, const ReferralCourse& course,
                            base::Time at);

// Machine words: "proposed" "sent" ... as the contract names them; "none" before the first event.
std::string_view Word(event::v1::ReferralState state);
// "repeated" "passed" "after_arrival" "only_arrival" "ended".
std::string_view Word(IllegalStep why);
// "answer" "arrival" "back_referral".
std::string_view Word(ReferralWait wait);

}  // namespace simpul::rules
