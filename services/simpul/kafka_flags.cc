#include "simpul/kafka_flags.h"

namespace simpul::cli {

void AddKafkaFlags(CLI::App& command, KafkaFlags& flags) {
  command.add_option("--kafka", flags.bootstrap, "Kafka brokers, HOST:PORT,HOST:PORT");
  command.add_option("--kafka-prefix", flags.prefix,
                     "Before the topics' names, on a cluster that others share");
  command.add_option("--kafka-ca", flags.ca,
                     "Certificates that the brokers' are checked against (PEM): turns TLS on");
  command.add_option("--kafka-certificate", flags.certificate,
                     "This program's certificate for the brokers, with its chain (PEM)");
  command.add_option("--kafka-key", flags.key, "The certificate's key (PEM)");
  command.add_option("--secret", flags.secret,
                     "File of the install's secret, the same for every process of the install");
}

absl::Status CheckKafkaFlags(const KafkaFlags& flags) {
  if (flags.bootstrap.empty()) {
    return absl::InvalidArgumentError("--kafka: give the brokers, HOST:PORT,HOST:PORT");
  }
  if (flags.secret.empty()) {
    return absl::InvalidArgumentError("--secret: give the file of the install's secret");
  }
  if (flags.ca.empty() != flags.certificate.empty() || flags.ca.empty() != flags.key.empty()) {
    return absl::InvalidArgumentError(
        "--kafka-ca, --kafka-certificate and --kafka-key: give all three, or none for plain text");
  }
  return absl::OkStatus();
}

eventlog::KafkaSettings SettingsOf(const KafkaFlags& flags, const std::string& client) {
  return {.bootstrap = flags.bootstrap,
          .topic_prefix = flags.prefix,
          .ca = flags.ca,
          .certificate = flags.certificate,
          .key = flags.key,
          .client_id = client};
}

}  // namespace simpul::cli
