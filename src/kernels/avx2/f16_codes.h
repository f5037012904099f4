// f16 numbers as 16-bit codes (rules: kernels/ref/codes.h).
#pragma once

#include "kernels/avx2/rows.h"

namespace baleen::avx2 {

/// Scales of 8 blocks whose largest magnitudes' bits are given.
BALEEN_INLINE __m256 scales_of(__m256i largest) {
  const __m256i exponent = _mm256_max_epi32(_mm256_srli_epi32(largest, 10), _mm256_set1_epi32(1));
  const __m256i broken = _mm256_cmpgt_epi32(largest, _mm256_set1_epi32(0x7BFF));
  const __m256i power = _mm256_slli_epi32(_mm256_add_epi32(exponent, _mm256_set1_epi32(127 - 27)), 23);
  return _mm256_blendv_ps(_mm256_castsi256_ps(power), _mm256_set1_ps(__builtin_nanf("")),
                          _mm256_castsi256_ps(broken));
}
/// The same as pages hold them.
BALEEN_INLINE __m256 stored_scales(const int16_t* from) {
  const __m256i upper = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(upper, 16));
}
/// Their factors; of broken ones 0.
BALEEN_INLINE __m256 factors_of(__m256 scales) {
  const __m256i inverse = _mm256_set1_epi32(2 * 127 << 23);  // exponents of x and 1 / x add up to that
  const __m256 factors = _mm256_castsi256_ps(_mm256_sub_epi32(inverse, _mm256_castps_si256(scales)));
  return _mm256_and_ps(factors, _mm256_cmp_ps(scales, scales, _CMP_ORD_Q));
}

/// x * factor, rounded, in the low 16 bits of each number; of a NaN anything: its scale is NaN.
BALEEN_INLINE __m256 no_codes() { return _mm256_set1_ps(0x1.8p23f); }
BALEEN_INLINE __m256 code_bits(__m256 x, __m256 factor) { return _mm256_fmadd_ps(x, factor, no_codes()); }

/// Low codes of 32-bit words and high ones.
BALEEN_INLINE __m256i pairs(__m256 low, __m256 high) {
  return _mm256_blend_epi16(_mm256_castps_si256(low), _mm256_slli_epi32(_mm256_castps_si256(high), 16), 0xAA);
}

}  // namespace baleen::avx2
