#include "timeline/watchers.h"

#include <utility>

namespace simpul::timeline_role {
namespace {

constexpr size_t kChangesMax = 256;

}  // namespace

Watch::Changes Watch::Take(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, wait,
                    [this] { return woken_ || changes_.fell_behind || !changes_.entries.empty(); });
  woken_ = false;
  return std::exchange(changes_, {});
}

void Watch::Wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

void Watch::Tell(const timeline::v1::Entry& entry) {
  const std::lock_guard lock(mutex_);
  if (changes_.entries.size() >= kChangesMax) {
    changes_.entries.clear();
    changes_.fell_behind = true;
  }
  if (!changes_.fell_behind) changes_.entries.push_back(entry);
  changed_.notify_one();
}

std::shared_ptr<Watch> Watchers::Add(const event::SubjectKey& subject) {
  auto watch = std::make_shared<Watch>();
  const std::lock_guard lock(mutex_);
  std::erase_if(watches_, [](const auto& item) { return item.second.expired(); });
  watches_.emplace(subject, watch);
  count_.store(watches_.size());
  return watch;
}

bool Watchers::Watched(const event::SubjectKey& subject) const {
  if (count_.load() == 0) return false;
  const std::lock_guard lock(mutex_);
  return watches_.contains(subject);
}

void Watchers::Tell(std::span<const timeline::v1::Entry> entries) {
  if (entries.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const timeline::v1::Entry& entry : entries) {
    const auto subject = event::SubjectKey::FromBytes(entry.subject_key());
    if (!subject.ok()) continue;
    const auto [begin, end] = watches_.equal_range(*subject);
    for (auto it = begin; it != end;) {
      const std::shared_ptr<Watch> watch = it->second.lock();
      if (watch != nullptr) {
        watch->Tell(entry);
        ++it;
      } else {
        it = watches_.erase(it);
      }
    }
  }
  count_.store(watches_.size());
}

}  // namespace simpul::timeline_role
