// Constants of the row kernels, the same for every ISA.
#pragma once

namespace baleen {

// e^x = 2^n * p(r). p(r) = 1 + r + r^2 * (c2 + c3 r + c4 r^2 + c5 r^3 + c6 r^4), fitted for the least
// relative error on |r| <= ln(2) / 2 (3.1e-9). ln 2 in two parts: the first has 9 bits, so that n *
// kExpLn2High is exact.
inline constexpr float kExpLog2E = 0x1.715476p+0f;
inline constexpr float kExpLn2High = 0x1.63p-1f;
inline constexpr float kExpLn2Low = -0x1.bd0106p-13f;
inline constexpr float kExpC2 = 0.49999994f;
inline constexpr float kExpC3 = 0.16666521f;
inline constexpr float kExpC4 = 0.04166839f;
inline constexpr float kExpC5 = 0.008368745f;
inline constexpr float kExpC6 = 0.001381454f;
/// What follows c5 in Horner's scheme.
inline constexpr float kExpRest[] = {kExpC4, kExpC3, kExpC2, 1, 1};
/// 2^n is built from exponent bits, so n stays in -126 … 127: results below 2^-126 are 0, above 2^127.4
/// infinity.
inline constexpr float kExpLow = -87.33f;
inline constexpr float kExpHigh = 88.3f;

/// A block whose largest magnitude is below has codes 0 and scale 0.
inline constexpr float kTinyBlock = 0x1p-100f;

/// The largest 16-bit code: 32 products of two of them fit 32 bits. Codes of f16 numbers are below 2^13, too.
inline constexpr float kI16Largest = 8191;

}  // namespace baleen
