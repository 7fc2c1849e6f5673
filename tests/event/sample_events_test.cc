#include "tests/support/sample_events.h"

#include <gtest/gtest.h>

#include <set>

namespace simpul::testing {
namespace {

TEST(SampleEvents, HaveEveryKindAndUniqueNamesAndIds) {
  std::set<int> kinds;
  std::set<std::string_view> names;
  std::set<std::string> ids;
  for (const SampleEvent& sample : SampleEvents()) {
    kinds.insert(sample.event.payload_case());
    EXPECT_TRUE(names.insert(sample.name).second) << sample.name;
    EXPECT_TRUE(ids.insert(sample.event.event_id()).second) << sample.name;
    EXPECT_EQ(sample.event.event_id(), SampleEventId(ids.size())) << sample.name;
  }
  EXPECT_EQ(kinds.size(), 16u);
  EXPECT_EQ(base::FormatUtc(SampleNow()), "2026-03-01T00:00:00Z");
}

}  // namespace
}  // namespace simpul::testing
