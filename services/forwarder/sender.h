// Sends what the ledgers say is to be sent: look-up, map, attempt on the log, request, outcome on
// the log. One thread does all of it; nothing waits on it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "forwarder/patient_ids.h"
#include "forwarder/send_gate.h"
#include "forwarder/work_window.h"
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
  // What closes an organisation's door, or the platform's, to every record behind it.
  struct Closed {
    std::string reason;
    std::string platform_says;
    base::Time until;  // the next try
  };

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
  std::optional<Closed> WhyClosed(const std::string& organization) const;

  // Why a partition is not sent from any more; empty when all is well. Any thread.
  std::string Trouble() const;

 private:
  struct Job;
  struct Lane;

  void Run();
  base::Time Act();
  void PickWork(base::Time now);
  bool Pickable(const Work& work, base::Time now);
  void Begin(Lane& lane, const Work& work, base::Time now);
  void Prepare(Job& job);
  void LookUp(Job& job, std::vector<deliver::PatientQuery> queries, size_t nth);
  void TakePatient(Job& job, std::vector<deliver::PatientQuery> queries, size_t nth,
                   deliver::PatientAnswer answer);
  absl::Status FindKnown(Job& job, const fhir::Directory& directory, const std::string& patient_id);
  void BeginAttempt(Job& job);
  void TakeAttempt(const deliver::Applied::Seen& seen);
  void TakeVerdict(Job& job, deliver::Verdict verdict);
  void SearchParts(Job& job);
  void TakeFound(Job& job);
  bool RecheckHeld();

  // Ends of a job: with an outcome on the log, or put off in memory.
  void Settle(Job& job, log::v1::Outcome outcome);
  void NotSent(Job& job, const std::string& reason);
  void Hold(Job& job, const std::string& reason, int64_t retry_at_us, const std::string& says = "");
  void PutOff(Job& job, base::Time until, const std::string& door = "");
  void PutOff(Job& job, const deliver::Verdict& verdict);
  void Fail(Job& job, const absl::Status& status);
  void End(Job& job);

  void AppendStep(Job& job, log::v1::DeliveryRecord step);
  void FlushAppends();
  void TellGates(const Job& job, const deliver::Verdict& verdict);
  void ShowDoor(const std::string& door);
  void ForgetTrouble();
  SendGate& Gate(const std::string& organization);
  Job* FindJob(const std::string& entry_id, uint64_t serial);
  void Post(absl::AnyInvocable<void()> task);
  log::v1::Outcome OutcomeOf(const Job& job) const;
  double Random() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  void ShowAge(base::Time now);

  eventlog::EventLog& log_;
  deliver::Destination& destination_;
  const DirectorySource directory_source_;
  const CredentialsVersion credentials_source_;
  const Options options_;
  const base::Clock& clock_;
  base::Metrics& metrics_;

  // Used by the sender's thread only.
  std::mt19937_64 random_{std::random_device{}()};
  std::unordered_map<std::string, std::unique_ptr<Job>> jobs_;  // by entry id
  std::unordered_set<std::string> busy_;                        // subject keys
  PatientIds patients_;
  std::map<std::string, SendGate> gates_;  // by organisation; "": the platform
  std::shared_ptr<const fhir::Directory> directory_;
  uint64_t credentials_version_ = 0;
  std::map<uint32_t, std::string> recheck_from_;  // partition: held records to look at again
  bool recheck_credentials_ = true;               // those held for their credentials too
  std::vector<eventlog::Draft> drafts_;
  std::vector<std::pair<std::string, uint64_t>> draft_jobs_;  // entry id and serial of each draft
  base::Time append_again_{};
  uint64_t next_serial_ = 1;
  size_t first_lane_ = 0;
  base::Time recheck_due_{};

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // guarded: what the applying thread changes
  std::deque<absl::AnyInvocable<void()>> inbox_;
  std::map<std::string, Closed> closed_;  // doors with trouble; "": the platform's
  bool woken_ = false;
  bool stopping_ = false;
  size_t appends_in_flight_ = 0;

  std::thread thread_;  // last: it uses everything above
};

}  // namespace simpul::forwarder
