// Sends events until each has an answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "simpul/event/v1/event.pb.h"
#include "simpul/ingest/v1/ingest.pb.h"

namespace simpul::cli {

// One line on its way.
struct Item {
  uint64_t line = 0;
  event::v1::Event event;
  // OUTCOME_UNSPECIFIED until there is an answer; set from the start for a line that is no event.
  ingest::v1::EventOutcome outcome;
};

// Keeps several batches in flight and gives the answers back in the order of the lines.
//
// What got no answer (Unavailable, DeadlineExceeded, an outcome of unknown, ResourceExhausted with
// a pause that the server asks for) is sent again with the same content, after that pause or one
// that grows with full jitter up to 5 s. ResourceExhausted without one is gRPC's refusal of a
// message. When a batch stays without answer for `retry_for` (`connect_for` as long as the server
// never answered), the sender gives up and takes no more. At most 2 * `batches_in_flight` batches
// are in memory.
class Sender {
 public:
  struct Options {
    int batches_in_flight = 4;
    std::chrono::milliseconds retry_for{60'000};
    std::chrono::milliseconds connect_for{3'000};
    std::chrono::milliseconds deadline{30'000};  // of one call
    // How long what has no answer is sent again after Stop.
    std::chrono::milliseconds stop_within{5'000};
  };
  // One call of SubmitEvents; from several threads at once. Sets the pause the server asked for.
  using Submit = std::function<absl::Status(
      const ingest::v1::SubmitEventsRequest&, ingest::v1::SubmitEventsResponse&,
      std::chrono::milliseconds deadline, std::chrono::milliseconds& wait)>;
  // The items of a batch with their outcomes, in order; never at once from two threads.
  using OnAnswered = std::function<void(const std::vector<Item>&)>;

  Sender(Options options, Submit submit, OnAnswered on_answered);
  // Waits for the batches in hand.
  ~Sender();

  // Takes an item; batches are closed at 500 events or 1 MiB. False when the sender gave up. Blocks
  // while too many batches are in flight.
  [[nodiscard]] bool Put(Item item);
  // Sends what is collected now.
  void Flush();
  // It is to end soon: nothing is sent again later than `stop_within` from now. Any thread.
  void Stop();
  // Flushes, waits for all, and says why it gave up; OK when it did not.
  absl::Status Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace simpul::cli
