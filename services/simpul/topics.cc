// simpul topics: shows, checks and makes the topics on a Kafka cluster.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/status_macros.h"
#include "lib/eventlog/data_folder.h"
#include "lib/eventlog/kafka_topics.h"
#include "simpul/command.h"
#include "simpul/kafka_flags.h"

namespace simpul::cli {
namespace {

using eventlog::TopicFound;
using eventlog::TopicsFound;

struct Options {
  KafkaFlags kafka;
  bool create = false;
  uint32_t partitions = 24;
  uint32_t replicas = 3;
  bool json = false;
};

constexpr std::chrono::seconds kConnectWithin{10};

void PrintJson(const TopicsFound& found) {
  for (const TopicFound& topic : found.topics) {
    std::vector<std::string> differences;
    for (const auto& difference : found.differences) {
      if (difference.topic == topic.name) differences.push_back(difference.what);
    }
    Print(JsonLine()
              .Text("topic", topic.name)
              .Flag("exists", topic.exists)
              .Count("partitions", topic.partitions)
              .Count("installed", topic.installed)
              .Count("replicas", topic.replicas)
              .Count("min_insync", topic.min_insync)
              .Text("kept", topic.retention)
              .Texts("differences", differences)
              .Take());
  }
  JsonLine line;
  line.Count("brokers", found.brokers).Flag("single_copy", found.single_copy);
  if (found.install) {
    line.Text("install", found.install->install_id())
        .Count("partitions", found.install->partitions())
        .Text("secret_fingerprint", base::Hex(found.install->secret_fingerprint()));
  }
  Print(line.Take());
}

void PrintText(const TopicsFound& found) {
  Table table({"TOPIC", "PARTITIONS", "INSTALLED", "REPLICAS", "MIN IN SYNC", "KEPT"});
  for (const TopicFound& topic : found.topics) {
    if (!topic.exists) {
      table.Row({topic.name, "-", "-", "-", "-", "is not there"});
      continue;
    }
    table.Row({topic.name, fmt::format("{}", topic.partitions), fmt::format("{}", topic.installed),
               fmt::format("{}", topic.replicas), fmt::format("{}", topic.min_insync),
               topic.retention});
  }
  Print(table.Text());
  Print(fmt::format("{} broker{}; {}", found.brokers, found.brokers == 1 ? "" : "s",
                    found.install
                        ? fmt::format("install {}, secret {}", found.install->install_id(),
                                      base::Hex(found.install->secret_fingerprint()))
                        : "not installed"));
  for (const auto& difference : found.differences) {
    Print(fmt::format("{} {}: {}", difference.breaks_a_promise ? "WRONG" : "differs",
                      difference.topic, difference.what));
  }
  if (found.single_copy) {
    Print(
        "What is acknowledged may be in one broker's memory alone: serve needs "
        "--accept-single-copy.");
  }
}

// The secret of an install that is to be made or completed.
absl::StatusOr<event::Secret> SecretFor(const Options& options, const TopicsFound& found) {
  absl::StatusOr<event::Secret> secret = eventlog::ReadSecret(options.kafka.secret);
  if (!absl::IsNotFound(secret.status())) return secret;
  if (found.install) {
    return absl::FailedPreconditionError(fmt::format(
        "{} is missing, and the topics are install {}'s, made with a secret. Restore it "
        "from your backup",
        options.kafka.secret, found.install->install_id()));
  }
  return eventlog::MakeSecret(options.kafka.secret);
}

absl::Status Run(const Options& options, int& exit) {
  const eventlog::KafkaSettings settings = SettingsOf(options.kafka, "simpul-topics");
  SIMPUL_ASSIGN_OR_RETURN(TopicsFound found, eventlog::LookAtTopics(settings, kConnectWithin));
  if (options.create) {
    SIMPUL_ASSIGN_OR_RETURN(const event::Secret secret, SecretFor(options, found));
    eventlog::TopicsWanted wanted;
    wanted.partitions = options.partitions;
    wanted.replicas = options.replicas;
    wanted.secret_fingerprint = secret.Fingerprint();
    SIMPUL_RETURN_IF_ERROR(eventlog::CreateTopics(settings, wanted, base::SystemClock()));
    SIMPUL_ASSIGN_OR_RETURN(found, eventlog::LookAtTopics(settings, kConnectWithin));
  }
  if (options.json) {
    PrintJson(found);
  } else {
    PrintText(found);
  }
  for (const auto& difference : found.differences) {
    if (difference.breaks_a_promise) exit = kFailed;
  }
  return absl::OkStatus();
}

int Topics(const Options& options) {
  KafkaFlags flags = options.kafka;
  // To look needs no secret.
  if (!options.create && flags.secret.empty()) flags.secret = "-";
  if (const absl::Status may = CheckKafkaFlags(flags); !may.ok()) {
    Complain(fmt::format("topics: {}", base::Message(may)));
    return kWrongUse;
  }
  int exit = kDone;
  if (const absl::Status ran = Run(options, exit); !ran.ok()) {
    Complain(fmt::format("topics: {}", base::Message(ran)));
    return kFailed;
  }
  return exit;
}

}  // namespace

void AddTopics(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("topics", "Show and check the topics on a Kafka cluster, or make them");
  AddKafkaFlags(*command, options->kafka);
  command->add_flag(
      "--create", options->create,
      "Make what is missing, the install's secret too if there is no install; safe to "
      "repeat");
  command
      ->add_option("--partitions", options->partitions,
                   "Of a new install, for good: 24 for a district, 96 for a province")
      ->capture_default_str()
      ->check(CLI::Range(1u, 1024u));
  command
      ->add_option("--replicas", options->replicas,
                   "Of new topics: brokers that keep each record; above 2 two must have it")
      ->capture_default_str()
      ->check(CLI::Range(1u, 16u));
  command->add_flag("--json", options->json, "One JSON object a line");
  command->callback([&chosen, options] { chosen.run = [options] { return Topics(*options); }; });
}

}  // namespace simpul::cli
