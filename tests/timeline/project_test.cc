#include "lib/timeline/project.h"
#include "lib/timeline/entry_view.h"

#include <gmock/gmock.h>

#include "lib/base/hash.h"
#include "lib/event/kind.h"
#include "lib/timeline/siphash.h"
#include "tests/support/sample_events.h"
#include "tests/timeline/histories.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline {
namespace {

using event::v1::Event;
using testing::CorrectionOf;
using testing::CorrectionWith;
using ::testing::IsEmpty;
using testing::MapHistory;
using testing::Registration;
using testing::RetractionOf;
using ::testing::SizeIs;
using testing::VitaminA;
using testing::Weighing;

v1::Entry OnlyEntry(MapHistory& history) {
  history.EndBatch();
  const std::vector<v1::Entry> entries = history.Entries();
  EXPECT_THAT(entries, SizeIs(1));
  return entries.at(0);
}

const log::v1::DeadLetter* LetterOf(const Projected& projected) {
  return projected.derived.size() == 1
             ? std::get_if<log::v1::DeadLetter>(&projected.derived.front())
             : nullptr;
}

TEST(Project, MakesOneEntryOfOneEvent) {
  MapHistory history;
  const Event weighing = Weighing(1, "2026-02-03T09:00");
  const Projected projected = history.Apply(weighing);
  EXPECT_FALSE(projected.duplicate);
  const v1::Entry entry = OnlyEntry(history);
  EXPECT_EQ(entry.kind(), v1::ENTRY_KIND_VISIT);
  EXPECT_EQ(entry.revision(), 1u);
  EXPECT_FALSE(entry.withdrawn());
  EXPECT_EQ(entry.group_id(), weighing.event_id());
  EXPECT_EQ(entry.facility().code(), weighing.facility().code());
  EXPECT_EQ(entry.purpose(), event::v1::PURPOSE_PRODUCTION);
  EXPECT_EQ(entry.subject_key(), "0123456789abcdef");
  ASSERT_THAT(entry.members(), SizeIs(1));
  const v1::Member& member = entry.members(0);
  EXPECT_EQ(member.event(), weighing.SerializeAsString());
  EXPECT_EQ(member.content(), base::AsBytes(base::Sha256(member.event())));
  EXPECT_EQ(member.position(), 1);
  EXPECT_EQ(member.state(), v1::MEMBER_STATE_STANDING);
}

TEST(Project, TellsAVisitWholeAtEachRevision) {
  MapHistory history;
  history.Apply(Weighing(1, "2026-02-03T09:10", "v-1"));
  history.Apply(VitaminA(2, "2026-02-03T09:00", "v-1"));
  const v1::Entry entry = OnlyEntry(history);
  EXPECT_EQ(entry.revision(), 2u);
  ASSERT_THAT(entry.members(), SizeIs(2));
  EXPECT_EQ(entry.members(0).event_id(), testing::SampleEventId(2));
  ASSERT_THAT(history.derived(), SizeIs(2));
  v1::Entry first;
  ASSERT_TRUE(first.ParseFromString(history.derived()[0]));
  EXPECT_EQ(first.entry_id(), entry.entry_id());
  EXPECT_THAT(first.members(), SizeIs(1));
  EXPECT_EQ(history.derived()[1], entry.SerializeAsString());
}

TEST(Project, GivesEveryKindItsEntry) {
  for (const testing::SampleEvent& sample : testing::SampleEvents()) {
    MapHistory history;
    history.Apply(sample.event);
    history.EndBatch();
    const auto kind = static_cast<uint32_t>(sample.event.payload_case());
    EXPECT_EQ(history.Entries().size(), event::IsAmendment(kind) ? 0u : 1u) << sample.name;
    EXPECT_EQ(history.tally().events, 1u) << sample.name;
    EXPECT_EQ(history.tally().waiting, event::IsAmendment(kind) ? 1u : 0u) << sample.name;
  }
}

TEST(Project, ShowsWhatACorrectionSays) {
  MapHistory history;
  const Event weighing = Weighing(1, "2026-02-03T09:00", "v-1", 1'000);
  history.Apply(weighing);
  const Event correction = CorrectionOf(2, weighing, "2026-02-04T08:00", 10'000);
  history.Apply(correction);
  const v1::Entry entry = OnlyEntry(history);
  EXPECT_EQ(entry.revision(), 2u);
  const v1::Member& member = entry.members(0);
  EXPECT_EQ(member.state(), v1::MEMBER_STATE_CORRECTED);
  Event now;
  ASSERT_TRUE(now.ParseFromString(member.event()));
  EXPECT_EQ(now.visit().weight_g(), 10'000u);
  EXPECT_EQ(member.content(), base::AsBytes(base::Sha256(weighing.SerializeAsString())))
      << "the content stays that of the event as first sent";
  ASSERT_THAT(member.amendments(), SizeIs(1));
  EXPECT_EQ(member.amendments(0).event_id(), correction.event_id());
  EXPECT_TRUE(member.amendments(0).counts());
  EXPECT_EQ(member.amendments(0).reason(), "salah tulis");
  EXPECT_EQ(member.amendments(0).author().id(), correction.recorder().id());
}

TEST(Project, WithdrawsAnEntryOnlyWhenAllOfItIsTakenBack) {
  MapHistory history;
  const Event weighing = Weighing(1, "2026-02-03T09:00", "v-1");
  const Event vitamin = VitaminA(2, "2026-02-03T09:10", "v-1");
  history.Apply(weighing);
  history.Apply(vitamin);
  history.Apply(RetractionOf(3, weighing, "2026-02-04T08:00"));
  EXPECT_FALSE(OnlyEntry(history).withdrawn());
  history.Apply(RetractionOf(4, vitamin, "2026-02-04T08:00"));
  EXPECT_TRUE(OnlyEntry(history).withdrawn());
}

TEST(Project, LetsAnAmendmentWaitAndTellsIt) {
  MapHistory history;
  const Event weighing = Weighing(1, "2026-02-03T09:00");
  const Event correction = CorrectionOf(2, weighing, "2026-02-04T08:00", 9'000);
  const Projected waits = history.Apply(correction);
  ASSERT_THAT(waits.derived, SizeIs(1));
  const auto* told = std::get_if<log::v1::WaitingEvent>(&waits.derived[0]);
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->event_id(), correction.event_id());
  EXPECT_EQ(told->original_event_id(), weighing.event_id());
  EXPECT_EQ(told->kind(), 34u);
  history.EndBatch();
  EXPECT_EQ(history.tally().waiting, 1u);

  history.Apply(weighing);
  const v1::Entry entry = OnlyEntry(history);
  EXPECT_EQ(entry.revision(), 1u) << "what waited comes with its original";
  EXPECT_EQ(entry.members(0).state(), v1::MEMBER_STATE_CORRECTED);
  EXPECT_EQ(history.tally().waiting, 0u);
  EXPECT_EQ(history.tally().events, 2u);
  EXPECT_THAT(history.kept(), SizeIs(2)) << "head and entry; the waiting list is gone";
}

TEST(Project, LetsTheLowerPositionStandInAConflict) {
  MapHistory history;
  const Event stands = Weighing(1, "2026-02-03T09:00", "v-1", 10'000);
  history.Apply(stands);
  const std::string stood = OnlyEntry(history).SerializeAsString();
  // Of another kind and group, too: the id decides.
  for (const Event& other :
       {Weighing(1, "2026-02-03T09:00", "v-1", 10'001), VitaminA(1, "2026-02-03T09:00", "v-2"),
        RetractionOf(1, Weighing(9, "2026-02-03T09:00"), "2026-02-04T08:00")}) {
    const Projected projected = history.Apply(other);
    const log::v1::DeadLetter* letter = LetterOf(projected);
    ASSERT_NE(letter, nullptr);
    EXPECT_EQ(letter->cause(), kConflict);
    EXPECT_EQ(letter->stage(), "project");
    EXPECT_EQ(letter->event_id(), stands.event_id());
    EXPECT_THAT(letter->message(), ::testing::HasSubstr("send a correction"));
    EXPECT_TRUE(history.Apply(other).duplicate) << "sent again it changes nothing";
    history.EndBatch();
    EXPECT_TRUE(history.Apply(other).duplicate);
  }
  EXPECT_EQ(OnlyEntry(history).SerializeAsString(), stood);
  EXPECT_EQ(history.tally().dead_letters, 3u);
  EXPECT_EQ(history.tally().events, 1u);
}

TEST(Project, FindsConflictsOfAmendmentsWhereverTheyAre) {
  const Event weighing = Weighing(1, "2026-02-03T09:00");
  const Event correction = CorrectionOf(2, weighing, "2026-02-04T08:00", 9'000);
  const Event other = CorrectionOf(2, weighing, "2026-02-04T08:00", 9'001);
  MapHistory history;
  history.Apply(correction);
  EXPECT_EQ(LetterOf(history.Apply(other))->cause(), kConflict) << "while it waits";
  history.Apply(weighing);
  EXPECT_TRUE(history.Apply(other).duplicate) << "once it stands";
  const Event third = CorrectionOf(2, weighing, "2026-02-04T08:00", 9'002);
  EXPECT_EQ(LetterOf(history.Apply(third))->cause(), kConflict) << "once it stands";
  EXPECT_TRUE(history.Apply(correction).duplicate);
}

TEST(Project, RefusesWhatAmendsAnAmendmentInEitherOrder) {
  const Event weighing = Weighing(1, "2026-02-03T09:00");
  const Event correction = CorrectionOf(2, weighing, "2026-02-04T08:00", 9'000);
  const Event of_correction = RetractionOf(3, correction, "2026-02-05T08:00");
  {
    MapHistory history;
    history.Apply(correction);
    const Projected projected = history.Apply(of_correction);
    ASSERT_NE(LetterOf(projected), nullptr);
    EXPECT_EQ(LetterOf(projected)->cause(), kNamesNoOriginal);
    EXPECT_EQ(LetterOf(projected)->position(), 2);
  }
  MapHistory history;
  history.Apply(of_correction);
  const Projected projected = history.Apply(correction);
  ASSERT_THAT(projected.derived, SizeIs(2)) << "the dead letter, and that the correction waits";
  const auto* letter = std::get_if<log::v1::DeadLetter>(&projected.derived[0]);
  ASSERT_NE(letter, nullptr);
  EXPECT_EQ(letter->cause(), kNamesNoOriginal);
  EXPECT_EQ(letter->event_id(), of_correction.event_id());
  EXPECT_EQ(letter->position(), 1) << "its own position";
  EXPECT_TRUE(history.Apply(of_correction).duplicate) << "sent again it changes nothing";
  EXPECT_EQ(history.tally().waiting, 1u);
  EXPECT_EQ(history.tally().dead_letters, 1u);
}

TEST(Project, BoundsTheEventsOfAHistory) {
  MapHistory history;
  for (uint32_t id = 1; id <= kHistoryEventsMax; ++id) {
    history.Apply(VitaminA(id, "2026-02-03T09:00", "v-" + std::to_string(id)));
    if (id % 1000 == 0) history.EndBatch();
  }
  const Event one_more = Weighing(kHistoryEventsMax + 1, "2026-02-03T09:00");
  const Projected projected = history.Apply(one_more);
  ASSERT_NE(LetterOf(projected), nullptr);
  EXPECT_EQ(LetterOf(projected)->cause(), kPatientTooLarge);
  EXPECT_TRUE(history.Apply(VitaminA(77, "2026-02-03T09:00", "v-77")).duplicate);
  EXPECT_EQ(history.tally().events, kHistoryEventsMax);
}

TEST(Project, BoundsTheBytesOfAHistory) {
  MapHistory history;
  Event large = Weighing(1, "2026-02-03T09:00");
  large.mutable_visit()->set_advice(std::string(60 << 10, 'a'));
  Projected last;
  uint64_t id = 0;
  do {
    large.set_event_id(testing::SampleEventId(++id));
    last = history.Apply(large);
  } while (LetterOf(last) == nullptr);
  EXPECT_EQ(LetterOf(last)->cause(), kPatientTooLarge);
  EXPECT_LE((id - 1) * large.ByteSizeLong(), kHistoryBytesMax);
  EXPECT_GT(id * large.ByteSizeLong(), kHistoryBytesMax);
}

TEST(Project, BoundsTheBytesOfAnEntry) {
  MapHistory history;
  const auto large = [](uint64_t id, std::string_view visit) {
    Event event = Weighing(id, "2026-02-03T09:00", visit);
    event.mutable_visit()->set_advice(std::string(60 << 10, 'a'));
    return event;
  };
  Projected last;
  uint64_t id = 0;
  do {
    last = history.Apply(large(++id, "one-visit"));
  } while (LetterOf(last) == nullptr);
  EXPECT_EQ(LetterOf(last)->cause(), kEntryTooLarge);
  EXPECT_LE(OnlyEntry(history).ByteSizeLong(), kEntryBytesMax);
  EXPECT_EQ(history.tally().events, id - 1);
  // Nothing that would make it larger is taken, in whatever way it comes; the rest goes on.
  const Event correction =
      CorrectionWith(900, large(1, "one-visit"), "2026-02-04T09:00", large(1, "one-visit"));
  last = history.Apply(correction);
  ASSERT_NE(LetterOf(last), nullptr);
  EXPECT_EQ(LetterOf(last)->cause(), kEntryTooLarge);
  EXPECT_TRUE(history.Apply(correction).duplicate);
  EXPECT_EQ(LetterOf(history.Apply(Weighing(901, "2026-02-03T09:00", "another"))), nullptr);
  EXPECT_EQ(LetterOf(history.Apply(RetractionOf(902, large(1, "one-visit"), "2026-02-04T09:00"))),
            nullptr);
  EXPECT_TRUE(history.Apply(large(2, "one-visit")).duplicate);
}

TEST(Project, BoundsWhatWaitedForAnEvent) {
  MapHistory history;
  const Event original = Weighing(1, "2026-02-03T09:00");
  Event replacement = original;
  replacement.mutable_visit()->set_advice(std::string(60 << 10, 'a'));
  for (uint64_t id = 2; id < 40; ++id) {
    history.Apply(CorrectionWith(id, original, "2026-02-04T09:00", replacement));
  }
  history.Apply(original);
  EXPECT_LE(OnlyEntry(history).ByteSizeLong(), kEntryBytesMax);
  EXPECT_EQ(history.tally().waiting, 0u);
  EXPECT_EQ(history.tally().events + history.tally().dead_letters, 39u);
}

TEST(Project, KeepsReferencesAndFactsSmallHoweverLongTheHistory) {
  MapHistory history;
  for (uint64_t id = 1; id <= 2000; ++id) {
    history.Apply(VitaminA(id, "2026-02-03T09:00"));
    if (id % 100 == 0) history.EndBatch();
  }
  history.EndBatch();
  for (const auto& [key, value] : history.kept()) {
    // The head also has the facts, some forty bytes an event.
    if (key[17] == 1) continue;
    EXPECT_LE(value.size(), key[17] == 0 ? 2000u * 48 : 4096u);
  }
}

// What a part of every entry's identity is made of is frozen: these are test vectors.
TEST(EntryId, IsFrozen) {
  Group group;
  group.kind = v1::ENTRY_KIND_VISIT;
  group.facility = {"kemenkes", "P7324020101"};
  group.id = "RJ-2026-02-05-0113";
  group.purpose = event::v1::PURPOSE_PRODUCTION;
  const auto subject = *event::SubjectKey::FromBytes("0123456789abcdef");
  EXPECT_EQ(EntryId(subject, group), "8c32776f-ac4a-5812-94ed-9da38c1affc9");
  group.purpose = event::v1::PURPOSE_TRAINING;
  EXPECT_NE(EntryId(subject, group), "8c32776f-ac4a-5812-94ed-9da38c1affc9");
}

TEST(EntryId, TellsFieldsApart) {
  const auto subject = *event::SubjectKey::FromBytes("0123456789abcdef");
  Group a;
  a.facility.code = "a|b";
  a.id = "c";
  Group b;
  b.facility.code = "a";
  b.id = "b|c";
  EXPECT_NE(EntryId(subject, a), EntryId(subject, b));
}

base::Sha256Digest DigestOf(const v1::Entry& entry) {
  const std::string bytes = entry.SerializeAsString();
  return ContentDigest(ReadEntry(bytes).value());
}

v1::Entry VectorEntry() {
  v1::Entry entry;
  entry.set_entry_id("not part of it");
  entry.set_subject_key("not part of it");
  entry.set_revision(3);
  entry.set_kind(v1::ENTRY_KIND_VISIT);
  entry.mutable_facility()->set_system("kemenkes");
  entry.mutable_facility()->set_code("P7324020101");
  entry.set_group_id("RJ-2026-02-05-0113");
  entry.set_purpose(event::v1::PURPOSE_PRODUCTION);
  v1::Member* member = entry.add_members();
  member->set_content(std::string(base::AsBytes(base::Sha256("first"))));
  member->set_state(v1::MEMBER_STATE_STANDING);
  member = entry.add_members();
  member->set_content(std::string(base::AsBytes(base::Sha256("second"))));
  member->set_state(v1::MEMBER_STATE_CORRECTED);
  for (const char* id : {"b", "a"}) {
    v1::Amendment* amendment = member->add_amendments();
    amendment->set_event_id(id);
    amendment->set_content(std::string(base::AsBytes(base::Sha256(id))));
  }
  return entry;
}

TEST(ContentDigest, IsFrozen) {
  EXPECT_EQ(base::Hex(base::AsBytes(DigestOf(VectorEntry()))),
            "84627f76884f12d32e180cbc859c3fcdb7bf36101d50739dfe298df99131b80a");
}

TEST(ContentDigest, IsThatOfTheContentAlone) {
  const base::Sha256Digest digest = DigestOf(VectorEntry());
  v1::Entry entry = VectorEntry();
  entry.set_entry_id("another install's");
  entry.set_subject_key("another install's");
  entry.set_revision(9);
  entry.mutable_members(0)->set_position(17);
  entry.mutable_members(0)->set_received_at_us(1);
  entry.mutable_members(0)->set_digest("keyed");
  entry.mutable_members(1)->mutable_amendments()->SwapElements(0, 1);
  EXPECT_EQ(DigestOf(entry), digest);
  entry.mutable_members()->SwapElements(0, 1);
  EXPECT_NE(DigestOf(entry), digest) << "the order of the events is content";
  entry = VectorEntry();
  entry.mutable_members(1)->mutable_amendments()->RemoveLast();
  EXPECT_NE(DigestOf(entry), digest);
  entry = VectorEntry();
  entry.mutable_members(0)->set_state(v1::MEMBER_STATE_RETRACTED);
  EXPECT_NE(DigestOf(entry), digest);
}

// The vectors of the algorithm's authors: key 00 01 .. 0f, input 00 01 02 ..
TEST(SipHash, IsThatOfItsAuthors) {
  std::string key, input;
  for (int i = 0; i < 16; ++i) key.push_back(static_cast<char>(i));
  EXPECT_EQ(SipHash(key, ""), 0x726fdb47dd0e0e31u);
  for (int i = 0; i < 15; ++i) input.push_back(static_cast<char>(i));
  EXPECT_EQ(SipHash(key, input), 0xa129ca6149be45e5u);
}

}  // namespace
}  // namespace simpul::timeline
