#include "lib/deliver/directory_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/file.h"
#include "lib/base/status_macros.h"
#include "tests/support/temp_folder.h"

namespace simpul::deliver {
namespace {

using ::testing::HasSubstr;

event::v1::Facility Puskesmas() {
  event::v1::Facility facility;
  facility.set_system("kemenkes");
  facility.set_code("P7324020101");
  return facility;
}

std::string DirectoryNaming(std::string_view name) {
  return R"({"facilities":[{"codes":[{"system":"kemenkes","code":"P7324020101"}],"name":")" +
         std::string(name) + R"(","organization":"100027469","location":"l1"}]})";
}

class DirectoryFileTest : public ::testing::Test {
 protected:
  // Replaced as a whole: another inode each time, whatever the clock says.
  void Write(std::string_view text) { ASSERT_TRUE(base::WriteFileAtomically(path_, text).ok()); }
  std::string Name(DirectoryFile& file) {
    const auto directory = file.Get();
    const fhir::FacilityRow* row = directory->Facility(Puskesmas());
    return row == nullptr ? "" : row->name;
  }

  testing::TempFolder folder_;
  std::filesystem::path path_ = folder_ / "directory.json";
};

TEST_F(DirectoryFileTest, IsReadAgainWhenItHasChanged) {
  Write(DirectoryNaming("Nuha"));
  const auto file = DirectoryFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(Name(**file), "Nuha");
  const uint64_t version = (*file)->version();
  EXPECT_EQ((*file)->version(), version);
  const auto held = (*file)->Get();
  Write(DirectoryNaming("Nuha Timur"));
  EXPECT_EQ(Name(**file), "Nuha Timur");
  EXPECT_GT((*file)->version(), version);
  EXPECT_EQ(held->Facility(Puskesmas())->name, "Nuha");
}

TEST_F(DirectoryFileTest, KeepsTheLastGoodOneWhileTheFileIsBroken) {
  Write(DirectoryNaming("Nuha"));
  const auto file = DirectoryFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  Write("{");
  EXPECT_EQ(Name(**file), "Nuha");
  EXPECT_THAT(std::string(base::Message((*file)->Health())), HasSubstr("directory.json"));
  std::filesystem::remove(path_);
  EXPECT_EQ(Name(**file), "Nuha");
  EXPECT_FALSE((*file)->Health().ok());
  Write(DirectoryNaming("Nuha Timur"));
  EXPECT_EQ(Name(**file), "Nuha Timur");
  EXPECT_TRUE((*file)->Health().ok());
}

TEST_F(DirectoryFileTest, IsRefusedAtTheStartWhenItIsMissingOrBroken) {
  EXPECT_EQ(DirectoryFile::Open(path_).status().code(), absl::StatusCode::kNotFound);
  Write("[]");
  const absl::Status status = DirectoryFile::Open(path_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(base::Message(status)), HasSubstr("directory.json"));
}

TEST_F(DirectoryFileTest, KnowsNobodyWithoutAFile) {
  const auto file = DirectoryFile::Open({});
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(Name(**file), "");
  EXPECT_TRUE((*file)->Health().ok());
}

}  // namespace
}  // namespace simpul::deliver
