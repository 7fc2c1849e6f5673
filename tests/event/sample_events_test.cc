#include "tests/support/sample_events.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

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

// Indonesia codes in WHO's ICD-10. Its clinical modification of the United States divides these
// categories further.
TEST(SampleEvents, CodeDiagnosesInWhosIcd10) {
  for (const SampleEvent& sample : SampleEvents()) {
    const std::string text = sample.event.DebugString();
    for (const char* divided : {"\"E86.", "\"K30.", "\"R05.", "\"R11.", "\"R51."}) {
      EXPECT_EQ(text.find(divided), std::string::npos) << sample.name << ": " << divided;
    }
  }
}

}  // namespace
}  // namespace simpul::testing
