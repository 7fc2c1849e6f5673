// What waits to be sent, of every partition: the nearest of it in memory, the rest in the ledgers.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "forwarder/work_window.h"
#include "lib/base/clock.h"
#include "lib/deliver/ledger.h"

namespace simpul::forwarder {

// Any thread, though only one picks.
class Backlog {
 public:
  // Ledgers by partition; they must outlive it. Of each partition about `items_max` are in memory.
  // A partition is sent from while `claim` is the latest claim on it.
  Backlog(const std::vector<deliver::Ledger*>& ledgers, std::string claim, size_t items_max);
  ~Backlog();

  uint32_t partitions() const { return static_cast<uint32_t>(lanes_.size()); }
  const deliver::Ledger& ledger(uint32_t partition) const;

  // A ledger has applied records.
  void Take(uint32_t partition, const deliver::Applied& applied);

  // Up to `count` of what is due in a partition and `takes` agrees to, in order, what waited for
  // its time first. Nothing where the partition is paused or another's. `takes` must not call back.
  std::vector<Work> Pick(uint32_t partition, base::Time now, size_t count,
                         absl::FunctionRef<bool(const Work&)> takes);

  // Not to be picked before `until`, and not while `door` is shut where one is named. By its key.
  void PutOff(uint32_t partition, const std::string& key, base::Time until,
              const std::string& door);
  // Counts one more question about it that the platform did not answer: how many that makes.
  uint32_t CountFailure(uint32_t partition, const std::string& key);
  // What was put off may be picked at once.
  void ForgetPutOff();

  // When something is due that is not due now; nullopt: nothing that is known of.
  std::optional<base::Time> NextDue(base::Time now) const;
  // When the oldest of it was accepted, microseconds since 1970; 0: there is none.
  int64_t OldestUs() const;
  // True while our claim on the partition is the latest.
  bool Ours(uint32_t partition) const;
  // Why a partition is not sent from any more; empty when all is well.
  std::string Trouble() const;

 private:
  struct Lane;

  const std::string claim_;
  mutable std::mutex mutex_;
  const std::vector<std::unique_ptr<Lane>> lanes_;  // guarded: all but their ledgers
};

}  // namespace simpul::forwarder
