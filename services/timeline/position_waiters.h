// Readers who wait until a position is on the timeline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"

namespace simpul::timeline_role {

// Bounded, with one thread of its own on which everything that waits is finished.
class PositionWaiters {
 public:
  PositionWaiters(uint32_t partitions, size_t waiting_max);
  // Stops.
  ~PositionWaiters();

  using Done = std::function<void(absl::Status)>;

  // Calls `done` once: OK when the position is reached, DeadlineExceeded after `wait_max`,
  // ResourceExhausted at once (on the caller's thread) when too many wait, and Unavailable once
  // stopped. Any thread.
  void Wait(uint32_t partition, int64_t position, std::chrono::microseconds wait_max, Done done);

  // The partition has applied everything up to the position. Any thread.
  void Reached(uint32_t partition, int64_t position);

  // Finishes what still waits as Unavailable Idempotent, any thread.
  void Stop();

 private:
  struct Waiter {
    uint32_t partition;
    int64_t position;
    std::chrono::steady_clock::time_point until;
    Done done;
  };

  void Run();

  const size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool moved_ = false;
  std::vector<int64_t> reached_;
  std::vector<Waiter> waiters_;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace simpul::timeline_role
