// Scores of query rows from integer codes (rules: kernels/ref/i8_rows.cc, f16_rows.cc), a tile of up to 6 rows x 32
// keys: 12 integer and 12 float sums; a group of 3 heads fits twice. 32 bits hold the codes of neighbouring
// dimensions, as many as one product takes.
//
// `Codes` says which: kSteps such words for a block of dimensions, start(queries, block) the first value of an integer
// sum, codes(from) the words of 16 keys, add(sum, keys, query) a product.
#pragma once

#include "kernels/avx512/rows.h"

namespace baleen::avx512 {

constexpr int kScoreRows = 6;

/// Rows of codes, in bytes; block b's scales and sums of row r are at r * blocks + b.
struct CodedQueries {
  const std::byte* codes;
  int64_t stride;
  const float* scales;
  const int32_t* sums;  ///< what Codes need or kernels that multiply sums
  int64_t blocks;
};
/// Codes [steps][32] of 32 bits, scales [blocks][32].
struct CodedKeys {
  const std::byte* codes;
  const float* scales;
  int64_t steps;
  bool first;  ///< else products are added to the scores
};

/// The products of one block, scaled and added.
template <class Codes, int kRows>
BALEEN_INLINE void add_block(const CodedQueries& queries, const CodedKeys& keys, int64_t b,
                             __m512 (&low)[kRows], __m512 (&high)[kRows]) {
  __m512i dot_low[kRows], dot_high[kRows];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) dot_low[r] = dot_high[r] = Codes::start(queries, r * queries.blocks + b);
  const int64_t end = keys.steps < (b + 1) * Codes::kSteps ? keys.steps : (b + 1) * Codes::kSteps;
  for (int64_t s = b * Codes::kSteps; s < end; ++s) {
    __m512i k_low = Codes::codes(keys.codes + s * 128), k_high = Codes::codes(keys.codes + s * 128 + 64);
    asm("" : "+v"(k_low), "+v"(k_high));  // for few rows GCC would load them anew for each
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512i q = broadcast_int(queries.codes + r * queries.stride + s * 4);
      dot_low[r] = Codes::add(dot_low[r], k_low, q);
      dot_high[r] = Codes::add(dot_high[r], k_high, q);
    }
  }
  const __m512 scale_low = _mm512_loadu_ps(keys.scales + b * kTileKeys);
  const __m512 scale_high = _mm512_loadu_ps(keys.scales + b * kTileKeys + 16);
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m512 scale = _mm512_set1_ps(queries.scales[r * queries.blocks + b]);
    low[r] = _mm512_fmadd_ps(_mm512_mul_ps(scale, scale_low), _mm512_cvtepi32_ps(dot_low[r]), low[r]);
    high[r] = _mm512_fmadd_ps(_mm512_mul_ps(scale, scale_high), _mm512_cvtepi32_ps(dot_high[r]), high[r]);
  }
}

template <class Codes, int kRows>
void scores_block(const CodedQueries& queries, const CodedKeys& keys, float* out) {
  __m512 low[kRows], high[kRows];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    low[r] = keys.first ? _mm512_setzero_ps() : _mm512_loadu_ps(out + r * kTileKeys);
    high[r] = keys.first ? _mm512_setzero_ps() : _mm512_loadu_ps(out + r * kTileKeys + 16);
  }
  for (int64_t b = 0; b * Codes::kSteps < keys.steps; ++b)
    add_block<Codes, kRows>(queries, keys, b, low, high);
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    _mm512_storeu_ps(out + r * kTileKeys, low[r]);
    _mm512_storeu_ps(out + r * kTileKeys + 16, high[r]);
  }
}

using ScoresBlock = void (*)(const CodedQueries& queries, const CodedKeys& keys, float* out);
template <class Codes>
constexpr ScoresBlock kScoresBlocks[kScoreRows] = {scores_block<Codes, 1>, scores_block<Codes, 2>,
                                                   scores_block<Codes, 3>, scores_block<Codes, 4>,
                                                   scores_block<Codes, 5>, scores_block<Codes, 6>};

template <class Codes>
BALEEN_INLINE void add_scores(CodedQueries queries, const CodedKeys& keys, const TileRows& rows) {
  for (int64_t r = 0; r < rows.count; r += kScoreRows) {
    const int64_t block = rows.count - r < kScoreRows ? rows.count - r : kScoreRows;
    kScoresBlocks<Codes>[block - 1](queries, keys, rows.scores + r * kTileKeys);
    queries.codes += kScoreRows * queries.stride;
    queries.scales += kScoreRows * queries.blocks;
    if (queries.sums != nullptr) queries.sums += kScoreRows * queries.blocks;
  }
}

}  // namespace baleen::avx512
