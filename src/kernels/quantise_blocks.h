// Quantising rows of floats with vectors, for the ISA folders (rules: kernels/ref/quantise.cc). One token's block at a
// time, its k in the lanes; magnitudes are compared as integers, so infinities and NaNs come out largest. Functions are
// static: files with different ISA flags include this.
//
// An ISA gives a type `Slab` with two functions:
//   uint32_t largest(const float* x)                                   bits of the largest magnitude of 32 values
//   CodeSums put(const float* x, float factor, int tokens, std::byte*) codes of 16 values as [4 k-groups][tokens][4],
//                                                                      all 0 where the factor is
#pragma once

#include <cstring>

#include "kernels/activation_layout.h"
#include "kernels/block_scale.h"
#include "kernels/matmul_kernels.h"

namespace baleen {

template <class T>
BALEEN_INLINE void put_value(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

/// Sums of 16 codes and of their magnitudes.
struct CodeSums {
  int32_t sum, magnitudes;
};

/// From the sum of code + 2^16 * |code|.
BALEEN_INLINE CodeSums code_sums(int32_t both) {
  const int32_t sum = static_cast<int16_t>(both);
  return {sum, (both - sum) >> 16};
}

template <class Slab>
BALEEN_INLINE void quantise_32(const float* x, int tokens, int token, std::byte* block) {
  const BlockScale to = block_scale(Slab::largest(x), kLargestCode32);
  const int32_t sum = Slab::put(x, to.factor, tokens, block + token * 4).sum +
                      Slab::put(x + 16, to.factor, tokens, block + 16 * tokens + token * 4).sum;
  put_value(block + kScale32 * tokens + token * 4, to.scale);
  put_value(block + kScaledSum32 * tokens + token * 4, to.scale * static_cast<float>(sum));
  put_value(block + kSum32 * tokens + token * 4, -8 * sum);
}

/// Largest e of 0 .. kMaxShift with magnitude <= amax * 2^-e.
BALEEN_INLINE int sub_scale_exponent(float magnitude, float amax) {
  return (magnitude <= amax * 0.5f) + (magnitude <= amax * 0.25f) + (magnitude <= amax * 0.125f);
}

/// 32 of a block's values.
struct SubBlock {
  int index;
  const float* x;
  uint32_t largest;  // magnitude, as bits
};

/// What a block's codes do not exceed (activation_layout.h).
struct CodeBounds {
  int32_t one_sign, magnitudes;
};

BALEEN_INLINE int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

/// With a sub-block's halves.
BALEEN_INLINE CodeBounds admit(CodeBounds bounds, CodeSums low, CodeSums high) {
  const int32_t sum = low.sum + high.sum, all = low.magnitudes + high.magnitudes;
  return {larger(bounds.one_sign, (all + (sum < 0 ? -sum : sum)) / 2),
          larger(bounds.magnitudes, larger(low.magnitudes, high.magnitudes))};
}

/// One sub-block of a token, with the block's scale.
template <class Slab>
BALEEN_INLINE void quantise_sub_block(const SubBlock& sub, BlockScale to, int tokens, int token,
                                      std::byte* block, CodeBounds& bounds) {
  const int j = sub.index, pair = (j / 2 * tokens + token) * 2 + j % 2;
  const int e = to.factor == 0 ? 0 : sub_scale_exponent(float_of_bits(sub.largest), to.amax);
  const float factor = to.factor * static_cast<float>(1 << e);
  std::byte* codes = block + j * kSlab * tokens + token * 4;
  const CodeSums low = Slab::put(sub.x, factor, tokens, codes);
  const CodeSums high = Slab::put(sub.x + 16, factor, tokens, codes + 16 * tokens);
  const int shift = kMaxShift - e;
  put_value(block + kShift256 * tokens + (j * tokens + token) * 4, shift);
  put_value(block + kShiftPairs256 * tokens + pair * 2, static_cast<int16_t>(shift));
  put_value(block + kSums256 * tokens + pair * 2, static_cast<int16_t>((low.sum + high.sum) * (1 << shift)));
  put_value(block + kSum16s256 * tokens + (2 * j * tokens + token) * 4, -32 * low.sum);
  put_value(block + kSum16s256 * tokens + ((2 * j + 1) * tokens + token) * 4, -32 * high.sum);
  bounds = admit(bounds, low, high);
}

template <class Slab>
BALEEN_INLINE void quantise_256(const float* x, int tokens, int token, std::byte* block) {
  uint32_t largest[8], amax = 0;
  for (int j = 0; j < 8; ++j) {
    largest[j] = Slab::largest(x + j * kSlab);
    amax = largest[j] > amax ? largest[j] : amax;
  }
  const BlockScale to = block_scale(amax, kLargestCode256);
  put_value(block + kScale256 * tokens + token * 4, to.scale * 0x1p-3f);
  CodeBounds bounds{0, 0};
  for (int j = 0; j < 8; ++j)
    quantise_sub_block<Slab>({j, x + j * kSlab, largest[j]}, to, tokens, token, block, bounds);
  put_value(block + kBounds256 * tokens + token * 4, static_cast<int16_t>(bounds.one_sign));
  put_value(block + kBounds256 * tokens + token * 4 + 2, static_cast<int16_t>(bounds.magnitudes));
}

template <class Slab>
BALEEN_INLINE void quantise_tile_32(const ActivationTile& tile) {
  for (int t = 0; t < tile.tokens; ++t)
    for (int64_t b = 0; b < tile.cols / 32; ++b)
      quantise_32<Slab>(tile.rows[t] + b * 32, tile.tokens, t, tile.out + b * kRecord32 * tile.tokens);
}

template <class Slab>
BALEEN_INLINE void quantise_tile_256(const ActivationTile& tile) {
  for (int t = 0; t < tile.tokens; ++t)
    for (int64_t b = 0; b < tile.cols / 256; ++b)
      quantise_256<Slab>(tile.rows[t] + b * 256, tile.tokens, t, tile.out + b * kRecord256 * tile.tokens);
}

}  // namespace baleen
