#include "lib/deliver/ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"

namespace simpul::deliver {
namespace {

using eventlog::Topic;

template <typename Message>
absl::Status Parse(std::string_view value, Message& message) {
  return message.ParseFromArray(value.data(), static_cast<int>(value.size())) ? absl::OkStatus()
                                                                              : LedgerDamaged();
}
absl::Status Decode(std::string_view key, std::string_view value, Ledger::DeadLetterAt& row) {
  row.key = key;
  return Parse(value, row.dead_letter);
}
absl::Status Decode(std::string_view key, std::string_view value, Ledger::WaitingAt& row) {
  row.key = key;
  return Parse(value, row.waiting);
}

// Rows of one list, each read by Decode(key, value, row).
template <typename Row>
absl::StatusOr<std::vector<Row>> List(const LedgerStore& store, std::string_view prefix,
                                      std::string_view after, size_t limit) {
  std::vector<Row> rows;
  SIMPUL_RETURN_IF_ERROR(
      store.Scan(prefix, after, limit, [&rows](std::string_view key, std::string_view value) {
        return Decode(key, value, rows.emplace_back());
      }));
  return rows;
}

// What the keys of one event name, each read by `decode`.
absl::StatusOr<std::vector<std::string>> Named(const LedgerStore& store, std::string_view prefix,
                                               absl::Status (*decode)(std::string_view key,
                                                                      std::string& name)) {
  std::vector<std::string> names;
  SIMPUL_RETURN_IF_ERROR(store.Scan(
      prefix, "", SIZE_MAX,
      [&](std::string_view key, std::string_view) { return decode(key, names.emplace_back()); }));
  return names;
}

// The row under a key, as it is when there is none yet.
template <typename Row>
absl::StatusOr<Row> RowOf(const LedgerStore& store, std::string_view key) {
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, store.Get(key));
  Row row;
  if (bytes) SIMPUL_RETURN_IF_ERROR(Decode(*bytes, row));
  return row;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::Open(const std::filesystem::path& folder,
                                                     const log::v1::Install& install,
                                                     uint32_t partition, LedgerMemory& memory) {
  SIMPUL_ASSIGN_OR_RETURN(std::unique_ptr<LedgerStore> store,
                          LedgerStore::Open(folder, partition, memory));
  std::unique_ptr<Ledger> ledger(
      new Ledger(std::move(store), folder, partition, OriginOf(install, partition)));
  absl::Status read = absl::OkStatus();
  const auto standing = ledger->store_->Get(kStandingKey);
  if (!standing.ok()) {
    read = standing.status();
  } else if (standing->has_value()) {
    read = Decode(**standing, ledger->origin_, ledger->standing_);
  }
  if (absl::IsNotFound(read)) {
    base::Log(base::Severity::kInfo, "forwarder",
              "the delivery ledger is of an older format; it is made again from the log",
              {{"partition", partition}});
    read = ledger->store_->Empty();
  }
  if (!read.ok()) return base::Within(folder.string(), read);
  for (const auto& [topic, next] : ledger->standing_.next) {
    if (next > 0) ledger->to_compare_.insert(topic);
  }
  return ledger;
}

// That the log holds what was applied from it, where that was not seen yet.
absl::Status Ledger::Compare(Topic topic, std::span<const eventlog::OwnedRecord> records) {
  SIMPUL_RETURN_IF_ERROR(swapped_);
  if (!to_compare_.contains(topic)) return absl::OkStatus();
  const int64_t position = standing_.next[topic] - 1;
  for (const eventlog::OwnedRecord& record : records) {
    if (record.position < position) continue;
    if (record.position > position) {
      return absl::InternalError(fmt::format("position {} came before position {} was compared",
                                             record.position, position));
    }
    if (eventlog::DigestOfRecord(record.key, record.value) != standing_.digests[topic]) {
      swapped_ = absl::DataLossError(fmt::format(
          "{} holds another record at position {} than the one that {} was made from: the log was "
          "cut back and written again, or swapped. Restore the log that belongs to this folder. If "
          "this log is the right one, delete the folder: it is made again from the log.",
          eventlog::PlaceText({topic, partition_}), position, folder_.string()));
      return swapped_;
    }
    const std::lock_guard lock(mutex_);
    to_compare_.erase(topic);
    break;
  }
  return absl::OkStatus();
}

absl::StatusOr<Applied> Ledger::Apply(Topic topic, std::span<const eventlog::OwnedRecord> records) {
  SIMPUL_RETURN_IF_ERROR(Compare(topic, records));
  // Waits while there is still room: a write that fails for want of it ends the ledger.
  SIMPUL_RETURN_IF_ERROR(store_->CheckRoom());
  LedgerUpdate update(*store_, standing_);
  for (const eventlog::OwnedRecord& record : records) {
    SIMPUL_RETURN_IF_ERROR(update.Take(topic, record));
  }
  SIMPUL_RETURN_IF_ERROR(update.Finish());
  LedgerStanding& standing = update.standing();
  if (standing.next[topic] == standing_.next[topic]) return std::move(update.applied());
  standing.digests[topic] = eventlog::DigestOfRecord(records.back().key, records.back().value);
  update.writes().Put(kStandingKey, Encode(standing, origin_));
  SIMPUL_RETURN_IF_ERROR(store_->Write(update.writes()));
  {
    const std::lock_guard lock(mutex_);
    standing_ = std::move(standing);
  }
  return std::move(update.applied());
}

int64_t Ledger::FirstToRead(Topic topic) const { return std::max<int64_t>(Next(topic) - 1, 0); }

bool Ledger::HasCompared() const {
  const std::lock_guard lock(mutex_);
  return to_compare_.empty();
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

absl::StatusOr<std::optional<EntryRow>> Ledger::Entry(std::string_view entry_id) const {
  SIMPUL_ASSIGN_OR_RETURN(auto row, EntryWithLatest(entry_id));
  if (!row) return std::nullopt;
  return std::move(row->entry);
}

absl::StatusOr<std::optional<Ledger::WithLatest>> Ledger::EntryWithLatest(
    std::string_view entry_id) const {
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, store_->Get(EntryKey(entry_id)));
  if (!bytes) return std::nullopt;
  WithLatest row;
  SIMPUL_RETURN_IF_ERROR(Decode(*bytes, row.entry, row.latest));
  return row;
}

absl::StatusOr<RevisionRow> Ledger::Revision(std::string_view entry_id, uint32_t revision) const {
  SIMPUL_ASSIGN_OR_RETURN(auto row, EntryWithLatest(entry_id));
  if (row && row->entry.latest == revision) return std::move(row->latest);
  return RowOf<RevisionRow>(*store_, RevisionKey(entry_id, revision));
}

absl::StatusOr<timeline::v1::Entry> Ledger::EntryAt(std::string_view entry_id,
                                                    uint32_t revision) const {
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, store_->Get(BytesKey(entry_id, revision)));
  if (!bytes) return absl::NotFoundError("that revision is no longer kept");
  timeline::v1::Entry entry;
  SIMPUL_RETURN_IF_ERROR(Parse(*bytes, entry));
  return entry;
}

absl::StatusOr<PartsRow> Ledger::Parts(std::string_view entry_id) const {
  return RowOf<PartsRow>(*store_, PartsKey(entry_id));
}

absl::StatusOr<std::string> Ledger::SharedId(std::string_view part_key) const {
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, store_->Get(SharedKey(part_key)));
  return bytes.value_or("");
}

absl::StatusOr<std::vector<std::string>> Ledger::Unsettled(std::string_view subject_key) const {
  return Named(*store_, UnsettledOf(subject_key), DecodeNamedEntry);
}

absl::StatusOr<std::vector<WorkItem>> Ledger::Work(bool timed, std::string_view after,
                                                   size_t limit) const {
  return List<WorkItem>(*store_, timed ? kTimedPrefix : kReadyPrefix, after, limit);
}

absl::StatusOr<std::vector<ChangeRow>> Ledger::Changes(std::string_view after, size_t limit) const {
  // Shown without the letter of the list.
  const std::string from = after.empty() ? "" : std::string(kChangePrefix) + std::string(after);
  return List<ChangeRow>(*store_, kChangePrefix, from, limit);
}

absl::StatusOr<std::vector<HeldRow>> Ledger::Held(std::string_view after, size_t limit) const {
  return List<HeldRow>(*store_, kHeldPrefix, after, limit);
}

absl::StatusOr<std::vector<Ledger::DeadLetterAt>> Ledger::DeadLetters(std::string_view after,
                                                                      size_t limit) const {
  return List<DeadLetterAt>(*store_, kDeadLetterPrefix, after, limit);
}

absl::StatusOr<std::vector<Ledger::WaitingAt>> Ledger::Waiting(std::string_view after,
                                                               size_t limit) const {
  return List<WaitingAt>(*store_, kWaitingPrefix, after, limit);
}

absl::StatusOr<std::vector<Sighting>> Ledger::Sightings(std::string_view event_id) const {
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<Sighting> all,
                          List<Sighting>(*store_, SightingsOf(event_id), "", SIZE_MAX));
  std::vector<Sighting> first;
  for (const Sighting& one : all) {
    // Sent again: the lowest position stands, and rows come in its order.
    const bool again = std::any_of(first.begin(), first.end(), [&one](const Sighting& other) {
      return other.subject_key == one.subject_key && other.facility_system == one.facility_system &&
             other.facility_code == one.facility_code;
    });
    if (!again) first.push_back(one);
  }
  return first;
}

absl::StatusOr<std::vector<std::string>> Ledger::EntriesOf(std::string_view event_id) const {
  return Named(*store_, CarriedOf(event_id), DecodeNamedEntry);
}

absl::StatusOr<std::optional<log::v1::WaitingEvent>> Ledger::WaitingOf(
    std::string_view event_id, std::string_view subject) const {
  SIMPUL_ASSIGN_OR_RETURN(const auto bytes, store_->Get(WaitingKey(event_id, subject)));
  if (!bytes) return std::nullopt;
  log::v1::WaitingEvent waiting;
  SIMPUL_RETURN_IF_ERROR(Parse(*bytes, waiting));
  return waiting;
}

absl::StatusOr<std::vector<log::v1::DeadLetter>> Ledger::DeadLettersOf(
    std::string_view event_id, std::string_view subject) const {
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                          Named(*store_, AboutOf(event_id, subject), DecodeAbout));
  std::vector<log::v1::DeadLetter> letters;
  for (const std::string& key : keys) {
    SIMPUL_ASSIGN_OR_RETURN(const auto bytes, store_->Get(key));
    if (!bytes) return LedgerDamaged();
    SIMPUL_RETURN_IF_ERROR(Parse(*bytes, letters.emplace_back()));
  }
  return letters;
}

}  // namespace simpul::deliver
