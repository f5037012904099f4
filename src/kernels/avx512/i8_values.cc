// Attention's second product over an i8 page (rules: kernels/ref/i8_values.cc). A block of 32 dimensions at a time: the
// weights of 16 rows become bytes, four neighbouring keys to a 32-bit word; then tiles of 8 rows x 32 dimensions, whose
// operands are such a word, broadcast, and the codes of the same four keys for 16 dimensions.
#include "kernels/avx512/rows.h"

namespace baleen::avx512 {
namespace {

constexpr int kGroupRows = 16, kBlockRows = 8, kKeyGroups = kTileKeys / 4;

/// Rows that all see a key of the page.
struct Group {
  const TileRows& rows;
  int64_t first;
  int count;

  const float* p(int r) const { return rows.scores + (first + r) * kTileKeys; }
};

/// The weights of a block: of two rows, words 4 g and 4 g + 1 (2, 3: the second row) are keys 4 g … and 16 + 4 g ….
struct Weights {
  alignas(64) uint32_t words[kGroupRows / 2][2 * kKeyGroups];
  alignas(64) float factor[kGroupRows];
  alignas(64) float step[kGroupRows];

  const uint32_t* row(int r) const { return words[r / 2] + r % 2 * 2; }
};
constexpr int word_of(int key_group) { return key_group % 4 * 4 + key_group / 4; }

struct RowWeights {
  __m512 low, high;
};

struct Scales {
  __m512 low, high;

  BALEEN_INLINE Scales of(const float* scales) {
    return {_mm512_loadu_ps(scales), _mm512_loadu_ps(scales + 16)};
  }
  /// A masked key's scale may be anything.
  [[gnu::always_inline]] RowWeights weigh(const Group& group, int r) const {
    const VisibleKeys visible = group.rows.visible[group.first + r];
    return {
        _mm512_maskz_mul_ps(static_cast<__mmask16>(visible), _mm512_loadu_ps(group.p(r)), low),
        _mm512_maskz_mul_ps(static_cast<__mmask16>(visible >> 16), _mm512_loadu_ps(group.p(r) + 16), high)};
  }
};

/// Numbers >= 0 compare like their bits, and a NaN of either sign above all of them.
BALEEN_INLINE void find_steps(const Group& group, const Scales& scales, Weights& weights) {
  __m512 lanes[kTreeRows];
  BALEEN_UNROLL
  for (int slot = 0; slot < kTreeRows; ++slot) {
    lanes[slot] = _mm512_setzero_ps();
    if (tree_row(slot) >= group.count) continue;
    const RowWeights w = scales.weigh(group, tree_row(slot));
    lanes[slot] = largest_bits(w.low, w.high);
  }
  const __m512 largest = fold_rows(lanes, largest_bits);
  const __mmask16 broken =
      _mm512_cmpge_epu32_mask(_mm512_castps_si512(largest), _mm512_set1_epi32(0x7F800000));
  const __mmask16 coded = _mm512_cmp_ps_mask(largest, _mm512_set1_ps(kI8Tiny), _CMP_GE_OQ) & ~broken;
  const __m512 step = _mm512_maskz_div_ps(coded, largest, _mm512_set1_ps(255));
  _mm512_store_ps(weights.factor, _mm512_maskz_div_ps(coded, _mm512_set1_ps(255), largest));
  _mm512_store_ps(weights.step, _mm512_mask_mov_ps(step, broken, _mm512_set1_ps(__builtin_nanf(""))));
}

/// 0 … 255 of one row, the low and the high keys of each 128 bits side by side, as 16-bit numbers.
BALEEN_INLINE __m512i code(const RowWeights& w, float factor) {
  const __m512 by = _mm512_set1_ps(factor);
  return _mm512_packus_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(w.low, by)),
                             _mm512_cvtps_epi32(_mm512_mul_ps(w.high, by)));
}

BALEEN_INLINE void quantise_weights(const Group& group, const float* block_scales, Weights& weights) {
  const Scales scales = Scales::of(block_scales);
  find_steps(group, scales, weights);
  for (int r = 0; r < group.count; r += 2) {
    const int second = r + 1 < group.count ? r + 1 : r;
    const __m512i a = code(scales.weigh(group, r), weights.factor[r]);
    const __m512i b = code(scales.weigh(group, second), weights.factor[second]);
    _mm512_store_si512(weights.words[r / 2], _mm512_packus_epi16(a, b));
  }
}

/// What is added to: [rows, dim].
struct Sums {
  const float* correction;
  float* out;
};

/// kVectors * 16 dimensions from d, of which the last vector's `mask` are there.
template <int kRows, int kVectors>
BALEEN_INLINE void sum_block(const Weights& weights, int row, const I8Values& values, int64_t d,
                             const Sums& sums, __mmask16 mask) {
  __m512i sum[kRows][kVectors];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm512_setzero_si512();
  BALEEN_UNROLL
  for (int g = 0; g < kKeyGroups; ++g) {
    __m512i codes[kVectors];
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v)
      codes[v] = _mm512_maskz_loadu_epi32(v == kVectors - 1 ? mask : __mmask16{0xFFFF},
                                          values.codes + (g * values.stride + d + v * 16) * 4);
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512i weight = _mm512_set1_epi32(static_cast<int>(weights.row(row + r)[word_of(g)]));
      BALEEN_UNROLL
      for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm512_dpbusd_epi32(sum[r][v], weight, codes[v]);
    }
  }
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m512 step = _mm512_set1_ps(weights.step[row + r]), c = _mm512_set1_ps(sums.correction[r]);
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const __mmask16 lanes = v == kVectors - 1 ? mask : __mmask16{0xFFFF};
      float* o = sums.out + r * values.dim + d + v * 16;
      const __m512 old = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, o), c);
      _mm512_mask_storeu_ps(o, lanes, _mm512_fmadd_ps(step, _mm512_cvtepi32_ps(sum[r][v]), old));
    }
  }
}

template <int kRows>
void sum_rows(const Weights& weights, int row, const I8Values& values, int64_t d, const Sums& sums) {
  const int64_t left = values.dim - d;
  if (left > 16) {
    sum_block<kRows, 2>(weights, row, values, d, sums, lanes_left(left - 16));
  } else {
    sum_block<kRows, 1>(weights, row, values, d, sums, lanes_left(left));
  }
}

using SumRows = void (*)(const Weights& weights, int row, const I8Values& values, int64_t d,
                         const Sums& sums);
constexpr SumRows kSumRows[kBlockRows] = {sum_rows<1>, sum_rows<2>, sum_rows<3>, sum_rows<4>,
                                          sum_rows<5>, sum_rows<6>, sum_rows<7>, sum_rows<8>};

void sum_group(const Group& group, const I8Values& values, float* out) {
  Weights weights;
  for (int64_t d = 0; d < values.dim; d += kI8Block) {
    quantise_weights(group, values.scales + d, weights);  // 32 scales for 32 dimensions
    for (int r = 0; r < group.count; r += kBlockRows) {
      const int block = group.count - r < kBlockRows ? group.count - r : kBlockRows;
      kSumRows[block - 1](weights, r, values, d,
                          {group.rows.correction + group.first + r, out + r * values.dim});
    }
  }
}

}  // namespace

void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out) {
  for (int64_t r = 0; r < rows.count; ++r) {
    int count = 0;
    while (count < kGroupRows && r + count < rows.count && rows.visible[r + count] != 0) ++count;
    if (count == 0) continue;
    sum_group({rows, r, count}, values, out + r * values.dim);
    r += count - 1;
  }
}

/// Four groups of keys and 16 dimensions at a time: 4 x 4 bytes are transposed within 128 bits, then those themselves.
void keys_of_values_i8(const int8_t* values, int64_t dim, int8_t* keys) {
  const __m512i bytes =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  for (int64_t d = 0; d < dim; d += 16)
    for (int64_t g = 0; g < kKeyGroups; g += 4) {
      __m512i x[4];
      for (int i = 0; i < 4; ++i)
        x[i] = _mm512_shuffle_epi8(
            _mm512_maskz_loadu_epi32(lanes_left(dim - d), values + ((g + i) * dim + d) * 4), bytes);
      const __m512i a = _mm512_shuffle_i32x4(x[0], x[1], 0x44), b = _mm512_shuffle_i32x4(x[2], x[3], 0x44);
      const __m512i c = _mm512_shuffle_i32x4(x[0], x[1], 0xEE), e = _mm512_shuffle_i32x4(x[2], x[3], 0xEE);
      const __m512i out[4] = {_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xDD),
                              _mm512_shuffle_i32x4(c, e, 0x88), _mm512_shuffle_i32x4(c, e, 0xDD)};
      for (int64_t i = 0; i < 4 && d + 4 * i < dim; ++i)
        _mm512_storeu_si512(keys + ((d / 4 + i) * kTileKeys + g * 4) * 4, out[i]);
    }
  __builtin_memcpy(keys + kTileKeys * dim, values + kTileKeys * dim,
                   static_cast<size_t>(i8_blocks(dim)) * kTileKeys * sizeof(float));
}

}  // namespace baleen::avx512
