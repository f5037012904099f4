// f16 numbers as 16-bit codes (rules: kernels/ref/codes.h).
#pragma once

#include "kernels/avx512/rows.h"

namespace baleen::avx512 {

/// Scales of 16 blocks whose largest magnitudes' bits are given.
BALEEN_INLINE __m512 scales_of(__m512i largest) {
  const __m512i exponent = _mm512_max_epi32(_mm512_srli_epi32(largest, 10), _mm512_set1_epi32(1));
  const __mmask16 broken = _mm512_cmpge_epi32_mask(largest, _mm512_set1_epi32(0x7C00));
  const __m512i power = _mm512_slli_epi32(_mm512_add_epi32(exponent, _mm512_set1_epi32(127 - 27)), 23);
  return _mm512_mask_mov_ps(_mm512_castsi512_ps(power), broken, _mm512_set1_ps(__builtin_nanf("")));
}
/// The same as pages hold them.
BALEEN_INLINE __m512 stored_scales(const int16_t* from) {
  const __m512i upper = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(upper, 16));
}
/// Their factors; of broken ones 0.
BALEEN_INLINE __m512 factors_of(__m512 scales) {
  const __mmask16 sound = _mm512_cmp_ps_mask(scales, scales, _CMP_ORD_Q);
  const __m512i inverse = _mm512_set1_epi32(2 * 127 << 23);  // exponents of x and 1 / x add up to that
  return _mm512_castsi512_ps(_mm512_maskz_sub_epi32(sound, inverse, _mm512_castps_si512(scales)));
}

/// x * factor, rounded, in the low 16 bits of each number; of a NaN anything: its scale is NaN.
BALEEN_INLINE __m512 no_codes() { return _mm512_set1_ps(0x1.8p23f); }
BALEEN_INLINE __m512 code_bits(__m512 x, __m512 factor) { return _mm512_fmadd_ps(x, factor, no_codes()); }

/// Low codes of 32-bit words and high ones.
BALEEN_INLINE __m512i pairs(__m512 low, __m512 high) {
  return words_of(_mm512_castps_si512(low), _mm512_castps_si512(high));
}

}  // namespace baleen::avx512
