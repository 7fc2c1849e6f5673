// How soon a replica whose timelines are gone has them all again: from a checkpoint, and from the
// log alone.
//
//   bench_restore [EVENTS]     prints one JSON object a line
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "lib/base/check.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/base/status_macros.h"
#include "lib/eventlog/embedded_log.h"
#include "tests/bench/measure.h"
#include "tests/bench/weighings.h"
#include "tests/support/temp_folder.h"
#include "timeline/timeline_role.h"

namespace simpul::bench {
namespace {

using Steady = std::chrono::steady_clock;
using timeline_role::TimelineRole;

template <typename Condition>
void Await(Condition condition) {
  while (!condition()) std::this_thread::sleep_until(Steady::now() + std::chrono::milliseconds(20));
}

class Replica {
 public:
  Replica(eventlog::EventLog& log, const event::Secret& secret, const std::filesystem::path& folder,
          const TimelineRole::CheckpointOptions& checkpoints)
      : log_(log) {
    auto role = TimelineRole::Open(log, secret, folder, metrics_, {}, checkpoints);
    SIMPUL_CHECK(role.ok(), "{}", base::Message(role.status()));
    role_ = *std::move(role);
    Await([this] { return role_->Ready().ok(); });
  }

  // Everything it derived is on the log, and all of it in a checkpoint.
  void AwaitCheckpoints() const {
    Await([this] {
      const std::string metrics = metrics_.Render();
      for (const char* group : {"0", "1"}) {
        const std::string none =
            fmt::format("\nsimpul_timeline_outbox_bytes{{group=\"{}\"}} 0\n", group);
        if (metrics.find(none) == std::string::npos) return false;
      }
      for (uint32_t p = 0; p < log_.partitions(); ++p) {
        const std::string name =
            fmt::format("\nsimpul_timeline_checkpoint_position{{partition=\"{}\"}} ", p);
        const size_t at = metrics.find(name);
        if (at == std::string::npos ||
            std::stod(metrics.substr(at + name.size(), 32)) + 1 <
                static_cast<double>(*log_.End({eventlog::Topic::kEvents, p}))) {
          return false;
        }
      }
      return true;
    });
  }

  std::string Checksum() const {
    timeline::v1::GetStateResponse state;
    SIMPUL_CHECK(role_->GetState(state).ok(), "No state.");
    return state.checksum();
  }

 private:
  eventlog::EventLog& log_;
  base::Metrics metrics_;
  std::unique_ptr<TimelineRole> role_;
};

int Run(size_t events) {
  base::SetLogMinimum(base::Severity::kWarning);
  const testing::TempFolder folder;
  const auto secret = *event::Secret::FromBytes(std::string(32, 's'));
  base::Metrics metrics;
  const auto opened = eventlog::EmbeddedLog::Open(
      folder / "log", {.secret_fingerprint = secret.Fingerprint()}, base::SystemClock(), metrics);
  SIMPUL_CHECK(opened.ok(), "{}", base::Message(opened.status()));
  eventlog::EmbeddedLog& log = **opened;
  Fill(log, secret, events, std::max<size_t>(events / kEventsAPatient, 1));
  const TimelineRole::CheckpointOptions with = {.folder = folder / "checkpoints",
                                                .every = std::chrono::seconds(5)};
  std::string before;
  {
    const Replica first(log, secret, folder / "timeline", with);
    first.AwaitCheckpoints();
    before = first.Checksum();
  }
  const auto again = [&](std::string_view from, const TimelineRole::CheckpointOptions& how,
                         std::string_view asked) {
    std::filesystem::remove_all(folder / "timeline");
    const auto begin = Steady::now();
    const Replica replica(log, secret, folder / "timeline", how);
    PrintAsked(fmt::format("{} events on timelines again, {}", events, from), SecondsSince(begin),
               asked, "s");
    SIMPUL_CHECK(replica.Checksum() == before, "The timelines are others.");
  };
  again("from a checkpoint", {.folder = with.folder, .every = std::chrono::hours(1)}, "<=8.5");
  again("from the log alone", {}, "");
  return 0;
}

}  // namespace
}  // namespace simpul::bench

int main(int argc, char** argv) {
  return simpul::bench::Run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000);
}
