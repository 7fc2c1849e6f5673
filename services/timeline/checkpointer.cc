#include "timeline/checkpointer.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <algorithm>
#include <string>
#include <utility>

#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/thread_name.h"

namespace simpul::timeline_role {

using std::chrono::steady_clock;

Checkpointer::Checkpointer(timeline::Checkpoints& checkpoints, std::vector<timeline::Store*> stores,
                           std::chrono::milliseconds every, base::Metrics& metrics)
    : checkpoints_(checkpoints), stores_(std::move(stores)), every_(every), metrics_(metrics) {
  for (const timeline::Store* store : stores_) last_[store].begun = steady_clock::now();
  thread_ = std::thread([this] { Run(); });
}

Checkpointer::~Checkpointer() {
  pause_.End();
  checkpoints_.Stop();
  thread_.join();
}

void Checkpointer::Run() {
  base::NameThread("checkpoints");
  while (pause_.For(every_)) {
    for (timeline::Store* store : stores_) {
      if (pause_.IsEnded()) break;
      Write(*store);
    }
  }
}

void Checkpointer::Write(timeline::Store& store) {
  const timeline::Store::State state = store.state();
  if (!state.is_compared || !state.is_entries_compared || !store.failure().ok()) return;
  if (state.position == 0 && state.entries_position == 0) return;
  const auto begun = steady_clock::now();
  const absl::StatusOr<timeline::StoreProgress> written = checkpoints_.Write(store);
  const uint32_t partition = store.origin().partition;
  if (absl::IsCancelled(written.status())) return;
  if (!written.ok()) {
    metrics_
        .Counter("simpul_timeline_checkpoints_failed_total",
                 "Checkpoints that could not be written, or were not what was written.")
        .Increment();
    base::Log(base::Severity::kWarning, "timeline",
              "a checkpoint could not be written and is tried again",
              {{"partition", partition}, {"reason", base::Message(written.status())}});
    return;
  }
  metrics_
      .Gauge("simpul_timeline_checkpoint_position", "Of topic events, in the last checkpoint.",
             {{"partition", std::to_string(partition)}})
      .Set(static_cast<double>(written->position));
  const std::lock_guard lock(mutex_);
  last_[&store] = {.position = written->position, .begun = begun};
}

void Checkpointer::ShowAge() {
  std::chrono::duration<double> age{0};
  const auto now = steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [store, last] : last_) {
      if (store->state().position <= last.position) continue;
      age = std::max<std::chrono::duration<double>>(age, now - last.begun);
    }
  }
  metrics_
      .Gauge("simpul_timeline_checkpoint_age_seconds",
             "Since when the partition that has waited longest is further than its checkpoint.")
      .Set(age.count());
}

}  // namespace simpul::timeline_role
