// Any order and any repetition of a patient's events ends in the same timeline.
#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "lib/timeline/entry_view.h"
#include "tests/timeline/histories.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline {
namespace {

using event::v1::Event;
using testing::Counted;
using testing::Expect;
using testing::MapHistory;

// Numbers in the order of the events' ids, so that equal events are one permutation.
std::vector<size_t> FirstPermutation(const std::vector<Event>& events) {
  std::vector<size_t> order;
  for (const Event& event : events) {
    const auto same = std::ranges::find_if(events, [&](const Event& other) {
      return other.SerializeAsString() == event.SerializeAsString();
    });
    order.push_back(static_cast<size_t>(same - events.begin()));
  }
  std::ranges::sort(order);
  return order;
}

class Order : public ::testing::TestWithParam<testing::Story> {};

TEST_P(Order, DoesNotMatterToTheContent) {
  const std::vector<Event>& events = GetParam().events;
  const testing::Outcome expected = Expect(events);
  std::vector<size_t> order = FirstPermutation(events);
  do {
    MapHistory event_by_event;
    MapHistory in_one_batch;
    for (const size_t n : order) {
      event_by_event.Apply(events[n]);
      event_by_event.EndBatch();
      in_one_batch.Apply(events[n]);
    }
    in_one_batch.EndBatch();
    ASSERT_EQ(Counted(event_by_event.tally()), expected)
        << GetParam().name << ": " << ::testing::PrintToString(order);
    // Where a batch ends changes nothing at all.
    ASSERT_EQ(event_by_event.derived(), in_one_batch.derived());
    ASSERT_EQ(event_by_event.kept(), in_one_batch.kept());
  } while (std::ranges::next_permutation(order).found);
}

TEST_P(Order, OfEverythingSentAgainChangesNothing) {
  const std::vector<Event>& events = GetParam().events;
  MapHistory history;
  for (const Event& event : events) history.Apply(event);
  history.EndBatch();
  const testing::Outcome once = Counted(history.tally());
  const auto kept = history.kept();
  const size_t told = history.derived().size();
  for (size_t n = events.size(); n-- > 0;) {
    EXPECT_TRUE(history.Apply(events[n]).duplicate);
    history.EndBatch();
  }
  EXPECT_EQ(Counted(history.tally()), once);
  EXPECT_EQ(history.kept(), kept);
  EXPECT_EQ(history.derived().size(), told);
}

TEST_P(Order, LeavesEntriesWithTheirMembersAndAmendmentsInOrder) {
  const std::vector<Event>& events = GetParam().events;
  std::vector<size_t> order(events.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::reverse(order);
  MapHistory history;
  for (const size_t n : order) history.Apply(events[n]);
  history.EndBatch();
  for (const v1::Entry& entry : history.Entries()) {
    EXPECT_TRUE(std::ranges::is_sorted(
        entry.members(), [](const v1::Member& a, const v1::Member& b) { return Before(a, b); }));
    for (const v1::Member& member : entry.members()) {
      Event now;
      ASSERT_TRUE(now.ParseFromString(member.event()));
      EXPECT_EQ(now.event_id(), member.event_id());
      EXPECT_EQ(static_cast<uint32_t>(now.payload_case()), member.kind());
      EXPECT_LE(std::ranges::count_if(member.amendments(),
                                      [](const v1::Amendment& a) { return a.counts(); }),
                1);
      EXPECT_EQ(member.amendments().empty(), member.state() == v1::MEMBER_STATE_STANDING);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Order, ::testing::ValuesIn(testing::Stories()),
                         [](const ::testing::TestParamInfo<testing::Story>& story) {
                           std::string name;
                           bool upper = true;
                           for (const char c : story.param.name) {
                             if (!std::isalpha(static_cast<unsigned char>(c))) {
                               upper = true;
                               continue;
                             }
                             name.push_back(upper ? static_cast<char>(std::toupper(c)) : c);
                             upper = false;
                           }
                           return name;
                         });

TEST(RandomOrder, OfLongHistoriesDoesNotMatter) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const std::vector<Event> story = testing::RandomStory(seed, 8 + seed * 4);
    const testing::Outcome expected = Expect(story);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 4; ++round) {
      // In order, shuffled, and with some of it twice or three times.
      std::vector<Event> sent = story;
      for (int copies = 1; copies < round; ++copies) {
        sent.insert(sent.end(), story.begin(), story.begin() + static_cast<long>(story.size() / 2));
      }
      if (round > 0) std::shuffle(sent.begin(), sent.end(), random);
      MapHistory history;
      for (const Event& event : sent) {
        history.Apply(event);
        if (random() % 3 == 0) history.EndBatch();
      }
      history.EndBatch();
      ASSERT_EQ(Counted(history.tally()), expected) << "seed " << seed << " round " << round;
    }
  }
}

TEST(RandomOrder, OfAHistoryOfManyPagesDoesNotMatter) {
  std::vector<Event> story = testing::RandomStory(7, 1500);
  const testing::Outcome expected = Expect(story);
  std::shuffle(story.begin(), story.end(), std::mt19937_64(7));
  MapHistory history;
  for (size_t n = 0; n < story.size(); ++n) {
    history.Apply(story[n]);
    if (n % 50 == 0) history.EndBatch();
  }
  history.EndBatch();
  EXPECT_EQ(Counted(history.tally()), expected);
  for (const Event& event : story) EXPECT_TRUE(history.Apply(event).duplicate);
}

}  // namespace
}  // namespace simpul::timeline
