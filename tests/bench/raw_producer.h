// librdkafka alone, as a raw limit: a producer with the log's settings and nothing of ours around
// it.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/check.h"
#include "lib/eventlog/kafka_topics.h"

namespace simpul::bench {

// To one topic. Any number of threads may put; Flush waits for what all have put.
class RawProducer {
 public:
  RawProducer(const std::string& bootstrap, const std::string& topic) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    for (const auto& [name, value] : std::vector<std::pair<const char*, std::string>>{
             {"bootstrap.servers", bootstrap},
             {"enable.idempotence", "true"},
             {"acks", "all"},
             {"compression.codec", "zstd"},
             {"linger.ms", "5"},
             {"message.max.bytes", std::to_string(eventlog::kTopicMessageBytesMin)},
             {"socket.nagle.disable", "true"},
             {"queue.buffering.max.kbytes", std::to_string(64 << 10)},
             {"queue.buffering.max.messages", "2000000"}}) {
      SIMPUL_CHECK(rd_kafka_conf_set(conf, name, value.c_str(), nullptr, 0) == RD_KAFKA_CONF_OK,
                   "{}", name);
    }
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
      SIMPUL_CHECK(message->err == RD_KAFKA_RESP_ERR_NO_ERROR, "not taken");
    });
    client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    SIMPUL_CHECK(client_ != nullptr, "no producer");
    topic_ = rd_kafka_topic_new(client_, topic.c_str(), nullptr);
  }
  ~RawProducer() {
    rd_kafka_topic_destroy(topic_);
    rd_kafka_destroy(client_);
  }
  RawProducer(const RawProducer&) = delete;
  RawProducer& operator=(const RawProducer&) = delete;

  // Waits while librdkafka's queue is full.
  void Put(int32_t partition, std::string_view key, std::string_view value) {
    while (Produce(partition, key, value) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_poll(client_, 1);
    }
    if (puts_.fetch_add(1, std::memory_order_relaxed) % 100 == 0) rd_kafka_poll(client_, 0);
  }

  // Until every record put was reported.
  void Flush() {
    SIMPUL_CHECK(rd_kafka_flush(client_, 60'000) == RD_KAFKA_RESP_ERR_NO_ERROR, "not flushed");
  }

 private:
  static constexpr std::string_view kId = "7d444840-9dc0-41d1-b245-5ffdce74fad2";
  static constexpr std::string_view kType = "simpul.event.visit";
  static constexpr std::string_view kSource = "P7324020101";
  static constexpr std::string_view kTime = "2026-01-05T01:12:00Z";

  static ssize_t Size(std::string_view text) { return static_cast<ssize_t>(text.size()); }

  rd_kafka_resp_err_t Produce(int32_t partition, std::string_view key, std::string_view value) {
    return rd_kafka_producev(client_, RD_KAFKA_V_RKT(topic_), RD_KAFKA_V_PARTITION(partition),
                             RD_KAFKA_V_KEY(key.data(), key.size()),
                             RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                             RD_KAFKA_V_HEADER("ce_specversion", "1.0", 3),
                             RD_KAFKA_V_HEADER("ce_id", kId.data(), Size(kId)),
                             RD_KAFKA_V_HEADER("ce_type", kType.data(), Size(kType)),
                             RD_KAFKA_V_HEADER("ce_source", kSource.data(), Size(kSource)),
                             RD_KAFKA_V_HEADER("ce_time", kTime.data(), Size(kTime)),
                             RD_KAFKA_V_HEADER("content-type", "application/protobuf", 20),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
  }

  rd_kafka_t* client_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
  std::atomic<uint64_t> puts_ = 0;
};

}  // namespace simpul::bench
