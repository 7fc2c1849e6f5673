#include "lib/area/directory_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/file.h"
#include "lib/base/status_macros.h"
#include "tests/support/temp_folder.h"

namespace simpul::area {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kUnit =
    R"({"row":"unit","facility":"a|1","code":"U1","kind":"pustu","name":"x"})";

std::string FacilityNamed(std::string_view name) {
  return R"({"row":"facility","codes":[{"code":"a|1"}],"kind":"puskesmas","name":")" +
         std::string(name) + "\"}\n";
}

class DirectoryFilesTest : public ::testing::Test {
 protected:
  // Replaced as a whole: another inode each time, whatever the clock says.
  static void Write(const std::filesystem::path& path, std::string_view text) {
    ASSERT_TRUE(base::WriteFileAtomically(path, text).ok());
  }
  static std::string Name(DirectoryFiles& files) {
    const auto directory = files.Get();
    return directory->facilities().empty() ? "" : directory->facilities()[0].name;
  }

  simpul::testing::TempFolder folder_;
  std::filesystem::path facilities_ = folder_ / "facilities.jsonl";
  std::filesystem::path units_ = folder_ / "units.jsonl";
};

TEST_F(DirectoryFilesTest, AreOneDirectoryAndReadAgainWhenOneChanges) {
  Write(facilities_, FacilityNamed("Nuha"));
  Write(units_, kUnit);
  const auto files = DirectoryFiles::Open({facilities_, units_});
  ASSERT_TRUE(files.ok()) << files.status();
  const auto held = (*files)->Get();
  EXPECT_EQ(held->units().size(), 1);
  EXPECT_EQ((*files)->Get(), held);
  Write(facilities_, FacilityNamed("Nuha Timur"));
  EXPECT_EQ(Name(**files), "Nuha Timur");
  Write(units_, "# none\n");
  EXPECT_TRUE((*files)->Get()->units().empty());
  EXPECT_EQ(held->facilities()[0].name, "Nuha");
}

TEST_F(DirectoryFilesTest, KeepTheLastGoodDirectoryWhileOneIsWrong) {
  Write(facilities_, FacilityNamed("Nuha"));
  Write(units_, kUnit);
  const auto files = DirectoryFiles::Open({facilities_, units_});
  ASSERT_TRUE(files.ok()) << files.status();
  Write(units_, "# a note\nx\n");
  EXPECT_EQ((*files)->Get()->units().size(), 1);
  EXPECT_THAT(std::string(base::Message((*files)->Health())), HasSubstr("units.jsonl:2: no JSON"));
  // A good change of the other file does not count either while this one is wrong.
  Write(facilities_, FacilityNamed("Nuha Timur"));
  EXPECT_EQ(Name(**files), "Nuha");
  std::filesystem::remove(units_);
  EXPECT_EQ(Name(**files), "Nuha");
  EXPECT_EQ((*files)->Health().code(), absl::StatusCode::kNotFound);
  Write(units_, kUnit);
  EXPECT_EQ(Name(**files), "Nuha Timur");
  EXPECT_TRUE((*files)->Health().ok());
}

TEST_F(DirectoryFilesTest, AreRefusedAtTheStartWhenMissingOrWrong) {
  EXPECT_EQ(DirectoryFiles::Open({facilities_}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(base::Message(DirectoryFiles::Open({folder_ / ""}).status())),
              HasSubstr("is no file"));
  Write(units_, kUnit);
  EXPECT_THAT(std::string(base::Message(DirectoryFiles::Open({units_}).status())),
              HasSubstr("units.jsonl:1: \"facility\" is the code of no facility here"));
  const auto reading = ReadFiles({units_});
  ASSERT_TRUE(reading.ok());
  EXPECT_EQ(reading->wrong_count, 1);
  std::filesystem::resize_file(units_, kFileBytesMax + 1);
  EXPECT_THAT(std::string(base::Message(DirectoryFiles::Open({units_}).status())),
              HasSubstr("units.jsonl is larger than 64 MiB"));
}

TEST_F(DirectoryFilesTest, KnowNothingWithoutAFile) {
  const auto files = DirectoryFiles::Open({});
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(Name(**files), "");
  EXPECT_TRUE((*files)->Health().ok());
}

}  // namespace
}  // namespace simpul::area
