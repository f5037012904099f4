// Attention of query rows to one page (rules: kernels/ref/attention_rows.cc). Both products are register tiles:
// 6 query rows x 16 keys, and 6 rows x 16 dimensions: 12 sums, 2 vectors of the page and a broadcast fill 15 of the
// 16 registers, and 8 sums in flight hide the latency of an fma.
#include "kernels/avx2/rows.h"

namespace baleen::avx2 {
namespace {

constexpr int kBlockRows = 6;

/// 16 of the page's keys.
template <int kRows>
void scores_block(const float* queries, const float* keys, int64_t dim, float* out) {
  __m256 low[kRows], high[kRows];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = _mm256_setzero_ps();
  for (int64_t d = 0; d < dim; ++d) {
    const __m256 k_low = _mm256_loadu_ps(keys + d * kTileKeys),
                 k_high = _mm256_loadu_ps(keys + d * kTileKeys + 8);
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m256 q = _mm256_broadcast_ss(queries + r * dim + d);
      low[r] = _mm256_fmadd_ps(q, k_low, low[r]);
      high[r] = _mm256_fmadd_ps(q, k_high, high[r]);
    }
  }
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    _mm256_storeu_ps(out + r * kTileKeys, low[r]);
    _mm256_storeu_ps(out + r * kTileKeys + 8, high[r]);
  }
}

/// Rows that see the same keys, and kVectors vectors of dimensions.
template <int kRows, int kVectors, class Access>
void sum_block(const TileRows& rows, int64_t first, const PageValues& values, int64_t d, float* out) {
  const int64_t dim = values.dim, left_dims = dim - d;
  out += d;
  __m256 sum[kRows][kVectors];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m256 correction = _mm256_set1_ps(rows.correction[first + r]);
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v)
      sum[r][v] = _mm256_mul_ps(Access::load(out + r * dim + v * 8, left_dims), correction);
  }
  const float* p = rows.scores + first * kTileKeys;
  for (VisibleKeys left = rows.visible[first]; left != 0; left &= left - 1) {
    const int key = __builtin_ctz(left);
    __m256 value[kVectors];
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v)
      value[v] = Access::load(values.data + key * values.stride + d + v * 8, left_dims);
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m256 weight = _mm256_broadcast_ss(p + r * kTileKeys + key);
      BALEEN_UNROLL
      for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm256_fmadd_ps(weight, value[v], sum[r][v]);
    }
  }
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) Access::store(out + r * dim + v * 8, left_dims, sum[r][v]);
  }
}

template <int kRows>
void sum_rows(const TileRows& rows, int64_t first, const PageValues& values, float* out) {
  constexpr int kVectors = kRows == 1 ? 8 : kRows == 2 ? 4 : 2;  // enough sums in flight for few rows
  int64_t d = 0;
  for (; d + kVectors * 8 <= values.dim; d += kVectors * 8)
    sum_block<kRows, kVectors, Whole>(rows, first, values, d, out);
  for (; d + 8 <= values.dim; d += 8) sum_block<kRows, 1, Whole>(rows, first, values, d, out);
  if (d < values.dim) sum_block<kRows, 1, Partial>(rows, first, values, d, out);
}

using ScoresBlock = void (*)(const float* queries, const float* keys, int64_t dim, float* out);
constexpr ScoresBlock kScoresBlocks[kBlockRows] = {scores_block<1>, scores_block<2>, scores_block<3>,
                                                   scores_block<4>, scores_block<5>, scores_block<6>};
using SumRows = void (*)(const TileRows& rows, int64_t first, const PageValues& values, float* out);
constexpr SumRows kSumRows[kBlockRows] = {sum_rows<1>, sum_rows<2>, sum_rows<3>,
                                          sum_rows<4>, sum_rows<5>, sum_rows<6>};

/// A page's 32 lanes as four vectors.
struct Lanes {
  __m256 v[4];
};

BALEEN_INLINE void softmax_row(const TileRows& rows, int64_t r) {
  float* s = rows.scores + r * kTileKeys;
  const __m256 masked = _mm256_set1_ps(-__builtin_inff());
  Lanes score, mask, shown, p;
  BALEEN_UNROLL
  for (int v = 0; v < 4; ++v) {
    score.v[v] = _mm256_loadu_ps(s + 8 * v);
    mask.v[v] = _mm256_castsi256_ps(lane_mask(rows.visible[r], v));
    shown.v[v] = _mm256_blendv_ps(masked, score.v[v], mask.v[v]);
  }
  const float tile_max =
      tree_max(_mm256_max_ps(_mm256_max_ps(shown.v[0], shown.v[2]), _mm256_max_ps(shown.v[1], shown.v[3])));
  const float old_max = rows.max[r];
  const float max = old_max > tile_max ? old_max : tile_max;
  BALEEN_UNROLL
  for (int v = 0; v < 4; ++v) {
    p.v[v] = _mm256_and_ps(exp(_mm256_sub_ps(score.v[v], _mm256_set1_ps(max))), mask.v[v]);
    _mm256_storeu_ps(s + 8 * v, p.v[v]);
  }
  const float sum = tree_sum(_mm256_add_ps(_mm256_add_ps(p.v[0], p.v[2]), _mm256_add_ps(p.v[1], p.v[3])));
  const float correction =
      old_max == -__builtin_inff() ? 0.0f : _mm256_cvtss_f32(exp(_mm256_set1_ps(old_max - max)));
  rows.sum[r] = __builtin_fmaf(rows.sum[r], correction, sum);
  rows.max[r] = max;
  rows.correction[r] = correction;
}

/// 8 rows of 8 words to columns: pairs of words, pairs of pairs, then the 128-bit halves.
BALEEN_INLINE void transpose_block(__m256i (&x)[8]) {
  __m256i y[8];
  BALEEN_UNROLL
  for (int i = 0; i < 8; i += 2) {
    y[i] = _mm256_unpacklo_epi32(x[i], x[i + 1]);
    y[i + 1] = _mm256_unpackhi_epi32(x[i], x[i + 1]);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 8; i += 4) {
    x[i] = _mm256_unpacklo_epi64(y[i], y[i + 2]);
    x[i + 1] = _mm256_unpackhi_epi64(y[i], y[i + 2]);
    x[i + 2] = _mm256_unpacklo_epi64(y[i + 1], y[i + 3]);
    x[i + 3] = _mm256_unpackhi_epi64(y[i + 1], y[i + 3]);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 4; ++i) {
    y[i] = _mm256_permute2x128_si256(x[i], x[4 + i], 0x20);
    y[4 + i] = _mm256_permute2x128_si256(x[i], x[4 + i], 0x31);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 8; ++i) x[i] = y[i];
}

}  // namespace

void scores(const float* queries, const float* keys, int64_t dim, const TileRows& rows) {
  for (int64_t r = 0; r < rows.count; r += kBlockRows) {
    const int64_t block = rows.count - r < kBlockRows ? rows.count - r : kBlockRows;
    for (int half = 0; half < kTileKeys; half += 16)
      kScoresBlocks[block - 1](queries + r * dim, keys + half, dim, rows.scores + r * kTileKeys + half);
  }
}

void softmax_tile(const TileRows& rows) {
  for (int64_t r = 0; r < rows.count; ++r) {
    if (rows.visible[r] != 0) {
      softmax_row(rows, r);
      continue;
    }
    for (int key = 0; key < kTileKeys; ++key) rows.scores[r * kTileKeys + key] = 0;
    rows.correction[r] = 1;
  }
}

void weighted_sum(const TileRows& rows, const PageValues& values, float* out) {
  for (int64_t r = 0; r < rows.count;) {
    int64_t block = 1;
    while (block < kBlockRows && r + block < rows.count && rows.visible[r + block] == rows.visible[r])
      ++block;
    if (rows.visible[r] != 0) kSumRows[block - 1](rows, r, values, out + r * values.dim);
    r += block;
  }
}

void transpose(const uint32_t* rows, int64_t columns, uint32_t* out) {
  int64_t c = 0;
  for (; c + 8 <= columns; c += 8)
    for (int64_t r = 0; r < kTileKeys; r += 8) {
      __m256i block[8];
      BALEEN_UNROLL
      for (int i = 0; i < 8; ++i)
        block[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows + (r + i) * columns + c));
      transpose_block(block);
      BALEEN_UNROLL
      for (int i = 0; i < 8; ++i)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + (c + i) * kTileKeys + r), block[i]);
    }
  for (; c < columns; ++c)
    for (int64_t r = 0; r < kTileKeys; ++r) out[c * kTileKeys + r] = rows[r * columns + c];
}

void divide(const float* sum, int64_t rows, int64_t dim, float* out) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t d = 0; d < dim; d += 8) {
      const __m256i mask = lanes_left(dim - d);
      float* to = out + r * dim + d;
      _mm256_maskstore_ps(to, mask, _mm256_div_ps(_mm256_maskload_ps(to, mask), _mm256_set1_ps(sum[r])));
    }
}

}  // namespace baleen::avx2
