#include "lib/eventlog/cloud_event.h"

#include <fmt/format.h>

#include <string>

#include "lib/event/kind.h"

namespace simpul::eventlog {
namespace {

void DescribeLetter(const log::v1::DeadLetter& letter, Draft& draft) {
  draft.ce_id = letter.event_id();
  draft.ce_type = "simpul.dead_letter";
  draft.ce_source = letter.facility().code();
  draft.ce_time_us = letter.received_at_us();
}

void DescribeEvent(const log::v1::AcceptedEvent& event, Draft& draft) {
  draft.ce_id = event.event_id();
  draft.ce_type = fmt::format("simpul.event.{}", event::KindName(event.kind()));
  draft.ce_source = event.facility().code();
  draft.ce_time_us = event.received_at_us();
}

void DescribeDerived(const log::v1::DerivedRecord& derived, Draft& draft) {
  if (derived.has_entry()) {
    draft.ce_id = derived.entry().entry_id();
    draft.ce_type = "simpul.entry";
    draft.ce_source = derived.entry().facility().code();
  } else if (derived.has_waiting()) {
    draft.ce_id = derived.waiting().event_id();
    draft.ce_type = "simpul.waiting";
    draft.ce_source = derived.waiting().facility().code();
    draft.ce_time_us = derived.waiting().received_at_us();
  } else {
    DescribeLetter(derived.dead_letter(), draft);
  }
}

// By the entry it is about, else by the forwarder that wrote it.
void DescribeDelivery(const log::v1::DeliveryRecord& step, Draft& draft) {
  draft.ce_id = step.has_attempt()   ? step.attempt().entry_id()
                : step.has_outcome() ? step.outcome().entry_id()
                : step.has_resend()  ? step.resend().entry_id()
                : step.has_give_up() ? step.give_up().entry_id()
                                     : step.claim();
  draft.ce_type = "simpul.delivery";
  draft.ce_time_us = step.at_us();
}

}  // namespace

void Describe(const log::v1::LogRecord& record, Draft& draft) {
  switch (record.body_case()) {
    case log::v1::LogRecord::kInstall:
      draft.ce_type = "simpul.install";
      break;
    case log::v1::LogRecord::kEvent:
      DescribeEvent(record.event(), draft);
      break;
    case log::v1::LogRecord::kDerived:
      DescribeDerived(record.derived(), draft);
      break;
    case log::v1::LogRecord::kDelivery:
      DescribeDelivery(record.delivery(), draft);
      break;
    case log::v1::LogRecord::kDeadLetter:
      DescribeLetter(record.dead_letter(), draft);
      break;
    case log::v1::LogRecord::kQuarantine:
      DescribeLetter(record.quarantine().dead_letter(), draft);
      draft.ce_type = "simpul.quarantine";
      draft.ce_time_us = record.quarantine().at_us();
      break;
    case log::v1::LogRecord::kRulesActivated:
      draft.ce_id = record.rules_activated().activation_id();
      draft.ce_type = "simpul.rules_activated";
      draft.ce_time_us = record.rules_activated().activated_at_us();
      break;
    case log::v1::LogRecord::BODY_NOT_SET:
      break;
  }
}

}  // namespace simpul::eventlog
