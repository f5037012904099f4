// What the row kernels of avx2 share: partial loads, e^x and the fixed trees (rules: kernels/ref/row_kernels.h).
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/row_constants.h"
#include "kernels/row_kernels.h"

#ifndef BALEEN_INLINE
#define BALEEN_INLINE [[gnu::always_inline, maybe_unused]] static inline
#endif
// Loops over the rows or vectors of a register tile are unrolled completely, so that its sums are registers.
#define BALEEN_UNROLL _Pragma("GCC unroll 8")

namespace baleen::avx2 {

/// Lanes of the next 8 elements of which `left` are there.
BALEEN_INLINE __m256i lanes_left(int64_t left) {
  const int count = left >= 8 ? 8 : left > 0 ? static_cast<int>(left) : 0;
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// Eight dimensions, or the `count` that are left of a head.
struct Whole {
  BALEEN_INLINE __m256i words(const int8_t* from, int64_t) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  BALEEN_INLINE __m256 load(const float* from, int64_t) { return _mm256_loadu_ps(from); }
  BALEEN_INLINE __m256 load_halves(const int16_t* from, int64_t) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  BALEEN_INLINE void store(float* to, int64_t, __m256 x) { _mm256_storeu_ps(to, x); }
};
struct Partial {
  BALEEN_INLINE __m256i words(const int8_t* from, int64_t count) {
    return _mm256_maskload_epi32(reinterpret_cast<const int*>(from), lanes_left(count));
  }
  BALEEN_INLINE __m256 load(const float* from, int64_t count) {
    return _mm256_maskload_ps(from, lanes_left(count));
  }
  BALEEN_INLINE __m256 load_halves(const int16_t* from, int64_t count) {
    alignas(16) int16_t halves[8] = {};
    for (int64_t i = 0; i < count && i < 8; ++i) halves[i] = from[i];
    return _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(halves)));
  }
  BALEEN_INLINE void store(float* to, int64_t count, __m256 x) {
    _mm256_maskstore_ps(to, lanes_left(count), x);
  }
};

/// Calls body(access, i, left) for every 8 elements: a masked store takes ten times as long as a whole one.
template <class Body>
BALEEN_INLINE void for_vectors(int64_t count, const Body& body) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) body(Whole{}, i, int64_t{8});
  if (i < count) body(Partial{}, i, count - i);
}

/// All bits of the lanes of visible keys, from 8 v.
BALEEN_INLINE __m256i lane_mask(VisibleKeys visible, int v) {
  const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i byte = _mm256_set1_epi32(static_cast<int>(visible >> (8 * v) & 0xFF));
  return _mm256_cmpeq_epi32(_mm256_and_si256(byte, bits), bits);
}

/// 2^n * p, which is e^x where it is neither 0 nor infinite. Step by step for all N vectors: the chain of one is long,
/// and a core looks ahead of only a few chains that come one after the other.
template <int N>
BALEEN_INLINE void exp_inside(const __m256 (&x)[N], __m256 (&y)[N]) {
  const __m256 shift = _mm256_set1_ps(0x1.8p23f);
  __m256 n[N], r[N];
  __m256i power[N];
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) {
    n[i] = _mm256_add_ps(_mm256_mul_ps(x[i], _mm256_set1_ps(kExpLog2E)), shift);
    const __m256i integer = _mm256_slli_epi32(_mm256_castps_si256(n[i]), 23);  // n stands in the last bits
    power[i] = _mm256_add_epi32(integer, _mm256_set1_epi32(127 << 23));
    n[i] = _mm256_sub_ps(n[i], shift);
  }
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) r[i] = _mm256_fmadd_ps(n[i], _mm256_set1_ps(-kExpLn2High), x[i]);
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) r[i] = _mm256_fmadd_ps(n[i], _mm256_set1_ps(-kExpLn2Low), r[i]);
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) y[i] = _mm256_fmadd_ps(_mm256_set1_ps(kExpC6), r[i], _mm256_set1_ps(kExpC5));
  for (const float c : kExpRest) {
    BALEEN_UNROLL
    for (int i = 0; i < N; ++i) y[i] = _mm256_fmadd_ps(y[i], r[i], _mm256_set1_ps(c));
  }
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i) y[i] = _mm256_mul_ps(y[i], _mm256_castsi256_ps(power[i]));
}

BALEEN_INLINE __m256 exp(__m256 x) {
  const __m256 in[1] = {x};
  __m256 y[1];
  exp_inside(in, y);
  y[0] = _mm256_andnot_ps(_mm256_cmp_ps(x, _mm256_set1_ps(kExpLow), _CMP_LT_OQ), y[0]);
  y[0] = _mm256_blendv_ps(y[0], _mm256_set1_ps(__builtin_inff()),
                          _mm256_cmp_ps(x, _mm256_set1_ps(kExpHigh), _CMP_GT_OQ));
  return _mm256_blendv_ps(y[0], x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

/// e^x where x <= 0 or a NaN, as a softmax has it, in place.
template <int N>
BALEEN_INLINE void exp_of_differences(__m256 (&x)[N]) {
  __m256 y[N];
  exp_inside(x, y);
  BALEEN_UNROLL
  for (int i = 0; i < N; ++i)
    x[i] = _mm256_andnot_ps(_mm256_cmp_ps(x[i], _mm256_set1_ps(kExpLow), _CMP_LT_OQ), y[i]);
}

/// The fixed tree (lane i takes lane i + 4, + 2, + 1) of 8 rows at once, in 7 folds of two vectors: first of rows q and
/// q + 4, then of the four pairs. Lane r of the result is row r's.
constexpr int kTreeRows = 8;
template <class Fold>
BALEEN_INLINE __m256 fold_pair(__m256 a, __m256 b, const Fold& fold) {
  return fold(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}
template <class Fold>
BALEEN_INLINE __m256 fold_pairs(const __m256 (&x)[4], const Fold& fold) {
  const auto halves = [&](__m256 left, __m256 right) {
    const __m256d a = _mm256_castps_pd(left), b = _mm256_castps_pd(right);
    return fold(_mm256_castpd_ps(_mm256_unpacklo_pd(a, b)), _mm256_castpd_ps(_mm256_unpackhi_pd(a, b)));
  };
  const __m256 a = halves(x[0], x[1]), b = halves(x[2], x[3]);
  return fold(_mm256_shuffle_ps(a, b, 0b10001000), _mm256_shuffle_ps(a, b, 0b11011101));
}

BALEEN_INLINE float tree_sum(__m256 eight) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/// An address that GCC must add up when it is used: kept for all rows they would fill registers and the stack.
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

void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows);

void scores_f32(const float* queries, const float* keys, int64_t dim, const TileRows& rows);
void scores_f16(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows);
void softmax_tile(const TileRows& rows);
/// out[r] = out[r] * correction[r] for the rows that see a key of the page.
void correct_sums(const TileRows& rows, int64_t dim, float* out);
void weighted_sum_f32(const TileRows& rows, const F32Values& values, float* out);
void weighted_sum_f16(const TileRows& rows, const int16_t* values, int64_t dim, float* out);
void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out);
void transpose_f32(const float* rows, int64_t columns, float* out);
void keys_of_latents_f16(const int16_t* latents, int64_t dim, int16_t* keys);
void values_of_latents_f16(const int16_t* latents, int64_t dim, int64_t value_dim, int16_t* values);
void store_keys_i8(const HeadRows& rows, int8_t* keys);
void store_values_i8(const HeadRows& rows, int8_t* values);
void quantise_queries_i8(const float* queries, int64_t rows, int64_t dim, const I8Queries& out);
void quantise_queries_i16(const float* queries, int64_t rows, int64_t dim, const I16Queries& out);
void keys_of_values_i8(const int8_t* values, int64_t dim, int8_t* keys);
void divide(const float* x, const float* sum, int64_t rows, int64_t dim, float* out);

}  // namespace baleen::avx2
