#include "lib/timeline/publisher.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/eventlog/cloud_event.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::timeline {
namespace {

constexpr size_t kAppendBytesMax = 1 << 20;
constexpr std::chrono::milliseconds kPauseMin{10};
constexpr std::chrono::milliseconds kPauseMax{5000};

}  // namespace

struct Publisher::State {
  std::mutex mutex;
  std::function<void()> wake;  // null once it has stopped
  bool in_flight = false;
  uint64_t sent = 0;     // last number in topic entries
  uint64_t letters = 0;  // up to this number dead letters are in their topic
  std::chrono::milliseconds pause{0};
  std::chrono::steady_clock::time_point not_before;
  uint64_t next = 0;  // what is left to another owner
  std::chrono::steady_clock::time_point next_since;

  void PauseFrom(std::chrono::steady_clock::time_point now) {
    pause = std::clamp(pause * 2, kPauseMin, kPauseMax);
    not_before = now + pause;
  }
};

Publisher::Publisher(eventlog::EventLog& log, Store& store, std::function<void()> wake,
                     std::chrono::milliseconds patience)
    : log_(log), store_(store), patience_(patience), state_(std::make_shared<State>()) {
  state_->wake = std::move(wake);
}

Publisher::~Publisher() { Stop(); }

void Publisher::Stop() {
  const std::lock_guard lock(state_->mutex);
  state_->wake = nullptr;
}

void Publisher::Drive(std::chrono::steady_clock::time_point now) {
  std::vector<eventlog::Draft> drafts;
  std::vector<uint64_t> numbers;
  bool is_letters = false;
  uint64_t last = 0;
  size_t bytes = 0;
  std::unique_ptr<eventlog::Admission> admission;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->wake == nullptr || state_->in_flight || now < state_->not_before) return;
    if (patience_.count() > 0) {
      const std::vector<OutboxRecord> next = store_.Unread(state_->sent, 1);
      if (next.empty()) return;
      if (next.front().number != state_->next) {
        state_->next = next.front().number;
        state_->next_since = now;
      }
      if (now - state_->next_since < patience_) return;
    }
    const std::vector<OutboxRecord> records = store_.Unread(state_->sent, kAppendBytesMax);
    if (records.empty()) return;
    last = records.back().number;
    is_letters = !SIMPUL_PLANTED_BUG("letters_left_out") &&
                 std::ranges::any_of(records, [this](const OutboxRecord& record) {
                   return record.dead_letter && record.number > state_->letters;
                 });
    for (const OutboxRecord& record : records) {
      if (is_letters && !(record.dead_letter && record.number > state_->letters)) continue;
      eventlog::Draft draft;
      draft.key = record.key;
      log::v1::LogRecord outer;
      if (outer.ParseFromString(record.value)) eventlog::Describe(outer, draft);
      if (is_letters) {
        draft.topic = eventlog::Topic::kDeadLetters;
        log::v1::LogRecord letter;
        *letter.mutable_dead_letter() = outer.derived().dead_letter();
        draft.value = letter.SerializeAsString();
      } else {
        draft.topic = eventlog::Topic::kEntries;
        draft.value = record.value;
      }
      bytes += draft.key.size() + draft.value.size();
      numbers.push_back(record.number);
      drafts.push_back(std::move(draft));
    }
    absl::StatusOr<std::unique_ptr<eventlog::Admission>> admitted = log_.Admit(bytes);
    if (!admitted.ok()) {
      state_->PauseFrom(now);
      return;
    }
    admission = *std::move(admitted);
    state_->in_flight = true;
  }
  log_.Append(std::move(drafts), std::move(admission),
              [state = state_, numbers = std::move(numbers), is_letters,
               last](std::vector<eventlog::Appended> answers) {
                const std::lock_guard lock(state->mutex);
                state->in_flight = false;
                absl::Status failed;
                uint64_t reached = 0;
                for (size_t i = 0; i < answers.size() && failed.ok(); ++i) {
                  failed = answers[i].status();
                  if (failed.ok()) reached = numbers[i];
                }
                // Only what came before the first failure is sure to stand in order.
                if (failed.ok()) reached = last;
                uint64_t& done = is_letters ? state->letters : state->sent;
                done = std::max(done, reached);
                if (failed.ok()) {
                  state->pause = std::chrono::milliseconds(0);
                } else {
                  state->PauseFrom(std::chrono::steady_clock::now());
                  base::Log(base::Severity::kWarning, "timeline",
                            "derived records could not be appended and are tried again",
                            {{"number", reached + 1}, {"reason", base::Message(failed)}});
                }
                if (state->wake != nullptr) state->wake();
              });
}

}  // namespace simpul::timeline
