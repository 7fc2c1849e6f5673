// The log: durable, partitioned, ordered within a partition, kept for good.
//
// Two implementations: embedded (RocksDB, one machine) and Kafka (the cluster).
// tests/contract/event_log_contract.h is the contract; both pass it unchanged.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/event/subject.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::eventlog {

// The topics. Values are part of the embedded log's keys: frozen.
enum class Topic : uint8_t {
  kEvents = 1,
  kEntries = 2,
  kDeliveries = 3,
  kDeadLetters = 4,
  kAudit = 5
};

inline constexpr Topic kTopics[] = {Topic::kEvents, Topic::kEntries, Topic::kDeliveries,
                                    Topic::kDeadLetters, Topic::kAudit};

// simpul.events.v1 and so on.
std::string_view TopicName(Topic topic);

// A place in the log is (topic, partition, position). Position 0 holds the install record; the
// first event is at 1.
struct Place {
  Topic topic = Topic::kEvents;
  uint32_t partition = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

// "simpul.events.v1 partition 3", for messages.
std::string PlaceText(Place place);

// Most bytes of one record, key and value together. A larger draft is answered InvalidArgument.
inline constexpr size_t kRecordBytesMax = 4 << 20;

// What is to be appended. Its partition is PartitionOf(key, partitions).
struct Draft {
  Topic topic = Topic::kEvents;
  std::string key;    // subject key, 16 bytes (audit: the actor)
  std::string value;  // a serialized simpul.log.v1.LogRecord
  // CloudEvents attributes, kept where the log has headers (Kafka). No identity in any of them.
  std::string ce_id;      // event id, or entry id
  std::string ce_type;    // simpul.event.visit, simpul.entry, ...
  std::string ce_source;  // facility code
  int64_t ce_time_us = 0;
};

// What became of one draft: a position, or why there is none. Unavailable: it may or may not be in
// the log (unknown); any other error: it is not.
using Appended = absl::StatusOr<int64_t>;

// What was read. Views live until the next Poll of the same subscription.
struct Record {
  Place place;
  int64_t position = 0;
  int64_t appended_at_us = 0;  // when the log took it, microseconds since 1970; only for lag
  std::string_view key;
  std::string_view value;
};

// Room in the log's queue for a batch that is to be appended. Given back when it is destroyed
// unused.
class Admission {
 public:
  virtual ~Admission() = default;
};

// Reads places from given positions on, in order within each place; places take turns. Used from
// one thread.
class Subscription {
 public:
  virtual ~Subscription() = default;

  // The next record of any place; nullopt when none came within `wait`. OutOfRange: a position
  // asked for does not exist (the log was cut back or swapped): an incident, never a jump. Other
  // errors: the log cannot be read and trying again is of no use (a log that is away for a while is
  // no error: nothing comes meanwhile).
  virtual absl::StatusOr<std::optional<Record>> Poll(std::chrono::milliseconds wait) = 0;

  // One past the last position of a place that this subscription has heard of: not asked of
  // anybody, so it may be behind. nullopt: nothing heard yet, or not a place of this subscription.
  virtual std::optional<int64_t> KnownEnd(Place place) const = 0;

  // Makes a Poll that waits, or the next one, return nullopt at once. The one function for any
  // thread.
  virtual void Wake() = 0;
};

// Where a subscription begins.
struct Start {
  Place place;
  int64_t position = 0;  // first position to be read; may be the end
};

class EventLog {
 public:
  virtual ~EventLog() = default;

  // The install record's fields that are the same in every partition (topic and partition are
  // empty).
  virtual const log::v1::Install& install() const = 0;
  uint32_t partitions() const { return install().partitions(); }

  // Reserves room for a batch of `bytes` (its keys and values) before anything of it is handed
  // over. ResourceExhausted: too much is in flight; nothing was written. Unavailable: the log takes
  // nothing now; nothing was written. Any thread, never blocks.
  virtual absl::StatusOr<std::unique_ptr<Admission>> Admit(size_t bytes) = 0;

  // Appends the drafts, in order within each partition, and calls `done` once with one answer a
  // draft, in order, when all are settled. A position means: durable, and visible to subscriptions.
  // `done` runs on a thread of the log: it must be short and must not append and wait. The
  // admission is given back before `done` is called; it may be null for a caller that bounds itself
  // by what it has appended and not heard of. Any thread, never blocks on I/O.
  virtual void Append(std::vector<Draft> drafts, std::unique_ptr<Admission> admission,
                      absl::AnyInvocable<void(std::vector<Appended>)> done) = 0;

  // One past the last durable position of each place, in their order. Any thread; asks whoever
  // keeps them, all at once, and waits for some seconds at the most. Unavailable: they do not say.
  virtual absl::StatusOr<std::vector<int64_t>> Ends(std::span<const Place> places) = 0;
  absl::StatusOr<int64_t> End(Place place);

  // Reads from the starts on. After a Poll found nothing, what comes next may be given up to
  // `gather` later than it came, with what came meanwhile: every awakening costs as much as some
  // records. The subscription must not outlive the log. OutOfRange as in Poll, here already where
  // it can be known. InvalidArgument: a place that does not exist, or is named twice.
  virtual absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(
      std::vector<Start> starts, std::chrono::milliseconds gather) = 0;
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(std::vector<Start> starts);

  // OK while appends can succeed; otherwise why not, for readiness. Any thread.
  virtual absl::Status Health() const = 0;
};

// Whether what was applied of a place, up to a position, is on the log, which ends before `end`.
// FailedPrecondition: records were lost, or the log was restored; `folder` holds what was made of
// them.
absl::Status CheckNotAhead(std::string_view folder, Place place, int64_t applied, int64_t end);

// Admit, append and wait. When nothing is admitted, every answer is that error. Not from a thread
// of the log.
std::vector<Appended> AppendAndWait(EventLog& log, std::vector<Draft> drafts);

}  // namespace simpul::eventlog
