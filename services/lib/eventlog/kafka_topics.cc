#include "lib/eventlog/kafka_topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "lib/base/hash.h"
#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"
#include "lib/eventlog/kafka_client.h"

namespace simpul::eventlog {
namespace {

using kafka::Ms;
using kafka::Owned;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr uint32_t kFormat = 1;
constexpr milliseconds kAdminMax{30'000};
constexpr milliseconds kStep{100};

// Whose clock stamps a record: Kafka's when it took it, or the sender's.
constexpr const char* kTimestampType = "message.timestamp.type";
constexpr const char* kTheirTime = "LogAppendTime";
constexpr const char* kSendersTime = "CreateTime";

using Settings = std::map<std::string, std::string, std::less<>>;

absl::Status NoBroker(const KafkaSettings& settings, rd_kafka_resp_err_t why) {
  return absl::UnavailableError(fmt::format(
      "no Kafka broker answers at {}: {}. Is it running there, and does it speak {}? A broker that "
      "wants certificates is spoken to with --kafka-ca, --kafka-certificate and --kafka-key",
      settings.bootstrap, rd_kafka_err2str(why), settings.ca.empty() ? "plain text" : "TLS"));
}

std::string CopyNotFinished(const KafkaSettings& settings) {
  return settings.topic_prefix + std::string(kCopyNotFinished);
}

// What the brokers say of themselves and all topics.
absl::StatusOr<Owned<const rd_kafka_metadata_t>> AskMetadata(rd_kafka_t* client,
                                                             const KafkaSettings& settings,
                                                             milliseconds within) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t failed = rd_kafka_metadata(client, 1, nullptr, &metadata, Ms(within));
  if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) return NoBroker(settings, failed);
  return Owned<const rd_kafka_metadata_t>(metadata);
}

// Asks an administrator's question and waits for the answer.
absl::StatusOr<Owned<rd_kafka_event_t>> AskAdmin(
    rd_kafka_t* client, rd_kafka_admin_op_t what,
    const std::function<void(rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& ask) {
  const Owned<rd_kafka_AdminOptions_t> options(rd_kafka_AdminOptions_new(client, what));
  std::array<char, 256> words{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), Ms(kAdminMax), words.data(),
                                            words.size());
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client));
  ask(options.get(), queue.get());
  Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), Ms(kAdminMax + kStep)));
  if (event == nullptr) return absl::UnavailableError("Kafka did not answer within 30 s");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return absl::UnavailableError(
        fmt::format("Kafka refuses: {}", rd_kafka_event_error_string(event.get())));
  }
  return event;
}

// All settings, or those alone that were given to the topic itself.
enum class Which { kAll, kTopicsOwn };

// Settings of topics that exist, by topic. NotFound: the broker that was asked knows none of that
// name.
absl::StatusOr<std::map<std::string, Settings>> AskSettingsOnce(
    rd_kafka_t* client, const std::vector<std::string>& names, Which which) {
  std::vector<Owned<rd_kafka_ConfigResource_t>> resources;
  std::vector<rd_kafka_ConfigResource_t*> asked;
  for (const std::string& name : names) {
    resources.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
    asked.push_back(resources.back().get());
  }
  SIMPUL_ASSIGN_OR_RETURN(const auto event,
                          AskAdmin(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
                                   [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                     rd_kafka_DescribeConfigs(client, asked.data(), asked.size(),
                                                              options, queue);
                                   }));
  size_t count = 0;
  const rd_kafka_ConfigResource_t** found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  std::map<std::string, Settings> all;
  for (size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_ConfigResource_name(found[i]);
    const rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(found[i]);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* why = rd_kafka_ConfigResource_error_string(found[i]);
      if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        return absl::NotFoundError(fmt::format("a Kafka broker does not know {} yet", name));
      }
      return absl::PermissionDeniedError(
          fmt::format("Kafka does not show the settings of {}: {}. Grant DESCRIBE_CONFIGS on it",
                      name, why == nullptr ? "no reason given" : why));
    }
    size_t entries = 0;
    const rd_kafka_ConfigEntry_t** list = rd_kafka_ConfigResource_configs(found[i], &entries);
    for (size_t j = 0; j < entries; ++j) {
      if (which == Which::kTopicsOwn &&
          rd_kafka_ConfigEntry_source(list[j]) != RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG) {
        continue;
      }
      const char* value = rd_kafka_ConfigEntry_value(list[j]);
      all[name][rd_kafka_ConfigEntry_name(list[j])] = value == nullptr ? "" : value;
    }
  }
  return all;
}

// As AskSettingsOnce; asks again for a while: a broker that has just started answers before it has
// heard of every topic.
absl::StatusOr<std::map<std::string, Settings>> AskSettings(rd_kafka_t* client,
                                                            const std::vector<std::string>& names,
                                                            Which which) {
  const auto until = steady_clock::now() + kAdminMax;
  for (;;) {
    auto settings = AskSettingsOnce(client, names, which);
    if (!absl::IsNotFound(settings.status()) || steady_clock::now() >= until) return settings;
    std::this_thread::sleep_until(steady_clock::now() + kStep);
  }
}

std::string ValueOf(const Settings& settings, std::string_view name) {
  const auto it = settings.find(name);
  return it == settings.end() ? "" : it->second;
}

int64_t NumberOf(const Settings& settings, std::string_view name) {
  const std::string text = ValueOf(settings, name);
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The first record of each partition that has one. Nullopt in it: it begins with something else.
using Firsts = std::map<Place, std::optional<log::v1::Install>>;

absl::StatusOr<Firsts> ReadFirsts(const KafkaSettings& settings,
                                  const std::vector<TopicFound>& topics) {
  auto conf = kafka::ReaderSettings();
  // One record of each partition is wanted: the broker gives at least the first batch.
  conf.emplace_back("fetch.message.max.bytes", "1024");
  conf.emplace_back("queued.min.messages", "1");
  SIMPUL_ASSIGN_OR_RETURN(const Owned<rd_kafka_t> client,
                          kafka::MakeClient(RD_KAFKA_CONSUMER, settings, conf));
  rd_kafka_poll_set_consumer(client.get());
  const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(64));
  std::map<std::string, Topic> names;
  std::vector<Place> places;
  std::vector<kafka::Partition> partitions;
  for (const TopicFound& topic : topics) {
    names[topic.name] = topic.topic;
    for (uint32_t partition = 0; partition < topic.partitions; ++partition) {
      places.push_back({topic.topic, partition});
      partitions.push_back({topic.name, partition});
    }
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> begins,
                          kafka::Ask(client.get(), kafka::Edge::kFirst, partitions, kAdminMax));
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends,
                          kafka::Ask(client.get(), kafka::Edge::kEnd, partitions, kAdminMax));
  Firsts firsts;
  size_t wanted = 0;
  for (size_t n = 0; n < places.size(); ++n) {
    if (ends[n] == 0) continue;
    if (begins[n] > 0) {
      firsts[places[n]] = std::nullopt;
      continue;
    }
    rd_kafka_topic_partition_list_add(list.get(), partitions[n].topic.c_str(),
                                      static_cast<int32_t>(partitions[n].number))
        ->offset = 0;
    ++wanted;
  }
  if (wanted == 0) return firsts;
  rd_kafka_assign(client.get(), list.get());
  const auto until = steady_clock::now() + kAdminMax;
  size_t read = 0;
  while (read < wanted) {
    if (steady_clock::now() > until) {
      return absl::UnavailableError("Kafka did not give the install records within 30 s");
    }
    const Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(client.get(), Ms(kStep)));
    if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const Place place{names.at(rd_kafka_topic_name(message->rkt)),
                      static_cast<uint32_t>(message->partition)};
    if (firsts.contains(place)) continue;
    ++read;
    log::v1::LogRecord record;
    const bool is_install =
        message->offset == 0 &&
        record.ParseFromArray(message->payload, static_cast<int>(message->len)) &&
        record.has_install();
    firsts[place] = is_install ? std::optional(record.install()) : std::nullopt;
    const Owned<rd_kafka_topic_partition_list_t> enough(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(enough.get(), rd_kafka_topic_name(message->rkt),
                                      message->partition);
    rd_kafka_pause_partitions(client.get(), enough.get());
  }
  rd_kafka_consumer_close(client.get());
  return firsts;
}

bool SameInstall(const log::v1::Install& a, const log::v1::Install& b) {
  return a.install_id() == b.install_id() && a.partitions() == b.partitions() &&
         a.format() == b.format() && a.secret_fingerprint() == b.secret_fingerprint() &&
         a.installed_at_us() == b.installed_at_us();
}

// Compares one topic's settings with what Simpul needs.
void CompareSettings(const TopicFound& topic, const Settings& settings,
                     std::vector<TopicDifference>& out) {
  const auto differs = [&](std::string what, bool breaks) {
    out.push_back({topic.name, std::move(what), breaks});
  };
  if (topic.cleanup != "delete") {
    differs(fmt::format("cleanup.policy is {}: records would be deleted; set it to delete",
                        topic.cleanup),
            true);
  }
  for (const char* name : {"retention.ms", "retention.bytes"}) {
    if (NumberOf(settings, name) == -1) continue;
    differs(fmt::format("{} is {}: records would be deleted; set it to -1", name,
                        ValueOf(settings, name)),
            true);
  }
  if (const int64_t bytes = NumberOf(settings, "max.message.bytes");
      bytes < static_cast<int64_t>(kTopicMessageBytesMin)) {
    differs(fmt::format("max.message.bytes is {}: large records would be refused; set it to {}",
                        bytes, kTopicMessageBytesMin),
            true);
  }
  if (ValueOf(settings, "unclean.leader.election.enable") == "true") {
    differs(
        "unclean.leader.election.enable is true: acknowledged records could be lost; set it to "
        "false",
        true);
  }
  if (ValueOf(settings, kTimestampType) != kTheirTime) {
    differs(
        "message.timestamp.type is not LogAppendTime: lag in seconds is as the sender's clock "
        "has it; set it to LogAppendTime",
        false);
  }
  if (topic.min_insync > topic.replicas) {
    differs(fmt::format("min.insync.replicas is {} of {}: nothing could be written; have more "
                        "replicas or lower it",
                        topic.min_insync, topic.replicas),
            true);
  }
}

}  // namespace

absl::StatusOr<TopicsFound> LookAtTopics(const KafkaSettings& settings, milliseconds within) {
  SIMPUL_ASSIGN_OR_RETURN(const Owned<rd_kafka_t> client,
                          kafka::MakeClient(RD_KAFKA_CONSUMER, settings, kafka::ReaderSettings()));
  SIMPUL_ASSIGN_OR_RETURN(const auto metadata, AskMetadata(client.get(), settings, within));
  TopicsFound found;
  found.brokers = static_cast<uint32_t>(metadata->broker_cnt);
  std::vector<std::string> names;
  for (const Topic topic : kTopics) {
    TopicFound& one = found.topics.emplace_back();
    one.topic = topic;
    one.name = settings.TopicName(topic);
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      const rd_kafka_metadata_topic_t& there = metadata->topics[i];
      if (CopyNotFinished(settings) == there.topic) found.copy_not_finished = true;
      if (one.name != there.topic || there.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      one.exists = true;
      one.partitions = static_cast<uint32_t>(there.partition_cnt);
      for (int p = 0; p < there.partition_cnt; ++p) {
        const auto replicas = static_cast<uint32_t>(there.partitions[p].replica_cnt);
        one.replicas = p == 0 ? replicas : std::min(one.replicas, replicas);
      }
    }
    if (one.exists) names.push_back(one.name);
  }
  if (!names.empty()) {
    SIMPUL_ASSIGN_OR_RETURN(const auto settings_of, AskSettings(client.get(), names, Which::kAll));
    for (TopicFound& topic : found.topics) {
      const auto it = settings_of.find(topic.name);
      if (it == settings_of.end()) continue;
      const Settings& its = it->second;
      topic.min_insync = static_cast<uint32_t>(NumberOf(its, "min.insync.replicas"));
      topic.cleanup = ValueOf(its, "cleanup.policy");
      topic.retention =
          NumberOf(its, "retention.ms") == -1 && NumberOf(its, "retention.bytes") == -1
              ? "for good"
              : fmt::format("{} ms, {} bytes", ValueOf(its, "retention.ms"),
                            ValueOf(its, "retention.bytes"));
      CompareSettings(topic, its, found.differences);
      found.single_copy = found.single_copy || topic.replicas < 2 || topic.min_insync < 2;
    }
  }
  SIMPUL_ASSIGN_OR_RETURN(const Firsts firsts, ReadFirsts(settings, found.topics));
  for (TopicFound& topic : found.topics) {
    for (const auto& [place, install] : firsts) {
      if (place.topic != topic.topic) continue;
      if (!install.has_value()) {
        found.differences.push_back(
            {topic.name,
             fmt::format("partition {} does not begin with an install record: it is not Simpul's, "
                         "or its beginning was deleted; give other topics (--kafka-prefix)",
                         place.partition),
             true});
        continue;
      }
      if (!found.install.has_value()) found.install = *install;
      if (!SameInstall(*install, *found.install) || install->partition() != place.partition ||
          install->topic() != TopicName(place.topic)) {
        return absl::FailedPreconditionError(fmt::format(
            "{} partition {} is of install {}, {} partition {}, and others here are of install {}: "
            "two installs are mixed. Restore the topics of one",
            topic.name, place.partition, install->install_id(), install->topic(),
            install->partition(), found.install->install_id()));
      }
      ++topic.installed;
    }
  }
  if (found.copy_not_finished) {
    found.differences.push_back(
        {CopyNotFinished(settings),
         "as long as this topic is there a copy into the others is not finished and they are not "
         "whole; finish it: simpul topics copy",
         true, true});
  }
  for (const TopicFound& topic : found.topics) {
    const auto differs = [&](std::string what, bool is_incomplete) {
      found.differences.push_back({topic.name, std::move(what), true, is_incomplete});
    };
    if (!topic.exists) {
      if (!found.copy_not_finished) {
        differs("there is no such topic; make it: simpul topics --create", true);
      }
      continue;
    }
    if (found.install.has_value() && topic.partitions != found.install->partitions()) {
      differs(fmt::format("has {} partitions, and the install has {}: records would be sought in "
                          "the wrong place; restore the topic",
                          topic.partitions, found.install->partitions()),
              false);
    }
    if (topic.installed < topic.partitions && !found.copy_not_finished) {
      differs(
          fmt::format("{} of {} partitions have no install record; complete the install: simpul "
                      "topics --create",
                      topic.partitions - topic.installed, topic.partitions),
          true);
    }
  }
  return found;
}

absl::Status CheckTopics(const TopicsFound& found, std::string_view secret_fingerprint,
                         bool accept_single_copy) {
  std::string why;
  const auto add = [&why](std::string_view words) {
    why += why.empty() ? "" : "\n  ";
    why += words;
  };
  for (const TopicDifference& difference : found.differences) {
    if (difference.breaks_a_promise) add(fmt::format("{}: {}", difference.topic, difference.what));
  }
  if (found.install.has_value()) {
    if (found.install->format() != kFormat) {
      add(fmt::format("the topics have format {}, and this Simpul reads format {}: upgrade it",
                      found.install->format(), kFormat));
    } else if (found.install->secret_fingerprint() != secret_fingerprint) {
      add(fmt::format(
          "the topics of install {} were made with another secret: give the secret that "
          "they were made with; another one would give every patient another key",
          found.install->install_id()));
    }
  }
  if (found.single_copy && !accept_single_copy) {
    add("what is acknowledged may be in one broker's memory alone (replication or "
        "min.insync.replicas below 2): have three brokers, replication 3 and min.insync.replicas "
        "2, "
        "or accept it with --accept-single-copy");
  }
  if (why.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(why);
}

namespace {

struct NewTopics {
  std::vector<std::string> names;
  uint32_t partitions = 0;
  uint32_t replicas = 0;
  const char* timestamps = kTheirTime;
};

absl::Status MakeTopics(rd_kafka_t* client, const NewTopics& wanted) {
  std::array<char, 512> words{};
  std::vector<Owned<rd_kafka_NewTopic_t>> topics;
  std::vector<rd_kafka_NewTopic_t*> asked;
  const uint32_t min_insync = wanted.replicas > 2 ? 2 : 1;
  for (const std::string& name : wanted.names) {
    topics.emplace_back(rd_kafka_NewTopic_new(name.c_str(), static_cast<int>(wanted.partitions),
                                              static_cast<int>(wanted.replicas), words.data(),
                                              words.size()));
    if (topics.back() == nullptr) return absl::InvalidArgumentError(words.data());
    for (const auto& [setting, value] : std::initializer_list<kafka::Setting>{
             {"cleanup.policy", "delete"},
             {"retention.ms", "-1"},
             {"retention.bytes", "-1"},
             {"max.message.bytes", fmt::format("{}", kTopicMessageBytesMin)},
             {"min.insync.replicas", fmt::format("{}", min_insync)},
             {"unclean.leader.election.enable", "false"},
             {kTimestampType, wanted.timestamps}}) {
      rd_kafka_NewTopic_set_config(topics.back().get(), setting, value.c_str());
    }
    asked.push_back(topics.back().get());
  }
  SIMPUL_ASSIGN_OR_RETURN(const auto event,
                          AskAdmin(client, RD_KAFKA_ADMIN_OP_CREATETOPICS,
                                   [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                     rd_kafka_CreateTopics(client, asked.data(), asked.size(),
                                                           options, queue);
                                   }));
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t failed = rd_kafka_topic_result_error(results[i]);
    // Somebody else was faster.
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR || failed == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
      continue;
    }
    if (failed == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR) {
      return absl::FailedPreconditionError(
          fmt::format("Kafka cannot keep {} replicas of {}: it has fewer brokers. Have as many, or "
                      "ask for fewer with --replicas (1 to try it on one broker)",
                      wanted.replicas, rd_kafka_topic_result_name(results[i])));
    }
    const char* why = rd_kafka_topic_result_error_string(results[i]);
    return absl::FailedPreconditionError(
        fmt::format("Kafka does not make the topic {}: {}", rd_kafka_topic_result_name(results[i]),
                    why == nullptr ? rd_kafka_err2str(failed) : why));
  }
  return absl::OkStatus();
}

// Writes install records where a partition is empty; each must come to stand at position 0.
absl::Status WriteInstalls(const KafkaSettings& settings, const TopicsFound& found,
                           const Firsts& firsts, const log::v1::Install& install) {
  SIMPUL_ASSIGN_OR_RETURN(
      const Owned<rd_kafka_t> client,
      kafka::MakeClient(
          RD_KAFKA_PRODUCER, settings,
          {{"enable.idempotence", "true"}, {"acks", "all"}, {"message.timeout.ms", "25000"}},
          RD_KAFKA_EVENT_DR));
  const Owned<rd_kafka_queue_t> reports(rd_kafka_queue_get_main(client.get()));
  size_t left = 0;
  for (const TopicFound& topic : found.topics) {
    for (uint32_t partition = 0; partition < topic.partitions; ++partition) {
      if (firsts.contains({topic.topic, partition})) continue;
      log::v1::LogRecord record;
      *record.mutable_install() = install;
      record.mutable_install()->set_topic(std::string(TopicName(topic.topic)));
      record.mutable_install()->set_partition(partition);
      const std::string value = record.SerializeAsString();
      const rd_kafka_resp_err_t failed =
          rd_kafka_producev(client.get(), RD_KAFKA_V_TOPIC(topic.name.c_str()),
                            RD_KAFKA_V_PARTITION(static_cast<int32_t>(partition)),
                            RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                            RD_KAFKA_V_HEADER("ce_type", "simpul.install", 14),
                            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
      if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return absl::UnavailableError(
            fmt::format("Kafka does not take the install record: {}", rd_kafka_err2str(failed)));
      }
      ++left;
    }
  }
  while (left > 0) {
    const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(reports.get(), Ms(kAdminMax)));
    if (event == nullptr) return absl::UnavailableError("Kafka did not answer within 30 s");
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
      --left;
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return absl::UnavailableError(fmt::format(
            "{} partition {} did not take its install record: {}. Run this again",
            rd_kafka_topic_name(message->rkt), message->partition, rd_kafka_err2str(message->err)));
      }
      if (message->offset != 0) {
        return absl::FailedPreconditionError(fmt::format(
            "{} partition {} was written to by somebody else meanwhile: delete these topics, and "
            "make them again when nobody else does",
            rd_kafka_topic_name(message->rkt), message->partition));
      }
    }
  }
  return absl::OkStatus();
}

// Names of the topics that are missing. FailedPrecondition: one is there with another number of
// partitions.
absl::StatusOr<std::vector<std::string>> MissingOf(const TopicsFound& found, uint32_t partitions) {
  std::vector<std::string> missing;
  for (const TopicFound& topic : found.topics) {
    if (!topic.exists) {
      missing.push_back(topic.name);
    } else if (topic.partitions != partitions) {
      return absl::FailedPreconditionError(fmt::format(
          "{} is there with {} partitions, and {} are wanted: delete it if it is empty, "
          "or give other topics (--kafka-prefix)",
          topic.name, topic.partitions, partitions));
    }
  }
  return missing;
}

// Looks until what was made or deleted shows.
absl::StatusOr<TopicsFound> LookUntil(const KafkaSettings& settings,
                                      const std::function<bool(const TopicsFound&)>& shows) {
  const auto until = steady_clock::now() + kAdminMax;
  for (;;) {
    SIMPUL_ASSIGN_OR_RETURN(TopicsFound found, LookAtTopics(settings, kAdminMax));
    if (shows(found)) return found;
    if (steady_clock::now() > until) {
      return absl::UnavailableError(
          "Kafka did not show within 30 s what was made or deleted. Run this again");
    }
  }
}

bool HasAll(const TopicsFound& found, uint32_t partitions) {
  return std::ranges::all_of(found.topics, [&](const TopicFound& topic) {
    return topic.exists && topic.partitions == partitions;
  });
}

// Has Kafka stamp what comes from now on; every other setting stays.
absl::Status StampByKafka(rd_kafka_t* client, const std::vector<std::string>& names) {
  SIMPUL_ASSIGN_OR_RETURN(const auto settings_of, AskSettings(client, names, Which::kTopicsOwn));
  std::vector<Owned<rd_kafka_ConfigResource_t>> resources;
  std::vector<rd_kafka_ConfigResource_t*> asked;
  for (const auto& [name, settings] : settings_of) {
    if (ValueOf(settings, kTimestampType) != kSendersTime) continue;
    resources.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
    asked.push_back(resources.back().get());
    for (const auto& [setting, value] : settings) {
      rd_kafka_ConfigResource_set_config(asked.back(), setting.c_str(),
                                         setting == kTimestampType ? kTheirTime : value.c_str());
    }
  }
  if (asked.empty()) return absl::OkStatus();
  SIMPUL_ASSIGN_OR_RETURN(const auto event,
                          AskAdmin(client, RD_KAFKA_ADMIN_OP_ALTERCONFIGS,
                                   [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                     rd_kafka_AlterConfigs(client, asked.data(), asked.size(),
                                                           options, queue);
                                   }));
  size_t count = 0;
  const rd_kafka_ConfigResource_t** results = rd_kafka_AlterConfigs_result_resources(
      rd_kafka_event_AlterConfigs_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    if (rd_kafka_ConfigResource_error(results[i]) == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* why = rd_kafka_ConfigResource_error_string(results[i]);
    return absl::FailedPreconditionError(
        fmt::format("Kafka does not set {} of {} to {}: {}. Set it with an administrator's rights, "
                    "then run this again",
                    kTimestampType, rd_kafka_ConfigResource_name(results[i]), kTheirTime,
                    why == nullptr ? "no reason given" : why));
  }
  return absl::OkStatus();
}

absl::Status DeleteTopic(rd_kafka_t* client, const std::string& name) {
  const Owned<rd_kafka_DeleteTopic_t> topic(rd_kafka_DeleteTopic_new(name.c_str()));
  rd_kafka_DeleteTopic_t* asked = topic.get();
  SIMPUL_ASSIGN_OR_RETURN(const auto event,
                          AskAdmin(client, RD_KAFKA_ADMIN_OP_DELETETOPICS,
                                   [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                     rd_kafka_DeleteTopics(client, &asked, 1, options, queue);
                                   }));
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t failed = rd_kafka_topic_result_error(results[i]);
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR || failed == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      continue;
    }
    return absl::FailedPreconditionError(
        fmt::format("everything is copied and compared, but Kafka does not delete the topic {}: "
                    "{}. Delete it with an administrator's rights: serve can start then",
                    name, rd_kafka_err2str(failed)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CreateTopics(const KafkaSettings& settings, const TopicsWanted& wanted,
                          const base::Clock& clock) {
  SIMPUL_ASSIGN_OR_RETURN(TopicsFound found, LookAtTopics(settings, kAdminMax));
  if (found.copy_not_finished) {
    return absl::FailedPreconditionError(
        fmt::format("a copy into these topics is not finished ({} is there): finish it with simpul "
                    "topics copy, or delete them all and begin anew",
                    CopyNotFinished(settings)));
  }
  const uint32_t partitions =
      found.install.has_value() ? found.install->partitions() : wanted.partitions;
  if (found.install.has_value() &&
      found.install->secret_fingerprint() != wanted.secret_fingerprint) {
    return absl::FailedPreconditionError(
        fmt::format("the topics are install {}'s, made with another secret: give that secret, or "
                    "other topics (--kafka-prefix)",
                    found.install->install_id()));
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<std::string> missing, MissingOf(found, partitions));
  if (!missing.empty()) {
    SIMPUL_ASSIGN_OR_RETURN(
        const Owned<rd_kafka_t> client,
        kafka::MakeClient(RD_KAFKA_CONSUMER, settings, kafka::ReaderSettings()));
    SIMPUL_RETURN_IF_ERROR(MakeTopics(
        client.get(), {.names = missing, .partitions = partitions, .replicas = wanted.replicas}));
    SIMPUL_ASSIGN_OR_RETURN(found, LookUntil(settings, [&](const TopicsFound& shown) {
                              return HasAll(shown, partitions);
                            }));
  }
  SIMPUL_ASSIGN_OR_RETURN(const Firsts firsts, ReadFirsts(settings, found.topics));
  for (const auto& [place, first] : firsts) {
    if (first.has_value()) continue;
    return absl::FailedPreconditionError(
        fmt::format("{} partition {} holds what is not Simpul's: give other topics "
                    "(--kafka-prefix)",
                    settings.TopicName(place.topic), place.partition));
  }
  log::v1::Install install;
  if (found.install.has_value()) {
    install = *found.install;
  } else {
    install.set_install_id(base::RandomUuid());
    install.set_partitions(partitions);
    install.set_format(kFormat);
    install.set_secret_fingerprint(wanted.secret_fingerprint);
    install.set_installed_at_us(base::ToMicros(clock.Now()));
  }
  return WriteInstalls(settings, found, firsts, install);
}

absl::StatusOr<bool> BeginCopy(const KafkaSettings& settings, const log::v1::Install& install,
                               uint32_t replicas) {
  SIMPUL_ASSIGN_OR_RETURN(TopicsFound found, LookAtTopics(settings, kAdminMax));
  if (found.install.has_value() && !SameInstall(*found.install, install)) {
    return absl::FailedPreconditionError(
        fmt::format("the topics are install {}'s, and the log to be copied is install {}'s: give "
                    "other topics (--kafka-prefix)",
                    found.install->install_id(), install.install_id()));
  }
  SIMPUL_ASSIGN_OR_RETURN(std::vector<std::string> missing, MissingOf(found, install.partitions()));
  std::string wrong;
  for (const TopicDifference& difference : found.differences) {
    if (!difference.breaks_a_promise || difference.is_incomplete) continue;
    wrong +=
        fmt::format("{}{}: {}", wrong.empty() ? "" : "\n  ", difference.topic, difference.what);
  }
  if (!wrong.empty()) return absl::FailedPreconditionError(wrong);
  if (!found.copy_not_finished && found.install.has_value()) {
    const bool is_whole = std::ranges::all_of(found.topics, [&](const TopicFound& topic) {
      return topic.installed == install.partitions();
    });
    if (is_whole) return false;
    return absl::FailedPreconditionError(
        "the topics hold a part of this install, and no copy into them is under way: some of them "
        "were lost. Restore them, or delete them all and copy again");
  }
  SIMPUL_ASSIGN_OR_RETURN(const Owned<rd_kafka_t> client,
                          kafka::MakeClient(RD_KAFKA_CONSUMER, settings, kafka::ReaderSettings()));
  if (!found.copy_not_finished) {
    SIMPUL_RETURN_IF_ERROR(
        MakeTopics(client.get(),
                   {.names = {CopyNotFinished(settings)}, .partitions = 1, .replicas = replicas}));
    // Brokers learn of topics in the order of their making: whoever sees one of the others sees
    // this one.
    SIMPUL_ASSIGN_OR_RETURN(found, LookUntil(settings, [](const TopicsFound& shown) {
                              return shown.copy_not_finished;
                            }));
    SIMPUL_ASSIGN_OR_RETURN(missing, MissingOf(found, install.partitions()));
  }
  if (!missing.empty()) {
    SIMPUL_RETURN_IF_ERROR(MakeTopics(client.get(), {.names = missing,
                                                     .partitions = install.partitions(),
                                                     .replicas = replicas,
                                                     .timestamps = kSendersTime}));
    SIMPUL_RETURN_IF_ERROR(LookUntil(settings, [&](const TopicsFound& shown) {
                             return HasAll(shown, install.partitions());
                           }).status());
  }
  return true;
}

absl::Status EndCopy(const KafkaSettings& settings) {
  SIMPUL_ASSIGN_OR_RETURN(const Owned<rd_kafka_t> client,
                          kafka::MakeClient(RD_KAFKA_CONSUMER, settings, kafka::ReaderSettings()));
  std::vector<std::string> names;
  for (const Topic topic : kTopics) names.push_back(settings.TopicName(topic));
  SIMPUL_RETURN_IF_ERROR(StampByKafka(client.get(), names));
  SIMPUL_RETURN_IF_ERROR(DeleteTopic(client.get(), CopyNotFinished(settings)));
  return LookUntil(settings, [](const TopicsFound& shown) { return !shown.copy_not_finished; })
      .status();
}

}  // namespace simpul::eventlog
