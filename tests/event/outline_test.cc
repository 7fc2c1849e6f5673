#include "lib/event/outline.h"

#include <gtest/gtest.h>

#include "lib/base/wire.h"
#include "lib/event/validate.h"
#include "tests/support/mutated_bytes.h"
#include "tests/support/sample_events.h"

namespace simpul::event {
namespace {

using testing::SampleEvents;

void ExpectSame(const Outline& read, const Outline& built) {
  EXPECT_EQ(read.event_id, built.event_id);
  EXPECT_EQ(read.has_facility, built.has_facility);
  EXPECT_EQ(read.facility, built.facility);
  EXPECT_EQ(read.visit_id, built.visit_id);
  EXPECT_EQ(read.purpose, built.purpose);
  EXPECT_EQ(read.kind, built.kind);
  EXPECT_EQ(read.occurred_at_us, built.occurred_at_us);
  EXPECT_EQ(read.recorded_at_us, built.recorded_at_us);
  EXPECT_EQ(read.origin, built.origin);
  EXPECT_EQ(read.episode, built.episode);
}

// The fields of a message, each with its tag.
std::vector<std::string> FieldsOf(std::string_view bytes) {
  std::vector<std::string> fields;
  while (!bytes.empty()) {
    const std::string_view before = bytes;
    const uint64_t tag = *base::TakeVarint(bytes);
    if ((tag & 7) == 0) {
      base::TakeVarint(bytes);
    } else {
      base::TakeBytes(bytes);
    }
    fields.emplace_back(before.substr(0, before.size() - bytes.size()));
  }
  return fields;
}

TEST(Outline, ReadFromCanonicalBytesIsThatOfTheEvent) {
  for (const testing::SampleEvent& sample : SampleEvents()) {
    const std::string bytes = Canonical(sample.event);
    const std::optional<Outline> outline = ReadOutline(bytes);
    ASSERT_TRUE(outline.has_value()) << sample.name;
    ExpectSame(*outline, OutlineOf(sample.event));
    EXPECT_EQ(outline->kind, static_cast<uint32_t>(sample.event.payload_case()));
  }
}

TEST(Outline, IsNotReadFromFieldsOutOfOrderOrTwice) {
  for (const testing::SampleEvent& sample : SampleEvents()) {
    std::vector<std::string> fields = FieldsOf(Canonical(sample.event));
    std::string twice;
    for (const std::string& field : fields) twice += field;
    EXPECT_FALSE(ReadOutline(twice + fields.front()).has_value()) << sample.name;
    EXPECT_FALSE(ReadOutline(twice + fields.back()).has_value()) << sample.name;
    std::swap(fields[0], fields[1]);
    std::string swapped;
    for (const std::string& field : fields) swapped += field;
    EXPECT_FALSE(ReadOutline(swapped).has_value()) << sample.name;
    EXPECT_TRUE(std::holds_alternative<v1::Event>(Parse(swapped))) << sample.name;
  }
}

TEST(Outline, IsNeverReadFromWhatParseRefusesOrReadsOtherwise) {
  std::mt19937_64 random(1);
  const std::vector<testing::SampleEvent>& samples = SampleEvents();
  size_t read = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string bytes =
        testing::Mutated(Canonical(samples[random() % samples.size()].event),
                         Canonical(samples[random() % samples.size()].event), random);
    const std::optional<Outline> outline = ReadOutline(bytes);
    if (!outline.has_value()) continue;
    ++read;
    const auto parsed = Parse(bytes);
    ASSERT_TRUE(std::holds_alternative<v1::Event>(parsed)) << round;
    ExpectSame(*outline, OutlineOf(std::get<v1::Event>(parsed)));
    ASSERT_FALSE(HasFailure()) << round;
  }
  EXPECT_GT(read, 1'000u) << "the changes must leave something to read";
}

}  // namespace
}  // namespace simpul::event
