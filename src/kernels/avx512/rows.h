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

/// e^x = 2^n * p where it is neither 0 nor infinite. Step by step for all N vectors: the chain of one is long, and a
/// core looks ahead of only a few chains that come one after the other.
template <int N>
BALEEN_INLINE void exp_parts(const __m512 (&x)[N], __m512 (&n)[N], __m512 (&p)[N]) {
  const __m512 shift = _mm512_set1_ps(0x1.8p23f);
  __m512 r[N];
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) n[i] = _mm512_add_ps(_mm512_mul_ps(x[i], _mm512_set1_ps(kExpLog2E)), shift);
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) n[i] = _mm512_sub_ps(n[i], shift);
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) r[i] = _mm512_fmadd_ps(n[i], _mm512_set1_ps(-kExpLn2High), x[i]);
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) r[i] = _mm512_fmadd_ps(n[i], _mm512_set1_ps(-kExpLn2Low), r[i]);
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) p[i] = _mm512_fmadd_ps(_mm512_set1_ps(kExpC6), r[i], _mm512_set1_ps(kExpC5));
  for (const float c : kExpRest) {
    BALEEN_UNROLL
    for (int i = 0; i < N; ++i) p[i] = _mm512_fmadd_ps(p[i], r[i], _mm512_set1_ps(c));
  }
}

/// A NaN stays one.
template <int N>
BALEEN_INLINE void exp(const __m512 (&x)[N], __m512 (&y)[N]) {
  __m512 n[N], p[N];
  exp_parts(x, n, p);
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) {
    const __mmask16 low = _mm512_cmp_ps_mask(x[i], _mm512_set1_ps(kExpLow), _CMP_LT_OQ);
    const __mmask16 high = _mm512_cmp_ps_mask(x[i], _mm512_set1_ps(kExpHigh), _CMP_GT_OQ);
    y[i] = _mm512_mask_mov_ps(_mm512_scalef_ps(p[i], n[i]), low, _mm512_setzero_ps());
    y[i] = _mm512_mask_mov_ps(y[i], high, _mm512_set1_ps(__builtin_inff()));
  }
}

/// e^x where x <= 0 or a NaN, as a softmax has it, in place.
template <int N>
BALEEN_INLINE void exp_of_differences(__m512 (&x)[N]) {
  __m512 n[N], p[N];
  exp_parts(x, n, p);
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) {
    const __mmask16 above = _mm512_cmp_ps_mask(x[i], _mm512_set1_ps(kExpLow), _CMP_NLT_UQ);
    x[i] = _mm512_maskz_scalef_ps(above, p[i], n[i]);
  }
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

/// The fixed tree (lane i takes lane i + 8, + 4, + 2, + 1) of 16 rows at once, in 15 folds of two vectors: first of
/// four rows (quad q: rows q, q + 4, q + 8 and q + 12), then of the four quads. Lane r of the result is row r's.
constexpr int kTreeRows = 16;
template <class Fold>
BALEEN_INLINE __m512 fold_quad(const __m512 (&x)[4], const Fold& fold) {
  const __m512 a = fold(_mm512_shuffle_f32x4(x[0], x[1], 0x44), _mm512_shuffle_f32x4(x[0], x[1], 0xEE));
  const __m512 b = fold(_mm512_shuffle_f32x4(x[2], x[3], 0x44), _mm512_shuffle_f32x4(x[2], x[3], 0xEE));
  return fold(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
}
template <class Fold>
BALEEN_INLINE __m512 fold_quads(const __m512 (&x)[4], const Fold& fold) {
  const auto halves = [&](__m512 left, __m512 right) {
    const __m512d a = _mm512_castps_pd(left), b = _mm512_castps_pd(right);
    return fold(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
  };
  const __m512 a = halves(x[0], x[1]), b = halves(x[2], x[3]);
  return fold(_mm512_shuffle_ps(a, b, 0b10001000), _mm512_shuffle_ps(a, b, 0b11011101));
}

BALEEN_INLINE __m512 largest_bits(__m512 a, __m512 b) {
  return _mm512_castsi512_ps(_mm512_max_epu32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}

/// An address that GCC must add up when it is used: kept for all 8 rows they would fill registers and the stack.
template <class T>
BALEEN_INLINE T* next_row(T* row, int64_t stride) {
  row += stride;
  asm("" : "+r"(row));
  return row;
}

void rms_norm(const float* x, const float* weight, int64_t width, float eps, float* out);
void rotate_neighbours(float* x, const float* cos, const float* sin, int64_t pairs);
void rotate_halves(float* x, const float* cos, const float* sin, int64_t pairs);
void silu_mul(const GatedRows& rows);
void add(const float* x, int64_t width, float* out);
void scale(const float* x, float factor, int64_t width, float* out);

void store_keys_f16(const HeadRows& rows, int16_t* keys);
void store_values_f16(const HeadRows& rows, int16_t* values);
void store_latents_f16(const HeadRows& rows, int64_t value_dim, int16_t* latents);

void store_keys_i8(const HeadRows& rows, int8_t* keys);
void store_values_i8(const HeadRows& rows, int8_t* values);
void quantise_queries_i8(const float* queries, int64_t rows, int64_t dim, const I8Queries& out);
void quantise_queries_i16(const float* queries, int64_t rows, int64_t dim, const I16Queries& out);
void keys_of_values_i8(const int8_t* values, int64_t dim, int8_t* keys);
void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows);

void scores_f32(const float* queries, const float* keys, int64_t dim, const TileRows& rows);
void scores_f16(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows);
void scores_f16_by_sums(const I16Queries& queries, const int16_t* keys, int64_t dim,
                        const TileRows& rows);  ///< the same
void softmax_tile(const TileRows& rows);
/// out[r] = out[r] * correction[r] for the rows that see a key of the page.
void correct_sums(const TileRows& rows, int64_t dim, float* out);
void weighted_sum_f32(const TileRows& rows, const F32Values& values, float* out);
void weighted_sum_f16(const TileRows& rows, const int16_t* values, int64_t dim, float* out);
void weighted_sum_f16_by_sums(const TileRows& rows, const int16_t* values, int64_t dim,
                              float* out);  ///< the same
void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out);
void transpose_f32(const float* rows, int64_t columns, float* out);
void keys_of_latents_f16(const int16_t* latents, int64_t dim, int16_t* keys);
void values_of_latents_f16(const int16_t* latents, int64_t dim, int64_t value_dim, int16_t* values);
void divide(const float* x, const float* sum, int64_t rows, int64_t dim, float* out);

}  // namespace baleen::avx512
