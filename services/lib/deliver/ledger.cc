#include "lib/deliver/ledger.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <unordered_map>

#include "lib/base/bytes.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"

namespace simpul::deliver {
namespace {

using delivery::v1::DeliveryState;
using eventlog::Topic;

constexpr uint32_t kFormat = 1;
// Left free on the disk.
constexpr uint64_t kRoomBytes = 64 << 20;

// Keys. One letter, then fixed-width fields, so that byte order is the order things are wanted in.
constexpr std::string_view kStandingKey = "m";
std::string EntryKey(std::string_view entry) { return "e" + std::string(entry); }
std::string RevisionKey(std::string_view entry, uint32_t revision) {
  std::string key = "r" + std::string(entry);
  base::PutBe32(key, revision);
  return key;
}
std::string BytesKey(std::string_view entry, uint32_t revision) {
  std::string key = "b" + std::string(entry);
  base::PutBe32(key, revision);
  return key;
}
std::string PartsKey(std::string_view entry) { return "P" + std::string(entry); }
std::string SharedKey(std::string_view part) { return "p" + std::string(part); }
std::string OrderKey(char letter, uint64_t order, std::string_view entry) {
  std::string key(1, letter);
  base::PutBe64(key, order);
  key += entry;
  return key;
}
std::string ChangeKey(int64_t position, uint16_t nth) {
  std::string key = "c";
  base::PutBe64(key, static_cast<uint64_t>(position));
  base::PutBe16(key, nth);
  return key;
}
std::string EventKey(char letter, std::string_view event, std::string_view more) {
  return std::string(1, letter) + std::string(event) + std::string(more);
}
std::string Number64(uint64_t v) {
  std::string out;
  base::PutBe64(out, v);
  return out;
}

rocksdb::Slice ToSlice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

absl::Status FromRocks(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::InternalError("the delivery ledger's store: " + status.ToString());
}

// Length-prefixed texts one after another.
void PutText(std::string& out, std::string_view text) {
  base::PutBe32(out, static_cast<uint32_t>(text.size()));
  out += text;
}
bool TakeText(std::string_view& in, std::string& text) {
  if (in.size() < 4) return false;
  const uint32_t length = base::GetBe32(in);
  if (in.size() - 4 < length) return false;
  text.assign(in.substr(4, length));
  in.remove_prefix(4 + length);
  return true;
}

absl::Status Damaged() { return absl::DataLossError("a row of the delivery ledger is damaged"); }

WorkItem ItemOf(std::string_view key, std::string_view value) {
  WorkItem item;
  item.key = key;
  item.entry_id = key.substr(9, 16);
  if (key[0] == 't') item.due_us = static_cast<int64_t>(base::GetBe64(key.substr(1)));
  item.subject_key = value.substr(0, 16);
  item.received_at_us = static_cast<int64_t>(base::GetBe64(value.substr(16)));
  return item;
}

std::string EncodeChange(const ChangeRow& row) {
  std::string out;
  PutText(out, row.entry_id);
  base::PutBe32(out, row.number);
  out.push_back(static_cast<char>(row.state));
  base::PutBe32(out, row.attempts);
  PutText(out, row.reason);
  PutText(out, row.platform_says);
  base::PutBe64(out, static_cast<uint64_t>(row.changed_at_us));
  base::PutBe64(out, static_cast<uint64_t>(row.retry_at_us));
  return out;
}

absl::Status DecodeChange(std::string_view in, ChangeRow& row) {
  if (!TakeText(in, row.entry_id) || in.size() < 9) return Damaged();
  row.number = base::GetBe32(in);
  row.state = static_cast<DeliveryState>(in[4]);
  row.attempts = base::GetBe32(in.substr(5));
  in.remove_prefix(9);
  if (!TakeText(in, row.reason) || !TakeText(in, row.platform_says) || in.size() != 16) {
    return Damaged();
  }
  row.changed_at_us = static_cast<int64_t>(base::GetBe64(in));
  row.retry_at_us = static_cast<int64_t>(base::GetBe64(in.substr(8)));
  return absl::OkStatus();
}

}  // namespace

struct LedgerMemory::Shared {
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
};

LedgerMemory::LedgerMemory(size_t bytes) : shared_(std::make_unique<Shared>()) {
  shared_->cache = rocksdb::NewLRUCache(bytes);
  // Charged to the cache: the two together stay within `bytes`.
  shared_->write_buffers = std::make_shared<rocksdb::WriteBufferManager>(bytes / 2, shared_->cache);
}
LedgerMemory::~LedgerMemory() = default;

struct Ledger::Store {
  std::filesystem::path folder;
  std::shared_ptr<rocksdb::WriteBufferManager> buffers;
  std::unique_ptr<rocksdb::DB> db;
};

// The rows a batch of records touches: each read once, each written once.
class Ledger::Batch {
 public:
  Batch(const Ledger& ledger, Standing standing)
      : ledger_(ledger), standing_(std::move(standing)) {}

  absl::Status Take(Topic topic, const eventlog::OwnedRecord& record);
  absl::Status Finish();

  rocksdb::WriteBatch& writes() { return writes_; }
  Standing& standing() { return standing_; }
  Applied& applied() { return applied_; }

 private:
  struct Loaded {
    EntryRow row;
    std::map<uint32_t, RevisionRow> revisions;
    std::optional<PartsRow> parts;
    std::string queue_key_before;
    bool parts_changed = false;
  };

  absl::StatusOr<Loaded*> Load(const std::string& entry_id);
  absl::StatusOr<RevisionRow*> LoadRevision(const std::string& entry_id, Loaded& loaded,
                                            uint32_t revision);
  absl::Status LoadParts(const std::string& entry_id, Loaded& loaded);

  absl::Status TakeEvent(const eventlog::OwnedRecord& record, const log::v1::AcceptedEvent& event);
  absl::Status TakeDerived(const eventlog::OwnedRecord& record,
                           const log::v1::DerivedRecord& derived);
  absl::Status TakeNewEntry(const log::v1::DerivedRecord& derived);
  absl::Status TakeDelivery(const eventlog::OwnedRecord& record,
                            const log::v1::DeliveryRecord& delivery);
  absl::Status TakeStep(const eventlog::OwnedRecord& record, const std::string& entry_text,
                        uint32_t revision, const log::v1::DeliveryRecord& delivery);
  absl::Status ForgetWaiting(std::string_view event_id, std::string_view subject);

  // Takes a revision out of the counts and the checksum, or adds it.
  void Count(const std::string& entry_id, const Loaded& loaded, uint32_t number,
             const RevisionRow& revision, bool add);
  void PutChange(int64_t position, uint16_t nth, const std::string& entry_id, uint32_t number,
                 DeliveryState state, const RevisionRow& revision);
  void Put(std::string_view key, std::string_view value) {
    writes_.Put(ToSlice(key), ToSlice(value));
  }
  void Delete(std::string_view key) { writes_.Delete(ToSlice(key)); }

  const Ledger& ledger_;
  Standing standing_;
  Applied applied_;
  rocksdb::WriteBatch writes_;
  std::unordered_map<std::string, Loaded> entries_;
  std::map<std::string, bool> waiting_;  // rows put (true) or deleted in this batch
};

absl::StatusOr<Ledger::Batch::Loaded*> Ledger::Batch::Load(const std::string& entry_id) {
  const auto [it, is_new] = entries_.try_emplace(entry_id);
  if (!is_new) return &it->second;
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, ledger_.Get(EntryKey(entry_id)));
  if (bytes) SIMPUL_RETURN_IF_ERROR(deliver::Decode(*bytes, it->second.row));
  it->second.queue_key_before = it->second.row.queue_key;
  return &it->second;
}

absl::StatusOr<RevisionRow*> Ledger::Batch::LoadRevision(const std::string& entry_id,
                                                         Loaded& loaded, uint32_t revision) {
  const auto [it, is_new] = loaded.revisions.try_emplace(revision);
  if (!is_new) return &it->second;
  // An entry never seen before has no rows: the usual case costs no look-up.
  if (loaded.row.latest != 0 || loaded.row.revision_seen != 0) {
    SIMPUL_ASSIGN_OR_RETURN(const auto bytes, ledger_.Get(RevisionKey(entry_id, revision)));
    if (bytes) SIMPUL_RETURN_IF_ERROR(deliver::Decode(*bytes, it->second));
  }
  return &it->second;
}

absl::Status Ledger::Batch::LoadParts(const std::string& entry_id, Loaded& loaded) {
  if (loaded.parts) return absl::OkStatus();
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, ledger_.Get(PartsKey(entry_id)));
  loaded.parts.emplace();
  return bytes ? deliver::Decode(*bytes, *loaded.parts) : absl::OkStatus();
}

void Ledger::Batch::Count(const std::string& entry_id, const Loaded& loaded, uint32_t number,
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

void Ledger::Batch::PutChange(int64_t position, uint16_t nth, const std::string& entry_id,
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
  Put(ChangeKey(position, nth), EncodeChange(change));
}

absl::Status Ledger::Batch::Take(Topic topic, const eventlog::OwnedRecord& record) {
  if (record.position < standing_.next[topic]) return absl::OkStatus();
  log::v1::LogRecord parsed;
  if (!parsed.ParseFromString(record.value)) {
    return absl::DataLossError(fmt::format("position {} holds no log record", record.position));
  }
  switch (parsed.body_case()) {
    case log::v1::LogRecord::kInstall:
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

absl::Status Ledger::Batch::TakeEvent(const eventlog::OwnedRecord& record,
                                      const log::v1::AcceptedEvent& event) {
  if (!base::IsUuid(event.event_id()) || record.key.size() != 16) return absl::OkStatus();
  std::string value;
  PutText(value, event.facility().system());
  PutText(value, event.facility().code());
  base::PutBe64(value, static_cast<uint64_t>(event.received_at_us()));
  Put(EventKey('v', base::UuidBytes(event.event_id()),
               record.key + Number64(static_cast<uint64_t>(record.position))),
      value);
  return absl::OkStatus();
}

absl::Status Ledger::Batch::ForgetWaiting(std::string_view event_id, std::string_view subject) {
  if (!base::IsUuid(event_id)) return absl::OkStatus();
  const std::string key = EventKey('w', base::UuidBytes(event_id), subject);
  bool there = false;
  if (const auto it = waiting_.find(key); it != waiting_.end()) {
    there = it->second;
  } else if (standing_.counts.waiting_events > 0) {
    SIMPUL_ASSIGN_OR_RETURN(const auto bytes, ledger_.Get(key));
    there = bytes.has_value();
  }
  if (!there) return absl::OkStatus();
  Delete(key);
  waiting_[key] = false;
  --standing_.counts.waiting_events;
  return absl::OkStatus();
}

absl::Status Ledger::Batch::TakeDerived(const eventlog::OwnedRecord& record,
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
    case log::v1::DerivedRecord::kWaiting: {
      if (!base::IsUuid(derived.waiting().event_id())) return absl::OkStatus();
      SIMPUL_RETURN_IF_ERROR(ForgetWaiting(derived.waiting().event_id(), record.key));
      const std::string key =
          EventKey('w', base::UuidBytes(derived.waiting().event_id()), record.key);
      Put(key, derived.waiting().SerializeAsString());
      waiting_[key] = true;
      ++standing_.counts.waiting_events;
      return absl::OkStatus();
    }
    case log::v1::DerivedRecord::kDeadLetter: {
      const log::v1::DeadLetter& letter = derived.dead_letter();
      const std::string number = Number64(derived.number());
      Put("d" + number, letter.SerializeAsString());
      if (base::IsUuid(letter.event_id())) {
        Put(EventKey('y', base::UuidBytes(letter.event_id()), record.key + number), "");
        SIMPUL_RETURN_IF_ERROR(ForgetWaiting(letter.event_id(), record.key));
      }
      ++standing_.counts.dead_letters;
      return absl::OkStatus();
    }
    default:
      return absl::FailedPreconditionError(
          fmt::format("derived record {} is one that only a newer program knows: upgrade simpul",
                      derived.number()));
  }
}

absl::Status Ledger::Batch::TakeNewEntry(const log::v1::DerivedRecord& derived) {
  const timeline::v1::Entry& entry = derived.entry();
  if (!base::IsUuid(entry.entry_id()) || entry.subject_key().size() != 16 ||
      entry.revision() == 0) {
    return absl::InternalError(
        fmt::format("derived record {} holds no whole entry", derived.number()));
  }
  const std::string entry_id = base::UuidBytes(entry.entry_id());
  SIMPUL_ASSIGN_OR_RETURN(Loaded* const loaded, Load(entry_id));
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
    Put(BytesKey(entry_id, entry.revision()), entry.SerializeAsString());
  }
  for (size_t i = events_before; i < loaded->row.events.size(); ++i) {
    Put(EventKey('x', loaded->row.events[i].event_id, entry_id), "");
  }
  for (const timeline::v1::Member& member : entry.members()) {
    for (const timeline::v1::Amendment& amendment : member.amendments()) {
      SIMPUL_RETURN_IF_ERROR(ForgetWaiting(amendment.event_id(), entry.subject_key()));
    }
  }
  return absl::OkStatus();
}

absl::Status Ledger::Batch::TakeDelivery(const eventlog::OwnedRecord& record,
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

absl::Status Ledger::Batch::TakeStep(const eventlog::OwnedRecord& record,
                                     const std::string& entry_text, uint32_t number,
                                     const log::v1::DeliveryRecord& delivery) {
  if (!base::IsUuid(entry_text) || number == 0) {
    return absl::InternalError(
        fmt::format("position {} of deliveries names no delivery record", record.position));
  }
  const std::string entry_id = base::UuidBytes(entry_text);
  SIMPUL_ASSIGN_OR_RETURN(Loaded* const loaded, Load(entry_id));
  const uint32_t seen_before = loaded->row.revision_seen;
  SIMPUL_ASSIGN_OR_RETURN(RevisionRow* const revision, LoadRevision(entry_id, *loaded, number));
  Count(entry_id, *loaded, number, *revision, false);
  const auto last_before = revision->last;
  const bool given_up_before = revision->given_up;
  const std::string reason_before = revision->reason;

  Applied::Seen seen{
      delivery.claim(), entry_id, number, 0, delivery.at_us(), delivery.claim() == standing_.claim};
  switch (delivery.step_case()) {
    case log::v1::DeliveryRecord::kAttempt:
      TakeAttempt(delivery.attempt(), delivery.at_us(), loaded->row, *revision);
      seen.attempt = delivery.attempt().attempt();
      applied_.attempts.push_back(std::move(seen));
      break;
    case log::v1::DeliveryRecord::kOutcome: {
      SIMPUL_RETURN_IF_ERROR(LoadParts(entry_id, *loaded));
      TakeOutcome(delivery.outcome(), delivery.at_us(), loaded->row, *revision, *loaded->parts);
      loaded->parts_changed = true;
      for (const log::v1::PlatformId& id : delivery.outcome().platform_ids()) {
        const bool shared = id.resource_type() == "Encounter" || id.resource_type() == "Condition";
        if (!shared || !base::IsUuid(id.part())) continue;
        Put(SharedKey(base::UuidBytes(id.part())), id.id());
      }
      seen.attempt = delivery.outcome().attempt();
      applied_.outcomes.push_back(std::move(seen));
      break;
    }
    case log::v1::DeliveryRecord::kResend:
      TakeResend(delivery.at_us(), *revision);
      break;
    default:
      TakeGiveUp(delivery.give_up(), delivery.at_us(), *revision);
      break;
  }
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
  if (revision->last != last_before || revision->given_up != given_up_before ||
      revision->reason != reason_before) {
    EntryRow alone;
    alone.latest = number;
    PutChange(record.position, nth, entry_id, number, StateOf(alone, number, *revision), *revision);
  }

  const uint32_t kept_before = loaded->row.kept_from;
  if (loaded->row.delivered > kept_before) {
    for (uint32_t old = kept_before; old < loaded->row.delivered && old <= loaded->row.latest;
         ++old) {
      Delete(BytesKey(entry_id, old));
    }
    loaded->row.kept_from = loaded->row.delivered;
  }
  return absl::OkStatus();
}

absl::Status Ledger::Batch::Finish() {
  static const RevisionRow kNone;
  for (auto& [entry_id, loaded] : entries_) {
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
      queue_key = next.due_us == 0 ? OrderKey('q', latest->number, entry_id)
                                   : OrderKey('t', static_cast<uint64_t>(next.due_us), entry_id);
    }
    std::string queue_value = row.subject_key;
    base::PutBe64(queue_value, static_cast<uint64_t>(latest->received_at_us));
    if (queue_key != row.queue_key) {
      if (!row.queue_key.empty()) {
        Delete(row.queue_key);
      }
      if (!queue_key.empty()) Put(queue_key, queue_value);
      row.queue_key = queue_key;
    }
    if (loaded.queue_key_before != queue_key) {
      if (!loaded.queue_key_before.empty()) {
        applied_.items_removed.push_back(loaded.queue_key_before);
      }
      if (!queue_key.empty()) applied_.items_added.push_back(ItemOf(queue_key, queue_value));
    }
    std::string held_key;
    if (row.latest != 0) {
      const DeliveryState state = StateOf(row, row.latest, *latest);
      if (state == delivery::v1::DELIVERY_STATE_HELD ||
          state == delivery::v1::DELIVERY_STATE_REFUSED) {
        held_key = OrderKey('h', latest->number, entry_id);
      }
    }
    if (held_key != row.held_key) {
      if (!row.held_key.empty()) Delete(row.held_key);
      if (!held_key.empty()) Put(held_key, "");
      row.held_key = held_key;
    }
    Put(EntryKey(entry_id), deliver::Encode(row));
    for (const auto& [number, revision] : loaded.revisions) {
      Put(RevisionKey(entry_id, number), deliver::Encode(revision));
    }
    if (loaded.parts_changed && !loaded.parts->parts.empty()) {
      Put(PartsKey(entry_id), deliver::Encode(*loaded.parts));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::Open(const std::filesystem::path& folder,
                                                     const log::v1::Install& install,
                                                     uint32_t partition, LedgerMemory& memory) {
  SIMPUL_RETURN_IF_ERROR(base::MakeFolder(folder));
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = 4 << 20;
  options.write_buffer_manager = memory.shared_->write_buffers;
  // Two dozen ledgers share the buffers: with RocksDB's own block size the first block of each
  // would fill them. And what is flushed is small: merged too soon, it would rewrite all below it.
  options.arena_block_size = 64 << 10;
  options.level0_file_num_compaction_trigger = 8;
  options.max_open_files = 32;
  options.max_total_wal_size = 16 << 20;
  options.allow_fallocate = false;  // two dozen ledgers would reserve a quarter of a gigabyte
  // Written out as they grow: a heap of dirty pages would hold up the next fsync of the log.
  options.bytes_per_sync = 1 << 20;
  options.wal_bytes_per_sync = 1 << 20;
  options.keep_log_file_num = 1;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.shared_->cache;
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  auto ledger = std::unique_ptr<Ledger>(new Ledger());
  ledger->store_ = std::make_unique<Store>();
  rocksdb::DB* db = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(options, folder.string(), &db);
  if (status.IsCorruption()) {
    base::Log(base::Severity::kWarning, "forwarder",
              "the delivery ledger is damaged; it is filled from the log again",
              {{"partition", partition}});
    if (status = rocksdb::DestroyDB(folder.string(), options); status.ok()) {
      status = rocksdb::DB::Open(options, folder.string(), &db);
    }
  }
  SIMPUL_RETURN_IF_ERROR(FromRocks(status));
  ledger->store_->db.reset(db);
  ledger->store_->folder = folder;
  ledger->store_->buffers = memory.shared_->write_buffers;
  SIMPUL_RETURN_IF_ERROR(base::MakeFolder(folder));
  PutText(ledger->origin_, install.install_id());
  base::PutBe32(ledger->origin_, install.partitions());
  base::PutBe32(ledger->origin_, partition);
  base::PutBe32(ledger->origin_, kFormat);
  const absl::Status standing = ledger->ReadStanding();
  if (!standing.ok()) return base::Within(folder.string(), standing);
  return ledger;
}

Ledger::~Ledger() = default;

absl::Status Ledger::ReadStanding() {
  for (const Topic topic : {Topic::kEvents, Topic::kEntries, Topic::kDeliveries}) {
    standing_.next[topic] = 0;
  }
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, Get(kStandingKey));
  if (!bytes) return absl::OkStatus();
  std::string_view in = *bytes;
  std::string origin, checksum;
  if (!TakeText(in, origin)) return Damaged();
  if (origin != origin_) {
    return absl::FailedPreconditionError(
        "the delivery ledger is of another install or format: delete this folder, it is rebuilt "
        "from the log");
  }
  if (!TakeText(in, checksum) || checksum.size() != 32 || !TakeText(in, standing_.claim) ||
      !TakeText(in, standing_.pause_reason) || in.size() < 1 + 8 * 6 + 4) {
    return Damaged();
  }
  standing_.checksum = base::SetChecksum::FromBytes(checksum);
  standing_.paused = in[0] != 0;
  in.remove_prefix(1);
  const auto take = [&in] {
    const uint64_t v = base::GetBe64(in);
    in.remove_prefix(8);
    return v;
  };
  for (auto& [topic, next] : standing_.next) next = static_cast<int64_t>(take());
  standing_.number = take();
  standing_.counts.dead_letters = take();
  standing_.counts.waiting_events = take();
  const uint32_t states = base::GetBe32(in);
  in.remove_prefix(4);
  if (in.size() != states * 12ul) return Damaged();
  for (uint32_t i = 0; i < states; ++i) {
    const auto state = static_cast<DeliveryState>(base::GetBe32(in));
    in.remove_prefix(4);
    standing_.counts.records[state] = take();
  }
  return absl::OkStatus();
}

absl::StatusOr<Applied> Ledger::Apply(Topic topic, std::span<const eventlog::OwnedRecord> records) {
  // Waits while there is still room: a write that fails for want of it ends the ledger.
  SIMPUL_RETURN_IF_ERROR(base::CheckRoom(store_->folder, kRoomBytes));
  Batch batch(*this, standing_);
  for (const eventlog::OwnedRecord& record : records) {
    SIMPUL_RETURN_IF_ERROR(batch.Take(topic, record));
  }
  SIMPUL_RETURN_IF_ERROR(batch.Finish());
  const Standing& standing = batch.standing();
  std::string out;
  PutText(out, origin_);
  PutText(out, standing.checksum.ToBytes());
  PutText(out, standing.claim);
  PutText(out, standing.pause_reason);
  out.push_back(standing.paused ? 1 : 0);
  for (const auto& [one, next] : standing.next) base::PutBe64(out, static_cast<uint64_t>(next));
  base::PutBe64(out, standing.number);
  base::PutBe64(out, standing.counts.dead_letters);
  base::PutBe64(out, standing.counts.waiting_events);
  base::PutBe32(out, static_cast<uint32_t>(standing.counts.records.size()));
  for (const auto& [state, count] : standing.counts.records) {
    base::PutBe32(out, static_cast<uint32_t>(state));
    base::PutBe64(out, count);
  }
  batch.writes().Put(ToSlice(kStandingKey), ToSlice(out));
  SIMPUL_RETURN_IF_ERROR(FromRocks(store_->db->Write(rocksdb::WriteOptions(), &batch.writes())));
  // RocksDB begins to flush short of the bound and goes on taking writes: who runs away from it
  // waits for the flush.
  if (store_->buffers->memory_usage() > store_->buffers->buffer_size() / 4 * 5) {
    rocksdb::FlushOptions flush;
    flush.allow_write_stall = true;
    SIMPUL_RETURN_IF_ERROR(FromRocks(store_->db->Flush(flush)));
  }
  {
    const std::lock_guard lock(mutex_);
    standing_ = std::move(batch.standing());
  }
  return std::move(batch.applied());
}

int64_t Ledger::Next(Topic topic) const {
  const std::lock_guard lock(mutex_);
  const auto it = standing_.next.find(topic);
  return it == standing_.next.end() ? 0 : it->second;
}
LedgerCounts Ledger::counts() const {
  const std::lock_guard lock(mutex_);
  return standing_.counts;
}
base::SetChecksum Ledger::checksum() const {
  const std::lock_guard lock(mutex_);
  return standing_.checksum;
}
uint64_t Ledger::number() const {
  const std::lock_guard lock(mutex_);
  return standing_.number;
}
std::string Ledger::claim() const {
  const std::lock_guard lock(mutex_);
  return standing_.claim;
}
bool Ledger::paused() const {
  const std::lock_guard lock(mutex_);
  return standing_.paused;
}
std::string Ledger::pause_reason() const {
  const std::lock_guard lock(mutex_);
  return standing_.pause_reason;
}

absl::StatusOr<std::optional<std::string>> Ledger::Get(std::string_view key) const {
  std::string value;
  const rocksdb::Status status = store_->db->Get(rocksdb::ReadOptions(), ToSlice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  SIMPUL_RETURN_IF_ERROR(FromRocks(status));
  return value;
}

absl::Status Ledger::Scan(
    std::string_view prefix, std::string_view after, size_t limit,
    const std::function<absl::Status(std::string_view, std::string_view)>& row) const {
  const std::unique_ptr<rocksdb::Iterator> it(store_->db->NewIterator(rocksdb::ReadOptions()));
  it->Seek(ToSlice(after.empty() ? prefix : after));
  if (!after.empty() && it->Valid() && View(it->key()) == after) it->Next();
  for (size_t count = 0; count < limit && it->Valid() && View(it->key()).starts_with(prefix);
       it->Next(), ++count) {
    SIMPUL_RETURN_IF_ERROR(row(View(it->key()), View(it->value())));
  }
  return FromRocks(it->status());
}

absl::StatusOr<std::optional<EntryRow>> Ledger::Entry(std::string_view entry_id) const {
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, Get(EntryKey(entry_id)));
  if (!bytes) return std::nullopt;
  EntryRow row;
  SIMPUL_RETURN_IF_ERROR(deliver::Decode(*bytes, row));
  return row;
}

absl::StatusOr<RevisionRow> Ledger::Revision(std::string_view entry_id, uint32_t revision) const {
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, Get(RevisionKey(entry_id, revision)));
  RevisionRow row;
  if (bytes) SIMPUL_RETURN_IF_ERROR(deliver::Decode(*bytes, row));
  return row;
}

absl::StatusOr<timeline::v1::Entry> Ledger::EntryAt(std::string_view entry_id,
                                                    uint32_t revision) const {
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, Get(BytesKey(entry_id, revision)));
  if (!bytes) return absl::NotFoundError("that revision is no longer kept");
  timeline::v1::Entry entry;
  if (!entry.ParseFromString(*bytes)) return Damaged();
  return entry;
}

absl::StatusOr<PartsRow> Ledger::Parts(std::string_view entry_id) const {
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, Get(PartsKey(entry_id)));
  PartsRow row;
  if (bytes) SIMPUL_RETURN_IF_ERROR(deliver::Decode(*bytes, row));
  return row;
}

absl::StatusOr<std::string> Ledger::SharedId(std::string_view part_key) const {
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, Get(SharedKey(part_key)));
  return bytes.value_or("");
}

absl::StatusOr<std::vector<WorkItem>> Ledger::Work(bool timed, std::string_view after,
                                                   size_t limit) const {
  std::vector<WorkItem> items;
  SIMPUL_RETURN_IF_ERROR(
      Scan(timed ? "t" : "q", after, limit,
           [&items](std::string_view key, std::string_view value) -> absl::Status {
             if (key.size() != 25 || value.size() != 24) return Damaged();
             items.push_back(ItemOf(key, value));
             return absl::OkStatus();
           }));
  return items;
}

absl::StatusOr<std::vector<ChangeRow>> Ledger::Changes(std::string_view after, size_t limit) const {
  std::vector<ChangeRow> rows;
  const auto take = [&rows](std::string_view key, std::string_view value) -> absl::Status {
    ChangeRow row;
    row.key = key.substr(1);
    rows.push_back(std::move(row));
    return DecodeChange(value, rows.back());
  };
  const std::string from = after.empty() ? "" : "c" + std::string(after);
  SIMPUL_RETURN_IF_ERROR(Scan("c", from, limit, take));
  return rows;
}

absl::StatusOr<std::vector<HeldRow>> Ledger::Held(std::string_view after, size_t limit) const {
  std::vector<HeldRow> rows;
  SIMPUL_RETURN_IF_ERROR(
      Scan("h", after, limit, [&rows](std::string_view key, std::string_view) -> absl::Status {
        if (key.size() != 25) return Damaged();
        rows.push_back({std::string(key), std::string(key.substr(9))});
        return absl::OkStatus();
      }));
  return rows;
}

absl::StatusOr<std::vector<Ledger::DeadLetterAt>> Ledger::DeadLetters(std::string_view after,
                                                                      size_t limit) const {
  std::vector<DeadLetterAt> rows;
  SIMPUL_RETURN_IF_ERROR(Scan(
      "d", after, limit, [&rows](std::string_view key, std::string_view value) -> absl::Status {
        DeadLetterAt row{std::string(key), {}};
        if (!row.dead_letter.ParseFromArray(value.data(), static_cast<int>(value.size())))
          return Damaged();
        rows.push_back(std::move(row));
        return absl::OkStatus();
      }));
  return rows;
}

absl::StatusOr<std::vector<Ledger::WaitingAt>> Ledger::Waiting(std::string_view after,
                                                               size_t limit) const {
  std::vector<WaitingAt> rows;
  SIMPUL_RETURN_IF_ERROR(Scan(
      "w", after, limit, [&rows](std::string_view key, std::string_view value) -> absl::Status {
        WaitingAt row{std::string(key), {}};
        if (!row.waiting.ParseFromArray(value.data(), static_cast<int>(value.size())))
          return Damaged();
        rows.push_back(std::move(row));
        return absl::OkStatus();
      }));
  return rows;
}

absl::StatusOr<std::vector<Sighting>> Ledger::Sightings(std::string_view event_id) const {
  std::vector<Sighting> sightings;
  SIMPUL_RETURN_IF_ERROR(
      Scan(EventKey('v', event_id, ""), "", SIZE_MAX,
           [&sightings](std::string_view key, std::string_view value) -> absl::Status {
             Sighting one;
             if (key.size() != 41 || !TakeText(value, one.facility_system) ||
                 !TakeText(value, one.facility_code) || value.size() != 8) {
               return Damaged();
             }
             one.subject_key = key.substr(17, 16);
             one.position = static_cast<int64_t>(base::GetBe64(key.substr(33)));
             one.received_at_us = static_cast<int64_t>(base::GetBe64(value));
             // Sent again: the lowest position stands, and rows come in its order.
             for (const Sighting& other : sightings) {
               if (other.subject_key == one.subject_key &&
                   other.facility_system == one.facility_system &&
                   other.facility_code == one.facility_code) {
                 return absl::OkStatus();
               }
             }
             sightings.push_back(std::move(one));
             return absl::OkStatus();
           }));
  return sightings;
}

absl::StatusOr<std::vector<std::string>> Ledger::EntriesOf(std::string_view event_id) const {
  std::vector<std::string> entries;
  SIMPUL_RETURN_IF_ERROR(Scan(EventKey('x', event_id, ""), "", SIZE_MAX,
                              [&entries](std::string_view key, std::string_view) -> absl::Status {
                                if (key.size() != 33) return Damaged();
                                entries.emplace_back(key.substr(17));
                                return absl::OkStatus();
                              }));
  return entries;
}

absl::StatusOr<std::optional<log::v1::WaitingEvent>> Ledger::WaitingOf(
    std::string_view event_id, std::string_view subject) const {
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, Get(EventKey('w', event_id, subject)));
  if (!bytes) return std::nullopt;
  log::v1::WaitingEvent waiting;
  if (!waiting.ParseFromString(*bytes)) return Damaged();
  return waiting;
}

absl::StatusOr<std::vector<log::v1::DeadLetter>> Ledger::DeadLettersOf(
    std::string_view event_id, std::string_view subject) const {
  std::vector<std::string> keys;
  SIMPUL_RETURN_IF_ERROR(Scan(EventKey('y', event_id, subject), "", SIZE_MAX,
                              [&keys](std::string_view key, std::string_view) -> absl::Status {
                                if (key.size() != 41) return Damaged();
                                keys.push_back("d" + std::string(key.substr(33)));
                                return absl::OkStatus();
                              }));
  std::vector<log::v1::DeadLetter> letters;
  for (const std::string& key : keys) {
    SIMPUL_ASSIGN_OR_RETURN(const auto bytes, Get(key));
    log::v1::DeadLetter letter;
    if (!bytes || !letter.ParseFromString(*bytes)) return Damaged();
    letters.push_back(std::move(letter));
  }
  return letters;
}

}  // namespace simpul::deliver
