// Quantising a tile of eight tokens, the tokens in the lanes from a block's maxima on (rules: kernels/ref/quantise.cc).
#pragma once

#include "kernels/avx512/vectors.h"
#include "kernels/pair_starts.h"
#include "kernels/quantise_blocks.h"

namespace baleen::avx512 {

constexpr int kEight = 8;

BALEEN_INLINE __m512i magnitude(const float* x) {
  return _mm512_and_si512(_mm512_castps_si512(_mm512_loadu_ps(x)), _mm512_set1_epi32(0x7FFFFFFF));
}

BALEEN_INLINE void store_eight(std::byte* to, __m256i values) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), values);
}

/// Bits of the largest magnitude of 32 values from k on, of each token.
BALEEN_INLINE __m256i largest_of_eight(const float* const* rows, int64_t k) {
  __m512i x[kEight];
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kEight; ++t)
    x[t] = _mm512_max_epi32(magnitude(rows[t] + k), magnitude(rows[t] + k + 16));
  BALEEN_EACH_TOKEN
  for (int i = 0; i < 4; ++i)
    x[i] = _mm512_max_epi32(_mm512_shuffle_i32x4(x[2 * i], x[2 * i + 1], 0x44),
                            _mm512_shuffle_i32x4(x[2 * i], x[2 * i + 1], 0xEE));
  BALEEN_EACH_TOKEN
  for (int i = 0; i < 2; ++i)  // one token in 128 bits
    x[i] = _mm512_max_epi32(_mm512_shuffle_i32x4(x[2 * i], x[2 * i + 1], 0x88),
                            _mm512_shuffle_i32x4(x[2 * i], x[2 * i + 1], 0xDD));
  __m512i most = _mm512_max_epi32(_mm512_unpacklo_epi64(x[0], x[1]), _mm512_unpackhi_epi64(x[0], x[1]));
  const __m512 pairs = _mm512_castsi512_ps(most);
  most = _mm512_max_epi32(most, _mm512_castps_si512(_mm512_shuffle_ps(pairs, pairs, 0xB1)));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 2, 6, 10, 14, 0, 4, 8, 12, 2, 6, 10, 14);
  return _mm512_castsi512_si256(_mm512_permutexvar_epi32(order, most));
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
BALEEN_INLINE __m256i halves_added(__m512i both) {
  return _mm256_add_epi32(_mm512_castsi512_si256(both), _mm512_extracti64x4_epi64(both, 1));
}
BALEEN_INLINE EightSums sums_of_groups(__m512i two, __m512i more) {
  const __m512i ones = _mm512_set1_epi8(1), zero = _mm512_setzero_si512();
  const __m512i sum = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(zero, ones, two), ones, more);
  const __m512i magnitudes =
      _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(zero, _mm512_abs_epi8(two), ones), _mm512_abs_epi8(more), ones);
  return {halves_added(sum), halves_added(magnitudes)};
}

/// What sums take of two k-groups' codes, an even group below the odd one behind it (activation_layout.h).
BALEEN_INLINE __m256i taken_of_groups(__m256i sum, __m512i both) {
  const __m256i even = _mm256_sub_epi8(_mm512_castsi512_si256(both), _mm256_set1_epi8(kToHigh));
  const __m256i odd = _mm256_add_epi8(_mm512_extracti64x4_epi64(both, 1), _mm256_set1_epi8(kToLow));
  return _mm256_dpbusd_epi32(sum, odd, even);
}

/// Of 32 codes, each half's, and what sums of the second half take.
struct EightCodes {
  EightSums low, high;
  __m256i taken;
};

/// x * factor, 0 where the factor is, whatever x is.
template <bool kAny>
BALEEN_INLINE __m512i codes_of(const float* x, float factor) {
  const auto lanes = static_cast<__mmask16>(kAny && factor == 0 ? 0 : 0xFFFF);
  return _mm512_maskz_cvtps_epi32(lanes, _mm512_mul_ps(_mm512_loadu_ps(x), _mm512_set1_ps(factor)));
}

/// Codes of 32 values from k on as [8 k-groups][8 tokens][4]. kAny: some factor may be 0.
template <bool kAny>
BALEEN_INLINE EightCodes put_eight(const float* const* rows, int64_t k, __m256 factors, std::byte* out) {
  alignas(32) float factor[kEight];
  _mm256_store_ps(factor, factors);
  __m512i x[kEight];
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kEight; ++t)  // 128 bits i: k-group i, k-group 4 + i, as words
    x[t] = _mm512_packs_epi32(codes_of<kAny>(rows[t] + k, factor[t]),
                              codes_of<kAny>(rows[t] + k + 16, factor[t]));
  BALEEN_EACH_TOKEN
  for (int i = 0; i < 4; ++i) x[i] = _mm512_packs_epi16(x[2 * i], x[2 * i + 1]);
  const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  const auto pick = [&](int from) { return _mm512_castsi512_ps(x[from]); };
  const __m512i low_0 = _mm512_castps_si512(_mm512_shuffle_ps(pick(0), pick(1), 0x88));
  const __m512i low_4 = _mm512_castps_si512(_mm512_shuffle_ps(pick(2), pick(3), 0x88));
  const __m512i high_0 = _mm512_castps_si512(_mm512_shuffle_ps(pick(0), pick(1), 0xDD));
  const __m512i high_4 = _mm512_castps_si512(_mm512_shuffle_ps(pick(2), pick(3), 0xDD));
  const __m512i groups[4] = {
      _mm512_permutex2var_epi64(low_0, first, low_4), _mm512_permutex2var_epi64(low_0, second, low_4),
      _mm512_permutex2var_epi64(high_0, first, high_4), _mm512_permutex2var_epi64(high_0, second, high_4)};
  BALEEN_EACH_TOKEN
  for (int i = 0; i < 4; ++i) _mm512_storeu_si512(out + i * 64, groups[i]);
  const __m256i taken = taken_of_groups(_mm256_set1_epi32(kTakenAlways), groups[2]);
  return {sums_of_groups(groups[0], groups[1]), sums_of_groups(groups[2], groups[3]),
          taken_of_groups(taken, groups[3])};
}

BALEEN_INLINE bool all_have_codes(const EightScales& to) {
  return _mm256_movemask_ps(_mm256_cmp_ps(to.factor, _mm256_setzero_ps(), _CMP_EQ_OQ)) == 0;
}

/// A block of 32 from k on.
template <bool kAny>
BALEEN_INLINE void put_eight_32(const float* const* rows, int64_t k, const EightScales& to,
                                std::byte* block) {
  const EightCodes codes = put_eight<kAny>(rows, k, to.factor, block);
  const __m256i sum = _mm256_add_epi32(codes.low.sum, codes.high.sum);
  store_eight(block + kScale32 * kEight, _mm256_castps_si256(to.scale));
  store_eight(block + kScaledSum32 * kEight,
              _mm256_castps_si256(_mm256_mul_ps(to.scale, _mm256_cvtepi32_ps(sum))));
  store_eight(block + kSum32 * kEight, _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_slli_epi32(sum, 3)));
}

BALEEN_INLINE void quantise_eight_32(const float* const* rows, int64_t k, std::byte* block) {
  const EightScales to = eight_scales(largest_of_eight(rows, k), kLargestCode32);
  if (all_have_codes(to)) return put_eight_32<false>(rows, k, to, block);
  put_eight_32<true>(rows, k, to, block);
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
template <bool kAny>
BALEEN_INLINE void put_eight_256(const float* const* rows, int64_t k, const __m256i (&largest)[8],
                                 const EightScales& to, std::byte* block) {
  store_eight(block + kScale256 * kEight,
              _mm256_castps_si256(_mm256_mul_ps(to.scale, _mm256_set1_ps(0x1p-3f))));
  const __m256i zero = _mm256_setzero_si256();
  EightBounds bounds = {zero, zero};
  __m256i even_shift = zero, even = zero, taken = zero;  // of sub-block j - 1; `even`: shifted sums
  for (int j = 0; j < 8; ++j) {
    const __m256i e = eight_exponents(_mm256_castsi256_ps(largest[j]), to);
    const __m256i power = _mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(127)), 23);  // 2^e
    const EightCodes codes =
        put_eight<kAny>(rows, k + j * kSlab, _mm256_mul_ps(to.factor, _mm256_castsi256_ps(power)),
                        block + j * kSlab * kEight);
    bounds = admit(bounds, codes);
    const __m256i shift = _mm256_sub_epi32(_mm256_set1_epi32(kMaxShift), e);
    store_eight(block + (kShift256 + j * 4) * kEight, shift);
    const __m256i shifted = _mm256_sllv_epi32(_mm256_add_epi32(codes.low.sum, codes.high.sum), shift);
    if (j % 2 == 0) {
      even_shift = shift;
      even = shifted;
      taken = codes.taken;
    } else {
      store_eight(block + (kShiftPairs256 + j / 2 * 4) * kEight, pairs_of(even_shift, shift));
      store_eight(block + (kSums256 + j / 2 * 4) * kEight, pairs_of(even, shifted));
      store_eight(block + (kStarts256 + j / 2 * 4) * kEight, pair_starts(taken, codes.taken));
    }
    store_eight(block + (kSum16s256 + 8 * j) * kEight,
                _mm256_sub_epi32(zero, _mm256_slli_epi32(codes.low.sum, 5)));
    store_eight(block + (kSum16s256 + 8 * j + 4) * kEight,
                _mm256_sub_epi32(zero, _mm256_slli_epi32(codes.high.sum, 5)));
  }
  store_eight(block + kBounds256 * kEight, pairs_of(bounds.one_sign, bounds.magnitudes));
}

BALEEN_INLINE void quantise_eight_256(const float* const* rows, int64_t k, std::byte* block) {
  __m256i largest[8], most = _mm256_setzero_si256();
  for (int j = 0; j < 8; ++j) {
    largest[j] = largest_of_eight(rows, k + j * kSlab);
    most = _mm256_max_epi32(most, largest[j]);
  }
  const EightScales to = eight_scales(most, kLargestCode256);
  if (all_have_codes(to)) return put_eight_256<false>(rows, k, largest, to, block);
  put_eight_256<true>(rows, k, largest, to, block);
}

}  // namespace baleen::avx512
