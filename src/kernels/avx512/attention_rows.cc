// Attention of query rows to one page (rules: kernels/ref/attention_rows.cc). Both products are register tiles:
// 8 query rows x 32 keys, and 8 rows x 32 dimensions, 16 sums in flight where 4 hide the latency of an fma; the page's
// part is loaded once for all 8 rows. f16 is widened by the tile that reads it where there are few rows; for many a
// slice of the page is widened first, into the first-level cache.
#include "kernels/avx512/rows.h"

namespace baleen::avx512 {
namespace {

constexpr int kBlockRows = 8;
/// Rows from which on widening twice for each 8 of them costs more than a slice that is written and read again.
constexpr int64_t kManyRows = 17;
constexpr int64_t kKeySlice = 128, kValueSlice = 64;  // dimensions of a slice: 16 and 8 KiB

BALEEN_INLINE __m256i load_halves(const uint16_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

/// Sixteen floats of a page, or the first `lanes` of them.
struct Whole {
  BALEEN_INLINE __m512 load(const float* from, __mmask16) { return _mm512_loadu_ps(from); }
  BALEEN_INLINE __m512 load(const uint16_t* from, __mmask16) { return _mm512_cvtph_ps(load_halves(from)); }
  BALEEN_INLINE void store(float* to, __mmask16, __m512 x) { _mm512_storeu_ps(to, x); }
};
struct Partial {
  BALEEN_INLINE __m512 load(const float* from, __mmask16 lanes) { return _mm512_maskz_loadu_ps(lanes, from); }
  BALEEN_INLINE __m512 load(const uint16_t* from, __mmask16 lanes) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(lanes, from));
  }
  BALEEN_INLINE void store(float* to, __mmask16 lanes, __m512 x) { _mm512_mask_storeu_ps(to, lanes, x); }
};

/// Some dimensions of all rows, `stride` apart; their products are added to the scores where they are not the first.
struct QuerySlice {
  const float* data;
  int64_t stride, dims;
  bool first;
};

template <int kRows, class T>
void scores_block(const QuerySlice& queries, const T* keys, float* out) {
  __m512 low[kRows], high[kRows];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    low[r] = queries.first ? _mm512_setzero_ps() : _mm512_loadu_ps(out + r * kTileKeys);
    high[r] = queries.first ? _mm512_setzero_ps() : _mm512_loadu_ps(out + r * kTileKeys + 16);
  }
  for (int64_t d = 0; d < queries.dims; ++d) {
    __m512 k_low = Whole::load(keys + d * kTileKeys, 0), k_high = Whole::load(keys + d * kTileKeys + 16, 0);
    asm("" : "+v"(k_low), "+v"(k_high));  // for few rows GCC would load them anew for each
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512 q = _mm512_set1_ps(queries.data[r * queries.stride + d]);
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

template <class T>
using ScoresBlock = void (*)(const QuerySlice& queries, const T* keys, float* out);
template <class T>
constexpr ScoresBlock<T> kScoresBlocks[kBlockRows] = {
    scores_block<1, T>, scores_block<2, T>, scores_block<3, T>, scores_block<4, T>,
    scores_block<5, T>, scores_block<6, T>, scores_block<7, T>, scores_block<8, T>};

template <class T>
BALEEN_INLINE void add_products(QuerySlice queries, const T* keys, const TileRows& rows) {
  for (int64_t r = 0; r < rows.count; r += kBlockRows) {
    const int64_t block = rows.count - r < kBlockRows ? rows.count - r : kBlockRows;
    kScoresBlocks<T>[block - 1](queries, keys, rows.scores + r * kTileKeys);
    queries.data += kBlockRows * queries.stride;
  }
}

/// Probabilities of rows that see the same keys.
struct Weights {
  const float* p;  ///< [rows][32]
  VisibleKeys visible;
};

/// kVectors * 16 dimensions, or those of `lanes`.
template <int kRows, int kVectors, class Access, class T>
BALEEN_INLINE void add_key(const float* p, const T* values, __mmask16 lanes, __m512 (&sum)[kRows][kVectors]) {
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

template <int kRows, int kVectors, class Access, class T>
BALEEN_INLINE void sum_block(const Weights& weights, const PageValues<T>& values, float* out,
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

template <int kRows, class T>
void sum_rows(const Weights& weights, PageValues<T> values, float* out, int64_t out_stride) {
  constexpr int kVectors = kRows == 1 ? 4 : 2;  // a single row needs the four sums in flight
  constexpr int kWidth = kVectors * 16;
  for (; values.dim >= kWidth; values.dim -= kWidth, values.data += kWidth, out += kWidth)
    sum_block<kRows, kVectors, Whole>(weights, values, out, out_stride);
  for (; values.dim > 0; values.dim -= 16, values.data += 16, out += 16)
    sum_block<kRows, 1, Partial>(weights, values, out, out_stride);
}

template <class T>
using SumRows = void (*)(const Weights& weights, PageValues<T> values, float* out, int64_t out_stride);
template <class T>
constexpr SumRows<T> kSumRows[kBlockRows] = {sum_rows<1, T>, sum_rows<2, T>, sum_rows<3, T>, sum_rows<4, T>,
                                             sum_rows<5, T>, sum_rows<6, T>, sum_rows<7, T>, sum_rows<8, T>};

template <class T>
BALEEN_INLINE void add_values(const TileRows& rows, const PageValues<T>& values, float* out,
                              int64_t out_stride) {
  for (int64_t r = 0; r < rows.count;) {
    int64_t block = 1;
    while (block < kBlockRows && r + block < rows.count && rows.visible[r + block] == rows.visible[r])
      ++block;
    if (rows.visible[r] != 0)
      kSumRows<T>[block - 1]({rows.scores + r * kTileKeys, rows.visible[r]}, values, out + r * out_stride,
                             out_stride);
    r += block;
  }
}

}  // namespace

void scores_f32(const float* queries, const float* keys, int64_t dim, const TileRows& rows) {
  add_products({queries, dim, dim, true}, keys, rows);
}

void scores_f16(const float* queries, const uint16_t* keys, int64_t dim, const TileRows& rows) {
  if (rows.count < kManyRows) return add_products({queries, dim, dim, true}, keys, rows);
  alignas(64) float slice[kKeySlice * kTileKeys];
  for (int64_t d = 0; d < dim; d += kKeySlice) {
    const int64_t dims = dim - d < kKeySlice ? dim - d : kKeySlice;
    for (int64_t i = 0; i < dims * kTileKeys; i += 16)
      _mm512_store_ps(slice + i, Whole::load(keys + d * kTileKeys + i, 0));
    add_products({queries + d, dim, dims, d == 0}, slice, rows);
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

void weighted_sum_f32(const TileRows& rows, const PageValues<float>& values, float* out) {
  correct_sums(rows, values.dim, out);
  add_values(rows, values, out, values.dim);
}

void weighted_sum_f16(const TileRows& rows, const PageValues<uint16_t>& values, float* out) {
  correct_sums(rows, values.dim, out);
  if (rows.count < kManyRows) return add_values(rows, values, out, values.dim);
  alignas(64) float slice[kTileKeys * kValueSlice];
  for (int64_t d = 0; d < values.dim; d += kValueSlice) {
    const int64_t dims = values.dim - d < kValueSlice ? values.dim - d : kValueSlice;
    for (int64_t key = 0; key < kTileKeys; ++key)
      for (int64_t i = 0; i < dims; i += 16)
        _mm512_store_ps(slice + key * kValueSlice + i,
                        Partial::load(values.data + key * values.stride + d + i, lanes_left(dims - i)));
    add_values<float>(rows, {slice, kValueSlice, dims}, out + d, values.dim);
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
