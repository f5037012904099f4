// What kernels of K formats do with sub-blocks: their sub-scales, minima and shifts (panel_layout.h,
// activation_layout.h).
#pragma once

#include "kernels/avx2/vectors.h"
#include "kernels/avx2/word_products.h"

namespace baleen::avx2 {

constexpr int kSlabs = 8;  // of a block

/// Sub-scale j of 8 rows as two equal words each: byte j % 4 of their double words.
BALEEN_INLINE __m256i scale_pairs(const std::byte* sub_scales, int j) {
  const __m256i twice = _mm256_setr_epi8(0, -1, 0, -1, 4, -1, 4, -1, 8, -1, 8, -1, 12, -1, 12, -1,  //
                                         0, -1, 0, -1, 4, -1, 4, -1, 8, -1, 8, -1, 12, -1, 12, -1);
  const __m256i bytes = load(sub_scales + j + (j & 4) * (64 / 4 - 1));
  return _mm256_and_si256(_mm256_shuffle_epi8(bytes, twice), _mm256_set1_epi16(63));
}

/// A token's shift, for _mm256_sll_epi32.
BALEEN_INLINE __m128i shift_count(const std::byte* from) {
  int32_t count;
  std::memcpy(&count, from, sizeof count);
  return _mm_cvtsi32_si128(count);
}

/// Sub-scales of 8 rows as two equal words each.
BALEEN_INLINE __m256i scale_words(const std::byte* sub_scales) {
  const __m256i scale = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(sub_scales)));
  return _mm256_blend_epi16(scale, _mm256_slli_epi32(scale, 16), 0xAA);
}

/// Minima 2j and 2j + 1 of each row as words: [j][half].
template <int kHalves>
using Minima = __m256i[4][kHalves];

template <int kHalves>
BALEEN_INLINE void unpack_minima(const std::byte* sub_scales, Minima<kHalves>& pair) {
  Pair<kHalves> four = nibbles<kHalves>(sub_scales + 128);
  add_bits<-2>(sub_scales, 48, four.low);
  add_bits<-2>(sub_scales + 64, 48, four.high);
  BALEEN_UNROLL
  for (int half = 0; half < kHalves; ++half) {
    pair[0][half] = _mm256_and_si256(four.low[half], _mm256_set1_epi16(255));
    pair[1][half] = _mm256_srli_epi16(four.low[half], 8);
    pair[2][half] = _mm256_and_si256(four.high[half], _mm256_set1_epi16(255));
    pair[3][half] = _mm256_srli_epi16(four.high[half], 8);
  }
}

/// sum_j min[j] * shifted sum of the activations, two j at once.
template <class Products, int N>
BALEEN_INLINE IntSums<N> multiply_minima(const Minima<halves_at_once(N)>& pair, const std::byte* x,
                                         int64_t tokens) {
  IntSums<N> sum;
  clear<N>(sum);
  BALEEN_UNROLL
  for (int j = 0; j < 4; ++j) {
    BALEEN_UNROLL
    for (int t = 0; t < N; ++t) {
      const __m256i sums = broadcast_int(x + (kSums256 + j * 4) * tokens + t * 4);
      BALEEN_UNROLL
      for (int half = 0; half < sum.kHalves; ++half) Products::add(pair[j][half], sums, sum.of[half][t]);
    }
  }
  return sum;
}

constexpr int kStartsOfTile = 4 * kTileTokens;  // bytes of a sub-block of 16

/// What 16-bit sums of 6-bit codes start with, -32 * sum of the activations, of a block for each token and word of a
/// k-group: [16][up to 8 tokens][2].
BALEEN_INLINE void unpack_starts_of_tile(const std::byte* x, int64_t tokens, std::byte* starts) {
  const __m256i thirty_two = _mm256_set1_epi8(32);
  for (int j = 0; j < 2 * kSlabs; ++j) {
    __m256i words = _mm256_setzero_si256();
    BALEEN_UNROLL
    for (int g = 0; g < 4; ++g)
      words = _mm256_sub_epi16(words, _mm256_maddubs_epi16(thirty_two, load(x + (j * 4 + g) * tokens * 4)));
    _mm256_store_si256(reinterpret_cast<__m256i*>(starts + j * kStartsOfTile), words);
  }
}

}  // namespace baleen::avx2
