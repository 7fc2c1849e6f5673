#include "forwarder/forwarder.h"

#include <fmt/format.h>
#include <prometheus/gauge.h>

#include <algorithm>
#include <set>
#include <variant>

#include "lib/base/bytes.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"
#include "lib/event/subject.h"
#include "lib/eventlog/position_token.h"

namespace simpul::forwarder {
namespace {

using deliver::Ledger;
using delivery::v1::DeliveryRecordTrace;
using delivery::v1::DeliveryState;
using eventlog::Place;
using eventlog::Topic;

constexpr std::chrono::seconds kWaitMax{5};
constexpr int kTraceMax = 500;
constexpr uint32_t kPageMax = 1000;
constexpr uint32_t kPageDefault = 100;
constexpr uint32_t kTraceRevisionsMax = 100;
constexpr size_t kResendMax = 10'000;
constexpr size_t kReasonMax = 200;
constexpr size_t kChangesScanMax = 20'000;

constexpr std::array kTopics = {Topic::kEvents, Topic::kEntries, Topic::kDeliveries};

void SetTime(google::protobuf::Timestamp& out, int64_t us) {
  out.set_seconds(us / 1'000'000);
  out.set_nanos(static_cast<int32_t>(us % 1'000'000) * 1000);
}

std::string_view StateName(DeliveryState state) {
  switch (state) {
    case delivery::v1::DELIVERY_STATE_WAITING:
      return "waiting";
    case delivery::v1::DELIVERY_STATE_DELIVERED:
      return "delivered";
    case delivery::v1::DELIVERY_STATE_HELD:
      return "held";
    case delivery::v1::DELIVERY_STATE_REFUSED:
      return "refused";
    case delivery::v1::DELIVERY_STATE_SUPERSEDED:
      return "superseded";
    case delivery::v1::DELIVERY_STATE_NOT_SENT:
      return "not_sent";
    default:
      return "unspecified";
  }
}

// Steps about a whole partition need a key that lies in it.
std::vector<std::string> KeysOfPartitions(uint32_t partitions) {
  std::vector<std::string> keys(partitions);
  uint32_t found = 0;
  for (uint64_t n = 0; found < partitions; ++n) {
    std::string key = "claim   ";
    base::PutBe64(key, n);
    std::string& slot = keys[event::PartitionOf(key, partitions)];
    if (!slot.empty()) continue;
    slot = key;
    ++found;
  }
  return keys;
}

eventlog::Draft DraftOf(std::string key, log::v1::DeliveryRecord step, std::string ce_id) {
  log::v1::LogRecord record;
  const int64_t at_us = step.at_us();
  *record.mutable_delivery() = std::move(step);
  eventlog::Draft draft;
  draft.topic = Topic::kDeliveries;
  draft.key = std::move(key);
  draft.value = record.SerializeAsString();
  draft.ce_id = std::move(ce_id);
  draft.ce_type = "simpul.delivery";
  draft.ce_time_us = at_us;
  return draft;
}

void SetFacility(event::v1::Facility& out, const deliver::EntryRow& row) {
  out.set_system(row.facility_system);
  out.set_code(row.facility_code);
}

// Cursors and page tokens: what is in them, and a MAC so that nobody makes their own.
std::string Sealed(const event::Secret& secret, std::string_view purpose,
                   const std::string& bytes) {
  return base::ToBase64Url(secret.Mac(purpose, bytes).substr(0, 8) + bytes);
}

absl::StatusOr<std::string> Opened(const event::Secret& secret, std::string_view purpose,
                                   const std::string& token) {
  const auto bytes = base::FromBase64Url(token);
  if (!bytes.ok() || bytes->size() < 8 ||
      secret.Mac(purpose, bytes->substr(8)).substr(0, 8) != bytes->substr(0, 8)) {
    return absl::InvalidArgumentError(
        fmt::format("{} is none that this install gave out: begin again without one", purpose));
  }
  return bytes->substr(8);
}

uint32_t PageSize(uint32_t asked) { return asked == 0 ? kPageDefault : std::min(asked, kPageMax); }

bool MatchesCause(std::string_view cause, DeliveryState state, std::string_view reason) {
  return cause.empty() || cause == reason || cause == StateName(state);
}

}  // namespace

// A record an operator can try again or give up.
struct Forwarder::Candidate {
  uint32_t partition = 0;
  std::string entry_id;  // 16 bytes
  deliver::EntryRow row;
  uint64_t number = 0;
};

Forwarder::Forwarder(eventlog::EventLog& log, const event::Secret& secret, Options options,
                     const base::Clock& clock, base::Metrics& metrics)
    : log_(log),
      secret_(secret),
      options_(std::move(options)),
      clock_(clock),
      metrics_(metrics),
      claim_(base::RandomUuid()),
      partition_keys_(KeysOfPartitions(log.partitions())),
      shown_(log.partitions()) {}

absl::StatusOr<std::unique_ptr<Forwarder>> Forwarder::Open(eventlog::EventLog& log,
                                                           const event::Secret& secret,
                                                           Options options,
                                                           const base::Clock& clock,
                                                           base::Metrics& metrics) {
  auto forwarder =
      std::unique_ptr<Forwarder>(new Forwarder(log, secret, std::move(options), clock, metrics));
  Forwarder& self = *forwarder;
  SIMPUL_ASSIGN_OR_RETURN(self.directory_,
                          deliver::DirectoryFile::Open(self.options_.directory_file));
  SIMPUL_ASSIGN_OR_RETURN(self.credentials_, deliver::WatchedFile<deliver::Credentials>::Open(
                                                 self.options_.credentials_file, "credentials",
                                                 &deliver::Credentials::Read));
  if (!self.options_.platform_url.empty()) {
    deliver::NationalPlatform::Options platform;
    platform.url = self.options_.platform_url;
    platform.request_limit = self.options_.retry.request_limit;
    platform.connections_max = self.options_.connections_max;
    platform.credentials = [credentials = self.credentials_.get()] { return credentials->Get(); };
    SIMPUL_ASSIGN_OR_RETURN(self.platform_,
                            deliver::NationalPlatform::Open(std::move(platform), clock, metrics));
  }

  self.memory_ = std::make_unique<deliver::LedgerMemory>(self.options_.memory_bytes);
  std::vector<eventlog::Start> starts;
  std::vector<Ledger*> ledgers;
  for (uint32_t partition = 0; partition < log.partitions(); ++partition) {
    SIMPUL_ASSIGN_OR_RETURN(auto ledger,
                            Ledger::Open(self.options_.folder / fmt::format("{:02}", partition),
                                         log.install(), partition, *self.memory_));
    for (const Topic topic : kTopics) {
      const Place place{topic, partition};
      SIMPUL_ASSIGN_OR_RETURN(const int64_t end, log.End(place));
      self.ends_at_start_.emplace_back(place, end);
      starts.push_back({place, ledger->Next(topic)});
    }
    ledgers.push_back(ledger.get());
    self.ledgers_.push_back(std::move(ledger));
    self.ShowCounts(partition);
  }
  if (self.platform_ != nullptr) {
    std::vector<eventlog::Draft> claims;
    for (const std::string& key : self.partition_keys_) {
      log::v1::DeliveryRecord step;
      step.set_claim(self.claim_);
      step.set_at_us(base::ToMicros(clock.Now()));
      step.mutable_claimed()->set_replica(0);
      claims.push_back(DraftOf(key, std::move(step), self.claim_));
    }
    for (const eventlog::Appended& appended : eventlog::AppendAndWait(log, std::move(claims))) {
      if (!appended.ok()) return base::Within("claiming the partitions", appended.status());
    }
    Sender::Options sending;
    sending.claim = self.claim_;
    sending.earliest_day = self.options_.earliest_day;
    sending.retry = self.options_.retry;
    sending.jobs_max = self.options_.jobs_max;
    sending.miss_lasts = self.options_.miss_lasts;
    self.sender_ = std::make_unique<Sender>(
        log, std::move(ledgers), *self.platform_,
        [directory = self.directory_.get()] { return directory->Get(); },
        [credentials = self.credentials_.get()] { return credentials->version(); },
        std::move(sending), clock, metrics);
  } else {
    base::Log(base::Severity::kInfo, "forwarder",
              "no platform is given: nothing is sent, everything waits");
  }
  eventlog::Follower::Options follow;
  follow.name = "forwarder";
  SIMPUL_ASSIGN_OR_RETURN(
      self.follower_,
      eventlog::Follower::Start(
          log, std::move(starts), follow,
          [&self](Place place, std::span<const eventlog::OwnedRecord> records) {
            return self.Apply(place, records);
          },
          metrics,
          self.sender_ != nullptr ? eventlog::Follower::Idle() : [&self] { self.ShowAge(); }));
  return forwarder;
}

Forwarder::~Forwarder() {
  follower_.reset();
  if (sender_ != nullptr) sender_->Stop();
  // Its last answers go to a sender that no longer acts on them.
  platform_.reset();
}

absl::Status Forwarder::Apply(Place place, std::span<const eventlog::OwnedRecord> records) {
  SIMPUL_ASSIGN_OR_RETURN(deliver::Applied applied,
                          ledgers_[place.partition]->Apply(place.topic, records));
  if (sender_ != nullptr && place.topic != Topic::kEvents) {
    sender_->Take(place.partition, std::move(applied));
  }
  if (place.topic != Topic::kEvents) ShowCounts(place.partition);
  const std::lock_guard lock(mutex_);
  applied_.notify_all();
  return absl::OkStatus();
}

void Forwarder::ShowCounts(uint32_t partition) {
  const deliver::LedgerCounts counts = ledgers_[partition]->counts();
  deliver::LedgerCounts before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(shown_[partition], counts);
  }
  for (const auto& [state, count] : counts.records) {
    const auto was = before.records.find(state);
    const uint64_t old = was == before.records.end() ? 0 : was->second;
    if (old == count) continue;
    metrics_
        .Gauge("simpul_forwarder_records", "Delivery records by state.",
               {{"state", std::string(StateName(state))}})
        .Increment(static_cast<double>(count) - static_cast<double>(old));
  }
  if (counts.dead_letters != before.dead_letters) {
    metrics_.Gauge("simpul_forwarder_dead_letters", "Events that could not be processed.")
        .Increment(static_cast<double>(counts.dead_letters) -
                   static_cast<double>(before.dead_letters));
  }
  if (counts.waiting_events != before.waiting_events) {
    metrics_
        .Gauge("simpul_forwarder_waiting_events",
               "Corrections and retractions whose original has not come.")
        .Increment(static_cast<double>(counts.waiting_events) -
                   static_cast<double>(before.waiting_events));
  }
}

void Forwarder::ShowAge() {
  const base::Time now = clock_.Now();
  if (now < show_age_at_) return;
  show_age_at_ = now + std::chrono::seconds(1);
  constexpr size_t kTimedMax = 256;
  int64_t oldest_us = 0;
  for (const auto& ledger : ledgers_) {
    for (const bool timed : {false, true}) {
      // What is due now stands in the order in which it came.
      const auto items = ledger->Work(timed, "", timed ? kTimedMax : 1);
      if (!items.ok()) continue;
      for (const deliver::WorkItem& item : *items) {
        const int64_t at = item.received_at_us;
        if (at != 0 && (oldest_us == 0 || at < oldest_us)) oldest_us = at;
      }
    }
  }
  ShowOldest(metrics_, oldest_us, now);
}

absl::Status Forwarder::Ready() const {
  for (const auto& [place, why] : follower_->Stopped()) {
    return absl::FailedPreconditionError(
        fmt::format("forwarder: partition {} of {} stands still: {}", place.partition,
                    eventlog::TopicName(place.topic), why));
  }
  if (sender_ != nullptr) {
    const std::string trouble = sender_->Trouble();
    if (!trouble.empty()) return absl::FailedPreconditionError("forwarder: " + trouble);
    SIMPUL_RETURN_IF_ERROR(credentials_->Health());
  }
  for (const auto& [place, end] : ends_at_start_) {
    if (ledgers_[place.partition]->Next(place.topic) < end) {
      return absl::UnavailableError(
          "forwarder: the delivery ledger is still being read from the log");
    }
  }
  return absl::OkStatus();
}

absl::Status Forwarder::AwaitApplied(const std::vector<std::pair<Place, int64_t>>& until) {
  const auto reached = [this, &until] {
    return std::all_of(until.begin(), until.end(), [this](const auto& one) {
      return ledgers_[one.first.partition]->Next(one.first.topic) >= one.second;
    });
  };
  std::unique_lock lock(mutex_);
  if (applied_.wait_for(lock, kWaitMax, reached)) return absl::OkStatus();
  return absl::UnavailableError(
      "the forwarder has not read what is on the log yet; try again in a moment");
}

absl::StatusOr<DeliveryRecordTrace> Forwarder::TraceOf(const Ledger& ledger,
                                                       const std::string& entry_id,
                                                       const deliver::EntryRow& row,
                                                       uint32_t revision,
                                                       bool with_unmapped) const {
  SIMPUL_ASSIGN_OR_RETURN(const deliver::RevisionRow record, ledger.Revision(entry_id, revision));
  DeliveryRecordTrace trace;
  trace.set_record_id(base::UuidText(entry_id));
  trace.set_revision(revision);
  trace.set_state(StateOf(row, revision, record));
  trace.set_attempts(record.attempts);
  if (trace.state() != delivery::v1::DELIVERY_STATE_SUPERSEDED) {
    trace.set_reason(record.reason);
    trace.set_platform_says(record.platform_says);
    if (record.retry_at_us != 0) SetTime(*trace.mutable_retry_at(), record.retry_at_us);
  }
  const int64_t changed_us =
      record.changed_at_us != 0 ? record.changed_at_us : record.received_at_us;
  if (changed_us != 0) SetTime(*trace.mutable_changed_at(), changed_us);
  if (trace.state() == delivery::v1::DELIVERY_STATE_DELIVERED) {
    SIMPUL_ASSIGN_OR_RETURN(const deliver::PartsRow parts, ledger.Parts(entry_id));
    for (const deliver::PartRow& part : parts.parts) {
      if (part.withdrawn && revision == row.delivered) continue;
      trace.add_platform_ids(part.resource_type + "/" + part.id);
    }
  }
  // Nothing was tried yet: what stands before it is not on the log.
  bool unexplained =
      trace.state() == delivery::v1::DELIVERY_STATE_WAITING && trace.reason().empty();
  if (unexplained && sender_ == nullptr) {
    trace.set_reason("no_platform");
    unexplained = false;
  } else if (unexplained && ledger.paused()) {
    const std::string why = ledger.pause_reason();
    trace.set_reason(why.empty() ? "paused" : "paused: " + why);
    unexplained = false;
  }
  if (with_unmapped || unexplained) {
    const auto entry = ledger.EntryAt(entry_id, revision);
    if (entry.ok()) {
      fhir::MapOptions map_options;
      map_options.earliest_day = options_.earliest_day;
      const fhir::MapResult result = fhir::Map(*entry, *directory_->Get(), {}, map_options);
      if (const auto* mapped = std::get_if<fhir::Mapped>(&result)) {
        if (with_unmapped) {
          for (const std::string& what : mapped->unmapped) trace.add_unmapped(what);
        }
        if (unexplained) ExplainWaiting(mapped->organization, trace);
      }
    }
  }
  return trace;
}

void Forwarder::ExplainWaiting(const std::string& organization, DeliveryRecordTrace& trace) const {
  const auto closed = sender_->WhyClosed(organization);
  if (!closed) return;
  trace.set_reason(closed->reason);
  trace.set_platform_says(closed->platform_says);
  SetTime(*trace.mutable_retry_at(), base::ToMicros(closed->until));
}

absl::Status Forwarder::Trace(const delivery::v1::TraceRequest& request,
                              delivery::v1::TraceResponse& response) {
  if (request.event_ids_size() == 0 || request.event_ids_size() > kTraceMax) {
    return absl::InvalidArgumentError(fmt::format("event_ids: give 1 to {} event ids, not {}",
                                                  kTraceMax, request.event_ids_size()));
  }
  std::vector<std::pair<Place, int64_t>> ends;
  for (uint32_t partition = 0; partition < log_.partitions(); ++partition) {
    const Place place{Topic::kEvents, partition};
    SIMPUL_ASSIGN_OR_RETURN(const int64_t end, log_.End(place));
    ends.emplace_back(place, end);
  }
  SIMPUL_RETURN_IF_ERROR(AwaitApplied(ends));

  for (const std::string& event_id : request.event_ids()) {
    const int first = response.traces_size();
    std::set<std::string> subjects;
    if (base::IsUuid(event_id)) {
      const std::string id = base::UuidBytes(event_id);
      for (uint32_t partition = 0; partition < ledgers_.size(); ++partition) {
        const Ledger& ledger = *ledgers_[partition];
        SIMPUL_ASSIGN_OR_RETURN(const auto sightings, ledger.Sightings(id));
        if (sightings.empty()) continue;
        SIMPUL_ASSIGN_OR_RETURN(const auto entries, ledger.EntriesOf(id));
        for (const deliver::Sighting& sighting : sightings) {
          subjects.insert(sighting.subject_key);
          delivery::v1::EventTrace& trace = *response.add_traces();
          trace.set_event_id(event_id);
          trace.mutable_facility()->set_system(sighting.facility_system);
          trace.mutable_facility()->set_code(sighting.facility_code);
          trace.set_position(eventlog::PositionToken(log_.install(), partition, sighting.position));
          SetTime(*trace.mutable_received_at(), sighting.received_at_us);
          trace.set_state(delivery::v1::EVENT_STATE_ACCEPTED);
          SIMPUL_ASSIGN_OR_RETURN(const auto letters,
                                  ledger.DeadLettersOf(id, sighting.subject_key));
          for (const log::v1::DeadLetter& letter : letters) {
            const bool same_facility = letter.facility().code().empty() ||
                                       (letter.facility().code() == sighting.facility_code &&
                                        letter.facility().system() == sighting.facility_system);
            if (!same_facility) continue;
            trace.set_state(delivery::v1::EVENT_STATE_DEAD_LETTER);
            trace.set_reason(letter.cause());
          }
          SIMPUL_ASSIGN_OR_RETURN(const auto waiting, ledger.WaitingOf(id, sighting.subject_key));
          if (waiting) {
            trace.set_state(delivery::v1::EVENT_STATE_WAITING_FOR_ORIGINAL);
            trace.set_reason(waiting->original_event_id());
          }
          for (const std::string& entry_id : entries) {
            SIMPUL_ASSIGN_OR_RETURN(const auto row, ledger.Entry(entry_id));
            if (!row || row->latest == 0 || row->subject_key != sighting.subject_key) continue;
            // With a conflict both are true: one content stands, the other is a dead letter.
            trace.set_state(delivery::v1::EVENT_STATE_ON_TIMELINE);
            trace.add_entries(base::UuidText(entry_id));
            const auto carried =
                std::find_if(row->events.begin(), row->events.end(),
                             [&id](const auto& event) { return event.event_id == id; });
            uint32_t from = carried == row->events.end() ? 1 : carried->first_revision;
            if (row->latest > kTraceRevisionsMax) {
              from = std::max(from, row->latest - kTraceRevisionsMax + 1);
            }
            for (uint32_t revision = from; revision <= row->latest; ++revision) {
              SIMPUL_ASSIGN_OR_RETURN(
                  *trace.add_records(),
                  TraceOf(ledger, entry_id, *row, revision, revision == row->latest));
            }
          }
        }
      }
    }
    if (response.traces_size() == first) {
      delivery::v1::EventTrace& trace = *response.add_traces();
      trace.set_event_id(event_id);
      trace.set_state(delivery::v1::EVENT_STATE_UNKNOWN);
    }
    for (int i = first; i < response.traces_size(); ++i) {
      response.mutable_traces(i)->set_id_used_twice(subjects.size() > 1);
    }
  }
  return absl::OkStatus();
}

absl::Status Forwarder::ListDeliveries(const delivery::v1::ListDeliveriesRequest& request,
                                       delivery::v1::ListDeliveriesResponse& response) {
  constexpr std::string_view kPurpose = "after";
  constexpr size_t kKeyBytes = 10;
  const uint32_t page = PageSize(request.page_size());
  std::vector<std::string> after(ledgers_.size());
  if (!request.after().empty()) {
    SIMPUL_ASSIGN_OR_RETURN(const std::string bytes, Opened(secret_, kPurpose, request.after()));
    size_t at = 0;
    for (std::string& key : after) {
      if (at >= bytes.size())
        return absl::InvalidArgumentError("after is cut short: begin again without one");
      const bool has_key = bytes[at++] != 0;
      if (!has_key) continue;
      if (bytes.size() - at < kKeyBytes) {
        return absl::InvalidArgumentError("after is cut short: begin again without one");
      }
      key = bytes.substr(at, kKeyBytes);
      at += kKeyBytes;
    }
  }
  // The partitions' changes merged by time; each partition keeps its own place in the cursor, so
  // nothing is missed when one is behind another.
  std::vector<std::vector<deliver::ChangeRow>> rows(ledgers_.size());
  std::vector<size_t> taken(ledgers_.size(), 0);
  std::vector<bool> ended(ledgers_.size(), false);
  size_t scanned = 0;
  bool at_end = false;
  while (response.changes_size() < static_cast<int>(page) && scanned < kChangesScanMax) {
    size_t next = ledgers_.size();
    for (size_t partition = 0; partition < ledgers_.size(); ++partition) {
      if (taken[partition] == rows[partition].size() && !ended[partition]) {
        SIMPUL_ASSIGN_OR_RETURN(rows[partition],
                                ledgers_[partition]->Changes(after[partition], 64));
        taken[partition] = 0;
        ended[partition] = rows[partition].size() < 64;
      }
      if (taken[partition] == rows[partition].size()) continue;
      if (next == ledgers_.size() ||
          rows[partition][taken[partition]].changed_at_us < rows[next][taken[next]].changed_at_us) {
        next = partition;
      }
    }
    at_end = next == ledgers_.size();
    if (at_end) break;
    const deliver::ChangeRow& change = rows[next][taken[next]++];
    after[next] = change.key;
    ++scanned;
    SIMPUL_ASSIGN_OR_RETURN(const auto row, ledgers_[next]->Entry(change.entry_id));
    if (!row) continue;
    if (!request.facility().code().empty() &&
        (request.facility().code() != row->facility_code ||
         request.facility().system() != row->facility_system)) {
      continue;
    }
    delivery::v1::DeliveryChange& out = *response.add_changes();
    SetFacility(*out.mutable_facility(), *row);
    for (const deliver::CarriedEvent& event : row->events) {
      if (event.first_revision <= change.number) out.add_event_ids(base::UuidText(event.event_id));
    }
    DeliveryRecordTrace& record = *out.mutable_record();
    record.set_record_id(base::UuidText(change.entry_id));
    record.set_revision(change.number);
    record.set_state(change.state);
    record.set_attempts(change.attempts);
    record.set_reason(change.reason);
    record.set_platform_says(change.platform_says);
    SetTime(*record.mutable_changed_at(), change.changed_at_us);
    if (change.retry_at_us != 0) SetTime(*record.mutable_retry_at(), change.retry_at_us);
    if (change.state == delivery::v1::DELIVERY_STATE_DELIVERED) {
      SIMPUL_ASSIGN_OR_RETURN(const deliver::PartsRow parts,
                              ledgers_[next]->Parts(change.entry_id));
      for (const deliver::PartRow& part : parts.parts) {
        if (part.withdrawn && change.number == row->delivered) continue;
        record.add_platform_ids(part.resource_type + "/" + part.id);
      }
    }
  }
  std::string bytes;
  for (const std::string& key : after) {
    bytes.push_back(key.empty() ? 0 : 1);
    bytes += key;
  }
  response.set_cursor(Sealed(secret_, kPurpose, bytes));
  response.set_at_end(at_end);
  return absl::OkStatus();
}

absl::Status Forwarder::ListDeadLetters(const delivery::v1::ListDeadLettersRequest& request,
                                        delivery::v1::ListDeadLettersResponse& response) {
  constexpr std::string_view kPurpose = "page_token";
  const int page = static_cast<int>(PageSize(request.page_size()));
  // Token: partition, section (0 held and refused, 1 dead letters, 2 waiting), key in it.
  uint32_t partition = 0;
  uint8_t section = 0;
  std::string after;
  if (!request.page_token().empty()) {
    SIMPUL_ASSIGN_OR_RETURN(const std::string bytes,
                            Opened(secret_, kPurpose, request.page_token()));
    if (bytes.size() < 5)
      return absl::InvalidArgumentError("page_token is cut short: begin again without one");
    partition = base::GetBe32(bytes);
    section = static_cast<uint8_t>(bytes[4]);
    after = bytes.substr(5);
  }
  size_t scanned = 0;
  const size_t chunk = static_cast<size_t>(page);
  for (; partition < ledgers_.size(); ++partition, section = 0) {
    const Ledger& ledger = *ledgers_[partition];
    for (; section < 3; ++section, after.clear()) {
      if (section == 2 && !request.waiting()) continue;
      for (bool more = true; more;) {
        if (response.rows_size() >= page || scanned >= kChangesScanMax) {
          std::string bytes;
          base::PutBe32(bytes, partition);
          bytes.push_back(static_cast<char>(section));
          bytes += after;
          response.set_next_page_token(Sealed(secret_, kPurpose, bytes));
          return absl::OkStatus();
        }
        const size_t room = std::min(chunk, static_cast<size_t>(page - response.rows_size()));
        if (section == 0) {
          SIMPUL_ASSIGN_OR_RETURN(const auto held, ledger.Held(after, room));
          more = held.size() == room;
          for (const deliver::HeldRow& one : held) {
            after = one.key;
            ++scanned;
            SIMPUL_ASSIGN_OR_RETURN(const auto row, ledger.Entry(one.entry_id));
            if (!row) continue;
            SIMPUL_ASSIGN_OR_RETURN(const DeliveryRecordTrace trace,
                                    TraceOf(ledger, one.entry_id, *row, row->latest, false));
            if (!MatchesCause(request.cause(), trace.state(), trace.reason())) continue;
            delivery::v1::DeadLetterRow& out = *response.add_rows();
            for (const deliver::CarriedEvent& event : row->events) {
              out.add_event_ids(base::UuidText(event.event_id));
            }
            SetFacility(*out.mutable_facility(), *row);
            out.set_cause(trace.reason());
            out.set_message(trace.state() == delivery::v1::DELIVERY_STATE_HELD
                                ? "The record is held until what it needs is known."
                                : "The platform refused the record.");
            out.set_platform_says(trace.platform_says());
            out.set_record_id(trace.record_id());
            out.set_revision(trace.revision());
            *out.mutable_since() = trace.changed_at();
          }
        } else if (section == 1) {
          SIMPUL_ASSIGN_OR_RETURN(const auto letters, ledger.DeadLetters(after, room));
          more = letters.size() == room;
          for (const Ledger::DeadLetterAt& one : letters) {
            after = one.key;
            ++scanned;
            const log::v1::DeadLetter& letter = one.dead_letter;
            if (!request.cause().empty() && request.cause() != letter.cause()) continue;
            delivery::v1::DeadLetterRow& out = *response.add_rows();
            if (!letter.event_id().empty()) out.add_event_ids(letter.event_id());
            *out.mutable_facility() = letter.facility();
            out.set_cause(letter.cause());
            out.set_message(letter.message());
            out.set_position(
                eventlog::PositionToken(log_.install(), letter.partition(), letter.position()));
            SetTime(*out.mutable_since(), letter.received_at_us());
          }
        } else {
          SIMPUL_ASSIGN_OR_RETURN(const auto waiting, ledger.Waiting(after, room));
          more = waiting.size() == room;
          for (const Ledger::WaitingAt& one : waiting) {
            after = one.key;
            ++scanned;
            constexpr std::string_view kCause = "waiting_for_original";
            if (!request.cause().empty() && request.cause() != kCause) continue;
            delivery::v1::DeadLetterRow& out = *response.add_rows();
            out.add_event_ids(one.waiting.event_id());
            *out.mutable_facility() = one.waiting.facility();
            out.set_cause(std::string(kCause));
            out.set_message(fmt::format("Waits for event {}, which has not come.",
                                        one.waiting.original_event_id()));
            out.set_waiting(true);
            SetTime(*out.mutable_since(), one.waiting.received_at_us());
          }
        }
      }
    }
  }
  return absl::OkStatus();
}

// In the order in which they will be sent: by partition, then by running number.
absl::StatusOr<std::vector<Forwarder::Candidate>> Forwarder::FindHeld(
    const delivery::v1::ResendRequest& request) {
  std::vector<Candidate> candidates;
  const auto consider = [&](uint32_t partition, const std::string& entry_id, std::string_view cause,
                            bool named) -> absl::Status {
    const Ledger& ledger = *ledgers_[partition];
    SIMPUL_ASSIGN_OR_RETURN(auto row, ledger.Entry(entry_id));
    if (!row || row->latest == 0) return absl::OkStatus();
    SIMPUL_ASSIGN_OR_RETURN(const auto record, ledger.Revision(entry_id, row->latest));
    const DeliveryState state = StateOf(*row, row->latest, record);
    const bool held =
        state == delivery::v1::DELIVERY_STATE_HELD || state == delivery::v1::DELIVERY_STATE_REFUSED;
    // Named by its event, what was given up comes back, and what waits for its time need not.
    const bool revived = named && request.give_up_reason().empty() &&
                         (record.given_up || (state == delivery::v1::DELIVERY_STATE_WAITING &&
                                              record.last == log::v1::OUTCOME_CLASS_RETRY));
    if ((!held && !revived) || !MatchesCause(cause, state, record.reason)) return absl::OkStatus();
    for (const Candidate& other : candidates) {
      if (named && other.entry_id == entry_id) return absl::OkStatus();
    }
    candidates.push_back({partition, entry_id, *std::move(row), record.number});
    return absl::OkStatus();
  };
  for (uint32_t partition = 0; partition < ledgers_.size(); ++partition) {
    const Ledger& ledger = *ledgers_[partition];
    for (const std::string& event_id : request.event_ids()) {
      SIMPUL_ASSIGN_OR_RETURN(const auto entries, ledger.EntriesOf(base::UuidBytes(event_id)));
      for (const std::string& entry_id : entries) {
        SIMPUL_RETURN_IF_ERROR(consider(partition, entry_id, "", true));
      }
    }
    if (request.cause().empty()) continue;
    std::string after;
    for (bool more = true; more && candidates.size() < kResendMax;) {
      SIMPUL_ASSIGN_OR_RETURN(const auto held, ledger.Held(after, kPageMax));
      more = held.size() == kPageMax;
      for (const deliver::HeldRow& one : held) {
        after = one.key;
        if (candidates.size() >= kResendMax) break;
        SIMPUL_RETURN_IF_ERROR(consider(partition, one.entry_id, request.cause(), false));
      }
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) {
                     return std::tie(a.partition, a.number) < std::tie(b.partition, b.number);
                   });
  return candidates;
}

absl::Status Forwarder::Resend(const delivery::v1::ResendRequest& request,
                               delivery::v1::ResendResponse& response) {
  if (request.event_ids_size() == 0 && request.cause().empty()) {
    return absl::InvalidArgumentError("give event_ids, or the cause whose records are meant");
  }
  if (request.event_ids_size() != 0 && !request.cause().empty()) {
    return absl::InvalidArgumentError("give event_ids or a cause, not both");
  }
  if (request.event_ids_size() > kTraceMax) {
    return absl::InvalidArgumentError(fmt::format("event_ids: at most {} at once", kTraceMax));
  }
  for (int i = 0; i < request.event_ids_size(); ++i) {
    if (!base::IsUuid(request.event_ids(i))) {
      return absl::InvalidArgumentError(
          fmt::format("event_ids[{}]: an event id is a lower-case UUID", i));
    }
  }
  if (request.give_up_reason().size() > kReasonMax) {
    return absl::InvalidArgumentError(fmt::format("give_up_reason: at most {} bytes", kReasonMax));
  }
  if (base::LooksLikeNik(request.give_up_reason())) {
    return absl::InvalidArgumentError(
        "give_up_reason holds what looks like an identity number: leave it out");
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates, FindHeld(request));
  if (!request.dry_run() && !candidates.empty()) {
    // First, so that what comes back is not met by yesterday's knowledge.
    if (sender_ != nullptr && request.give_up_reason().empty()) sender_->TryAgain();
    std::vector<std::pair<std::string, log::v1::DeliveryRecord>> steps;
    for (const Candidate& candidate : candidates) {
      log::v1::DeliveryRecord step;
      if (request.give_up_reason().empty()) {
        step.mutable_resend()->set_entry_id(base::UuidText(candidate.entry_id));
        step.mutable_resend()->set_revision(candidate.row.latest);
      } else {
        step.mutable_give_up()->set_entry_id(base::UuidText(candidate.entry_id));
        step.mutable_give_up()->set_revision(candidate.row.latest);
        step.mutable_give_up()->set_reason(request.give_up_reason());
      }
      steps.emplace_back(candidate.row.subject_key, std::move(step));
    }
    SIMPUL_RETURN_IF_ERROR(AppendSteps(std::move(steps)));
  }
  for (const Candidate& candidate : candidates) {
    const Ledger& ledger = *ledgers_[candidate.partition];
    SIMPUL_ASSIGN_OR_RETURN(const auto row, ledger.Entry(candidate.entry_id));
    if (!row) continue;
    SIMPUL_ASSIGN_OR_RETURN(*response.add_records(),
                            TraceOf(ledger, candidate.entry_id, *row, candidate.row.latest, false));
  }
  return absl::OkStatus();
}

absl::Status Forwarder::AppendSteps(
    std::vector<std::pair<std::string, log::v1::DeliveryRecord>> steps) {
  std::vector<eventlog::Draft> drafts;
  std::vector<uint32_t> partitions;
  for (auto& [key, step] : steps) {
    step.set_claim(claim_);
    step.set_at_us(base::ToMicros(clock_.Now()));
    partitions.push_back(event::PartitionOf(key, log_.partitions()));
    drafts.push_back(DraftOf(std::move(key), std::move(step), claim_));
  }
  std::vector<std::pair<Place, int64_t>> until;
  const std::vector<eventlog::Appended> appended = eventlog::AppendAndWait(log_, std::move(drafts));
  for (size_t i = 0; i < appended.size(); ++i) {
    if (!appended[i].ok()) return base::Within("writing to the log", appended[i].status());
    until.emplace_back(Place{Topic::kDeliveries, partitions[i]}, *appended[i] + 1);
  }
  return AwaitApplied(until);
}

absl::Status Forwarder::ChangePause(bool paused, const std::string& reason) {
  if (reason.size() > kReasonMax) {
    return absl::InvalidArgumentError(fmt::format("reason: at most {} bytes", kReasonMax));
  }
  if (base::LooksLikeNik(reason)) {
    return absl::InvalidArgumentError(
        "reason holds what looks like an identity number: leave it out");
  }
  std::vector<std::pair<std::string, log::v1::DeliveryRecord>> steps;
  for (const std::string& key : partition_keys_) {
    log::v1::DeliveryRecord step;
    step.mutable_pause()->set_paused(paused);
    step.mutable_pause()->set_reason(reason);
    steps.emplace_back(key, std::move(step));
  }
  return AppendSteps(std::move(steps));
}

absl::Status Forwarder::Pause(const delivery::v1::PauseRequest& request,
                              delivery::v1::PauseResponse&) {
  return ChangePause(true, request.reason());
}

absl::Status Forwarder::Resume(const delivery::v1::ResumeRequest&, delivery::v1::ResumeResponse&) {
  SIMPUL_RETURN_IF_ERROR(ChangePause(false, ""));
  if (sender_ != nullptr) sender_->TryAgain();
  return absl::OkStatus();
}

absl::Status Forwarder::GetLedger(const delivery::v1::GetLedgerRequest&,
                                  delivery::v1::GetLedgerResponse& response) {
  base::SetChecksum all;
  for (uint32_t partition = 0; partition < ledgers_.size(); ++partition) {
    const Ledger& ledger = *ledgers_[partition];
    delivery::v1::LedgerState& out = *response.add_partitions();
    out.set_partition(partition);
    out.set_number(ledger.number());
    out.set_deliveries_position(ledger.Next(Topic::kDeliveries) - 1);
    for (const auto& [state, count] : ledger.counts().records) {
      switch (state) {
        case delivery::v1::DELIVERY_STATE_WAITING:
          out.set_waiting(count);
          break;
        case delivery::v1::DELIVERY_STATE_DELIVERED:
          out.set_delivered(count);
          break;
        case delivery::v1::DELIVERY_STATE_HELD:
          out.set_held(count);
          break;
        case delivery::v1::DELIVERY_STATE_REFUSED:
          out.set_refused(count);
          break;
        case delivery::v1::DELIVERY_STATE_SUPERSEDED:
          out.set_superseded(count);
          break;
        case delivery::v1::DELIVERY_STATE_NOT_SENT:
          out.set_not_sent(count);
          break;
        default:
          break;
      }
    }
    const base::SetChecksum checksum = ledger.checksum();
    out.set_checksum(checksum.ToHex());
    all.Add(checksum);
    if (ledger.paused()) response.set_paused(true);
  }
  response.set_checksum(all.ToHex());
  return absl::OkStatus();
}

}  // namespace simpul::forwarder
