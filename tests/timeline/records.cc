#include "tests/timeline/records.h"

#include "lib/base/check.h"
#include "lib/base/clock.h"
#include "lib/base/status_macros.h"
#include "lib/event/validate.h"
#include "lib/timeline/activation.h"
#include "tests/timeline/histories.h"

namespace simpul::testing {

event::Secret SampleSecret(char n) { return *event::Secret::FromBytes(std::string(32, n)); }

eventlog::Draft Draft(const event::v1::Event& event, const event::Secret& secret) {
  log::v1::LogRecord record;
  *record.mutable_event() = Receipt(event);
  record.mutable_event()->set_digest(secret.DigestOf(record.event().event()));
  eventlog::Draft draft;
  draft.key = secret.KeyOf(*event::StrongestIdentity(event.subject()))->view();
  draft.value = record.SerializeAsString();
  draft.ce_id = event.event_id();
  return draft;
}

std::vector<eventlog::OwnedRecord> Records(const std::vector<event::v1::Event>& events) {
  std::vector<eventlog::OwnedRecord> records;
  for (const event::v1::Event& event : events) {
    eventlog::Draft draft = Draft(event, SampleSecret());
    records.push_back({static_cast<int64_t>(records.size()) + 1, draft.key, draft.value});
  }
  return records;
}

eventlog::OwnedRecord Activated(uint32_t partition, int64_t position, uint32_t version,
                                std::chrono::sys_days from) {
  eventlog::Draft draft =
      timeline::ActivationDraft(version, from, partition, 24, /*at_us=*/position, "sari");
  return {position, std::move(draft.key), std::move(draft.value)};
}

std::unique_ptr<eventlog::EmbeddedLog> OpenLog(const std::filesystem::path& folder,
                                               const event::Secret& secret,
                                               base::Metrics& metrics) {
  auto log = eventlog::EmbeddedLog::Open(
      folder, {.partitions = 4, .secret_fingerprint = secret.Fingerprint()}, base::SystemClock(),
      metrics);
  SIMPUL_CHECK(log.ok(), "{}", base::Message(log.status()));
  return *std::move(log);
}

std::vector<int64_t> Push(eventlog::EventLog& log, const event::Secret& secret,
                          const std::vector<event::v1::Event>& events) {
  std::vector<eventlog::Draft> drafts;
  for (const event::v1::Event& event : events) drafts.push_back(Draft(event, secret));
  std::vector<int64_t> positions;
  for (const eventlog::Appended& appended : eventlog::AppendAndWait(log, std::move(drafts))) {
    SIMPUL_CHECK(appended.ok(), "{}", base::Message(appended.status()));
    positions.push_back(*appended);
  }
  return positions;
}

std::vector<std::string> ReadAll(eventlog::EventLog& log, eventlog::Place place) {
  std::vector<std::string> values;
  const int64_t end = *log.End(place);
  auto subscription = *log.Subscribe({{place, 1}});
  while (static_cast<int64_t>(values.size()) + 1 < end) {
    const auto record = subscription->Poll(std::chrono::seconds(10));
    SIMPUL_CHECK(record.ok() && record->has_value(), "The log ends early.");
    values.emplace_back((*record)->value);
  }
  return values;
}

}  // namespace simpul::testing
