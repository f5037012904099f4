// Attention's second product from 16-bit codes (rules: kernels/ref/f16_rows.cc, i8_values.cc): a row's weights, and
// tiles of up to 4 rows x 16 dimensions, whose operands are the weights of two keys in 32 bits, broadcast, and the
// codes of the same keys for 8 dimensions.
#pragma once

#include "kernels/avx2/word_scores.h"

namespace baleen::avx2 {

constexpr int kValueRows = 4, kKeyPairs = kTileKeys / 2;
constexpr int64_t kBatchRows = 128;  // whose weights are kept

/// One row's weights of a page, two keys a word.
struct Weights {
  alignas(32) uint32_t words[kKeyPairs];
  float step;
};

BALEEN_INLINE uint32_t largest_of(__m256i x) {
  __m128i four = _mm_max_epu32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0x4E));
  four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0xB1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(four));
}

/// Numbers >= 0 compare like their bits, and a NaN of either sign above all of them. `reorder` may change the order of
/// the codes within 64 bits.
template <class Reorder>
BALEEN_INLINE void quantise_weights(const float* p, VisibleKeys visible, const float* scales,
                                    float largest_code, Weights& weights, const Reorder& reorder) {
  __m256 w[4];
  __m256i largest_lanes = _mm256_setzero_si256();
  BALEEN_UNROLL
  for (int v = 0; v < 4; ++v) {
    w[v] = _mm256_mul_ps(_mm256_loadu_ps(p + 8 * v), _mm256_loadu_ps(scales + 8 * v));
    w[v] = _mm256_and_ps(w[v], _mm256_castsi256_ps(lane_mask(visible, v)));
    largest_lanes = _mm256_max_epu32(largest_lanes, _mm256_castps_si256(w[v]));
  }
  const uint32_t bits = largest_of(largest_lanes);
  float largest;
  __builtin_memcpy(&largest, &bits, sizeof largest);
  const bool broken = bits >= 0x7F800000, coded = !broken && largest >= kTinyBlock;
  weights.step = broken ? __builtin_nanf("") : coded ? largest / largest_code : 0.0f;
  const __m256 factor = _mm256_set1_ps(coded ? largest_code / largest : 0.0f);
  BALEEN_UNROLL
  for (int v = 0; v < 4; v += 2) {
    const __m256i codes = _mm256_packus_epi32(_mm256_cvtps_epi32(_mm256_mul_ps(w[v], factor)),
                                              _mm256_cvtps_epi32(_mm256_mul_ps(w[v + 1], factor)));
    const __m256i in_order = _mm256_permute4x64_epi64(codes, 0b11011000);
    _mm256_store_si256(reinterpret_cast<__m256i*>(weights.words + 4 * v), reorder(in_order));
  }
}

/// Codes [16][stride][2]; out [rows, out_stride]. Of the last codes a whole vector is read.
struct WeightedWords {
  const Weights* weights;
  const int16_t* codes;
  int64_t stride;
  float* out;
  int64_t out_stride;
};

/// kVectors vectors of dimensions, of which `left` are there.
template <class Products, int kRows, int kVectors, class Access>
BALEEN_INLINE void sum_block(const WeightedWords& tile, int64_t d, int64_t left) {
  __m256i sum[kRows][kVectors];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm256_setzero_si256();
  const Weights* weights = tile.weights;
  asm("" : "+r"(weights));  // GCC would broadcast all words first, and keep them on the stack
  const int16_t* from = tile.codes + d * 2;
  BALEEN_UNROLL
  for (int pair = 0; pair < kKeyPairs; ++pair, from = next_row(from, tile.stride * 2)) {
    __m256i codes[kVectors];
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) codes[v] = load_words(from + v * 16);
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m256i weight = _mm256_set1_epi32(static_cast<int>(weights[r].words[pair]));
      BALEEN_UNROLL
      for (int v = 0; v < kVectors; ++v) Products::add(weight, codes[v], sum[r][v]);
    }
  }
  float* out = tile.out + d;
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r, out = next_row(out, tile.out_stride)) {
    const __m256 step = _mm256_set1_ps(weights[r].step);
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const __m256 old = Access::load(out + v * 8, left);
      Access::store(out + v * 8, left, _mm256_fmadd_ps(step, _mm256_cvtepi32_ps(sum[r][v]), old));
    }
  }
}

template <class Products, int kRows>
void sum_tile(const WeightedWords& tile, int64_t dims) {
  int64_t d = 0;
  for (; d + 16 <= dims; d += 16) sum_block<Products, kRows, 2, Whole>(tile, d, 16);
  for (; d + 8 <= dims; d += 8) sum_block<Products, kRows, 1, Whole>(tile, d, 8);
  if (d < dims) sum_block<Products, kRows, 1, Partial>(tile, d, dims - d);
}

using SumTile = void (*)(const WeightedWords& tile, int64_t dims);
template <class Products>
constexpr SumTile kSumTiles[kValueRows] = {sum_tile<Products, 1>, sum_tile<Products, 2>,
                                           sum_tile<Products, 3>, sum_tile<Products, 4>};

/// All rows that see a key of the page; the tile is that of the first of them.
template <class Products>
BALEEN_INLINE void sum_rows(const TileRows& rows, WeightedWords tile, int64_t dims) {
  for (int64_t r = 0; r < rows.count;) {
    int64_t count = 0;
    while (count < kValueRows && r + count < rows.count && rows.visible[r + count] != 0) ++count;
    if (count > 0) kSumTiles<Products>[count - 1](tile, dims);
    count = count > 0 ? count : 1;
    tile.weights += count;
    tile.out += count * tile.out_stride;
    r += count;
  }
}

/// Calls visit(part, first row) for parts of up to kBatchRows rows.
template <class Visit>
BALEEN_INLINE void for_each_batch(const TileRows& rows, const Visit& visit) {
  for (int64_t r = 0; r < rows.count; r += kBatchRows) {
    const int64_t count = rows.count - r < kBatchRows ? rows.count - r : kBatchRows;
    visit(TileRows{count, rows.visible + r, rows.scores + r * kTileKeys, nullptr, nullptr, nullptr}, r);
  }
}

}  // namespace baleen::avx2
