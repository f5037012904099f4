// Attention of query rows to one page of 32 keys at a time (docs/NUMERICS.md, "Attention").
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/ref/floats.h"
#include "kernels/ref/row_kernels.h"

namespace baleen::ref {
/// m' = max(m, visible scores), c = exp(m - m') (first tile: 0), p = exp(s - m') or 0 where masked,
/// l = fma(l, c, tree(p)). A row that sees no key of the page keeps m and l: c = 1, p = 0.
void softmax_tile(const TileRows& rows) {
  constexpr float kMasked = -std::numeric_limits<float>::infinity();
  for (int64_t r = 0; r < rows.count; ++r) {
    float* s = rows.scores + r * kTileKeys;
    const VisibleKeys visible = rows.visible[r];
    if (visible == 0) {
      std::fill_n(s, kTileKeys, 0.0f);
      rows.correction[r] = 1;
      continue;
    }
    float lanes[kTileKeys];
    for (int key = 0; key < kTileKeys; ++key) lanes[key] = (visible >> key & 1) != 0 ? s[key] : kMasked;
    const float tile_max = tree_max(lanes, kTileKeys);
    const float old_max = rows.max[r];
    const float max = old_max > tile_max ? old_max : tile_max;
    const float correction = old_max == kMasked ? 0.0f : exp(old_max - max);
    for (int key = 0; key < kTileKeys; ++key) {
      s[key] = (visible >> key & 1) != 0 ? exp(s[key] - max) : 0.0f;
      lanes[key] = s[key];
    }
    rows.sum[r] = std::fma(rows.sum[r], correction, tree_sum(lanes, kTileKeys));
    rows.max[r] = max;
    rows.correction[r] = correction;
  }
}

/// Keys in lanes: one fma per dimension, in order.
void scores_f32(const float* queries, const float* keys, int64_t dim, const TileRows& rows) {
  for (int64_t r = 0; r < rows.count; ++r)
    for (int key = 0; key < kTileKeys; ++key) {
      float sum = 0;
      for (int64_t d = 0; d < dim; ++d) sum = std::fma(queries[r * dim + d], keys[d * kTileKeys + key], sum);
      rows.scores[r * kTileKeys + key] = sum;
    }
}

/// Dimensions in lanes: one fma per visible key, in order.
void weighted_sum_f32(const TileRows& rows, const F32Values& values, float* out) {
  const int64_t dim = values.dim;
  for (int64_t r = 0; r < rows.count; ++r)
    for (int64_t d = 0; d < dim; ++d) {
      float sum = out[r * dim + d] * rows.correction[r];
      for (int key = 0; key < kTileKeys; ++key)
        if ((rows.visible[r] >> key & 1) != 0)
          sum = std::fma(rows.scores[r * kTileKeys + key], values.data[key * values.stride + d], sum);
      out[r * dim + d] = sum;
    }
}

void divide(const float* x, const float* sum, int64_t rows, int64_t dim, float* out) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t d = 0; d < dim; ++d) out[r * dim + d] = x[r * dim + d] / sum[r];
}

}  // namespace baleen::ref
