// Attention of query rows to one page of floats (rules: kernels/ref/attention_rows.cc). Both products are register
// tiles: 8 query rows x 32 keys, and 8 rows x 32 dimensions, 16 sums in flight where 4 hide the latency of an fma;
// the page's part is loaded once for all 8 rows.
#include "kernels/avx512/rows.h"

namespace baleen::avx512 {
namespace {

constexpr int kBlockRows = 8;

/// Sixteen floats, or the first `lanes` of them.
struct Whole {
  BALEEN_INLINE __m512 load(const float* from, __mmask16) { return _mm512_loadu_ps(from); }
  BALEEN_INLINE void store(float* to, __mmask16, __m512 x) { _mm512_storeu_ps(to, x); }
};
struct Partial {
  BALEEN_INLINE __m512 load(const float* from, __mmask16 lanes) { return _mm512_maskz_loadu_ps(lanes, from); }
  BALEEN_INLINE void store(float* to, __mmask16 lanes, __m512 x) { _mm512_mask_storeu_ps(to, lanes, x); }
};

template <int kRows>
void scores_block(const float* queries, const float* keys, int64_t dim, float* out) {
  __m512 low[kRows], high[kRows];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = _mm512_setzero_ps();
  for (int64_t d = 0; d < dim; ++d) {
    __m512 k_low = _mm512_loadu_ps(keys + d * kTileKeys), k_high = _mm512_loadu_ps(keys + d * kTileKeys + 16);
    asm("" : "+v"(k_low), "+v"(k_high));  // for few rows GCC would load them anew for each
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512 q = _mm512_set1_ps(queries[r * dim + d]);
      low[r] = _mm512_fmadd_ps(q, k_low, low[r]);
      high[r] = _mm512_fmadd_ps(q, k_high, high[r]);
    }
  }
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    _mm512_storeu_ps(out + r * kTileKeys, low[r]);
    _mm512_storeu_ps(out + r * kTileKeys + 16, high[r]);
  }
}

using ScoresBlock = void (*)(const float* queries, const float* keys, int64_t dim, float* out);
constexpr ScoresBlock kScoresBlocks[kBlockRows] = {scores_block<1>, scores_block<2>, scores_block<3>,
                                                   scores_block<4>, scores_block<5>, scores_block<6>,
                                                   scores_block<7>, scores_block<8>};

/// Probabilities of rows that see the same keys.
struct Weights {
  const float* p;  ///< [rows][32]
  VisibleKeys visible;
};

/// kVectors * 16 dimensions, or those of `lanes`.
template <int kRows, int kVectors, class Access>
BALEEN_INLINE void add_key(const float* p, const float* values, __mmask16 lanes,
                           __m512 (&sum)[kRows][kVectors]) {
  __m512 value[kVectors];
  BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    value[v] = Access::load(values + v * 16, lanes);
    asm("" : "+v"(value[v]));
  }
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m512 weight = _mm512_set1_ps(p[r * kTileKeys]);
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm512_fmadd_ps(weight, value[v], sum[r][v]);
  }
}

template <int kRows, int kVectors, class Access>
BALEEN_INLINE void sum_block(const Weights& weights, const F32Values& values, float* out,
                             int64_t out_stride) {
  const __mmask16 lanes = lanes_left(values.dim);
  __m512 sum[kRows][kVectors];
  float* row = out;
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r, row = next_row(row, out_stride)) BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v) sum[r][v] = Access::load(row + v * 16, lanes);
  if (weights.visible == ~VisibleKeys{0}) {
    for (int key = 0; key < kTileKeys; ++key)
      add_key<kRows, kVectors, Access>(weights.p + key, values.data + key * values.stride, lanes, sum);
  } else {
    for (VisibleKeys left = weights.visible; left != 0; left &= left - 1) {
      const int key = __builtin_ctz(left);
      add_key<kRows, kVectors, Access>(weights.p + key, values.data + key * values.stride, lanes, sum);
    }
  }
  row = out;
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r, row = next_row(row, out_stride)) BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v) Access::store(row + v * 16, lanes, sum[r][v]);
}

template <int kRows>
void sum_rows(const Weights& weights, F32Values values, float* out, int64_t out_stride) {
  constexpr int kVectors = kRows == 1 ? 4 : 2;  // a single row needs the four sums in flight
  constexpr int kWidth = kVectors * 16;
  for (; values.dim >= kWidth; values.dim -= kWidth, values.data += kWidth, out += kWidth)
    sum_block<kRows, kVectors, Whole>(weights, values, out, out_stride);
  for (; values.dim > 0; values.dim -= 16, values.data += 16, out += 16)
    sum_block<kRows, 1, Partial>(weights, values, out, out_stride);
}

using SumRows = void (*)(const Weights& weights, F32Values values, float* out, int64_t out_stride);
constexpr SumRows kSumRows[kBlockRows] = {sum_rows<1>, sum_rows<2>, sum_rows<3>, sum_rows<4>,
                                          sum_rows<5>, sum_rows<6>, sum_rows<7>, sum_rows<8>};

}  // namespace

void scores_f32(const float* queries, const float* keys, int64_t dim, const TileRows& rows) {
  for (int64_t r = 0; r < rows.count; r += kBlockRows) {
    const int64_t block = rows.count - r < kBlockRows ? rows.count - r : kBlockRows;
    kScoresBlocks[block - 1](queries + r * dim, keys, dim, rows.scores + r * kTileKeys);
  }
}

/// Most pages change no row's maximum: o * 1 is o.
void correct_sums(const TileRows& rows, int64_t dim, float* out) {
  for (int64_t first = 0; first < rows.count; first += 16) {
    const __mmask16 there = lanes_left(rows.count - first);
    const __m512i visible = _mm512_maskz_loadu_epi32(there, rows.visible + first);
    const __m512 correction = _mm512_maskz_loadu_ps(there, rows.correction + first);
    uint32_t changed = _mm512_mask_cmp_ps_mask(_mm512_test_epi32_mask(visible, visible), correction,
                                               _mm512_set1_ps(1), _CMP_NEQ_UQ);
    for (; changed != 0; changed &= changed - 1) {
      const int64_t r = first + __builtin_ctz(changed);
      scale(out + r * dim, rows.correction[r], dim, out + r * dim);
    }
  }
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
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t d = 0; d < dim; d += 16) {
      const __mmask16 mask = lanes_left(dim - d);
      const __m512 quotient =
          _mm512_div_ps(_mm512_maskz_loadu_ps(mask, x + r * dim + d), _mm512_set1_ps(sum[r]));
      _mm512_mask_storeu_ps(out + r * dim + d, mask, quotient);
    }
}

}  // namespace baleen::avx512
