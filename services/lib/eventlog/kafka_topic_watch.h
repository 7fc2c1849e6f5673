// Whether the topics are still there. librdkafka tells who reads a deleted topic nothing but a line
// of its log, and who writes to it hears only that each record timed out.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "lib/base/pause.h"
#include "lib/eventlog/kafka_client.h"

namespace simpul::eventlog::kafka {

// Asks the brokers every few seconds, on a thread of its own.
class TopicWatch {
 public:
  // `client` must outlive it. Topics by Kafka's names.
  TopicWatch(rd_kafka_t* client, std::vector<std::string> topics);
  ~TopicWatch();

  // Unavailable, naming the first of them, while every answer since a while has said that a topic
  // does not exist; OK also while nobody answers. A broker that has just begun may not know it yet,
  // so one answer is not believed. Any thread.
  absl::Status Found() const;

 private:
  void Run();
  void Ask();

  rd_kafka_t* const client_;
  // Held, for the brokers are asked for the topics of which the client has a handle.
  std::vector<Owned<rd_kafka_topic_t>> handles_;
  struct Watched {
    std::string name;
    int times_unknown = 0;  // answers, one after the other
  };
  std::vector<Watched> topics_;  // of the thread

  base::Pause pause_;
  mutable std::mutex mutex_;
  absl::Status found_;  // under mutex_
  std::thread thread_;  // last: it uses everything above
};

}  // namespace simpul::eventlog::kafka
