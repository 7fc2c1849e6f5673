#include "timeline/timeline_role.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/base/uuid.h"
#include "lib/event/date.h"
#include "lib/eventlog/follower.h"
#include "lib/eventlog/position_token.h"
#include "lib/eventlog/record_digest.h"
#include "lib/rules/versions.h"
#include "lib/timeline/checkpoints.h"
#include "lib/timeline/child_growth.h"
#include "lib/timeline/guard.h"
#include "lib/timeline/publisher.h"
#include "lib/timeline/store.h"
#include "timeline/checkpointer.h"
#include "timeline/growth.h"
#include "timeline/page.h"
#include "timeline/position_waiters.h"
#include "timeline/watchers.h"

namespace simpul::timeline_role {
namespace {

using eventlog::Follower;
using eventlog::Topic;
using std::chrono::steady_clock;

// Memory of all stores: block cache and write buffers. The program as a whole stays under 256 MiB.
constexpr size_t kMemoryBytes = 40 << 20;
// Of each partition; what was projected waits here until topic entries holds it.
constexpr size_t kOutboxBytesMax = 1 << 20;
constexpr size_t kThreads = 2;
constexpr size_t kReadersWaitingMax = 1024;
constexpr std::chrono::seconds kMeasurePause{5};
constexpr std::chrono::seconds kWaitUsual{5};
constexpr std::chrono::seconds kWaitMax{30};
constexpr std::chrono::seconds kWatchPause{1};
// What this owner's betters have for appending what is derived.
constexpr std::chrono::seconds kPatience{5};
// Nobody waits for what was told to be read back.
constexpr std::chrono::milliseconds kToldGather{100};
// What the log has for making room in a full outbox before the other partitions are read on.
constexpr std::chrono::milliseconds kRoomWait{500};
// What the log has for the record that a checkpoint is compared with.
constexpr std::chrono::seconds kCompareMax{10};

// What is read of each partition.
constexpr Topic kRead[] = {Topic::kEvents, Topic::kEntries, Topic::kDeadLetters};

absl::Status NoIdentity() {
  return absl::InvalidArgumentError(
      "patient: no identity is set. Give one of nik, newborn, passport, card, local.");
}

// The last record applied is read again, to be compared; the install record never.
int64_t FirstToRead(int64_t last_applied) { return std::max<int64_t>(last_applied, 1); }

// OK when the log holds the record of that digest at a position, 0 standing for none.
absl::Status CheckHolds(eventlog::EventLog& log, eventlog::Place place, int64_t position,
                        int64_t end, const eventlog::RecordDigest& digest) {
  if (position == 0) return absl::OkStatus();
  if (position >= end) {
    return absl::OutOfRangeError(fmt::format("it is at position {} of {}, which ends before {}",
                                             position, eventlog::PlaceText(place), end));
  }
  SIMPUL_ASSIGN_OR_RETURN(const auto subscription, log.Subscribe({{place, position}}));
  SIMPUL_ASSIGN_OR_RETURN(const auto record, subscription->Poll(kCompareMax));
  if (!record.has_value()) {
    return absl::UnavailableError(
        fmt::format("the log does not give position {} of {} to compare it with", position,
                    eventlog::PlaceText(place)));
  }
  if (record->position != position ||
      eventlog::DigestOfRecord(record->key, record->value) != digest) {
    return absl::DataLossError(
        fmt::format("{} holds another record at position {} than it was made from",
                    eventlog::PlaceText(place), position));
  }
  return absl::OkStatus();
}

struct Group;

struct Partition {
  uint32_t number = 0;
  uint32_t rank = 0;  // among its owners
  Group* group = nullptr;
  std::unique_ptr<timeline::Store> store;
  std::unique_ptr<timeline::Guard> guard;
  std::unique_ptr<timeline::Publisher> publisher;  // after the store it reads
  int64_t events_end = 0;                          // of the log when the role was opened
  int64_t entries_end = 0;
  int64_t letters_end = 0;
  // As the store, for those who must not wait for a batch.
  std::atomic<int64_t> position = 0;
  std::atomic<int64_t> entries_position = 0;
  std::atomic<int64_t> letters_position = 0;  // last read of topic dead-letters, since the start
  std::atomic<bool> is_compared = false;
  std::atomic<bool> is_entries_compared = false;
  std::atomic<bool> is_outbox_full = false;  // its events wait until some of it is read back

  bool HasRoom() const { return store->state().outbox_bytes < kOutboxBytesMax / 2; }
  // One before it is the last position that stood at the start.
  bool HasCaughtUp() const { return is_compared.load() && position.load() + 1 >= events_end; }
  // And what is left out.
  bool HasReadEntries() const {
    return is_entries_compared.load() && entries_position.load() + 1 >= entries_end &&
           letters_position.load() + 1 >= letters_end;
  }
};

// The partitions of one pair of threads.
struct Group {
  std::string name;
  std::vector<Partition*> partitions;
  std::atomic<bool> told = false;  // entries are read to the end: the projection may run
  std::set<uint32_t> unread;       // of the follower of entries: of these they cannot be read
  std::unique_ptr<Follower> entries;
  mutable std::mutex mutex;
  std::unique_ptr<Follower> events;  // under mutex
  std::string failure;               // under mutex: why the projection does not run
  steady_clock::time_point measured;

  // For the log's threads, which may be faster than Start.
  std::atomic<Follower*> to_wake = nullptr;
  // For those who make room in an outbox; cleared under its mutex before the follower ends.
  std::mutex to_retry_mutex;
  Follower* to_retry = nullptr;

  // The projection waits here for room in the outbox of one of its partitions.
  std::mutex room_mutex;
  std::condition_variable room_made;
  const Partition* short_of_room = nullptr;  // under room_mutex
};

}  // namespace

struct TimelineRole::State {
  eventlog::EventLog& log;
  const event::Secret& secret;
  base::Metrics& metrics;
  prometheus::Counter& events_total;
  prometheus::Counter& duplicates_total;
  prometheus::Counter& revisions_total;
  prometheus::Counter& dead_letters_total;
  std::shared_ptr<timeline::StoreMemory> memory;
  std::unique_ptr<timeline::Checkpoints> checkpoints;  // null: none
  std::deque<Partition> partitions;                    // that are kept here
  std::vector<Partition*> by_number;                   // null: not kept here
  std::unique_ptr<Checkpointer> checkpointer;          // null: none; after what it writes
  std::deque<Group> groups;
  Watchers watchers;
  std::atomic<bool> stopping = false;
  std::mutex watching_mutex;
  std::condition_variable watching_done;
  std::vector<Watch*> watching;  // under watching_mutex
  // Last: what it finishes reads the stores.
  std::unique_ptr<PositionWaiters> waiters;

  State(eventlog::EventLog& log_in, const event::Secret& secret_in, base::Metrics& metrics_in)
      : log(log_in),
        secret(secret_in),
        metrics(metrics_in),
        events_total(metrics.Counter("simpul_timeline_events_total",
                                     "Events that were put on a timeline, or wait.")),
        duplicates_total(metrics.Counter("simpul_timeline_duplicates_total",
                                         "Events that came again and changed nothing.")),
        revisions_total(metrics.Counter("simpul_timeline_revisions_total",
                                        "Revisions of entries, new entries included.")),
        dead_letters_total(metrics.Counter("simpul_timeline_dead_letters_total",
                                           "Dead letters that the projection reported.")),
        memory(timeline::StoreMemory::Make(kMemoryBytes)) {}

  absl::Status OpenPartitions(const eventlog::Replica& replica, const std::filesystem::path& folder,
                              std::string_view program);
  absl::Status OpenPartition(const eventlog::OwnedPartition& owned, std::span<const int64_t> ends,
                             const std::filesystem::path& folder, std::string_view program);
  absl::Status Restore(const Partition& partition, const std::filesystem::path& folder);
  absl::Status StartGroup(Group& group);
  absl::Status CheckSources(const Group& group) const;
  void StartProjection(Group& group);
  absl::Status Apply(uint32_t partition, std::span<const eventlog::OwnedRecord> records);
  absl::Status ApplyWhatFits(Partition& partition, std::span<const eventlog::OwnedRecord> records);
  // True once there is room again in its outbox; false at `until`, and when the role ends.
  bool AwaitRoom(const Partition& partition, steady_clock::time_point until);
  absl::Status ReadBack(uint32_t partition, std::span<const eventlog::OwnedRecord> records);
  absl::Status Learn(uint32_t partition, std::span<const eventlog::OwnedRecord> records);
  void Retry(Group& group);
  void Drive(Group& group);
  void Idle(Group& group);
  void Measure(Group& group);
  // Those that do not come back by themselves, and why.
  std::map<uint32_t, std::string> Ended() const;
  // Also those that stand before an event.
  std::map<uint32_t, std::string> Stopped() const;
  absl::StatusOr<Partition*> Of(const event::SubjectKey& subject) const {
    const uint32_t number = event::PartitionOf(subject.view(), log.partitions());
    if (by_number[number] != nullptr) return by_number[number];
    return absl::UnavailableError(fmt::format("Partition {} is not kept by this replica.", number));
  }
  template <typename Request>
  void AnswerAt(const Request& request, std::function<absl::Status()> answer, Finish finish);
  absl::Status Read(const Question& question, timeline::v1::GetTimelineResponse& response);
  absl::Status ReadGrowth(const event::SubjectKey& subject,
                          timeline::v1::GetGrowthResponse& response);
  template <typename Response>
  void ShowPlace(const Partition& partition, int64_t position, Response& response) const;
  int64_t KnownEnd(const Partition& partition) const;
};

absl::Status TimelineRole::State::OpenPartitions(const eventlog::Replica& replica,
                                                 const std::filesystem::path& folder,
                                                 std::string_view program) {
  by_number.resize(log.partitions());
  const std::vector<eventlog::OwnedPartition> all =
      eventlog::OwnedBy(replica, log.partitions(), eventlog::kOwners);
  std::vector<eventlog::Place> places;
  for (const eventlog::OwnedPartition& owned : all) {
    for (const Topic topic : kRead) places.push_back({topic, owned.number});
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, log.Ends(places));
  auto left = std::span(ends);
  for (const eventlog::OwnedPartition& owned : all) {
    SIMPUL_RETURN_IF_ERROR(OpenPartition(owned, left.first(std::size(kRead)), folder, program));
    left = left.subspan(std::size(kRead));
  }
  return absl::OkStatus();
}

// `ends` of what it reads.
absl::Status TimelineRole::State::OpenPartition(const eventlog::OwnedPartition& owned,
                                                std::span<const int64_t> ends,
                                                const std::filesystem::path& folder,
                                                std::string_view program) {
  const uint32_t number = owned.number;
  Partition& partition = partitions.emplace_back();
  partition.number = number;
  partition.rank = owned.rank;
  by_number[number] = &partition;
  const std::filesystem::path own = folder / fmt::format("{:02}", number);
  partition.events_end = ends[0];
  partition.entries_end = ends[1];
  partition.letters_end = ends[2];
  timeline::Checkpoints::RemoveLeftOver(own);
  if (checkpoints != nullptr) SIMPUL_RETURN_IF_ERROR(Restore(partition, own));
  SIMPUL_ASSIGN_OR_RETURN(
      partition.store,
      timeline::Store::Open(own, log.install(), number,
                            {.memory = memory, .outbox_bytes_max = kOutboxBytesMax}));
  SIMPUL_ASSIGN_OR_RETURN(partition.guard,
                          timeline::Guard::Open(own, partition.store->origin(), program));
  const timeline::Store::State state = partition.store->state();
  partition.position = state.position;
  partition.entries_position = state.entries_position;
  partition.is_compared = state.is_compared;
  partition.is_entries_compared = state.is_entries_compared;
  SIMPUL_RETURN_IF_ERROR(eventlog::CheckNotAhead(own.string(), {Topic::kEvents, number},
                                                 state.position, partition.events_end));
  return eventlog::CheckNotAhead(own.string(), {Topic::kEntries, number}, state.entries_position,
                                 partition.entries_end);
}

absl::Status TimelineRole::State::Restore(const Partition& partition,
                                          const std::filesystem::path& folder) {
  const auto fits = [&](const timeline::StoreProgress& progress) -> absl::Status {
    SIMPUL_RETURN_IF_ERROR(CheckHolds(log, {Topic::kEvents, partition.number}, progress.position,
                                      partition.events_end, progress.digest));
    return CheckHolds(log, {Topic::kEntries, partition.number}, progress.entries_position,
                      partition.entries_end, progress.entries_digest);
  };
  SIMPUL_ASSIGN_OR_RETURN(const auto restored,
                          checkpoints->Restore(folder, log.install(), partition.number, fits));
  if (!restored.has_value()) return absl::OkStatus();
  metrics.Counter("simpul_timeline_restores_total", "Stores that were restored from a checkpoint.")
      .Increment();
  base::Log(base::Severity::kInfo, "timeline", "restored from a checkpoint",
            {{"partition", partition.number},
             {"checkpoint", restored->from.string()},
             {"position", restored->progress.position},
             {"log_end", partition.events_end}});
  return absl::OkStatus();
}

absl::Status TimelineRole::State::StartGroup(Group& group) {
  std::vector<eventlog::Start> starts;
  for (Partition* partition : group.partitions) {
    starts.push_back(
        {{Topic::kEntries, partition->number}, FirstToRead(partition->entries_position.load())});
    const int64_t letters = SIMPUL_PLANTED_BUG("quarantines_not_read") ? partition->letters_end : 1;
    partition->letters_position = letters - 1;
    starts.push_back({{Topic::kDeadLetters, partition->number}, letters});
    partition->publisher = std::make_unique<timeline::Publisher>(
        log, *partition->store,
        [&group] {
          if (Follower* follower = group.to_wake.load()) follower->Wake();
        },
        partition->rank * kPatience);
  }
  SIMPUL_ASSIGN_OR_RETURN(
      group.entries,
      Follower::Start(
          log, std::move(starts), {.name = "timeline_told_" + group.name, .gather = kToldGather},
          [this](eventlog::Place place, std::span<const eventlog::OwnedRecord> records) {
            return place.topic == Topic::kDeadLetters ? Learn(place.partition, records)
                                                      : ReadBack(place.partition, records);
          },
          metrics, [this, &group] { Idle(group); }));
  group.to_wake = group.entries.get();
  return absl::OkStatus();
}

// A replica whose own position went with its memory, or its folder, is told by the entries how far
// the events once reached.
absl::Status TimelineRole::State::CheckSources(const Group& group) const {
  // Since the start other owners may have derived from what has come since the start.
  std::vector<eventlog::Place> places;
  std::vector<int64_t> sources;
  for (const Partition* partition : group.partitions) {
    const int64_t source = partition->store->state().read_source;
    if (source < partition->events_end) continue;
    places.push_back({Topic::kEvents, partition->number});
    sources.push_back(source);
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, log.Ends(places));
  for (size_t n = 0; n < places.size(); ++n) {
    if (sources[n] < ends[n]) continue;
    return absl::FailedPreconditionError(fmt::format(
        "{} ends before position {}, and {} tells of an event at position {}: records were lost. "
        "Restore the log",
        eventlog::PlaceText(places[n]), ends[n], eventlog::TopicName(Topic::kEntries), sources[n]));
  }
  return absl::OkStatus();
}

void TimelineRole::State::StartProjection(Group& group) {
  std::vector<eventlog::Start> starts;
  for (Partition* partition : group.partitions) {
    if (group.unread.contains(partition->number)) continue;
    starts.push_back(
        {{Topic::kEvents, partition->number}, FirstToRead(partition->position.load())});
  }
  if (starts.empty()) return;
  const auto start = [&]() -> absl::StatusOr<std::unique_ptr<Follower>> {
    SIMPUL_RETURN_IF_ERROR(CheckSources(group));
    return Follower::Start(
        log, std::move(starts),
        {.name = "timeline_" + group.name, .batch_records = 512, .batch_bytes = 2 << 20},
        [this](eventlog::Place place, std::span<const eventlog::OwnedRecord> records) {
          return Apply(place.partition, records);
        },
        metrics, [this, &group] { Drive(group); });
  };
  auto started = start();
  const std::lock_guard lock(group.mutex);
  if (started.ok()) {
    group.events = *std::move(started);
    const std::lock_guard retry_lock(group.to_retry_mutex);
    group.to_retry = group.events.get();
    return;
  }
  group.failure = base::Message(started.status());
  base::Log(base::Severity::kError, "timeline", "the projection cannot start",
            {{"reason", group.failure}});
}

// A subscription that leaves a partition out is made anew, and fetches again what it had of all the
// others: a full outbox is waited for, once, before that.
absl::Status TimelineRole::State::Apply(uint32_t number,
                                        std::span<const eventlog::OwnedRecord> records) {
  Partition& partition = *by_number[number];
  const bool was_full = partition.is_outbox_full.load();
  const auto until = steady_clock::now() + kRoomWait;
  absl::Status status = ApplyWhatFits(partition, records);
  while (absl::IsResourceExhausted(status) && !was_full && AwaitRoom(partition, until)) {
    status = ApplyWhatFits(partition, records);
  }
  return status;
}

bool TimelineRole::State::AwaitRoom(const Partition& partition, steady_clock::time_point until) {
  Group& group = *partition.group;
  Drive(group);
  std::unique_lock lock(group.room_mutex);
  group.short_of_room = &partition;
  const bool is_made = group.room_made.wait_until(
      lock, until, [&] { return stopping.load() || partition.HasRoom(); });
  group.short_of_room = nullptr;
  return is_made && !stopping.load();
}

absl::Status TimelineRole::State::ApplyWhatFits(Partition& partition,
                                                std::span<const eventlog::OwnedRecord> records) {
  timeline::Store::Applied applied;
  const absl::Status status = partition.guard->Apply(
      *partition.store, records,
      [this](const event::SubjectKey& subject) { return watchers.Watched(subject); }, applied);
  partition.is_outbox_full = absl::IsResourceExhausted(status);
  if (!partition.is_compared.load()) {
    partition.is_compared = partition.store->state().is_compared;
  }
  events_total.Increment(static_cast<double>(applied.events));
  duplicates_total.Increment(static_cast<double>(applied.duplicates));
  revisions_total.Increment(static_cast<double>(applied.revisions));
  dead_letters_total.Increment(static_cast<double>(applied.dead_letters));
  if (applied.activations > 0) {
    base::Log(base::Severity::kInfo, "timeline", "rules were activated",
              {{"partition", partition.number}, {"activations", applied.activations}});
  }
  partition.position = status.ok() ? std::max(partition.position.load(), records.back().position)
                                   : partition.store->state().position;
  waiters->Reached(partition.number, partition.position.load());
  watchers.Tell(applied.watched);
  return status;
}

absl::Status TimelineRole::State::ReadBack(uint32_t number,
                                           std::span<const eventlog::OwnedRecord> records) {
  Partition& partition = *by_number[number];
  SIMPUL_RETURN_IF_ERROR(partition.store->ReadBack(records));
  partition.is_entries_compared = true;
  partition.entries_position = std::max(partition.entries_position.load(), records.back().position);
  if (partition.is_outbox_full.load() && partition.HasRoom()) {
    Group& group = *partition.group;
    {
      const std::lock_guard lock(group.room_mutex);
      if (group.short_of_room == &partition) {
        group.room_made.notify_one();
        return absl::OkStatus();
      }
    }
    Retry(group);
  }
  return absl::OkStatus();
}

absl::Status TimelineRole::State::Learn(uint32_t number,
                                        std::span<const eventlog::OwnedRecord> records) {
  Partition& partition = *by_number[number];
  SIMPUL_ASSIGN_OR_RETURN(const bool is_new, partition.guard->Learn(records));
  partition.letters_position = records.back().position;
  if (is_new) Retry(*partition.group);
  return absl::OkStatus();
}

void TimelineRole::State::Retry(Group& group) {
  const std::lock_guard lock(group.to_retry_mutex);
  if (group.to_retry != nullptr) group.to_retry->RetryNow();
}

void TimelineRole::State::Drive(Group& group) {
  if (stopping.load()) return;
  const auto now = steady_clock::now();
  for (Partition* partition : group.partitions) {
    // Into no log but its own.
    if (partition->is_compared.load() && partition->is_entries_compared.load()) {
      partition->publisher->Drive(now);
    }
  }
}

void TimelineRole::State::Idle(Group& group) {
  if (stopping.load()) return;
  if (!group.told.load()) {
    const Follower* const entries = group.to_wake.load();
    if (entries == nullptr) return;
    // What stands still holds up none of the others.
    for (const auto& [place, why] : entries->Stopped()) group.unread.insert(place.partition);
    if (!std::ranges::all_of(group.partitions, [&group](const Partition* partition) {
          return partition->HasReadEntries() || group.unread.contains(partition->number);
        })) {
      return;
    }
    group.told = true;
    StartProjection(group);
  }
  Drive(group);
  Measure(group);
}

void TimelineRole::State::Measure(Group& group) {
  const auto now = steady_clock::now();
  if (now < group.measured + kMeasurePause) return;
  group.measured = now;
  timeline::Tally tally;
  timeline::Store::Measures measures;
  size_t outbox_bytes = 0;
  size_t stalled = 0;
  size_t standing = 0;
  for (const Partition* partition : group.partitions) {
    const timeline::Store::State state = partition->store->state();
    tally.events += state.tally.events;
    tally.entries += state.tally.entries;
    tally.waiting += state.tally.waiting;
    outbox_bytes += state.outbox_bytes;
    const timeline::Store::Measures own = partition->store->measures();
    measures.live_bytes += own.live_bytes;
    measures.memtable_bytes += own.memtable_bytes;
    measures.pending_compaction_bytes += own.pending_compaction_bytes;
    stalled += own.write_stopped ? 1 : 0;
    standing += partition->guard->Stands().empty() ? 0 : 1;
  }
  const auto show = [&](const char* name, const char* help, uint64_t value) {
    metrics.Gauge(name, help, {{"group", group.name}}).Set(static_cast<double>(value));
  };
  show("simpul_timeline_events", "Distinct events on timelines or waiting.", tally.events);
  show("simpul_timeline_entries", "Entries on timelines.", tally.entries);
  show("simpul_timeline_waiting", "Corrections and retractions without their original.",
       tally.waiting);
  show("simpul_timeline_outbox_bytes", "Derived records not yet read back.", outbox_bytes);
  show("simpul_timeline_rocksdb_live_bytes", "Estimate of live bytes.", measures.live_bytes);
  show("simpul_timeline_rocksdb_memtable_bytes", "Bytes in write buffers.",
       measures.memtable_bytes);
  show("simpul_timeline_rocksdb_pending_compaction_bytes", "Bytes to be compacted.",
       measures.pending_compaction_bytes);
  show("simpul_timeline_rocksdb_stalled_stores", "Stores that take no writes.", stalled);
  show("simpul_timeline_standing_partitions",
       "Partitions that stand still before an event that ended the program.", standing);
  metrics.Gauge("simpul_timeline_rocksdb_cache_bytes", "Bytes in the shared block cache.")
      .Set(static_cast<double>(memory->cache_bytes()));
  if (checkpointer != nullptr) checkpointer->ShowAge();
}

std::map<uint32_t, std::string> TimelineRole::State::Ended() const {
  std::map<uint32_t, std::string> stopped;
  for (const Group& group : groups) {
    const std::lock_guard lock(group.mutex);
    for (const Partition* partition : group.partitions) {
      if (!group.failure.empty()) stopped.emplace(partition->number, group.failure);
    }
    for (const Follower* follower : {group.events.get(), group.entries.get()}) {
      if (follower == nullptr) continue;
      for (const auto& [place, why] : follower->Stopped()) stopped.emplace(place.partition, why);
    }
  }
  return stopped;
}

std::map<uint32_t, std::string> TimelineRole::State::Stopped() const {
  std::map<uint32_t, std::string> stopped = Ended();
  for (const Partition& partition : partitions) {
    const std::string why = partition.guard->Stands();
    if (!why.empty()) stopped.emplace(partition.number, why);
  }
  return stopped;
}

absl::Status TimelineRole::State::Read(const Question& question,
                                       timeline::v1::GetTimelineResponse& response) {
  SIMPUL_ASSIGN_OR_RETURN(const Partition* const partition, Of(question.subject));
  SIMPUL_ASSIGN_OR_RETURN(const timeline::Store::Patient patient,
                          partition->store->Read(question.subject));
  Answer(question, secret, log.install(), partition->number, patient.entries, response);
  *response.mutable_patient() = Demographics(patient.entries);
  ShowPlace(*partition, patient.position, response);
  return absl::OkStatus();
}

absl::Status TimelineRole::State::ReadGrowth(const event::SubjectKey& subject,
                                             timeline::v1::GetGrowthResponse& response) {
  SIMPUL_ASSIGN_OR_RETURN(const Partition* const partition, Of(subject));
  SIMPUL_ASSIGN_OR_RETURN(const timeline::Store::Patient patient, partition->store->Read(subject));
  const event::v1::Subject person = Demographics(patient.entries);
  ShowGrowth(timeline::GrowthOf(patient.entries, person, patient.rules), person, response);
  ShowPlace(*partition, patient.position, response);
  return absl::OkStatus();
}

// Where the timeline stands that was read.
template <typename Response>
void TimelineRole::State::ShowPlace(const Partition& partition, int64_t position,
                                    Response& response) const {
  response.set_position(eventlog::PositionToken(log.install(), partition.number, position));
  response.set_records_behind(
      static_cast<uint64_t>(std::max<int64_t>(0, KnownEnd(partition) - 1 - position)));
}

// Of its events, as far as the log has said.
int64_t TimelineRole::State::KnownEnd(const Partition& partition) const {
  const Group& group = *partition.group;
  const std::lock_guard lock(group.mutex);
  const int64_t known =
      group.events == nullptr ? 0 : group.events->KnownEnd({Topic::kEvents, partition.number});
  return std::max(partition.events_end, known);
}

TimelineRole::TimelineRole(std::unique_ptr<State> state) : state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<TimelineRole>> TimelineRole::Open(
    eventlog::EventLog& log, const event::Secret& secret, const std::filesystem::path& folder,
    base::Metrics& metrics, const eventlog::Replica& replica, const CheckpointOptions& checkpoints,
    std::string_view program) {
  SIMPUL_RETURN_IF_ERROR(base::MakeFolder(folder));
  auto state = std::make_unique<State>(log, secret, metrics);
  if (!checkpoints.folder.empty()) {
    state->checkpoints = std::make_unique<timeline::Checkpoints>(timeline::Checkpoints::Options{
        .folder = checkpoints.folder / "timeline", .replica = replica.number});
  }
  SIMPUL_RETURN_IF_ERROR(state->OpenPartitions(replica, folder, program));
  state->waiters = std::make_unique<PositionWaiters>(log.partitions(), kReadersWaitingMax);
  for (const Partition& partition : state->partitions) {
    state->waiters->Reached(partition.number, partition.position.load());
  }
  for (size_t n = 0; n < kThreads; ++n) {
    Group& group = state->groups.emplace_back();
    group.name = std::to_string(n);
    for (size_t i = n; i < state->partitions.size(); i += kThreads) {
      group.partitions.push_back(&state->partitions[i]);
      state->partitions[i].group = &group;
    }
  }
  if (state->checkpoints != nullptr) {
    std::vector<timeline::Store*> stores;
    for (const Partition& partition : state->partitions) stores.push_back(partition.store.get());
    state->checkpointer = std::make_unique<Checkpointer>(*state->checkpoints, std::move(stores),
                                                         checkpoints.every, metrics);
  }
  // From here on its end stops what was started.
  std::unique_ptr<TimelineRole> role(new TimelineRole(std::move(state)));
  for (Group& group : role->state_->groups) {
    if (!group.partitions.empty()) SIMPUL_RETURN_IF_ERROR(role->state_->StartGroup(group));
  }
  return role;
}

absl::StatusOr<std::unique_ptr<TimelineRole>> TimelineRole::Open(
    eventlog::EventLog& log, const event::Secret& secret, const std::filesystem::path& folder,
    base::Metrics& metrics, const eventlog::Replica& replica) {
  return Open(log, secret, folder, metrics, replica, CheckpointOptions());
}

TimelineRole::~TimelineRole() {
  state_->stopping = true;
  if (state_->checkpoints != nullptr) state_->checkpoints->Stop();
  // Before the followers that they wake.
  for (Partition& partition : state_->partitions) {
    if (partition.publisher != nullptr) partition.publisher->Stop();
  }
  for (Group& group : state_->groups) {
    {
      const std::lock_guard lock(group.room_mutex);
      group.room_made.notify_one();
    }
    {
      const std::lock_guard lock(group.to_retry_mutex);
      group.to_retry = nullptr;
    }
    group.entries.reset();
  }
  for (Group& group : state_->groups) {
    std::unique_ptr<Follower> events;
    {
      const std::lock_guard lock(group.mutex);
      events = std::move(group.events);
    }
  }
  state_->checkpointer.reset();
  state_->waiters.reset();
  std::unique_lock lock(state_->watching_mutex);
  for (Watch* watch : state_->watching) watch->Wake();
  state_->watching_done.wait(lock, [this] { return state_->watching.empty(); });
}

absl::Status TimelineRole::Ready() const {
  if (const auto stopped = state_->Stopped(); !stopped.empty()) {
    return absl::UnavailableError(fmt::format("timeline: partition {} stands still: {}",
                                              stopped.begin()->first, stopped.begin()->second));
  }
  int64_t behind = 0;
  size_t partitions = 0;
  for (const Partition& partition : state_->partitions) {
    if (partition.HasCaughtUp() && partition.HasReadEntries()) continue;
    ++partitions;
    behind += partition.events_end - 1 - partition.position.load();
  }
  if (partitions > 0) {
    return absl::UnavailableError(fmt::format(
        "timeline: {} partitions are catching up, {} records are left", partitions, behind));
  }
  return absl::OkStatus();
}

bool TimelineRole::Keeps(uint32_t partition) const {
  return state_->by_number[partition] != nullptr;
}

bool TimelineRole::HasCaughtUp(uint32_t partition) const {
  return Keeps(partition) && state_->by_number[partition]->HasCaughtUp();
}

uint32_t TimelineRole::partitions() const {
  return static_cast<uint32_t>(state_->by_number.size());
}

void TimelineRole::EndWaits() { state_->waiters->Stop(); }

void TimelineRole::GetTimeline(const timeline::v1::GetTimelineRequest& request,
                               timeline::v1::GetTimelineResponse& response, Finish finish) {
  absl::StatusOr<Question> question = Ask(request, state_->secret);
  if (!question.ok()) return finish(question.status());
  state_->AnswerAt(
      request,
      [this, question = *std::move(question), &response] {
        return state_->Read(question, response);
      },
      std::move(finish));
}

void TimelineRole::GetGrowth(const timeline::v1::GetGrowthRequest& request,
                             timeline::v1::GetGrowthResponse& response, Finish finish) {
  const auto subject = state_->secret.KeyOf(request.patient());
  if (!subject.ok()) return finish(NoIdentity());
  state_->AnswerAt(
      request,
      [this, subject = *subject, &response] { return state_->ReadGrowth(subject, response); },
      std::move(finish));
}

// Answers once the request's min_position is applied. Errors as of GetTimeline.
template <typename Request>
void TimelineRole::State::AnswerAt(const Request& request, std::function<absl::Status()> answer,
                                   Finish finish) {
  if (request.min_position().empty()) return finish(answer());
  const auto wanted = eventlog::ParsePositionToken(log.install(), request.min_position());
  if (!wanted.ok()) return finish(base::Within("min_position", wanted.status()));
  const auto [number, position] = *wanted;
  if (number >= by_number.size()) {
    return finish(absl::InvalidArgumentError("min_position: it names no partition of this log."));
  }
  const Partition* const partition = by_number[number];
  if (partition == nullptr || partition->position.load() >= position) return finish(answer());
  std::chrono::microseconds wait = kWaitUsual;
  if (request.has_wait_max()) {
    const auto& given = request.wait_max();
    if (given.seconds() < 0 || given.nanos() < 0 || given.seconds() > kWaitMax.count() ||
        (given.seconds() == kWaitMax.count() && given.nanos() > 0)) {
      return finish(absl::InvalidArgumentError("wait_max: from 0 to 30 s."));
    }
    wait = std::chrono::seconds(given.seconds()) + std::chrono::microseconds(given.nanos() / 1'000);
  }
  const auto end = log.End({Topic::kEvents, number});
  // A log that does not say now is no reason to answer less: the position is waited for.
  if (end.ok() && position >= *end) {
    return finish(absl::InvalidArgumentError(
        "min_position: the log ends before it, so no event of this log was answered with it. Was "
        "the log put back from an older copy? Ask without it."));
  }
  waiters->Wait(number, position, wait,
                [answer = std::move(answer), finish = std::move(finish)](absl::Status status) {
                  finish(status.ok() ? answer() : std::move(status));
                });
}

absl::Status TimelineRole::WatchTimeline(const timeline::v1::WatchTimelineRequest& request,
                                         const Listener& listener) {
  State& state = *state_;
  const auto subject = state.secret.KeyOf(request.patient());
  if (!subject.ok()) return NoIdentity();
  SIMPUL_ASSIGN_OR_RETURN(Partition* const kept, state.Of(*subject));
  Partition& partition = *kept;
  const std::shared_ptr<Watch> watch = state.watchers.Add(*subject);
  {
    const std::lock_guard lock(state.watching_mutex);
    if (state.stopping.load()) return absl::UnavailableError("This Simpul is shutting down.");
    state.watching.push_back(watch.get());
  }
  listener.when_gone([watch] { watch->Wake(); });
  // A batch that began before the watch did may not have looked for it: it ends before this does.
  static_cast<void>(partition.store->state());

  std::unordered_map<std::string, uint32_t> sent;  // revision by entry
  bool caught_up = false;
  const auto write = [&](const timeline::v1::Entry& entry) {
    uint32_t& revision = sent[entry.entry_id()];
    if (entry.revision() <= revision) return true;
    revision = entry.revision();
    timeline::v1::WatchTimelineResponse response;
    *response.mutable_entry() = Show(entry, state.log.install(), partition.number);
    response.set_caught_up(caught_up);
    return listener.write(response);
  };
  const auto run = [&]() -> absl::Status {
    bool fell_behind = true;
    for (;;) {
      if (fell_behind) {
        SIMPUL_ASSIGN_OR_RETURN(const timeline::Store::Patient patient,
                                partition.store->Read(*subject));
        for (const timeline::v1::Entry& entry : patient.entries) {
          if (!write(entry)) return absl::OkStatus();
        }
      }
      if (!caught_up) {
        caught_up = true;
        timeline::v1::WatchTimelineResponse response;
        response.set_caught_up(true);
        if (!listener.write(response)) return absl::OkStatus();
      }
      const Watch::Changes changes = watch->Take(kWatchPause);
      if (listener.gone() || state.stopping.load()) return absl::OkStatus();
      for (const timeline::v1::Entry& entry : changes.entries) {
        if (!write(entry)) return absl::OkStatus();
      }
      fell_behind = changes.fell_behind;
    }
  };
  const absl::Status status = run();
  listener.when_gone(nullptr);
  const std::lock_guard lock(state.watching_mutex);
  std::erase(state.watching, watch.get());
  state.watching_done.notify_all();
  return status;
}

absl::Status TimelineRole::GetState(timeline::v1::GetStateResponse& response) const {
  const std::map<uint32_t, std::string> stopped = state_->Stopped();
  base::SetChecksum total;
  uint64_t events = 0;
  uint64_t entries = 0;
  std::vector<eventlog::Place> places;
  for (const Partition& partition : state_->partitions) {
    places.push_back({Topic::kEvents, partition.number});
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, state_->log.Ends(places));
  for (size_t n = 0; n < ends.size(); ++n) {
    const Partition& partition = state_->partitions[n];
    const timeline::Store::State state = partition.store->state();
    timeline::v1::PartitionState& shown = *response.add_partitions();
    shown.set_partition(partition.number);
    shown.set_position(state.position);
    shown.set_events(state.tally.events);
    shown.set_entries(state.tally.entries);
    shown.set_checksum(state.tally.content.ToHex());
    shown.set_log_end(ends[n] - 1);
    shown.set_waiting(state.tally.waiting);
    shown.set_dead_letters(state.tally.dead_letters);
    if (const auto it = stopped.find(partition.number); it != stopped.end()) {
      shown.set_stopped(it->second);
    }
    total.Add(state.tally.content);
    events += state.tally.events;
    entries += state.tally.entries;
  }
  response.set_events(events);
  response.set_entries(entries);
  response.set_checksum(total.ToHex());
  return absl::OkStatus();
}

absl::Status TimelineRole::HoldEvent(const timeline::v1::HoldEventRequest& request,
                                     timeline::v1::HoldEventResponse& response) {
  const uint32_t number = request.partition();
  if (number >= partitions()) {
    return absl::InvalidArgumentError(fmt::format(
        "partition: there is no partition {}; the last is {}.", number, partitions() - 1));
  }
  if (!Keeps(number)) {
    return absl::FailedPreconditionError(fmt::format(
        "it does not keep partition {}: give all replicas the same --replicas", number));
  }
  Partition& partition = *state_->by_number[number];
  timeline::Guard& guard = *partition.guard;
  if (request.step() == timeline::v1::HOLD_STEP_HOLD) {
    SIMPUL_RETURN_IF_ERROR(guard.Hold(*partition.store, request.position()));
  } else if (request.step() == timeline::v1::HOLD_STEP_RELEASE) {
    SIMPUL_RETURN_IF_ERROR(guard.Release(request.position()));
    state_->Retry(*partition.group);
  }
  // What was read of the other topics is the least that stands in the state after it.
  response.set_entries_position(partition.entries_position.load());
  response.set_dead_letters_position(partition.letters_position.load());
  response.set_quarantined(guard.IsLeftOut(request.position()));
  const timeline::Store::State state = partition.store->state();
  response.set_position(state.position);
  response.set_last_number(state.last_number);
  response.set_read_number(state.read_number);
  const std::map<uint32_t, std::string> ended = state_->Ended();
  if (const auto it = ended.find(number); it != ended.end()) response.set_stopped(it->second);
  return absl::OkStatus();
}

absl::Status TimelineRole::GetRulesState(timeline::v1::GetRulesStateResponse& response) const {
  for (const rules::RuleSet& set : rules::RuleSets()) response.add_versions(set.version);
  for (const Partition& partition : state_->partitions) {
    const timeline::Store::State state = partition.store->state();
    timeline::v1::PartitionRules& shown = *response.add_partitions();
    shown.set_partition(partition.number);
    shown.set_position(state.position);
    for (const rules::Activation& activation : state.rules.activations()) {
      timeline::v1::ActivatedRules& activated = *shown.add_activated();
      activated.set_version(activation.version);
      activated.set_from(event::FormatDay(activation.from));
      activated.set_activation_id(base::UuidText({activation.id.data(), activation.id.size()}));
    }
  }
  return absl::OkStatus();
}

eventlog::EventLog& TimelineRole::log() { return state_->log; }

}  // namespace simpul::timeline_role
