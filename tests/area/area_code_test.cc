#include "lib/area/area_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "lib/base/status_macros.h"

namespace simpul::area {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

event::v1::Address Home(std::string_view system, std::string_view village,
                        std::string_view dusun = "", std::string_view rw = "",
                        std::string_view rt = "") {
  event::v1::Address address;
  address.set_village_system(std::string(system));
  address.set_village_code(std::string(village));
  address.set_dusun(std::string(dusun));
  address.set_rw(std::string(rw));
  address.set_rt(std::string(rt));
  return address;
}

TEST(AreaCode, IsReadAndWrittenTheOneWay) {
  const struct {
    std::string_view text, written;
  } kCases[] = {
      {"kemendagri|73", "kemendagri|73"},
      {"73.24", "kemendagri|73.24"},
      {"73.24.02", "kemendagri|73.24.02"},
      {"73.24.02.1005", "kemendagri|73.24.02.1005"},
      {"bps|7324020003", "bps|7324020003"},
      {"bps|7324020", "bps|7324020"},
      {"kemenkes|P7324020101", "kemenkes|P7324020101"},
      {"posyandu|73.24.02.2003.001", "posyandu|73.24.02.2003.001"},
      {"73.24.02.2003/Sumasang", "kemendagri|73.24.02.2003/sumasang"},
      {"73.24.02.2003/Sumasang//", "kemendagri|73.24.02.2003/sumasang"},
      {"73.24.02.2003/ Wawo  NDULA /001/02", "kemendagri|73.24.02.2003/wawo ndula/1/2"},
      {"73.24.02.2003//1", "kemendagri|73.24.02.2003//1"},
      {"73.24.02.2003//000/0", "kemendagri|73.24.02.2003//0/0"},
      {"73.24.02.2003/Sumasang//2", "kemendagri|73.24.02.2003/sumasang//2"},
      {"kemenkes|P7324020101//3", "kemenkes|P7324020101//3"},
  };
  for (const auto& [text, written] : kCases) {
    SCOPED_TRACE(text);
    const auto area = AreaCode::Parse(text);
    ASSERT_TRUE(area.ok()) << area.status();
    EXPECT_EQ(area->Text(), written);
    EXPECT_EQ(*AreaCode::Parse(area->Text()), *area);
  }
}

TEST(AreaCode, SaysWhatIsWrongAndWhatToWriteAndNeverTheText) {
  const struct {
    std::string text, words;
  } kCases[] = {
      {"", "there is no area"},
      {"7324020003", "no system is named"},
      {"73", "no system is named"},
      {"P7324020101", "no system is named"},
      {"73.24.2", "no code of Kemendagri's"},
      {"11.01.10.2001.001", "no code of Kemendagri's"},
      {"73.24.02.200x", "no code of Kemendagri's"},
      {"73-24.02.2003", "no code of Kemendagri's"},
      {"|73.24", "nothing stands before |"},
      {"kemendagri|", "nothing stands after |"},
      {"Kemendagri|73.24", "write it in lower case"},
      {std::string(65, 'a') + "|1", "the system before | is none"},
      {"kemendagri|7324020003", "groups of 2, 2, 2 and 4"},
      {"bps|73.24", "2, 4, 7 or 10 digits"},
      {"bps|732402", "2, 4, 7 or 10 digits"},
      {"kemenkes|P732 4", "only ASCII letters"},
      {"kemenkes|a|b", "only ASCII letters"},
      {"kemenkes|" + std::string(65, '1'), "longer than 64"},
      {"local|7324024105200001", "looks like an identity number"},
      {"73.24.02.2003/", "nothing follows the /"},
      {"73.24.02.2003///", "nothing follows the /"},
      {"73.24.02.2003/a/1/2/3", "more than three parts"},
      {"73.24.02.2003//x", "RW is no number"},
      {"73.24.02.2003//1/x", "RT is no number"},
      {"73.24.02.2003//00001", "RW is no number"},
      {"73.24.02.2003///2", "an RT is one of an RW or dusun"},
      {"73.24.02/Sumasang", "the code names a greater region"},
      {"bps|7324020//1", "the code names a greater region"},
      {"73.24.02.2003/" + std::string(201, 'a'), "dusun is longer"},
  };
  for (const auto& [text, words] : kCases) {
    SCOPED_TRACE(text);
    const auto area = AreaCode::Parse(text);
    ASSERT_FALSE(area.ok());
    EXPECT_EQ(area.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(base::Message(area.status())), HasSubstr(words));
    if (text.size() > 14) {
      EXPECT_THAT(std::string(base::Message(area.status())), Not(HasSubstr(text)));
    }
  }
}

TEST(AreaCode, TellsWhetherSomebodyLivesThere) {
  const struct {
    std::string_view area;
    event::v1::Address home;
    bool inside;
  } kCases[] = {
      {"73.24.02.2003", Home("kemendagri", "73.24.02.2003"), true},
      {"73.24.02.2003", Home("kemendagri", "73.24.02.2005"), false},
      {"73.24.02", Home("kemendagri", "73.24.02.2003"), true},
      {"73.24", Home("kemendagri", "73.24.02.2003"), true},
      {"kemendagri|73", Home("kemendagri", "73.24.02.2003"), true},
      {"73.25", Home("kemendagri", "73.24.02.2003"), false},
      // BPS and Kemendagri write some villages with the same digits; they are never one.
      {"bps|7324022003", Home("kemendagri", "73.24.02.2003"), false},
      {"bps|73", Home("kemendagri", "73.24.02.2003"), false},
      {"kemendagri|73", Home("bps", "7324022003"), false},
      {"bps|73", Home("bps", "7324022003"), true},
      {"bps|7324022", Home("bps", "7324022003"), true},
      {"bps|7324020", Home("bps", "7324022003"), false},
      {"73.24.02.2003", Home("", "73.24.02.2003"), false},
      {"73.24.02.2003", Home("", ""), false},
      {"kemenkes|P7324020101", Home("kemendagri", "73.24.02.2003"), false},
      {"73.24.02.2003//1", Home("kemendagri", "73.24.02.2003", "Sumasang", "001", "002"), true},
      {"73.24.02.2003//001", Home("kemendagri", "73.24.02.2003", "", "1", ""), true},
      {"73.24.02.2003//1", Home("kemendagri", "73.24.02.2003", "Sumasang", "10", ""), false},
      {"73.24.02.2003//1", Home("kemendagri", "73.24.02.2003", "Sumasang"), false},
      {"73.24.02.2003//0", Home("kemendagri", "73.24.02.2003", "Sumasang"), false},
      {"73.24.02.2003//0", Home("kemendagri", "73.24.02.2003", "", "000"), true},
      {"73.24.02.2003//1/2", Home("kemendagri", "73.24.02.2003", "", "01", "02"), true},
      {"73.24.02.2003//1/2", Home("kemendagri", "73.24.02.2003", "", "01", "03"), false},
      {"73.24.02.2003/Sumasang", Home("kemendagri", "73.24.02.2003", " SUMASANG "), true},
      {"73.24.02.2003/Sumasang", Home("kemendagri", "73.24.02.2003", "Sumasang Baru"), false},
      {"73.24.02.2003/Sumasang/1", Home("kemendagri", "73.24.02.2005", "Sumasang", "1"), false},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(std::string(one.area) + " and " + one.home.ShortDebugString());
    EXPECT_EQ(Contains(*AreaCode::Parse(one.area), one.home), one.inside);
  }
}

TEST(AreaCode, KnowsTheLevelsOfBothSystems) {
  EXPECT_EQ(RegionLevel("kemendagri", "73.24.02"), Level::kDistrict);
  EXPECT_EQ(RegionLevel("bps", "7324020"), Level::kDistrict);
  EXPECT_EQ(RegionLevel("bps", "73240"), std::nullopt);
  EXPECT_EQ(RegionLevel("kemenkes", "73.24.02"), std::nullopt);
  EXPECT_EQ(RegionAbove("kemendagri", "73.24.02.2003"), "73.24.02");
  EXPECT_EQ(RegionAbove("bps", "7324020003"), "7324020");
  EXPECT_EQ(RegionAbove("bps", "7324"), "73");
  EXPECT_EQ(RegionAbove("kemendagri", "73"), "");
  EXPECT_FALSE(Within({"kemendagri", "73.24.02.2003"}, {"kemendagri", "73.24.02"}));
}

}  // namespace
}  // namespace simpul::area
