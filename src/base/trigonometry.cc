#include "base/trigonometry.h"

#include <cstdint>
#include <limits>

namespace baleen {
namespace {

// Taylor series: the ranges below make the first term left out smaller than half an ulp.

constexpr double kHalfPiHigh = 0x1.921fb544p+0;  // 33 bits, so that n * kHalfPiHigh is exact for n < 2^20
constexpr double kHalfPiLow = 0x1.0b4611a626331p-34;
constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;

/// Adding and taking away 1.5 * 2^52 leaves the nearest integer, ties to even.
double nearest(double x) {
  constexpr double kShift = 0x1.8p52;
  return (x + kShift) - kShift;
}

/// x = n * pi/2 + rest with |rest| <= pi/4; returns n mod 4. A NaN rest where x is none or too far away.
int quadrant(double x, double& rest) {
  constexpr double kMostTurns = 0x1p51;  // nearest() takes no more
  const double n = nearest(x * kTwoOverPi);
  if (!(n >= -kMostTurns && n <= kMostTurns)) {
    rest = std::numeric_limits<double>::quiet_NaN();
    return 0;
  }
  rest = (x - n * kHalfPiHigh) - n * kHalfPiLow;
  return static_cast<int>(static_cast<int64_t>(n) & 3);
}

/// sin and cos for |x| <= pi/4: terms to x^17 / 17! and x^18 / 18!.
double sin_series(double x) {
  const double y = x * x;
  double sum = 0;
  for (int k = 17; k >= 3; k -= 2) sum = (1 - sum) * y / ((k - 1) * k);
  return x - x * sum;
}
double cos_series(double x) {
  const double y = x * x;
  double sum = 0;
  for (int k = 18; k >= 2; k -= 2) sum = (1 - sum) * y / ((k - 1) * k);
  return 1 - sum;
}

}  // namespace

double portable_sin(double x) {
  double rest;
  switch (quadrant(x, rest)) {
    case 0:
      return sin_series(rest);
    case 1:
      return cos_series(rest);
    case 2:
      return -sin_series(rest);
    default:
      return -cos_series(rest);
  }
}

double portable_cos(double x) {
  double rest;
  switch (quadrant(x, rest)) {
    case 0:
      return cos_series(rest);
    case 1:
      return -sin_series(rest);
    case 2:
      return -cos_series(rest);
    default:
      return sin_series(rest);
  }
}

}  // namespace baleen
