#include "lib/timeline/entry_view.h"

#include <gtest/gtest.h>

#include "tests/support/mutated_bytes.h"
#include "tests/support/sample_events.h"
#include "tests/timeline/histories.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline {
namespace {

// Entries as protobuf has them.
std::vector<v1::Entry> SomeEntries() {
  std::vector<v1::Entry> entries;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    testing::MapHistory history;
    for (const auto& event : testing::RandomStory(seed, 60)) history.Apply(event);
    history.EndBatch();
    for (v1::Entry& entry : history.Entries()) entries.push_back(std::move(entry));
  }
  for (const testing::SampleEvent& sample : testing::SampleEvents()) {
    testing::MapHistory history;
    history.Apply(sample.event);
    history.EndBatch();
    for (v1::Entry& entry : history.Entries()) entries.push_back(std::move(entry));
  }
  return entries;
}

TEST(EntryView, ShowsAndWritesWhatProtobufDoes) {
  for (const v1::Entry& entry : SomeEntries()) {
    const std::string bytes = entry.SerializeAsString();
    std::optional<EntryView> view = ReadEntry(bytes);
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(WriteEntry(*view), bytes);
    EXPECT_EQ(view->entry_id, entry.entry_id());
    EXPECT_EQ(view->revision, entry.revision());
    EXPECT_EQ(view->kind, entry.kind());
    EXPECT_EQ(view->withdrawn, entry.withdrawn());
    EXPECT_EQ(view->subject_key, entry.subject_key());
    EXPECT_EQ(view->facility, event::ViewOf(entry.facility()));
    EXPECT_EQ(view->group_id, entry.group_id());
    EXPECT_EQ(view->purpose, entry.purpose());
    ASSERT_EQ(view->members.size(), static_cast<size_t>(entry.members_size()));
    for (int n = 0; n < entry.members_size(); ++n) {
      const v1::Member& member = entry.members(n);
      const MemberView& shown = view->members[static_cast<size_t>(n)];
      EXPECT_EQ(shown.bytes, member.SerializeAsString());
      EXPECT_EQ(shown.event_id, member.event_id());
      EXPECT_EQ(shown.facility, event::ViewOf(member.facility()));
      EXPECT_EQ(shown.state, member.state());
      EXPECT_EQ(shown.occurred_at_us, member.occurred_at_us());
      EXPECT_EQ(shown.recorded_at_us, member.recorded_at_us());
      EXPECT_EQ(shown.content, member.content());
      EXPECT_EQ(shown.digest, member.digest());
      ASSERT_EQ(shown.amendments.size(), static_cast<size_t>(member.amendments_size()));
      for (int k = 0; k < member.amendments_size(); ++k) {
        const AmendmentView& amendment = shown.amendments[static_cast<size_t>(k)];
        EXPECT_EQ(amendment.event_id, member.amendments(k).event_id());
        EXPECT_EQ(amendment.content, member.amendments(k).content());
        EXPECT_EQ(amendment.digest, member.amendments(k).digest());
        EXPECT_EQ(shown.AmendmentDigest(amendment.event_id), amendment.digest);
      }
      EXPECT_EQ(view->Find(shown.facility, shown.event_id), &shown);
    }
    EXPECT_EQ(view->Find(view->facility, "another"), nullptr);
  }
}

TEST(EntryView, OfDamagedBytesIsNoneOrOneThatCanBeWritten) {
  std::mt19937_64 random(5);
  const std::vector<v1::Entry> entries = SomeEntries();
  size_t read = 0;
  for (int round = 0; round < 10'000; ++round) {
    const std::string bytes =
        testing::Mutated(entries[random() % entries.size()].SerializeAsString(),
                         entries[random() % entries.size()].SerializeAsString(), random);
    const std::optional<EntryView> view = ReadEntry(bytes);
    if (!view.has_value()) continue;
    ++read;
    const std::string written = WriteEntry(*view);
    const std::optional<EntryView> again = ReadEntry(written);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(ContentDigest(*again), ContentDigest(*view));
  }
  EXPECT_GT(read, 100u) << "the changes must leave something to read";
}

TEST(EntryView, IsNoneOfFieldsUnknownHere) {
  v1::Entry entry = SomeEntries().front();
  const std::string bytes = entry.SerializeAsString();
  EXPECT_TRUE(ReadEntry(bytes).has_value());
  EXPECT_FALSE(ReadEntry(bytes + "\x78\x01").has_value());
}

}  // namespace
}  // namespace simpul::timeline
