// Attention's second product from integer codes (rules: kernels/ref/i8_values.cc, f16_rows.cc): steps and factors of
// 16 rows' weights, and tiles of up to 8 rows x 32 dimensions, whose operands are the weights of neighbouring keys in
// 32 bits, broadcast, and the codes of the same keys for 16 dimensions.
//
// `Codes` says which keys: kSteps such words of a page, word(row, step) where a row's stand in memory, add(sum,
// weights, codes) a product.
#pragma once

#include "kernels/avx512/rows.h"

namespace baleen::avx512 {

constexpr int kGroupRows = 16, kValueRows = 8;

/// Rows whose weights are made together.
struct Group {
  const TileRows& rows;
  int64_t first;
  int count;

  [[gnu::always_inline]] const float* p(int r) const { return rows.scores + (first + r) * kTileKeys; }
  [[gnu::always_inline]] VisibleKeys visible(int r) const { return rows.visible[first + r]; }
};

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

BALEEN_INLINE bool sees_all(const Group& group) {
  VisibleKeys all = ~VisibleKeys{0};
  for (int r = 0; r < group.count; ++r) all &= group.visible(r);
  return all == ~VisibleKeys{0} && group.count == kGroupRows;
}

/// Of the rows of a group, [16]; numbers >= 0 compare like their bits, and a NaN of either sign above all of them.
template <class Keys>
BALEEN_INLINE void find_steps(const Group& group, const Lanes& scales, float largest_code, float* factors,
                              float* steps) {
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
  const __m512 largest = fold_quads(quads, largest_bits), code = _mm512_set1_ps(largest_code);
  const __mmask16 broken =
      _mm512_cmpge_epu32_mask(_mm512_castps_si512(largest), _mm512_set1_epi32(0x7F800000));
  const __mmask16 coded = _mm512_cmp_ps_mask(largest, _mm512_set1_ps(kTinyBlock), _CMP_GE_OQ) & ~broken;
  const __m512 step = _mm512_maskz_div_ps(coded, largest, code);
  _mm512_storeu_ps(factors, _mm512_maskz_div_ps(coded, code, largest));
  _mm512_storeu_ps(steps, _mm512_mask_mov_ps(step, broken, _mm512_set1_ps(__builtin_nanf(""))));
}

/// One row's codes, the low and the high keys of each 128 bits side by side, as 16-bit numbers.
BALEEN_INLINE __m512i weight_codes(const Lanes& w, float factor) {
  const __m512 by = _mm512_set1_ps(factor);
  return _mm512_packus_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(w.low, by)),
                             _mm512_cvtps_epi32(_mm512_mul_ps(w.high, by)));
}

/// Weights of rows in `words`, one step a row; codes [steps][stride] of 32 bits; out [rows, out_stride].
struct WeightedCodes {
  const uint32_t* words;
  const float* steps;
  const std::byte* codes;
  int64_t stride;
  float* out;
  int64_t out_stride;
};

/// kVectors * 16 dimensions, of which the last vector's `mask` are there.
template <class Codes, int kRows, int kVectors>
BALEEN_INLINE void sum_block(const WeightedCodes& tile, __mmask16 mask) {
  const auto lanes = [&](int v) { return v == kVectors - 1 ? mask : __mmask16{0xFFFF}; };
  __m512i sum[kRows][kVectors];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm512_setzero_si512();
  const uint32_t* words = tile.words;
  asm("" : "+r"(words));  // one address, not one for each word
  const std::byte* from = tile.codes;
  BALEEN_UNROLL
  for (int s = 0; s < Codes::kSteps; ++s, from = next_row(from, tile.stride * 4)) {
    __m512i codes[kVectors];
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) codes[v] = _mm512_maskz_loadu_epi32(lanes(v), from + v * 64);
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const auto word = static_cast<int>(words[Codes::word(r, s)]);
      BALEEN_UNROLL
      for (int v = 0; v < kVectors; ++v) sum[r][v] = Codes::add(sum[r][v], _mm512_set1_epi32(word), codes[v]);
    }
  }
  float* out = tile.out;
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r, out = next_row(out, tile.out_stride)) {
    const __m512 step = _mm512_set1_ps(tile.steps[r]);
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const __m512 old = _mm512_maskz_loadu_ps(lanes(v), out + v * 16);
      _mm512_mask_storeu_ps(out + v * 16, lanes(v),
                            _mm512_fmadd_ps(step, _mm512_cvtepi32_ps(sum[r][v]), old));
    }
  }
}

/// A block of 32 dimensions, of which `left` are there.
template <class Codes, int kRows>
void sum_rows(const WeightedCodes& tile, int64_t left) {
  if (left >= 32) {
    sum_block<Codes, kRows, 2>(tile, 0xFFFF);
  } else if (left > 16) {
    sum_block<Codes, kRows, 2>(tile, lanes_left(left - 16));
  } else {
    sum_block<Codes, kRows, 1>(tile, lanes_left(left));
  }
}

using SumRows = void (*)(const WeightedCodes& tile, int64_t left);
template <class Codes>
constexpr SumRows kSumRows[kValueRows] = {sum_rows<Codes, 1>, sum_rows<Codes, 2>, sum_rows<Codes, 3>,
                                          sum_rows<Codes, 4>, sum_rows<Codes, 5>, sum_rows<Codes, 6>,
                                          sum_rows<Codes, 7>, sum_rows<Codes, 8>};

}  // namespace baleen::avx512
