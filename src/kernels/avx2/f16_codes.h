// f16 numbers as 16-bit codes (rules: kernels/ref/codes.h).
#pragma once

#include "kernels/avx2/rows.h"

namespace baleen::avx2 {

BALEEN_INLINE __m256i load_halves(const uint16_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
BALEEN_INLINE __m256i magnitudes(__m256i halves) {
  return _mm256_and_si256(halves, _mm256_set1_epi16(0x7FFF));
}

/// Of 8 blocks whose largest magnitudes' bits are given.
struct HalfScales {
  __m256 factor, scale;
};
BALEEN_INLINE HalfScales half_scales(__m256i largest) {
  const __m256i exponent = _mm256_max_epi32(_mm256_srli_epi32(largest, 10), _mm256_set1_epi32(1));
  const __m256i broken = _mm256_cmpgt_epi32(largest, _mm256_set1_epi32(0x7BFF));
  const auto power = [](__m256i biased) { return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)); };
  const __m256 scale = power(_mm256_add_epi32(exponent, _mm256_set1_epi32(127 - 27)));
  return {power(_mm256_sub_epi32(_mm256_set1_epi32(127 + 27), exponent)),
          _mm256_blendv_ps(scale, _mm256_set1_ps(__builtin_nanf("")), _mm256_castsi256_ps(broken))};
}

/// Of 8 blocks, as pages hold them.
BALEEN_INLINE __m256 stored_scales(const int16_t* from) {
  const __m256i upper = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(upper, 16));
}
BALEEN_INLINE void store_scales(__m256 scales, int16_t* to) {
  const __m256i upper = _mm256_srli_epi32(_mm256_castps_si256(scales), 16);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm_packus_epi32(_mm256_castsi256_si128(upper), _mm256_extracti128_si256(upper, 1)));
}

/// x * factor, rounded, in the low 16 bits of each number; of a NaN anything: its scale is NaN.
BALEEN_INLINE __m256 no_codes() { return _mm256_set1_ps(0x1.8p23f); }
BALEEN_INLINE __m256 code_bits(__m256 x, __m256 factor) { return _mm256_fmadd_ps(x, factor, no_codes()); }

/// Low codes of 32-bit words and high ones.
BALEEN_INLINE __m256i pairs(__m256 low, __m256 high) {
  return _mm256_blend_epi16(_mm256_castps_si256(low), _mm256_slli_epi32(_mm256_castps_si256(high), 16), 0xAA);
}

}  // namespace baleen::avx2
