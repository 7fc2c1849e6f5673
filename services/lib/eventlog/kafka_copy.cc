#include "lib/eventlog/kafka_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/eventlog/cloud_event.h"
#include "lib/eventlog/kafka_client.h"
#include "lib/eventlog/kafka_topics.h"
#include "lib/eventlog/place_digest.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::eventlog {
namespace {

using kafka::Ms;
using kafka::Owned;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAskMax{30'000};
constexpr milliseconds kStep{100};
// Without a word from Kafka for as long the copy ends; leaders change in much less.
constexpr milliseconds kSilenceMax{120'000};
constexpr size_t kQueueBytesMax = 32 << 20;
constexpr size_t kFetchedBytesMax = 16 << 20;

constexpr const char* kBeginAnew =
    "Delete these topics and copy again, or give other topics (--kafka-prefix)";

std::string Where(const KafkaSettings& settings, Place place, int64_t position) {
  return fmt::format("{} partition {} position {}", settings.TopicName(place.topic),
                     place.partition, position);
}

// The source's next record, which is there: nobody appends, and the end is known.
absl::StatusOr<Record> NextOf(Subscription& source, Place place, int64_t position) {
  SIMPUL_ASSIGN_OR_RETURN(const std::optional<Record> record, source.Poll(kAskMax));
  if (!record.has_value() || record->position != position) {
    return absl::DataLossError(
        fmt::format("{} position {} of the source cannot be read", PlaceText(place), position));
  }
  return *record;
}

// Reads one partition of the topics after another.
class Target {
 public:
  static absl::StatusOr<std::unique_ptr<Target>> Open(const KafkaSettings& settings) {
    auto conf = kafka::ReaderSettings();
    conf.emplace_back("enable.partition.eof", "true");
    // One partition after another is read: the next waits for what was asked of the last.
    conf.emplace_back("fetch.wait.max.ms", "5");
    conf.emplace_back("queued.max.messages.kbytes", fmt::format("{}", kFetchedBytesMax >> 10));
    SIMPUL_ASSIGN_OR_RETURN(auto client, kafka::MakeClient(RD_KAFKA_CONSUMER, settings, conf));
    rd_kafka_poll_set_consumer(client.get());
    return std::unique_ptr<Target>(new Target(settings, std::move(client)));
  }
  ~Target() {
    message_.reset();
    rd_kafka_consumer_close(client_.get());
  }

  absl::StatusOr<int64_t> End(Place place) {
    SIMPUL_ASSIGN_OR_RETURN(
        const std::vector<int64_t> ends,
        kafka::Ask(client_.get(), kafka::Edge::kEnd,
                   {{settings_.TopicName(place.topic), place.partition}}, kAskMax));
    return ends[0];
  }

  absl::Status ReadFrom(Place place, int64_t position) {
    message_.reset();
    name_ = settings_.TopicName(place.topic);
    place_ = place;
    const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), name_.c_str(),
                                      static_cast<int32_t>(place.partition))
        ->offset = position;
    const rd_kafka_resp_err_t failed = rd_kafka_assign(client_.get(), list.get());
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
    return absl::InternalError(fmt::format("Kafka: cannot be read: {}", rd_kafka_err2str(failed)));
  }

  // The record at that position, the next. The view lives until the next call.
  absl::StatusOr<Record> Next(int64_t position) {
    const auto until = steady_clock::now() + kSilenceMax;
    for (;;) {
      message_.reset(rd_kafka_consumer_poll(client_.get(), Ms(kStep)));
      if (steady_clock::now() > until) {
        return absl::UnavailableError(fmt::format("Kafka does not give {}. Run this again",
                                                  Where(settings_, place_, position)));
      }
      if (message_ == nullptr || message_->rkt == nullptr ||
          name_ != rd_kafka_topic_name(message_->rkt) ||
          static_cast<uint32_t>(message_->partition) != place_.partition) {
        continue;
      }
      // An end that was reached before more was written says nothing.
      const bool is_end = message_->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
      if (message_->err != RD_KAFKA_RESP_ERR_NO_ERROR && !is_end) {
        if (message_->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) return Gap(position);
        continue;
      }
      if (message_->offset > position) return Gap(position);
      if (is_end) continue;
      return Record{.place = place_,
                    .position = message_->offset,
                    .key = {static_cast<const char*>(message_->key), message_->key_len},
                    .value = {static_cast<const char*>(message_->payload), message_->len}};
    }
  }

 private:
  Target(const KafkaSettings& settings, Owned<rd_kafka_t> client)
      : settings_(settings), client_(std::move(client)) {}

  absl::Status Gap(int64_t position) const {
    return absl::FailedPreconditionError(fmt::format(
        "{} holds no record: somebody wrote to the topic with transactions, or deleted from it. {}",
        Where(settings_, place_, position), kBeginAnew));
  }

  const KafkaSettings settings_;
  const Owned<rd_kafka_t> client_;
  std::string name_;
  Place place_;
  Owned<rd_kafka_message_t> message_;
};

// Writes the source's records, each to the position it has there.
class Writer {
 public:
  static absl::StatusOr<std::unique_ptr<Writer>> Open(const KafkaSettings& settings) {
    SIMPUL_ASSIGN_OR_RETURN(
        auto client,
        kafka::MakeClient(RD_KAFKA_PRODUCER, settings,
                          {{"enable.idempotence", "true"},
                           // One that fails must not let the next one take its position.
                           {"enable.gapless.guarantee", "true"},
                           {"message.timeout.ms", "0"},
                           {"acks", "all"},
                           {"compression.codec", "zstd"},
                           {"linger.ms", "5"},
                           {"message.max.bytes", fmt::format("{}", kTopicMessageBytesMin)},
                           {"queue.buffering.max.kbytes", fmt::format("{}", kQueueBytesMax >> 10)}},
                          RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR));
    return std::unique_ptr<Writer>(new Writer(settings, std::move(client)));
  }
  ~Writer() {
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    reports_.reset();
  }

  absl::Status Write(EventLog& source, Place place, int64_t from, int64_t to) {
    SIMPUL_ASSIGN_OR_RETURN(const auto records, source.Subscribe({{place, from}}));
    place_ = place;
    settled_ = from;
    heard_ = steady_clock::now();
    for (int64_t position = from; position < to; ++position) {
      SIMPUL_ASSIGN_OR_RETURN(const Record record, NextOf(*records, place, position));
      SIMPUL_RETURN_IF_ERROR(Produce(record));
      SIMPUL_RETURN_IF_ERROR(TakeReports(milliseconds(0)));
      // In a batch of its own: whoever looks for install records fetches little.
      while (position == 0 && settled_ == 0) SIMPUL_RETURN_IF_ERROR(TakeReports(kStep));
    }
    while (settled_ < to) SIMPUL_RETURN_IF_ERROR(TakeReports(kStep));
    return absl::OkStatus();
  }

 private:
  Writer(const KafkaSettings& settings, Owned<rd_kafka_t> client)
      : settings_(settings),
        client_(std::move(client)),
        reports_(rd_kafka_queue_get_main(client_.get())) {}

  absl::Status Produce(const Record& record) {
    log::v1::LogRecord parsed;
    Draft draft;
    // What no program can read is copied as it is.
    if (parsed.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
      Describe(parsed, draft);
    }
    const std::string name = settings_.TopicName(record.place.topic);
    const std::string time = base::FormatUtc(base::FromMicros(draft.ce_time_us));
    // Kafka takes no time that is to come: a clock was wrong then.
    const int64_t at_us =
        std::min(record.appended_at_us, base::ToMicros(base::SystemClock().Now()));
    const bool is_install = parsed.has_install();
    for (;;) {
      const rd_kafka_resp_err_t failed = Hand(record, draft, name, time, at_us / 1000, is_install);
      if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
      if (failed != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return absl::UnavailableError(fmt::format("Kafka does not take {}: {}. Run this again",
                                                  Where(settings_, record.place, record.position),
                                                  rd_kafka_err2str(failed)));
      }
      SIMPUL_RETURN_IF_ERROR(TakeReports(kStep));
    }
  }

#define SIMPUL_HEADER(name, value) \
  RD_KAFKA_V_HEADER(name, (value).data(), static_cast<ssize_t>((value).size()))

  // As KafkaLog and CreateTopics write it.
  rd_kafka_resp_err_t Hand(const Record& record, const Draft& draft, const std::string& name,
                           const std::string& time, int64_t at_ms, bool is_install) {
    // Whole only if it comes to stand there: its report is compared with it.
    void* const position = reinterpret_cast<void*>(record.position);
    const auto partition = static_cast<int32_t>(record.place.partition);
    void* const value = const_cast<char*>(record.value.data());
    if (is_install) {
      return rd_kafka_producev(
          client_.get(), RD_KAFKA_V_TOPIC(name.c_str()), RD_KAFKA_V_PARTITION(partition),
          RD_KAFKA_V_VALUE(value, record.value.size()), SIMPUL_HEADER("ce_type", draft.ce_type),
          RD_KAFKA_V_TIMESTAMP(at_ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_OPAQUE(position), RD_KAFKA_V_END);
    }
    return rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(name.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
        RD_KAFKA_V_VALUE(value, record.value.size()),
        SIMPUL_HEADER("ce_specversion", std::string_view("1.0")),
        SIMPUL_HEADER("ce_id", draft.ce_id), SIMPUL_HEADER("ce_type", draft.ce_type),
        SIMPUL_HEADER("ce_source", draft.ce_source), SIMPUL_HEADER("ce_time", time),
        SIMPUL_HEADER("content-type", std::string_view("application/protobuf")),
        RD_KAFKA_V_TIMESTAMP(at_ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE(position), RD_KAFKA_V_END);
  }
#undef SIMPUL_HEADER

  absl::Status TakeReports(milliseconds wait) {
    const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(reports_.get(), Ms(wait)));
    if (event == nullptr) {
      if (steady_clock::now() - heard_ < kSilenceMax) return absl::OkStatus();
      return absl::UnavailableError(fmt::format(
          "Kafka took nothing for {} s{}. Run this again: it goes on where it was",
          kSilenceMax.count() / 1000, trouble_.empty() ? "" : fmt::format(" ({})", trouble_)));
    }
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_ERROR) {
      trouble_ = rd_kafka_event_error_string(event.get());
      return absl::OkStatus();
    }
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
      const auto position = reinterpret_cast<int64_t>(message->_private);
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return absl::UnavailableError(
            fmt::format("{} was not taken: {}{}. Run this again: it goes on where it was",
                        Where(settings_, place_, position), rd_kafka_err2str(message->err),
                        trouble_.empty() ? "" : fmt::format(" ({})", trouble_)));
      }
      // Without a position when a first answer was lost: reading back tells.
      if (message->offset >= 0 && message->offset != position) {
        return absl::FailedPreconditionError(
            fmt::format("{} came to stand at {}: somebody else writes to this topic. {}",
                        Where(settings_, place_, position), message->offset, kBeginAnew));
      }
      settled_ = position + 1;
      heard_ = steady_clock::now();
      SIMPUL_CRASH_POINT("record_copied");
    }
    return absl::OkStatus();
  }

  const KafkaSettings settings_;
  const Owned<rd_kafka_t> client_;
  Owned<rd_kafka_queue_t> reports_;
  Place place_;
  int64_t settled_ = 0;
  steady_clock::time_point heard_;
  std::string trouble_;
};

class Copy {
 public:
  Copy(EventLog& source, const KafkaSettings& settings, Target& target, Writer* writer)
      : source_(source), settings_(settings), target_(target), writer_(writer) {}

  absl::StatusOr<PlaceCopied> Bring(Place place) {
    SIMPUL_ASSIGN_OR_RETURN(const int64_t end, source_.End(place));
    SIMPUL_ASSIGN_OR_RETURN(const int64_t there, target_.End(place));
    SIMPUL_RETURN_IF_ERROR(target_.ReadFrom(place, 0));
    PlaceDigest digest;
    const int64_t same = std::min(there, end);
    SIMPUL_RETURN_IF_ERROR(Compare(place, 0, same, digest));
    if (there > end) {
      return absl::FailedPreconditionError(fmt::format(
          "{} holds a record, and the log to be copied ends there: {}",
          Where(settings_, place, end),
          writer_ == nullptr ? "these topics were copied and have been served from since"
                             : fmt::format("it is not its copy. {}", kBeginAnew)));
    }
    if (same < end) {
      if (writer_ == nullptr) {
        return absl::FailedPreconditionError(
            fmt::format("{} is missing, and the copy was finished before: the topic was cut back, "
                        "or the folder was served from after it was copied",
                        Where(settings_, place, same)));
      }
      SIMPUL_RETURN_IF_ERROR(writer_->Write(source_, place, same, end));
      SIMPUL_RETURN_IF_ERROR(Compare(place, same, end, digest));
      SIMPUL_ASSIGN_OR_RETURN(const int64_t after, target_.End(place));
      if (after != end) {
        return absl::FailedPreconditionError(
            fmt::format("{} holds a record that this copy did not write: somebody else writes to "
                        "this topic. {}",
                        Where(settings_, place, end), kBeginAnew));
      }
    }
    return PlaceCopied{
        .place = place, .records = digest.records(), .were_there = same, .digest = digest.Hex()};
  }

 private:
  absl::Status Compare(Place place, int64_t from, int64_t to, PlaceDigest& digest) {
    SIMPUL_ASSIGN_OR_RETURN(const auto records, source_.Subscribe({{place, from}}));
    for (int64_t position = from; position < to; ++position) {
      SIMPUL_ASSIGN_OR_RETURN(const Record ours, NextOf(*records, place, position));
      SIMPUL_ASSIGN_OR_RETURN(const Record theirs, target_.Next(position));
      if (theirs.key != ours.key || theirs.value != ours.value) {
        return absl::FailedPreconditionError(
            fmt::format("{} holds another record than the log to be copied. {}",
                        Where(settings_, place, position), kBeginAnew));
      }
      digest.Add(theirs.key, theirs.value);
    }
    return absl::OkStatus();
  }

  EventLog& source_;
  const KafkaSettings& settings_;
  Target& target_;
  Writer* const writer_;  // null: nothing may be written
};

}  // namespace

absl::StatusOr<Copied> CopyToKafka(EventLog& source, const KafkaSettings& settings,
                                   const CopyOptions& options) {
  SIMPUL_ASSIGN_OR_RETURN(const bool may_write,
                          BeginCopy(settings, source.install(), options.replicas));
  SIMPUL_ASSIGN_OR_RETURN(const std::unique_ptr<Target> target, Target::Open(settings));
  std::unique_ptr<Writer> writer;
  if (may_write) {
    SIMPUL_ASSIGN_OR_RETURN(writer, Writer::Open(settings));
  }
  Copy copy(source, settings, *target, writer.get());
  Copied copied{.was_open = !may_write};
  for (const Topic topic : kTopics) {
    for (uint32_t partition = 0; partition < source.partitions(); ++partition) {
      SIMPUL_ASSIGN_OR_RETURN(const PlaceCopied whole, copy.Bring({topic, partition}));
      copied.records += whole.records;
      copied.were_there += whole.were_there;
      if (options.on_whole) options.on_whole(whole);
    }
  }
  if (options.before_opening) SIMPUL_RETURN_IF_ERROR(options.before_opening());
  SIMPUL_CRASH_POINT("before_topics_open");
  if (may_write) SIMPUL_RETURN_IF_ERROR(EndCopy(settings));
  return copied;
}

}  // namespace simpul::eventlog
