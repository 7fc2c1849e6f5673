// Time as an argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace simpul::base {

// Wall time in microseconds since 1970-01-01T00:00:00Z, as kept on disk.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

// Tells the time. Implementations may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time. May jump.
  virtual Time Now() const = 0;
};

// The machine's clock.
const Clock& SystemClock();

// A clock that stands until it is moved; for tests and simulations. Not safe to move from several
// threads.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Time now) : now_(now) {}
  Time Now() const override { return now_; }
  void Set(Time now) { now_ = now; }
  void Advance(std::chrono::microseconds by) { now_ += by; }

 private:
  Time now_;
};

inline int64_t ToMicros(Time t) { return t.time_since_epoch().count(); }
inline Time FromMicros(int64_t us) { return Time(std::chrono::microseconds(us)); }

// RFC 3339 in UTC with microseconds only where there are any: 2026-01-05T01:12:00Z.
std::string FormatUtc(Time t);

}  // namespace simpul::base
