// Attention over an f16 page (rules: kernels/ref/f16_rows.cc), whose keys and values lie there as codes.
#pragma once

#include "kernels/avx2/f16_codes.h"
#include "kernels/avx2/word_values.h"

namespace baleen::avx2 {

template <class Products>
BALEEN_INLINE void scores_f16_by(const I16Queries& queries, const int16_t* keys, int64_t dim,
                                 const TileRows& rows) {
  const int64_t padded = i16_padded(dim), blocks = code_blocks(dim);
  const int16_t* stored = keys + kTileKeys * padded;
  for (int64_t d = 0; d < dim; d += kSliceDims) {
    const int64_t dims = dim - d < kSliceDims ? dim - d : kSliceDims, first = d / kCodeBlock;
    alignas(32) float scales[kSliceDims / kCodeBlock * kTileKeys];
    for (int64_t i = 0; i < code_blocks(dims) * kTileKeys; i += 8)
      _mm256_store_ps(scales + i, stored_scales(stored + first * kTileKeys + i));
    const WordKeys page{keys + d * kTileKeys, scales, (dims + 1) / 2, d == 0};
    for (int64_t r = 0; r < rows.count; r += kScoreRows)
      add_scores<Products>(
          {queries.codes + r * padded + d, padded, queries.scales + r * blocks + first, blocks}, page,
          rows.count - r < kScoreRows ? rows.count - r : kScoreRows, rows.scores + r * kTileKeys);
  }
}

/// A row's weights become 16-bit codes once.
template <class Products>
BALEEN_INLINE void weighted_sum_f16_by(const TileRows& rows, const int16_t* values, int64_t dim, float* out) {
  correct_sums(rows, dim, out);
  alignas(32) float scales[kTileKeys];
  for (int64_t key = 0; key < kTileKeys; key += 8)
    _mm256_store_ps(scales + key, stored_scales(values + kTileKeys * dim + key));
  for_each_batch(rows, [&](const TileRows& part, int64_t first) {
    Weights weights[kBatchRows];
    for (int64_t r = 0; r < part.count; ++r)
      quantise_weights(part.scores + r * kTileKeys, part.visible[r], scales, kI16Largest, weights[r],
                       [](__m256i codes) { return codes; });
    for (int64_t d = 0; d < dim; d += kCodeBlock) {
      const int64_t width = dim - d < kCodeBlock ? dim - d : kCodeBlock;
      sum_rows<Products>(part, {weights, values + d * kTileKeys, width, out + first * dim + d, dim}, width);
    }
  });
}

}  // namespace baleen::avx2
