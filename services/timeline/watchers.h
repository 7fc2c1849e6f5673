// Callers that watch a patient's timeline.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "lib/event/subject.h"
#include "simpul/timeline/v1/entry.pb.h"

namespace simpul::timeline_role {

// One caller's changes, bounded: who falls behind reads the timeline again.
class Watch {
 public:
  struct Changes {
    bool fell_behind = false;  // more came than is kept
    std::vector<timeline::v1::Entry> entries;
  };
  // What came since the last call, after waiting for it, at most so long or until Wake.
  Changes Take(std::chrono::milliseconds wait);
  // Makes a Take that waits return. Any thread.
  void Wake();

 private:
  friend class Watchers;
  void Tell(const timeline::v1::Entry& entry);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  Changes changes_;
};

// Any thread.
class Watchers {
 public:
  // Told of every change from now on, as long as the returned pointer lives.
  std::shared_ptr<Watch> Add(const event::SubjectKey& subject);

  bool Watched(const event::SubjectKey& subject) const;
  // Tells new revisions to who watches them.
  void Tell(std::span<const timeline::v1::Entry> entries);

 private:
  std::atomic<size_t> count_{0};
  mutable std::mutex mutex_;
  std::multimap<event::SubjectKey, std::weak_ptr<Watch>> watches_;
};

}  // namespace simpul::timeline_role
