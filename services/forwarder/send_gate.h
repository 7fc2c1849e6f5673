// Whether to knock at all: an organisation's door, or the platform's, after trouble that is not one
// record's own.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "lib/base/clock.h"
#include "lib/deliver/decide.h"

namespace simpul::forwarder {

// Closes for a time that grows with failures in a row; then lets one request through to see. Not
// for several threads.
class SendGate {
 public:
  // True when a request may begin now.
  bool Open(base::Time now) const { return now >= closed_until_ && (failures_ == 0 || !probing_); }
  // A request begins.
  void Enter() {
    if (failures_ > 0) probing_ = true;
  }
  // It ended without trouble of this kind, or was not made after all.
  void Passed() {
    failures_ = 0;
    probing_ = false;
  }
  void Left() { probing_ = false; }
  // It met trouble of this kind.
  void Failed(base::Time now, std::chrono::microseconds wait, std::string reason,
              std::string platform_says) {
    // What was under way when it closed failed of the same trouble.
    if (now >= closed_until_ && failures_ < UINT32_MAX) ++failures_;
    probing_ = false;
    if (now + wait > closed_until_) closed_until_ = now + wait;
    reason_ = std::move(reason);
    platform_says_ = std::move(platform_says);
  }
  void Reset() { *this = SendGate(); }

  uint32_t failures() const { return failures_; }
  base::Time closed_until() const { return closed_until_; }
  // Of the last failure.
  const std::string& reason() const { return reason_; }
  const std::string& platform_says() const { return platform_says_; }

 private:
  uint32_t failures_ = 0;
  bool probing_ = false;
  base::Time closed_until_{};
  std::string reason_, platform_says_;
};

}  // namespace simpul::forwarder
