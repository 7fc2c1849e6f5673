#include "forwarder/backlog.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"

namespace simpul::forwarder {

// One partition.
struct Backlog::Lane {
  Lane(const deliver::Ledger& ledger_in, size_t items_max)
      : ledger(ledger_in),
        ready(ledger_in, false, items_max),
        timed(ledger_in, true, items_max),
        paused(ledger_in.paused()) {}

  WorkWindow& WindowOf(const std::string& key) { return key[0] == 't' ? timed : ready; }
  Work* Find(const std::string& key) {
    auto& items = WindowOf(key).items();
    const auto it = items.find(key);
    return it == items.end() ? nullptr : &it->second;
  }

  const deliver::Ledger& ledger;
  WorkWindow ready;
  WorkWindow timed;
  bool ours = false;  // our claim is the latest that was read
  bool lost = false;  // it was, and is no more
  bool paused;
  std::string trouble;  // the ledger cannot be read
};

Backlog::Backlog(const std::vector<deliver::Ledger*>& ledgers, std::string claim, size_t items_max)
    : claim_(std::move(claim)), lanes_([&] {
        std::vector<std::unique_ptr<Lane>> lanes;
        for (const deliver::Ledger* ledger : ledgers) {
          lanes.push_back(std::make_unique<Lane>(*ledger, items_max));
        }
        return lanes;
      }()) {}

Backlog::~Backlog() = default;

const deliver::Ledger& Backlog::ledger(uint32_t partition) const {
  return lanes_[partition]->ledger;
}

void Backlog::Take(uint32_t partition, const deliver::Applied& applied) {
  const std::lock_guard lock(mutex_);
  Lane& lane = *lanes_[partition];
  for (const std::string& key : applied.items_removed) lane.WindowOf(key).Remove(key);
  for (const deliver::WorkItem& item : applied.items_added) lane.WindowOf(item.key).Add(item);
  const bool ours = lane.ledger.claim() == claim_ ||
                    (lane.ours && SIMPUL_PLANTED_BUG("claim_of_another_ignored"));
  if (lane.ours && !ours) lane.lost = true;
  lane.ours = ours;
  lane.paused = lane.ledger.paused();
}

std::vector<Work> Backlog::Pick(uint32_t partition, base::Time now, size_t count,
                                absl::FunctionRef<bool(const Work&)> takes) {
  std::vector<Work> picked;
  const std::lock_guard lock(mutex_);
  Lane& lane = *lanes_[partition];
  if (!lane.ours || lane.lost || lane.paused) return picked;
  for (WorkWindow* window : {&lane.timed, &lane.ready}) {
    absl::Status status = window->Refill();
    bool any = false;
    for (const auto& [key, work] : window->items()) {
      if (picked.size() >= count) break;
      if (work.item.due_us > base::ToMicros(now)) break;
      if (work.not_before > now || !takes(work)) continue;
      picked.push_back(work);
      any = true;
    }
    if (!any && status.ok() && window == &lane.ready && !window->complete() &&
        !window->items().empty()) {
      status = window->Extend();
    }
    lane.trouble = status.ok() ? "" : std::string(base::Message(status));
  }
  return picked;
}

void Backlog::PutOff(uint32_t partition, const std::string& key, base::Time until,
                     const std::string& door) {
  const std::lock_guard lock(mutex_);
  Work* const work = lanes_[partition]->Find(key);
  if (work == nullptr) return;
  work->not_before = until;
  work->door = door;
}

uint32_t Backlog::CountFailure(uint32_t partition, const std::string& key) {
  const std::lock_guard lock(mutex_);
  Work* const work = lanes_[partition]->Find(key);
  return work == nullptr ? 1 : ++work->failures;
}

void Backlog::ForgetPutOff() {
  const std::lock_guard lock(mutex_);
  for (const auto& lane : lanes_) {
    for (WorkWindow* window : {&lane->ready, &lane->timed}) {
      for (auto& [key, work] : window->items()) work.not_before = {};
    }
  }
}

std::optional<base::Time> Backlog::NextDue(base::Time now) const {
  std::optional<base::Time> due;
  const std::lock_guard lock(mutex_);
  for (const auto& lane : lanes_) {
    if (!lane->ours || lane->paused) continue;
    for (WorkWindow* window : {&lane->timed, &lane->ready}) {
      for (const auto& [key, work] : window->items()) {
        const base::Time at = std::max(work.not_before, base::FromMicros(work.item.due_us));
        if (at > now && (!due || at < *due)) due = at;
        if (work.item.due_us > base::ToMicros(now)) break;
      }
    }
  }
  return due;
}

int64_t Backlog::OldestUs() const {
  int64_t oldest_us = 0;
  const std::lock_guard lock(mutex_);
  for (const auto& lane : lanes_) {
    for (WorkWindow* window : {&lane->ready, &lane->timed}) {
      for (const auto& [key, work] : window->items()) {
        const int64_t at = work.item.received_at_us;
        if (at != 0 && (oldest_us == 0 || at < oldest_us)) oldest_us = at;
        // What is due now stands in the order in which it came.
        if (window == &lane->ready) break;
      }
    }
  }
  return oldest_us;
}

bool Backlog::Ours(uint32_t partition) const {
  const std::lock_guard lock(mutex_);
  return lanes_[partition]->ours;
}

std::string Backlog::Trouble() const {
  const std::lock_guard lock(mutex_);
  for (uint32_t partition = 0; partition < partitions(); ++partition) {
    const Lane& lane = *lanes_[partition];
    if (lane.lost) {
      return fmt::format("partition {} was claimed by another forwarder: stop one of the two",
                         partition);
    }
    if (!lane.trouble.empty()) return fmt::format("partition {}: {}", partition, lane.trouble);
  }
  return "";
}

}  // namespace simpul::forwarder
