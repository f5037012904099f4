// How the activations of up to 8 rows ("a tile") lie in memory for the kernels: tokens innermost, so that the
// kernel of T tokens finds everything at constant offsets from one pointer that only moves forward. Functions
// are static: files with different ISA flags include this. docs/NUMERICS.md has the rules of quantisation.
//
// floats:    float [cols][T]
// blocks32:  per 32 k:  int8 codes [8 k-groups][T][4], float scale [T], float scale * sum of codes [T],
//                       int32 -8 * sum of codes [T]
// blocks256: per 256 k: int8 codes [64 k-groups][T][4], float scale [T], int32 shift of a sub-block of 32 [8][T],
//                       the same as int16 [4][T][2], int16 sums of 32 codes, shifted [4][T][2], int32 -32 * sums
//                       of 16 codes, not shifted [16][T], int16 bounds [T][2]: the largest sum of a sub-block's
//                       positive codes or of its negative ones, and of the magnitudes of 16 codes. (Shifts twice,
//                       for avx2 counts with a whole register what avx512 takes as words.) Of tiles of 8 tokens also
//                       int32 starts [4][T] (pair_start() below); tiles of fewer have no values there.
#pragma once

#include <cstdint>

namespace baleen {

enum class Scheme { floats, blocks32, blocks256 };
constexpr int kSchemes = 3;

constexpr int kTileTokens = 8;
constexpr float kLargestCode32 = 127, kLargestCode256 = 120;  // 120: room for a weight's 4 bits (below)
constexpr int kMaxShift = 3;  // sub-blocks of 32 have scales of the block's times 2^0 .. 2^-3

constexpr int kRecord32 = 32 + 4 + 4 + 4;                         // bytes of a token in a block of 32
constexpr int kRecord256 = 256 + 4 + 32 + 16 + 16 + 64 + 4 + 16;  // bytes of a token in a block of 256
constexpr int kScale32 = 32, kScaledSum32 = 36, kSum32 = 40;      // offsets, in units of T bytes
constexpr int kScale256 = 256, kShift256 = 260, kShiftPairs256 = 292, kSums256 = 308;  // likewise
constexpr int kSum16s256 = 324, kBounds256 = 388, kStarts256 = 392;

// Sums multiplied (Winograd 1968: docs/kernels/products.md). Of two 4-bit codes in a byte, low belongs to an even group
// of 4 k, high to the odd one behind it, and with the activations' codes
//   low * even + high * odd = (low + 120 + odd) * (high - 8 + even) - own - other
//   own = (low + 120) * (high - 8)   other = (odd + 120) * (even - 8) + 960
// where both factors are bytes, the first unsigned. Groups 4 to 7 of a sub-block are multiplied so; `taken` is the sum
// of other over these 8 pairs of codes.
constexpr int kToLow = 120, kToHigh = 8, kTakenAlways = 8 * kToLow * kToHigh;

/// What the sum of two sub-blocks starts with (modulo 2^32): the second's is added up first, then the halves of the
/// word change places, then the first's is added up; at the end the upper half is the second's dot product + own
/// + 2^15, the lower one the first's, where these are within 4 .. 2^16 - 5.
static inline int32_t pair_start(int32_t first_taken, int32_t second_taken) {
  const int32_t first = (1 << 15) - first_taken, second = (1 << 15) - second_taken;
  // The lower half will carry first >> 16 into the upper one less than it should.
  return static_cast<int32_t>((static_cast<uint32_t>(first) << 16) +
                              static_cast<uint32_t>((first >> 16) + second));
}

/// Bytes of one row of so many columns.
static inline int64_t activation_bytes(Scheme scheme, int64_t cols) {
  switch (scheme) {
    case Scheme::floats:
      return cols * 4;
    case Scheme::blocks32:
      return cols / 32 * kRecord32;
    case Scheme::blocks256:
      return cols / 256 * kRecord256;
  }
  return 0;
}

}  // namespace baleen
