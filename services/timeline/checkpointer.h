// Writes checkpoints of a role's stores now and then, one after the other, on a thread of its own.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/base/metrics.h"
#include "lib/base/pause.h"
#include "lib/timeline/checkpoints.h"
#include "lib/timeline/store.h"

namespace simpul::timeline_role {

// A round every so often: each store that has advanced since its last checkpoint. What cannot be
// written is logged and counted, and tried again in the next round; serving goes on.
class Checkpointer {
 public:
  // Everything given must outlive it.
  Checkpointer(timeline::Checkpoints& checkpoints, std::vector<timeline::Store*> stores,
               std::chrono::milliseconds every, base::Metrics& metrics);
  // Breaks off what is being written.
  ~Checkpointer();

  // Sets the metric of the age: since when the store that has waited longest has been further than
  // its last checkpoint. Any thread.
  void ShowAge();

 private:
  using Time = std::chrono::steady_clock::time_point;

  void Run();
  void Write(timeline::Store& store);

  timeline::Checkpoints& checkpoints_;
  const std::vector<timeline::Store*> stores_;
  const std::chrono::milliseconds every_;
  base::Metrics& metrics_;

  base::Pause pause_;
  std::mutex mutex_;
  // Of each store the position of its last checkpoint, and when it was begun; -1: none yet.
  struct Last {
    int64_t position = -1;
    Time begun;
  };
  std::map<const timeline::Store*, Last> last_;  // under mutex_
  std::thread thread_;
};

}  // namespace simpul::timeline_role
