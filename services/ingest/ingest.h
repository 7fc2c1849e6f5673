// Takes events in: a batch of bytes becomes records of the log and an answer for each event.
//
// It keeps nothing: the same event sent twice is accepted twice, and counts once on the timeline.
#pragma once

#include <array>
#include <atomic>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include "lib/event/subject.h"
#include "lib/eventlog/event_log.h"
#include "simpul/ingest/v1/ingest.pb.h"

namespace simpul::ingest {

class Ingest {
 public:
  // Everything given must outlive it, and it must outlive the log's answers.
  Ingest(eventlog::EventLog& log, const event::Secret& secret, const base::Clock& clock,
         base::Metrics& metrics);

  // Called once, on the calling thread or one of the log's. InvalidArgument: no batch (SplitBatch).
  // ResourceExhausted, Unavailable: as EventLog::Admit. After any error nothing was written. OK: an
  // outcome for each event, in the batch's order; what is accepted is durable.
  using Done = absl::AnyInvocable<void(absl::StatusOr<v1::SubmitEventsResponse>)>;

  // `request` is a serialized SubmitEventsRequest and is not used once this has returned.
  // `traceparent` is the call's, or anything: what is none is not kept. Any thread.
  void Submit(std::string_view request, std::string_view traceparent, Done done);

 private:
  enum class Counted { kAccepted, kRefused, kUnknown };
  void Count(Counted outcome, uint32_t kind);

  eventlog::EventLog& log_;
  const event::Secret& secret_;
  const base::Clock& clock_;
  base::Metrics& metrics_;
  // By outcome and kind; kind 0 where it could not be read. Null until first used.
  std::array<std::array<std::atomic<prometheus::Counter*>, 64>, 3> counters_{};
};

}  // namespace simpul::ingest
