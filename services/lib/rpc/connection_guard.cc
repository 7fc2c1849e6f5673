#include "lib/rpc/connection_guard.h"

#include <algorithm>

namespace simpul::rpc {
namespace {

// Some 200 calls of a caller that resets them at once; more than most batches of calls need.
constexpr int64_t kLookBytes = 8 << 10;

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFine:
      return "fine";
    case Verdict::kResets:
      return "resets";
    case Verdict::kBytes:
      return "bytes";
    case Verdict::kStalled:
      return "stalled";
  }
  return "";
}

bool ConnectionGuard::WantsLook(int64_t bytes_received) const {
  return bytes_received - looked_at_bytes_ >= kLookBytes || unread_looks_ > 0;
}

Verdict ConnectionGuard::Look(Time now, int64_t bytes_received, bool has_unread,
                              const StreamCounts& counts) {
  looked_at_bytes_ = bytes_received;
  if (counts.started != last_.started || counts.messages != last_.messages) {
    progress_bytes_ = bytes_received;
  }
  last_ = counts;

  if (counts.open() > kOpenMax) return Verdict::kResets;
  if (now - second_began_ >= std::chrono::seconds(1)) {
    second_began_ = now;
    failed_before_second_ = counts.failed;
  }
  if (counts.failed - failed_before_second_ > kGivenUpMax) return Verdict::kResets;

  const int64_t under_way = bytes_received - progress_bytes_;
  const int64_t messages = std::clamp<int64_t>(counts.open(), 1, kMessagesUnderWayMax);
  const int64_t refused = counts.open() > 0 ? kRefusedMessageBytesMax : 0;
  if (under_way > std::max(messages * kMessageBytesMax, refused) + kSlackBytes) {
    return Verdict::kBytes;
  }

  if (under_way <= kStalledBytes || !has_unread) {
    unread_looks_ = 0;
    return Verdict::kFine;
  }
  if (unread_looks_++ == 0) unread_since_ = now;
  return unread_looks_ >= kStalledLooks && now - unread_since_ >= kStalledTime ? Verdict::kStalled
                                                                               : Verdict::kFine;
}

}  // namespace simpul::rpc
