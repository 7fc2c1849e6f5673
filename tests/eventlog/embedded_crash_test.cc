// The embedded log's process is killed, its disk fails, its files are damaged.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <sstream>

#include "lib/base/check.h"
#include "lib/base/file.h"
#include "lib/eventlog/embedded_log.h"
#include "tests/eventlog/log_writer.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"

namespace simpul::eventlog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// The process that writes to the log until it is killed.
class Writer : public simpul::testing::ChildProcess {
 public:
  Writer(const std::filesystem::path& folder, std::vector<std::string> arguments,
         std::vector<std::string> environment = {})
      : ChildProcess("eventlog_log_writer", WithFolder(folder, std::move(arguments)),
                     std::move(environment)) {}

 private:
  static std::vector<std::string> WithFolder(const std::filesystem::path& folder,
                                             std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), folder.string());
    return arguments;
  }
};

using Records = std::map<std::pair<uint32_t, int64_t>, std::string>;

// Adds the acknowledged records among the lines.
void NoteAcknowledged(const std::vector<std::string>& lines, Records& acknowledged) {
  for (const std::string& line : lines) {
    if (!std::isdigit(static_cast<unsigned char>(line[0]))) continue;
    std::istringstream words(line);
    uint32_t partition = 0;
    int64_t position = 0;
    std::string name;
    words >> partition >> position >> name;
    EXPECT_TRUE(acknowledged.emplace(std::pair(partition, position), CrashTestValue(name)).second)
        << "position " << position << " was given twice";
  }
}

class EmbeddedCrashTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<EmbeddedLog>> Open(const std::filesystem::path& folder) {
    return EmbeddedLog::Open(folder, CrashTestOptions(), base::SystemClock(), metrics_);
  }
  absl::StatusOr<std::unique_ptr<EmbeddedLog>> Open() { return Open(folder_ / "log"); }

  // Everything in the log, read once from the first event on.
  static Records ReadAll(EmbeddedLog& log) {
    Records records;
    std::vector<Start> starts;
    size_t count = 0;
    for (uint32_t partition = 0; partition < log.partitions(); ++partition) {
      const Place place{Topic::kEvents, partition};
      starts.push_back({place, 1});
      count += static_cast<size_t>(log.End(place).value() - 1);
    }
    const auto subscription = log.Subscribe(std::move(starts));
    while (records.size() < count) {
      const auto record = (*subscription)->Poll(std::chrono::seconds(30));
      if (!record.ok() || !record->has_value()) {
        ADD_FAILURE() << "after " << records.size() << " of " << count << ": " << record.status();
        break;
      }
      records.emplace(std::pair((*record)->place.partition, (*record)->position),
                      std::string((*record)->value));
    }
    return records;
  }

  // Opens the log and finds everything that was acknowledged.
  void ExpectKept(const Records& acknowledged) {
    auto log = Open();
    ASSERT_TRUE(log.ok()) << log.status();
    const Records records = ReadAll(**log);
    for (const auto& [place, value] : acknowledged) {
      const auto found = records.find(place);
      ASSERT_TRUE(found != records.end())
          << "partition " << place.first << " position " << place.second << " is lost";
      EXPECT_EQ(found->second, value);
    }
  }

  std::vector<Appended> AppendTo(EmbeddedLog& log, int count, std::string_view value = "value") {
    std::vector<Draft> drafts;
    for (int i = 0; i < count; ++i) {
      drafts.push_back({.key = fmt::format("{:016}", i), .value = std::string(value)});
    }
    return AppendAndWait(log, std::move(drafts));
  }

  // The files of one kind in the log's folder, oldest first.
  std::vector<std::filesystem::path> Files(std::string_view extension) const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "log")) {
      if (entry.path().extension() == extension) files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }

  static std::string Contents(const std::filesystem::path& file) {
    return base::ReadFile(file).value();
  }
  static void Overwrite(const std::filesystem::path& file, std::string_view content) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  }

  testing::TempFolder folder_;
  base::Metrics metrics_;
};

TEST_F(EmbeddedCrashTest, KeepsWhatWasAcknowledgedWhenItIsKilledAtAnyMoment) {
  std::mt19937 random(20260105);
  Records acknowledged;
  for (int round = 0; round < 25; ++round) {
    Writer writer(folder_ / "log", {"4", std::to_string(1 + random() % 20)});
    writer.Hear(random() % 2000);
    writer.Kill();
    NoteAcknowledged(writer.Lines(), acknowledged);
    ExpectKept(acknowledged);
  }
  EXPECT_GT(acknowledged.size(), 5000u);
}

TEST_F(EmbeddedCrashTest, InstallsAgainWhenItIsKilledBeforeItWasInstalled) {
  for (int round = 0; round < 10; ++round) {
    std::filesystem::remove_all(folder_ / "log");
    {
      Writer writer(folder_ / "log", {"1", "1"});
      writer.Kill();
    }
    auto log = Open();
    ASSERT_TRUE(log.ok()) << log.status();
    EXPECT_TRUE(AppendTo(**log, 1)[0].ok());
  }
}

class EmbeddedFaultTest : public EmbeddedCrashTest,
                          public ::testing::WithParamInterface<const char*> {};

TEST_P(EmbeddedFaultTest, EndsAppendsAndLosesNothingAcknowledged) {
  Records acknowledged;
  for (int round = 0; round < 3; ++round) {
    Writer writer(folder_ / "log", {"4", "5", GetParam(), std::to_string(20 + round)});
    ASSERT_EQ(writer.Wait(), 0);
    std::map<std::string, std::string> said;
    for (const std::string& line : writer.Lines()) {
      const size_t colon = line.find(": ");
      if (colon != std::string::npos) said.emplace(line.substr(0, colon), line.substr(colon + 2));
    }
    for (const char* what : {"refused", "later", "admits", "health"}) {
      const auto why = AllOf(HasSubstr("UNAVAILABLE"), HasSubstr((folder_ / "log").string()),
                             HasSubstr("start Simpul again; nothing acknowledged is lost"));
      EXPECT_THAT(said[what], why) << what;
    }
    if (GetParam() == std::string_view("no_space")) {
      EXPECT_THAT(said["health"], HasSubstr("Free some space"));
    }
    NoteAcknowledged(writer.Lines(), acknowledged);
    ExpectKept(acknowledged);
  }
}

INSTANTIATE_TEST_SUITE_P(Disk, EmbeddedFaultTest,
                         ::testing::Values("no_space", "write_error", "sync_error"),
                         [](const auto& test) { return std::string(test.param); });

#ifdef SIMPUL_TEST_POINTS

TEST_F(EmbeddedCrashTest, KeepsWhatIsDurableWhenItDiesBeforeTheAnswer) {
  Writer writer(folder_ / "log", {"1", "10"}, {"SIMPUL_CRASH_AT=after_append_before_answer:3"});
  EXPECT_EQ(writer.Wait(), 137);
  auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(ReadAll(**log).size(), 30u);
  EXPECT_EQ(writer.Lines().size(), 20u);
}

TEST_F(EmbeddedCrashTest, WouldLoseWhatIsAcknowledgedIfItAnsweredBeforeItIsDurable) {
  Writer writer(folder_ / "log", {"1", "10"},
                {"SIMPUL_PLANT_BUG=answer_before_durable", "SIMPUL_CRASH_AT=after_answer:3"});
  EXPECT_EQ(writer.Wait(), 137);
  auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_LT(ReadAll(**log).size(), 30u) << "the planted bug is caught by a crash after an answer";
}

TEST_F(EmbeddedCrashTest, HasEverythingDurableWhenItAnswers) {
  Writer writer(folder_ / "log", {"1", "10"}, {"SIMPUL_CRASH_AT=after_answer:3"});
  EXPECT_EQ(writer.Wait(), 137);
  auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_GE(ReadAll(**log).size(), 30u);
}

#endif

// A log, and how its newest file of unmerged writes grew by one more append.
class EmbeddedDamageTest : public EmbeddedCrashTest {
 protected:
  EmbeddedDamageTest() {
    {
      auto log = Open();
      SIMPUL_CHECK(log.ok(), "{}", log.status().ToString());
      for (int i = 0; i < 20; ++i) AppendTo(**log, 10, std::string(300, 'a'));
      kept_ = ReadAll(**log);
      wal_ = Files(".log").back();
      before_ = std::filesystem::file_size(wal_);
      AppendTo(**log, 200, std::string(300, 'b'));
    }
    whole_ = Contents(wal_);
    SIMPUL_CHECK(whole_.size() > before_ + 60'000, "{} grew to {}", before_, whole_.size());
    std::filesystem::copy(folder_ / "log", folder_ / "copy");
  }

  // The log as it was written, but with this newest file.
  absl::StatusOr<std::unique_ptr<EmbeddedLog>> OpenWith(std::string_view wal) {
    std::filesystem::remove_all(folder_ / "log");
    std::filesystem::copy(folder_ / "copy", folder_ / "log");
    Overwrite(wal_, wal);
    return Open();
  }

  Records kept_;
  std::filesystem::path wal_;
  size_t before_ = 0;
  std::string whole_;
};

TEST_F(EmbeddedDamageTest, ToleratesATornLastWrite) {
  std::mt19937 random(7);
  std::vector<size_t> cuts = {before_,     before_ + 1, before_ + 6,
                              before_ + 7, before_ + 8, whole_.size() - 1};
  for (int i = 0; i < 20; ++i) cuts.push_back(before_ + random() % (whole_.size() - before_));
  for (const size_t cut : cuts) {
    auto log = OpenWith(whole_.substr(0, cut));
    ASSERT_TRUE(log.ok()) << "cut at " << cut - before_ << ": " << log.status();
    EXPECT_EQ(ReadAll(**log), kept_);
    EXPECT_TRUE(AppendTo(**log, 1)[0].ok());
  }
}

TEST_F(EmbeddedDamageTest, ToleratesALastWriteOfWhichPagesDidNotReachTheDisk) {
  constexpr size_t kPage = 4096;
  for (size_t page = before_ / kPage + 1; page < whole_.size() / kPage; ++page) {
    std::string wal = whole_;
    std::fill_n(wal.begin() + static_cast<std::ptrdiff_t>(page * kPage), kPage, '\0');
    auto log = OpenWith(wal);
    ASSERT_TRUE(log.ok()) << "page " << page << ": " << log.status();
    EXPECT_EQ(ReadAll(**log), kept_);
    EXPECT_TRUE(AppendTo(**log, 1)[0].ok());
  }
}

TEST_F(EmbeddedDamageTest, ToleratesALengthThatReachedTheDiskBeforeTheBytes) {
  for (const size_t zeros : {size_t{1}, size_t{7}, size_t{100}, size_t{40'000}}) {
    auto log = OpenWith(whole_.substr(0, before_) + std::string(zeros, '\0'));
    ASSERT_TRUE(log.ok()) << zeros << " zeros: " << log.status();
    EXPECT_EQ(ReadAll(**log), kept_);
  }
}

TEST_F(EmbeddedDamageTest, RefusesToOpenWhenSomethingBeforeTheLastWriteIsDamaged) {
  std::mt19937 random(11);
  for (int i = 0; i < 40; ++i) {
    std::string wal = whole_;
    const size_t at = random() % before_;
    wal[at] = static_cast<char>(wal[at] ^ (1 << random() % 8));
    const auto log = OpenWith(wal);
    ASSERT_FALSE(log.ok()) << "byte " << at << " of " << before_;
    EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(log.status().ToString(), AllOf(HasSubstr((folder_ / "log").string()),
                                               HasSubstr("restore it from your backup")));
  }
}

TEST_F(EmbeddedDamageTest, RefusesToOpenWhenTheLastWriteIsDamagedButNotTorn) {
  std::mt19937 random(13);
  for (int i = 0; i < 40; ++i) {
    std::string wal = whole_;
    const size_t at = before_ + random() % (whole_.size() - before_);
    wal[at] = static_cast<char>(wal[at] ^ (1 << random() % 8));
    const auto log = OpenWith(wal);
    ASSERT_FALSE(log.ok()) << "byte " << at - before_;
    EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(EmbeddedDamageTest, RefusesToOpenWhenAnOlderFileDoesNotEndWithAWholeWrite) {
  Overwrite(wal_, whole_.substr(0, whole_.size() - 10));
  std::filesystem::path newer = wal_;
  newer.replace_filename("999999.log");
  Overwrite(newer, "");
  const auto log = Open();
  EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(log.status().ToString(),
              AllOf(HasSubstr(wal_.filename().string()), HasSubstr("restore it from your backup")));
}

TEST_F(EmbeddedDamageTest, RefusesToOpenWhenAFileOfTheStoreIsMissingOrCut) {
  // Opening flushes what was replayed into a table.
  ASSERT_TRUE(Open().ok());
  const std::vector<std::filesystem::path> tables = Files(".sst");
  ASSERT_FALSE(tables.empty());
  const std::string table = Contents(tables.back());
  Overwrite(tables.back(), table.substr(0, table.size() / 2));
  auto log = Open();
  EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss) << log.status();
  std::filesystem::remove(tables.back());
  log = Open();
  EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss) << log.status();
}

TEST_F(EmbeddedDamageTest, SaysWhichPositionsOfADamagedTableCannotBeRead) {
  ASSERT_TRUE(Open().ok());
  const std::vector<std::filesystem::path> tables = Files(".sst");
  std::string table = Contents(tables.back());
  for (size_t i = 0; i < 200; ++i) table[table.size() / 3 + i] ^= 0x55;
  Overwrite(tables.back(), table);
  auto log = Open();
  absl::Status status = log.status();
  if (log.ok()) {
    std::vector<Start> starts;
    for (uint32_t partition = 0; partition < 4; ++partition) {
      starts.push_back({{Topic::kEvents, partition}, 1});
    }
    auto subscription = (*log)->Subscribe(std::move(starts));
    while (status.ok()) status = (*subscription)->Poll(std::chrono::milliseconds(0)).status();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(status.ToString(), AllOf(HasSubstr("simpul.events.v1 partition"),
                                       HasSubstr("cannot be read"), HasSubstr("from your backup")));
  if (!log.ok()) return;
  // A backup put in its place would lose whatever was taken from here on.
  EXPECT_EQ((*log)->Admit(1).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT((*log)->Health().ToString(), HasSubstr("is damaged and takes nothing more"));
}

}  // namespace
}  // namespace simpul::eventlog
