// The one consume loop. Retry, stopping and telemetry of everything that reads the log live here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
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
// a pause that doubles up to 5 s (back-pressure: that place is not read meanwhile; others go on).
// Any other error stops that place for good, with the reason in Stopped(), a log line and a metric;
// the other places go on.
class Follower {
 public:
  struct Options {
    std::string name;            // for logs and metrics: timeline, forwarder, ...
    size_t batch_records = 512;  // most records a batch
    size_t batch_bytes = 1 << 20;
  };
  // Called on the follower's thread.
  using Handler = absl::AnyInvocable<absl::Status(Place, std::span<const OwnedRecord>)>;
  // Called on the follower's thread at least every `tick` and after every batch; for time-outs. May
  // be null.
  using Idle = absl::AnyInvocable<void()>;

  // Starts the thread. `log` and `metrics` must outlive the follower.
  static absl::StatusOr<std::unique_ptr<Follower>> Start(EventLog& log, std::vector<Start> starts,
                                                         Options options, Handler handler,
                                                         base::Metrics& metrics,
                                                         Idle idle = nullptr);
  // Stops the thread after the batch in hand.
  ~Follower();

  // Places that stand still, and why. Any thread.
  std::map<Place, std::string> Stopped() const;

  // Makes the loop run `idle` soon. Any thread.
  void Wake();

 private:
  Follower() = default;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace simpul::eventlog
