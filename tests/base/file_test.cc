#include "lib/base/file.h"

#include <gtest/gtest.h>

#include "lib/base/hash.h"
#include "tests/support/temp_folder.h"

namespace simpul::base {
namespace {

TEST(File, MissingIsNotFoundAndNamesThePath) {
  const absl::StatusOr<std::string> content = ReadFile("/nowhere/at/all");
  EXPECT_EQ(content.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(content.status().ToString().find("/nowhere/at/all"), std::string::npos);
}

TEST(File, IsWhollyReplaced) {
  testing::TempFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "f", "a longer first content").ok());
  ASSERT_TRUE(WriteFileAtomically(folder / "f", "second").ok());
  EXPECT_EQ(*ReadFile(folder / "f"), "second");
}

TEST(FileLock, IsHeldByOneAtATime) {
  testing::TempFolder folder;
  {
    absl::StatusOr<FileLock> first = FileLock::Acquire(folder / "LOCK");
    ASSERT_TRUE(first.ok());
    const absl::StatusOr<FileLock> second = FileLock::Acquire(folder / "LOCK");
    EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(second.status().ToString().find("running instance"), std::string::npos);
  }
  EXPECT_TRUE(FileLock::Acquire(folder / "LOCK").ok());
}

TEST(CopyFile, TellsWhatWasCopiedAndNeverReplaces) {
  testing::TempFolder folder;
  const std::string content(3'000'000, 'x');
  ASSERT_TRUE(WriteFileAtomically(folder / "from", content).ok());
  const absl::StatusOr<FileContent> copied = CopyFile(folder / "from", folder / "to");
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(copied->bytes, content.size());
  EXPECT_EQ(copied->sha256, Hex(AsBytes(Sha256(content))));
  EXPECT_EQ(*ReadFile(folder / "to"), content);
  EXPECT_EQ(*ReadContent(folder / "to"), *copied);
  EXPECT_FALSE(CopyFile(folder / "from", folder / "to").ok());
  EXPECT_EQ(CopyFile(folder / "none", folder / "new").status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder / "new"));
}

}  // namespace
}  // namespace simpul::base
