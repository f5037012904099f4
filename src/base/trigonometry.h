// Sine and cosine that give the same bits on every machine, as exp and log in math.h: IEEE additions,
// multiplications and divisions only (docs/NUMERICS.md).
#pragma once

namespace baleen {

/// Within 2e-16 for |x| < 2^20 (a position in radians), less exact beyond; NaN where x is none or over 2^51.
double portable_sin(double x);
double portable_cos(double x);

}  // namespace baleen
