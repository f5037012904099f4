// exp and log that give the same bits on every machine: libm picks its variants by CPU, and everything that
// reaches a sampled token must not depend on that. Plain double arithmetic only, so loops over them
// vectorise.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace baleen {

// ln 2 in two parts: the high one has 32 bits, so its product with an exponent (11 bits) is exact.
inline constexpr double kLn2High = 0x1.62e42feep-1, kLn2Low = 0x1.a39ef35793c76p-33;

/// e^x within 2 units in the last place for -708 <= x <= 708. Below (and for NaN) exactly 0, above e^708.
inline double portable_exp(double x) {
  constexpr double kLimit = 708;  // e^-708 and e^708 are normal numbers
  constexpr double kLog2E = 0x1.71547652b82fep0;
  constexpr double kRound = 0x1.8p52;  // adding it rounds to an integer, found in the low bits of the sum
  const double inside = x >= -kLimit ? (x <= kLimit ? x : kLimit) : -kLimit;
  const double shifted = inside * kLog2E + kRound;
  const double n = shifted - kRound;
  const double r = (inside - n * kLn2High) - n * kLn2Low;  // |r| <= ln 2 / 2
  // Taylor's series up to r^13 / 13!: the rest is below 5e-18.
  double p = 1.0 / 6227020800;
  p = p * r + 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  const uint64_t biased = std::bit_cast<uint64_t>(shifted) + 1023;  // only the low 11 bits survive the shift
  const double scaled = p * std::bit_cast<double>(biased << 52);
  return x >= -kLimit ? scaled : 0;
}

/// ln x within 3 units in the last place for x > 0; -infinity for 0, NaN for negative numbers and NaN.
inline double portable_log(double x) {
  if (!(x > 0))
    return x == 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  if (x == std::numeric_limits<double>::infinity()) return x;
  double exponent = 0;
  if (x < std::numeric_limits<double>::min()) {  // subnormal
    x *= 0x1p54;
    exponent = -54;
  }
  const auto bits = std::bit_cast<uint64_t>(x);
  exponent += static_cast<double>(static_cast<int64_t>(bits >> 52) - 1023);
  double m = std::bit_cast<double>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);  // [1, 2)
  if (m > 0x1.6a09e667f3bcdp0) {                                                       // sqrt 2
    m *= 0.5;
    exponent += 1;
  }
  // ln m = 2 artanh f = 2 (f + f^3 / 3 + f^5 / 5 + …) with |f| <= 0.1716; the rest after f^21 is below 1e-19.
  const double f = (m - 1) / (m + 1), f2 = f * f;
  double p = 1.0 / 21;
  for (int odd = 19; odd >= 3; odd -= 2) p = p * f2 + 1.0 / odd;
  return exponent * kLn2High + (2 * f + (2 * f * f2 * p + exponent * kLn2Low));
}

}  // namespace baleen
