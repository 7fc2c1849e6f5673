// RocksDB's merging next to what people wait for.
#pragma once

#include <memory>

namespace rocksdb {
class RateLimiter;
}

namespace simpul::base {

// For the options of every database of this process. Any thread.
std::shared_ptr<rocksdb::RateLimiter> MergeRate();

// From now on merges have the processor while nothing else wants it, and write no faster than the
// disk can take besides what is being acknowledged: one that falls into a busy moment would hold
// everything up for a tenth of a second. A database that is written faster than its merges come
// after lets them write as they can, and waits for them. Linux lets nobody but root take the first
// back.
void LetMergesWait();

}  // namespace simpul::base
