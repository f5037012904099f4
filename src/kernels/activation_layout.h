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
//                       for avx2 counts with a whole register what avx512 takes as words.)
// sums256: what kernels that multiply sums take: as blocks256, or laid out in another way in the same room
//                       (avx512/sums_tile.h).
#pragma once

#include <cstdint>

namespace baleen {

enum class Scheme { floats, blocks32, blocks256, sums256 };
constexpr int kSchemes = 4;

constexpr int kTileTokens = 8;
// 120: room for a weight's 4 bits (avx512/sums_tile.h)
constexpr float kLargestCode32 = 127, kLargestCode256 = 120;
constexpr int kMaxShift = 3;  // sub-blocks of 32 have scales of the block's times 2^0 .. 2^-3

constexpr int kRecord32 = 32 + 4 + 4 + 4;                     // bytes of a token in a block of 32
constexpr int kRecord256 = 256 + 4 + 32 + 16 + 16 + 64 + 4;   // bytes of a token in a block of 256
constexpr int kScale32 = 32, kScaledSum32 = 36, kSum32 = 40;  // offsets, in units of T bytes
constexpr int kScale256 = 256, kShift256 = 260, kShiftPairs256 = 292, kSums256 = 308;  // likewise
constexpr int kSum16s256 = 324, kBounds256 = 388;

/// What bounds of blocks256 may be at most for all dot products of sub-blocks to fit into 16 bits.
struct WordLimits {
  int one_sign, magnitudes;
};
/// Of codes from 0 to `largest`.
static constexpr WordLimits word_limits(int largest) { return {0x7FFF / largest, 0x7FFF}; }
/// Of Q6_K's, which are 32 less than 0 to 63.
constexpr WordLimits kWordLimits6 = {0x7FFF, 0x7FFF / 32};

/// Bytes of one row of so many columns.
static inline int64_t activation_bytes(Scheme scheme, int64_t cols) {
  switch (scheme) {
    case Scheme::floats:
      return cols * 4;
    case Scheme::blocks32:
      return cols / 32 * kRecord32;
    case Scheme::blocks256:
    case Scheme::sums256:
      return cols / 256 * kRecord256;
  }
  return 0;
}

}  // namespace baleen
