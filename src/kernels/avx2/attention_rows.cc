// Attention of query rows to one page (rules: kernels/ref/attention_rows.cc). Both products are register tiles:
// 6 query rows x 16 keys, and 6 rows x 16 dimensions: 12 sums, 2 vectors of the page and a broadcast fill 15 of the
// 16 registers, and 8 sums in flight hide the latency of an fma. f16 is widened by the tile that reads it where there
// are few rows; for many a slice of the page is widened first, into the first-level cache.
#include "kernels/avx2/rows.h"

namespace baleen::avx2 {
namespace {

constexpr int kBlockRows = 6;
/// Rows from which on widening for each 6 of them costs more than a slice that is written and read again.
constexpr int64_t kManyRows = 13;
constexpr int64_t kKeySlice = 128, kValueSlice = 64;  // dimensions of a slice: 16 and 8 KiB

/// Some dimensions of all rows, `stride` apart; their products are added to the scores where they are not the first.
struct QuerySlice {
  const float* data;
  int64_t stride, dims;
  bool first;
};

/// 16 of the page's keys.
template <int kRows, class T>
void scores_block(const QuerySlice& queries, const T* keys, float* out) {
  __m256 low[kRows], high[kRows];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    low[r] = queries.first ? _mm256_setzero_ps() : _mm256_loadu_ps(out + r * kTileKeys);
    high[r] = queries.first ? _mm256_setzero_ps() : _mm256_loadu_ps(out + r * kTileKeys + 8);
  }
  for (int64_t d = 0; d < queries.dims; ++d) {
    const __m256 k_low = Whole::load(keys + d * kTileKeys, 8),
                 k_high = Whole::load(keys + d * kTileKeys + 8, 8);
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m256 q = _mm256_broadcast_ss(queries.data + r * queries.stride + d);
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

template <class T>
using ScoresBlock = void (*)(const QuerySlice& queries, const T* keys, float* out);
template <class T>
constexpr ScoresBlock<T> kScoresBlocks[kBlockRows] = {scores_block<1, T>, scores_block<2, T>,
                                                      scores_block<3, T>, scores_block<4, T>,
                                                      scores_block<5, T>, scores_block<6, T>};

template <class T>
BALEEN_INLINE void add_products(QuerySlice queries, const T* keys, const TileRows& rows) {
  for (int64_t r = 0; r < rows.count; r += kBlockRows) {
    const int64_t block = rows.count - r < kBlockRows ? rows.count - r : kBlockRows;
    for (int half = 0; half < kTileKeys; half += 16)
      kScoresBlocks<T>[block - 1](queries, keys + half, rows.scores + r * kTileKeys + half);
    queries.data += kBlockRows * queries.stride;
  }
}

/// Probabilities of rows that see the same keys.
struct Weights {
  const float* p;  ///< [rows][32]
  VisibleKeys visible;
};

/// kVectors vectors of dimensions, of which `dims` are there.
template <int kRows, int kVectors, class Access, class T>
BALEEN_INLINE void add_key(const float* p, const T* values, int64_t dims, __m256 (&sum)[kRows][kVectors]) {
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

template <int kRows, int kVectors, class Access, class T>
BALEEN_INLINE void sum_block(const Weights& weights, const PageValues<T>& values, float* out,
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

template <int kRows, class T>
void sum_rows(const Weights& weights, PageValues<T> values, float* out, int64_t out_stride) {
  constexpr int kVectors = kRows == 1 ? 8 : kRows == 2 ? 4 : 2;  // enough sums in flight for few rows
  constexpr int kWidth = kVectors * 8;
  for (; values.dim >= kWidth; values.dim -= kWidth, values.data += kWidth, out += kWidth)
    sum_block<kRows, kVectors, Whole>(weights, values, out, out_stride);
  for (; values.dim >= 8; values.dim -= 8, values.data += 8, out += 8)
    sum_block<kRows, 1, Whole>(weights, values, out, out_stride);
  if (values.dim > 0) sum_block<kRows, 1, Partial>(weights, values, out, out_stride);
}

template <class T>
using SumRows = void (*)(const Weights& weights, PageValues<T> values, float* out, int64_t out_stride);
template <class T>
constexpr SumRows<T> kSumRows[kBlockRows] = {sum_rows<1, T>, sum_rows<2, T>, sum_rows<3, T>,
                                             sum_rows<4, T>, sum_rows<5, T>, sum_rows<6, T>};

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
  alignas(32) float slice[kKeySlice * kTileKeys];
  for (int64_t d = 0; d < dim; d += kKeySlice) {
    const int64_t dims = dim - d < kKeySlice ? dim - d : kKeySlice;
    for (int64_t i = 0; i < dims * kTileKeys; i += 8)
      _mm256_store_ps(slice + i, Whole::load(keys + d * kTileKeys + i, 8));
    add_products({queries + d, dim, dims, d == 0}, slice, rows);
  }
}

/// Most pages change no row's maximum: o * 1 is o.
void correct_sums(const TileRows& rows, int64_t dim, float* out) {
  for (int64_t r = 0; r < rows.count; ++r)
    if (rows.correction[r] != 1 && rows.visible[r] != 0)
      scale(out + r * dim, rows.correction[r], dim, out + r * dim);
}

void weighted_sum_f32(const TileRows& rows, const PageValues<float>& values, float* out) {
  correct_sums(rows, values.dim, out);
  add_values(rows, values, out, values.dim);
}

void weighted_sum_f16(const TileRows& rows, const PageValues<uint16_t>& values, float* out) {
  correct_sums(rows, values.dim, out);
  if (rows.count < kManyRows) return add_values(rows, values, out, values.dim);
  alignas(32) float slice[kTileKeys * kValueSlice];
  for (int64_t d = 0; d < values.dim; d += kValueSlice) {
    const int64_t dims = values.dim - d < kValueSlice ? values.dim - d : kValueSlice;
    for (int64_t key = 0; key < kTileKeys; ++key) {
      const uint16_t* from = values.data + key * values.stride + d;
      float* to = slice + key * kValueSlice;
      int64_t i = 0;
      for (; i + 8 <= dims; i += 8) _mm256_store_ps(to + i, Whole::load(from + i, 8));
      if (i < dims) _mm256_store_ps(to + i, Partial::load(from + i, dims - i));
    }
    add_values<float>(rows, {slice, kValueSlice, dims}, out + d, values.dim);
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
