#include "timeline/position_waiters.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/thread_name.h"

namespace simpul::timeline_role {
namespace {

constexpr char kStopping[] = "This Simpul is shutting down. Ask again.";

}  // namespace

PositionWaiters::PositionWaiters(uint32_t partitions, size_t waiting_max)
    : waiting_max_(waiting_max), reached_(partitions, 0), thread_([this] { Run(); }) {}

PositionWaiters::~PositionWaiters() {
  Stop();
  thread_.join();
}

void PositionWaiters::Stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_one();
}

void PositionWaiters::Wait(uint32_t partition, int64_t position, std::chrono::microseconds wait_max,
                           Done done) {
  absl::Status refused = absl::ResourceExhaustedError(
      "Too many readers wait for a position already. Ask again after a pause.");
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      refused = absl::UnavailableError(kStopping);
    } else if (waiters_.size() < waiting_max_) {
      waiters_.push_back(
          {partition, position, std::chrono::steady_clock::now() + wait_max, std::move(done)});
      moved_ = true;
      changed_.notify_one();
      return;
    }
  }
  done(std::move(refused));
}

void PositionWaiters::Reached(uint32_t partition, int64_t position) {
  const std::lock_guard lock(mutex_);
  reached_[partition] = std::max(reached_[partition], position);
  if (waiters_.empty()) return;
  moved_ = true;
  changed_.notify_one();
}

void PositionWaiters::Run() {
  base::NameThread("timeline await");
  std::unique_lock lock(mutex_);
  while (!stopping_ || !waiters_.empty()) {
    moved_ = false;
    const auto now = std::chrono::steady_clock::now();
    auto next = std::chrono::steady_clock::time_point::max();
    std::vector<std::pair<Done, absl::Status>> finished;
    std::erase_if(waiters_, [&](Waiter& waiter) {
      absl::Status status;
      if (reached_[waiter.partition] < waiter.position) {
        if (stopping_) {
          status = absl::UnavailableError(kStopping);
        } else if (now >= waiter.until) {
          status = absl::DeadlineExceededError(fmt::format(
              "The timeline has not reached min_position: partition {} stands at {}, {} was asked "
              "for. It is durable and will come; ask again, or with a longer wait_max.",
              waiter.partition, reached_[waiter.partition], waiter.position));
        } else {
          next = std::min(next, waiter.until);
          return false;
        }
      }
      finished.emplace_back(std::move(waiter.done), std::move(status));
      return true;
    });
    if (!finished.empty()) {
      lock.unlock();
      for (auto& [done, status] : finished) done(std::move(status));
      finished.clear();
      lock.lock();
      continue;
    }
    const auto wanted = [this] { return moved_ || stopping_; };
    if (next == std::chrono::steady_clock::time_point::max()) {
      changed_.wait(lock, wanted);
    } else {
      changed_.wait_until(lock, next, wanted);
    }
  }
}

}  // namespace simpul::timeline_role
