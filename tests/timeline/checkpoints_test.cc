#include "lib/timeline/checkpoints.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>
#include <map>

#include "lib/base/file.h"
#include "lib/base/status_macros.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_folder.h"
#include "tests/timeline/histories.h"
#include "tests/timeline/records.h"
#include "tests/timeline/stories.h"

namespace simpul::timeline {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Records;
using ::testing::SizeIs;

constexpr char kInstall[] = "11111111-2222-4333-8444-555555555555";
constexpr uint32_t kPartition = 7;

class CheckpointsTest : public ::testing::Test {
 protected:
  static log::v1::Install Install(const std::string& id = kInstall) {
    log::v1::Install install;
    install.set_install_id(id);
    return install;
  }
  std::unique_ptr<Store> Open(std::string_view name, uint32_t partition = kPartition,
                              const std::string& install = kInstall) {
    auto store = Store::Open(folder_ / name, Install(install), partition, {.memory = memory_});
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  std::unique_ptr<Checkpoints> Make(uint32_t replica = 0) {
    return std::make_unique<Checkpoints>(
        Checkpoints::Options{.folder = dir_, .replica = replica, .room_bytes = room_bytes_});
  }
  absl::Status Apply(Store& store, size_t until) {
    Store::Applied applied;
    return store.Apply(std::span(records_).first(until), nullptr, applied);
  }
  // A store of so many records with a checkpoint of each step.
  void WriteSteps(const std::vector<size_t>& steps, uint32_t replica = 0) {
    const auto store = Open(fmt::format("of-{}", replica));
    const auto checkpoints = Make(replica);
    for (const size_t step : steps) {
      ASSERT_TRUE(Apply(*store, step).ok());
      const auto written = checkpoints->Write(*store);
      ASSERT_TRUE(written.ok()) << written.status();
      EXPECT_EQ(written->position, static_cast<int64_t>(step));
    }
  }
  // The position it restored to; 0: there was none.
  int64_t Restore(std::string_view name, const std::string& install = kInstall,
                  uint32_t partition = kPartition, const Checkpoints::Fits& fits = nullptr) {
    const auto restored = Make()->Restore(
        folder_ / name, Install(install), partition,
        fits != nullptr ? fits : [](const StoreProgress&) { return absl::OkStatus(); });
    EXPECT_TRUE(restored.ok()) << restored.status();
    return restored->has_value() ? (*restored)->progress.position : 0;
  }
  // Restores, reads the rest from the log, and expects the one outcome.
  void ExpectWhole(std::string_view name) {
    const auto store = Open(name);
    ASSERT_TRUE(Apply(*store, records_.size()).ok());
    EXPECT_EQ(testing::Counted(store->state().tally), testing::Expect(events_)) << name;
  }
  std::vector<fs::path> Files() const {
    std::vector<fs::path> files;
    for (const auto& file : fs::recursive_directory_iterator(dir_)) {
      if (file.is_regular_file() && file.file_size() > 0) files.push_back(file.path());
    }
    return files;
  }
  static void Flip(const fs::path& path, size_t at) {
    auto content = base::ReadFile(path);
    ASSERT_TRUE(content.ok());
    (*content)[at] ^= 0x10;
    ASSERT_TRUE(base::WriteFileAtomically(path, *content).ok());
  }

  testing::TempFolder folder_;
  const fs::path dir_ = folder_ / "checkpoints";
  uint64_t room_bytes_ = 1 << 20;
  std::shared_ptr<StoreMemory> memory_ = StoreMemory::Make(8 << 20);
  const std::vector<event::v1::Event> events_ = testing::RandomStory(7, 300);
  const std::vector<eventlog::OwnedRecord> records_ = Records(events_);
};

TEST_F(CheckpointsTest, AreStoresAgainWithTheSameContentAndFillFromTheLog) {
  const size_t most = records_.size() - 20;
  testing::Outcome before;
  {
    const auto store = Open("first");
    ASSERT_TRUE(Apply(*store, most).ok());
    ASSERT_TRUE(Make()->Write(*store).ok());
    ASSERT_TRUE(Apply(*store, records_.size()).ok()) << "it is served on";
    before = testing::Counted(store->state().tally);
  }
  ASSERT_EQ(Restore("second"), static_cast<int64_t>(most));
  {
    const auto store = Open("second");
    EXPECT_EQ(store->state().position, static_cast<int64_t>(most));
    EXPECT_FALSE(store->state().is_compared) << "the log may be another";
    EXPECT_GT(store->Unread(0, SIZE_MAX).size(), 0u) << "what was not told is told";
  }
  ExpectWhole("second");
  EXPECT_EQ(testing::Counted(Open("second")->state().tally), before);
}

TEST_F(CheckpointsTest, AreNotMadeOfWhatHasNotAdvanced) {
  WriteSteps({100});
  const size_t files = Files().size();
  {
    const auto store = Open("of-0");
    const auto again = Make()->Write(*store);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->position, 100);
  }
  EXPECT_THAT(Files(), SizeIs(files));
}

TEST_F(CheckpointsTest, KeepTheLastThree) {
  WriteSteps({20, 40, 60, 80, 100});
  size_t kept = 0;
  for (const auto& one : fs::directory_iterator(dir_ / "07" / "0" / "private")) {
    kept += one.is_directory();
  }
  EXPECT_EQ(kept, 3u);
  EXPECT_EQ(Restore("back"), 100);
}

TEST_F(CheckpointsTest, AreNotMadeOfAStoreThatDoesNotKnowItsLog) {
  {
    const auto store = Open("first");
    ASSERT_TRUE(Apply(*store, 10).ok());
  }
  const auto store = Open("first");
  EXPECT_EQ(Make()->Write(*store).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Apply(*store, 10).ok());
  EXPECT_TRUE(Make()->Write(*store).ok());
}

TEST_F(CheckpointsTest, LeaveAFolderThatHoldsSomethingAlone) {
  WriteSteps({100});
  Open("mine");
  EXPECT_EQ(Restore("mine"), 0);
  EXPECT_EQ(Open("mine")->state().position, 0);
}

TEST_F(CheckpointsTest, OfTheReplicaThatIsFurthestCount) {
  WriteSteps({50, 100}, 0);
  WriteSteps({120}, 1);
  WriteSteps({30}, 2);
  EXPECT_EQ(Restore("back"), 120);
  ExpectWhole("back");
}

TEST_F(CheckpointsTest, OfAnotherInstallOrPartitionArePassedOver) {
  WriteSteps({100});
  EXPECT_EQ(Restore("another install", "99999999-2222-4333-8444-555555555555"), 0);
  fs::rename(dir_ / "07", dir_ / "08");
  EXPECT_EQ(Restore("another partition", kInstall, 8), 0);
  EXPECT_EQ(Restore("none"), 0);
  EXPECT_FALSE(fs::exists(folder_ / "another partition"));
}

TEST_F(CheckpointsTest, ThatDoNotFitArePassedOverForOlderOnes) {
  WriteSteps({50, 100, 150});
  EXPECT_EQ(Restore("back", kInstall, kPartition,
                    [](const StoreProgress& progress) {
                      return progress.position < 120 ? absl::OkStatus()
                                                     : absl::OutOfRangeError("ahead of the log");
                    }),
            100);
  ExpectWhole("back");
}

TEST_F(CheckpointsTest, AreNeverReadWrongWhateverByteIsFlipped) {
  WriteSteps({60, 120, 180});
  const std::vector<fs::path> files = Files();
  ASSERT_GT(files.size(), 8u);
  std::map<int64_t, int> restored;
  for (const fs::path& file : files) {
    const size_t size = fs::file_size(file);
    for (const size_t at : {size_t{0}, size / 2, size - 1}) {
      Flip(file, at);
      ++restored[Restore("back")];
      ExpectWhole("back");
      fs::remove_all(folder_ / "back");
      Flip(file, at);
    }
  }
  EXPECT_GT(restored[180], 0) << "of the older ones";
  EXPECT_GT(restored[120], 0) << "of the newest one";
}

TEST_F(CheckpointsTest, ArePassedOverWhenFilesAreGoneOrCut) {
  WriteSteps({60, 120});
  for (const fs::path& file : Files()) {
    const auto content = *base::ReadFile(file);
    fs::remove(file);
    Restore("back");
    ExpectWhole("back");
    fs::remove_all(folder_ / "back");
    ASSERT_TRUE(base::WriteFileAtomically(file, content.substr(0, content.size() / 2)).ok());
    Restore("back");
    ExpectWhole("back");
    fs::remove_all(folder_ / "back");
    ASSERT_TRUE(base::WriteFileAtomically(file, content).ok());
  }
  EXPECT_EQ(Restore("back"), 120);
}

TEST_F(CheckpointsTest, AreMadeAnewWhenAFileTheyShareWasDamaged) {
  const auto store = Open("first");
  const auto checkpoints = Make();
  ASSERT_TRUE(Apply(*store, 100).ok());
  ASSERT_TRUE(checkpoints->Write(*store).ok());
  for (const fs::path& file : Files()) {
    if (file.extension() == ".sst") Flip(file, fs::file_size(file) / 2);
  }
  ASSERT_TRUE(Apply(*store, 150).ok());
  EXPECT_EQ(checkpoints->Write(*store).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Restore("before"), 0) << "one that was never whole does not count";
  ASSERT_TRUE(checkpoints->Write(*store).ok());
  EXPECT_EQ(Restore("back"), 150);
  ExpectWhole("back");
}

TEST_F(CheckpointsTest, WaitForRoomAndLeaveTheStoreAlone) {
  const auto store = Open("first");
  ASSERT_TRUE(Apply(*store, 100).ok());
  room_bytes_ = uint64_t{1} << 62;
  const absl::Status full = Make()->Write(*store).status();
  EXPECT_EQ(full.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(base::Message(full), AllOf(HasSubstr(dir_.string()), HasSubstr("is full")));
  ASSERT_TRUE(Apply(*store, 150).ok());
  room_bytes_ = 1 << 20;
  ASSERT_TRUE(Make()->Write(*store).ok());
  EXPECT_FALSE(fs::exists(folder_ / "first.staged"));
}

TEST_F(CheckpointsTest, SayWhyTheirFolderCannotBeWritten) {
  const auto store = Open("first");
  ASSERT_TRUE(Apply(*store, 100).ok());
  ASSERT_TRUE(base::WriteFileAtomically(dir_, "a file").ok());
  EXPECT_FALSE(Make()->Write(*store).ok());
  EXPECT_EQ(Restore("back"), 0);
  ASSERT_TRUE(Apply(*store, 150).ok()) << "serving goes on";
}

TEST_F(CheckpointsTest, AreNotBegunOnceTheyWereStopped) {
  const auto store = Open("first");
  ASSERT_TRUE(Apply(*store, 100).ok());
  const auto checkpoints = Make();
  checkpoints->Stop();
  EXPECT_EQ(checkpoints->Write(*store).status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace simpul::timeline
