#include "lib/timeline/publisher.h"

#include <gmock/gmock.h>

#include <future>

#include "lib/timeline/store.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_folder.h"
#include "tests/timeline/histories.h"
#include "tests/timeline/records.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline {
namespace {

using std::chrono::seconds;

TEST(Publisher, LeavesWhatIsNextToABetterOwnerForAWhile) {
  const testing::TempFolder folder;
  base::Metrics metrics;
  const event::Secret secret = testing::SampleSecret();
  const auto log = testing::OpenLog(folder / "log", secret, metrics);
  const auto store =
      *Store::Open(folder / "store", log->install(), 1, {.memory = StoreMemory::Make(8 << 20)});
  Store::Applied applied;
  ASSERT_TRUE(store
                  ->Apply(testing::Records({testing::Weighing(1, "2026-02-03T09:00"),
                                            testing::Weighing(2, "2026-03-03T09:00")}),
                          nullptr, applied)
                  .ok());
  const auto end = [&] { return *log->End({eventlog::Topic::kEntries, 1}); };
  const auto told = static_cast<int64_t>(store->Unread(0, SIZE_MAX).size());
  const int64_t before = end();

  std::promise<void> appended;
  Publisher publisher(*log, *store, [&appended] { appended.set_value(); }, seconds(5));
  const std::chrono::steady_clock::time_point now;
  publisher.Drive(now + seconds(1));
  publisher.Drive(now + seconds(5));
  EXPECT_EQ(end(), before);
  publisher.Drive(now + seconds(6));
  appended.get_future().wait();
  // By key they lie in several partitions of the log.
  int64_t all = 0;
  for (uint32_t partition = 0; partition < log->partitions(); ++partition) {
    all += *log->End({eventlog::Topic::kEntries, partition}) - 1;
  }
  EXPECT_EQ(all, told);
}

}  // namespace
}  // namespace simpul::timeline
