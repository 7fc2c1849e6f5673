#include "lib/base/file.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace simpul::base
