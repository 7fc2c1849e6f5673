// Everything around a forwarder, in one process: log, timeline, sandbox, directory, credentials.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "forwarder/forwarder.h"
#include "lib/base/metrics.h"
#include "lib/event/subject.h"
#include "lib/eventlog/embedded_log.h"
#include "sandbox/sandbox.h"
#include "simpul/event/v1/event.pb.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_folder.h"
#include "timeline/timeline_role.h"

namespace simpul::forwarder {

// The machine's clock, moved: at the start it shows when the samples are pushed.
class MovedClock : public base::Clock {
 public:
  explicit MovedClock(base::Time start) : by_us_((start - base::SystemClock().Now()).count()) {}
  base::Time Now() const override {
    return base::SystemClock().Now() + std::chrono::microseconds(by_us_.load());
  }
  void Advance(std::chrono::microseconds by) { by_us_ += by.count(); }

 private:
  std::atomic<int64_t> by_us_;
};

class World : public ::testing::Test {
 protected:
  World();
  ~World() override;

  void StartSandbox();
  // Opens the forwarder; again after StopForwarder: the same folder.
  void StartForwarder();
  void StopForwarder() { forwarder.reset(); }
  // Another log and empty folders, under the same secret; StartTimeline fills what is pushed next.
  void ForgetDeliveries();
  void StartTimeline();
  // What a forwarder leaves that stops between attempt and outcome.
  void AppendAttempt(const event::v1::Event& event, const std::string& record_id);
  void WriteDirectory(const std::string& json);

  void Push(const std::vector<event::v1::Event>& events);
  // Waits, bounded, until it holds.
  static bool Eventually(const std::function<bool()>& holds);
  // The trace of an event known to be there.
  delivery::v1::EventTrace Trace(const std::string& event_id);
  // The last record of an event's only entry; none yet: unspecified state.
  delivery::v1::DeliveryRecordTrace Record(const std::string& event_id);
  // Waits until the event's last record is in that state.
  ::testing::AssertionResult Becomes(const std::string& event_id, delivery::v1::DeliveryState state,
                                     const std::string& reason = "");
  std::string Checksum();

  // The sandbox's own doors.
  void Fault(const std::string& json);
  void ClearFaults();
  std::string Report();
  uint64_t Created();
  void ExpectNothingTwice();
  std::vector<std::string> Resources(const std::string& type);

  simpul::testing::TempFolder folder;
  MovedClock clock;
  base::Metrics metrics;
  const event::Secret secret;
  std::unique_ptr<eventlog::EmbeddedLog> log;
  std::unique_ptr<timeline_role::TimelineRole> timeline;
  sandbox::Sandbox::Options sandbox_options;
  std::unique_ptr<sandbox::Sandbox> platform;
  Forwarder::Options options;
  std::unique_ptr<Forwarder> forwarder;
};

}  // namespace simpul::forwarder
