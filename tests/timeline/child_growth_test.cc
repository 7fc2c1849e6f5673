#include "lib/timeline/child_growth.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "lib/event/date.h"
#include "lib/event/outline.h"
#include "lib/event/validate.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline {
namespace {

using event::v1::Event;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

event::v1::Subject Girl() {
  event::v1::Subject girl;
  girl.set_sex(event::v1::SEX_FEMALE);
  girl.set_birth_date("2025-01-10");
  return girl;
}

v1::Entry EntryOf(const Event& event, v1::EntryKind kind = v1::ENTRY_KIND_VISIT) {
  v1::Entry entry;
  entry.set_entry_id("entry of " + event.event_id());
  entry.set_kind(kind);
  entry.set_purpose(event.purpose());
  v1::Member& member = *entry.add_members();
  member.set_event_id(event.event_id());
  member.set_event(event::Canonical(event));
  member.set_state(v1::MEMBER_STATE_STANDING);
  return entry;
}

// Weighed on the tenth of each month from August 2025 on.
std::vector<v1::Entry> Weighed(std::initializer_list<uint32_t> grams) {
  std::vector<v1::Entry> entries;
  uint64_t month = 8;
  for (const uint32_t weight_g : grams) {
    const std::string day = "2025-" + std::string(month < 10 ? "0" : "") + std::to_string(month);
    entries.push_back(EntryOf(testing::Weighing(month++, day + "-10T09:00", "", weight_g)));
  }
  return entries;
}

std::string Card(const ChildGrowth& growth) {
  std::string card;
  for (const rules::KmsMonth& month : growth.card.months) card += rules::Word(month.status);
  return card;
}

TEST(ChildGrowthTest, AssessesEveryContactThatMeasuredAndNoOther) {
  std::vector<v1::Entry> entries = Weighed({7'500});
  entries.push_back(EntryOf(testing::VitaminA(50, "2025-08-12T09:00")));
  Event arm = testing::Weighing(51, "2025-08-14T09:00");
  arm.mutable_visit()->Clear();
  arm.mutable_visit()->set_muac_mm(120);
  entries.push_back(EntryOf(arm));
  const ChildGrowth growth = GrowthOf(entries, Girl());
  ASSERT_THAT(growth.contacts, SizeIs(2));
  EXPECT_EQ(growth.contacts[0].measurement.age->days, 212);
  EXPECT_EQ(growth.contacts[0].weighing, 0u);
  EXPECT_EQ(growth.contacts[1].event.event_id(), arm.event_id());
  EXPECT_EQ(growth.contacts[1].entry_id, "entry of " + arm.event_id());
  EXPECT_EQ(growth.contacts[1].weighing, std::nullopt);
  const auto* score =
      std::get_if<rules::Score>(&growth.contacts[1].growth.of(rules::Index::kMuacForAge));
  ASSERT_NE(score, nullptr);
  EXPECT_EQ(score->growth_class, rules::GrowthClass::kLilaKuning);
}

TEST(ChildGrowthTest, LeavesOutWhatWasTakenBackAndCountsNoExercise) {
  std::vector<v1::Entry> entries = Weighed({7'500, 7'850, 8'200});
  EXPECT_EQ(Card(GrowthOf(entries, Girl())), "BNN");
  entries[1].mutable_members(0)->set_state(v1::MEMBER_STATE_RETRACTED);
  EXPECT_EQ(Card(GrowthOf(entries, Girl())), "BO");
  EXPECT_THAT(GrowthOf(entries, Girl()).contacts, SizeIs(2));

  entries = Weighed({7'500, 7'850, 8'200});
  Event exercise = testing::Weighing(9, "2025-09-10T09:00", "", 7'850);
  exercise.set_purpose(event::v1::PURPOSE_TRAINING);
  entries[1] = EntryOf(exercise);
  const ChildGrowth growth = GrowthOf(entries, Girl());
  EXPECT_EQ(Card(growth), "BO");
  EXPECT_THAT(growth.contacts, SizeIs(3));
}

TEST(ChildGrowthTest, HasNoCardAfterDeath) {
  std::vector<v1::Entry> entries = Weighed({7'500, 7'850, 8'200});
  Event status = testing::Weighing(60, "2025-09-20T09:00");
  status.mutable_patient_status()->set_status(event::v1::LIFE_STATUS_DIED);
  status.mutable_patient_status()->set_on("2025-09-10");
  entries.push_back(EntryOf(status, v1::ENTRY_KIND_PATIENT_STATUS));
  EXPECT_EQ(Card(GrowthOf(entries, Girl())), "BN");
  entries.back().mutable_members(0)->set_state(v1::MEMBER_STATE_RETRACTED);
  EXPECT_EQ(Card(GrowthOf(entries, Girl())), "BNN");
}

TEST(ChildGrowthTest, ComparesLowAndHighWeightsAsTheStandardsSay) {
  const ChildGrowth growth = GrowthOf(Weighed({4'600, 9'300, 25'000}), Girl());
  ASSERT_THAT(growth.card.weighings, SizeIs(3));
  EXPECT_TRUE(growth.card.weighings[0].bgm);
  EXPECT_TRUE(growth.card.weighings[1].above_orange);
  EXPECT_TRUE(growth.card.weighings[2].reweigh);
  EXPECT_EQ(Card(growth), "BN");
}

TEST(ChildGrowthTest, SaysLittleOfAPersonNobodyKnows) {
  const ChildGrowth growth = GrowthOf(Weighed({7'500, 7'850}), {});
  EXPECT_EQ(Card(growth), "");
  ASSERT_THAT(growth.contacts, SizeIs(2));
  EXPECT_EQ(std::get<rules::NotDerived>(growth.contacts[0].growth.of(rules::Index::kWeightForAge)),
            rules::NotDerived::kSexUnknown);
  EXPECT_THAT(GrowthOf({}, Girl()).contacts, IsEmpty());
}

TEST(ChildGrowthTest, SaysTheSameWhateverTheOrder) {
  std::vector<v1::Entry> entries = Weighed({7'500, 7'600, 7'700, 8'100});
  entries.push_back(EntryOf(testing::Weighing(70, "2025-09-10T09:00", "", 7'650)));
  entries.push_back(EntryOf(testing::Weighing(71, "2025-09-10T09:00", "", 7'900)));
  const auto picture = [&] {
    const ChildGrowth growth = GrowthOf(entries, Girl());
    std::string said = Card(growth);
    for (const MeasuredContact& contact : growth.contacts) said += " " + contact.entry_id;
    for (const rules::KmsMonth& month : growth.card.months) {
      said += " " + growth.contacts[growth.contact_of[month.weighing]].entry_id;
    }
    return said;
  };
  const std::string expected = picture();
  std::mt19937 random(1);
  for (int n = 0; n < 200; ++n) {
    std::ranges::shuffle(entries, random);
    ASSERT_EQ(picture(), expected);
  }
}

}  // namespace
}  // namespace simpul::timeline
