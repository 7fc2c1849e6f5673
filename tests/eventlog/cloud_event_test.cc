#include "lib/eventlog/cloud_event.h"

#include <gtest/gtest.h>

namespace simpul::eventlog {
namespace {

Draft Described(const log::v1::LogRecord& record) {
  Draft draft;
  Describe(record, draft);
  return draft;
}

TEST(Describe, NamesAnEventByItsIdKindFacilityAndReceipt) {
  log::v1::LogRecord record;
  record.mutable_event()->set_event_id("e1");
  record.mutable_event()->set_kind(20);
  record.mutable_event()->mutable_facility()->set_code("P1");
  record.mutable_event()->set_received_at_us(7);
  const Draft draft = Described(record);
  EXPECT_EQ(draft.ce_id, "e1");
  EXPECT_EQ(draft.ce_type, "simpul.event.visit");
  EXPECT_EQ(draft.ce_source, "P1");
  EXPECT_EQ(draft.ce_time_us, 7);
}

TEST(Describe, NamesWhatWasDerivedByWhatItIs) {
  log::v1::LogRecord record;
  record.mutable_derived()->mutable_entry()->set_entry_id("n1");
  EXPECT_EQ(Described(record).ce_type, "simpul.entry");
  EXPECT_EQ(Described(record).ce_id, "n1");
  record.mutable_derived()->mutable_waiting()->set_event_id("w1");
  EXPECT_EQ(Described(record).ce_type, "simpul.waiting");
  EXPECT_EQ(Described(record).ce_id, "w1");
  record.mutable_derived()->mutable_dead_letter()->set_event_id("d1");
  const Draft reported = Described(record);
  record.mutable_dead_letter()->set_event_id("d1");
  EXPECT_EQ(reported.ce_type, "simpul.dead_letter");
  EXPECT_EQ(reported.ce_id, "d1");
  EXPECT_EQ(Described(record).ce_type, reported.ce_type);
  EXPECT_EQ(Described(record).ce_id, reported.ce_id);
}

TEST(Describe, NamesAQuarantineByTheEventThatItLeavesOut) {
  log::v1::LogRecord record;
  record.mutable_quarantine()->mutable_dead_letter()->set_event_id("e1");
  record.mutable_quarantine()->mutable_dead_letter()->mutable_facility()->set_code("P1");
  record.mutable_quarantine()->mutable_dead_letter()->set_received_at_us(7);
  record.mutable_quarantine()->set_at_us(9);
  const Draft draft = Described(record);
  EXPECT_EQ(draft.ce_id, "e1");
  EXPECT_EQ(draft.ce_type, "simpul.quarantine");
  EXPECT_EQ(draft.ce_source, "P1");
  EXPECT_EQ(draft.ce_time_us, 9);
}

TEST(Describe, NamesAnActivationOfRulesByItsId) {
  log::v1::LogRecord record;
  record.mutable_rules_activated()->set_activation_id("a1");
  record.mutable_rules_activated()->set_activated_at_us(9);
  const Draft draft = Described(record);
  EXPECT_EQ(draft.ce_id, "a1");
  EXPECT_EQ(draft.ce_type, "simpul.rules_activated");
  EXPECT_EQ(draft.ce_source, "");
  EXPECT_EQ(draft.ce_time_us, 9);
}

TEST(Describe, NamesADeliveryByItsEntryElseByWhoWroteIt) {
  log::v1::LogRecord record;
  record.mutable_delivery()->set_claim("c1");
  record.mutable_delivery()->set_at_us(9);
  record.mutable_delivery()->mutable_claimed();
  EXPECT_EQ(Described(record).ce_id, "c1");
  record.mutable_delivery()->mutable_pause();
  EXPECT_EQ(Described(record).ce_id, "c1");
  for (const auto& name : {"attempt", "outcome", "resend", "give_up"}) {
    log::v1::DeliveryRecord& step = *record.mutable_delivery();
    const std::string_view which = name;
    if (which == "attempt") step.mutable_attempt()->set_entry_id("n1");
    if (which == "outcome") step.mutable_outcome()->set_entry_id("n1");
    if (which == "resend") step.mutable_resend()->set_entry_id("n1");
    if (which == "give_up") step.mutable_give_up()->set_entry_id("n1");
    EXPECT_EQ(Described(record).ce_id, "n1") << name;
    EXPECT_EQ(Described(record).ce_type, "simpul.delivery");
    EXPECT_EQ(Described(record).ce_time_us, 9);
  }
}

}  // namespace
}  // namespace simpul::eventlog
