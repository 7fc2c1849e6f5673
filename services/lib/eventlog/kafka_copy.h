// Copies a whole log into topics on a Kafka cluster: every record keeps its position, so that
// whatever was derived from the log, and every cursor into it, stays valid.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/kafka_settings.h"

namespace simpul::eventlog {

// One partition that is whole and was compared, record by record.
struct PlaceCopied {
  Place place;
  int64_t records = 0;     // that stand there now: all of the source
  int64_t were_there = 0;  // of them before this run
  std::string digest;      // of all of them, as read from Kafka: PlaceDigest
};

struct CopyOptions {
  uint32_t replicas = 3;  // of the topics that are made
  // Told of each partition, in the order of topics and partitions.
  std::function<void(const PlaceCopied&)> on_whole;
  // Called when all are whole, before anything can start on the topics. An error ends the copy.
  std::function<absl::Status()> before_opening;
};

// What became of a copy.
struct Copied {
  int64_t records = 0;
  int64_t were_there = 0;
  bool was_open = false;  // an earlier run had finished: everything was compared, nothing written
};

// Makes the topics with the source's number of partitions, brings every record of the source to its
// position, install records among them, reads it back, and opens the topics. Nobody may append to
// the source meanwhile. Ended at any moment and run again it compares what is there and goes on.
//
// FailedPrecondition: the topics are another install's, or hold what the source does not have at
// that position, or would break a promise; the message names topic, partition and position.
// Unavailable: Kafka does not answer; run it again. Others: the source cannot be read.
absl::StatusOr<Copied> CopyToKafka(EventLog& source, const KafkaSettings& settings,
                                   const CopyOptions& options);

}  // namespace simpul::eventlog
