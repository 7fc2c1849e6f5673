// The forwarder's steps on their way to topic deliveries: gathered, appended many at a time, and
// appended again when the log did not take them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "lib/base/clock.h"
#include "lib/eventlog/event_log.h"

namespace simpul::forwarder {

// A step as it is appended under a key.
eventlog::Draft DraftOf(std::string key, log::v1::DeliveryRecord step);

// Used from one thread, its owner's.
class StepLog {
 public:
  // The record a step is about.
  struct About {
    std::string entry_id;     // 16 bytes
    std::string subject_key;  // 16 bytes
    std::string facility_code;
  };
  // Runs a task on the owner's thread, soon. Called from any thread.
  using Post = std::function<void(absl::AnyInvocable<void()>)>;

  // Every step bears the claim. Everything given must outlive it.
  StepLog(eventlog::EventLog& log, std::string claim, const base::Clock& clock, Post post)
      : log_(log), claim_(std::move(claim)), clock_(clock), post_(std::move(post)) {}
  // Waits as AwaitAnswers does.
  ~StepLog() { AwaitAnswers(); }

  // A step that somebody waits to read back: kept, and appended again while the log does not take
  // it, until the next step of the entry or Forget. It may then stand on the log twice, which is
  // harmless.
  void Append(const About& about, log::v1::DeliveryRecord step);
  // The entry's steps were read back, or are wanted no more.
  void Forget(const std::string& entry_id) { kept_.erase(entry_id); }
  // A step that may be lost.
  void AppendOnce(const About& about, log::v1::DeliveryRecord step);

  // Hands everything gathered to the log in one go, which makes one synced write of it.
  void Flush();
  // When there is something to be flushed that must wait; nullopt: there is not.
  std::optional<base::Time> WaitsUntil(base::Time now) const;

  // Returns when the log has answered every append.
  void AwaitAnswers();

 private:
  struct Kept {
    uint64_t number = 0;  // the same for all steps until Forget; never 0
    About about;
    log::v1::DeliveryRecord step;
  };
  // The entry of a draft and the number under which it is kept; 0: it is not.
  struct Whose {
    std::string entry_id;
    uint64_t number = 0;
  };

  void Draft(const About& about, log::v1::DeliveryRecord step, uint64_t number);
  void AppendAgain(const std::vector<Whose>& failed);

  eventlog::EventLog& log_;
  const std::string claim_;
  const base::Clock& clock_;
  const Post post_;

  std::unordered_map<std::string, Kept> kept_;  // by entry id
  std::vector<eventlog::Draft> drafts_;
  std::vector<Whose> whose_;  // of each draft
  base::Time not_before_{};   // nothing is appended earlier
  uint64_t next_number_ = 1;

  std::mutex mutex_;
  std::condition_variable answered_;
  size_t in_flight_ = 0;  // guarded
};

}  // namespace simpul::forwarder
