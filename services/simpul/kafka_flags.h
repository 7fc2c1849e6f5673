// The flags that say where a Kafka log is, for every command that reads or makes one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "absl/status/status.h"
#include "lib/eventlog/kafka_settings.h"

namespace simpul::cli {

struct KafkaFlags {
  std::string bootstrap;
  std::string prefix;
  std::string ca;
  std::string certificate;
  std::string key;
  std::string secret;  // file of the install's secret
};

void AddKafkaFlags(CLI::App& command, KafkaFlags& flags);

// InvalidArgument names the flag that is missing.
absl::Status CheckKafkaFlags(const KafkaFlags& flags);

// `client`: what the brokers' logs call this process.
eventlog::KafkaSettings SettingsOf(const KafkaFlags& flags, const std::string& client);

}  // namespace simpul::cli
