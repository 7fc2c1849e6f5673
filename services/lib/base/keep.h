// Things that are better never closed.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace simpul::base {

// Holds `kept` until the process ends. For a RocksDB that could not write: closing it may end the
// process. Any thread.
template <typename T>
void KeepToTheEnd(std::unique_ptr<T> kept) {
  static std::mutex mutex;
  static auto* const all = new std::vector<std::unique_ptr<T>>();  // never destroyed
  const std::lock_guard lock(mutex);
  all->push_back(std::move(kept));
}

}  // namespace simpul::base
