// What kernels of K formats do with the dot products of sub-blocks.
#pragma once

#include "kernels/avx2/sub_blocks.h"
#include "kernels/avxvnni/vectors.h"

namespace baleen::avxvnni {

/// Whether the dot products of up to 8 tokens of blocks256 are words, as nearly always.
BALEEN_INLINE bool dots_are_words(const std::byte* x, int64_t tokens, int64_t cols, WordLimits limits) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i there = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(tokens)), lane);
  const __m256i limit = _mm256_set1_epi32(limits.magnitudes << 16 | limits.one_sign);
  const std::byte* bounds = x + kBounds256 * tokens;
  __m256i above = _mm256_setzero_si256();
  for (int64_t k = 0; k < cols; k += 256, bounds += kRecord256 * tokens) {
    const __m256i of_tokens = _mm256_maskload_epi32(reinterpret_cast<const int*>(bounds), there);
    above = _mm256_or_si256(above, _mm256_cmpgt_epi16(of_tokens, limit));
  }
  return _mm256_testz_si256(above, above) != 0;
}

/// sum + dot * scale. kWords: sum + dot . scale of two words each; of a word alone the scale's upper half is zero.
template <bool kWords>
BALEEN_INLINE __m256i plus_scaled(__m256i sum, __m256i dot, __m256i scale) {
  if constexpr (!kWords) return _mm256_add_epi32(sum, _mm256_mullo_epi32(dot, scale));
  AddedAtOnce::add(dot, scale, sum);
  return sum;
}

/// Sub-scales as double words, of pairs of equal words.
BALEEN_INLINE __m256i one_of_pair(__m256i pair) { return _mm256_srai_epi32(pair, 16); }

}  // namespace baleen::avxvnni
