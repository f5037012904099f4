// A tile of eight tokens: what kernels/quantise_eight.h takes of AVX-512.
#pragma once

#include "kernels/avx512/vectors.h"
#include "kernels/quantise_eight.h"

namespace baleen::avx512 {

BALEEN_INLINE __m512i magnitude(const float* x) {
  return _mm512_and_si512(_mm512_castps_si512(_mm512_loadu_ps(x)), _mm512_set1_epi32(0x7FFFFFFF));
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
  return {sums_of_groups(groups[0], groups[1]), sums_of_groups(groups[2], groups[3])};
}

struct Eight {
  BALEEN_INLINE __m256i largest(const float* const* rows, int64_t k) { return largest_of_eight(rows, k); }
  template <bool kAny>
  BALEEN_INLINE EightCodes put(const float* const* rows, int64_t k, __m256 factors, std::byte* out) {
    return put_eight<kAny>(rows, k, factors, out);
  }
};

}  // namespace baleen::avx512
