// Attention to f16 pages with 16-bit codes (docs/NUMERICS.md, "Attention"): both products sum exact integers.
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

/// A scale for a key and block of dimensions. Per block, in order: score = fma(scale_q * scale_k, float(dot), score).
/// |dot| <= 32 * 8191 * 8188 < 2^31.
void scores_f16(const I16Queries& queries, const uint16_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t padded = i16_padded(dim), blocks = code_blocks(dim);
  for (int64_t b = 0; b < blocks; ++b)
    for (int64_t key = 0; key < kTileKeys; ++key) {
      const int64_t first = b * kCodeBlock, count = block_size(dim, b);
      const uint16_t* column = keys + first * kTileKeys + key;
      const HalfScale scale = half_scale(column, kTileKeys, count);
      int16_t codes[kCodeBlock];
      for (int64_t i = 0; i < count; ++i) codes[i] = half_code(column[i * kTileKeys], scale);
      for (int64_t r = 0; r < rows.count; ++r) {
        int32_t dot = 0;
        for (int64_t i = 0; i < count; ++i) dot += queries.codes[r * padded + first + i] * codes[i];
        float& score = rows.scores[r * kTileKeys + key];
        score =
            fma(queries.scales[r * blocks + b] * scale.scale, static_cast<float>(dot), b == 0 ? 0.0f : score);
      }
    }
}

/// A scale for a key and all its values. o[d] = fma(step, float(sum of u[key] * code[key, d]), o[d] * c); a row that
/// sees no key of the page stays as it is.
void weighted_sum_f16(const TileRows& rows, const PageValues<uint16_t>& values, float* out) {
  HalfScale to[kTileKeys];
  float scales[kTileKeys];
  for (int64_t key = 0; key < kTileKeys; ++key) {
    to[key] = half_scale(values.data + key * values.stride, 1, values.dim);
    scales[key] = to[key].scale;
  }
  for (int64_t first = 0; first < values.dim; first += kCodeBlock) {
    const int64_t count = block_size(values.dim, first / kCodeBlock);
    int16_t codes[kTileKeys][kCodeBlock];
    for (int64_t key = 0; key < kTileKeys; ++key)
      for (int64_t i = 0; i < count; ++i)
        codes[key][i] = half_code(values.data[key * values.stride + first + i], to[key]);
    for (int64_t r = 0; r < rows.count; ++r) {
      if (rows.visible[r] == 0) continue;
      const auto weights =
          quantise_weights<int16_t>(rows.scores + r * kTileKeys, rows.visible[r], scales, kI16Largest);
      for (int64_t i = 0; i < count; ++i) {
        int32_t sum = 0;
        for (int64_t key = 0; key < kTileKeys; ++key) sum += weights.codes[key] * codes[key][i];
        float& o = out[r * values.dim + first + i];
        o = fma(weights.step, static_cast<float>(sum), o * rows.correction[r]);
      }
    }
  }
}

}  // namespace baleen::ref
