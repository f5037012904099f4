// Scores of query rows from 16-bit codes (rules: kernels/ref/f16_rows.cc, i8_rows.cc): tiles of up to 4 rows x 16 keys,
// 8 integer sums; Products (word_products.h) multiply the codes of two dimensions in 32 bits.
#pragma once

#include "kernels/avx2/rows.h"
#include "kernels/avx2/word_products.h"

namespace baleen::avx2 {

constexpr int kScoreRows = 4, kBlockSteps = kCodeBlock / 2;
constexpr int64_t kSliceDims = 128;  // at a time

/// Rows of codes, `stride` apart; block b's scale of row r is at r * blocks + b.
struct WordQueries {
  const int16_t* codes;
  int64_t stride;
  const float* scales;
  int64_t blocks;
};
/// Codes [steps][32][2], scales [blocks][32].
struct WordKeys {
  const int16_t* codes;
  const float* scales;
  int64_t steps;
  bool first;  ///< else products are added to the scores
};

BALEEN_INLINE __m256i load_words(const int16_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
BALEEN_INLINE __m256i two_words(const int16_t* from) {
  int two;
  __builtin_memcpy(&two, from, sizeof two);
  return _mm256_set1_epi32(two);
}

/// The products of block b, scaled and added to 8 scores of each row.
template <int kRows>
BALEEN_INLINE void add_scaled(const WordQueries& queries, const WordKeys& keys, int64_t b, int v,
                              const __m256i (&dots)[kRows], float* out) {
  const __m256 key_scales = _mm256_loadu_ps(keys.scales + b * kTileKeys + v * 8);
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    float* scores = out + r * kTileKeys + v * 8;
    const __m256 scale =
        _mm256_mul_ps(_mm256_broadcast_ss(queries.scales + r * queries.blocks + b), key_scales);
    const __m256 old = keys.first && b == 0 ? _mm256_setzero_ps() : _mm256_loadu_ps(scores);
    _mm256_storeu_ps(scores, _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(dots[r]), old));
  }
}

/// 16 of the page's keys.
template <class Products, int kRows>
void scores_block(const WordQueries& queries, const WordKeys& keys, float* out) {
  for (int64_t b = 0; b * kBlockSteps < keys.steps; ++b) {
    __m256i low[kRows], high[kRows];
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) low[r] = high[r] = _mm256_setzero_si256();
    const int64_t end = keys.steps < (b + 1) * kBlockSteps ? keys.steps : (b + 1) * kBlockSteps;
    for (int64_t s = b * kBlockSteps; s < end; ++s) {
      const int16_t* from = keys.codes + s * 2 * kTileKeys;
      __m256i k_low = load_words(from), k_high = load_words(from + 16);
      asm("" : "+x"(k_low), "+x"(k_high));  // GCC would load them anew for each row
      BALEEN_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const __m256i q = two_words(queries.codes + r * queries.stride + s * 2);
        Products::add(q, k_low, low[r]);
        Products::add(q, k_high, high[r]);
      }
    }
    add_scaled<kRows>(queries, keys, b, 0, low, out);
    add_scaled<kRows>(queries, keys, b, 1, high, out);
  }
}

using ScoresBlock = void (*)(const WordQueries& queries, const WordKeys& keys, float* out);
template <class Products>
constexpr ScoresBlock kScoresBlocks[kScoreRows] = {scores_block<Products, 1>, scores_block<Products, 2>,
                                                   scores_block<Products, 3>, scores_block<Products, 4>};

/// Of `count` rows, kScoreRows at most; scores [count, 32].
template <class Products>
BALEEN_INLINE void add_scores(const WordQueries& queries, WordKeys keys, int64_t count, float* scores) {
  for (int half = 0; half < kTileKeys; half += 16, keys.codes += 32, keys.scales += 16)
    kScoresBlocks<Products>[count - 1](queries, keys, scores + half);
}

}  // namespace baleen::avx2
