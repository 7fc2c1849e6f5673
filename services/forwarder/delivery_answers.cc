#include "forwarder/delivery_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <variant>

#include "lib/base/bytes.h"
#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/status_macros.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"
#include "lib/deliver/reasons.h"
#include "lib/eventlog/position_token.h"
#include "lib/fhir/map.h"

namespace simpul::forwarder {
namespace {

using deliver::Ledger;
using delivery::v1::DeliveryRecordTrace;
using delivery::v1::DeliveryState;

constexpr int kTraceMax = 500;
constexpr uint32_t kPageMax = 1000;
constexpr uint32_t kPageDefault = 100;
constexpr uint32_t kTraceRevisionsMax = 100;
constexpr size_t kScanMax = 20'000;  // rows read for one page, whatever is asked for
constexpr std::string_view kWaitingForOriginal = "waiting_for_original";

void SetTime(google::protobuf::Timestamp& out, int64_t us) {
  out.set_seconds(us / 1'000'000);
  out.set_nanos(static_cast<int32_t>(us % 1'000'000) * 1000);
}

void SetFacility(event::v1::Facility& out, const deliver::EntryRow& row) {
  out.set_system(row.facility_system);
  out.set_code(row.facility_code);
}

uint32_t PageSize(uint32_t asked) { return asked == 0 ? kPageDefault : std::min(asked, kPageMax); }

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

bool SameFacility(const event::v1::Facility& facility, std::string_view system,
                  std::string_view code) {
  return facility.code() == code && facility.system() == system;
}

// What a row of the dead letters says of a held or refused record.
std::string WhyNotDelivered(DeliveryState state, std::string_view reason) {
  const std::string_view how =
      state == delivery::v1::DELIVERY_STATE_HELD ? "The record is held" : "The record was refused";
  const deliver::Reason* const known = deliver::FindReason(reason);
  if (known == nullptr) return fmt::format("{}.", how);
  std::string_view means = known->means;
  if (means.starts_with("`held`: ")) means.remove_prefix(std::string_view("`held`: ").size());
  return fmt::format("{}: {}.", how, means);
}

}  // namespace

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

bool MatchesCause(std::string_view cause, DeliveryState state, std::string_view reason) {
  return cause.empty() || cause == reason || cause == StateName(state);
}

absl::Status CheckCause(std::string_view cause) {
  if (cause.empty() || deliver::FindReason(cause) != nullptr ||
      cause == StateName(delivery::v1::DELIVERY_STATE_HELD)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "cause: nothing here ever has this cause; give held, refused, or a reason of "
      "docs/delivery.md, such as patient_unknown");
}

DeliveryAnswers::DeliveryAnswers(const log::v1::Install& install, const event::Secret& secret,
                                 Sources sources)
    : install_(install), secret_(secret), sources_(std::move(sources)) {}

absl::Status DeliveryAnswers::AddPlatformIds(const Ledger& ledger, const std::string& entry_id,
                                             const deliver::EntryRow& row, uint32_t revision,
                                             DeliveryRecordTrace& trace) const {
  SIMPUL_ASSIGN_OR_RETURN(const deliver::PartsRow parts, ledger.Parts(entry_id));
  const bool now = revision == row.delivered;
  for (const deliver::PartRow& part : parts.parts) {
    if (part.withdrawn && now) continue;
    trace.add_platform_ids(part.resource_type + "/" + part.id);
  }
  if (now && !parts.parts.empty() && trace.platform_ids_size() == 0) trace.set_reason("withdrawn");
  return absl::OkStatus();
}

absl::StatusOr<DeliveryRecordTrace> DeliveryAnswers::TraceRecord(
    const Ledger& ledger, const std::string& entry_id, const deliver::EntryRow& row,
    uint32_t revision, const timeline::v1::Entry* entry) const {
  SIMPUL_ASSIGN_OR_RETURN(const deliver::RevisionRow record, ledger.Revision(entry_id, revision));
  DeliveryRecordTrace trace;
  trace.set_record_id(base::UuidText(entry_id));
  trace.set_revision(revision);
  trace.set_state(StateOf(row, revision, record));
  trace.set_attempts(record.attempts);
  if (trace.state() == delivery::v1::DELIVERY_STATE_SUPERSEDED) {
    trace.set_reason("newer_revision");
  } else {
    trace.set_reason(record.reason);
    trace.set_platform_says(record.platform_says);
    if (record.retry_at_us != 0) SetTime(*trace.mutable_retry_at(), record.retry_at_us);
  }
  const int64_t changed_us =
      record.changed_at_us != 0 ? record.changed_at_us : record.received_at_us;
  if (changed_us != 0) SetTime(*trace.mutable_changed_at(), changed_us);
  if (trace.state() == delivery::v1::DELIVERY_STATE_DELIVERED) {
    SIMPUL_RETURN_IF_ERROR(AddPlatformIds(ledger, entry_id, row, revision, trace));
  }

  // Nothing was tried yet: what stands before it is not on the log.
  const bool unexplained =
      trace.state() == delivery::v1::DELIVERY_STATE_WAITING && trace.reason().empty();
  absl::StatusOr<timeline::v1::Entry> read = absl::NotFoundError("");
  if (entry == nullptr && unexplained) {
    read = ledger.EntryAt(entry_id, revision);
    if (read.ok()) entry = &*read;
  }
  std::string organization;
  if (entry != nullptr) {
    fhir::MapOptions options;
    options.earliest_day = sources_.earliest_day;
    const fhir::MapResult result = fhir::Map(*entry, *sources_.directory(), {}, options);
    if (const auto* mapped = std::get_if<fhir::Mapped>(&result)) {
      organization = mapped->organization;
      if (!read.ok()) {
        for (const std::string& what : mapped->unmapped) trace.add_unmapped(what);
      }
    }
  }
  if (unexplained) ExplainWaiting(ledger, organization, trace);
  trace.set_fix(std::string(deliver::FixOf(trace.reason())));
  return trace;
}

void DeliveryAnswers::ExplainWaiting(const Ledger& ledger, const std::string& organization,
                                     DeliveryRecordTrace& trace) const {
  if (sources_.why_closed == nullptr) {
    trace.set_reason("no_platform");
  } else if (ledger.paused()) {
    const std::string why = ledger.pause_reason();
    trace.set_reason(why.empty() ? "paused" : "paused: " + why);
  } else if (const auto closed =
                 organization.empty() ? std::nullopt : sources_.why_closed(organization)) {
    trace.set_reason(closed->reason);
    trace.set_platform_says(closed->platform_says);
    SetTime(*trace.mutable_retry_at(), base::ToMicros(closed->until));
  }
}

absl::Status DeliveryAnswers::TraceEntry(const Ledger& ledger, const std::string& event_id,
                                         const std::string& entry_id, const deliver::EntryRow& row,
                                         delivery::v1::EventTrace& trace) const {
  // With a conflict both are true: one content stands, the other is a dead letter.
  trace.set_state(delivery::v1::EVENT_STATE_ON_TIMELINE);
  trace.add_entries(base::UuidText(entry_id));
  const auto entry = ledger.EntryAt(entry_id, row.latest);
  if (entry.ok()) {
    for (const timeline::v1::Member& member : entry->members()) {
      if (member.event_id() == trace.event_id()) trace.set_member_state(member.state());
    }
  }
  const auto carried =
      std::find_if(row.events.begin(), row.events.end(),
                   [&event_id](const auto& event) { return event.event_id == event_id; });
  uint32_t from = carried == row.events.end() ? 1 : carried->first_revision;
  if (row.latest > kTraceRevisionsMax) from = std::max(from, row.latest - kTraceRevisionsMax + 1);
  for (uint32_t revision = from; revision <= row.latest; ++revision) {
    const bool shows_entry = revision == row.latest && entry.ok();
    SIMPUL_ASSIGN_OR_RETURN(*trace.add_records(), TraceRecord(ledger, entry_id, row, revision,
                                                              shows_entry ? &*entry : nullptr));
  }
  return absl::OkStatus();
}

absl::Status DeliveryAnswers::TraceEvent(const std::string& event_id,
                                         delivery::v1::TraceResponse& response) const {
  const int first = response.traces_size();
  std::set<std::string> subjects;
  const std::string id = base::IsUuid(event_id) ? base::UuidBytes(event_id) : "";
  for (uint32_t partition = 0; !id.empty() && partition < sources_.ledgers.size(); ++partition) {
    const Ledger& ledger = *sources_.ledgers[partition];
    SIMPUL_ASSIGN_OR_RETURN(const auto sightings, ledger.Sightings(id));
    if (sightings.empty()) continue;
    SIMPUL_ASSIGN_OR_RETURN(const auto entries, ledger.EntriesOf(id));
    for (const deliver::Sighting& sighting : sightings) {
      subjects.insert(sighting.subject_key);
      delivery::v1::EventTrace& trace = *response.add_traces();
      trace.set_event_id(event_id);
      trace.mutable_facility()->set_system(sighting.facility_system);
      trace.mutable_facility()->set_code(sighting.facility_code);
      trace.set_position(eventlog::PositionToken(install_, partition, sighting.position));
      SetTime(*trace.mutable_received_at(), sighting.received_at_us);
      trace.set_state(delivery::v1::EVENT_STATE_ACCEPTED);
      SIMPUL_ASSIGN_OR_RETURN(const auto letters, ledger.DeadLettersOf(id, sighting.subject_key));
      for (const log::v1::DeadLetter& letter : letters) {
        if (!letter.facility().code().empty() &&
            !SameFacility(letter.facility(), sighting.facility_system, sighting.facility_code)) {
          continue;
        }
        trace.set_state(delivery::v1::EVENT_STATE_DEAD_LETTER);
        trace.set_reason(letter.cause());
        trace.set_fix(std::string(deliver::FixOf(letter.cause())));
      }
      SIMPUL_ASSIGN_OR_RETURN(const auto waiting, ledger.WaitingOf(id, sighting.subject_key));
      if (waiting) {
        trace.set_state(delivery::v1::EVENT_STATE_WAITING_FOR_ORIGINAL);
        trace.set_reason(waiting->original_event_id());
        trace.set_fix(std::string(deliver::FixOf(kWaitingForOriginal)));
      }
      for (const std::string& entry_id : entries) {
        SIMPUL_ASSIGN_OR_RETURN(const auto row, ledger.Entry(entry_id));
        if (!row || row->latest == 0 || row->subject_key != sighting.subject_key) continue;
        SIMPUL_RETURN_IF_ERROR(TraceEntry(ledger, id, entry_id, *row, trace));
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
  return absl::OkStatus();
}

absl::Status DeliveryAnswers::Trace(const delivery::v1::TraceRequest& request,
                                    delivery::v1::TraceResponse& response) const {
  if (request.event_ids_size() == 0 || request.event_ids_size() > kTraceMax) {
    return absl::InvalidArgumentError(fmt::format("event_ids: give 1 to {} event ids, not {}",
                                                  kTraceMax, request.event_ids_size()));
  }
  for (const std::string& event_id : request.event_ids()) {
    SIMPUL_RETURN_IF_ERROR(TraceEvent(event_id, response));
  }
  return absl::OkStatus();
}

absl::Status DeliveryAnswers::ListDeliveries(const delivery::v1::ListDeliveriesRequest& request,
                                             delivery::v1::ListDeliveriesResponse& response) const {
  constexpr std::string_view kPurpose = "after";
  constexpr size_t kKeyBytes = 10;
  const uint32_t page = PageSize(request.page_size());
  const auto& ledgers = sources_.ledgers;
  std::vector<std::string> after(ledgers.size());
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
  std::vector<std::vector<deliver::ChangeRow>> rows(ledgers.size());
  std::vector<size_t> taken(ledgers.size(), 0);
  std::vector<bool> ended(ledgers.size(), false);
  size_t scanned = 0;
  bool at_end = false;
  while (response.changes_size() < static_cast<int>(page) && scanned < kScanMax) {
    size_t next = ledgers.size();
    for (size_t partition = 0; partition < ledgers.size(); ++partition) {
      if (taken[partition] == rows[partition].size() && !ended[partition]) {
        SIMPUL_ASSIGN_OR_RETURN(rows[partition], ledgers[partition]->Changes(after[partition], 64));
        taken[partition] = 0;
        ended[partition] = rows[partition].size() < 64;
      }
      if (taken[partition] == rows[partition].size()) continue;
      if (next == ledgers.size() ||
          rows[partition][taken[partition]].changed_at_us < rows[next][taken[next]].changed_at_us) {
        next = partition;
      }
    }
    at_end = next == ledgers.size();
    if (at_end) break;
    const deliver::ChangeRow& change = rows[next][taken[next]++];
    after[next] = change.key;
    ++scanned;
    SIMPUL_ASSIGN_OR_RETURN(const auto row, ledgers[next]->Entry(change.entry_id));
    if (!row) continue;
    if (!request.facility().code().empty() &&
        !SameFacility(request.facility(), row->facility_system, row->facility_code)) {
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
      SIMPUL_RETURN_IF_ERROR(
          AddPlatformIds(*ledgers[next], change.entry_id, *row, change.number, record));
    }
    record.set_fix(std::string(deliver::FixOf(record.reason())));
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

// One page of dead letters: every partition's held and refused records, then its dead letters, then
// what waits there.
class DeliveryAnswers::DeadLetterPage {
 public:
  DeadLetterPage(const DeliveryAnswers& answers,
                 const delivery::v1::ListDeadLettersRequest& request,
                 delivery::v1::ListDeadLettersResponse& response)
      : answers_(answers),
        request_(request),
        response_(response),
        room_(static_cast<int>(PageSize(request.page_size()))) {}

  absl::Status Fill() {
    if (!request_.page_token().empty()) {
      const absl::StatusOr<std::string> token =
          Opened(answers_.secret_, kPurpose, request_.page_token());
      if (!token.ok()) return token.status();
      SIMPUL_RETURN_IF_ERROR(BeginAt(*token));
    }
    for (; partition_ < answers_.sources_.ledgers.size(); ++partition_, section_ = kHeld) {
      const Ledger& ledger = *answers_.sources_.ledgers[partition_];
      for (; section_ < kSections; ++section_, after_.clear()) {
        if (section_ == kWaiting && !request_.waiting() && request_.cause() != kWaitingForOriginal)
          continue;
        for (bool more = true; more;) {
          if (response_.rows_size() >= room_ || scanned_ >= kScanMax) return EndHere();
          const auto limit = static_cast<size_t>(room_ - response_.rows_size());
          SIMPUL_ASSIGN_OR_RETURN(const size_t read, section_ == kHeld ? AddHeld(ledger, limit)
                                                     : section_ == kDeadLetters
                                                         ? AddDeadLetters(ledger, limit)
                                                         : AddWaiting(ledger, limit));
          scanned_ += read;
          more = read == limit;
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  static constexpr std::string_view kPurpose = "page_token";
  enum : uint8_t { kHeld, kDeadLetters, kWaiting, kSections };

  // Token: partition, section, key in it.
  absl::Status BeginAt(std::string_view token) {
    if (token.size() < 5) {
      return absl::InvalidArgumentError("page_token is cut short: begin again without one");
    }
    partition_ = base::GetBe32(token);
    section_ = static_cast<uint8_t>(token[4]);
    after_ = token.substr(5);
    return absl::OkStatus();
  }

  absl::Status EndHere() {
    std::string bytes;
    base::PutBe32(bytes, partition_);
    bytes.push_back(static_cast<char>(section_));
    bytes += after_;
    response_.set_next_page_token(Sealed(answers_.secret_, kPurpose, bytes));
    return absl::OkStatus();
  }

  // These read up to `limit` rows after after_, move it on, and say how many they read.

  absl::StatusOr<size_t> AddHeld(const Ledger& ledger, size_t limit) {
    SIMPUL_ASSIGN_OR_RETURN(const auto held, ledger.Held(after_, limit));
    for (const deliver::HeldRow& one : held) {
      after_ = one.key;
      SIMPUL_ASSIGN_OR_RETURN(const auto row, ledger.Entry(one.entry_id));
      if (!row) continue;
      SIMPUL_ASSIGN_OR_RETURN(const DeliveryRecordTrace trace,
                              answers_.TraceRecord(ledger, one.entry_id, *row, row->latest));
      if (!MatchesCause(request_.cause(), trace.state(), trace.reason())) continue;
      delivery::v1::DeadLetterRow& out =
          Add(trace.reason(), WhyNotDelivered(trace.state(), trace.reason()));
      for (const deliver::CarriedEvent& event : row->events) {
        out.add_event_ids(base::UuidText(event.event_id));
      }
      SetFacility(*out.mutable_facility(), *row);
      out.set_platform_says(trace.platform_says());
      out.set_record_id(trace.record_id());
      out.set_revision(trace.revision());
      *out.mutable_since() = trace.changed_at();
    }
    return held.size();
  }

  absl::StatusOr<size_t> AddDeadLetters(const Ledger& ledger, size_t limit) {
    SIMPUL_ASSIGN_OR_RETURN(const auto letters, ledger.DeadLetters(after_, limit));
    for (const Ledger::DeadLetterAt& one : letters) {
      after_ = one.key;
      const log::v1::DeadLetter& letter = one.dead_letter;
      if (!request_.cause().empty() && request_.cause() != letter.cause()) continue;
      delivery::v1::DeadLetterRow& out = Add(letter.cause(), letter.message());
      if (!letter.event_id().empty()) out.add_event_ids(letter.event_id());
      *out.mutable_facility() = letter.facility();
      out.set_position(
          eventlog::PositionToken(answers_.install_, letter.partition(), letter.position()));
      SetTime(*out.mutable_since(), letter.received_at_us());
    }
    return letters.size();
  }

  absl::StatusOr<size_t> AddWaiting(const Ledger& ledger, size_t limit) {
    SIMPUL_ASSIGN_OR_RETURN(const auto waiting, ledger.Waiting(after_, limit));
    for (const Ledger::WaitingAt& one : waiting) {
      after_ = one.key;
      if (!request_.cause().empty() && request_.cause() != kWaitingForOriginal) continue;
      delivery::v1::DeadLetterRow& out = Add(
          kWaitingForOriginal,
          fmt::format("Waits for event {}, which has not come.", one.waiting.original_event_id()));
      out.add_event_ids(one.waiting.event_id());
      *out.mutable_facility() = one.waiting.facility();
      out.set_waiting(true);
      SetTime(*out.mutable_since(), one.waiting.received_at_us());
    }
    return waiting.size();
  }

  delivery::v1::DeadLetterRow& Add(std::string_view cause, std::string message) {
    delivery::v1::DeadLetterRow& row = *response_.add_rows();
    row.set_cause(std::string(cause));
    row.set_message(std::move(message));
    row.set_fix(std::string(deliver::FixOf(cause)));
    return row;
  }

  const DeliveryAnswers& answers_;
  const delivery::v1::ListDeadLettersRequest& request_;
  delivery::v1::ListDeadLettersResponse& response_;
  const int room_;
  uint32_t partition_ = 0;
  uint8_t section_ = kHeld;
  std::string after_;
  size_t scanned_ = 0;
};

absl::Status DeliveryAnswers::ListDeadLetters(
    const delivery::v1::ListDeadLettersRequest& request,
    delivery::v1::ListDeadLettersResponse& response) const {
  SIMPUL_RETURN_IF_ERROR(CheckCause(request.cause()));
  return DeadLetterPage(*this, request, response).Fill();
}

absl::Status DeliveryAnswers::GetLedger(delivery::v1::GetLedgerResponse& response) const {
  base::SetChecksum all;
  for (uint32_t partition = 0; partition < sources_.ledgers.size(); ++partition) {
    const Ledger& ledger = *sources_.ledgers[partition];
    delivery::v1::LedgerState& out = *response.add_partitions();
    out.set_partition(partition);
    out.set_number(ledger.number());
    out.set_deliveries_position(ledger.Next(eventlog::Topic::kDeliveries) - 1);
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
