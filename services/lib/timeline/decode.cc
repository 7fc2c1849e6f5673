#include "lib/timeline/decode.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>
#include <google/protobuf/wire_format_lite.h>

#include <utility>

#include "lib/event/kind.h"
#include "lib/event/validate.h"

namespace simpul::timeline {
namespace {

using google::protobuf::internal::WireFormatLite;

absl::Status Newer(uint32_t partition, int64_t position, std::string_view what) {
  return absl::FailedPreconditionError(
      fmt::format("Partition {} position {}: {}. It was written by a newer Simpul: upgrade me.",
                  partition, position, what));
}

// Tags of the fields that a derived record begins with.
constexpr uint32_t kDerivedTag = (3 << 3) | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
constexpr uint32_t kNumberTag = (1 << 3) | WireFormatLite::WIRETYPE_VARINT;
constexpr uint32_t kSourceTag = (2 << 3) | WireFormatLite::WIRETYPE_VARINT;
constexpr uint32_t kEntryTag = (3 << 3) | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;

bool HasUnknown(const google::protobuf::Message& message) {
  return !message.GetReflection()->GetUnknownFields(message).empty();
}

void PutVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

}  // namespace

absl::StatusOr<Decoded> Decode(uint32_t partition, const eventlog::OwnedRecord& record) {
  log::v1::LogRecord outer;
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
  if (outer.body_case() == log::v1::LogRecord::BODY_NOT_SET) {
    if (!HasUnknown(outer)) return undecodable("The record is empty.");
    return Newer(partition, record.position, "an unknown kind of record");
  }
  if (!outer.has_event()) return undecodable("The record holds no event.");
  if (record.key.size() != 16) return undecodable("The record's key is no subject key.");
  log::v1::AcceptedEvent& receipt = *outer.mutable_event();
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
  IncomingEvent incoming;
  incoming.partition = partition;
  incoming.position = record.position;
  incoming.event = std::get<event::v1::Event>(std::move(parsed));
  const event::v1::Event& event = incoming.event;
  const auto kind = static_cast<uint32_t>(event.payload_case());
  if (event.event_id().empty() || !event.has_facility() || kind == 0) {
    return undecodable("The event lacks its id, its facility or its payload.");
  }
  if (receipt.event_id() != event.event_id() || receipt.kind() != kind ||
      receipt.facility().system() != event.facility().system() ||
      receipt.facility().code() != event.facility().code()) {
    return undecodable("The receipt is that of another event.");
  }
  incoming.receipt = std::move(receipt);
  return Decoded(std::move(incoming));
}

absl::StatusOr<DerivedHead> DecodeDerivedHead(std::string_view value) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(value.data()),
                                            static_cast<int>(value.size()));
  DerivedHead head;
  uint32_t size = 0;
  if (in.ReadTag() == kDerivedTag && in.ReadVarint32(&size) && in.ReadTag() == kNumberTag &&
      in.ReadVarint64(&head.number)) {
    return head;
  }
  return absl::InvalidArgumentError("A record of topic entries is no derived record.");
}

void AppendDerivedEntry(std::string& out, uint64_t number, int64_t source_position,
                        std::string_view entry) {
  std::string start;
  start.push_back(static_cast<char>(kNumberTag));
  PutVarint(start, number);
  if (source_position != 0) {
    start.push_back(static_cast<char>(kSourceTag));
    PutVarint(start, static_cast<uint64_t>(source_position));
  }
  start.push_back(static_cast<char>(kEntryTag));
  PutVarint(start, entry.size());
  out.push_back(static_cast<char>(kDerivedTag));
  PutVarint(out, start.size() + entry.size());
  out.append(start);
  out.append(entry);
}

}  // namespace simpul::timeline
