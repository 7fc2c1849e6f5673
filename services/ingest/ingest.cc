#include "ingest/ingest.h"

#include <fmt/format.h>
#include <prometheus/counter.h>

#include <utility>
#include <variant>
#include <vector>

#include "ingest/batch.h"
#include "lib/base/status_macros.h"
#include "lib/event/kind.h"
#include "lib/event/validate.h"
#include "lib/eventlog/cloud_event.h"
#include "lib/eventlog/position_token.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::ingest {
namespace {

void PutViolations(const std::vector<event::Violation>& violations,
                   google::protobuf::RepeatedPtrField<v1::Violation>& out) {
  for (const event::Violation& violation : violations) {
    v1::Violation& put = *out.Add();
    put.set_field(violation.field);
    put.set_rule(violation.rule.data(), violation.rule.size());
    put.set_message(violation.message);
    put.set_fix(violation.fix);
  }
}

void PutRefusal(const event::Refusal& refusal, v1::EventOutcome& out) {
  out.set_event_id(refusal.event_id);
  out.set_outcome(v1::OUTCOME_REFUSED);
  out.set_retry(refusal.after_upgrade ? v1::RETRY_AFTER_UPGRADE : v1::RETRY_FINAL);
  PutViolations(refusal.violations, *out.mutable_violations());
}

// W3C Trace Context, version 00: 00-<32 hexadecimal>-<16>-<2>. Anything else might say anything.
bool IsTraceparent(std::string_view text) {
  if (text.size() != 55 || !text.starts_with("00-")) return false;
  for (size_t i = 3; i < text.size(); ++i) {
    const bool is_hyphen = i == 35 || i == 52;
    const char c = text[i];
    const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (is_hyphen ? c != '-' : !is_hex) return false;
  }
  return true;
}

// What is to be appended for one event.
absl::StatusOr<eventlog::Draft> MakeDraft(const event::ValidEvent& valid,
                                          const event::Secret& secret, base::Time now,
                                          std::string_view traceparent) {
  const event::v1::Event& event = valid.event;
  const event::v1::Identity* identity = event::StrongestIdentity(event.subject());
  if (identity == nullptr) {
    return absl::InternalError(fmt::format("Event {} names nobody.", event.event_id()));
  }
  SIMPUL_ASSIGN_OR_RETURN(const event::SubjectKey key, secret.KeyOf(*identity));

  log::v1::LogRecord record;
  log::v1::AcceptedEvent& accepted = *record.mutable_event();
  accepted.set_event_id(event.event_id());
  *accepted.mutable_facility() = event.facility();
  accepted.set_kind(valid.kind);
  accepted.set_digest(secret.DigestOf(valid.canonical));
  accepted.set_received_at_us(base::ToMicros(now));
  accepted.set_event(valid.canonical);
  accepted.set_traceparent(traceparent.data(), traceparent.size());

  eventlog::Draft draft;
  draft.topic = eventlog::Topic::kEvents;
  draft.key = key.view();
  draft.value = record.SerializeAsString();
  eventlog::Describe(record, draft);
  return draft;
}

}  // namespace

Ingest::Ingest(eventlog::EventLog& log, const event::Secret& secret, const base::Clock& clock,
               base::Metrics& metrics)
    : log_(log), secret_(secret), clock_(clock), metrics_(metrics) {}

void Ingest::Count(Counted outcome, uint32_t kind) {
  auto& by_kind = counters_.at(static_cast<size_t>(outcome));
  std::atomic<prometheus::Counter*>& slot = by_kind.at(kind < by_kind.size() ? kind : 0);
  prometheus::Counter* counter = slot.load();
  if (counter == nullptr) {
    static constexpr std::array<const char*, 3> kOutcomes = {"accepted", "refused", "unknown"};
    const std::string_view name = event::KindName(kind);
    // Asked for twice it is the same one.
    counter = &metrics_.Counter("simpul_ingest_events_total", "Events that came in, by outcome.",
                                {{"outcome", kOutcomes.at(static_cast<size_t>(outcome))},
                                 {"kind", name.empty() ? "none" : std::string(name)}});
    slot.store(counter);
  }
  counter->Increment();
}

void Ingest::Submit(std::string_view request, std::string_view traceparent, Done done) {
  const absl::StatusOr<std::vector<std::string_view>> batch = SplitBatch(request);
  if (!batch.ok()) return done(batch.status());
  if (!IsTraceparent(traceparent)) traceparent = {};
  const base::Time now = clock_.Now();

  v1::SubmitEventsResponse response;
  std::vector<eventlog::Draft> drafts;
  // For each draft its outcome's index and its kind.
  std::vector<std::pair<int, uint32_t>> drafted;
  size_t draft_bytes = 0;
  for (const std::string_view bytes : *batch) {
    v1::EventOutcome& outcome = *response.add_outcomes();
    std::variant<event::v1::Event, event::Refusal> parsed = event::Parse(bytes);
    if (const auto* refusal = std::get_if<event::Refusal>(&parsed); refusal != nullptr) {
      PutRefusal(*refusal, outcome);
      Count(Counted::kRefused, 0);
      continue;
    }
    auto& event = std::get<event::v1::Event>(parsed);
    const auto kind = static_cast<uint32_t>(event.payload_case());
    std::variant<event::ValidEvent, event::Refusal> checked =
        event::Validate(std::move(event), now);
    if (const auto* refusal = std::get_if<event::Refusal>(&checked); refusal != nullptr) {
      PutRefusal(*refusal, outcome);
      Count(Counted::kRefused, kind);
      continue;
    }
    const auto& valid = std::get<event::ValidEvent>(checked);
    absl::StatusOr<eventlog::Draft> draft = MakeDraft(valid, secret_, now, traceparent);
    if (!draft.ok()) return done(draft.status());
    draft_bytes += draft->key.size() + draft->value.size();
    drafts.push_back(*std::move(draft));
    drafted.emplace_back(response.outcomes_size() - 1, valid.kind);
    outcome.set_event_id(valid.event.event_id());
    PutViolations(valid.warnings, *outcome.mutable_warnings());
  }
  if (drafts.empty()) return done(std::move(response));

  absl::StatusOr<std::unique_ptr<eventlog::Admission>> admission = log_.Admit(draft_bytes);
  if (!admission.ok()) return done(admission.status());
  std::vector<uint32_t> partitions;
  partitions.reserve(drafts.size());
  for (const eventlog::Draft& draft : drafts) {
    partitions.push_back(event::PartitionOf(draft.key, log_.partitions()));
  }
  log_.Append(std::move(drafts), *std::move(admission),
              [this, response = std::move(response), drafted = std::move(drafted),
               partitions = std::move(partitions),
               done = std::move(done)](std::vector<eventlog::Appended> appended) mutable {
                for (size_t i = 0; i < appended.size(); ++i) {
                  const auto [index, kind] = drafted[i];
                  v1::EventOutcome& outcome = *response.mutable_outcomes(index);
                  if (appended[i].ok()) {
                    outcome.set_outcome(v1::OUTCOME_ACCEPTED);
                    outcome.set_position(
                        eventlog::PositionToken(log_.install(), partitions[i], *appended[i]));
                    Count(Counted::kAccepted, kind);
                  } else {
                    // Whatever the log's reason, the caller's next step is the same: send it again.
                    outcome.set_outcome(v1::OUTCOME_UNKNOWN);
                    Count(Counted::kUnknown, kind);
                  }
                }
                done(std::move(response));
              });
}

}  // namespace simpul::ingest
