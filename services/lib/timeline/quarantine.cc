#include "lib/timeline/quarantine.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <string>
#include <system_error>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/status_macros.h"
#include "lib/base/wire.h"
#include "lib/event/outline.h"
#include "lib/event/subject.h"
#include "lib/event/wire_check.h"
#include "lib/eventlog/cloud_event.h"
#include "lib/timeline/project.h"

namespace simpul::timeline {
namespace {

using log::v1::AcceptedEvent;
using log::v1::LogRecord;

constexpr std::string_view kMagic = "SIMPHOLD";
constexpr size_t kCheckBytes = 8;

bool HasUnknown(const google::protobuf::Message& message) {
  return !message.GetReflection()->GetUnknownFields(message).empty();
}

// Not by parsing: whatever ends the program may be in there.
void ReadReceipt(std::string_view record, log::v1::DeadLetter& letter) {
  base::WireReader outer(record);
  if (!outer.Next() || outer.field().number != LogRecord::kEventFieldNumber ||
      outer.field().type != base::WireType::kBytes) {
    return;
  }
  for (base::WireReader in(outer.field().bytes); in.Next();) {
    const base::WireField& field = in.field();
    const bool is_text = field.type == base::WireType::kBytes;
    if (field.number == AcceptedEvent::kEventIdFieldNumber && is_text &&
        event::IsUtf8(field.bytes)) {
      letter.set_event_id(std::string(field.bytes));
    } else if (field.number == AcceptedEvent::kFacilityFieldNumber && is_text) {
      event::FacilityView facility;
      if (!event::ReadFacility(field.bytes, facility) || !event::IsUtf8(facility.system) ||
          !event::IsUtf8(facility.code)) {
        continue;
      }
      letter.mutable_facility()->set_system(std::string(facility.system));
      letter.mutable_facility()->set_code(std::string(facility.code));
    } else if (field.number == AcceptedEvent::kReceivedAtUsFieldNumber &&
               field.type == base::WireType::kVarint) {
      letter.set_received_at_us(static_cast<int64_t>(field.value));
    }
  }
}

// The event's key; where it is none of this partition, some other that is.
std::string KeyOf(std::string_view own, uint32_t partition, uint32_t partitions) {
  std::string key(own);
  const auto fits = [&] {
    return key.size() == sizeof(event::SubjectKey::bytes) &&
           event::PartitionOf(key, partitions) == partition;
  };
  for (uint64_t n = 0; !fits(); ++n) {
    key.assign(8, '\0');
    base::PutBe64(key, n);
  }
  return key;
}

std::string HoldBytes(const StoreOrigin& origin, int64_t position) {
  std::string bytes(kMagic);
  bytes.append(origin.install);
  base::PutBe32(bytes, origin.partition);
  base::PutBe64(bytes, static_cast<uint64_t>(position));
  const base::Sha256Digest digest = base::Sha256(bytes);
  bytes.append(base::AsBytes(digest).substr(0, kCheckBytes));
  return bytes;
}

}  // namespace

eventlog::Draft QuarantineDraft(const eventlog::OwnedRecord& event, uint32_t partition,
                                uint32_t partitions, int64_t at_us, std::string_view by,
                                std::string_view reason) {
  LogRecord record;
  log::v1::Quarantine& quarantine = *record.mutable_quarantine();
  log::v1::DeadLetter& letter = *quarantine.mutable_dead_letter();
  letter.set_cause(std::string(kQuarantined));
  letter.set_stage("project");
  letter.set_partition(partition);
  letter.set_position(event.position);
  letter.set_message(fmt::format("It was left out by an operator: {}", reason));
  ReadReceipt(event.value, letter);
  quarantine.set_at_us(at_us);
  quarantine.set_by(std::string(by));
  quarantine.set_reason(std::string(reason));
  eventlog::Draft draft;
  draft.topic = eventlog::Topic::kDeadLetters;
  draft.key = KeyOf(event.key, partition, partitions);
  eventlog::Describe(record, draft);
  draft.value = record.SerializeAsString();
  return draft;
}

absl::StatusOr<std::optional<log::v1::DeadLetter>> DecodeQuarantine(
    uint32_t partition, const eventlog::OwnedRecord& record) {
  const auto where = [&] {
    return fmt::format("{} position {}",
                       eventlog::PlaceText({eventlog::Topic::kDeadLetters, partition}),
                       record.position);
  };
  // Most are dead letters, and there is nothing to be learnt from those here.
  base::WireReader outer(record.value);
  if (outer.Next() && outer.field().number == LogRecord::kDeadLetterFieldNumber) {
    return std::nullopt;
  }
  LogRecord parsed;
  if (!parsed.ParseFromString(record.value)) {
    return absl::InternalError(fmt::format("{}: it is no log record", where()));
  }
  if (HasUnknown(parsed) || HasUnknown(parsed.quarantine()) ||
      HasUnknown(parsed.quarantine().dead_letter())) {
    return absl::FailedPreconditionError(
        fmt::format("{}: it was written by a newer Simpul: upgrade me.", where()));
  }
  if (!parsed.has_quarantine()) return std::nullopt;
  log::v1::DeadLetter letter = std::move(*parsed.mutable_quarantine()->mutable_dead_letter());
  if (letter.partition() != partition || letter.position() < 1 || letter.cause() != kQuarantined) {
    return absl::InternalError(
        fmt::format("{}: it leaves out no event of this partition", where()));
  }
  return letter;
}

absl::StatusOr<std::optional<int64_t>> HoldFile::Read() const {
  const absl::StatusOr<std::string> found = base::ReadFile(path_);
  if (absl::IsNotFound(found.status())) return std::nullopt;
  if (!found.ok()) return found.status();
  const std::string ours = HoldBytes(origin_, 0);
  const size_t before = kMagic.size() + origin_.install.size() + 4;
  if (found->size() == ours.size() && found->starts_with(kMagic)) {
    const auto position =
        static_cast<int64_t>(base::GetBe64(std::string_view(*found).substr(before)));
    if (*found == HoldBytes(origin_, position)) return position;
    const std::string_view content(found->data(), found->size() - kCheckBytes);
    const base::Sha256Digest digest = base::Sha256(content);
    const bool is_whole = found->ends_with(base::AsBytes(digest).substr(0, kCheckBytes));
    if (is_whole) return std::nullopt;
  }
  return absl::FailedPreconditionError(fmt::format(
      "{} is damaged: it says before which event this partition has to stay. When no `simpul "
      "dead-letters --quarantine` is under way, delete it and start again.",
      path_.string()));
}

absl::Status HoldFile::Write(int64_t position) const {
  return base::WriteFileAtomically(path_, HoldBytes(origin_, position));
}

absl::Status HoldFile::Remove() const {
  std::error_code error;
  std::filesystem::remove(path_, error);
  if (error) {
    return absl::InternalError(
        fmt::format("{} cannot be removed: {}", path_.string(), error.message()));
  }
  return base::SyncFolder(path_.parent_path());
}

}  // namespace simpul::timeline
