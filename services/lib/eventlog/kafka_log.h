// The log on a Kafka cluster. librdkafka shows in kafka_*.cc alone.
//
// A record is one Kafka message: key and value as they are, in the partition that Kafka's own
// partitioner would choose, its CloudEvents attributes as headers. A position is an offset.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/base/metrics.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/kafka_settings.h"

namespace simpul::eventlog {

// Owns one producer, one reader for what is asked in between, and the thread that hears what became
// of appends. Acknowledged means: in the memory of every broker that is in sync, of which there are
// at least as many as the topics' min.insync.replicas.
//
// A producer that dies of a fatal error is replaced within a second; what it had not answered is
// Unavailable, for it may have been written.
class KafkaLog final : public EventLog {
 public:
  struct Options {
    // event::Secret::Fingerprint(); the install's must be the same.
    std::string secret_fingerprint;
    // Most bytes admitted and not yet settled.
    size_t in_flight_bytes_max = 64 << 20;
    // Starts on topics of which one broker's memory may hold the only copy.
    bool accept_single_copy = false;
    // How long a start looks for the brokers.
    std::chrono::milliseconds connect_within{10'000};
  };

  // Connects and reads the install records. `metrics` must outlive it. Unavailable: no
  // broker answers. FailedPrecondition: topics that are missing, or would break a promise, or whose
  // install is none, another or another secret's. InvalidArgument: settings that cannot be used.
  // Messages name the brokers or the topic, and the next step.
  static absl::StatusOr<std::unique_ptr<KafkaLog>> Open(const KafkaSettings& settings,
                                                        const Options& options,
                                                        base::Metrics& metrics);
  // Answers what was handed over, within the time that Kafka has for it.
  ~KafkaLog() override;

  const log::v1::Install& install() const override;
  absl::StatusOr<std::unique_ptr<Admission>> Admit(size_t bytes) override;
  void Append(std::vector<Draft> drafts, std::unique_ptr<Admission> admission,
              absl::AnyInvocable<void(std::vector<Appended>)> done) override;
  absl::StatusOr<std::vector<int64_t>> Ends(std::span<const Place> places) override;
  using EventLog::Subscribe;
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(
      std::vector<Start> starts, std::chrono::milliseconds gather) override;
  absl::Status Health() const override;

 private:
  struct State;
  explicit KafkaLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace simpul::eventlog
