// What the projection makes of a fixed set of events, byte by byte, is the same in every release:
// two owners of a partition and a rebuild years later must tell the same under the same numbers.
#include <gtest/gtest.h>

#include "lib/base/bytes.h"
#include "lib/base/hash.h"
#include "tests/support/sample_events.h"
#include "tests/timeline/histories.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline {
namespace {

void Put(std::string& out, std::string_view text) {
  base::PutBe32(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

// Of everything told and kept when each list is one patient's whole history.
std::string Told(const std::vector<std::vector<event::v1::Event>>& histories) {
  std::string all;
  for (const std::vector<event::v1::Event>& events : histories) {
    testing::MapHistory history;
    for (size_t n = 0; n < events.size(); ++n) {
      history.Apply(events[n]);
      if (n % 3 == 2) history.EndBatch();
    }
    history.EndBatch();
    for (const std::string& derived : history.derived()) Put(all, derived);
    for (const auto& [key, value] : history.kept()) {
      Put(all, key);
      Put(all, value);
    }
  }
  return base::Hex(base::AsBytes(base::Sha256(all)));
}

TEST(Golden, OfTheStories) {
  std::vector<std::vector<event::v1::Event>> histories;
  for (const testing::Story& story : testing::Stories()) {
    histories.push_back(story.events);
    histories.emplace_back(story.events.rbegin(), story.events.rend());
  }
  EXPECT_EQ(Told(histories), "5574c9a68b91cef1ae641c6837050846c0670cbc2faa0511eea5fd83630d85f8");
}

TEST(Golden, OfALongHistory) {
  EXPECT_EQ(Told({testing::RandomStory(1, 1'000), testing::RandomStory(2, 300)}),
            "c994aeccad3fe1767cf32ec22c35295c8147baa1c7e04fd7651d999ebc29a578");
}

TEST(Golden, OfEveryKind) {
  std::vector<std::vector<event::v1::Event>> histories;
  for (const testing::SampleEvent& sample : testing::SampleEvents()) {
    histories.push_back({sample.event});
  }
  EXPECT_EQ(Told(histories), "c91c7282e5bcc3df871075543b66275d269ff17124f20bb1cd12c3e53259cf1c");
}

}  // namespace
}  // namespace simpul::timeline
