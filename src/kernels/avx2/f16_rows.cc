// Scores of f16 keys (rules: kernels/ref/f16_rows.cc), which lie there as codes.
#include "kernels/avx2/f16_codes.h"
#include "kernels/avx2/word_scores.h"

namespace baleen::avx2 {
namespace {

constexpr int64_t kSliceDims = 128, kSliceBlocks = kSliceDims / kCodeBlock;

}  // namespace

void scores_f16(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t padded = i16_padded(dim), blocks = code_blocks(dim);
  const int16_t* stored = keys + kTileKeys * padded;
  for (int64_t d = 0; d < dim; d += kSliceDims) {
    const int64_t dims = dim - d < kSliceDims ? dim - d : kSliceDims, first = d / kCodeBlock;
    alignas(32) float scales[kSliceBlocks * kTileKeys];
    for (int64_t i = 0; i < code_blocks(dims) * kTileKeys; i += 8)
      _mm256_store_ps(scales + i, stored_scales(stored + first * kTileKeys + i));
    const WordKeys page{keys + d * kTileKeys, scales, (dims + 1) / 2, d == 0};
    for (int64_t r = 0; r < rows.count; r += kScoreRows)
      add_scores({queries.codes + r * padded + d, padded, queries.scales + r * blocks + first, blocks}, page,
                 rows.count - r < kScoreRows ? rows.count - r : kScoreRows, rows.scores + r * kTileKeys);
  }
}

}  // namespace baleen::avx2
