#include "lib/deliver/ledger_row.h"

#include <algorithm>

#include "lib/base/bytes.h"
#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"

namespace simpul::deliver {
namespace {

using delivery::v1::DeliveryState;

class Writer {
 public:
  void Number(uint64_t v) {
    for (; v >= 0x80; v >>= 7) out_.push_back(static_cast<char>(v | 0x80));
    out_.push_back(static_cast<char>(v));
  }
  void Text(std::string_view text) {
    Number(text.size());
    out_ += text;
  }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  uint64_t Number() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) break;
      const auto byte = static_cast<uint8_t>(in_.front());
      in_.remove_prefix(1);
      v |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return v;
    }
    broken_ = true;
    return 0;
  }
  std::string Text() { return std::string(View()); }
  // The same, of the bytes that are read.
  std::string_view View() {
    const uint64_t length = Number();
    if (length > in_.size()) {
      broken_ = true;
      return "";
    }
    const std::string_view text = in_.substr(0, length);
    in_.remove_prefix(length);
    return text;
  }
  // Never more elements than bytes left: a broken count cannot ask for memory.
  uint64_t Count() {
    const uint64_t count = Number();
    if (count > in_.size()) broken_ = true;
    return broken_ ? 0 : count;
  }
  absl::Status Done() const {
    return broken_ || !in_.empty() ? absl::DataLossError("a row of the ledger is damaged")
                                   : absl::OkStatus();
  }

 private:
  std::string_view in_;
  bool broken_ = false;
};

void SetUnsettled(EntryRow& row, uint32_t revision, bool unsettled) {
  const auto at = std::lower_bound(row.unsettled.begin(), row.unsettled.end(), revision);
  const bool there = at != row.unsettled.end() && *at == revision;
  if (unsettled && !there) row.unsettled.insert(at, revision);
  if (!unsettled && there) row.unsettled.erase(at);
}

}  // namespace

std::string Encode(const RevisionRow& row) {
  Writer out;
  out.Number(row.number);
  out.Number(static_cast<uint64_t>(row.received_at_us));
  out.Number(row.attempts);
  out.Number(row.ended);
  out.Number(row.tries);
  out.Number((row.open ? 1u : 0u) | (row.given_up ? 2u : 0u));
  out.Number(static_cast<uint64_t>(row.open_at_us));
  out.Number(static_cast<uint64_t>(row.last));
  out.Text(row.reason);
  out.Text(row.platform_says);
  out.Text(row.request_id);
  out.Number(static_cast<uint64_t>(row.retry_at_us));
  out.Number(static_cast<uint64_t>(row.changed_at_us));
  out.Text(row.ids_digest);
  return out.Take();
}

absl::Status Decode(std::string_view bytes, RevisionRow& row) {
  Reader in(bytes);
  row.number = in.Number();
  row.received_at_us = static_cast<int64_t>(in.Number());
  row.attempts = static_cast<uint32_t>(in.Number());
  row.ended = static_cast<uint32_t>(in.Number());
  row.tries = static_cast<uint32_t>(in.Number());
  const uint64_t flags = in.Number();
  row.open = (flags & 1) != 0;
  row.given_up = (flags & 2) != 0;
  row.open_at_us = static_cast<int64_t>(in.Number());
  row.last = static_cast<log::v1::OutcomeClass>(in.Number());
  row.reason = in.Text();
  row.platform_says = in.Text();
  row.request_id = in.Text();
  row.retry_at_us = static_cast<int64_t>(in.Number());
  row.changed_at_us = static_cast<int64_t>(in.Number());
  row.ids_digest = in.Text();
  return in.Done();
}

std::string Encode(const EntryRow& row) {
  Writer out;
  out.Text(row.subject_key);
  out.Text(row.facility_system);
  out.Text(row.facility_code);
  out.Number(row.kind);
  out.Number(row.latest);
  out.Number(row.events.size());
  for (const CarriedEvent& event : row.events) {
    out.Text(event.event_id);
    out.Number(event.first_revision);
  }
  out.Number(row.revision_seen);
  out.Number(row.delivered);
  out.Number(row.unsettled.size());
  for (const uint32_t revision : row.unsettled) out.Number(revision);
  out.Number(row.kept_from);
  out.Text(row.queue_key);
  out.Text(row.held_key);
  out.Text(row.unsettled_key);
  return out.Take();
}

absl::Status Decode(std::string_view bytes, EntryRow& row) {
  Reader in(bytes);
  row.subject_key = in.Text();
  row.facility_system = in.Text();
  row.facility_code = in.Text();
  row.kind = static_cast<uint32_t>(in.Number());
  row.latest = static_cast<uint32_t>(in.Number());
  row.events.resize(in.Count());
  for (CarriedEvent& event : row.events) {
    event.event_id = in.Text();
    event.first_revision = static_cast<uint32_t>(in.Number());
  }
  row.revision_seen = static_cast<uint32_t>(in.Number());
  row.delivered = static_cast<uint32_t>(in.Number());
  row.unsettled.resize(in.Count());
  for (uint32_t& revision : row.unsettled) revision = static_cast<uint32_t>(in.Number());
  row.kept_from = static_cast<uint32_t>(in.Number());
  row.queue_key = in.Text();
  row.held_key = in.Text();
  row.unsettled_key = in.Text();
  return in.Done();
}

std::string Encode(const EntryRow& row, const RevisionRow& latest) {
  Writer out;
  out.Text(Encode(row));
  if (row.latest != 0) out.Text(Encode(latest));
  return out.Take();
}

absl::Status Decode(std::string_view bytes, EntryRow& row, RevisionRow& latest) {
  Reader in(bytes);
  SIMPUL_RETURN_IF_ERROR(Decode(in.View(), row));
  if (row.latest != 0) SIMPUL_RETURN_IF_ERROR(Decode(in.View(), latest));
  return in.Done();
}

std::string Encode(const PartsRow& row) {
  Writer out;
  out.Number(row.parts.size());
  for (const PartRow& part : row.parts) {
    out.Text(part.key);
    out.Text(part.resource_type);
    out.Text(part.id);
    out.Number(part.revision);
    out.Number(part.withdrawn ? 1 : 0);
  }
  return out.Take();
}

absl::Status Decode(std::string_view bytes, PartsRow& row) {
  Reader in(bytes);
  row.parts.resize(in.Count());
  for (PartRow& part : row.parts) {
    part.key = in.Text();
    part.resource_type = in.Text();
    part.id = in.Text();
    part.revision = static_cast<uint32_t>(in.Number());
    part.withdrawn = in.Number() != 0;
  }
  return in.Done();
}

void TakeEntry(const timeline::v1::Entry& entry, uint64_t number, EntryRow& row,
               RevisionRow& revision) {
  row.subject_key = entry.subject_key();
  row.facility_system = entry.facility().system();
  row.facility_code = entry.facility().code();
  row.kind = static_cast<uint32_t>(entry.kind());
  row.latest = entry.revision();
  revision.number = number;
  const auto carry = [&row, &entry](const std::string& event_id) {
    if (!base::IsUuid(event_id)) return;
    const std::string bytes = base::UuidBytes(event_id);
    for (const CarriedEvent& event : row.events) {
      if (event.event_id == bytes) return;
    }
    row.events.push_back({bytes, entry.revision()});
  };
  for (const timeline::v1::Member& member : entry.members()) {
    carry(member.event_id());
    revision.received_at_us = std::max(revision.received_at_us, member.received_at_us());
    for (const timeline::v1::Amendment& amendment : member.amendments()) {
      carry(amendment.event_id());
      revision.received_at_us = std::max(revision.received_at_us, amendment.received_at_us());
    }
  }
}

void TakeAttempt(const log::v1::Attempt& attempt, int64_t at_us, EntryRow& row,
                 RevisionRow& revision) {
  row.revision_seen = std::max(row.revision_seen, attempt.revision());
  revision.attempts = std::max(revision.attempts, attempt.attempt());
  // Written twice, or by a process that was stopped while another went on.
  if (attempt.attempt() <= revision.ended) return;
  if (revision.last == log::v1::OUTCOME_CLASS_DELIVERED) return;
  revision.open = true;
  revision.open_at_us = at_us;
  SetUnsettled(row, attempt.revision(), true);
}

void TakeOutcome(const log::v1::Outcome& outcome, int64_t at_us, EntryRow& row,
                 RevisionRow& revision, PartsRow& parts) {
  row.revision_seen = std::max(row.revision_seen, outcome.revision());
  const bool delivered = outcome.outcome() == log::v1::OUTCOME_CLASS_DELIVERED;
  if (revision.last == log::v1::OUTCOME_CLASS_DELIVERED) return;
  // An answer that came after a later attempt was begun settles nothing unless it is good news.
  if (!delivered && outcome.attempt() < revision.attempts) {
    if (outcome.attempt() != 0 || revision.open) return;
  }
  revision.open = false;
  revision.ended = std::max(revision.ended, outcome.attempt());
  revision.last = outcome.outcome();
  revision.reason = outcome.reason();
  revision.platform_says = outcome.platform_says();
  revision.request_id = outcome.request_id();
  revision.retry_at_us = outcome.retry_at_us();
  revision.changed_at_us = at_us;
  if (!delivered) ++revision.tries;
  SetUnsettled(row, outcome.revision(), outcome.outcome() == log::v1::OUTCOME_CLASS_UNKNOWN);

  if (delivered) {
    revision.given_up = false;
    std::vector<std::string> ids;
    for (const log::v1::PlatformId& id : outcome.platform_ids()) {
      ids.push_back(id.part() + " " + id.resource_type() + "/" + id.id());
    }
    std::sort(ids.begin(), ids.end());
    std::string all;
    for (const std::string& id : ids) all += id + "\n";
    revision.ids_digest = base::AsBytes(base::Sha256(all));
    if (outcome.revision() >= row.delivered) {
      row.delivered = outcome.revision();
      for (PartRow& part : parts.parts) part.withdrawn = true;
    }
  }
  for (const log::v1::PlatformId& id : outcome.platform_ids()) {
    if (!base::IsUuid(id.part())) continue;
    PartRow row_of_part{base::UuidBytes(id.part()), id.resource_type(), id.id(),
                        outcome.revision()};
    const auto known =
        std::find_if(parts.parts.begin(), parts.parts.end(),
                     [&](const PartRow& part) { return part.key == row_of_part.key; });
    if (known == parts.parts.end()) {
      parts.parts.push_back(std::move(row_of_part));
    } else {
      *known = std::move(row_of_part);
    }
  }
}

void TakeResend(int64_t at_us, RevisionRow& revision) {
  if (revision.last == log::v1::OUTCOME_CLASS_DELIVERED || revision.open ||
      revision.last == log::v1::OUTCOME_CLASS_UNKNOWN) {
    return;
  }
  revision.last = log::v1::OUTCOME_CLASS_UNSPECIFIED;
  revision.reason.clear();
  revision.platform_says.clear();
  revision.request_id.clear();
  revision.retry_at_us = 0;
  revision.tries = 0;
  revision.given_up = false;
  revision.changed_at_us = at_us;
}

void TakeGiveUp(const log::v1::GiveUp& give_up, int64_t at_us, RevisionRow& revision) {
  if (revision.last == log::v1::OUTCOME_CLASS_DELIVERED || revision.open ||
      revision.last == log::v1::OUTCOME_CLASS_UNKNOWN) {
    return;
  }
  revision.given_up = true;
  revision.reason = "given_up: " + give_up.reason();
  revision.retry_at_us = 0;
  revision.changed_at_us = at_us;
}

DeliveryState StateOf(const EntryRow& row, uint32_t number, const RevisionRow& revision) {
  if (revision.last == log::v1::OUTCOME_CLASS_DELIVERED) {
    return delivery::v1::DELIVERY_STATE_DELIVERED;
  }
  if (revision.open || revision.last == log::v1::OUTCOME_CLASS_UNKNOWN) {
    return delivery::v1::DELIVERY_STATE_WAITING;
  }
  if (revision.given_up || revision.last == log::v1::OUTCOME_CLASS_NOT_SENT) {
    return delivery::v1::DELIVERY_STATE_NOT_SENT;
  }
  if (number < row.latest) return delivery::v1::DELIVERY_STATE_SUPERSEDED;
  if (revision.last == log::v1::OUTCOME_CLASS_HELD) return delivery::v1::DELIVERY_STATE_HELD;
  if (revision.last == log::v1::OUTCOME_CLASS_REFUSED) return delivery::v1::DELIVERY_STATE_REFUSED;
  return delivery::v1::DELIVERY_STATE_WAITING;
}

base::Sha256Digest ContentOf(std::string_view entry_id, uint32_t number, DeliveryState state,
                             const RevisionRow& revision) {
  std::string head;
  base::PutBe32(head, number);
  head.push_back(static_cast<char>(state));
  std::string_view tail;
  switch (state) {
    case delivery::v1::DELIVERY_STATE_HELD:
    case delivery::v1::DELIVERY_STATE_REFUSED:
    case delivery::v1::DELIVERY_STATE_NOT_SENT:
      tail = revision.reason;
      break;
    case delivery::v1::DELIVERY_STATE_DELIVERED:
      tail = revision.ids_digest;
      break;
    default:
      break;
  }
  return base::Sha256({entry_id, head, tail});
}

NextStep NextFor(const EntryRow& row, const RevisionRow& latest,
                 const RevisionRow& first_unsettled) {
  // Deliveries speak of a revision that entries have not brought yet: nothing older may go out.
  if (row.latest == 0 || row.revision_seen > row.latest) return {};
  if (!row.unsettled.empty()) {
    return {NextStep::Kind::kSettle, row.unsettled.front(),
            first_unsettled.open ? 0 : first_unsettled.retry_at_us};
  }
  switch (StateOf(row, row.latest, latest)) {
    case delivery::v1::DELIVERY_STATE_WAITING:
      return {NextStep::Kind::kSend, row.latest, latest.retry_at_us};
    case delivery::v1::DELIVERY_STATE_HELD:
      // Without a time it waits for an operator or the directory.
      if (latest.retry_at_us == 0) return {};
      return {NextStep::Kind::kSend, row.latest, latest.retry_at_us};
    default:
      return {};
  }
}

}  // namespace simpul::deliver
