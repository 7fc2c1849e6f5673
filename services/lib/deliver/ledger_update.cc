#include "lib/deliver/ledger_update.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"
#include "lib/eventlog/derived_sequence.h"

namespace simpul::deliver {

using delivery::v1::DeliveryState;
using eventlog::Topic;

absl::Status LedgerUpdate::Take(Topic topic, const eventlog::OwnedRecord& record) {
  if (record.position < standing_.next[topic]) return absl::OkStatus();
  log::v1::LogRecord parsed;
  if (!parsed.ParseFromString(record.value)) {
    return absl::DataLossError(fmt::format("position {} holds no log record", record.position));
  }
  switch (parsed.body_case()) {
    case log::v1::LogRecord::kInstall:
    case log::v1::LogRecord::kRulesActivated:
      break;
    case log::v1::LogRecord::kEvent:
      SIMPUL_RETURN_IF_ERROR(TakeEvent(record, parsed.event()));
      break;
    case log::v1::LogRecord::kDerived:
      SIMPUL_RETURN_IF_ERROR(TakeDerived(record, parsed.derived()));
      break;
    case log::v1::LogRecord::kDelivery:
      SIMPUL_RETURN_IF_ERROR(TakeDelivery(record, parsed.delivery()));
      break;
    default:
      return absl::FailedPreconditionError(
          fmt::format("position {} holds a record that only a newer program knows: upgrade simpul",
                      record.position));
  }
  standing_.next[topic] = record.position + 1;
  return absl::OkStatus();
}

absl::Status LedgerUpdate::TakeEvent(const eventlog::OwnedRecord& record,
                                     const log::v1::AcceptedEvent& event) {
  if (!base::IsUuid(event.event_id()) || record.key.size() != 16) return absl::OkStatus();
  Sighting seen;
  seen.facility_system = event.facility().system();
  seen.facility_code = event.facility().code();
  seen.received_at_us = event.received_at_us();
  writes_.Put(SightingKey(base::UuidBytes(event.event_id()), record.key, record.position),
              Encode(seen));
  return absl::OkStatus();
}

absl::Status LedgerUpdate::TakeDerived(const eventlog::OwnedRecord& record,
                                       const log::v1::DerivedRecord& derived) {
  eventlog::DerivedSequence sequence(standing_.number);
  switch (sequence.Take(derived.number())) {
    case eventlog::DerivedSequence::Verdict::kSeen:
      return absl::OkStatus();
    case eventlog::DerivedSequence::Verdict::kHole:
      return absl::InternalError(
          fmt::format("after derived record {} comes {}: records are missing", standing_.number,
                      derived.number()));
    case eventlog::DerivedSequence::Verdict::kNext:
      break;
  }
  standing_.number = sequence.last();
  switch (derived.change_case()) {
    case log::v1::DerivedRecord::kEntry:
      return TakeNewEntry(derived);
    case log::v1::DerivedRecord::kWaiting:
      return TakeWaiting(record.key, derived.waiting());
    case log::v1::DerivedRecord::kDeadLetter:
      return TakeDeadLetter(record.key, derived.number(), derived.dead_letter());
    default:
      return absl::FailedPreconditionError(
          fmt::format("derived record {} is one that only a newer program knows: upgrade simpul",
                      derived.number()));
  }
}

absl::Status LedgerUpdate::TakeNewEntry(const log::v1::DerivedRecord& derived) {
  const timeline::v1::Entry& entry = derived.entry();
  if (!base::IsUuid(entry.entry_id()) || entry.subject_key().size() != 16 ||
      entry.revision() == 0) {
    return absl::InternalError(
        fmt::format("derived record {} holds no whole entry", derived.number()));
  }
  const std::string entry_id = base::UuidBytes(entry.entry_id());
  // A first revision of which deliveries cannot have spoken is of an entry that has no row: the
  // usual case costs no look-up, which would ask every file.
  const bool is_new = entry.revision() == 1 && standing_.ahead == 0;
  SIMPUL_ASSIGN_OR_RETURN(Loaded* const loaded, Load(entry_id, is_new));
  const uint32_t before = loaded->row.latest;
  if (entry.revision() <= before) {
    return absl::InternalError(
        fmt::format("derived record {} takes entry {} from revision {} back to {}",
                    derived.number(), entry.entry_id(), before, entry.revision()));
  }
  SIMPUL_ASSIGN_OR_RETURN(RevisionRow* const revision,
                          LoadRevision(entry_id, *loaded, entry.revision()));
  RevisionRow* older = nullptr;
  if (before != 0) {
    SIMPUL_ASSIGN_OR_RETURN(older, LoadRevision(entry_id, *loaded, before));
    Count(entry_id, *loaded, before, *older, false);
  }
  const size_t events_before = loaded->row.events.size();
  TakeEntry(entry, derived.number(), loaded->row, *revision);
  if (older != nullptr) Count(entry_id, *loaded, before, *older, true);
  Count(entry_id, *loaded, entry.revision(), *revision, true);

  if (entry.revision() >= loaded->row.delivered) {
    writes_.Put(BytesKey(entry_id, entry.revision()), entry.SerializeAsString());
  }
  for (size_t i = events_before; i < loaded->row.events.size(); ++i) {
    writes_.Put(CarriedKey(loaded->row.events[i].event_id, entry_id), "");
  }
  for (const timeline::v1::Member& member : entry.members()) {
    for (const timeline::v1::Amendment& amendment : member.amendments()) {
      SIMPUL_RETURN_IF_ERROR(ForgetWaiting(amendment.event_id(), entry.subject_key()));
    }
  }
  return absl::OkStatus();
}

absl::Status LedgerUpdate::TakeWaiting(const std::string& subject,
                                       const log::v1::WaitingEvent& waiting) {
  if (!base::IsUuid(waiting.event_id())) return absl::OkStatus();
  SIMPUL_RETURN_IF_ERROR(ForgetWaiting(waiting.event_id(), subject));
  const std::string key = WaitingKey(base::UuidBytes(waiting.event_id()), subject);
  writes_.Put(key, waiting.SerializeAsString());
  waiting_[key] = true;
  ++standing_.counts.waiting_events;
  return absl::OkStatus();
}

absl::Status LedgerUpdate::TakeDeadLetter(const std::string& subject, uint64_t number,
                                          const log::v1::DeadLetter& letter) {
  writes_.Put(DeadLetterKey(number), letter.SerializeAsString());
  if (base::IsUuid(letter.event_id())) {
    writes_.Put(AboutKey(base::UuidBytes(letter.event_id()), subject, number), "");
    SIMPUL_RETURN_IF_ERROR(ForgetWaiting(letter.event_id(), subject));
  }
  ++standing_.counts.dead_letters;
  return absl::OkStatus();
}

absl::Status LedgerUpdate::ForgetWaiting(std::string_view event_id, std::string_view subject) {
  if (!base::IsUuid(event_id)) return absl::OkStatus();
  const std::string key = WaitingKey(base::UuidBytes(event_id), subject);
  bool there = false;
  if (const auto it = waiting_.find(key); it != waiting_.end()) {
    there = it->second;
  } else if (standing_.counts.waiting_events > 0) {
    SIMPUL_ASSIGN_OR_RETURN(const auto bytes, store_.Get(key));
    there = bytes.has_value();
  }
  if (!there) return absl::OkStatus();
  writes_.Delete(key);
  waiting_[key] = false;
  --standing_.counts.waiting_events;
  return absl::OkStatus();
}

absl::Status LedgerUpdate::TakeDelivery(const eventlog::OwnedRecord& record,
                                        const log::v1::DeliveryRecord& delivery) {
  switch (delivery.step_case()) {
    case log::v1::DeliveryRecord::kClaimed:
      standing_.claim = delivery.claim();
      return absl::OkStatus();
    case log::v1::DeliveryRecord::kPause:
      standing_.paused = delivery.pause().paused();
      standing_.pause_reason = delivery.pause().reason();
      return absl::OkStatus();
    case log::v1::DeliveryRecord::kAttempt:
      return TakeStep(record, delivery.attempt().entry_id(), delivery.attempt().revision(),
                      delivery);
    case log::v1::DeliveryRecord::kOutcome:
      return TakeStep(record, delivery.outcome().entry_id(), delivery.outcome().revision(),
                      delivery);
    case log::v1::DeliveryRecord::kResend:
      return TakeStep(record, delivery.resend().entry_id(), delivery.resend().revision(), delivery);
    case log::v1::DeliveryRecord::kGiveUp:
      return TakeStep(record, delivery.give_up().entry_id(), delivery.give_up().revision(),
                      delivery);
    default:
      return absl::FailedPreconditionError(fmt::format(
          "position {} of deliveries holds a step that only a newer program knows: upgrade simpul",
          record.position));
  }
}

absl::Status LedgerUpdate::TakeStep(const eventlog::OwnedRecord& record,
                                    const std::string& entry_text, uint32_t number,
                                    const log::v1::DeliveryRecord& delivery) {
  if (!base::IsUuid(entry_text) || number == 0) {
    return absl::InternalError(
        fmt::format("position {} of deliveries names no delivery record", record.position));
  }
  const std::string entry_id = base::UuidBytes(entry_text);
  SIMPUL_ASSIGN_OR_RETURN(Loaded* const loaded, Load(entry_id, /*is_new=*/false));
  // Deliveries may be ahead of entries, and an attempt stands in its subject's way at once.
  if (loaded->row.subject_key.empty()) loaded->row.subject_key = record.key;
  const uint32_t seen_before = loaded->row.revision_seen;
  SIMPUL_ASSIGN_OR_RETURN(RevisionRow* const revision, LoadRevision(entry_id, *loaded, number));
  const RevisionRow before = *revision;
  Count(entry_id, *loaded, number, *revision, false);
  SIMPUL_RETURN_IF_ERROR(ChangeRevision(entry_id, *loaded, number, *revision, delivery));
  Count(entry_id, *loaded, number, *revision, true);

  // Changes are what deliveries alone say, so that their list is the same after every rebuild.
  uint16_t nth = 0;
  for (uint32_t lower = std::max(1u, seen_before); lower < number && number > seen_before;
       ++lower) {
    SIMPUL_ASSIGN_OR_RETURN(RevisionRow* const old, LoadRevision(entry_id, *loaded, lower));
    if (old->last == log::v1::OUTCOME_CLASS_DELIVERED ||
        old->last == log::v1::OUTCOME_CLASS_NOT_SENT || old->given_up || nth == UINT16_MAX) {
      continue;
    }
    RevisionRow shown = *old;
    shown.changed_at_us = delivery.at_us();
    PutChange(record.position, nth++, entry_id, lower, delivery::v1::DELIVERY_STATE_SUPERSEDED,
              shown);
  }
  if (revision->last != before.last || revision->given_up != before.given_up ||
      revision->reason != before.reason) {
    EntryRow alone;
    alone.latest = number;
    PutChange(record.position, nth, entry_id, number, StateOf(alone, number, *revision), *revision);
  }
  DropBytes(entry_id, loaded->row);
  return absl::OkStatus();
}

absl::Status LedgerUpdate::ChangeRevision(const std::string& entry_id, Loaded& loaded,
                                          uint32_t number, RevisionRow& revision,
                                          const log::v1::DeliveryRecord& delivery) {
  Applied::Seen seen{
      delivery.claim(), entry_id, number, 0, delivery.at_us(), delivery.claim() == standing_.claim};
  switch (delivery.step_case()) {
    case log::v1::DeliveryRecord::kAttempt:
      TakeAttempt(delivery.attempt(), delivery.at_us(), loaded.row, revision);
      seen.attempt = delivery.attempt().attempt();
      applied_.attempts.push_back(std::move(seen));
      break;
    case log::v1::DeliveryRecord::kOutcome: {
      const log::v1::Outcome& outcome = delivery.outcome();
      SIMPUL_RETURN_IF_ERROR(LoadParts(entry_id, loaded));
      TakeOutcome(outcome, delivery.at_us(), loaded.row, revision, *loaded.parts);
      loaded.parts_changed = true;
      for (const log::v1::PlatformId& id : outcome.platform_ids()) {
        const bool shared = id.resource_type() == "Encounter" || id.resource_type() == "Condition";
        if (!shared || !base::IsUuid(id.part())) continue;
        writes_.Put(SharedKey(base::UuidBytes(id.part())), id.id());
      }
      seen.attempt = outcome.attempt();
      applied_.outcomes.push_back(std::move(seen));
      break;
    }
    case log::v1::DeliveryRecord::kResend:
      TakeResend(delivery.at_us(), revision);
      break;
    default:
      TakeGiveUp(delivery.give_up(), delivery.at_us(), revision);
      break;
  }
  return absl::OkStatus();
}

// What is older than what was delivered is never sent nor taken back again.
void LedgerUpdate::DropBytes(const std::string& entry_id, EntryRow& row) {
  if (row.delivered <= row.kept_from) return;
  for (uint32_t old = row.kept_from; old < row.delivered && old <= row.latest; ++old) {
    writes_.Delete(BytesKey(entry_id, old));
  }
  row.kept_from = row.delivered;
}

absl::Status LedgerUpdate::Finish() {
  for (auto& [entry_id, loaded] : entries_) {
    SIMPUL_RETURN_IF_ERROR(FileEntry(entry_id, loaded));
    if (loaded.is_ahead) --standing_.ahead;
    if (loaded.row.latest == 0) ++standing_.ahead;
    RevisionRow& latest = loaded.revisions[loaded.row.latest];  // of none: not written
    writes_.Put(EntryKey(entry_id), Encode(loaded.row, latest));
    for (const auto& [number, revision] : loaded.revisions) {
      if (number == loaded.row.latest) continue;
      writes_.Put(RevisionKey(entry_id, number), Encode(revision));
    }
    if (loaded.parts_changed && !loaded.parts->parts.empty()) {
      writes_.Put(PartsKey(entry_id), Encode(*loaded.parts));
    }
  }
  return absl::OkStatus();
}

// Where it stands among what is to be looked at and what is held.
absl::Status LedgerUpdate::FileEntry(const std::string& entry_id, Loaded& loaded) {
  static const RevisionRow kNone;
  EntryRow& row = loaded.row;
  const RevisionRow* latest = &kNone;
  const RevisionRow* unsettled = &kNone;
  if (row.latest != 0) {
    SIMPUL_ASSIGN_OR_RETURN(latest, LoadRevision(entry_id, loaded, row.latest));
    if (!row.unsettled.empty()) {
      SIMPUL_ASSIGN_OR_RETURN(unsettled, LoadRevision(entry_id, loaded, row.unsettled.front()));
    }
  }
  const NextStep next = NextFor(row, *latest, *unsettled);
  std::string queue_key;
  if (next.kind != NextStep::Kind::kNothing) {
    queue_key =
        next.due_us == 0 ? ReadyKey(latest->number, entry_id) : TimedKey(next.due_us, entry_id);
  }
  const std::string work = EncodeWork(row.subject_key, latest->received_at_us);
  File(queue_key, work, row.queue_key);
  if (loaded.queue_key_before != queue_key) {
    if (!loaded.queue_key_before.empty()) {
      applied_.items_removed.push_back(loaded.queue_key_before);
    }
    if (!queue_key.empty()) {
      SIMPUL_RETURN_IF_ERROR(Decode(queue_key, work, applied_.items_added.emplace_back()));
    }
  }

  std::string held_key;
  if (row.latest != 0) {
    const DeliveryState state = StateOf(row, row.latest, *latest);
    if (state == delivery::v1::DELIVERY_STATE_HELD ||
        state == delivery::v1::DELIVERY_STATE_REFUSED) {
      held_key = HeldKey(latest->number, entry_id);
    }
  }
  File(held_key, "", row.held_key);
  File(row.unsettled.empty() ? "" : UnsettledKey(row.subject_key, entry_id), "", row.unsettled_key);
  return absl::OkStatus();
}

void LedgerUpdate::File(const std::string& key, std::string_view value, std::string& stands) {
  if (key == stands) return;
  if (!stands.empty()) writes_.DeleteOnce(stands);
  if (!key.empty()) writes_.Put(key, value);
  stands = key;
}

absl::StatusOr<LedgerUpdate::Loaded*> LedgerUpdate::Load(const std::string& entry_id, bool is_new) {
  const auto [it, is_first] = entries_.try_emplace(entry_id);
  Loaded& loaded = it->second;
  if (!is_first || is_new) return &loaded;
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, store_.Get(EntryKey(entry_id)));
  if (!bytes) return &loaded;
  RevisionRow latest;
  SIMPUL_RETURN_IF_ERROR(Decode(*bytes, loaded.row, latest));
  loaded.is_ahead = loaded.row.latest == 0;
  if (!loaded.is_ahead) loaded.revisions.emplace(loaded.row.latest, std::move(latest));
  loaded.known_to = std::max(loaded.row.latest, loaded.row.revision_seen);
  loaded.queue_key_before = loaded.row.queue_key;
  return &loaded;
}

absl::StatusOr<RevisionRow*> LedgerUpdate::LoadRevision(const std::string& entry_id, Loaded& loaded,
                                                        uint32_t revision) {
  const auto [it, is_new] = loaded.revisions.try_emplace(revision);
  if (!is_new) return &it->second;
  // A revision of which nothing was read before has no row: the usual case costs no look-up.
  if (revision <= loaded.known_to) {
    SIMPUL_ASSIGN_OR_RETURN(const auto bytes, store_.Get(RevisionKey(entry_id, revision)));
    if (bytes) SIMPUL_RETURN_IF_ERROR(Decode(*bytes, it->second));
  }
  return &it->second;
}

absl::Status LedgerUpdate::LoadParts(const std::string& entry_id, Loaded& loaded) {
  if (loaded.parts) return absl::OkStatus();
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, store_.Get(PartsKey(entry_id)));
  loaded.parts.emplace();
  return bytes ? Decode(*bytes, *loaded.parts) : absl::OkStatus();
}

void LedgerUpdate::Count(const std::string& entry_id, const Loaded& loaded, uint32_t number,
                         const RevisionRow& revision, bool add) {
  // What entries have not brought is not counted yet, whatever deliveries say of it.
  if (number == 0 || number > loaded.row.latest || revision.number == 0) return;
  const DeliveryState state = StateOf(loaded.row, number, revision);
  const base::Sha256Digest content = ContentOf(entry_id, number, state, revision);
  if (add) {
    ++standing_.counts.records[state];
    standing_.checksum.Add(content);
  } else {
    --standing_.counts.records[state];
    standing_.checksum.Remove(content);
  }
}

void LedgerUpdate::PutChange(int64_t position, uint16_t nth, const std::string& entry_id,
                             uint32_t number, DeliveryState state, const RevisionRow& revision) {
  ChangeRow change;
  change.entry_id = entry_id;
  change.number = number;
  change.state = state;
  change.attempts = revision.attempts;
  if (state != delivery::v1::DELIVERY_STATE_SUPERSEDED) {
    change.reason = revision.reason;
    change.platform_says = revision.platform_says;
    change.retry_at_us = revision.retry_at_us;
  }
  change.changed_at_us = revision.changed_at_us;
  writes_.Put(ChangeKey(position, nth), Encode(change));
}

}  // namespace simpul::deliver
