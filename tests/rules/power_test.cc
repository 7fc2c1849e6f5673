#include "lib/rules/power.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace simpul::rules {
namespace {

TEST(Power, AgreesWithTheCLibraryToTwoPartsInTenToTheFourteenth) {
  for (double x = 0.02; x < 60; x *= 1.0173) {
    EXPECT_NEAR(Ln(x), std::log(x), 1e-15 + 1e-15 * std::fabs(std::log(x))) << x;
    for (double p = -12; p <= 12; p += 0.37) {
      const double expected = std::pow(x, p);
      const double far = 1 + std::fabs(p * std::log(x));
      EXPECT_NEAR(Power(x, p) / expected, 1, 1e-15 * far) << x << " ^ " << p;
    }
  }
}

TEST(Power, OfOneIsTheSameNumber) {
  for (const double x : {0.1, 1.0, 0.9999999999999999, 12.3456789}) EXPECT_EQ(Power(x, 1), x);
  EXPECT_EQ(Power(1, -1.7), 1);
  EXPECT_EQ(Ln(1), 0);
}

TEST(Power, EndsInZeroAndInfinity) {
  EXPECT_EQ(Exp(-800), 0);
  EXPECT_EQ(Exp(800), std::numeric_limits<double>::infinity());
  EXPECT_EQ(Exp(0), 1);
}

// To the last bit: a machine or compiler that rounds in another way fails here.
TEST(Power, HasTheseBitsEverywhere) {
  EXPECT_EQ(Ln(0.7), -0x1.6d3c324e13f50p-2);
  EXPECT_EQ(Exp(0.3), 0x1.599058c8c1a96p+0);
  EXPECT_EQ(Power(1.37, -0.3521), 0x1.ca479c6f84aa7p-1);
  EXPECT_EQ(Power(0.61, 0.3487), 0x1.aef00c223b9a5p-1);
  EXPECT_EQ(Power(0.84, -1 / 0.3833), 0x1.937322361739cp+0);
}

}  // namespace
}  // namespace simpul::rules
