#include "lib/eventlog/kafka_log.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>
#include <utility>

#include "lib/base/check.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/base/thread_name.h"
#include "lib/eventlog/in_flight.h"
#include "lib/eventlog/kafka_client.h"
#include "lib/eventlog/kafka_topic_watch.h"
#include "lib/eventlog/kafka_topics.h"

namespace simpul::eventlog {
namespace {

using kafka::Ms;
using kafka::Owned;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view kComponent = "kafka";

// Below the deadline that clients are told to give (30 s): they hear "unknown", not silence.
constexpr milliseconds kAppendMax{25'000};
// Once an append has waited this long, nothing more is admitted until one succeeds.
constexpr milliseconds kSilenceMax{5'000};
constexpr milliseconds kAskMax{5'000};
constexpr milliseconds kProducerRest{500};
constexpr milliseconds kTick{100};

// What librdkafka may queue above what is admitted: the roles' own appends, which bound themselves,
// and the headers of them all.
constexpr size_t kQueueBytesBeside = 128 << 20;
constexpr size_t kMessageBytesMax = kTopicMessageBytesMin;
constexpr size_t kQueueMessagesMax = 2'000'000;

// What a subscription holds that was fetched and not read.
constexpr size_t kFetchedBytesMax = 16 << 20;

// What a broker answers with at once to a subscription that gathers.
constexpr size_t kGatheredBytes = 64 << 10;

// One batch on its way, until all its messages are settled.
struct Batch {
  struct Slot {
    Batch* batch = nullptr;
    size_t index = 0;
    Place place;
  };
  std::vector<Slot> slots;  // a message's opaque points at its own
  std::vector<Appended> answers;
  std::unique_ptr<Admission> admission;
  absl::AnyInvocable<void(std::vector<Appended>)> done;
  size_t left = 0;  // under the log's mutex
  steady_clock::time_point began;
  std::list<std::unique_ptr<Batch>>::iterator self;
};

// A Kafka consumer that is assigned by hand.
class Reader final : public Subscription {
 public:
  Reader(Owned<rd_kafka_t> client, const KafkaSettings& settings)
      : client_(std::move(client)),
        queue_(rd_kafka_queue_get_consumer(client_.get())),
        settings_(settings) {
    for (const Topic topic : kTopics) topics_.emplace(settings.TopicName(topic), topic);
  }
  ~Reader() override {
    message_.reset();
    queue_.reset();
    rd_kafka_consumer_close(client_.get());
  }

  absl::Status Assign(const std::vector<Start>& starts) {
    const Owned<rd_kafka_topic_partition_list_t> list(
        rd_kafka_topic_partition_list_new(static_cast<int>(starts.size())));
    for (const Start& start : starts) {
      rd_kafka_topic_partition_list_add(list.get(), settings_.TopicName(start.place.topic).c_str(),
                                        static_cast<int32_t>(start.place.partition))
          ->offset = start.position;
    }
    const rd_kafka_resp_err_t failed = rd_kafka_assign(client_.get(), list.get());
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
    return absl::InternalError(fmt::format("Kafka: cannot be read: {}", rd_kafka_err2str(failed)));
  }

  absl::StatusOr<std::optional<Record>> Poll(milliseconds wait) override {
    message_.reset();
    const auto until = steady_clock::now() + wait;
    for (;;) {
      if (woken_.exchange(false)) return std::nullopt;
      const auto left =
          std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - steady_clock::now()));
      message_.reset(rd_kafka_consume_queue(queue_.get(), Ms(left)));
      if (message_ == nullptr) {
        // Woken, or the time is over; a yield that came without our word means nothing.
        if (!woken_.load() && steady_clock::now() < until) continue;
        woken_ = false;
        return std::nullopt;
      }
      if (message_->err == RD_KAFKA_RESP_ERR_NO_ERROR) return Read();
      if (absl::Status lost = Incident(); !lost.ok()) return lost;
    }
  }

  std::optional<int64_t> KnownEnd(Place place) const override {
    int64_t low = 0;
    int64_t high = RD_KAFKA_OFFSET_INVALID;
    const rd_kafka_resp_err_t failed =
        rd_kafka_get_watermark_offsets(client_.get(), settings_.TopicName(place.topic).c_str(),
                                       static_cast<int32_t>(place.partition), &low, &high);
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0) return std::nullopt;
    return high;
  }

  void Wake() override {
    woken_ = true;
    rd_kafka_queue_yield(queue_.get());
  }

 private:
  Record Read() const {
    const auto topic = topics_.find(rd_kafka_topic_name(message_->rkt));
    SIMPUL_CHECK(topic != topics_.end(), "a topic that was not asked for");
    const int64_t at_ms = rd_kafka_message_timestamp(message_.get(), nullptr);
    return {.place = {topic->second, static_cast<uint32_t>(message_->partition)},
            .position = message_->offset,
            .appended_at_us = at_ms * 1000,
            .key = {static_cast<const char*>(message_->key), message_->key_len},
            .value = {static_cast<const char*>(message_->payload), message_->len}};
  }

  // OK for what passes by itself: the brokers are away, leaders change.
  absl::Status Incident() const {
    const std::string place =
        message_->rkt == nullptr
            ? "the log"
            : fmt::format("{} partition {}", rd_kafka_topic_name(message_->rkt),
                          message_->partition);
    switch (message_->err) {
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return absl::OutOfRangeError(fmt::format(
            "{}: the position asked for is not there: the topic was cut back, made again or is "
            "another one. Delete the state that asked if the topic is right; restore the topic if "
            "it is not",
            place));
      case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return absl::OutOfRangeError(
            fmt::format("{} is gone: restore the topic, then start again", place));
      case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return absl::PermissionDeniedError(
            fmt::format("{} may not be read by this client: grant it READ", place));
      case RD_KAFKA_RESP_ERR__BAD_MSG:
        return absl::DataLossError(fmt::format("{}: a record there is damaged: {}", place,
                                               rd_kafka_message_errstr(message_.get())));
      default:
        return absl::OkStatus();
    }
  }

  Owned<rd_kafka_t> client_;
  Owned<rd_kafka_queue_t> queue_;
  const KafkaSettings settings_;
  std::map<std::string, Topic, std::less<>> topics_;  // by Kafka's name
  std::atomic<bool> woken_ = false;
  Owned<rd_kafka_message_t> message_;  // what the last Poll gave shows into it
};

// One life of a producer, with what is made for it.
struct Producer {
  Owned<rd_kafka_t> client;
  Owned<rd_kafka_queue_t> events;
  std::map<Topic, Owned<rd_kafka_topic_t>> topics;
  ~Producer() {
    topics.clear();
    events.reset();
  }
};

absl::StatusOr<std::unique_ptr<Producer>> MakeProducer(const KafkaSettings& settings,
                                                       size_t in_flight_bytes_max) {
  auto producer = std::make_unique<Producer>();
  SIMPUL_ASSIGN_OR_RETURN(
      producer->client,
      kafka::MakeClient(RD_KAFKA_PRODUCER, settings,
                        {{"enable.idempotence", "true"},
                         {"acks", "all"},
                         {"compression.codec", "zstd"},
                         {"linger.ms", "5"},
                         {"message.timeout.ms", fmt::format("{}", kAppendMax.count())},
                         {"message.max.bytes", fmt::format("{}", kMessageBytesMax)},
                         {"queue.buffering.max.kbytes",
                          fmt::format("{}", (in_flight_bytes_max + kQueueBytesBeside) >> 10)},
                         {"queue.buffering.max.messages", fmt::format("{}", kQueueMessagesMax)}},
                        RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR));
  producer->events.reset(rd_kafka_queue_get_main(producer->client.get()));
  for (const Topic topic : kTopics) {
    producer->topics[topic].reset(
        rd_kafka_topic_new(producer->client.get(), settings.TopicName(topic).c_str(), nullptr));
  }
  return producer;
}

}  // namespace

struct KafkaLog::State {
  State(KafkaSettings settings_in, const Options& options_in, base::Metrics& metrics)
      : settings(std::move(settings_in)),
        in_flight_bytes_max(options_in.in_flight_bytes_max),
        in_flight(in_flight_bytes_max),
        replaced(metrics.Counter("simpul_kafka_producers_replaced_total",
                                 "Producers that died of a fatal error.")),
        unknown(metrics.Counter("simpul_kafka_appends_unknown_total",
                                "Records of which it is not known whether the log has them.")),
        healthy(metrics.Gauge("simpul_log_healthy", "1 while the log takes records.")) {}

  // The log's thread and its steps.
  void Run();
  void TakeEvent(rd_kafka_event_t* event);
  void TakeReport(const rd_kafka_message_t& message);
  bool IsBehind(Place place, int64_t position);
  void Answer();
  void LookAtHealth();
  void ReplaceProducer();

  absl::Status Produce(Producer& to, const Draft& draft, Batch::Slot& slot) const;
  // Under `mutex`.
  void Settle(Batch& batch, size_t index, Appended answer);
  void Release(Batch& batch);
  void SetHealth(absl::Status now);

  const KafkaSettings settings;
  const size_t in_flight_bytes_max;
  log::v1::Install install;
  Owned<rd_kafka_t> reader;                        // asked for ends
  std::unique_ptr<kafka::TopicWatch> topic_watch;  // asks it too

  InFlight in_flight;

  // Shared: to produce. Exclusive: to replace. Null: it died, and the next is not there yet.
  std::shared_mutex producer_mutex;
  std::unique_ptr<Producer> producer;

  mutable std::mutex mutex;
  std::list<std::unique_ptr<Batch>> batches;   // the oldest first
  std::list<std::unique_ptr<Batch>> finished;  // to be answered
  absl::Status health;
  bool stopping = false;
  std::condition_variable changed;  // to a thread that has no producer to wait for

  // Of the log's thread.
  std::string trouble;  // the last, in Kafka's words
  bool is_fatal = false;
  int reports = 0;
  bool brokers_away = false;
  std::string cut_back;  // for good: appending goes on after a restart, which looks at the topics
  std::map<Topic, std::vector<int64_t>> newest;  // acknowledged, by partition
  steady_clock::time_point look_at{};

  prometheus::Counter& replaced;
  prometheus::Counter& unknown;
  prometheus::Gauge& healthy;
  std::thread thread;  // last: it uses everything above
};

void KafkaLog::State::Settle(Batch& batch, size_t index, Appended answer) {
  batch.answers[index] = std::move(answer);
  Release(batch);
}

void KafkaLog::State::Release(Batch& batch) {
  if (--batch.left == 0) finished.splice(finished.end(), batches, batch.self);
}

void KafkaLog::State::SetHealth(absl::Status now) {
  const std::lock_guard lock(mutex);
  if (now == health) return;
  if (now.ok()) {
    base::Log(base::Severity::kInfo, kComponent, "the log takes records again");
  } else if (health.ok()) {
    base::Log(base::Severity::kError, kComponent, "the log takes nothing now",
              {{"why", base::Message(now)}});
  }
  health = std::move(now);
  healthy.Set(health.ok() ? 1 : 0);
}

#define SIMPUL_HEADER(name, value) \
  RD_KAFKA_V_HEADER(name, (value).data(), static_cast<ssize_t>((value).size()))

absl::Status KafkaLog::State::Produce(Producer& to, const Draft& draft, Batch::Slot& slot) const {
  if (draft.key.size() + draft.value.size() > kRecordBytesMax) {
    return absl::InvalidArgumentError(fmt::format("a record of {} bytes is larger than {}",
                                                  draft.key.size() + draft.value.size(),
                                                  kRecordBytesMax));
  }
  slot.place = {draft.topic, event::PartitionOf(draft.key, install.partitions())};
  const std::string time = base::FormatUtc(base::FromMicros(draft.ce_time_us));
  // producev, for produceva of this version frees headers twice when a partition is missing.
  const rd_kafka_resp_err_t failed = rd_kafka_producev(
      to.client.get(), RD_KAFKA_V_RKT(to.topics.at(draft.topic).get()),
      RD_KAFKA_V_PARTITION(static_cast<int32_t>(slot.place.partition)),
      RD_KAFKA_V_KEY(draft.key.data(), draft.key.size()),
      RD_KAFKA_V_VALUE(const_cast<char*>(draft.value.data()), draft.value.size()),
      SIMPUL_HEADER("ce_specversion", std::string_view("1.0")), SIMPUL_HEADER("ce_id", draft.ce_id),
      SIMPUL_HEADER("ce_type", draft.ce_type), SIMPUL_HEADER("ce_source", draft.ce_source),
      SIMPUL_HEADER("ce_time", time),
      SIMPUL_HEADER("content-type", std::string_view("application/protobuf")),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(&slot), RD_KAFKA_V_END);
  switch (failed) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return absl::OkStatus();
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      return absl::ResourceExhaustedError(
          "the queue to Kafka is full. Send the same again in a moment");
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return absl::InvalidArgumentError("the record is larger than Kafka takes");
    default:
      return absl::UnavailableError(
          fmt::format("Kafka does not take the record: {}", rd_kafka_err2str(failed)));
  }
}
#undef SIMPUL_HEADER

// Records are acknowledged at ever greater positions, behind the install record. Anywhere else the
// topic is not the one that was there: Kafka tells clients of this version nothing else about it.
bool KafkaLog::State::IsBehind(Place place, int64_t position) {
  int64_t& last = newest.at(place.topic)[place.partition];
  if (position > last) {
    last = position;
    return false;
  }
  if (cut_back.empty()) {
    cut_back = fmt::format(
        "{} partition {} was cut back or made again: a record came to position {}, and {} was "
        "there. Restore the topic, then start again",
        settings.TopicName(place.topic), place.partition, position, last);
  }
  return true;
}

void KafkaLog::State::TakeReport(const rd_kafka_message_t& message) {
  Batch::Slot& slot = *static_cast<Batch::Slot*>(message._private);
  Batch& batch = *slot.batch;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR && message.offset >= 0 &&
      !IsBehind(slot.place, message.offset)) {
    brokers_away = false;
    return Settle(batch, slot.index, message.offset);
  }
  if (message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    return Settle(batch, slot.index,
                  absl::InvalidArgumentError("the record is larger than the topic takes"));
  }
  if (SIMPUL_PLANTED_BUG("report_taken_for_success")) {
    return Settle(batch, slot.index, newest.at(slot.place.topic)[slot.place.partition] + 1);
  }
  // Also a success of which Kafka does not say where: whoever sends it again hears.
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) trouble = rd_kafka_err2str(message.err);
  unknown.Increment();
  Settle(batch, slot.index,
         absl::UnavailableError(
             fmt::format("Kafka did not say that it has the record ({}). Send the same again",
                         cut_back.empty() ? rd_kafka_err2str(message.err) : cut_back)));
}

void KafkaLog::State::TakeEvent(rd_kafka_event_t* event) {
  switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_DR: {
      if (SIMPUL_PLANTED_BUG("kafka_fatal_error") && producer != nullptr && ++reports % 50 == 0) {
        rd_kafka_test_fatal_error(producer->client.get(),
                                  RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a drill");
      }
      const std::lock_guard lock(mutex);
      while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
        TakeReport(*message);
      }
      return;
    }
    case RD_KAFKA_EVENT_ERROR: {
      trouble = rd_kafka_event_error_string(event);
      brokers_away =
          brokers_away || rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
      return;
    }
    default:
      return;
  }
}

void KafkaLog::State::Answer() {
  std::list<std::unique_ptr<Batch>> ready;
  {
    const std::lock_guard lock(mutex);
    ready.swap(finished);
  }
  for (const std::unique_ptr<Batch>& batch : ready) {
    batch->admission.reset();
    batch->done(std::move(batch->answers));
  }
}

void KafkaLog::State::LookAtHealth() {
  const auto now = steady_clock::now();
  if (!cut_back.empty()) return SetHealth(absl::UnavailableError(cut_back));
  if (now < look_at) return;
  look_at = now + kTick;
  if (absl::Status found = topic_watch->Found(); !found.ok()) return SetHealth(std::move(found));
  std::optional<steady_clock::time_point> oldest;
  {
    const std::lock_guard lock(mutex);
    if (!batches.empty()) oldest = batches.front()->began;
  }
  if (brokers_away && !oldest.has_value()) {
    // Nothing would tell otherwise that they are back.
    const rd_kafka_metadata_t* found = nullptr;
    if (rd_kafka_metadata(producer->client.get(), 0, nullptr, &found, Ms(kTick)) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      const Owned<const rd_kafka_metadata_t> owned(found);
      brokers_away = false;
    }
  }
  if (brokers_away || (oldest.has_value() && now - *oldest > kSilenceMax)) {
    return SetHealth(absl::UnavailableError(
        fmt::format("Kafka does not answer at {}: {}. Nothing was written; send the same again",
                    settings.bootstrap, trouble.empty() ? "no word from it" : trouble)));
  }
  SetHealth(absl::OkStatus());
}

// What the dead one had not answered may be on the log or not.
void KafkaLog::State::ReplaceProducer() {
  SetHealth(absl::UnavailableError(
      fmt::format("the producer to Kafka died and is being replaced: {}. Send the same again in a "
                  "moment",
                  trouble)));
  std::unique_ptr<Producer> dead;
  {
    const std::unique_lock lock(producer_mutex);
    dead = std::move(producer);
  }
  if (dead != nullptr) {
    replaced.Increment();
    rd_kafka_purge(dead->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    // Its last words.
    while (
        const Owned<rd_kafka_event_t> event{rd_kafka_queue_poll(dead->events.get(), Ms(kTick))}) {
      TakeEvent(event.get());
    }
    dead.reset();
    // Its messages are gone: nothing points into what is left of them.
    const std::lock_guard lock(mutex);
    finished.splice(finished.end(), batches);
  }
  Answer();
  auto next = MakeProducer(settings, in_flight_bytes_max);
  if (next.ok()) {
    const std::unique_lock lock(producer_mutex);
    producer = *std::move(next);
    is_fatal = false;
    return;
  }
  trouble = base::Message(next.status());
  std::unique_lock lock(mutex);
  changed.wait_for(lock, kProducerRest, [this] { return stopping || !finished.empty(); });
}

void KafkaLog::State::Run() {
  base::NameThread("kafka log");
  for (;;) {
    if (producer != nullptr) {
      const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(producer->events.get(), Ms(kTick)));
      if (event != nullptr) TakeEvent(event.get());
      // Not every fatal error comes as an event.
      std::array<char, 256> words{};
      if (rd_kafka_fatal_error(producer->client.get(), words.data(), words.size()) !=
          RD_KAFKA_RESP_ERR_NO_ERROR) {
        is_fatal = true;
        trouble = words.data();
      }
    }
    if (is_fatal) ReplaceProducer();
    Answer();
    if (producer != nullptr) LookAtHealth();
    const std::lock_guard lock(mutex);
    if (stopping && batches.empty() && finished.empty()) return;
  }
}

KafkaLog::KafkaLog(std::unique_ptr<State> state) : state_(std::move(state)) {}

KafkaLog::~KafkaLog() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->changed.notify_all();
  }
  if (state_->thread.joinable()) state_->thread.join();
}

absl::StatusOr<std::unique_ptr<KafkaLog>> KafkaLog::Open(const KafkaSettings& settings,
                                                         const Options& options,
                                                         base::Metrics& metrics) {
  SIMPUL_ASSIGN_OR_RETURN(const TopicsFound found, LookAtTopics(settings, options.connect_within));
  SIMPUL_RETURN_IF_ERROR(
      CheckTopics(found, options.secret_fingerprint, options.accept_single_copy));
  metrics
      .Gauge("simpul_kafka_single_copy",
             "1 when acknowledged means no more than one broker's memory.")
      .Set(found.single_copy ? 1 : 0);
  if (found.single_copy) {
    base::Log(base::Severity::kWarning, kComponent,
              "acknowledged means one broker's memory, as --accept-single-copy allows");
  }
  auto log =
      std::unique_ptr<KafkaLog>(new KafkaLog(std::make_unique<State>(settings, options, metrics)));
  State& state = *log->state_;
  state.install = *found.install;
  state.install.clear_topic();
  state.install.clear_partition();
  SIMPUL_ASSIGN_OR_RETURN(state.reader,
                          kafka::MakeClient(RD_KAFKA_CONSUMER, settings, kafka::ReaderSettings()));
  std::vector<std::string> topics;
  for (const Topic topic : kTopics) {
    topics.push_back(settings.TopicName(topic));
    state.newest[topic].resize(log->partitions());
  }
  state.topic_watch = std::make_unique<kafka::TopicWatch>(state.reader.get(), std::move(topics));
  SIMPUL_ASSIGN_OR_RETURN(state.producer, MakeProducer(settings, state.in_flight_bytes_max));
  state.healthy.Set(1);
  state.thread = std::thread([&state] { state.Run(); });
  return log;
}

const log::v1::Install& KafkaLog::install() const { return state_->install; }

absl::Status KafkaLog::Health() const {
  const std::lock_guard lock(state_->mutex);
  return state_->health;
}

absl::StatusOr<std::unique_ptr<Admission>> KafkaLog::Admit(size_t bytes) {
  SIMPUL_RETURN_IF_ERROR(Health());
  return state_->in_flight.Admit(bytes);
}

void KafkaLog::Append(std::vector<Draft> drafts, std::unique_ptr<Admission> admission,
                      absl::AnyInvocable<void(std::vector<Appended>)> done) {
  State& state = *state_;
  auto owned = std::make_unique<Batch>();
  Batch& batch = *owned;
  batch.answers.assign(drafts.size(),
                       absl::UnavailableError("Kafka did not say that it has the record"));
  batch.admission = std::move(admission);
  batch.done = std::move(done);
  batch.began = steady_clock::now();
  // One more, held by this function: no report can finish the batch before all is handed over.
  batch.left = drafts.size() + 1;
  batch.slots.reserve(drafts.size());

  const std::shared_lock producing(state.producer_mutex);
  if (state.producer == nullptr) {
    const std::lock_guard lock(state.mutex);
    state.finished.push_back(std::move(owned));
    state.changed.notify_all();
    return;
  }
  {
    const std::lock_guard lock(state.mutex);
    batch.self = state.batches.insert(state.batches.end(), std::move(owned));
  }
  std::vector<std::pair<size_t, absl::Status>> refused;
  for (size_t i = 0; i < drafts.size(); ++i) {
    Batch::Slot& slot = batch.slots.emplace_back(Batch::Slot{&batch, i, {}});
    absl::Status produced = state.Produce(*state.producer, drafts[i], slot);
    if (!produced.ok()) refused.emplace_back(i, std::move(produced));
  }
  const std::lock_guard lock(state.mutex);
  for (auto& [index, why] : refused) state.Settle(batch, index, std::move(why));
  const bool is_over = batch.left == 1;
  state.Release(batch);
  if (is_over) rd_kafka_queue_yield(state.producer->events.get());
}

absl::StatusOr<std::vector<int64_t>> KafkaLog::Ends(std::span<const Place> places) {
  std::vector<kafka::Partition> asked;
  for (const Place& place : places) {
    if (place.partition >= partitions() || !std::ranges::count(kTopics, place.topic)) {
      return absl::InvalidArgumentError(
          fmt::format("there is no partition {} in this log of {}", place.partition, partitions()));
    }
    asked.push_back({state_->settings.TopicName(place.topic), place.partition});
  }
  return kafka::Ask(state_->reader.get(), kafka::Edge::kEnd, asked, kAskMax);
}

absl::StatusOr<std::unique_ptr<Subscription>> KafkaLog::Subscribe(
    std::vector<Start> starts, std::chrono::milliseconds gather) {
  std::vector<Place> places;
  for (const Start& start : starts) {
    if (std::ranges::count(places, start.place) > 0) {
      return absl::InvalidArgumentError(PlaceText(start.place) + " is named twice");
    }
    places.push_back(start.place);
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, Ends(places));
  for (size_t n = 0; n < starts.size(); ++n) {
    if (SIMPUL_PLANTED_BUG("position_jumps")) {
      starts[n].position = std::min(starts[n].position, ends[n]);
    }
    if (starts[n].position < 0 || starts[n].position > ends[n]) {
      return absl::OutOfRangeError(fmt::format(
          "{} ends at {}, and {} was asked for: the topic was cut back, made again or is another "
          "one. Delete the state that asked if the topic is right; restore the topic if it is not",
          PlaceText(starts[n].place), ends[n], starts[n].position));
    }
  }
  auto settings = kafka::ReaderSettings();
  settings.emplace_back("queued.max.messages.kbytes", fmt::format("{}", kFetchedBytesMax >> 10));
  if (gather.count() > 0) {
    settings.emplace_back("fetch.min.bytes", fmt::format("{}", kGatheredBytes));
    settings.emplace_back("fetch.wait.max.ms", fmt::format("{}", gather.count()));
  }
  SIMPUL_ASSIGN_OR_RETURN(auto client,
                          kafka::MakeClient(RD_KAFKA_CONSUMER, state_->settings, settings));
  auto reader = std::make_unique<Reader>(std::move(client), state_->settings);
  SIMPUL_RETURN_IF_ERROR(reader->Assign(starts));
  return reader;
}

}  // namespace simpul::eventlog
