// Attention of query rows to one page (rules: kernels/ref/attention_rows.cc). Both products are register tiles:
// 8 query rows x 32 keys, and 8 rows x 32 dimensions, 16 sums in flight where 4 hide the latency of an fma; the page's
// part is loaded once for all 8 rows.
#include "kernels/avx512/rows.h"

namespace baleen::avx512 {
namespace {

constexpr int kBlockRows = 8;

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

/// Rows that see the same keys, and kVectors * 16 dimensions, of which the last vector's `mask` are there.
template <int kRows, int kVectors>
void sum_block(const TileRows& rows, int64_t first, const PageValues& values, int64_t d, float* out,
               __mmask16 mask) {
  const int64_t dim = values.dim;
  out += d;
  __m512 sum[kRows][kVectors];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m512 correction = _mm512_set1_ps(rows.correction[first + r]);
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const __mmask16 lanes = v == kVectors - 1 ? mask : __mmask16{0xFFFF};
      sum[r][v] = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, out + r * dim + v * 16), correction);
    }
  }
  const float* p = rows.scores + first * kTileKeys;
  for (VisibleKeys left = rows.visible[first]; left != 0; left &= left - 1) {
    const int key = __builtin_ctz(left);
    __m512 value[kVectors];
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const __mmask16 lanes = v == kVectors - 1 ? mask : __mmask16{0xFFFF};
      value[v] = _mm512_maskz_loadu_ps(lanes, values.data + key * values.stride + d + v * 16);
    }
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512 weight = _mm512_set1_ps(p[r * kTileKeys + key]);
      BALEEN_UNROLL
      for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm512_fmadd_ps(weight, value[v], sum[r][v]);
    }
  }
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v)
    _mm512_mask_storeu_ps(out + r * dim + v * 16, v == kVectors - 1 ? mask : __mmask16{0xFFFF}, sum[r][v]);
}

template <int kRows>
void sum_rows(const TileRows& rows, int64_t first, const PageValues& values, float* out) {
  constexpr int kVectors = kRows == 1 ? 4 : 2;  // a single row needs the four sums in flight
  int64_t d = 0;
  for (; d + kVectors * 16 <= values.dim; d += kVectors * 16)
    sum_block<kRows, kVectors>(rows, first, values, d, out, 0xFFFF);
  for (; d < values.dim; d += 16)
    sum_block<kRows, 1>(rows, first, values, d, out, lanes_left(values.dim - d));
}

using ScoresBlock = void (*)(const float* queries, const float* keys, int64_t dim, float* out);
constexpr ScoresBlock kScoresBlocks[kBlockRows] = {scores_block<1>, scores_block<2>, scores_block<3>,
                                                   scores_block<4>, scores_block<5>, scores_block<6>,
                                                   scores_block<7>, scores_block<8>};
using SumRows = void (*)(const TileRows& rows, int64_t first, const PageValues& values, float* out);
constexpr SumRows kSumRows[kBlockRows] = {sum_rows<1>, sum_rows<2>, sum_rows<3>, sum_rows<4>,
                                          sum_rows<5>, sum_rows<6>, sum_rows<7>, sum_rows<8>};

BALEEN_INLINE __m512 tree_max(__m512 (&x)[kTreeRows]) {
  return fold_rows(x, [](__m512 a, __m512 b) { return _mm512_max_ps(a, b); });
}
BALEEN_INLINE __m512 tree_sum(__m512 (&x)[kTreeRows]) {
  return fold_rows(x, [](__m512 a, __m512 b) { return _mm512_add_ps(a, b); });
}

/// 16 rows of 16 words to columns: pairs of words, pairs of pairs, then the 128-bit quarters.
BALEEN_INLINE void transpose_block(__m512i (&x)[16]) {
  __m512i y[16];
  _Pragma("GCC unroll 16") for (int i = 0; i < 16; i += 2) {
    y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
    y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
  }
  _Pragma("GCC unroll 16") for (int i = 0; i < 16; i += 4) {
    x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
    x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
    x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
    x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
  }
  _Pragma("GCC unroll 16") for (int i = 0; i < 4; ++i) {
    const __m512i a = _mm512_shuffle_i32x4(x[i], x[4 + i], 0x44);
    const __m512i b = _mm512_shuffle_i32x4(x[8 + i], x[12 + i], 0x44);
    const __m512i c = _mm512_shuffle_i32x4(x[i], x[4 + i], 0xEE);
    const __m512i d = _mm512_shuffle_i32x4(x[8 + i], x[12 + i], 0xEE);
    y[i] = _mm512_shuffle_i32x4(a, b, 0x88);
    y[4 + i] = _mm512_shuffle_i32x4(a, b, 0xDD);
    y[8 + i] = _mm512_shuffle_i32x4(c, d, 0x88);
    y[12 + i] = _mm512_shuffle_i32x4(c, d, 0xDD);
  }
  _Pragma("GCC unroll 16") for (int i = 0; i < 16; ++i) x[i] = y[i];
}

}  // namespace

void scores(const float* queries, const float* keys, int64_t dim, const TileRows& rows) {
  for (int64_t r = 0; r < rows.count; r += kBlockRows) {
    const int64_t block = rows.count - r < kBlockRows ? rows.count - r : kBlockRows;
    kScoresBlocks[block - 1](queries + r * dim, keys, dim, rows.scores + r * kTileKeys);
  }
}

/// kTreeRows rows at once: the fixed trees of all of them are one transposition.
void softmax_rows(const TileRows& rows, int64_t first, int count) {
  const __m512 masked = _mm512_set1_ps(-__builtin_inff());
  const auto present = static_cast<__mmask16>((1u << count) - 1);
  __m512 lanes[kTreeRows];
  for (int slot = 0; slot < kTreeRows; ++slot) {
    const int row = tree_row(slot);
    lanes[slot] = masked;
    if (row >= count) continue;
    const float* s = rows.scores + (first + row) * kTileKeys;
    const VisibleKeys visible = rows.visible[first + row];
    lanes[slot] = _mm512_max_ps(_mm512_mask_loadu_ps(masked, static_cast<__mmask16>(visible), s),
                                _mm512_mask_loadu_ps(masked, static_cast<__mmask16>(visible >> 16), s + 16));
  }
  const __mmask16 blind =
      _mm512_testn_epi32_mask(_mm512_maskz_loadu_epi32(present, rows.visible + first), _mm512_set1_epi32(-1));
  const __m512 old_max = _mm512_maskz_loadu_ps(present, rows.max + first);
  const __m512 max = _mm512_mask_mov_ps(_mm512_max_ps(old_max, tree_max(lanes)), blind, old_max);
  const __mmask16 later = _mm512_cmp_ps_mask(old_max, masked, _CMP_NEQ_UQ);
  const __m512 correction =
      _mm512_mask_mov_ps(exp_of_difference(later, _mm512_sub_ps(old_max, max)), blind, _mm512_set1_ps(1));
  _mm512_mask_storeu_ps(rows.max + first, present, max);
  _mm512_mask_storeu_ps(rows.correction + first, present, correction);
  for (int slot = 0; slot < kTreeRows; ++slot) {
    const int row = tree_row(slot);
    lanes[slot] = _mm512_setzero_ps();
    if (row >= count) continue;
    float* s = rows.scores + (first + row) * kTileKeys;
    const VisibleKeys visible = rows.visible[first + row];
    const __m512 row_max = _mm512_set1_ps(rows.max[first + row]);
    const __m512 p_low =
        exp_of_difference(static_cast<__mmask16>(visible), _mm512_sub_ps(_mm512_loadu_ps(s), row_max));
    const __m512 p_high = exp_of_difference(static_cast<__mmask16>(visible >> 16),
                                            _mm512_sub_ps(_mm512_loadu_ps(s + 16), row_max));
    _mm512_storeu_ps(s, p_low);
    _mm512_storeu_ps(s + 16, p_high);
    lanes[slot] = _mm512_add_ps(p_low, p_high);
  }
  const __m512 sum =
      _mm512_fmadd_ps(_mm512_maskz_loadu_ps(present, rows.sum + first), correction, tree_sum(lanes));
  _mm512_mask_storeu_ps(rows.sum + first, present, sum);
}

void softmax_tile(const TileRows& rows) {
  for (int64_t r = 0; r < rows.count; r += kTreeRows)
    softmax_rows(rows, r, rows.count - r < kTreeRows ? static_cast<int>(rows.count - r) : kTreeRows);
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
  for (int64_t c = 0; c < columns; c += 16)
    for (int64_t r = 0; r < kTileKeys; r += 16) {
      const __mmask16 mask = lanes_left(columns - c);
      __m512i block[16];
      _Pragma("GCC unroll 16") for (int i = 0; i < 16; ++i) block[i] =
          _mm512_maskz_loadu_epi32(mask, rows + (r + i) * columns + c);
      transpose_block(block);
      const int64_t count = columns - c < 16 ? columns - c : 16;
      for (int64_t i = 0; i < count; ++i) _mm512_storeu_si512(out + (c + i) * kTileKeys + r, block[i]);
    }
}

void divide(const float* sum, int64_t rows, int64_t dim, float* out) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t d = 0; d < dim; d += 16) {
      const __mmask16 mask = lanes_left(dim - d);
      float* to = out + r * dim + d;
      _mm512_mask_storeu_ps(to, mask, _mm512_div_ps(_mm512_maskz_loadu_ps(mask, to), _mm512_set1_ps(sum[r])));
    }
}

}  // namespace baleen::avx512
