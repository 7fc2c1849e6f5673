#include "lib/eventlog/kafka_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <thread>

#include "lib/base/log.h"

namespace simpul::eventlog::kafka {
namespace {

constexpr std::string_view kComponent = "kafka";
constexpr std::chrono::milliseconds kAskAgain{50};
// A broker that has died without a word is asked no longer for where a partition ends.
constexpr std::chrono::milliseconds kAskOnce{1000};
constexpr std::chrono::milliseconds kRefreshWithin{1000};
constexpr int kSyslogError = 3;
constexpr int kSyslogWarning = 4;

// On a thread of librdkafka.
void WriteLog(const rd_kafka_t*, int level, const char* facility, const char* words) {
  // Settings are ours and tried: a warning about one tells a person nothing.
  const bool is_about_settings = std::string_view(facility) == "CONFWARN";
  const base::Severity severity = is_about_settings         ? base::Severity::kDebug
                                  : level <= kSyslogError   ? base::Severity::kWarning
                                  : level <= kSyslogWarning ? base::Severity::kInfo
                                                            : base::Severity::kDebug;
  base::Log(severity, kComponent, words, {{"facility", facility}});
}

// Learns anew who leads a topic's partitions. librdkafka 2.0.2 asks whom it believes to lead, and
// when told otherwise looks again only for topics it reads itself.
void RefreshLeaders(rd_kafka_t* client, const std::string& topic) {
  const Owned<rd_kafka_topic_t> handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  if (handle == nullptr) return;
  const rd_kafka_metadata_t* found = nullptr;
  if (rd_kafka_metadata(client, 0, handle.get(), &found, Ms(kRefreshWithin)) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_metadata_destroy(found);
  }
}

}  // namespace

std::vector<Setting> ReaderSettings() {
  return {
      // Assigned by hand; the group names nobody, for a consumer must have one.
      {"group.id", "simpul"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      // A position that does not exist is an incident, never a jump.
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "false"},
      {"check.crcs", "true"},
      {"isolation.level", "read_committed"},
      {"allow.auto.create.topics", "false"},
      {"fetch.wait.max.ms", "100"},
      {"fetch.error.backoff.ms", "100"},
  };
}

absl::StatusOr<Owned<rd_kafka_t>> MakeClient(rd_kafka_type_t type, const KafkaSettings& settings,
                                             const std::vector<Setting>& more, int events) {
  Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  std::array<char, 512> words{};
  const auto set = [&](const char* name, const std::string& value) -> absl::Status {
    if (rd_kafka_conf_set(conf.get(), name, value.c_str(), words.data(), words.size()) ==
        RD_KAFKA_CONF_OK) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(fmt::format("Kafka: {}", words.data()));
  };
  const auto set_all = [&](const std::vector<Setting>& all) {
    for (const auto& [name, value] : all) {
      if (absl::Status status = set(name, value); !status.ok()) return status;
    }
    return absl::OkStatus();
  };
  absl::Status status = set_all({
      {"bootstrap.servers", settings.bootstrap},
      {"client.id", settings.client_id},
      {"log.connection.close", "false"},
      {"socket.keepalive.enable", "true"},
      {"socket.nagle.disable", "true"},
      {"socket.timeout.ms", "10000"},
      {"socket.connection.setup.timeout.ms", "5000"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "1000"},
      {"topic.metadata.refresh.interval.ms", "30000"},
      {"receive.message.max.bytes", "134217728"},
  });
  if (status.ok() && !settings.ca.empty()) {
    status = set_all({
        {"security.protocol", "ssl"},
        {"ssl.ca.location", settings.ca.string()},
        {"ssl.certificate.location", settings.certificate.string()},
        {"ssl.key.location", settings.key.string()},
    });
  }
  if (status.ok()) status = set_all(more);
  if (!status.ok()) return status;
  rd_kafka_conf_set_events(conf.get(), events);
  rd_kafka_conf_set_log_cb(conf.get(), &WriteLog);
  rd_kafka_t* made = rd_kafka_new(type, conf.get(), words.data(), words.size());
  if (made == nullptr) {
    return absl::InvalidArgumentError(fmt::format("Kafka: {}", words.data()));
  }
  static_cast<void>(conf.release());  // the client's now
  return Owned<rd_kafka_t>(made);
}

absl::StatusOr<std::vector<int64_t>> Ask(rd_kafka_t* client, Edge edge,
                                         const std::vector<Partition>& places,
                                         std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  std::vector<int64_t> found(places.size(), -1);
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    const auto left =
        std::clamp(std::chrono::floor<std::chrono::milliseconds>(until - now), kAskAgain, kAskOnce);
    const Owned<rd_kafka_topic_partition_list_t> list(
        rd_kafka_topic_partition_list_new(static_cast<int>(places.size())));
    std::vector<size_t> asked;
    for (size_t n = 0; n < places.size(); ++n) {
      if (found[n] >= 0) continue;
      rd_kafka_topic_partition_list_add(list.get(), places[n].topic.c_str(),
                                        static_cast<int32_t>(places[n].number))
          ->offset = edge == Edge::kFirst ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
      asked.push_back(n);
    }
    if (asked.empty()) return found;
    rd_kafka_resp_err_t failed = rd_kafka_offsets_for_times(client, list.get(), Ms(left));
    std::set<std::string> unknown;
    for (size_t i = 0; i < asked.size(); ++i) {
      const rd_kafka_topic_partition_t& answer = list->elems[i];
      if (failed == RD_KAFKA_RESP_ERR_NO_ERROR && answer.err == RD_KAFKA_RESP_ERR_NO_ERROR &&
          answer.offset >= 0) {
        found[asked[i]] = answer.offset;
        continue;
      }
      unknown.insert(places[asked[i]].topic);
      if (unknown.size() > 1 || now + kAskAgain < until) continue;
      return absl::UnavailableError(fmt::format(
          "Kafka does not say where {} partition {} {}: {}", places[asked[i]].topic,
          places[asked[i]].number, edge == Edge::kFirst ? "begins" : "ends",
          rd_kafka_err2str(failed == RD_KAFKA_RESP_ERR_NO_ERROR ? answer.err : failed)));
    }
    if (unknown.empty()) return found;
    // A topic that was just made has no leader for a moment, and leaders move.
    for (const std::string& topic : unknown) RefreshLeaders(client, topic);
    std::this_thread::sleep_until(std::min(until, now + kAskAgain));
  }
}

}  // namespace simpul::eventlog::kafka
