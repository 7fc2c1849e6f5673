#include "simpul/output.h"

#include <gtest/gtest.h>

#include "simpul/delivery_text.h"
#include "simpul/summary.h"
#include "tests/support/sample_events.h"

namespace simpul::cli {
namespace {

TEST(Output, WritesOneObjectALine) {
  EXPECT_EQ(JsonLine()
                .Text("event_id", "a\"b\n")
                .Number("position", -1)
                .Flag("paused", true)
                .Null("bundle")
                .Texts("ids", {"x", "y"})
                .RawList("records", {R"({"n":1})"})
                .Raw("facility", "{}")
                .Take(),
            R"({"event_id":"a\"b\n","position":-1,"paused":true,"bundle":null,"ids":["x","y"],)"
            R"("records":[{"n":1}],"facility":{}})");
}

TEST(Output, StandsInColumnsUnderAccents) {
  Table table({"NAME", "N"});
  table.Row({"é", "1"});
  table.Row({"abcdef", "2"});
  EXPECT_EQ(table.Text(), "NAME    N\né       1\nabcdef  2");
}

TEST(Output, ShowsLocalTimeWithItsOffset) {
  event::v1::EventTime time;
  EXPECT_EQ(LocalTime(time), "");
  time.mutable_time()->set_seconds(1767575520);  // 2026-01-05T01:12:00Z
  time.set_utc_offset_min(480);
  EXPECT_EQ(LocalTime(time), "2026-01-05T09:12:00+08:00");
  time.set_utc_offset_min(-210);
  EXPECT_EQ(LocalTime(time), "2026-01-04T21:42:00-03:30");
  time.set_precision(event::v1::TIME_PRECISION_DAY);
  EXPECT_EQ(LocalTimeForPeople(time), "2026-01-04");
}

TEST(Output, GroupsThousands) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(1234567), "1,234,567");
}

TEST(Output, SaysStatesAsTheContractDoes) {
  EXPECT_EQ(StateWord(delivery::v1::DELIVERY_STATE_NOT_SENT), "not_sent");
  EXPECT_EQ(StateWord(delivery::v1::DELIVERY_STATE_WAITING), "waiting");
}

TEST(Summary, SaysWhatWasFoundForEveryKind) {
  for (const auto& [name, event] : testing::SampleEvents()) {
    EXPECT_FALSE(KindOf(event).empty());
    if (event.has_patient_linked() || event.has_patient_unlinked()) continue;
    EXPECT_FALSE(Summarise(event).empty()) << KindOf(event);
  }
}

TEST(Summary, ShowsMeasurementsInTheUnitsPeopleUse) {
  event::v1::Event event;
  event.mutable_visit()->set_weight_g(9300);
  event.mutable_visit()->set_length_mm(741);
  event.mutable_visit()->set_systolic_mmhg(120);
  event.mutable_visit()->set_diastolic_mmhg(80);
  EXPECT_EQ(Summarise(event), "9.30 kg, 74.1 cm, BP 120/80");
}

}  // namespace
}  // namespace simpul::cli
