// Attention's second product over an i8 page (rules: kernels/ref/i8_values.cc). For some blocks of 32 dimensions the
// weights of 16 rows become bytes, four neighbouring keys to a 32-bit word; then tiles of 8 rows x 32 dimensions, whose
// operands are such a word, broadcast, and the codes of the same four keys for 16 dimensions.
#include "kernels/avx512/rows.h"

namespace baleen::avx512 {
namespace {

constexpr int kGroupRows = 16, kBlockRows = 8, kKeyGroups = kTileKeys / 4;
constexpr int kBatch =
    4;  // blocks whose weights are made one after the other: each waits long for its maxima

/// Rows that all see a key of the page.
struct Group {
  const TileRows& rows;
  int64_t first;
  int count;

  [[gnu::always_inline]] const float* p(int r) const { return rows.scores + (first + r) * kTileKeys; }
  [[gnu::always_inline]] VisibleKeys visible(int r) const { return rows.visible[first + r]; }
};

/// The weights of a block: of two rows, words 4 g and 4 g + 1 (2, 3: the second row) are keys 4 g … and 16 + 4 g ….
struct Weights {
  alignas(64) uint32_t words[kGroupRows / 2][2 * kKeyGroups];
  alignas(64) float factor[kGroupRows];
  alignas(64) float step[kGroupRows];
};
constexpr int word_of(int row, int key_group) { return key_group % 4 * 4 + row % 2 * 2 + key_group / 4; }

struct Lanes {
  __m512 low, high;
};
BALEEN_INLINE Lanes load_lanes(const float* from) {
  return {_mm512_loadu_ps(from), _mm512_loadu_ps(from + 16)};
}

/// 16 rows that see all keys.
struct Whole {
  BALEEN_INLINE int count(const Group&) { return kGroupRows; }
  BALEEN_INLINE Lanes weigh(const Group& group, int r, const Lanes& scales) {
    const Lanes p = load_lanes(group.p(r));
    return {_mm512_mul_ps(p.low, scales.low), _mm512_mul_ps(p.high, scales.high)};
  }
};
/// A masked key's scale may be anything.
struct Partial {
  BALEEN_INLINE int count(const Group& group) { return group.count; }
  BALEEN_INLINE Lanes weigh(const Group& group, int r, const Lanes& scales) {
    const Lanes p = load_lanes(group.p(r));
    const VisibleKeys visible = group.visible(r);
    return {_mm512_maskz_mul_ps(static_cast<__mmask16>(visible), p.low, scales.low),
            _mm512_maskz_mul_ps(static_cast<__mmask16>(visible >> 16), p.high, scales.high)};
  }
};

/// Numbers >= 0 compare like their bits, and a NaN of either sign above all of them.
template <class Keys>
BALEEN_INLINE void find_steps(const Group& group, const Lanes& scales, Weights& weights) {
  __m512 quads[4];
  BALEEN_UNROLL
  for (int q = 0; q < 4; ++q) {
    __m512 lanes[4];
    BALEEN_UNROLL
    for (int i = 0; i < 4; ++i) {
      lanes[i] = _mm512_setzero_ps();
      if (q + 4 * i >= Keys::count(group)) continue;
      const Lanes w = Keys::weigh(group, q + 4 * i, scales);
      lanes[i] = largest_bits(w.low, w.high);
    }
    quads[q] = fold_quad(lanes, largest_bits);
  }
  const __m512 largest = fold_quads(quads, largest_bits);
  const __mmask16 broken =
      _mm512_cmpge_epu32_mask(_mm512_castps_si512(largest), _mm512_set1_epi32(0x7F800000));
  const __mmask16 coded = _mm512_cmp_ps_mask(largest, _mm512_set1_ps(kI8Tiny), _CMP_GE_OQ) & ~broken;
  const __m512 step = _mm512_maskz_div_ps(coded, largest, _mm512_set1_ps(255));
  _mm512_store_ps(weights.factor, _mm512_maskz_div_ps(coded, _mm512_set1_ps(255), largest));
  _mm512_store_ps(weights.step, _mm512_mask_mov_ps(step, broken, _mm512_set1_ps(__builtin_nanf(""))));
}

/// 0 … 255 of one row, the low and the high keys of each 128 bits side by side, as 16-bit numbers.
BALEEN_INLINE __m512i code(const Lanes& w, float factor) {
  const __m512 by = _mm512_set1_ps(factor);
  return _mm512_packus_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(w.low, by)),
                             _mm512_cvtps_epi32(_mm512_mul_ps(w.high, by)));
}

template <class Keys>
BALEEN_INLINE void put_codes(const Group& group, const Lanes& scales, Weights& weights) {
  BALEEN_UNROLL
  for (int r = 0; r < kGroupRows; r += 2) {
    if (r >= Keys::count(group)) break;
    const int second = r + 1 < Keys::count(group) ? r + 1 : r;
    const __m512i a = code(Keys::weigh(group, r, scales), weights.factor[r]);
    const __m512i b = code(Keys::weigh(group, second, scales), weights.factor[second]);
    _mm512_store_si512(weights.words[r / 2], _mm512_packus_epi16(a, b));
  }
}

template <class Keys>
void quantise_weights(const Group& group, const float* scales, int blocks, Weights* weights) {
  for (int b = 0; b < blocks; ++b) find_steps<Keys>(group, load_lanes(scales + b * kTileKeys), weights[b]);
  for (int b = 0; b < blocks; ++b) put_codes<Keys>(group, load_lanes(scales + b * kTileKeys), weights[b]);
}

/// Rows from `row`, an even one, and kVectors * 16 dimensions, of which the last vector's `mask` are there; out is
/// [rows, dim].
template <int kRows, int kVectors>
BALEEN_INLINE void sum_block(const Weights& weights, int row, const I8Values& values, __mmask16 mask,
                             float* out) {
  const auto lanes = [&](int v) { return v == kVectors - 1 ? mask : __mmask16{0xFFFF}; };
  __m512i sum[kRows][kVectors];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm512_setzero_si512();
  const uint32_t* words = weights.words[row / 2];
  asm("" : "+r"(words));  // one address, not one for each word
  const int8_t* from = values.codes;
  BALEEN_UNROLL
  for (int g = 0; g < kKeyGroups; ++g, from = next_row(from, values.stride * 4)) {
    __m512i codes[kVectors];
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) codes[v] = _mm512_maskz_loadu_epi32(lanes(v), from + v * 64);
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const auto word = static_cast<int>(words[r / 2 * 2 * kKeyGroups + word_of(r, g)]);
      BALEEN_UNROLL
      for (int v = 0; v < kVectors; ++v)
        sum[r][v] = _mm512_dpbusd_epi32(sum[r][v], _mm512_set1_epi32(word), codes[v]);
    }
  }
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r, out = next_row(out, values.dim)) {
    const __m512 step = _mm512_set1_ps(weights.step[row + r]);
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const __m512 old = _mm512_maskz_loadu_ps(lanes(v), out + v * 16);
      _mm512_mask_storeu_ps(out + v * 16, lanes(v),
                            _mm512_fmadd_ps(step, _mm512_cvtepi32_ps(sum[r][v]), old));
    }
  }
}

/// A block, of which `left` dimensions are there.
template <int kRows>
void sum_rows(const Weights& weights, int row, const I8Values& values, int64_t left, float* out) {
  if (left >= 32) {
    sum_block<kRows, 2>(weights, row, values, 0xFFFF, out);
  } else if (left > 16) {
    sum_block<kRows, 2>(weights, row, values, lanes_left(left - 16), out);
  } else {
    sum_block<kRows, 1>(weights, row, values, lanes_left(left), out);
  }
}

using SumRows = void (*)(const Weights& weights, int row, const I8Values& values, int64_t left, float* out);
constexpr SumRows kSumRows[kBlockRows] = {sum_rows<1>, sum_rows<2>, sum_rows<3>, sum_rows<4>,
                                          sum_rows<5>, sum_rows<6>, sum_rows<7>, sum_rows<8>};

bool sees_all(const Group& group) {
  VisibleKeys all = ~VisibleKeys{0};
  for (int r = 0; r < group.count; ++r) all &= group.visible(r);
  return all == ~VisibleKeys{0} && group.count == kGroupRows;
}

void sum_group(const Group& group, const I8Values& values, float* out) {
  const auto quantise = sees_all(group) ? quantise_weights<Whole> : quantise_weights<Partial>;
  Weights weights[kBatch];
  for (int64_t d = 0; d < values.dim; d += kBatch * kI8Block) {
    const int64_t blocks = i8_blocks(values.dim - d) < kBatch ? i8_blocks(values.dim - d) : kBatch;
    quantise(group, values.scales + d, static_cast<int>(blocks), weights);  // 32 scales for 32 dimensions
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t at = d + b * kI8Block;
      const I8Values block{values.codes + at * 4, nullptr, values.stride, values.dim};
      for (int r = 0; r < group.count; r += kBlockRows) {
        const int count = group.count - r < kBlockRows ? group.count - r : kBlockRows;
        kSumRows[count - 1](weights[b], r, block, values.dim - at, out + r * values.dim + at);
      }
    }
  }
}

}  // namespace

void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out) {
  correct_sums(rows, values.dim, out);
  for (int64_t r = 0; r < rows.count; ++r) {
    int count = 0;
    while (count < kGroupRows && r + count < rows.count && rows.visible[r + count] != 0) ++count;
    if (count == 0) continue;
    sum_group({rows, r, count}, values, out + r * values.dim);
    r += count - 1;
  }
}

}  // namespace baleen::avx512
