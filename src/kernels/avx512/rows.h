// What the row kernels of avx512 share: partial loads, e^x and the fixed trees (rules: kernels/ref/row_kernels.h).
#pragma once

#include <cstdint>

#include "kernels/avx512/vectors.h"
#include "kernels/row_constants.h"
#include "kernels/row_kernels.h"

// Loops over the rows or vectors of a register tile are unrolled completely, so that its sums are registers.
#define BALEEN_UNROLL _Pragma("GCC unroll 8")

namespace baleen::avx512 {

/// Lanes of the next 16 elements of which `left` are there.
BALEEN_INLINE __mmask16 lanes_left(int64_t left) {
  return static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1u << left) - 1);
}

/// e^x = 2^n * p where it is neither 0 nor infinite.
struct ExpParts {
  __m512 n, p;
};
BALEEN_INLINE ExpParts exp_parts(__m512 x) {
  const __m512 shift = _mm512_set1_ps(0x1.8p23f);
  const __m512 n = _mm512_sub_ps(_mm512_add_ps(_mm512_mul_ps(x, _mm512_set1_ps(kExpLog2E)), shift), shift);
  __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-kExpLn2High), x);
  r = _mm512_fmadd_ps(n, _mm512_set1_ps(-kExpLn2Low), r);
  __m512 p = _mm512_set1_ps(kExpC6);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(kExpC5));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(kExpC4));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(kExpC3));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(kExpC2));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
  return {n, p};
}

BALEEN_INLINE __m512 exp(__m512 x) {
  const ExpParts e = exp_parts(x);
  __m512 y = _mm512_scalef_ps(e.p, e.n);
  const __mmask16 low = _mm512_cmp_ps_mask(x, _mm512_set1_ps(kExpLow), _CMP_LT_OQ);
  const __mmask16 high = _mm512_cmp_ps_mask(x, _mm512_set1_ps(kExpHigh), _CMP_GT_OQ);
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  y = _mm512_mask_mov_ps(y, low, _mm512_setzero_ps());
  y = _mm512_mask_mov_ps(y, high, _mm512_set1_ps(__builtin_inff()));
  return _mm512_mask_mov_ps(y, nan, x);
}

/// e^x where x <= 0 or a NaN, as a softmax has it; 0 outside of `lanes`.
BALEEN_INLINE __m512 exp_of_difference(__mmask16 lanes, __m512 x) {
  const ExpParts e = exp_parts(x);
  const __mmask16 above = _mm512_mask_cmp_ps_mask(lanes, x, _mm512_set1_ps(kExpLow), _CMP_NLT_UQ);
  return _mm512_maskz_scalef_ps(above, e.p, e.n);
}

BALEEN_INLINE float tree_sum(__m512 x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/// max(a, b) is a > b ? a : b in each step.
BALEEN_INLINE float tree_max(__m512 x) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/// Lanes to fold of kTreeRows rows, in the order of tree_row(); lane r of the result is row r's.
constexpr int kTreeRows = 16;
constexpr int tree_row(int slot) { return slot % 4 * 4 + slot / 4; }

/// The fixed tree (lane i takes lane i + 8, + 4, + 2, + 1) in 15 folds of two vectors each.
template <class Fold>
BALEEN_INLINE __m512 fold_rows(__m512 (&x)[kTreeRows], const Fold& fold) {
  for (int i = 0; i < 8; ++i)
    x[i] = fold(_mm512_shuffle_f32x4(x[2 * i], x[2 * i + 1], 0x44),
                _mm512_shuffle_f32x4(x[2 * i], x[2 * i + 1], 0xEE));
  for (int i = 0; i < 4; ++i)
    x[i] = fold(_mm512_shuffle_f32x4(x[2 * i], x[2 * i + 1], 0x88),
                _mm512_shuffle_f32x4(x[2 * i], x[2 * i + 1], 0xDD));
  for (int i = 0; i < 2; ++i) {
    const __m512d a = _mm512_castps_pd(x[2 * i]), b = _mm512_castps_pd(x[2 * i + 1]);
    x[i] = fold(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
  }
  return fold(_mm512_shuffle_ps(x[0], x[1], 0b10001000), _mm512_shuffle_ps(x[0], x[1], 0b11011101));
}

BALEEN_INLINE __m512 largest_bits(__m512 a, __m512 b) {
  return _mm512_castsi512_ps(_mm512_max_epu32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}

void rms_norm(const float* x, const float* weight, int64_t width, float eps, float* out);
void rotate_neighbours(float* x, const float* cos, const float* sin, int64_t pairs);
void rotate_halves(float* x, const float* cos, const float* sin, int64_t pairs);
void silu_mul(float* gate, const float* up, int64_t width);
void add(const float* x, int64_t width, float* out);
void scale(const float* x, float factor, int64_t width, float* out);

void store_keys_f16(const HeadRows& rows, uint16_t* keys);
void store_values_f16(const HeadRows& rows, uint16_t* values);
void widen_f16(const uint16_t* x, int64_t count, float* out);

void keys_of_values_i8(const int8_t* values, int64_t dim, int8_t* keys);
void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows);

void scores(const float* queries, const float* keys, int64_t dim, const TileRows& rows);
void softmax_tile(const TileRows& rows);
void weighted_sum(const TileRows& rows, const PageValues& values, float* out);
void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out);
void transpose(const uint32_t* rows, int64_t columns, uint32_t* out);
void divide(const float* sum, int64_t rows, int64_t dim, float* out);

}  // namespace baleen::avx512
