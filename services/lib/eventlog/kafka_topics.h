// The topics on a Kafka cluster: what is there, what it should be, and how it is made.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/base/clock.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/kafka_settings.h"

namespace simpul::eventlog {

// As long as this topic is there a copy into the others is not finished, and nothing may start on
// them. It is made before the first of them and deleted when all are whole; nothing is written to
// it. docs/decisions/0008-how-a-half-made-copy-is-known.md
inline constexpr std::string_view kCopyNotFinished = "simpul.copy-not-finished.v1";

// A topic's max.message.bytes must be this at least: a record and what is around it.
inline constexpr size_t kTopicMessageBytesMin = 5 << 20;

struct TopicFound {
  Topic topic = Topic::kEvents;
  std::string name;  // Kafka's
  bool exists = false;
  uint32_t partitions = 0;
  uint32_t replicas = 0;  // the fewest of any partition
  uint32_t min_insync = 0;
  std::string retention;   // "for good", or what Kafka deletes by
  std::string cleanup;     // cleanup.policy
  uint32_t installed = 0;  // partitions that begin with our install record
};

// What is not as it should be.
struct TopicDifference {
  std::string topic;
  std::string what;  // what is there, what should be, and how to mend it
  // True when acknowledged would not mean durable, or something would go or move: nothing starts.
  bool breaks_a_promise = false;
  // True when only something is missing that is still to be made.
  bool is_incomplete = false;
};

struct TopicsFound {
  uint32_t brokers = 0;
  std::vector<TopicFound> topics;
  // As the install records say; topic and partition are of the first found.
  std::optional<log::v1::Install> install;
  std::vector<TopicDifference> differences;
  // Of some partition one broker's memory may hold the only copy of what was acknowledged.
  bool single_copy = false;
  // kCopyNotFinished is there.
  bool copy_not_finished = false;
};

// Looks at what is there. Unavailable: no broker answers within `within`. InvalidArgument: settings
// that cannot be used. FailedPrecondition: install records that contradict each other.
absl::StatusOr<TopicsFound> LookAtTopics(const KafkaSettings& settings,
                                         std::chrono::milliseconds within);

// OK when a program with that secret may start on what was found, else FailedPrecondition with
// every reason.
absl::Status CheckTopics(const TopicsFound& found, std::string_view secret_fingerprint,
                         bool accept_single_copy);

struct TopicsWanted {
  uint32_t partitions = 24;
  uint32_t replicas = 3;
  std::string secret_fingerprint;
};

// Makes the topics that are missing and writes the install records that are missing, so that a
// half-made install is completed; changes nothing that is there. FailedPrecondition: what is there
// is another install's or has other partitions. Others as LookAtTopics.
absl::Status CreateTopics(const KafkaSettings& settings, const TopicsWanted& wanted,
                          const base::Clock& clock);

// Makes the topics ready for the records of `install`, closed: true. Topics that exist must be
// empty, or closed by an earlier BeginCopy. False: they are open, whole and of this install, and
// may only be compared. FailedPrecondition: another install's, other partitions, settings that
// break a promise, or what is there is neither of the three. Others as LookAtTopics.
absl::StatusOr<bool> BeginCopy(const KafkaSettings& settings, const log::v1::Install& install,
                               uint32_t replicas);

// Opens the topics that BeginCopy closed. The caller has compared all that stands in them.
// FailedPrecondition: Kafka refuses; all but the opening is done, and it may be tried again.
absl::Status EndCopy(const KafkaSettings& settings);

}  // namespace simpul::eventlog
