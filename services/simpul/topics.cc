// simpul topics: shows, checks and makes the topics on a Kafka cluster, and fills them from a log
// on one machine.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/metrics.h"
#include "lib/base/status_macros.h"
#include "lib/eventlog/data_folder.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/eventlog/kafka_copy.h"
#include "lib/eventlog/kafka_topics.h"
#include "simpul/command.h"
#include "simpul/kafka_flags.h"

namespace simpul::cli {
namespace {

using eventlog::TopicFound;
using eventlog::TopicsFound;

struct Options {
  KafkaFlags kafka;
  std::string action;  // nothing, or kCopy
  std::string from;
  bool create = false;
  uint32_t partitions = 24;
  uint32_t replicas = 3;
  bool json = false;
};

constexpr std::chrono::seconds kConnectWithin{10};
constexpr std::string_view kCopy = "copy";

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

void PrintPlace(const eventlog::PlaceCopied& whole, bool json) {
  if (json) {
    Print(JsonLine()
              .Text("topic", eventlog::TopicName(whole.place.topic))
              .Count("partition", whole.place.partition)
              .Number("records", whole.records)
              .Number("were_there", whole.were_there)
              .Text("digest", whole.digest)
              .Take());
  } else {
    Print(fmt::format("{}: {} records, {} of them were there, digest {}",
                      eventlog::PlaceText(whole.place),
                      Grouped(static_cast<uint64_t>(whole.records)),
                      Grouped(static_cast<uint64_t>(whole.were_there)), whole.digest));
  }
  // Whoever watches sees how far it is.
  std::fflush(stdout);
}

absl::Status Copy(const Options& options) {
  SIMPUL_ASSIGN_OR_RETURN(const eventlog::DataFolder folder,
                          eventlog::DataFolder::OpenToCopy(options.from));
  base::Metrics metrics;
  eventlog::EmbeddedLog::Options embedded;
  embedded.must_exist = true;
  embedded.secret_fingerprint = folder.secret().Fingerprint();
  SIMPUL_ASSIGN_OR_RETURN(
      const auto log,
      eventlog::EmbeddedLog::Open(folder.log(), embedded, base::SystemClock(), metrics));
  const eventlog::KafkaSettings settings = SettingsOf(options.kafka, "simpul-copy");
  eventlog::CopyOptions copy;
  copy.replicas = options.replicas;
  copy.on_whole = [&](const eventlog::PlaceCopied& whole) { PrintPlace(whole, options.json); };
  // Before the topics are open: never may both be served from.
  copy.before_opening = [&] {
    return folder.MarkCopied(fmt::format("Kafka at {}, topics {}", settings.bootstrap,
                                         settings.TopicName(eventlog::Topic::kEvents)));
  };
  SIMPUL_ASSIGN_OR_RETURN(const eventlog::Copied copied,
                          eventlog::CopyToKafka(*log, settings, copy));
  if (options.json) {
    Print(JsonLine()
              .Text("install", log->install().install_id())
              .Count("partitions", log->partitions())
              .Number("records", copied.records)
              .Number("were_there", copied.were_there)
              .Flag("was_open", copied.was_open)
              .Take());
    return absl::OkStatus();
  }
  Print(fmt::format(
      "{} records in 5 topics of {} partitions are the same there, {} of them since "
      "before. The topics {} open.",
      Grouped(static_cast<uint64_t>(copied.records)), log->partitions(),
      Grouped(static_cast<uint64_t>(copied.were_there)), copied.was_open ? "were" : "are"));
  Print(
      fmt::format("Nothing is served from {} any more. Next: simpul serve ROLE --log kafka "
                  "--kafka {} --secret {} --data FOLDER",
                  options.from, settings.bootstrap, (folder.path() / "secret").string()));
  return absl::OkStatus();
}

// OK, or why the flags do not go together.
absl::Status CheckFlags(const Options& options) {
  if (options.action == kCopy) {
    if (options.from.empty()) {
      return absl::InvalidArgumentError("copy: give the folder that is to be copied, --from DIR");
    }
    if (options.create) {
      return absl::InvalidArgumentError("copy makes the topics itself: leave --create out");
    }
  } else if (!options.from.empty()) {
    return absl::InvalidArgumentError("--from is for simpul topics copy");
  }
  KafkaFlags flags = options.kafka;
  // To look needs no secret, and a copy has it from the folder.
  if (!options.create && flags.secret.empty()) flags.secret = "-";
  return CheckKafkaFlags(flags);
}

int Topics(const Options& options) {
  if (const absl::Status may = CheckFlags(options); !may.ok()) {
    Complain(fmt::format("topics: {}", base::Message(may)));
    return kWrongUse;
  }
  int exit = kDone;
  if (const absl::Status ran = options.action == kCopy ? Copy(options) : Run(options, exit);
      !ran.ok()) {
    Complain(fmt::format("topics: {}", base::Message(ran)));
    return kFailed;
  }
  return exit;
}

}  // namespace

void AddTopics(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("topics",
                         "Show and check the topics on a Kafka cluster, make them, or copy a log "
                         "on one machine into them");
  command
      ->add_option("ACTION", options->action,
                   "copy: make the topics and bring every record of --from to its position; safe "
                   "to repeat. Nothing: show")
      ->check(CLI::IsMember({std::string(kCopy)}));
  command->add_option("--from", options->from,
                      "To copy: the --data folder of a Simpul that does not run");
  AddKafkaFlags(*command, options->kafka);
  command->add_flag(
      "--create", options->create,
      "Make what is missing, the install's secret too if there is no install; safe to "
      "repeat");
  command
      ->add_option("--partitions", options->partitions,
                   "Of a new install, for good: 24 for a district, 96 for a province; a copy has "
                   "as many as its source")
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
