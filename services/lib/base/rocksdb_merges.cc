#include "lib/base/rocksdb_merges.h"

#include <rocksdb/env.h>
#include <rocksdb/rate_limiter.h>

#include <atomic>

#include "lib/base/check.h"

namespace simpul::base {
namespace {

constexpr int64_t kBytesPerSecond = 32 << 20;
// Short: what is let through at once is what an acknowledgement may have to wait for.
constexpr int64_t kRefillMicros = 10'000;

// Holds back merges alone. RocksDB asks for them with the lowest priority, and with another one
// once a database stalls its writers.
class Rate final : public rocksdb::RateLimiter {
 public:
  Rate() : bound_(rocksdb::NewGenericRateLimiter(kBytesPerSecond, kRefillMicros)) {}

  void Hold() { holds_.store(true); }

  void Request(int64_t bytes, rocksdb::Env::IOPriority priority,
               rocksdb::Statistics* statistics) override {
    if (holds_.load() && priority == rocksdb::Env::IO_LOW) {
      bound_->Request(bytes, priority, statistics);
    }
  }
  void SetBytesPerSecond(int64_t bytes) override { bound_->SetBytesPerSecond(bytes); }
  int64_t GetSingleBurstBytes() const override { return bound_->GetSingleBurstBytes(); }
  int64_t GetTotalBytesThrough(rocksdb::Env::IOPriority priority) const override {
    return bound_->GetTotalBytesThrough(priority);
  }
  int64_t GetTotalRequests(rocksdb::Env::IOPriority priority) const override {
    return bound_->GetTotalRequests(priority);
  }
  int64_t GetBytesPerSecond() const override { return bound_->GetBytesPerSecond(); }

 private:
  const std::unique_ptr<rocksdb::RateLimiter> bound_;
  std::atomic<bool> holds_ = false;
};

// Never destroyed: databases that failed are kept to the end of the process.
const std::shared_ptr<Rate>& TheRate() {
  static const auto& rate = *new std::shared_ptr<Rate>(std::make_shared<Rate>());
  return rate;
}

}  // namespace

std::shared_ptr<rocksdb::RateLimiter> MergeRate() { return TheRate(); }

void LetMergesWait() {
  TheRate()->Hold();
  const rocksdb::Status status = rocksdb::Env::Default()->LowerThreadPoolCPUPriority(
      rocksdb::Env::LOW, rocksdb::CpuPriority::kLow);
  SIMPUL_CHECK(status.ok(), "{}", status.ToString());
}

}  // namespace simpul::base
