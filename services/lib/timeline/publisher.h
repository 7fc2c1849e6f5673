// Takes derived records from a store's outbox to the log: dead letters first to their own topic,
// and only when they are durable there the records of topic entries that report them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "lib/eventlog/event_log.h"
#include "lib/timeline/store.h"

namespace simpul::timeline {

// Appends the records of one store in the order of their numbers, one append in flight. A record
// may be appended twice, after an answer that is unknown or a restart: readers take each number
// once. Nothing is lost with this object: the store keeps what was not read back.
class Publisher {
 public:
  // `wake` is called, on a thread of the log, when Drive has something to do again; it must be
  // short. `log` and `store` must outlive the publisher. With `patience` only what was next for so
  // long is appended: another owner does it first.
  Publisher(eventlog::EventLog& log, Store& store, std::function<void()> wake,
            std::chrono::milliseconds patience = {});
  // As Stop. Answers that are still to come are let go.
  ~Publisher();

  // Appends what is next if nothing is in flight and no pause is on. Never waits. Any thread.
  void Drive(std::chrono::steady_clock::time_point now);

  // Appends nothing more; once this has returned `wake` is not running and not called again.
  void Stop();

 private:
  struct State;
  eventlog::EventLog& log_;
  Store& store_;
  const std::chrono::milliseconds patience_;
  const std::shared_ptr<State> state_;
};

}  // namespace simpul::timeline
