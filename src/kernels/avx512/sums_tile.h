// Tiles of eight tokens for kernels that multiply sums, two products by one multiplication (Winograd 1968:
// docs/kernels/products.md, "Sums multiplied"). Of two 4-bit codes in a byte, low belongs to an even group of 4 k, high
// to the odd one behind it, and with the activations' codes
//   low * even + high * odd = (low + (odd + 120)) * (high + (even - 8)) - own - other
//   own = (low + 120) * (high - 8)   other = (odd + 120) * (even - 8) + 960
// where both factors are bytes, the first unsigned. Groups 4 to 7 of a sub-block are multiplied so: the tile has
// odd + 120 and even - 8 instead of their codes, and `taken` is the sum of other over these 8 pairs of codes.
//
// Per 256 k: bytes [64 k-groups][8 tokens][4], float scale [8], and as in blocks256 (activation_layout.h) int16 shifts
// and sums of 32 codes, [4][8][2] each; int32 starts [4][8]:
// What the sum of two sub-blocks starts with, modulo 2^32. The second's is added up first, then the halves of the word
// change places, then the first's is added up; at the end the upper half is the second's dot product + own + 2^15, the
// lower one the first's, where these are within 4 .. 2^16 - 5.
//
// Static: see vectors.h.
#pragma once

#include "kernels/avx512/vectors.h"

namespace baleen::avx512::sums {

constexpr int kTokens = kTileTokens, kGroup = kTokens * 4;  // bytes of a k-group's codes
constexpr int kToLow = 120, kToHigh = 8, kTakenAlways = 8 * kToLow * kToHigh;

constexpr int kScale = 256 * kTokens, kPair = kTokens * 4;  // offsets, and bytes of a pair of sub-blocks
constexpr int kShiftPairs = kScale + kTokens * 4, kSums = kShiftPairs + 4 * kPair,
              kStarts = kSums + 4 * kPair;
constexpr int kRecord = kStarts + 4 * kPair;
static_assert(kRecord <= kRecord256 * kTokens - 4);

/// A tile that is laid out so ends with -1, where blocks256 has a bound, which is never negative. (Tiles of fewer
/// tokens, and those whose dot products may not be words, stay as blocks256 has them.)
constexpr int32_t kMark = -1;
BALEEN_INLINE int64_t mark_offset(int64_t cols) {
  return cols / 256 * kRecord256 * kTokens - int64_t{sizeof kMark};
}
BALEEN_INLINE bool is_marked(const std::byte* tile, int64_t cols) {
  int32_t value;
  std::memcpy(&value, tile + mark_offset(cols), sizeof value);
  return value == kMark;
}

}  // namespace baleen::avx512::sums
