#include "lib/eventlog/follower.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/thread_name.h"

namespace simpul::eventlog {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// One place and what is held of it.
struct Lane {
  enum class Mode {
    kReading,
    kRetrying,  // its batch waits for `due`
    kStopped,
  };

  Place place;
  Mode mode = Mode::kReading;
  int64_t next = 0;            // first position not read
  bool is_subscribed = false;  // false also when its batch waits and more came

  std::vector<OwnedRecord> batch;
  size_t batch_bytes = 0;              // counted in held_bytes; 0 once it waits
  int64_t batch_appended_at_us = 0;    // of its first record
  int64_t applied_appended_at_us = 0;  // of the last record applied; 0 before

  int64_t last_appended_at_us = 0;  // of the last record read
  int64_t end = 0;                  // of the log, as far as was heard

  std::chrono::milliseconds pause{0};
  SteadyTime due;

  int64_t Applied() const { return batch.empty() ? next : batch.front().position; }
};

}  // namespace

struct Follower::State {
  State(EventLog& log_in, const std::vector<eventlog::Start>& starts, Options options_in,
        Handler handler_in, base::Metrics& metrics_in, Idle idle_in);

  absl::Status Subscribe();
  void Run();
  void Wake();

  bool Read(std::chrono::milliseconds wait);
  void Take(Lane& lane, const Record& record);
  void Deliver(Lane& lane);
  void DeliverAll();
  void Retry();
  void Stop(Lane& lane, const absl::Status& why);
  void Change(Lane& lane, Lane::Mode mode);
  void Isolate(const absl::Status& error);
  void Tick();
  void ShowLag();
  std::chrono::milliseconds Patience() const;

  EventLog& log;
  const Options options;
  Handler handler;
  Idle idle;
  base::Metrics& metrics;
  prometheus::Gauge& stopped_gauge;
  prometheus::Counter& applied_total;
  prometheus::Counter& retries_total;
  prometheus::Histogram& batch_seconds;

  std::map<Place, Lane> lanes;
  std::map<Place, std::atomic<int64_t>> known_ends;  // of the lanes, for other threads
  size_t held_bytes = 0;
  size_t retrying = 0;  // lanes that are
  bool is_subscription_stale = false;
  SteadyTime tick_due;

  // The mutex is for who uses the subscription from another thread; the follower's own thread holds
  // it only to exchange it.
  std::mutex subscription_mutex;
  std::unique_ptr<Subscription> subscription;
  std::atomic<bool> woken = false;
  std::atomic<bool> retry_now = false;
  std::atomic<bool> stopping = false;

  mutable std::mutex stopped_mutex;
  std::map<Place, std::string> stopped;

  std::thread thread;
};

Follower::State::State(EventLog& log_in, const std::vector<eventlog::Start>& starts,
                       Options options_in, Handler handler_in, base::Metrics& metrics_in,
                       Idle idle_in)
    : log(log_in),
      options(std::move(options_in)),
      handler(std::move(handler_in)),
      idle(std::move(idle_in)),
      metrics(metrics_in),
      stopped_gauge(metrics.Gauge("simpul_log_stopped_places",
                                  "Partitions of topics that a consumer does not read any more.",
                                  {{"consumer", options.name}})),
      applied_total(metrics.Counter("simpul_log_applied_records_total",
                                    "Records that a consumer has applied.",
                                    {{"consumer", options.name}})),
      retries_total(metrics.Counter("simpul_log_retries_total",
                                    "Batches that a consumer could not take and was given again.",
                                    {{"consumer", options.name}})),
      batch_seconds(metrics.Seconds("simpul_log_batch_seconds",
                                    "Time a consumer takes for a batch.",
                                    {{"consumer", options.name}})) {
  for (const eventlog::Start& start : starts) {
    lanes.emplace(start.place, Lane{.place = start.place, .next = start.position});
    known_ends.try_emplace(start.place, 0);
  }
}

absl::Status Follower::State::Subscribe() {
  std::vector<eventlog::Start> starts;
  for (auto& [place, lane] : lanes) {
    // A lane whose batch waits stays subscribed until more of it comes: most pauses are short.
    lane.is_subscribed = lane.mode == Lane::Mode::kReading ||
                         (lane.mode == Lane::Mode::kRetrying && lane.is_subscribed);
    if (lane.is_subscribed) starts.push_back({place, lane.next});
  }
  SIMPUL_ASSIGN_OR_RETURN(std::unique_ptr<Subscription> fresh,
                          log.Subscribe(std::move(starts), options.gather));
  is_subscription_stale = false;
  const std::lock_guard lock(subscription_mutex);
  subscription = std::move(fresh);
  return absl::OkStatus();
}

void Follower::State::Run() {
  base::NameThread(options.name);
  Tick();
  while (!stopping.load()) {
    Retry();
    if (is_subscription_stale) {
      if (const absl::Status status = Subscribe(); !status.ok()) {
        Isolate(status);
        continue;
      }
    }
    const bool is_holding = held_bytes > 0;
    if (!Read(is_holding ? std::chrono::milliseconds(0) : Patience())) DeliverAll();
    if (options.now() >= tick_due) Tick();
  }
}

// How long nothing needs to be done unless something comes.
std::chrono::milliseconds Follower::State::Patience() const {
  SteadyTime until = tick_due;
  for (const auto& [place, lane] : lanes) {
    if (lane.mode == Lane::Mode::kRetrying) until = std::min(until, lane.due);
  }
  const SteadyTime now = options.now();
  if (until <= now) return std::chrono::milliseconds(0);
  return std::chrono::ceil<std::chrono::milliseconds>(until - now);
}

// False when there is nothing more to be read now.
bool Follower::State::Read(std::chrono::milliseconds wait) {
  if (woken.exchange(false)) {
    tick_due = options.now();
    return false;
  }
  const absl::StatusOr<std::optional<Record>> record = subscription->Poll(wait);
  if (!record.ok()) {
    Isolate(record.status());
    return false;
  }
  if (!record->has_value()) return false;
  Lane& lane = lanes.at((*record)->place);
  const bool is_next = (*record)->position == lane.next;
  // What came before a wrong position is good.
  if (!is_next && lane.mode == Lane::Mode::kReading && !lane.batch.empty()) Deliver(lane);
  if (lane.mode != Lane::Mode::kReading) {
    // Not taken: it is read again when its place is subscribed again.
    lane.is_subscribed = false;
    is_subscription_stale = true;
  } else if (is_next) {
    Take(lane, **record);
  } else {
    Stop(lane, absl::DataLossError(fmt::format("position {} came where {} was expected",
                                               (*record)->position, lane.next)));
  }
  return true;
}

void Follower::State::Take(Lane& lane, const Record& record) {
  if (lane.batch.empty()) lane.batch_appended_at_us = record.appended_at_us;
  lane.batch.push_back({.position = record.position,
                        .key = std::string(record.key),
                        .value = std::string(record.value)});
  lane.last_appended_at_us = record.appended_at_us;
  ++lane.next;
  lane.end = std::max(lane.end, lane.next);
  // One more a record, so that empty ones are held to the limit too.
  const size_t bytes = record.key.size() + record.value.size() + 1;
  lane.batch_bytes += bytes;
  held_bytes += bytes;
  if (lane.batch.size() >= options.batch_records) Deliver(lane);
  if (held_bytes >= options.batch_bytes) DeliverAll();
}

void Follower::State::DeliverAll() {
  for (auto& [place, lane] : lanes) {
    if (stopping.load()) return;
    if (lane.mode == Lane::Mode::kReading && !lane.batch.empty()) Deliver(lane);
  }
}

void Follower::State::Retry() {
  const bool all = retry_now.exchange(false);
  if (retrying == 0) return;
  for (auto& [place, lane] : lanes) {
    if (stopping.load()) return;
    if (lane.mode != Lane::Mode::kRetrying) continue;
    if (all) {
      lane.pause = std::chrono::milliseconds(0);
    } else if (options.now() < lane.due) {
      continue;
    }
    retries_total.Increment();
    Deliver(lane);
  }
}

void Follower::State::Deliver(Lane& lane) {
  held_bytes -= std::exchange(lane.batch_bytes, 0);
  const SteadyTime begin = options.now();
  const absl::Status status = handler(lane.place, lane.batch);
  const SteadyTime end = options.now();
  batch_seconds.Observe(std::chrono::duration<double>(end - begin).count());
  if (status.ok()) {
    applied_total.Increment(static_cast<double>(lane.batch.size()));
    lane.applied_appended_at_us = lane.last_appended_at_us;
    lane.batch.clear();
    lane.pause = std::chrono::milliseconds(0);
    Change(lane, Lane::Mode::kReading);
    if (!lane.is_subscribed) is_subscription_stale = true;
  } else if (absl::IsUnavailable(status) || absl::IsResourceExhausted(status)) {
    const bool is_first = lane.mode == Lane::Mode::kReading;
    const bool was_longest = lane.pause >= options.pause_max;
    Change(lane, Lane::Mode::kRetrying);
    lane.pause = std::clamp(lane.pause * 2, options.pause_min, options.pause_max);
    const bool is_longest = lane.pause >= options.pause_max && !was_longest;
    if (absl::IsUnavailable(status) ? is_first : is_longest) {
      base::Log(base::Severity::kWarning, "follower",
                "a batch could not be taken and is tried again",
                {{"consumer", options.name},
                 {"topic", TopicName(lane.place.topic)},
                 {"partition", lane.place.partition},
                 {"position", lane.Applied()},
                 {"reason", base::Message(status)}});
    }
    lane.due = end + lane.pause;
  } else {
    Stop(lane, status);
  }
  if (idle != nullptr) idle();
}

void Follower::State::Change(Lane& lane, Lane::Mode mode) {
  if (lane.mode == Lane::Mode::kRetrying) --retrying;
  if (mode == Lane::Mode::kRetrying) ++retrying;
  lane.mode = mode;
}

void Follower::State::Stop(Lane& lane, const absl::Status& why) {
  base::Log(base::Severity::kError, "follower", "a place is not read any more",
            {{"consumer", options.name},
             {"topic", TopicName(lane.place.topic)},
             {"partition", lane.place.partition},
             {"position", lane.Applied()},
             {"reason", base::Message(why)}});
  Change(lane, Lane::Mode::kStopped);
  lane.next = lane.Applied();
  lane.batch = {};
  held_bytes -= std::exchange(lane.batch_bytes, 0);
  lane.is_subscribed = false;
  is_subscription_stale = true;
  const std::lock_guard lock(stopped_mutex);
  stopped[lane.place] = std::string(base::Message(why));
  stopped_gauge.Set(static_cast<double>(stopped.size()));
}

// The log cannot be read at some place: finds which, so that the others go on.
void Follower::State::Isolate(const absl::Status& error) {
  DeliverAll();
  bool is_found = false;
  for (auto& [place, lane] : lanes) {
    if (lane.mode == Lane::Mode::kStopped) continue;
    absl::StatusOr<std::unique_ptr<Subscription>> alone = log.Subscribe({{place, lane.next}});
    const absl::Status status =
        alone.ok() ? (*alone)->Poll(std::chrono::milliseconds(0)).status() : alone.status();
    if (status.ok()) continue;
    Stop(lane, status);
    is_found = true;
  }
  for (auto& [place, lane] : lanes) {
    if (!is_found && lane.mode != Lane::Mode::kStopped) Stop(lane, error);
  }
  is_subscription_stale = true;
}

void Follower::State::Tick() {
  tick_due = options.now() + options.tick;
  ShowLag();
  if (idle != nullptr) idle();
}

void Follower::State::ShowLag() {
  struct Lag {
    int64_t records = 0;
    int64_t oldest_us = 0;
  };
  std::map<Topic, Lag> lags;
  for (auto& [place, lane] : lanes) {
    Lag& lag = lags[place.topic];
    // Whoever keeps the log is not asked: with a broker away the answer would hold up the reading.
    if (lane.is_subscribed) lane.end = subscription->KnownEnd(place).value_or(lane.end);
    known_ends.at(place) = lane.end;
    if (lane.end <= lane.Applied()) continue;
    lag.records += lane.end - lane.Applied();
    // Of a record not yet read only this is known: it is not older than the last one applied.
    const int64_t at_us =
        lane.batch.empty() ? lane.applied_appended_at_us : lane.batch_appended_at_us;
    if (at_us != 0 && (lag.oldest_us == 0 || at_us < lag.oldest_us)) lag.oldest_us = at_us;
  }
  const int64_t now_us = base::ToMicros(options.clock->Now());
  for (const auto& [topic, lag] : lags) {
    const base::Labels labels = {{"consumer", options.name},
                                 {"topic", std::string(TopicName(topic))}};
    metrics.Gauge("simpul_log_lag_records", "Records that a consumer has not applied.", labels)
        .Set(static_cast<double>(lag.records));
    const int64_t age_us = lag.oldest_us == 0 ? 0 : std::max<int64_t>(0, now_us - lag.oldest_us);
    metrics
        .Gauge("simpul_log_lag_seconds",
               "Age of the oldest record that a consumer has not applied.", labels)
        .Set(static_cast<double>(age_us) / 1e6);
  }
}

void Follower::State::Wake() {
  const std::lock_guard lock(subscription_mutex);
  woken.store(true);
  if (subscription != nullptr) subscription->Wake();
}

absl::StatusOr<std::unique_ptr<Follower>> Follower::Start(EventLog& log,
                                                          std::vector<eventlog::Start> starts,
                                                          Options options, Handler handler,
                                                          base::Metrics& metrics, Idle idle) {
  // Asked for as they are: the log answers for places that do not exist or are named twice.
  SIMPUL_RETURN_IF_ERROR(log.Subscribe(starts).status());
  std::unique_ptr<Follower> follower(new Follower());
  follower->state_ = std::make_unique<State>(log, starts, std::move(options), std::move(handler),
                                             metrics, std::move(idle));
  State* const state = follower->state_.get();
  SIMPUL_RETURN_IF_ERROR(state->Subscribe());
  state->thread = std::thread([state] { state->Run(); });
  return follower;
}

Follower::~Follower() {
  if (state_ == nullptr || !state_->thread.joinable()) return;
  state_->stopping.store(true);
  state_->Wake();
  state_->thread.join();
}

std::map<Place, std::string> Follower::Stopped() const {
  const std::lock_guard lock(state_->stopped_mutex);
  return state_->stopped;
}

int64_t Follower::KnownEnd(Place place) const {
  const auto known = state_->known_ends.find(place);
  return known == state_->known_ends.end() ? 0 : known->second.load();
}

void Follower::Wake() { state_->Wake(); }

void Follower::RetryNow() {
  state_->retry_now.store(true);
  state_->Wake();
}

}  // namespace simpul::eventlog
