// The states of a referral: every pair of them, whole referrals in every order, the clocks of the
// asked instant, and docs/referrals.md.
#include "lib/rules/referral_states.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/event/date.h"
#include "tests/support/source_file.h"

namespace simpul::rules {
namespace {

using event::v1::INSURANCE_STATUS_ACTIVE;
using event::v1::INSURANCE_STATUS_INACTIVE;
using event::v1::INSURANCE_STATUS_NONE;
using event::v1::INSURANCE_STATUS_UNSPECIFIED;
using event::v1::REFERRAL_STATE_ACCEPTED;
using event::v1::REFERRAL_STATE_BACK_REFERRED;
using event::v1::REFERRAL_STATE_CANCELLED;
using event::v1::REFERRAL_STATE_CLOSED;
using event::v1::REFERRAL_STATE_COMPLETED;
using event::v1::REFERRAL_STATE_EXPIRED;
using event::v1::REFERRAL_STATE_NO_SHOW;
using event::v1::REFERRAL_STATE_PATIENT_ARRIVED;
using event::v1::REFERRAL_STATE_PROPOSED;
using event::v1::REFERRAL_STATE_REJECTED;
using event::v1::REFERRAL_STATE_SENT;
using event::v1::REFERRAL_STATE_UNDER_CARE;
using event::v1::ReferralState;
using event::v1::URGENCY_EMERGENCY;
using event::v1::URGENCY_ROUTINE;
using event::v1::URGENCY_UNSPECIFIED;
using event::v1::URGENCY_URGENT;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr ReferralState kNone = event::v1::REFERRAL_STATE_UNSPECIFIED;

constexpr ReferralState kStates[] = {
    REFERRAL_STATE_PROPOSED,   REFERRAL_STATE_SENT,      REFERRAL_STATE_ACCEPTED,
    REFERRAL_STATE_REJECTED,   REFERRAL_STATE_EXPIRED,   REFERRAL_STATE_PATIENT_ARRIVED,
    REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_COMPLETED, REFERRAL_STATE_BACK_REFERRED,
    REFERRAL_STATE_CLOSED,     REFERRAL_STATE_CANCELLED, REFERRAL_STATE_NO_SHOW,
};

const ReferralRules& Version1() { return ReferralVersions().front(); }

const base::Time kMorning = event::ParseDay("2025-03-03").value() + hours(8);

// An event so many hours after 08:00 of 3 March, named by its state.
ReferralEvent At(int hour, ReferralState state) {
  return {.id = Word(state), .state = state, .occurred_at = kMorning + hours(hour)};
}

ReferralEvent Named(std::string_view id, ReferralEvent event) {
  event.id = id;
  return event;
}

ReferralEvent WithUrgency(event::v1::Urgency urgency, ReferralEvent event) {
  event.urgency = urgency;
  return event;
}

ReferralEvent WithInsurance(event::v1::InsuranceStatus insurance, ReferralEvent event) {
  event.insurance = insurance;
  return event;
}

// "sent", "(accepted)" when implied, "accepted!" when stamped before its referral.
std::vector<std::string> Path(const ReferralCourse& course) {
  std::vector<std::string> path;
  for (const ReferralStep& step : course.path) {
    const std::string_view word = Word(step.state);
    path.push_back(step.implied() ? fmt::format("({})", word)
                                  : fmt::format("{}{}", word, step.before_referral ? "!" : ""));
  }
  return path;
}

// "cancelled in patient_arrived: after_arrival".
std::vector<std::string> Illegals(const ReferralCourse& course) {
  std::vector<std::string> lines;
  for (const ReferralIllegal& illegal : course.illegal) {
    lines.push_back(fmt::format("{} in {}: {}", illegal.id, Word(illegal.in), Word(illegal.why)));
  }
  return lines;
}

ReferralCourse Derive(const std::vector<ReferralEvent>& events) {
  return DeriveReferral(Version1(), events);
}

std::string FitText(ReferralState from, ReferralState to) {
  const ReferralFit fit = FitStep(Version1(), from, to);
  if (fit.illegal) return std::string(Word(*fit.illegal));
  std::string text;
  for (const ReferralState state : fit.implied) {
    text += text.empty() ? "skips " : " ";
    text += Word(state);
  }
  return text;
}

// What a step may start from.
std::vector<ReferralState> WithNone() {
  std::vector<ReferralState> states = {kNone};
  states.insert(states.end(), std::begin(kStates), std::end(kStates));
  return states;
}

// Every pair.

struct Pair {
  ReferralState from, to;
  std::string_view fit;  // "" is legal
};

constexpr Pair kPairs[] = {
    {kNone, REFERRAL_STATE_PROPOSED, ""},
    {kNone, REFERRAL_STATE_SENT, ""},
    {kNone, REFERRAL_STATE_ACCEPTED, "skips sent"},
    {kNone, REFERRAL_STATE_REJECTED, "skips sent"},
    {kNone, REFERRAL_STATE_EXPIRED, "skips sent"},
    {kNone, REFERRAL_STATE_PATIENT_ARRIVED, "skips sent accepted"},
    {kNone, REFERRAL_STATE_UNDER_CARE, "skips sent accepted patient_arrived"},
    {kNone, REFERRAL_STATE_COMPLETED, "skips sent accepted patient_arrived under_care"},
    {kNone, REFERRAL_STATE_BACK_REFERRED,
     "skips sent accepted patient_arrived under_care completed"},
    {kNone, REFERRAL_STATE_CLOSED,
     "skips sent accepted patient_arrived under_care completed back_referred"},
    {kNone, REFERRAL_STATE_CANCELLED, "skips proposed"},
    {kNone, REFERRAL_STATE_NO_SHOW, "skips sent accepted"},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_PROPOSED, "repeated"},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_SENT, ""},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_ACCEPTED, "skips sent"},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_REJECTED, "skips sent"},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_EXPIRED, "skips sent"},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_PATIENT_ARRIVED, "skips sent accepted"},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_UNDER_CARE, "skips sent accepted patient_arrived"},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_COMPLETED,
     "skips sent accepted patient_arrived under_care"},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_BACK_REFERRED,
     "skips sent accepted patient_arrived under_care completed"},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_CLOSED,
     "skips sent accepted patient_arrived under_care completed back_referred"},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_CANCELLED, ""},
    {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_NO_SHOW, "skips sent accepted"},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_PROPOSED, "passed"},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_SENT, "repeated"},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_ACCEPTED, ""},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_REJECTED, ""},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_EXPIRED, ""},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_PATIENT_ARRIVED, "skips accepted"},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_UNDER_CARE, "skips accepted patient_arrived"},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_COMPLETED, "skips accepted patient_arrived under_care"},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_BACK_REFERRED,
     "skips accepted patient_arrived under_care completed"},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_CLOSED,
     "skips accepted patient_arrived under_care completed back_referred"},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_CANCELLED, ""},
    {REFERRAL_STATE_SENT, REFERRAL_STATE_NO_SHOW, "skips accepted"},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_PROPOSED, "passed"},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_SENT, "passed"},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_ACCEPTED, "repeated"},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_REJECTED, "passed"},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_EXPIRED, "passed"},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_PATIENT_ARRIVED, ""},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_UNDER_CARE, "skips patient_arrived"},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_COMPLETED, "skips patient_arrived under_care"},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_BACK_REFERRED,
     "skips patient_arrived under_care completed"},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_CLOSED,
     "skips patient_arrived under_care completed back_referred"},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_CANCELLED, ""},
    {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_NO_SHOW, ""},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_PROPOSED, "ended"},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_SENT, "ended"},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_ACCEPTED, "ended"},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_REJECTED, "repeated"},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_EXPIRED, "ended"},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_PATIENT_ARRIVED, "ended"},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_UNDER_CARE, "ended"},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_COMPLETED, "ended"},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_BACK_REFERRED, "ended"},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_CLOSED, "ended"},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_CANCELLED, ""},
    {REFERRAL_STATE_REJECTED, REFERRAL_STATE_NO_SHOW, "ended"},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_PROPOSED, "only_arrival"},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_SENT, "only_arrival"},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_ACCEPTED, "only_arrival"},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_REJECTED, "only_arrival"},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_EXPIRED, "repeated"},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_PATIENT_ARRIVED, ""},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_UNDER_CARE, "skips patient_arrived"},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_COMPLETED, "skips patient_arrived under_care"},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_BACK_REFERRED,
     "skips patient_arrived under_care completed"},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_CLOSED,
     "skips patient_arrived under_care completed back_referred"},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_CANCELLED, ""},
    {REFERRAL_STATE_EXPIRED, REFERRAL_STATE_NO_SHOW, "only_arrival"},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_PROPOSED, "passed"},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_SENT, "passed"},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_ACCEPTED, "passed"},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_REJECTED, "passed"},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_EXPIRED, "passed"},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_PATIENT_ARRIVED, "repeated"},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_UNDER_CARE, ""},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_COMPLETED, "skips under_care"},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_BACK_REFERRED, "skips under_care completed"},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_CLOSED,
     "skips under_care completed back_referred"},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_CANCELLED, "after_arrival"},
    {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_NO_SHOW, "passed"},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_PROPOSED, "passed"},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_SENT, "passed"},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_ACCEPTED, "passed"},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_REJECTED, "passed"},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_EXPIRED, "passed"},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_PATIENT_ARRIVED, "passed"},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_UNDER_CARE, "repeated"},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_COMPLETED, ""},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_BACK_REFERRED, "skips completed"},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_CLOSED, "skips completed back_referred"},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_CANCELLED, "after_arrival"},
    {REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_NO_SHOW, "passed"},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_PROPOSED, "passed"},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_SENT, "passed"},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_ACCEPTED, "passed"},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_REJECTED, "passed"},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_EXPIRED, "passed"},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_PATIENT_ARRIVED, "passed"},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_UNDER_CARE, "passed"},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_COMPLETED, "repeated"},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_BACK_REFERRED, ""},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_CLOSED, "skips back_referred"},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_CANCELLED, "after_arrival"},
    {REFERRAL_STATE_COMPLETED, REFERRAL_STATE_NO_SHOW, "passed"},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_PROPOSED, "passed"},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_SENT, "passed"},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_ACCEPTED, "passed"},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_REJECTED, "passed"},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_EXPIRED, "passed"},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_PATIENT_ARRIVED, "passed"},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_UNDER_CARE, "passed"},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_COMPLETED, "passed"},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_BACK_REFERRED, "repeated"},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_CLOSED, ""},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_CANCELLED, "after_arrival"},
    {REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_NO_SHOW, "passed"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_PROPOSED, "ended"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_SENT, "ended"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_ACCEPTED, "ended"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_REJECTED, "ended"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_EXPIRED, "ended"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_PATIENT_ARRIVED, "ended"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_UNDER_CARE, "ended"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_COMPLETED, "ended"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_BACK_REFERRED, "ended"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_CLOSED, "repeated"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_CANCELLED, "after_arrival"},
    {REFERRAL_STATE_CLOSED, REFERRAL_STATE_NO_SHOW, "ended"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_PROPOSED, "ended"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_SENT, "ended"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_ACCEPTED, "ended"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_REJECTED, "ended"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_EXPIRED, "ended"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_PATIENT_ARRIVED, "ended"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_UNDER_CARE, "ended"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_COMPLETED, "ended"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_BACK_REFERRED, "ended"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_CLOSED, "ended"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_CANCELLED, "repeated"},
    {REFERRAL_STATE_CANCELLED, REFERRAL_STATE_NO_SHOW, "ended"},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_PROPOSED, "only_arrival"},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_SENT, "only_arrival"},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_ACCEPTED, "only_arrival"},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_REJECTED, "only_arrival"},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_EXPIRED, "only_arrival"},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_PATIENT_ARRIVED, ""},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_UNDER_CARE, "skips patient_arrived"},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_COMPLETED, "skips patient_arrived under_care"},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_BACK_REFERRED,
     "skips patient_arrived under_care completed"},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_CLOSED,
     "skips patient_arrived under_care completed back_referred"},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_CANCELLED, ""},
    {REFERRAL_STATE_NO_SHOW, REFERRAL_STATE_NO_SHOW, "repeated"},
};

TEST(ReferralStates, FitOrDoNotFitInEveryPair) {
  size_t row = 0;
  for (const ReferralState from : WithNone()) {
    for (const ReferralState to : kStates) {
      ASSERT_LT(row, std::size(kPairs));
      const Pair& pair = kPairs[row++];
      ASSERT_TRUE(pair.from == from && pair.to == to) << "row " << row;
      EXPECT_EQ(FitText(from, to), pair.fit) << Word(from) << " to " << Word(to);
    }
  }
  EXPECT_EQ(row, std::size(kPairs));
}

// The same pairs in a referral that recorded every step on its way.
TEST(ReferralStates, AreAppliedByPairsAsTheyFit) {
  for (const Pair& pair : kPairs) {
    std::vector<ReferralEvent> events;
    if (pair.from != kNone && pair.from != REFERRAL_STATE_PROPOSED) {
      events.push_back(At(-20, REFERRAL_STATE_PROPOSED));
      for (const ReferralState state :
           FitStep(Version1(), REFERRAL_STATE_PROPOSED, pair.from).implied) {
        events.push_back(At(static_cast<int>(events.size()) - 20, state));
      }
    }
    if (pair.from != kNone) events.push_back(At(0, pair.from));
    const size_t before = events.size();
    events.push_back(Named("second", At(1, pair.to)));
    const ReferralCourse course = Derive(events);
    const std::string what = fmt::format("{} to {}", Word(pair.from), Word(pair.to));
    if (pair.fit.empty() || pair.fit.starts_with("skips")) {
      EXPECT_THAT(course.illegal, IsEmpty()) << what;
      EXPECT_EQ(course.state, pair.to) << what;
      EXPECT_EQ(course.path.back().id, "second") << what;
    } else {
      EXPECT_EQ(course.path.size(), before) << what;
      EXPECT_EQ(course.state, pair.from) << what;
      EXPECT_THAT(Illegals(course),
                  ElementsAre(fmt::format("second in {}: {}", Word(pair.from), pair.fit)))
          << what;
    }
  }
}

// So one look at each event in the order of their stamps is enough.
TEST(ReferralStates, NeverBecomePossibleAgain) {
  for (const ReferralState from : kStates) {
    for (const ReferralState next : kStates) {
      if (FitStep(Version1(), from, next).illegal) continue;
      for (const ReferralState to : kStates) {
        if (!FitStep(Version1(), from, to).illegal) continue;
        EXPECT_TRUE(FitStep(Version1(), next, to).illegal)
            << Word(from) << ", " << Word(next) << ", " << Word(to);
      }
    }
  }
}

// Whole referrals.

TEST(Referral, GoesTheWholeWayAndBack) {
  const ReferralCourse course =
      Derive({At(0, REFERRAL_STATE_PROPOSED), At(1, REFERRAL_STATE_SENT),
              At(2, REFERRAL_STATE_ACCEPTED), At(26, REFERRAL_STATE_PATIENT_ARRIVED),
              At(27, REFERRAL_STATE_UNDER_CARE), At(90, REFERRAL_STATE_COMPLETED),
              At(91, REFERRAL_STATE_BACK_REFERRED), At(120, REFERRAL_STATE_CLOSED)});
  EXPECT_THAT(Path(course), ElementsAre("proposed", "sent", "accepted", "patient_arrived",
                                        "under_care", "completed", "back_referred", "closed"));
  EXPECT_THAT(course.illegal, IsEmpty());
  EXPECT_EQ(course.state, REFERRAL_STATE_CLOSED);
  EXPECT_EQ(course.since, kMorning + hours(120));
  EXPECT_EQ(course.rules, 1U);
}

TEST(Referral, HasNoStateWithoutEvents) {
  const ReferralCourse course = Derive({});
  EXPECT_EQ(course.state, kNone);
  EXPECT_EQ(Word(course.state), "none");
  EXPECT_THAT(course.path, IsEmpty());
}

TEST(Referral, ImpliesWhatItSkips) {
  const ReferralCourse course =
      Derive({At(0, REFERRAL_STATE_SENT), At(30, REFERRAL_STATE_BACK_REFERRED)});
  EXPECT_THAT(Path(course), ElementsAre("sent", "(accepted)", "(patient_arrived)", "(under_care)",
                                        "(completed)", "back_referred"));
  EXPECT_EQ(course.Find(REFERRAL_STATE_UNDER_CARE)->at, std::nullopt);
  EXPECT_EQ(course.Find(REFERRAL_STATE_CLOSED), nullptr);
}

TEST(Referral, MayBeginByBeingSent) {
  EXPECT_THAT(Path(Derive({At(0, REFERRAL_STATE_SENT)})), ElementsAre("sent"));
}

TEST(Referral, OfWhichOnlyAnAnswerIsHereWasSent) {
  EXPECT_THAT(Path(Derive({At(0, REFERRAL_STATE_REJECTED)})), ElementsAre("(sent)", "rejected"));
  EXPECT_THAT(Path(Derive({At(0, REFERRAL_STATE_CANCELLED)})),
              ElementsAre("(proposed)", "cancelled"));
}

TEST(Referral, TakesAReplyStampedBeforeItsReferralAndFlagsIt) {
  const ReferralCourse course = Derive({At(0, REFERRAL_STATE_ACCEPTED), At(1, REFERRAL_STATE_SENT),
                                        At(2, REFERRAL_STATE_PATIENT_ARRIVED)});
  EXPECT_THAT(Path(course), ElementsAre("sent", "accepted!", "patient_arrived"));
  EXPECT_THAT(course.illegal, IsEmpty());
}

TEST(Referral, TakesACancellationStampedBeforeTheSendingItCalledOff) {
  const ReferralCourse course =
      Derive({At(0, REFERRAL_STATE_CANCELLED), At(1, REFERRAL_STATE_SENT)});
  EXPECT_THAT(Path(course), ElementsAre("sent", "cancelled!"));
  EXPECT_THAT(course.illegal, IsEmpty());
}

TEST(Referral, FlagsAReplyStampedBeforeAProposalThatNobodySent) {
  EXPECT_THAT(Path(Derive({At(0, REFERRAL_STATE_PATIENT_ARRIVED), At(1, REFERRAL_STATE_PROPOSED)})),
              ElementsAre("proposed", "(sent)", "(accepted)", "patient_arrived!"));
}

TEST(Referral, DoesNotFlagAReplyOfTheSameInstant) {
  EXPECT_THAT(Path(Derive({At(1, REFERRAL_STATE_ACCEPTED), At(1, REFERRAL_STATE_SENT)})),
              ElementsAre("sent", "accepted"));
}

TEST(Referral, PutsAStepBeforeTheOneThatFollowsFromItWhateverTheirStamps) {
  const ReferralCourse course =
      Derive({At(0, REFERRAL_STATE_SENT), At(2, REFERRAL_STATE_PATIENT_ARRIVED),
              At(3, REFERRAL_STATE_ACCEPTED), At(4, REFERRAL_STATE_CANCELLED)});
  EXPECT_THAT(Path(course), ElementsAre("sent", "accepted", "patient_arrived"));
  EXPECT_THAT(Illegals(course), ElementsAre("cancelled in patient_arrived: after_arrival"));
  EXPECT_EQ(course.since, kMorning + hours(2));
}

TEST(Referral, IsCancelledOnlyBeforeTheArrival) {
  const auto cancelled_after = [](ReferralState state) {
    return Derive({At(0, REFERRAL_STATE_SENT), At(1, state), At(2, REFERRAL_STATE_CANCELLED)});
  };
  for (const ReferralState before : {REFERRAL_STATE_ACCEPTED, REFERRAL_STATE_REJECTED,
                                     REFERRAL_STATE_EXPIRED, REFERRAL_STATE_NO_SHOW}) {
    EXPECT_EQ(cancelled_after(before).state, REFERRAL_STATE_CANCELLED) << Word(before);
  }
  for (const ReferralState after :
       {REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_COMPLETED,
        REFERRAL_STATE_BACK_REFERRED, REFERRAL_STATE_CLOSED}) {
    const ReferralCourse course = cancelled_after(after);
    EXPECT_EQ(course.state, after);
    EXPECT_THAT(Illegals(course),
                ElementsAre(fmt::format("cancelled in {}: after_arrival", Word(after))));
  }
}

TEST(Referral, IsNotSentAfterItWasCancelled) {
  const ReferralCourse course =
      Derive({At(0, REFERRAL_STATE_PROPOSED), At(1, REFERRAL_STATE_CANCELLED),
              At(2, REFERRAL_STATE_SENT), At(3, REFERRAL_STATE_PATIENT_ARRIVED)});
  EXPECT_THAT(Path(course), ElementsAre("proposed", "cancelled"));
  EXPECT_THAT(Illegals(course),
              ElementsAre("sent in cancelled: ended", "patient_arrived in cancelled: ended"));
}

TEST(Referral, GoesOnWhenThePatientComesAfterAll) {
  EXPECT_THAT(Path(Derive({At(0, REFERRAL_STATE_SENT), At(200, REFERRAL_STATE_EXPIRED),
                           At(201, REFERRAL_STATE_PATIENT_ARRIVED)})),
              ElementsAre("sent", "expired", "patient_arrived"));
  const ReferralCourse course = Derive(
      {At(0, REFERRAL_STATE_SENT), At(1, REFERRAL_STATE_ACCEPTED), At(200, REFERRAL_STATE_NO_SHOW),
       At(202, REFERRAL_STATE_ACCEPTED), At(203, REFERRAL_STATE_COMPLETED)});
  EXPECT_THAT(Path(course), ElementsAre("sent", "accepted", "no_show", "(patient_arrived)",
                                        "(under_care)", "completed"));
  EXPECT_THAT(Illegals(course), ElementsAre("accepted in no_show: only_arrival"));
}

TEST(Referral, KeepsTheFirstOfTwoAnswers) {
  const ReferralCourse course =
      Derive({At(0, REFERRAL_STATE_SENT), At(1, REFERRAL_STATE_REJECTED),
              At(2, REFERRAL_STATE_ACCEPTED), Named("again", At(3, REFERRAL_STATE_REJECTED))});
  EXPECT_EQ(course.state, REFERRAL_STATE_REJECTED);
  EXPECT_EQ(course.since, kMorning + hours(1));
  EXPECT_THAT(Illegals(course),
              ElementsAre("accepted in rejected: ended", "again in rejected: repeated"));
}

TEST(Referral, OrdersEventsOfOneInstantByTheTimeline) {
  ReferralEvent rejected = At(1, REFERRAL_STATE_REJECTED);
  ReferralEvent accepted = At(1, REFERRAL_STATE_ACCEPTED);
  rejected.order = 8;
  accepted.order = 7;
  EXPECT_EQ(Derive({At(0, REFERRAL_STATE_SENT), rejected, accepted}).state,
            REFERRAL_STATE_ACCEPTED);
  rejected.order = 6;
  EXPECT_EQ(Derive({At(0, REFERRAL_STATE_SENT), rejected, accepted}).state,
            REFERRAL_STATE_REJECTED);
}

TEST(Referral, TellsTheLatestSaidWhateverBecomesOfTheState) {
  ReferralEvent plan = At(40, REFERRAL_STATE_BACK_REFERRED);
  plan.reply = true;
  ReferralEvent amended = Named("amended", At(41, REFERRAL_STATE_BACK_REFERRED));
  amended.reply = true;
  const ReferralCourse course =
      Derive({WithUrgency(URGENCY_ROUTINE, At(0, REFERRAL_STATE_PROPOSED)),
              WithInsurance(INSURANCE_STATUS_NONE,
                            WithUrgency(URGENCY_URGENT, At(1, REFERRAL_STATE_SENT))),
              At(2, REFERRAL_STATE_ACCEPTED), plan, amended});
  EXPECT_EQ(course.urgency, URGENCY_URGENT);
  EXPECT_EQ(course.insurance, INSURANCE_STATUS_NONE);
  EXPECT_EQ(course.reply, "amended");
  EXPECT_THAT(Illegals(course), ElementsAre("amended in back_referred: repeated"));
}

// Permutations.

std::vector<ReferralEvent> RandomReferral(std::mt19937& random, int count) {
  static const std::vector<std::string> ids = [] {
    std::vector<std::string> names;
    for (int at = 0; at < 200; ++at) names.push_back(fmt::format("e{:03}", at));
    return names;
  }();
  std::vector<ReferralEvent> events;
  for (int at = 0; at < count; ++at) {
    events.push_back({.id = ids[at],
                      .state = kStates[random() % std::size(kStates)],
                      .occurred_at = kMorning + hours(random() % 12),
                      .order = random() % 3,
                      .urgency = static_cast<event::v1::Urgency>(random() % 4),
                      .insurance = static_cast<event::v1::InsuranceStatus>(random() % 4),
                      .reply = random() % 3 == 0});
  }
  return events;
}

TEST(Referral, IsTheSameForEveryOrderOfItsEvents) {
  std::mt19937 random(20250303);
  for (int round = 0; round < 60; ++round) {
    std::vector<ReferralEvent> events = RandomReferral(random, 6);
    const ReferralCourse wanted = Derive(events);
    do {
      ASSERT_EQ(Derive(events), wanted) << "round " << round;
    } while (std::ranges::next_permutation(events, {}, &ReferralEvent::id).found);
  }
  for (int round = 0; round < 50; ++round) {
    std::vector<ReferralEvent> events = RandomReferral(random, 120);
    const ReferralCourse wanted = Derive(events);
    for (int shuffle = 0; shuffle < 10; ++shuffle) {
      std::ranges::shuffle(events, random);
      ASSERT_EQ(Derive(events), wanted) << "round " << round;
    }
  }
}

TEST(Referral, KeepsEveryEventOnceOnItsPathOrAmongTheIllegalOnes) {
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {
    const std::vector<ReferralEvent> events = RandomReferral(random, 1 + round % 12);
    const ReferralCourse course = Derive(events);
    std::vector<std::string_view> seen;
    ReferralState state = kNone;
    std::vector<ReferralState> implied;
    for (const ReferralStep& step : course.path) {
      if (step.implied()) {
        implied.push_back(step.state);
        continue;
      }
      seen.push_back(step.id);
      ASSERT_EQ(FitStep(Version1(), state, step.state), (ReferralFit{.implied = implied}));
      implied.clear();
      state = step.state;
    }
    ASSERT_EQ(state, course.state);
    for (const ReferralIllegal& illegal : course.illegal) {
      seen.push_back(illegal.id);
      ASSERT_EQ(FitStep(Version1(), illegal.in, illegal.state).illegal, illegal.why);
      ASSERT_TRUE(FitStep(Version1(), course.state, illegal.state).illegal);
    }
    std::ranges::sort(seen);
    ASSERT_EQ(seen.size(), events.size());
    ASSERT_TRUE(std::ranges::adjacent_find(seen) == seen.end());
  }
}

// The asked instant.

// What is said so long after 08:00 of 3 March.
std::string Said(const ReferralCourse& course, microseconds after) {
  const ReferralWatch watch = WatchReferral(Version1(), course, kMorning + after);
  std::string said = watch.waits_for ? std::string(Word(*watch.waits_for)) : "nothing";
  if (watch.overdue) said += " overdue";
  if (watch.letter_expired) said += " letter_expired";
  return said;
}

constexpr microseconds kInstant(1);

struct Deadline {
  std::string_view name;
  std::vector<ReferralEvent> events;
  microseconds passes;  // after kMorning
  std::string_view before, from;
};

TEST(ReferralWatch, SaysOverdueFromTheInstantOnThatTheTimeHasPassed) {
  const ReferralEvent sent = At(0, REFERRAL_STATE_SENT);
  const ReferralEvent no_letter = WithInsurance(INSURANCE_STATUS_NONE, sent);
  const Deadline deadlines[] = {
      {"emergency", {WithUrgency(URGENCY_EMERGENCY, sent)}, hours(1), "answer", "answer overdue"},
      {"urgent", {WithUrgency(URGENCY_URGENT, sent)}, hours(24), "answer", "answer overdue"},
      {"routine", {WithUrgency(URGENCY_ROUTINE, sent)}, days(7), "answer", "answer overdue"},
      {"urgency said by the proposal",
       {WithUrgency(URGENCY_ROUTINE, At(-50, REFERRAL_STATE_PROPOSED)), sent},
       days(7),
       "answer",
       "answer overdue"},
      {"accepted",
       {sent, At(1, REFERRAL_STATE_ACCEPTED)},
       hours(1) + days(7),
       "arrival",
       "arrival overdue"},
      {"completed",
       {sent, At(30, REFERRAL_STATE_COMPLETED)},
       hours(30) + days(14),
       "back_referral",
       "back_referral overdue"},
      {"letter, urgency never said", {sent}, days(90), "nothing", "nothing letter_expired"},
      {"letter of an expired referral",
       {sent, At(200, REFERRAL_STATE_EXPIRED)},
       days(90),
       "nothing",
       "nothing letter_expired"},
      {"letter of a patient who did not come",
       {WithInsurance(INSURANCE_STATUS_ACTIVE, sent), At(200, REFERRAL_STATE_NO_SHOW)},
       days(90),
       "nothing",
       "nothing letter_expired"},
      {"letter beside another clock",
       {WithUrgency(URGENCY_URGENT, sent)},
       days(90),
       "answer overdue",
       "answer overdue letter_expired"},
  };
  for (const Deadline& deadline : deadlines) {
    const ReferralCourse course = Derive(deadline.events);
    EXPECT_EQ(Said(course, deadline.passes - kInstant), deadline.before) << deadline.name;
    EXPECT_EQ(Said(course, deadline.passes), deadline.from) << deadline.name;
    EXPECT_EQ(Said(course, deadline.passes + days(1)), deadline.from) << deadline.name;
  }
  EXPECT_EQ(Said(Derive({no_letter}), days(400)), "nothing");
}

TEST(ReferralWatch, WaitsForNothingOnceTheLoopIsClosedOrBroken) {
  for (const ReferralState state :
       {REFERRAL_STATE_PROPOSED, REFERRAL_STATE_REJECTED, REFERRAL_STATE_CANCELLED,
        REFERRAL_STATE_PATIENT_ARRIVED, REFERRAL_STATE_UNDER_CARE, REFERRAL_STATE_BACK_REFERRED,
        REFERRAL_STATE_CLOSED}) {
    std::vector<ReferralEvent> events = {WithUrgency(URGENCY_ROUTINE, At(1, state))};
    if (state != REFERRAL_STATE_PROPOSED) events.push_back(At(0, REFERRAL_STATE_SENT));
    const ReferralCourse course = Derive(events);
    ASSERT_EQ(course.state, state);
    EXPECT_EQ(Said(course, days(500)), "nothing") << Word(state);
    EXPECT_EQ(WatchReferral(Version1(), course, kMorning + days(500)).age, std::nullopt);
  }
}

TEST(ReferralWatch, KnowsNoTimeOfWhatWasImplied) {
  const ReferralCourse course =
      Derive({WithUrgency(URGENCY_URGENT, At(0, REFERRAL_STATE_NO_SHOW))});
  EXPECT_EQ(Said(course, days(500)), "nothing");
  EXPECT_EQ(WatchReferral(Version1(), course, kMorning + days(500)), ReferralWatch{});
}

TEST(ReferralWatch, KnowsNoLetterOfEmergenciesAndOfPatientsWithoutJkn) {
  const auto letter = [](event::v1::Urgency urgency, event::v1::InsuranceStatus insurance) {
    const ReferralCourse course =
        Derive({WithInsurance(insurance, WithUrgency(urgency, At(0, REFERRAL_STATE_SENT)))});
    return WatchReferral(Version1(), course, kMorning).letter_expires;
  };
  EXPECT_EQ(letter(URGENCY_ROUTINE, INSURANCE_STATUS_ACTIVE), kMorning + days(90));
  EXPECT_EQ(letter(URGENCY_UNSPECIFIED, INSURANCE_STATUS_UNSPECIFIED), kMorning + days(90));
  EXPECT_EQ(letter(URGENCY_ROUTINE, INSURANCE_STATUS_INACTIVE), std::nullopt);
  EXPECT_EQ(letter(URGENCY_ROUTINE, INSURANCE_STATUS_NONE), std::nullopt);
  EXPECT_EQ(letter(URGENCY_EMERGENCY, INSURANCE_STATUS_ACTIVE), std::nullopt);
}

TEST(ReferralWatch, CountsTheAgeInWholeHoursSinceItWasSent) {
  const ReferralCourse course = Derive(
      {WithUrgency(URGENCY_EMERGENCY, At(0, REFERRAL_STATE_SENT)), At(2, REFERRAL_STATE_ACCEPTED)});
  const auto age = [&](microseconds after) {
    return WatchReferral(Version1(), course, kMorning + after).age;
  };
  EXPECT_EQ(age(minutes(59)), hours(0));
  EXPECT_EQ(age(minutes(60)), hours(1));
  EXPECT_EQ(age(hours(49)), hours(49));
  EXPECT_EQ(age(minutes(-1)), std::nullopt);
}

TEST(ReferralRules, AreFoundByTheirVersion) {
  EXPECT_EQ(FindReferralRules(1), &ReferralVersions().front());
  EXPECT_EQ(FindReferralRules(0), nullptr);
  EXPECT_EQ(FindReferralRules(2), nullptr);
}

// docs/referrals.md

TEST(ReferralDoc, HasEveryPairOfTheProgram) {
  std::string table = "| from |";
  for (const ReferralState to : kStates) table += fmt::format(" `{}` |", Word(to));
  table += "\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const ReferralState from : WithNone()) {
    table += from == kNone ? "| nothing |" : fmt::format("| `{}` |", Word(from));
    for (const ReferralState to : kStates) {
      const ReferralFit fit = FitStep(Version1(), from, to);
      table += fit.illegal           ? fmt::format(" `{}` |", Word(*fit.illegal))
               : fit.implied.empty() ? " yes |"
                                     : " skips |";
    }
    table += "\n";
  }
  EXPECT_THAT(simpul::testing::SourceFile("docs/referrals.md"), HasSubstr(table + "\n"));
}

TEST(ReferralDoc, HasTheClocksOfTheProgram) {
  const std::string doc = simpul::testing::SourceFile("docs/referrals.md");
  const ReferralRules& rules = Version1();
  EXPECT_THAT(doc, HasSubstr(fmt::format("| `answer`, emergency | `sent` | {} hour |",
                                         rules.emergency_answer_max.count())));
  EXPECT_THAT(doc, HasSubstr(fmt::format("| `answer`, urgent | `sent` | {} hours |",
                                         rules.urgent_answer_max.count())));
  EXPECT_THAT(doc, HasSubstr(fmt::format("| `answer`, routine | `sent` | {} days |",
                                         rules.routine_answer_max.count() / 24)));
  EXPECT_THAT(doc, HasSubstr(fmt::format("| `arrival` | `accepted` | {} days |",
                                         rules.arrival_max.count())));
  EXPECT_THAT(doc, HasSubstr(fmt::format("| `back_referral` | `completed` | {} days |",
                                         rules.back_referral_max.count())));
  EXPECT_THAT(
      doc, HasSubstr(fmt::format("| JKN letter | `sent` | {} days |", rules.letter_valid.count())));
  for (const IllegalStep why :
       {IllegalStep::kRepeated, IllegalStep::kPassed, IllegalStep::kAfterArrival,
        IllegalStep::kOnlyArrival, IllegalStep::kEnded}) {
    EXPECT_THAT(doc, HasSubstr(fmt::format("| `{}` |", Word(why))));
  }
}

TEST(ReferralDoc, HasAnExampleThatIsTrue) {
  const auto stamped = [](int hour, int minute, ReferralState state) {
    ReferralEvent event = At(hour - 8, state);
    event.occurred_at += minutes(minute);
    return event;
  };
  const ReferralCourse course =
      Derive({stamped(8, 55, REFERRAL_STATE_ACCEPTED), stamped(9, 0, REFERRAL_STATE_SENT),
              stamped(13, 0, REFERRAL_STATE_UNDER_CARE), stamped(14, 0, REFERRAL_STATE_CANCELLED),
              stamped(34, 0, REFERRAL_STATE_BACK_REFERRED)});
  EXPECT_THAT(Path(course), ElementsAre("sent", "accepted!", "(patient_arrived)", "under_care",
                                        "(completed)", "back_referred"));
  EXPECT_THAT(Illegals(course), ElementsAre("cancelled in under_care: after_arrival"));
}

}  // namespace
}  // namespace simpul::rules
