// Quantising a tile of eight tokens, the tokens in the lanes from a block's maxima on (rules: kernels/ref/quantise.cc).
// Functions are static: files with different ISA flags include this.
//
// An ISA gives a type `Eight` with two functions:
//   __m256i largest(const float* const* rows, int64_t k)     bits of the largest magnitude of 32 values from k on
//   EightCodes put<kAny>(rows, k, __m256 factors, out)       codes of 32 values, x times a token's factor, as
//                                                            [8 k-groups][8 tokens][4]. kAny: some factor may be 0,
//                                                            then so are its codes
#pragma once

#include <immintrin.h>

#include "kernels/activation_layout.h"
#include "kernels/block_scale.h"
#include "kernels/matmul_kernels.h"

namespace baleen {

constexpr int kEight = 8;

BALEEN_INLINE void store_eight(std::byte* to, __m256i values) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), values);
}

/// What largest magnitudes say about codes (block_scale() for eight).
struct EightScales {
  __m256 amax, factor, scale;  ///< factor 0: all codes are 0
};
BALEEN_INLINE EightScales eight_scales(__m256i largest, float largest_code) {
  const __m256 amax = _mm256_castsi256_ps(largest), most = _mm256_set1_ps(largest_code);
  const __m256 infinite = _mm256_castsi256_ps(_mm256_cmpgt_epi32(largest, _mm256_set1_epi32(0x7F7FFFFF)));
  const __m256 some = _mm256_andnot_ps(infinite, _mm256_cmp_ps(amax, _mm256_set1_ps(0x1p-100f), _CMP_GE_OQ));
  const __m256 scale = _mm256_and_ps(some, _mm256_div_ps(amax, most));
  return {amax, _mm256_and_ps(some, _mm256_div_ps(most, amax)),
          _mm256_blendv_ps(scale, _mm256_set1_ps(__builtin_nanf("")), infinite)};
}

/// Sums of 16 codes and of their magnitudes.
struct EightSums {
  __m256i sum, magnitudes;
};

/// Of 32 codes, each half's.
struct EightCodes {
  EightSums low, high;
};

BALEEN_INLINE bool all_have_codes(const EightScales& to) {
  return _mm256_movemask_ps(_mm256_cmp_ps(to.factor, _mm256_setzero_ps(), _CMP_EQ_OQ)) == 0;
}

/// A block of 32 from k on.
template <class Eight, bool kAny>
BALEEN_INLINE void put_eight_32(const float* const* rows, int64_t k, const EightScales& to,
                                std::byte* block) {
  const EightCodes codes = Eight::template put<kAny>(rows, k, to.factor, block);
  const __m256i sum = _mm256_add_epi32(codes.low.sum, codes.high.sum);
  store_eight(block + kScale32 * kEight, _mm256_castps_si256(to.scale));
  store_eight(block + kScaledSum32 * kEight,
              _mm256_castps_si256(_mm256_mul_ps(to.scale, _mm256_cvtepi32_ps(sum))));
  store_eight(block + kSum32 * kEight, _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_slli_epi32(sum, 3)));
}

template <class Eight>
BALEEN_INLINE void quantise_eight_32(const float* const* rows, int64_t k, std::byte* block) {
  const EightScales to = eight_scales(Eight::largest(rows, k), kLargestCode32);
  if (all_have_codes(to)) return put_eight_32<Eight, false>(rows, k, to, block);
  put_eight_32<Eight, true>(rows, k, to, block);
}

/// sub_scale_exponent() for eight; 0 where the block's factor is.
BALEEN_INLINE __m256i eight_exponents(__m256 magnitudes, const EightScales& to) {
  const __m256 some = _mm256_cmp_ps(to.factor, _mm256_setzero_ps(), _CMP_NEQ_OQ);
  const auto below = [&](float share) {
    const __m256 limit = _mm256_mul_ps(to.amax, _mm256_set1_ps(share));
    const __m256 yes = _mm256_and_ps(some, _mm256_cmp_ps(magnitudes, limit, _CMP_LE_OQ));
    return _mm256_srli_epi32(_mm256_castps_si256(yes), 31);
  };
  return _mm256_add_epi32(_mm256_add_epi32(below(0.5f), below(0.25f)), below(0.125f));
}

/// admit() for eight.
struct EightBounds {
  __m256i one_sign, magnitudes;
};
BALEEN_INLINE EightBounds admit(const EightBounds& bounds, const EightCodes& codes) {
  const __m256i sum = _mm256_add_epi32(codes.low.sum, codes.high.sum);
  const __m256i all = _mm256_add_epi32(codes.low.magnitudes, codes.high.magnitudes);
  const __m256i one_sign = _mm256_srli_epi32(_mm256_add_epi32(all, _mm256_abs_epi32(sum)), 1);
  return {_mm256_max_epi32(bounds.one_sign, one_sign),
          _mm256_max_epi32(bounds.magnitudes, _mm256_max_epi32(codes.low.magnitudes, codes.high.magnitudes))};
}

/// Words of two: the low halves of `first` and `second`.
BALEEN_INLINE __m256i pairs_of(__m256i first, __m256i second) {
  return _mm256_blend_epi16(first, _mm256_slli_epi32(second, 16), 0xAA);
}

/// A block of 256 from k on; `largest`: of each sub-block.
template <class Eight, bool kAny>
BALEEN_INLINE void put_eight_256(const float* const* rows, int64_t k, const __m256i (&largest)[8],
                                 const EightScales& to, std::byte* block) {
  store_eight(block + kScale256 * kEight,
              _mm256_castps_si256(_mm256_mul_ps(to.scale, _mm256_set1_ps(0x1p-3f))));
  const __m256i zero = _mm256_setzero_si256();
  EightBounds bounds = {zero, zero};
  __m256i even_shift = zero, even = zero;  // of sub-block j - 1; `even`: shifted sums
  for (int j = 0; j < 8; ++j) {
    const __m256i e = eight_exponents(_mm256_castsi256_ps(largest[j]), to);
    const __m256i power = _mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(127)), 23);  // 2^e
    const EightCodes codes =
        Eight::template put<kAny>(rows, k + j * kSlab, _mm256_mul_ps(to.factor, _mm256_castsi256_ps(power)),
                                  block + j * kSlab * kEight);
    bounds = admit(bounds, codes);
    const __m256i shift = _mm256_sub_epi32(_mm256_set1_epi32(kMaxShift), e);
    store_eight(block + (kShift256 + j * 4) * kEight, shift);
    const __m256i shifted = _mm256_sllv_epi32(_mm256_add_epi32(codes.low.sum, codes.high.sum), shift);
    if (j % 2 == 0) {
      even_shift = shift;
      even = shifted;
    } else {
      store_eight(block + (kShiftPairs256 + j / 2 * 4) * kEight, pairs_of(even_shift, shift));
      store_eight(block + (kSums256 + j / 2 * 4) * kEight, pairs_of(even, shifted));
    }
    store_eight(block + (kSum16s256 + 8 * j) * kEight,
                _mm256_sub_epi32(zero, _mm256_slli_epi32(codes.low.sum, 5)));
    store_eight(block + (kSum16s256 + 8 * j + 4) * kEight,
                _mm256_sub_epi32(zero, _mm256_slli_epi32(codes.high.sum, 5)));
  }
  store_eight(block + kBounds256 * kEight, pairs_of(bounds.one_sign, bounds.magnitudes));
}

template <class Eight>
BALEEN_INLINE void quantise_eight_256(const float* const* rows, int64_t k, std::byte* block) {
  __m256i largest[8], most = _mm256_setzero_si256();
  for (int j = 0; j < 8; ++j) {
    largest[j] = Eight::largest(rows, k + j * kSlab);
    most = _mm256_max_epi32(most, largest[j]);
  }
  const EightScales to = eight_scales(most, kLargestCode256);
  if (all_have_codes(to)) return put_eight_256<Eight, false>(rows, k, largest, to, block);
  put_eight_256<Eight, true>(rows, k, largest, to, block);
}

template <class Eight>
BALEEN_INLINE void quantise_tile_of_eight_32(const ActivationTile& tile) {
  std::byte* block = tile.out;
  for (int64_t k = 0; k < tile.cols; k += 32, block += kRecord32 * kEight)
    quantise_eight_32<Eight>(tile.rows, k, block);
}

template <class Eight>
BALEEN_INLINE void quantise_tile_of_eight_256(const ActivationTile& tile) {
  std::byte* block = tile.out;
  for (int64_t k = 0; k < tile.cols; k += 256, block += kRecord256 * kEight)
    quantise_eight_256<Eight>(tile.rows, k, block);
}

}  // namespace baleen
