#include "lib/eventlog/data_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "lib/eventlog/embedded_log.h"
#include "tests/support/temp_folder.h"

namespace simpul::eventlog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DataFolderTest : public ::testing::Test {
 protected:
  std::filesystem::path Data() const { return folder_ / "data"; }

  // Opens the log with the folder's secret.
  absl::StatusOr<std::unique_ptr<EmbeddedLog>> OpenLog(const DataFolder& data,
                                                       uint32_t partitions = 4) {
    return EmbeddedLog::Open(
        data.log(), {.partitions = partitions, .secret_fingerprint = data.secret().Fingerprint()},
        base::SystemClock(), metrics_);
  }

  void Install() {
    auto data = DataFolder::Open(Data());
    ASSERT_TRUE(data.ok()) << data.status();
    const auto log = OpenLog(*data);
    ASSERT_TRUE(log.ok()) << log.status();
  }

  testing::TempFolder folder_;
  base::Metrics metrics_;
};

TEST_F(DataFolderTest, IsMadeWithASecretThatOnlyItsOwnerCanRead) {
  const auto data = DataFolder::Open(folder_ / "a" / "b" / "data");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(base::ReadFile(data->path() / "VERSION").value(), "1\n");
  EXPECT_EQ(base::ReadFile(data->path() / "secret").value().size(), 32u);
  struct stat status{};
  ASSERT_EQ(::stat((data->path() / "secret").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(Secret, IsForItsOwnerAloneOrForTheGroupThatRootGivesItTo) {
  constexpr uid_t kRoot = 0;
  constexpr uid_t kUser = 1000;
  EXPECT_FALSE(IsOpenToOthers(0600, kUser));
  EXPECT_TRUE(IsOpenToOthers(0640, kUser));
  EXPECT_TRUE(IsOpenToOthers(0604, kUser));
  EXPECT_FALSE(IsOpenToOthers(0440, kRoot));
  EXPECT_TRUE(IsOpenToOthers(0460, kRoot));
  EXPECT_TRUE(IsOpenToOthers(0444, kRoot));
}

TEST_F(DataFolderTest, WarnsOfASecretThatOthersCanRead) {
  ASSERT_TRUE(DataFolder::Open(Data()).ok());
  for (const auto& [mode, warns] : {std::pair(0604, true), {0600, false}}) {
    ASSERT_EQ(::chmod((Data() / "secret").c_str(), mode), 0);
    ::testing::internal::CaptureStderr();
    ASSERT_TRUE(ReadSecret(Data() / "secret").ok());
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(said.find("can be read by other users") != std::string::npos, warns) << said;
  }
}

TEST_F(DataFolderTest, KeepsItsSecret) {
  const std::string first = DataFolder::Open(Data())->secret().Fingerprint();
  EXPECT_EQ(DataFolder::Open(Data())->secret().Fingerprint(), first);
  EXPECT_NE(DataFolder::Open(folder_ / "other")->secret().Fingerprint(), first);
}

TEST_F(DataFolderTest, IsRefusedToASecondInstance) {
  const auto first = DataFolder::Open(Data());
  const auto second = DataFolder::Open(Data());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.status().ToString(),
              AllOf(HasSubstr((Data() / "LOCK").string()), HasSubstr("running instance"),
                    HasSubstr("Stop it first")));
}

TEST_F(DataFolderTest, IsRefusedWhenItIsOfAnotherVersion) {
  Install();
  ASSERT_TRUE(base::WriteFileAtomically(Data() / "VERSION", "2\n").ok());
  const auto data = DataFolder::Open(Data());
  EXPECT_EQ(data.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(data.status().ToString(),
              AllOf(HasSubstr((Data() / "VERSION").string()), HasSubstr("version 2"),
                    HasSubstr("Start the Simpul that made the folder")));
}

TEST_F(DataFolderTest, IsRefusedWhenItsSecretIsLost) {
  Install();
  std::filesystem::remove(Data() / "secret");
  const auto data = DataFolder::Open(Data());
  EXPECT_EQ(data.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(data.status().ToString(),
              AllOf(HasSubstr((Data() / "secret").string() + " is missing"),
                    HasSubstr("from your backup")));
  EXPECT_FALSE(std::filesystem::exists(Data() / "secret")) << "no other one is made";
}

TEST_F(DataFolderTest, IsRefusedWhenItsLogIsGone) {
  Install();
  std::filesystem::create_directories(Data() / "timeline" / "00");
  std::filesystem::remove_all(Data() / "log");
  std::filesystem::create_directories(Data() / "log");  // where its disk is not mounted
  const auto data = DataFolder::Open(Data());
  EXPECT_EQ(data.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(data.status().ToString(),
              AllOf(HasSubstr((Data() / "log").string() + " holds no log"),
                    HasSubstr("restore it from your backup")));
}

TEST_F(DataFolderTest, IsRefusedWhenItsSecretIsNone) {
  Install();
  ASSERT_TRUE(base::WriteFileAtomically(Data() / "secret", "short").ok());
  const auto data = DataFolder::Open(Data());
  EXPECT_EQ(data.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(data.status().ToString(),
              AllOf(HasSubstr((Data() / "secret").string() + " is 5 bytes long"),
                    HasSubstr("from your backup")));
}

TEST_F(DataFolderTest, SecretOfAnotherInstallIsRefusedByTheLog) {
  Install();
  ASSERT_TRUE(base::WriteFileAtomically(Data() / "secret", std::string(32, 'x'), 0600).ok());
  const auto data = DataFolder::Open(Data());
  ASSERT_TRUE(data.ok()) << data.status();
  const auto log = OpenLog(*data);
  EXPECT_EQ(log.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(log.status().ToString(),
              AllOf(HasSubstr((Data() / "secret").string()), HasSubstr(data->log().string()),
                    HasSubstr("from your backup")));
}

TEST_F(DataFolderTest, LogKeepsItsNumberOfPartitions) {
  Install();
  const auto data = DataFolder::Open(Data());
  const auto log = OpenLog(*data, 5);
  EXPECT_EQ(log.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(log.status().ToString(),
              AllOf(HasSubstr(data->log().string()), HasSubstr("Start with 4")));
  EXPECT_EQ(OpenLog(*data, 0).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(DataFolderTest, ComesBackWhenAllButTheLogAndTheSecretIsDeleted) {
  Install();
  std::filesystem::remove(Data() / "VERSION");
  std::filesystem::remove(Data() / "LOCK");
  const auto data = DataFolder::Open(Data());
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_TRUE(OpenLog(*data).ok());
  EXPECT_TRUE(std::filesystem::exists(Data() / "VERSION"));
}

TEST_F(DataFolderTest, IsNotMadeAmongOtherThings) {
  ASSERT_TRUE(base::MakeFolder(Data() / "lost+found").ok());
  EXPECT_TRUE(DataFolder::Open(Data()).ok());
  std::filesystem::remove(Data() / "VERSION");
  ASSERT_TRUE(base::WriteFileAtomically(Data() / "resources.journal", "a sandbox's").ok());
  const auto data = DataFolder::Open(Data());
  EXPECT_EQ(data.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(data.status().ToString(),
              AllOf(HasSubstr(Data().string()), HasSubstr("resources.journal"),
                    HasSubstr("a folder of its own")));
  EXPECT_FALSE(std::filesystem::exists(Data() / "VERSION"));
}

TEST_F(DataFolderTest, SaysSoWhenItCannotBeMade) {
  ASSERT_TRUE(base::WriteFileAtomically(Data(), "a file").ok());
  const auto data = DataFolder::Open(Data());
  EXPECT_FALSE(data.ok());
  EXPECT_THAT(data.status().ToString(), HasSubstr(Data().string()));
}

TEST_F(DataFolderTest, IsRefusedOnceItsLogGoesOnElsewhere) {
  Install();
  {
    const auto data = DataFolder::OpenToCopy(Data());
    ASSERT_TRUE(data.ok()) << data.status();
    ASSERT_TRUE(data->MarkCopied("Kafka at broker:9092").ok());
  }
  const auto refused = DataFolder::Open(Data());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.status().ToString(),
              AllOf(HasSubstr("Kafka at broker:9092"), HasSubstr((Data() / "COPIED").string())));
  EXPECT_TRUE(DataFolder::OpenToCopy(Data()).ok());
  std::filesystem::remove(Data() / "COPIED");
  EXPECT_TRUE(DataFolder::Open(Data()).ok());
}

TEST_F(DataFolderTest, IsNotMadeToBeCopied) {
  const auto missing = DataFolder::OpenToCopy(Data());
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(Data()));
  Install();
  std::filesystem::remove(Data() / "secret");
  EXPECT_THAT(DataFolder::OpenToCopy(Data()).status().ToString(), HasSubstr("secret is missing"));
  EXPECT_FALSE(std::filesystem::exists(Data() / "secret"));
}

}  // namespace
}  // namespace simpul::eventlog
