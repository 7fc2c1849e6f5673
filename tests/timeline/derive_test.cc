// What stands on the entries is what all events together say, however they came.
#include "lib/timeline/derive.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>

#include "lib/rules/growth.h"
#include "lib/timeline/child_growth.h"
#include "lib/timeline/facts.h"
#include "tests/support/sample_events.h"
#include "tests/timeline/histories.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline {
namespace {

using event::v1::Event;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MapHistory;
using ::testing::SizeIs;

// Told from the entries alone: sex and birth date, each of the latest registration that says it,
// else of the latest event; exercises last.
event::v1::Subject WhoIs(const std::vector<v1::Entry>& entries) {
  using Rank = std::tuple<bool, bool, int64_t, std::string, std::string, std::string>;
  std::map<Rank, event::v1::Subject, std::greater<>> says;
  for (const v1::Entry& entry : entries) {
    for (const v1::Member& member : entry.members()) {
      if (member.state() == v1::MEMBER_STATE_RETRACTED) continue;
      Event event;
      EXPECT_TRUE(event.ParseFromString(member.event()));
      says[{entry.purpose() == event::v1::PURPOSE_PRODUCTION,
            entry.kind() == v1::ENTRY_KIND_PATIENT_REGISTERED, member.recorded_at_us(),
            member.facility().system(), member.facility().code(), member.event_id()}] =
          event.subject();
    }
  }
  event::v1::Subject person;
  for (const auto& [rank, subject] : says) {
    if (person.sex() == event::v1::SEX_UNSPECIFIED) person.set_sex(subject.sex());
    if (person.birth_date().empty()) person.set_birth_date(subject.birth_date());
  }
  return person;
}

// By event: the month's status with what it rests on, or why there is none; and BB/U.
std::map<std::string, std::string> Said(const std::vector<v1::Entry>& entries) {
  std::map<std::string, std::string> said;
  for (const v1::Entry& entry : entries) {
    for (const v1::MeasuredGrowth& growth : entry.derived().growth()) {
      const v1::WeighingOnCard& card = growth.card();
      std::string& text = said[entry.members(static_cast<int>(growth.member())).event_id()];
      text = growth.weight_for_age().has_z_hundredths()
                 ? std::to_string(growth.weight_for_age().z_hundredths())
                 : growth.weight_for_age().not_derived();
      text += " " + growth.nutritional_status();
      if (!growth.has_card() || card.no_status() == "from_60_months") continue;
      text += " " + card.status() + card.no_status() + (card.bgm() ? " bgm" : "") +
              (card.two_t() ? " 2T" : "") + " " + card.previous_event_id() + " " +
              std::to_string(card.gain_g()) + card.proposes();
    }
  }
  return said;
}

// The same from all entries at once.
std::map<std::string, std::string> Expected(const std::vector<v1::Entry>& entries) {
  const ChildGrowth growth = GrowthOf(entries, WhoIs(entries));
  std::map<std::string, std::string> said;
  for (const MeasuredContact& contact : growth.contacts) {
    std::string& text = said[contact.event.event_id()];
    const rules::Outcome& outcome = contact.growth.of(rules::Index::kWeightForAge);
    if (const auto* score = std::get_if<rules::Score>(&outcome)) {
      text = std::to_string(score->z_hundredths.value());
    } else {
      text = rules::Word(std::get<rules::NotDerived>(outcome));
    }
    text += " ";
    if (contact.growth.status.has_value()) text += rules::Word(contact.growth.status->growth_class);
    if (!contact.weighing.has_value()) continue;
    const rules::KmsJudged& judged = growth.card.weighings[*contact.weighing];
    if (judged.no_status == rules::KmsNoStatus::kFrom60Months) continue;
    const auto month =
        std::ranges::find(growth.card.months, *contact.weighing, &rules::KmsMonth::weighing);
    const bool carries = month != growth.card.months.end();
    text += " ";
    if (carries) text += rules::Word(month->status);
    if (judged.no_status.has_value()) text += rules::Word(*judged.no_status);
    if (judged.bgm) text += " bgm";
    if (carries && month->two_t) text += " 2T";
    text += " ";
    if (carries && month->gain.has_value()) {
      text += growth.contacts[growth.contact_of[month->gain->previous]].event.event_id() + " " +
              std::to_string(month->gain->gain_g);
    } else {
      text += " 0";
    }
    if (carries && month->proposes.has_value()) text += rules::Word(*month->proposes);
  }
  return said;
}

TEST(DeriveTest, SaysOnEachEntryWhatAllEntriesTogetherSay) {
  size_t statuses = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    std::vector<Event> story = testing::GrowthStory(seed, 6 + seed);
    std::mt19937_64 random(seed);
    std::ranges::shuffle(story, random);
    MapHistory history;
    for (const Event& event : story) {
      history.Apply(event);
      if (random() % 3 == 0) history.EndBatch();
    }
    history.EndBatch();
    const std::vector<v1::Entry> entries = history.Entries();
    ASSERT_EQ(Said(entries), Expected(entries)) << "seed " << seed;
    for (const auto& [id, text] : Said(entries)) {
      statuses += text.find(" N ") != std::string::npos || text.find(" T ") != std::string::npos;
    }
  }
  // The stories are about something.
  EXPECT_GT(statuses, 100u);
}

TEST(DeriveTest, DoesNotDependOnTheOrderOfEvents) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    std::vector<Event> story = testing::GrowthStory(seed, 30);
    const testing::Outcome expected = testing::Expect(story);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 4; ++round) {
      std::ranges::shuffle(story, random);
      MapHistory history;
      for (const Event& event : story) {
        history.Apply(event);
        if (random() % 4 == 0) history.EndBatch();
      }
      history.EndBatch();
      ASSERT_EQ(testing::Counted(history.tally()), expected) << "seed " << seed;
    }
  }
}

// Ids of the events whose entries the event changed, in the order in which they were told.
std::vector<std::string> Changed(MapHistory& history, const Event& event) {
  const size_t before = history.derived().size();
  history.Apply(event);
  std::vector<std::string> changed;
  for (size_t n = before; n < history.derived().size(); ++n) {
    v1::Entry entry;
    EXPECT_TRUE(entry.ParseFromString(history.derived()[n]));
    changed.push_back(entry.members(0).event_id().substr(35));
  }
  history.EndBatch();
  return changed;
}

TEST(DeriveTest, CorrectsWhatALateWeighingChangesAndNothingElse) {
  MapHistory history;
  history.Apply(testing::Weighing(1, "2025-10-06T09:00", "", 9'000));
  history.Apply(testing::Weighing(2, "2025-12-06T09:00", "", 9'600));
  history.Apply(testing::Weighing(3, "2026-01-06T09:00", "", 9'700));
  history.Apply(testing::Weighing(4, "2026-02-06T09:00", "", 10'100));
  history.Apply(testing::VitaminA(5, "2026-02-06T09:00"));
  history.EndBatch();
  ASSERT_EQ(history.Entries()[1].derived().growth(0).card().status(), "O");
  // December now compares with November. A T of January stays one, and now is the second.
  EXPECT_THAT(Changed(history, testing::Weighing(6, "2025-11-06T09:00", "", 9'550)),
              ElementsAre("6", "2", "3"));
  const std::vector<v1::Entry> entries = history.Entries();
  EXPECT_EQ(entries[2].derived().growth(0).card().status(), "T");
  EXPECT_TRUE(entries[3].derived().growth(0).card().two_t());
  EXPECT_EQ(entries[2].revision(), 2u);
  EXPECT_EQ(entries[4].revision(), 1u);
  // A weighing that changes nobody's status is told alone.
  EXPECT_THAT(Changed(history, testing::Weighing(7, "2026-05-06T09:00", "", 9'550)),
              ElementsAre("7"));
  EXPECT_THAT(Changed(history, testing::VitaminA(8, "2025-11-06T09:30")), ElementsAre("8"));
}

TEST(DeriveTest, LooksAgainAtEverythingMeasuredWhenThePersonIsAnotherOne) {
  MapHistory history;
  history.Apply(testing::Weighing(1, "2025-12-06T09:00", "", 9'600));
  history.Apply(testing::VitaminA(2, "2025-12-06T09:00"));
  history.Apply(testing::Weighing(3, "2026-01-06T09:00", "", 9'700));
  history.EndBatch();
  Event registered = testing::Registration(4, "2026-02-01T09:00", "Melati");
  EXPECT_THAT(Changed(history, registered), ElementsAre("4"));
  registered = testing::Registration(5, "2026-02-02T09:00", "Melati");
  registered.mutable_subject()->set_birth_date("2025-02-12");
  EXPECT_THAT(Changed(history, registered), ElementsAre("5", "1", "3"));
  EXPECT_THAT(Changed(history, testing::RetractionOf(6, registered, "2026-02-03T09:00")),
              ElementsAre("5", "1", "3"));
}

TEST(DeriveTest, ScreensByThePregnancyOfTheDayWheneverItIsTold) {
  Event hb = testing::SampleNamed("lab_quantity");
  hb.mutable_lab_result()->mutable_quantity()->set_value("10.7");
  const Event opened = testing::SampleNamed("pregnancy_opened");  // 206 days before
  Event second_trimester = opened;
  second_trimester.mutable_pregnancy()->set_lmp("2025-10-01");
  MapHistory history;
  history.Apply(hb);
  const auto said = [&] {
    history.EndBatch();
    for (const v1::Entry& entry : history.Entries()) {
      for (const v1::Screened& screened : entry.derived().screened()) {
        if (screened.input() == "haemoglobin") {
          return screened.rule() + " " + screened.screening_class() + screened.not_derived();
        }
      }
    }
    return std::string();
  };
  const std::string before = said();
  EXPECT_EQ(before, "hb_age_2 age_out_of_table");
  history.Apply(opened);
  EXPECT_EQ(said(), "hb_pregnancy_trimester_1_3 anaemia");
  history.Apply(testing::CorrectionWith(90, opened, "2026-02-08T09:00", second_trimester));
  EXPECT_EQ(said(), "hb_pregnancy_trimester_2 no_anaemia");
  history.Apply(testing::RetractionOf(91, opened, "2026-02-09T09:00"));
  EXPECT_EQ(said(), before);
}

TEST(DeriveTest, RefersAKpspThatIsDoubtfulAgain) {
  MapHistory history;
  history.Apply(testing::Kpsp(2, "2026-01-20T09:00", "meragukan"));
  history.EndBatch();
  ASSERT_THAT(history.Entries()[0].derived().screened(), SizeIs(1));
  const std::string once = history.Entries()[0].derived().screened(0).level();
  history.Apply(testing::Kpsp(1, "2026-01-05T09:00", "meragukan"));
  history.EndBatch();
  EXPECT_EQ(history.Entries()[0].derived().screened(0).level(), once);
  EXPECT_NE(history.Entries()[1].derived().screened(0).level(), once);
}

TEST(DeriveTest, SaysWhereAReferralStands) {
  MapHistory history;
  using event::v1::ReferralState;
  history.Apply(
      testing::ReferralStep(1, "2026-02-03T10:30", "R-1", ReferralState::REFERRAL_STATE_SENT));
  history.Apply(testing::ReferralStep(3, "2026-02-05T10:30", "R-1",
                                      ReferralState::REFERRAL_STATE_BACK_REFERRED));
  history.Apply(testing::ReferralStep(2, "2026-02-04T10:30", "R-1",
                                      ReferralState::REFERRAL_STATE_PATIENT_ARRIVED));
  history.Apply(
      testing::ReferralStep(4, "2026-02-06T10:30", "R-1", ReferralState::REFERRAL_STATE_CANCELLED));
  history.EndBatch();
  const std::vector<v1::Entry> entries = history.Entries();
  ASSERT_THAT(entries, SizeIs(1));
  const v1::ReferralCourse& course = entries[0].derived().referral();
  EXPECT_EQ(course.state(), ReferralState::REFERRAL_STATE_BACK_REFERRED);
  ASSERT_THAT(course.misfits(), SizeIs(1));
  EXPECT_EQ(course.misfits(0).member(), 3u);
  EXPECT_EQ(course.misfits(0).in(), ReferralState::REFERRAL_STATE_BACK_REFERRED);
  ASSERT_GE(course.steps_size(), 3);
  EXPECT_EQ(course.steps(0).member(), 0u);
  EXPECT_FALSE(course.steps(1).has_member());  // accepted: nobody said so, but she arrived
}

TEST(FactsTest, AreTheSameAfterTheyWereKept) {
  const std::vector<Event> story = testing::GrowthStory(7, 40);
  PatientFacts facts;
  uint32_t entry = 0;
  for (const Event& event : story) {
    if (event.has_correction() || event.has_retraction()) continue;
    facts.Learn({event::ViewOf(event.facility()), event.event_id()}, entry++, &event, {});
  }
  std::optional<PatientFacts> read = PatientFacts::Decode(facts.Encode());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->Encode(), facts.Encode());
  EXPECT_EQ(read->person(), facts.person());
  // What nobody says any more is forgotten.
  for (const Event& event : story) {
    read->Learn({event::ViewOf(event.facility()), event.event_id()}, 0, nullptr, {});
  }
  EXPECT_THAT(read->Encode(), IsEmpty());
  EXPECT_EQ(read->person(), Person());
}

TEST(FactsTest, TakeLittleRoom) {
  MapHistory history;
  for (int month = 0; month < 30; ++month) {
    const std::string day = "202" + std::to_string(4 + month / 12) + "-" +
                            (month % 12 < 9 ? "0" : "") + std::to_string(month % 12 + 1) + "-07";
    Event weighing = testing::Weighing(static_cast<uint64_t>(month) + 1, day + "T09:00");
    weighing.mutable_visit()->set_length_mm(700);
    history.Apply(weighing);
  }
  history.EndBatch();
  size_t of_entries = 0;
  size_t beside = 0;
  for (const v1::Entry& entry : history.Entries()) of_entries += entry.ByteSizeLong();
  for (const auto& [key, value] : history.kept()) beside += value.size();
  beside -= of_entries;
  EXPECT_LT(beside, 4096u / 2);
}

TEST(FactsTest, OfDamagedBytesAreNone) {
  PatientFacts facts;
  uint32_t entry = 0;
  for (const Event& event : testing::GrowthStory(3, 20)) {
    if (event.has_correction() || event.has_retraction()) continue;
    facts.Learn({event::ViewOf(event.facility()), event.event_id()}, entry++, &event, {});
  }
  const std::string bytes = facts.Encode();
  for (size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(PatientFacts::Decode(std::string_view(bytes).substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(PatientFacts::Decode(bytes + "x").has_value());
}

}  // namespace
}  // namespace simpul::timeline
