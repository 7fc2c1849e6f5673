// Sends what the ledgers say is to be sent. The way of a record, top to bottom in sender.cc:
// picked, prepared (mapped, its patient looked up), attempt on the log, request, verdict, outcome
// on the log; and where the end of an attempt is unknown: searched for and adopted. One thread does
// all of it; nothing waits on it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "forwarder/backlog.h"
#include "forwarder/doors.h"
#include "forwarder/held_recheck.h"
#include "forwarder/patient_ids.h"
#include "forwarder/step_log.h"
#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include "lib/deliver/decide.h"
#include "lib/deliver/destination.h"
#include "lib/deliver/ledger.h"
#include "lib/eventlog/event_log.h"
#include "lib/fhir/map.h"

namespace simpul::forwarder {

// Sets simpul_forwarder_oldest_undelivered_seconds. `oldest_us`: when the oldest record that is to
// be sent came; 0: there is none.
void ShowOldest(base::Metrics& metrics, int64_t oldest_us, base::Time now);

class Sender {
 public:
  struct Options {
    std::string claim;  // this process
    std::string earliest_day{fhir::kEarliestDay};
    deliver::RetryPolicy retry;
    size_t jobs_max = 96;           // records being worked on
    size_t window_items_max = 256;  // of a partition, in memory
    size_t patients_max = 50'000;   // whose ids are kept
    std::chrono::milliseconds miss_lasts{60'000};
  };
  // The directory as it is now; the same pointer as long as it has not changed.
  using DirectorySource = std::function<std::shared_ptr<const fhir::Directory>()>;
  // Another number once the credentials have changed.
  using CredentialsVersion = std::function<uint64_t()>;
  using Closed = Doors::Closed;

  // Starts the thread. Everything given must outlive it. Ledgers by partition.
  Sender(eventlog::EventLog& log, std::vector<deliver::Ledger*> ledgers,
         deliver::Destination& destination, DirectorySource directory,
         CredentialsVersion credentials, Options options, const base::Clock& clock,
         base::Metrics& metrics);
  ~Sender();

  // Ends the thread and waits until the log has answered every append: nothing is sent any more.
  // Requests under way may still be answered until the destination is gone. Idempotent.
  void Stop();

  // A ledger has applied records. From the thread that applies them.
  void Take(uint32_t partition, deliver::Applied applied);

  // Looks again at once: the clock was moved, or an operator wants it. Forgets what was put off and
  // which patients were unknown. Any thread.
  void TryAgain();

  // What keeps every record of the organisation from being sent now. Any thread.
  std::optional<Closed> WhyClosed(const std::string& organization) const {
    return doors_.WhyClosed(organization);
  }

  // Why a partition is not sent from any more; empty when all is well. Any thread.
  std::string Trouble() const { return backlog_.Trouble(); }

 private:
  struct Job;

  void Run();
  base::Time Act();
  void LookAround(base::Time now);
  void PickWork(base::Time now);
  bool PickOnce(base::Time now);

  // The way of a record. Each ends by calling the next, or with an end of the job.
  void Begin(uint32_t partition, const Work& work, base::Time now);
  void Prepare(Job& job);
  void MapEntry(Job& job);
  void FindPatient(Job& job);
  void LookUp(Job& job, std::vector<deliver::PatientQuery> queries, size_t nth);
  void TakePatient(Job& job, std::vector<deliver::PatientQuery> queries, size_t nth,
                   deliver::PatientAnswer answer);
  void Compose(Job& job);
  void BeginAttempt(Job& job);
  void TakeAttempt(const deliver::Applied::Seen& seen);
  void TakeVerdict(Job& job, deliver::Verdict verdict);
  void SearchParts(Job& job);
  void TakeFound(Job& job);
  void TakeOutcome(const deliver::Applied::Seen& seen);

  // Ends of a job: with an outcome on the log, or put off in memory.
  void Settle(Job& job, log::v1::Outcome outcome);
  void NotSent(Job& job, const std::string& reason);
  void Hold(Job& job, const std::string& reason, int64_t retry_at_us);
  void PutOff(Job& job, base::Time until, const std::string& door = "");
  void PutOff(Job& job, const deliver::Verdict& verdict);
  void Fail(Job& job, const absl::Status& status);
  void End(Job& job);

  void EnterDoors(Job& job);
  void TellDoors(Job& job, const deliver::Verdict& verdict);
  void ForgetTrouble();
  void AppendStep(const Job& job, log::v1::DeliveryRecord step);
  log::v1::Outcome OutcomeOf(const Job& job) const;
  Job* FindJob(const std::string& entry_id, uint64_t serial);
  // An answer for a job, from another thread: `take` gets the job, if it is still there, and the
  // answer, on the sender's.
  template <typename Answer>
  absl::AnyInvocable<void(Answer)> ForJob(const Job& job,
                                          absl::AnyInvocable<void(Job&, Answer)> take);
  void Post(absl::AnyInvocable<void()> task);
  double Random() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  deliver::Destination& destination_;
  const DirectorySource directory_source_;
  const CredentialsVersion credentials_source_;
  const Options options_;
  const fhir::MapOptions map_options_;
  const base::Clock& clock_;
  base::Metrics& metrics_;
  Backlog backlog_;
  Doors doors_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<absl::AnyInvocable<void()>> inbox_;  // guarded, as all of this block
  bool woken_ = false;
  bool stopping_ = false;

  // Used by the sender's thread only.
  std::mt19937_64 random_{std::random_device{}()};
  std::unordered_map<std::string, std::unique_ptr<Job>> jobs_;  // by entry id
  std::unordered_set<std::string> busy_;                        // subject keys
  PatientIds patients_;
  StepLog steps_;
  HeldRecheck held_recheck_;
  std::shared_ptr<const fhir::Directory> directory_;
  uint64_t credentials_version_ = 0;
  uint64_t next_serial_ = 1;
  uint32_t first_partition_ = 0;
  base::Time look_around_at_{};

  std::thread thread_;  // last: it uses everything above
};

}  // namespace simpul::forwarder
