#include "lib/timeline/decode.h"

#include <gmock/gmock.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"
#include "lib/event/date.h"
#include "lib/event/subject.h"
#include "lib/event/validate.h"
#include "lib/timeline/activation.h"
#include "tests/support/mutated_bytes.h"
#include "tests/support/sample_events.h"
#include "tests/timeline/records.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline {
namespace {

bool HasUnknown(const google::protobuf::Message& message) {
  return !message.GetReflection()->GetUnknownFields(message).empty();
}

// Whether Project may have the record, told by protobuf alone.
bool MayBeApplied(const eventlog::OwnedRecord& record, log::v1::LogRecord& outer,
                  event::v1::Event& event) {
  if (!outer.ParseFromString(record.value) || !outer.has_event() || record.key.size() != 16 ||
      HasUnknown(outer) || HasUnknown(outer.event()) || outer.event().key_id() != 0) {
    return false;
  }
  auto parsed = event::Parse(outer.event().event());
  if (!std::holds_alternative<event::v1::Event>(parsed)) return false;
  event = std::get<event::v1::Event>(std::move(parsed));
  return !event.event_id().empty() && event.has_facility() && event.payload_case() != 0 &&
         outer.event().event_id() == event.event_id() &&
         outer.event().kind() == static_cast<uint32_t>(event.payload_case()) &&
         outer.event().facility().system() == event.facility().system() &&
         outer.event().facility().code() == event.facility().code();
}

// True when it was decoded to an event.
bool ExpectAsProtobufReads(const eventlog::OwnedRecord& record) {
  const absl::StatusOr<Decoded> decoded = Decode(7, record);
  const auto* incoming = decoded.ok() ? std::get_if<IncomingEvent>(&*decoded) : nullptr;
  log::v1::LogRecord outer;
  event::v1::Event event;
  EXPECT_EQ(incoming != nullptr, MayBeApplied(record, outer, event));
  if (incoming == nullptr || ::testing::Test::HasFailure()) return false;
  EXPECT_EQ(incoming->partition, 7u);
  EXPECT_EQ(incoming->position, record.position);
  EXPECT_EQ(incoming->event, outer.event().event());
  EXPECT_EQ(incoming->digest, outer.event().digest());
  EXPECT_EQ(incoming->original_key, outer.event().original_key());
  EXPECT_EQ(incoming->received_at_us, outer.event().received_at_us());
  log::v1::AcceptedEvent receipt;
  EXPECT_TRUE(
      receipt.ParseFromArray(incoming->receipt.data(), static_cast<int>(incoming->receipt.size())));
  EXPECT_EQ(receipt.SerializeAsString(), outer.event().SerializeAsString());
  const event::Outline outline = event::OutlineOf(event);
  EXPECT_EQ(incoming->outline.event_id, outline.event_id);
  EXPECT_EQ(incoming->outline.facility, outline.facility);
  EXPECT_EQ(incoming->outline.visit_id, outline.visit_id);
  EXPECT_EQ(incoming->outline.kind, outline.kind);
  EXPECT_EQ(incoming->outline.occurred_at_us, outline.occurred_at_us);
  EXPECT_EQ(incoming->outline.recorded_at_us, outline.recorded_at_us);
  return true;
}

TEST(Decode, ReadsWhatIntakeWrites) {
  for (const testing::SampleEvent& sample : testing::SampleEvents()) {
    for (eventlog::OwnedRecord& record : testing::Records({sample.event})) {
      EXPECT_TRUE(ExpectAsProtobufReads(record)) << sample.name;
      log::v1::LogRecord outer;
      ASSERT_TRUE(outer.ParseFromString(record.value));
      outer.mutable_event()->set_traceparent(
          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
      outer.mutable_event()->set_original_key("0123456789abcdef");
      record.value = outer.SerializeAsString();
      EXPECT_TRUE(ExpectAsProtobufReads(record)) << sample.name;
    }
  }
}

TEST(Decode, ReadsFieldsInAnyOrder) {
  eventlog::OwnedRecord record = testing::Records({testing::Weighing(1, "2026-02-03T09:00")})[0];
  log::v1::LogRecord outer;
  ASSERT_TRUE(outer.ParseFromString(record.value));
  log::v1::LogRecord first = outer;
  log::v1::LogRecord rest;
  rest.mutable_event()->set_digest(first.event().digest());
  rest.mutable_event()->set_received_at_us(first.event().received_at_us());
  first.mutable_event()->clear_digest();
  // Of a message that comes twice protobuf makes one.
  record.value = first.SerializeAsString() + rest.SerializeAsString();
  EXPECT_TRUE(ExpectAsProtobufReads(record));
  // The event's own fields the other way round.
  event::v1::Event id_only;
  id_only.set_event_id(outer.event().event_id());
  event::v1::Event without_id = testing::Weighing(1, "2026-02-03T09:00");
  without_id.clear_event_id();
  outer.mutable_event()->set_event(without_id.SerializeAsString() + id_only.SerializeAsString());
  record.value = outer.SerializeAsString();
  EXPECT_TRUE(ExpectAsProtobufReads(record));
}

// An activation of rules as it stands on the log, and changed.
absl::StatusOr<Decoded> DecodeActivation(std::string_view day,
                                         const std::function<void(log::v1::LogRecord&)>& change) {
  eventlog::OwnedRecord record = testing::Activated(7, 3, 2, *event::ParseDay(day));
  log::v1::LogRecord outer;
  EXPECT_TRUE(outer.ParseFromString(record.value));
  change(outer);
  record.value = outer.SerializeAsString();
  return Decode(7, record);
}

TEST(Decode, ReadsAnActivationOfRules) {
  const auto decoded = DecodeActivation("2026-12-10", [](log::v1::LogRecord&) {});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const auto* activation = std::get_if<rules::Activation>(&*decoded);
  ASSERT_NE(activation, nullptr);
  EXPECT_EQ(activation->version, 2u);
  EXPECT_EQ(activation->from, event::ParseDay("2026-12-10"));
  EXPECT_EQ(base::UuidText({activation->id.data(), activation->id.size()}),
            rules::ActivationId(2, activation->from));
}

TEST(Decode, StopsAtRulesThatOnlyANewerProgramKnows) {
  const std::vector<std::function<void(log::v1::LogRecord&)>> newer = {
      [](log::v1::LogRecord& record) { record.mutable_rules_activated()->set_version(77); },
      [](log::v1::LogRecord& record) {
        record.GetReflection()->MutableUnknownFields(&record)->AddVarint(900, 1);
      },
      [](log::v1::LogRecord& record) {
        log::v1::RulesActivated& activated = *record.mutable_rules_activated();
        activated.GetReflection()->MutableUnknownFields(&activated)->AddVarint(900, 1);
      }};
  for (const auto& change : newer) {
    const absl::Status status = DecodeActivation("2026-12-10", change).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(base::Message(status), ::testing::HasSubstr("upgrade me"));
  }
}

TEST(Decode, PutsAsideAnActivationWithoutDayOrId) {
  const std::vector<std::function<void(log::v1::LogRecord&)>> broken = {
      [](log::v1::LogRecord& record) { record.mutable_rules_activated()->set_from("2026-02-30"); },
      [](log::v1::LogRecord& record) { record.mutable_rules_activated()->clear_activation_id(); }};
  for (const auto& change : broken) {
    const auto decoded = DecodeActivation("2026-12-10", change);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    const auto* letter = std::get_if<log::v1::DeadLetter>(&*decoded);
    ASSERT_NE(letter, nullptr);
    EXPECT_EQ(letter->cause(), kUndecodable);
  }
}

TEST(ActivationDraft, LiesInItsPartitionUnderNobodysKey) {
  for (const uint32_t partitions : {1u, 4u, 24u, 96u}) {
    for (uint32_t partition = 0; partition < partitions; ++partition) {
      const eventlog::Draft draft =
          ActivationDraft(2, *event::ParseDay("2026-12-10"), partition, partitions, 9, "sari");
      EXPECT_EQ(draft.topic, eventlog::Topic::kEvents);
      EXPECT_EQ(draft.key.size(), 16u);
      EXPECT_EQ(event::PartitionOf(draft.key, partitions), partition);
      EXPECT_EQ(draft.ce_type, "simpul.rules_activated");
      EXPECT_EQ(draft.ce_id, rules::ActivationId(2, *event::ParseDay("2026-12-10")));
      EXPECT_EQ(draft.ce_time_us, 9);
    }
  }
}

TEST(Decode, AgreesWithProtobufOnAnyBytes) {
  std::mt19937_64 random(3);
  std::vector<eventlog::OwnedRecord> records;
  for (const testing::SampleEvent& sample : testing::SampleEvents()) {
    records.push_back(testing::Records({sample.event})[0]);
  }
  size_t decoded = 0;
  for (int round = 0; round < 20'000; ++round) {
    eventlog::OwnedRecord record = records[random() % records.size()];
    record.value = testing::Mutated(record.value, records[random() % records.size()].value, random);
    if (ExpectAsProtobufReads(record)) ++decoded;
    ASSERT_FALSE(HasFailure()) << round;
  }
  EXPECT_GT(decoded, 200u) << "the changes must leave something to read";
}

}  // namespace
}  // namespace simpul::timeline
