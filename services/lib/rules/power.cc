#include "lib/rules/power.h"

#include <cmath>
#include <limits>

namespace simpul::rules {
namespace {

// ln 2 in two parts: the first has so few bits that its product with any exponent is exact.
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kHalfRoot = 0x1.6a09e667f3bcdp-1;  // sqrt(1/2)

}  // namespace

double Ln(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < kHalfRoot) {
    m *= 2;
    --exponent;
  }
  // ln m = 2 (s + s^3/3 + s^5/5 + ...), where s is below 0.172: s^23 is below the last bit.
  const double s = (m - 1) / (m + 1);
  const double square = s * s;
  double sum = 0;
  for (int power = 23; power >= 3; power -= 2) sum = (sum + 1.0 / power) * square;
  const double tail = 2 * (s * sum) + exponent * kLn2Low;
  return exponent * kLn2High + (2 * s + tail);
}

double Exp(double t) {
  if (t > 710) return std::numeric_limits<double>::infinity();
  if (t < -746) return 0;
  const double twos = std::floor(t / (kLn2High + kLn2Low) + 0.5);
  const double rest = (t - twos * kLn2High) - twos * kLn2Low;
  // 1 + r (1 + r/2 (1 + r/3 (...))), where r is below 0.35: the 15th term is below the last bit.
  double sum = 1;
  for (int term = 15; term >= 1; --term) sum = 1 + rest / term * sum;
  return std::ldexp(sum, static_cast<int>(twos));
}

double Power(double x, double p) { return p == 1 ? x : Exp(p * Ln(x)); }

}  // namespace simpul::rules
