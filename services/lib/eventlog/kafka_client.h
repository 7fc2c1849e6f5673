// librdkafka's C API behind deleters. For kafka_*.cc alone.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/eventlog/kafka_settings.h"

namespace simpul::eventlog::kafka {

// librdkafka's functions that end what they made, as one deleter.
struct Destroys {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
  void operator()(rd_kafka_AdminOptions_t* options) const {
    rd_kafka_AdminOptions_destroy(options);
  }
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
  void operator()(rd_kafka_DeleteTopic_t* topic) const { rd_kafka_DeleteTopic_destroy(topic); }
  void operator()(rd_kafka_ConfigResource_t* resource) const {
    rd_kafka_ConfigResource_destroy(resource);
  }
};
template <typename T>
using Owned = std::unique_ptr<T, Destroys>;

using Setting = std::pair<const char*, std::string>;

// What every consumer of ours has: nothing is committed, nothing jumps.
std::vector<Setting> ReaderSettings();

// A client of that type. Lines of its log go to ours. `events`: what its main queue gives to
// whoever polls it (RD_KAFKA_EVENT_...). InvalidArgument: a setting, or a file of the certificates,
// cannot be used.
absl::StatusOr<Owned<rd_kafka_t>> MakeClient(rd_kafka_type_t type, const KafkaSettings& settings,
                                             const std::vector<Setting>& more, int events = 0);

struct Partition {
  std::string topic;
  uint32_t number = 0;
};
enum class Edge {
  kFirst,  // the first position that is kept
  kEnd,    // one past the last position that every broker in sync has
};
// That position of each of `places`, in their order, all asked at once. Tries again while leaders
// change. Unavailable: not within `within`.
absl::StatusOr<std::vector<int64_t>> Ask(rd_kafka_t* client, Edge edge,
                                         const std::vector<Partition>& places,
                                         std::chrono::milliseconds within);

// librdkafka's milliseconds.
inline int Ms(std::chrono::milliseconds duration) { return static_cast<int>(duration.count()); }

}  // namespace simpul::eventlog::kafka
