#include "records/records.h"

#include <fmt/format.h>
#include <prometheus/counter.h>

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/eventlog/derived_sequence.h"
#include "records/cursor.h"
#include "records/record.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::records {
namespace {

using eventlog::DerivedSequence;

// A follower is woken by the log or by its caller, never by the clock; this only bounds one wait.
constexpr std::chrono::hours kWait{1};

absl::StatusOr<log::v1::DerivedRecord> Decode(const eventlog::Record& record) {
  log::v1::LogRecord read;
  if (!read.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
    return absl::DataLossError(
        fmt::format("Partition {} of topic entries: position {} cannot be read. Check the log's "
                    "disk; restore the log from its backup.",
                    record.place.partition, record.position));
  }
  if (!read.has_derived() || read.derived().change_case() == 0) {
    return absl::FailedPreconditionError(
        fmt::format("Partition {} of topic entries: position {} was written by a newer Simpul. "
                    "Upgrade this one.",
                    record.place.partition, record.position));
  }
  return std::move(*read.mutable_derived());
}

// The place of one puller in the log.
class Pulling {
 public:
  explicit Pulling(Cursor cursor) : cursor_(std::move(cursor)), taken_(cursor_.size(), 0) {
    for (const PulledPlace& place : cursor_) sequences_.emplace_back(place.number);
  }

  std::vector<eventlog::Start> Starts() const {
    std::vector<eventlog::Start> starts;
    for (uint32_t partition = 0; partition < cursor_.size(); ++partition) {
      starts.push_back({.place = {eventlog::Topic::kEntries, partition},
                        .position = cursor_[partition].position});
    }
    return starts;
  }

  // True when the record is the next one; false when it was taken before.
  absl::StatusOr<bool> Take(const eventlog::Record& record, uint64_t number) {
    const uint32_t partition = record.place.partition;
    DerivedSequence& sequence = sequences_[partition];
    const uint64_t last = sequence.last();
    const DerivedSequence::Verdict verdict = sequence.Take(number);
    if (verdict == DerivedSequence::Verdict::kHole) {
      return absl::DataLossError(fmt::format(
          "Partition {} of topic entries: record {} is missing, {} follows {}. This is a "
          "bug; keep the data folder and report it.",
          partition, last + 1, number, last));
    }
    cursor_[partition].position = record.position + 1;
    cursor_[partition].number = sequence.last();
    ++taken_[partition];
    return verdict == DerivedSequence::Verdict::kNext;
  }

  Cursor cursor() const {
    if (!SIMPUL_PLANTED_BUG("cursor_by_local_number")) return cursor_;
    Cursor local = cursor_;
    for (size_t i = 0; i < local.size(); ++i) {
      local[i] = {.position = static_cast<int64_t>(taken_[i]) + 1, .number = taken_[i]};
    }
    return local;
  }

  bool HasReached(const std::vector<int64_t>& ends) const {
    for (size_t i = 0; i < cursor_.size(); ++i) {
      if (cursor_[i].position < ends[i]) return false;
    }
    return true;
  }

 private:
  Cursor cursor_;
  std::vector<DerivedSequence> sequences_;
  std::vector<uint64_t> taken_;  // records read by this call, by partition
};

// Wakes the subscription when the receiver has gone, for as long as this lives.
class WakeOnCancel {
 public:
  WakeOnCancel(Receiver& receiver, eventlog::Subscription& subscription) : receiver_(receiver) {
    receiver_.WhenCancelled([&subscription] { subscription.Wake(); });
  }
  ~WakeOnCancel() { receiver_.WhenCancelled(nullptr); }
  WakeOnCancel(const WakeOnCancel&) = delete;
  WakeOnCancel& operator=(const WakeOnCancel&) = delete;

 private:
  Receiver& receiver_;
};

std::string_view OperationName(v1::Operation operation) {
  switch (operation) {
    case v1::OPERATION_NEW:
      return "new";
    case v1::OPERATION_REPLACED:
      return "replaced";
    default:
      return "withdrawn";
  }
}

}  // namespace

Records::Records(eventlog::EventLog& log, const event::Secret& secret,
                 deliver::DirectoryFile& directory, base::Metrics& metrics)
    : log_(log), secret_(secret), directory_(directory), metrics_(metrics) {}

absl::Status Records::Pull(const v1::PullRecordsRequest& request, Receiver& receiver) {
  const bool is_filtered =
      !request.facility().system().empty() || !request.facility().code().empty();
  const std::string filter = FilterDigest(request.facility());
  Cursor cursor(log_.partitions());
  if (!request.after().empty()) {
    SIMPUL_ASSIGN_OR_RETURN(cursor, ParseCursor(request.after(), log_.install(), filter, secret_));
  }
  Pulling pulling(std::move(cursor));

  std::vector<eventlog::Place> places;
  for (uint32_t partition = 0; partition < log_.partitions(); ++partition) {
    places.push_back({eventlog::Topic::kEntries, partition});
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, log_.Ends(places));
  SIMPUL_ASSIGN_OR_RETURN(const std::unique_ptr<eventlog::Subscription> subscription,
                          log_.Subscribe(pulling.Starts()));
  const WakeOnCancel wake(receiver, *subscription);

  uint32_t given = 0;
  while (request.follow() || !pulling.HasReached(ends)) {
    if (receiver.Cancelled()) return absl::CancelledError("The caller has gone.");
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<eventlog::Record> record,
                            subscription->Poll(kWait));
    if (!record.has_value()) continue;
    SIMPUL_ASSIGN_OR_RETURN(const log::v1::DerivedRecord derived, Decode(*record));
    SIMPUL_ASSIGN_OR_RETURN(const bool is_next, pulling.Take(*record, derived.number()));
    if (!is_next || !derived.has_entry()) continue;
    const timeline::v1::Entry& entry = derived.entry();
    if (is_filtered && (entry.facility().system() != request.facility().system() ||
                        entry.facility().code() != request.facility().code())) {
      continue;
    }
    std::optional<v1::PullRecordsResponse> response = MakeRecord(entry, *directory_.Get());
    if (!response.has_value()) continue;
    response->set_cursor(EncodeCursor(pulling.cursor(), log_.install(), filter, secret_));
    if (!receiver.Take(*response)) return absl::CancelledError("The caller has gone.");
    metrics_
        .Counter("simpul_records_pulled_total", "Delivery records given to pullers.",
                 {{"operation", std::string(OperationName(response->operation()))}})
        .Increment();
    if (request.limit() != 0 && ++given == request.limit()) return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace simpul::records
