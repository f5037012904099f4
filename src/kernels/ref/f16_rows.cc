// Attention to pages of the 16-bit codes that f16 keys and values become (docs/NUMERICS.md, "Attention"): both products
// sum exact integers.
#include <cmath>

#include "kernels/ref/codes.h"
#include "kernels/ref/row_kernels.h"

namespace baleen::ref {

void quantise_queries_i16(const float* queries, int64_t rows, int64_t dim, const I16Queries& out) {
  const int64_t padded = i16_padded(dim), blocks = code_blocks(dim);
  for (int64_t r = 0; r < rows; ++r) {
    int16_t* codes = out.codes + r * padded;
    for (int64_t d = dim; d < padded; ++d) codes[d] = 0;
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t first = b * kCodeBlock;
      out.scales[r * blocks + b] =
          quantise_block(queries + r * dim + first, block_size(dim, b), kI16Largest, codes + first);
    }
  }
}

/// Per block, in order: score = fma(scale_q * scale_k, float(dot), score). |dot| <= 32 * 8191 * 8188 < 2^31.
void scores_f16(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t padded = i16_padded(dim), blocks = code_blocks(dim);
  const int16_t* scales = keys + kTileKeys * padded;
  for (int64_t b = 0; b < blocks; ++b)
    for (int64_t key = 0; key < kTileKeys; ++key)
      for (int64_t r = 0; r < rows.count; ++r) {
        int32_t dot = 0;
        for (int64_t d = b * kCodeBlock; d < b * kCodeBlock + block_size(dim, b); ++d)
          dot += queries.codes[r * padded + d] * keys[(d / 2 * kTileKeys + key) * 2 + d % 2];
        float& score = rows.scores[r * kTileKeys + key];
        score = fma(queries.scales[r * blocks + b] * stored_scale(scales[b * kTileKeys + key]),
                    static_cast<float>(dot), b == 0 ? 0.0f : score);
      }
}

/// o[d] = fma(step, float(sum of u[key] * code[key, d]), o[d] * c); a row that sees no key of the page stays as it is.
void weighted_sum_f16(const TileRows& rows, const int16_t* values, int64_t dim, float* out) {
  float scales[kTileKeys];
  for (int64_t key = 0; key < kTileKeys; ++key) scales[key] = stored_scale(values[kTileKeys * dim + key]);
  for (int64_t r = 0; r < rows.count; ++r) {
    if (rows.visible[r] == 0) continue;
    const auto weights =
        quantise_weights<int16_t>(rows.scores + r * kTileKeys, rows.visible[r], scales, kI16Largest);
    for (int64_t d = 0; d < dim; ++d) {
      const int64_t b = d / kCodeBlock, width = block_size(dim, b);
      const int16_t* block = values + b * kCodeBlock * kTileKeys + d % kCodeBlock * 2;
      int32_t sum = 0;
      for (int64_t key = 0; key < kTileKeys; ++key)
        sum += weights.codes[key] * block[f16_value_at(key, width)];
      float& o = out[r * dim + d];
      o = fma(weights.step, static_cast<float>(sum), o * rows.correction[r]);
    }
  }
}

}  // namespace baleen::ref
