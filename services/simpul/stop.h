// How a command learns that it is to end, without looking every now and then.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace simpul::cli {

// Whether somebody asked for the end. Lives as long as who may ask.
class Stop {
 public:
  Stop();
  ~Stop();
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;

  // Once and for all. Any thread, and within a signal's handler.
  void Ask();

  bool asked() const { return asked_.load(); }
  // A descriptor that is readable once it was asked: for poll.
  int fd() const { return fd_; }

 private:
  std::atomic<bool> asked_{false};
  int fd_;
};

// Does something, on a thread of its own, when the end was asked for and so much time has passed
// since; not any more once this is destroyed.
class WhenStopped {
 public:
  // `stop` must outlive it.
  WhenStopped(const Stop& stop, std::chrono::milliseconds after, std::function<void()> act);
  ~WhenStopped();

 private:
  Stop over_;
  std::thread thread_;  // last: it uses what stands above
};

}  // namespace simpul::cli
