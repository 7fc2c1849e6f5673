// A fixed number of threads that run short tasks, with a bounded queue.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace simpul::base {

class WorkerPool {
 public:
  WorkerPool(int threads, size_t queue_max);
  // Runs what is queued, then stops.
  ~WorkerPool();

  // False when the queue is full: the caller answers RESOURCE_EXHAUSTED. Any thread.
  [[nodiscard]] bool Submit(absl::AnyInvocable<void()> task);

 private:
  void Run();

  const size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<absl::AnyInvocable<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // last: they use everything above
};

}  // namespace simpul::base
