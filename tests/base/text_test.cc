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

}  // namespace
}  // namespace simpul::base
