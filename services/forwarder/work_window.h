// The nearest part of a partition's work, in memory; the rest stays in the ledger.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "lib/base/clock.h"
#include "lib/deliver/ledger.h"

namespace simpul::forwarder {

// An item and what this process has put off.
struct Work {
  deliver::WorkItem item;
  base::Time not_before{};  // not looked at earlier
  uint32_t failures = 0;    // questions in a row that the platform did not answer
  std::string door;         // the organisation at whose closed gate it stands
};

// Holds every item up to a horizon, in the order of their keys. Not for several threads: its owner
// holds one lock over it and over the changes the ledger reports, so that none is missed.
class WorkWindow {
 public:
  // Timed: what waits for its time; else what is due now.
  WorkWindow(const deliver::Ledger& ledger, bool timed, size_t items_max)
      : ledger_(ledger), timed_(timed), items_max_(items_max) {}

  void Add(const deliver::WorkItem& item);
  void Remove(const std::string& key);
  // Reads on where the window is running low.
  absl::Status Refill();
  // Reads on although what is there is enough: all of it must wait.
  absl::Status Extend();

  std::map<std::string, Work>& items() { return items_; }
  // True when nothing lies beyond the horizon.
  bool complete() const { return complete_; }

 private:
  absl::Status ReadOn(size_t count);

  const deliver::Ledger& ledger_;
  const bool timed_;
  const size_t items_max_;
  std::map<std::string, Work> items_;
  std::string horizon_;    // everything up to here is held
  bool complete_ = false;  // and there is nothing beyond
};

}  // namespace simpul::forwarder
