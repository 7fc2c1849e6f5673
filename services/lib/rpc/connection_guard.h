// When a connection to the gRPC server is to be cut. Pure. Within lib/rpc only.
//
// The gRPC of this version can be made to use gigabytes by opening and resetting calls, and a core
// for minutes by one header without an end: both in docs/decisions/0006.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace simpul::rpc {

// What gRPC has counted of one connection.
struct StreamCounts {
  int64_t started = 0;
  int64_t succeeded = 0;  // answered, with whatever status
  int64_t failed = 0;     // ended without an answer, and let go of
  int64_t messages = 0;   // received whole

  int64_t open() const { return started - succeeded - failed; }
};

enum class Verdict {
  kFine,
  kResets,   // calls are opened and given up faster than they can be let go of
  kBytes,    // much came, and neither a call nor a message came of it
  kStalled,  // what came keeps the server busy, and nothing comes of it
};

// For metrics and the log: resets, bytes, stalled.
std::string_view VerdictName(Verdict verdict);

// One connection. One thread.
class ConnectionGuard {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // A caller may have 128 calls open. More that are begun and not ended are calls it has given up.
  static constexpr int64_t kOpenMax = 512;
  // Calls given up within a second.
  static constexpr int64_t kGivenUpMax = 5000;
  // What may be under way, in bytes: one message of the largest size for each open call, up to 16
  // calls, and slack for what is around them.
  static constexpr int64_t kMessageBytesMax = 4 << 20;
  static constexpr int64_t kMessagesUnderWayMax = 16;
  // A larger message is refused by gRPC, which reads it to its end first. Up to this size its
  // caller hears so; one that is cut believes in a bad line and sends the same again.
  static constexpr int64_t kRefusedMessageBytesMax = 16 << 20;
  static constexpr int64_t kSlackBytes = 1 << 20;
  // More than this without a call or message, never read to its end in so long, over so many looks
  // (a machine that was stopped looks but once): stalled.
  static constexpr int64_t kStalledBytes = 256 << 10;
  static constexpr std::chrono::milliseconds kStalledTime{2000};
  static constexpr int kStalledLooks = 20;

  // Whether so much has come since the last look that counts are worth asking for.
  bool WantsLook(int64_t bytes_received) const;

  // `bytes_received`: all that ever came; `has_unread`: some of it has not been read by gRPC.
  Verdict Look(Time now, int64_t bytes_received, bool has_unread, const StreamCounts& counts);

 private:
  int64_t looked_at_bytes_ = 0;
  // As of the last progress: a call that began or a message that was whole.
  int64_t progress_bytes_ = 0;
  StreamCounts last_;
  Time unread_since_{};
  int unread_looks_ = 0;
  Time second_began_{};
  int64_t failed_before_second_ = 0;
};

}  // namespace simpul::rpc
