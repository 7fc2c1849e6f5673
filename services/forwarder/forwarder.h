// The forwarder: delivers what stands on timelines to the national platform, once, whatever fails,
// and says of every event what became of it.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "forwarder/delivery_answers.h"
#include "forwarder/sender.h"
#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include "lib/base/watched_files.h"
#include "lib/deliver/credentials.h"
#include "lib/deliver/directory_file.h"
#include "lib/deliver/ledger.h"
#include "lib/deliver/national_platform.h"
#include "lib/event/subject.h"
#include "lib/eventlog/event_log.h"
#include "lib/eventlog/follower.h"
#include "lib/eventlog/ownership.h"
#include "simpul/delivery/v1/delivery.pb.h"

namespace simpul::forwarder {

class Forwarder {
 public:
  struct Options {
    std::filesystem::path folder;  // DATA/forwarder; one ledger a partition below it
    std::string platform_url;      // empty: nothing is sent, everything waits
    // Both are read again when they change.
    std::filesystem::path credentials_file;  // empty: no organisation has credentials
    std::filesystem::path directory_file;    // empty: a directory that knows nobody
    std::string earliest_day{fhir::kEarliestDay};
    deliver::RetryPolicy retry;
    std::chrono::milliseconds miss_lasts{60'000};  // before an unknown patient is asked for again
    size_t connections_max = 32;
    size_t jobs_max = 96;
    size_t memory_bytes = 24 << 20;  // of the ledgers' caches and write buffers
    // Every replica keeps every ledger and answers for all; it sends from its own partitions.
    eventlog::Replica replica;
  };

  // Opens the ledgers and begins to follow the log. A partition of the replica's is claimed on the
  // log once its ledger found there what it had applied last; sending from it begins when
  // everything written before the claim has been read. FailedPrecondition: a ledger belongs to
  // another install or partition, or is ahead of the log. Errors name the
  // file or folder and the next step. `log`, `secret`, `clock` and `metrics` must outlive it.
  static absl::StatusOr<std::unique_ptr<Forwarder>> Open(eventlog::EventLog& log,
                                                         const event::Secret& secret,
                                                         Options options, const base::Clock& clock,
                                                         base::Metrics& metrics);
  // Sends nothing more; what is under way is settled by the next start.
  ~Forwarder();

  // OK when the ledgers have read what was on the log at the start, what is sent from here is
  // claimed, and nothing stands still.
  absl::Status Ready() const;

  // OK, or why the credentials file as it is now is not used; what was read last is.
  absl::Status CredentialsHealth() const;

  // The calls of DeliveryService. Any thread; Trace, Resend, Pause and Resume may wait up to 5 s
  // for the ledgers.
  absl::Status Trace(const delivery::v1::TraceRequest& request,
                     delivery::v1::TraceResponse& response);
  absl::Status ListDeliveries(const delivery::v1::ListDeliveriesRequest& request,
                              delivery::v1::ListDeliveriesResponse& response);
  absl::Status ListDeadLetters(const delivery::v1::ListDeadLettersRequest& request,
                               delivery::v1::ListDeadLettersResponse& response);
  absl::Status Resend(const delivery::v1::ResendRequest& request,
                      delivery::v1::ResendResponse& response);
  absl::Status Pause(const delivery::v1::PauseRequest& request,
                     delivery::v1::PauseResponse& response);
  absl::Status Resume(const delivery::v1::ResumeRequest& request,
                      delivery::v1::ResumeResponse& response);
  absl::Status GetLedger(const delivery::v1::GetLedgerRequest& request,
                         delivery::v1::GetLedgerResponse& response);

 private:
  Forwarder(eventlog::EventLog& log, const event::Secret& secret, Options options,
            const base::Clock& clock, base::Metrics& metrics);

  absl::Status Apply(eventlog::Place place, std::span<const eventlog::OwnedRecord> records);
  // Appends what is to be claimed and can be. Of the follower's thread; never waits.
  void ClaimWhatFits();
  void ShowCounts(uint32_t partition);
  // Of what waits in a partition, what was accepted first.
  struct Oldest {
    bool is_known = false;  // false: it is to be looked up
    std::string key{};      // of the item
    int64_t at_us = 0;      // 0: nothing waits
    void Note(const deliver::WorkItem& item);
  };
  static void NoteWork(Oldest& oldest, const deliver::Applied& applied);
  // How old what waits is, where there is no sender to say it. Once a second, however often called.
  void ShowAge();
  // Waits until the ledgers have applied everything before these positions. Unavailable: not within
  // 5 s.
  absl::Status AwaitApplied(const std::vector<std::pair<eventlog::Place, int64_t>>& until);
  // Waits until they have applied every event that is on the log now.
  absl::Status AwaitEvents();
  // Appends steps to deliveries and waits until they are applied.
  absl::Status AppendSteps(std::vector<std::pair<std::string, log::v1::DeliveryRecord>> steps);
  absl::Status ChangePause(bool paused, const std::string& reason);
  struct Candidate;
  // An event of it was never accepted here.
  bool IsUnknown(const std::string& event_id) const;
  absl::StatusOr<std::vector<Candidate>> FindHeld(const delivery::v1::ResendRequest& request);

  eventlog::EventLog& log_;
  const event::Secret& secret_;
  const Options options_;
  const base::Clock& clock_;
  base::Metrics& metrics_;
  const std::string claim_;

  std::vector<std::string> partition_keys_;  // a key that lies in each partition
  std::unique_ptr<deliver::DirectoryFile> directory_;
  std::unique_ptr<base::WatchedFiles<deliver::Credentials>> credentials_;
  std::unique_ptr<deliver::LedgerMemory> memory_;
  std::vector<std::unique_ptr<deliver::Ledger>> ledgers_;
  std::vector<std::pair<eventlog::Place, int64_t>> ends_at_start_;

  struct Claims;
  std::shared_ptr<Claims> claims_;  // null: nothing is sent

  mutable std::mutex mutex_;
  std::condition_variable applied_;
  std::vector<deliver::LedgerCounts> shown_;  // by partition, as the metrics count them

  // Of the follower's thread, where there is no sender.
  base::Time show_age_at_{};
  std::vector<Oldest> oldest_;  // by partition

  std::unique_ptr<deliver::NationalPlatform> platform_;
  std::unique_ptr<Sender> sender_;
  std::unique_ptr<DeliveryAnswers> answers_;
  std::unique_ptr<eventlog::Follower> follower_;  // last: it uses everything above
};

}  // namespace simpul::forwarder
