#include "simpul/sender.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "lib/event/validate.h"

namespace simpul::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Batch {
  uint64_t number = 0;
  std::vector<Item> items;
  size_t bytes = 0;
  size_t events = 0;
};

bool Settled(const Item& item) {
  return item.outcome.outcome() == ingest::v1::OUTCOME_ACCEPTED ||
         item.outcome.outcome() == ingest::v1::OUTCOME_REFUSED;
}

bool WorthRetry(const absl::Status& status, milliseconds wait) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded ||
         (status.code() == absl::StatusCode::kResourceExhausted && wait.count() > 0);
}

}  // namespace

struct Sender::State {
  State(Options o, Submit s, OnAnswered a)
      : options(o), submit(std::move(s)), on_answered(std::move(a)) {}

  void Run() {
    while (true) {
      Batch batch;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return closing || !queue.empty(); });
        if (queue.empty()) return;
        batch = std::move(queue.front());
        queue.pop_front();
      }
      const absl::Status status = Settle(batch);
      Done(std::move(batch), status);
    }
  }

  // Sends until every item is settled or there is a reason to give up.
  absl::Status Settle(Batch& batch) {
    thread_local std::minstd_rand random{std::random_device{}()};
    milliseconds pause_max{100};
    Clock::time_point since = Clock::now();
    while (true) {
      std::vector<Item*> open;
      ingest::v1::SubmitEventsRequest request;
      for (Item& item : batch.items) {
        if (Settled(item)) continue;
        open.push_back(&item);
        *request.add_events() = item.event;
      }
      if (open.empty()) return absl::OkStatus();
      if (given_up) return absl::UnavailableError("given up");
      ingest::v1::SubmitEventsResponse response;
      milliseconds wait{0};
      absl::Status status = submit(request, response, options.deadline, wait);
      if (status.ok() && response.outcomes_size() != static_cast<int>(open.size())) {
        return absl::InternalError("the answer has another number of outcomes than the batch");
      }
      if (status.ok()) {
        answered = true;
        bool progress = false;
        for (size_t i = 0; i < open.size(); ++i) {
          open[i]->outcome = std::move(*response.mutable_outcomes(static_cast<int>(i)));
          progress |= Settled(*open[i]);
        }
        if (progress) {
          since = Clock::now();
          pause_max = milliseconds(100);
        }
        status = absl::UnavailableError("some events have no answer yet");
        if (std::all_of(open.begin(), open.end(), [](Item* item) { return Settled(*item); })) {
          return absl::OkStatus();
        }
      } else if (!WorthRetry(status, wait)) {
        return status;
      } else if (status.code() == absl::StatusCode::kResourceExhausted) {
        answered = true;
      }
      const milliseconds patience = answered ? options.retry_for : options.connect_for;
      if (Clock::now() - since >= patience) return status;
      const milliseconds pause =
          wait.count() > 0 ? std::min(wait, milliseconds(30'000))
                           : milliseconds(1 + random() % static_cast<uint64_t>(pause_max.count()));
      pause_max = std::min(pause_max * 2, milliseconds(5'000));
      const Clock::time_point until = std::min(Clock::now() + pause, since + patience);
      if (!PauseUntil(until)) return absl::CancelledError("stopped");
    }
  }

  // False when the sending is to end.
  bool PauseUntil(Clock::time_point until) {
    std::unique_lock lock(mutex);
    for (;;) {
      if (given_up || Clock::now() >= end_at) return false;
      if (Clock::now() >= until) return true;
      quit.wait_until(lock, std::min(until, end_at));
    }
  }

  void Done(Batch batch, const absl::Status& status) {
    const std::lock_guard lock(mutex);
    if (!status.ok() && reason.ok() && !given_up) {
      reason = status;
      given_up = true;
      quit.notify_all();
    }
    finished.emplace(batch.number, std::move(batch));
    for (auto first = finished.begin(); first != finished.end() && first->first == next_answer;
         first = finished.begin()) {
      on_answered(first->second.items);
      finished.erase(first);
      ++next_answer;
    }
    room.notify_all();
  }

  bool Room() const {
    return next_batch - next_answer < static_cast<uint64_t>(2 * options.batches_in_flight);
  }

  const Options options;
  const Submit submit;
  const OnAnswered on_answered;
  std::atomic<bool> answered{false};
  std::atomic<bool> given_up{false};

  Batch collected;  // used by the caller's thread only

  std::mutex mutex;
  std::condition_variable wake, room, quit;
  std::deque<Batch> queue;
  std::map<uint64_t, Batch> finished;
  uint64_t next_batch = 0;
  uint64_t next_answer = 0;
  bool closing = false;
  absl::Status reason;
  Clock::time_point end_at = Clock::time_point::max();  // set by Stop
  std::vector<std::thread> threads;
};

Sender::Sender(Options options, Submit submit, OnAnswered on_answered)
    : state_(std::make_unique<State>(options, std::move(submit), std::move(on_answered))) {
  for (int i = 0; i < options.batches_in_flight; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->Run(); });
  }
}

Sender::~Sender() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

bool Sender::Put(Item item) {
  if (state_->given_up) return false;
  const bool is_event = !Settled(item);
  // Tag and length of the repeated field come on top of the event's own bytes.
  const size_t bytes = is_event ? item.event.ByteSizeLong() + 8 : 0;
  if (state_->collected.events + (is_event ? 1 : 0) > event::kBatchEventsMax ||
      state_->collected.bytes + bytes > event::kBatchBytesMax ||
      state_->collected.items.size() >= 2 * event::kBatchEventsMax) {
    Flush();
  }
  state_->collected.bytes += bytes;
  state_->collected.events += is_event ? 1 : 0;
  state_->collected.items.push_back(std::move(item));
  return true;
}

void Sender::Flush() {
  if (state_->collected.items.empty()) return;
  std::unique_lock lock(state_->mutex);
  state_->room.wait(lock, [this] { return state_->Room(); });
  state_->collected.number = state_->next_batch++;
  state_->queue.push_back(std::exchange(state_->collected, Batch()));
  lock.unlock();
  state_->wake.notify_one();
}

void Sender::Stop() {
  const std::lock_guard lock(state_->mutex);
  state_->end_at = std::min(state_->end_at, Clock::now() + state_->options.stop_within);
  state_->quit.notify_all();
}

absl::Status Sender::Finish() {
  Flush();
  std::unique_lock lock(state_->mutex);
  state_->room.wait(lock, [this] { return state_->next_answer == state_->next_batch; });
  return state_->reason;
}

}  // namespace simpul::cli
