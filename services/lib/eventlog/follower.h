// The one consume loop. Retry, stopping and telemetry of everything that reads the log live here.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include "lib/eventlog/event_log.h"

namespace simpul::eventlog {

// A record that a handler may keep.
struct OwnedRecord {
  int64_t position = 0;
  std::string key;
  std::string value;
};

// Reads places on one thread and hands their records over in batches, in order within each place.
//
// The handler keeps the position of what it has applied; the follower only starts where it is told.
// A handler that returns Unavailable or ResourceExhausted is called again with the same batch after
// a pause that doubles up to `pause_max` (back-pressure: that place is not read meanwhile; others
// go on). Unavailable is logged at once, ResourceExhausted only when the pause has become the
// longest. Any other error stops that place for good, with the reason in Stopped(), a log line and
// a metric; the other places go on. So does a place of the log that cannot be read.
//
// Metrics, with label consumer: simpul_log_lag_records and simpul_log_lag_seconds (age of the
// oldest record not applied) by topic, simpul_log_stopped_places, simpul_log_applied_records_total,
// simpul_log_retries_total, simpul_log_batch_seconds.
class Follower {
 public:
  struct Options {
    std::string name;                     // for logs and metrics: timeline, forwarder, ...
    size_t batch_records = 512;           // most records a batch
    size_t batch_bytes = 1 << 20;         // most bytes a batch, and of all that are being read
    std::chrono::milliseconds gather{0};  // how much later a record may come (EventLog::Subscribe)
    std::chrono::milliseconds tick{100};  // how often `idle` runs and the metrics are set
    std::chrono::milliseconds pause_min{10};  // before the first retry
    std::chrono::milliseconds pause_max{5000};
    const base::Clock* clock = &base::SystemClock();  // for the lag in seconds
    // What pauses and ticks are measured by. All waiting is done in Subscription::Poll, so a log
    // that moves this time when it waits makes the follower run without any.
    std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
  };
  // Called on the follower's thread.
  using Handler = absl::AnyInvocable<absl::Status(Place, std::span<const OwnedRecord>)>;
  // Called on the follower's thread at least every `tick` and after every batch; for time-outs. May
  // be null. It must not wait.
  using Idle = absl::AnyInvocable<void()>;

  // Starts the thread. `log` and `metrics` must outlive the follower. Errors are those of
  // Subscribe.
  static absl::StatusOr<std::unique_ptr<Follower>> Start(EventLog& log, std::vector<Start> starts,
                                                         Options options, Handler handler,
                                                         base::Metrics& metrics,
                                                         Idle idle = nullptr);
  // Stops the thread after the batch in hand.
  ~Follower();

  // Places that stand still, and why. Any thread.
  std::map<Place, std::string> Stopped() const;

  // One past the last position of a place, as far as the log has said; at most a tick old. 0: it
  // has said nothing yet, or this is not a place of this follower. Any thread.
  int64_t KnownEnd(Place place) const;

  // Makes the loop run `idle` soon. Any thread.
  void Wake();

  // Makes the loop give every batch that waits to the handler again soon, and begin anew with short
  // pauses: what it waited for may be there. Any thread.
  void RetryNow();

 private:
  Follower() = default;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace simpul::eventlog
