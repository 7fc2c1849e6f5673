// Where the brokers are, and how they are spoken to.
#pragma once

#include <filesystem>
#include <string>

#include "lib/eventlog/event_log.h"

namespace simpul::eventlog {

struct KafkaSettings {
  std::string bootstrap;     // HOST:PORT,HOST:PORT
  std::string topic_prefix;  // before every topic's name, for a cluster that others share
  // Mutual TLS, PEM. `ca` empty: plain text; else the other two are this client's own.
  std::filesystem::path ca;
  std::filesystem::path certificate;  // with its chain
  std::filesystem::path key;
  std::string client_id = "simpul";  // what the brokers' logs call it; below 40 bytes

  std::string TopicName(Topic topic) const {
    return topic_prefix + std::string(eventlog::TopicName(topic));
  }
};

}  // namespace simpul::eventlog
