#include "lib/base/text.h"

#include <gtest/gtest.h>

namespace simpul::base {
namespace {

TEST(LooksLikeNik, SeesSixteenDigitsHoweverTheyAreSpaced) {
  EXPECT_TRUE(LooksLikeNik("7324020101200001"));
  EXPECT_TRUE(LooksLikeNik("tablet 7324-0201-0120-0001"));
  EXPECT_TRUE(LooksLikeNik("7324 0201 0120 0001x"));
}

TEST(LooksLikeNik, LeavesShorterNumbersAlone) {
  EXPECT_FALSE(LooksLikeNik("732402010120000"));
  EXPECT_FALSE(LooksLikeNik("73240201x01200001"));
  EXPECT_FALSE(LooksLikeNik("73.24.02.2003"));
  EXPECT_FALSE(LooksLikeNik(""));
}

TEST(MaskNumbers, HidesWhatCouldBeAnIdentity) {
  EXPECT_EQ(MaskNumbers("NIK 7324020101200001 not found, rule 10117"),
            "NIK **************** not found, rule 10117");
  EXPECT_EQ(MaskNumbers("123456789"), "*********");
  EXPECT_EQ(MaskNumbers("12345678"), "12345678");
}

TEST(Base64Url, RoundTripsAndRefusesOtherText) {
  const std::string bytes("\x00\xff\x10?>", 5);
  EXPECT_EQ(*FromBase64Url(ToBase64Url(bytes)), bytes);
  EXPECT_FALSE(FromBase64Url("not a token!").ok());
}

TEST(IsBlank, KnowsEverySpaceAndNothingElse) {
  EXPECT_TRUE(IsBlank(""));
  EXPECT_TRUE(IsBlank(" \t\n\v\f\r"));
  EXPECT_FALSE(IsBlank(" x "));
  EXPECT_FALSE(IsBlank(std::string_view("\0", 1)));
}

TEST(ReadNumber, TakesWholeNumbersThatFit) {
  EXPECT_EQ(ReadNumber<uint16_t>("65535"), 65535);
  EXPECT_EQ(ReadNumber<int64_t>("-3"), -3);
  for (const std::string_view text : {"", "65536", "-1", "+1", " 1", "1 ", "1x", "x"}) {
    EXPECT_EQ(ReadNumber<uint16_t>(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace simpul::base
