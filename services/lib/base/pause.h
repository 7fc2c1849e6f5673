// Waiting that can be ended, for threads that do something every now and then.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace simpul::base {

// Thread-safe.
class Pause {
 public:
  // False: it was ended.
  bool For(std::chrono::milliseconds pause) {
    std::unique_lock lock(mutex_);
    return !ended_.wait_for(lock, pause, [this] { return is_ended_; });
  }
  // Ends every one in hand, and every later one at once.
  void End() {
    const std::lock_guard lock(mutex_);
    is_ended_ = true;
    ended_.notify_all();
  }
  bool IsEnded() const {
    const std::lock_guard lock(mutex_);
    return is_ended_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  bool is_ended_ = false;
};

}  // namespace simpul::base
