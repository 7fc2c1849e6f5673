#include "forwarder/work_window.h"

#include "lib/base/status_macros.h"

namespace simpul::forwarder {

void WorkWindow::Add(const deliver::WorkItem& item) {
  if (!complete_ && item.key > horizon_) return;
  items_.try_emplace(item.key, Work{item});
  // Room for twice as much before the far half goes back to the ledger.
  if (items_.size() <= 4 * items_max_) return;
  auto last = items_.begin();
  std::advance(last, 2 * items_max_);
  horizon_ = last->first;
  items_.erase(std::next(last), items_.end());
  complete_ = false;
}

void WorkWindow::Remove(const std::string& key) { items_.erase(key); }

absl::Status WorkWindow::Refill() {
  if (complete_ || items_.size() > items_max_ / 2) return absl::OkStatus();
  return ReadOn(items_max_);
}

absl::Status WorkWindow::Extend() {
  if (complete_ || items_.size() > 2 * items_max_) return absl::OkStatus();
  return ReadOn(items_max_);
}

absl::Status WorkWindow::ReadOn(size_t count) {
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<deliver::WorkItem> more,
                          ledger_.Work(timed_, horizon_, count));
  for (const deliver::WorkItem& item : more) items_.try_emplace(item.key, Work{item});
  if (!more.empty()) horizon_ = more.back().key;
  complete_ = more.size() < count;
  return absl::OkStatus();
}

}  // namespace simpul::forwarder
