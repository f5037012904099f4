// Attention of query rows to one page of floats (rules: kernels/ref/attention_rows.cc). Both products are register
// tiles: 6 query rows x 16 keys, and 6 rows x 16 dimensions: 12 sums, 2 vectors of the page and a broadcast fill 15
// of the 16 registers, and 8 sums in flight hide the latency of an fma.
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
    const __m256 k_low = _mm256_loadu_ps(keys + d * kTileKeys);
    const __m256 k_high = _mm256_loadu_ps(keys + d * kTileKeys + 8);
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

using ScoresBlock = void (*)(const float* queries, const float* keys, int64_t dim, float* out);
constexpr ScoresBlock kScoresBlocks[kBlockRows] = {scores_block<1>, scores_block<2>, scores_block<3>,
                                                   scores_block<4>, scores_block<5>, scores_block<6>};

/// Probabilities of rows that see the same keys.
struct Weights {
  const float* p;  ///< [rows][32]
  VisibleKeys visible;
};

/// kVectors vectors of dimensions, of which `dims` are there.
template <int kRows, int kVectors, class Access>
BALEEN_INLINE void add_key(const float* p, const float* values, int64_t dims,
                           __m256 (&sum)[kRows][kVectors]) {
  __m256 value[kVectors];
  BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v) value[v] = Access::load(values + v * 8, dims);
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m256 weight = _mm256_broadcast_ss(p + r * kTileKeys);
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm256_fmadd_ps(weight, value[v], sum[r][v]);
  }
}

template <int kRows, int kVectors, class Access>
BALEEN_INLINE void sum_block(const Weights& weights, const F32Values& values, float* out,
                             int64_t out_stride) {
  __m256 sum[kRows][kVectors];
  float* row = out;
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r, row = next_row(row, out_stride)) BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v) sum[r][v] = Access::load(row + v * 8, values.dim);
  if (weights.visible == ~VisibleKeys{0}) {
    for (int key = 0; key < kTileKeys; ++key)
      add_key<kRows, kVectors, Access>(weights.p + key, values.data + key * values.stride, values.dim, sum);
  } else {
    for (VisibleKeys left = weights.visible; left != 0; left &= left - 1) {
      const int key = __builtin_ctz(left);
      add_key<kRows, kVectors, Access>(weights.p + key, values.data + key * values.stride, values.dim, sum);
    }
  }
  row = out;
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r, row = next_row(row, out_stride)) BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v) Access::store(row + v * 8, values.dim, sum[r][v]);
}

template <int kRows>
void sum_rows(const Weights& weights, F32Values values, float* out, int64_t out_stride) {
  constexpr int kVectors = kRows == 1 ? 8 : kRows == 2 ? 4 : 2;  // enough sums in flight for few rows
  constexpr int kWidth = kVectors * 8;
  for (; values.dim >= kWidth; values.dim -= kWidth, values.data += kWidth, out += kWidth)
    sum_block<kRows, kVectors, Whole>(weights, values, out, out_stride);
  for (; values.dim >= 8; values.dim -= 8, values.data += 8, out += 8)
    sum_block<kRows, 1, Whole>(weights, values, out, out_stride);
  if (values.dim > 0) sum_block<kRows, 1, Partial>(weights, values, out, out_stride);
}

using SumRows = void (*)(const Weights& weights, F32Values values, float* out, int64_t out_stride);
constexpr SumRows kSumRows[kBlockRows] = {sum_rows<1>, sum_rows<2>, sum_rows<3>,
                                          sum_rows<4>, sum_rows<5>, sum_rows<6>};

}  // namespace

void scores_f32(const float* queries, const float* keys, int64_t dim, const TileRows& rows) {
  for (int64_t r = 0; r < rows.count; r += kBlockRows) {
    const int64_t block = rows.count - r < kBlockRows ? rows.count - r : kBlockRows;
    for (int half = 0; half < kTileKeys; half += 16)
      kScoresBlocks[block - 1](queries + r * dim, keys + half, dim, rows.scores + r * kTileKeys + half);
  }
}

/// Most pages change no row's maximum: o * 1 is o.
void correct_sums(const TileRows& rows, int64_t dim, float* out) {
  for (int64_t r = 0; r < rows.count; ++r)
    if (rows.correction[r] != 1 && rows.visible[r] != 0)
      scale(out + r * dim, rows.correction[r], dim, out + r * dim);
}

void weighted_sum_f32(const TileRows& rows, const F32Values& values, float* out) {
  correct_sums(rows, values.dim, out);
  for (int64_t r = 0; r < rows.count;) {
    int64_t block = 1;
    while (block < kBlockRows && r + block < rows.count && rows.visible[r + block] == rows.visible[r])
      ++block;
    if (rows.visible[r] != 0)
      kSumRows[block - 1]({rows.scores + r * kTileKeys, rows.visible[r]}, values, out + r * values.dim,
                          values.dim);
    r += block;
  }
}

void divide(const float* x, const float* sum, int64_t rows, int64_t dim, float* out) {
  for (int64_t r = 0; r < rows; ++r, x += dim, out += dim) {
    const __m256 divisor = _mm256_set1_ps(sum[r]);
    for_vectors(dim, [&](auto access, int64_t d, int64_t left) {
      access.store(out + d, left, _mm256_div_ps(access.load(x + d, left), divisor));
    });
  }
}

}  // namespace baleen::avx2
