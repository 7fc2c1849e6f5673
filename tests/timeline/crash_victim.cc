// The process that the crash test kills: opens the log and the role in a folder, waits until
// everything is on timelines and every derived record was read back, says the state and ends.
//
//   timeline_crash_victim FOLDER [checkpoints]   prints events, entries, waiting, dead letters,
//                                                checksum; waits for a checkpoint of all of it
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "lib/base/check.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/timeline/store.h"
#include "tests/timeline/records.h"
#include "timeline/timeline_role.h"

namespace simpul::timeline_role {
namespace {

// Reads topic entries until each partition has `numbers` of them.
void AwaitTold(eventlog::EventLog& log, uint32_t partition, uint64_t numbers) {
  auto subscription = *log.Subscribe({{{eventlog::Topic::kEntries, partition}, 1}});
  uint64_t last = 0;
  while (last < numbers) {
    const auto record = subscription->Poll(std::chrono::seconds(30));
    SIMPUL_CHECK(record.ok() && record->has_value(), "Derived records do not come.");
    log::v1::LogRecord told;
    SIMPUL_CHECK(told.ParseFromString(std::string((*record)->value)), "No log record.");
    SIMPUL_CHECK(told.derived().number() <= last + 1, "A hole before {}.", told.derived().number());
    last = std::max(last, told.derived().number());
  }
}

int Run(const std::filesystem::path& folder, bool checkpoints) {
  base::SetLogMinimum(base::Severity::kWarning);
  base::Metrics metrics;
  const event::Secret secret = testing::SampleSecret();
  const auto log = testing::OpenLog(folder / "log", secret, metrics);
  std::vector<uint64_t> numbers;
  for (int round = 0; round < 2; ++round) {
    TimelineRole::CheckpointOptions how;
    if (checkpoints) {
      how = {.folder = folder / "checkpoints", .every = std::chrono::milliseconds(1)};
    }
    auto role = TimelineRole::Open(*log, secret, folder / "timeline", metrics, {}, how);
    SIMPUL_CHECK(role.ok(), "{}", base::Message(role.status()));
    for (uint32_t partition = 0; partition < log->partitions(); ++partition) {
      for (;;) {
        timeline::v1::GetStateResponse state;
        SIMPUL_CHECK((*role)->GetState(state).ok(), "No state.");
        const auto& shown = state.partitions(static_cast<int>(partition));
        if (!shown.stopped().empty()) {
          fmt::print("stopped: {}\n", shown.stopped());
          return 0;
        }
        const std::string line =
            fmt::format("\nsimpul_timeline_checkpoint_position{{partition=\"{}\"}} {}\n", partition,
                        shown.position());
        if (shown.position() == shown.log_end() &&
            (!checkpoints || shown.position() == 0 ||
             metrics.Render().find(line) != std::string::npos)) {
          break;
        }
        std::this_thread::yield();
      }
      // The first round says how much is told in all, the second waits for it.
      if (round == 1) AwaitTold(*log, partition, numbers[partition]);
    }
    timeline::v1::GetStateResponse state;
    SIMPUL_CHECK((*role)->GetState(state).ok(), "No state.");
    role->reset();
    if (round == 1) {
      uint64_t waiting = 0;
      uint64_t dead_letters = 0;
      for (const auto& shown : state.partitions()) {
        waiting += shown.waiting();
        dead_letters += shown.dead_letters();
      }
      fmt::print("{} {} {} {} {}\n", state.events(), state.entries(), waiting, dead_letters,
                 state.checksum());
    }
    for (uint32_t partition = 0; round == 0 && partition < log->partitions(); ++partition) {
      const auto store = timeline::Store::Open(
          folder / "timeline" / fmt::format("{:02}", partition), log->install(), partition,
          {.memory = timeline::StoreMemory::Make(1 << 20)});
      SIMPUL_CHECK(store.ok(), "{}", base::Message(store.status()));
      numbers.push_back((*store)->state().last_number);
    }
  }
  return 0;
}

}  // namespace
}  // namespace simpul::timeline_role

int main(int argc, char** argv) {
  SIMPUL_CHECK(argc == 2 || argc == 3, "timeline_crash_victim FOLDER [checkpoints]");
  return simpul::timeline_role::Run(argv[1], argc == 3);
}
