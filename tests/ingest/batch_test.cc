#include "ingest/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "lib/base/status_macros.h"
#include "lib/event/validate.h"
#include "simpul/ingest/v1/ingest.pb.h"

namespace simpul::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Refused(std::string_view request) {
  const auto batch = SplitBatch(request);
  EXPECT_EQ(batch.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(base::Message(batch.status()));
}

std::string Framed(size_t event_bytes) {
  std::string out("\x0a");
  for (size_t rest = event_bytes;; rest >>= 7) {
    if (rest < 0x80) {
      out.push_back(static_cast<char>(rest));
      break;
    }
    out.push_back(static_cast<char>(rest | 0x80));
  }
  return out + std::string(event_bytes, 'x');
}

TEST(SplitBatch, GivesTheBytesOfEachEventInOrder) {
  v1::SubmitEventsRequest request;
  request.add_events()->set_event_id("one");
  request.add_events()->set_event_id("two");
  const std::string bytes = request.SerializeAsString();
  const auto batch = SplitBatch(bytes);
  ASSERT_TRUE(batch.ok());
  EXPECT_THAT(*batch, ElementsAre(request.events(0).SerializeAsString(),
                                  request.events(1).SerializeAsString()));
}

TEST(SplitBatch, DoesNotLookIntoEvents) {
  const std::string bytes("\x0a\x03\xff\xff\xff\x0a\x00", 7);
  const auto batch = SplitBatch(bytes);
  ASSERT_TRUE(batch.ok());
  EXPECT_THAT(*batch, ElementsAre("\xff\xff\xff", ""));
}

TEST(SplitBatch, RefusesAnEmptyBatch) {
  EXPECT_THAT(Refused(""), HasSubstr("holds no event. Send 1 to 500."));
}

TEST(SplitBatch, TakesFiveHundredEventsAndNoMore) {
  std::string request;
  for (int i = 0; i < 500; ++i) request += Framed(1);
  ASSERT_TRUE(SplitBatch(request).ok());
  EXPECT_THAT(Refused(request + Framed(1)), HasSubstr("holds 501 events; at most 500"));
}

TEST(SplitBatch, TakesOneMebibyteOfEventsAndNoMore) {
  std::string request;
  for (int i = 0; i < 16; ++i) request += Framed(64 << 10);
  ASSERT_TRUE(SplitBatch(request).ok());
  EXPECT_THAT(Refused(request + Framed(1)),
              HasSubstr("has 1048577 bytes; at most 1048576 are taken"));
}

TEST(SplitBatch, RefusesWhatIsNoMessage) {
  for (const std::string& bytes :
       {std::string("hello"),
        std::string("\x0a\x05"
                    "ab"),
        std::string("\x0a"), std::string("\x0a\xff\xff\xff\xff\x0f", 6), std::string("\x00\x00", 2),
        std::string("\x08\x01", 2), std::string(11, '\xff')}) {
    EXPECT_THAT(Refused(bytes), HasSubstr("Nothing was written"));
  }
}

TEST(SplitBatch, SaysThatItIsOlderThanARequestWithANewField) {
  EXPECT_THAT(Refused(Framed(1) + "\x12\x01x"),
              HasSubstr("has a field 2 that this Simpul does not know"));
}

TEST(SplitBatch, HasAnAnswerForAnyBytes) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) {
      byte = random() % 3 == 0 ? '\x0a' : static_cast<char>(random() % 256);
    }
    const auto batch = SplitBatch(bytes);
    if (!batch.ok()) continue;
    size_t total = 0;
    for (const std::string_view event : *batch) total += event.size();
    ASSERT_LE(total, bytes.size());
  }
}

TEST(CheckRequestBytes, RefusesBeforeLooking) {
  EXPECT_TRUE(CheckRequestBytes(1 << 20).ok());
  EXPECT_THAT(std::string(base::Message(CheckRequestBytes(2 << 20))),
              HasSubstr("has 2097152 bytes; at most 1048576"));
}

}  // namespace
}  // namespace simpul::ingest
