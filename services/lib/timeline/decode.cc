#include "lib/timeline/decode.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <memory>
#include <optional>
#include <utility>

#include "lib/base/uuid.h"
#include "lib/base/wire.h"
#include "lib/event/date.h"
#include "lib/event/validate.h"
#include "lib/event/wire_check.h"

namespace simpul::timeline {
namespace {

using log::v1::AcceptedEvent;
using log::v1::DerivedRecord;
using log::v1::LogRecord;

absl::Status Newer(uint32_t partition, int64_t position, std::string_view what) {
  return absl::FailedPreconditionError(
      fmt::format("Partition {} position {}: {}. It was written by a newer Simpul: upgrade me.",
                  partition, position, what));
}

bool HasUnknown(const google::protobuf::Message& message) {
  return !message.GetReflection()->GetUnknownFields(message).empty();
}

// Takes the receipt's fields; false for anything but what intake writes, in the order it does.
bool ReadReceipt(std::string_view bytes, IncomingEvent& incoming, std::string_view& event_id,
                 event::FacilityView& facility, uint64_t& kind) {
  base::WireReader in(bytes);
  while (in.Next()) {
    if (!in.is_in_order()) return false;
    const base::WireField& field = in.field();
    const bool is_number = field.number == AcceptedEvent::kKindFieldNumber ||
                           field.number == AcceptedEvent::kReceivedAtUsFieldNumber;
    if (field.type != (is_number ? base::WireType::kVarint : base::WireType::kBytes)) return false;
    switch (field.number) {
      case AcceptedEvent::kEventIdFieldNumber:
        event_id = field.bytes;
        break;
      case AcceptedEvent::kFacilityFieldNumber:
        if (!event::ReadFacility(field.bytes, facility)) return false;
        break;
      case AcceptedEvent::kKindFieldNumber:
        kind = field.value;
        break;
      case AcceptedEvent::kDigestFieldNumber:
        incoming.digest = field.bytes;
        break;
      case AcceptedEvent::kReceivedAtUsFieldNumber:
        incoming.received_at_us = static_cast<int64_t>(field.value);
        break;
      case AcceptedEvent::kEventFieldNumber:
        incoming.event = field.bytes;
        break;
      case AcceptedEvent::kOriginalKeyFieldNumber:
        incoming.original_key = field.bytes;
        break;
      case AcceptedEvent::kTraceparentFieldNumber:
        if (!event::IsUtf8(field.bytes)) return false;
        break;
      default:
        return false;  // a key id, or a field unknown here
    }
  }
  return in.ok();
}

// A record as intake writes it, read without building messages. Nullopt for every other: those are
// read with care below, which comes to the same for these.
std::optional<IncomingEvent> ReadAsWritten(uint32_t partition,
                                           const eventlog::OwnedRecord& record) {
  if (record.key.size() != sizeof(event::SubjectKey::bytes)) return std::nullopt;
  base::WireReader outer(record.value);
  if (!outer.Next() || outer.field().number != LogRecord::kEventFieldNumber ||
      outer.field().type != base::WireType::kBytes) {
    return std::nullopt;
  }
  IncomingEvent incoming;
  incoming.partition = partition;
  incoming.position = record.position;
  incoming.receipt = outer.field().bytes;
  std::string_view event_id;
  event::FacilityView facility;
  uint64_t kind = 0;
  if (outer.Next() || !outer.ok() ||
      !ReadReceipt(incoming.receipt, incoming, event_id, facility, kind)) {
    return std::nullopt;
  }
  const std::optional<event::Outline> outline = event::ReadOutline(incoming.event);
  if (!outline.has_value() || event_id.empty() || event_id != outline->event_id || kind == 0 ||
      kind != outline->kind || !outline->has_facility || facility != outline->facility) {
    return std::nullopt;
  }
  incoming.outline = *outline;
  return incoming;
}

// What the views of a record show that had to be parsed.
struct Parsed {
  std::string receipt_bytes;
  AcceptedEvent receipt;
  event::v1::Event event;
};

absl::StatusOr<Decoded> DecodeWithCare(uint32_t partition, const eventlog::OwnedRecord& record) {
  LogRecord outer;
  const auto undecodable = [&](std::string_view message) {
    log::v1::DeadLetter letter;
    letter.set_cause(std::string(kUndecodable));
    letter.set_stage("decode");
    letter.set_partition(partition);
    letter.set_position(record.position);
    letter.set_event_id(outer.event().event_id());
    if (outer.event().has_facility()) *letter.mutable_facility() = outer.event().facility();
    letter.set_message(std::string(message));
    letter.set_received_at_us(outer.event().received_at_us());
    return Decoded(std::move(letter));
  };
  if (!outer.ParseFromString(record.value)) return undecodable("The record is no log record.");
  if (outer.body_case() == LogRecord::BODY_NOT_SET) {
    if (!HasUnknown(outer)) return undecodable("The record is empty.");
    return Newer(partition, record.position, "an unknown kind of record");
  }
  if (outer.has_rules_activated()) {
    const log::v1::RulesActivated& activated = outer.rules_activated();
    if (HasUnknown(outer) || HasUnknown(activated)) {
      return Newer(partition, record.position, "an unknown field of an activation of rules");
    }
    const std::optional<std::chrono::sys_days> from = event::ParseDay(activated.from());
    if (!from.has_value() || !base::IsUuid(activated.activation_id())) {
      return undecodable("The activation of rules lacks its day or its id.");
    }
    if (rules::FindRuleSet(activated.version()) == nullptr) {
      return Newer(partition, record.position,
                   fmt::format("version {} of the rules is activated", activated.version()));
    }
    rules::Activation activation{.version = activated.version(), .from = *from};
    base::UuidBytes(activated.activation_id()).copy(activation.id.data(), activation.id.size());
    return Decoded(activation);
  }
  if (!outer.has_event()) return undecodable("The record holds no event.");
  if (record.key.size() != 16) return undecodable("The record's key is no subject key.");
  AcceptedEvent& receipt = *outer.mutable_event();
  if (HasUnknown(outer) || HasUnknown(receipt)) {
    return Newer(partition, record.position, "an unknown field of the receipt");
  }
  if (receipt.key_id() != 0) {
    return Newer(partition, record.position, "an event sealed with a patient's key");
  }
  auto parsed = event::Parse(receipt.event());
  if (const auto* refusal = std::get_if<event::Refusal>(&parsed)) {
    if (refusal->after_upgrade) {
      return Newer(partition, record.position, "an event with an unknown field or value");
    }
    return undecodable("The event cannot be read.");
  }
  const auto parts = std::make_shared<Parsed>();
  parts->event = std::get<event::v1::Event>(std::move(parsed));
  const event::Outline outline = event::OutlineOf(parts->event);
  if (outline.event_id.empty() || !outline.has_facility || outline.kind == 0) {
    return undecodable("The event lacks its id, its facility or its payload.");
  }
  if (receipt.event_id() != outline.event_id || receipt.kind() != outline.kind ||
      event::ViewOf(receipt.facility()) != outline.facility) {
    return undecodable("The receipt is that of another event.");
  }
  parts->receipt_bytes = receipt.SerializeAsString();
  parts->receipt = std::move(receipt);
  IncomingEvent incoming;
  incoming.partition = partition;
  incoming.position = record.position;
  incoming.receipt = parts->receipt_bytes;
  incoming.event = parts->receipt.event();
  incoming.digest = parts->receipt.digest();
  incoming.original_key = parts->receipt.original_key();
  incoming.received_at_us = parts->receipt.received_at_us();
  incoming.outline = outline;
  incoming.owner = parts;
  return Decoded(std::move(incoming));
}

}  // namespace

absl::StatusOr<Decoded> Decode(uint32_t partition, const eventlog::OwnedRecord& record) {
  std::optional<IncomingEvent> incoming = ReadAsWritten(partition, record);
  if (incoming.has_value()) return Decoded(*std::move(incoming));
  return DecodeWithCare(partition, record);
}

absl::StatusOr<DerivedHead> DecodeDerivedHead(std::string_view value) {
  base::WireReader outer(value);
  if (outer.Next() && outer.field().number == LogRecord::kDerivedFieldNumber &&
      outer.field().type == base::WireType::kBytes) {
    base::WireReader derived(outer.field().bytes);
    if (derived.Next() && derived.field().number == DerivedRecord::kNumberFieldNumber &&
        derived.field().type == base::WireType::kVarint) {
      DerivedHead head{.number = derived.field().value};
      if (derived.Next() && derived.field().number == DerivedRecord::kSourcePositionFieldNumber &&
          derived.field().type == base::WireType::kVarint) {
        head.source_position = static_cast<int64_t>(derived.field().value);
      }
      return head;
    }
  }
  return absl::InvalidArgumentError("A record of topic entries is no derived record.");
}

void AppendDerivedEntry(std::string& out, uint64_t number, int64_t source_position,
                        std::string_view entry) {
  const auto source = static_cast<uint64_t>(source_position);
  size_t size = 1 + base::VarintSize(number);
  if (source != 0) size += 1 + base::VarintSize(source);
  size += 1 + base::VarintSize(entry.size()) + entry.size();
  base::PutTag(out, LogRecord::kDerivedFieldNumber, base::WireType::kBytes);
  base::PutVarint(out, size);
  base::PutNumberField(out, DerivedRecord::kNumberFieldNumber, number);
  base::PutNumberField(out, DerivedRecord::kSourcePositionFieldNumber, source);
  base::PutMessageField(out, DerivedRecord::kEntryFieldNumber, entry);
}

}  // namespace simpul::timeline
