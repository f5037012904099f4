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
  BALEEN_INLINE __m256 load(const uint16_t* from, int64_t) {
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
  BALEEN_INLINE __m256 load(const uint16_t* from, int64_t count) {
    alignas(16) uint16_t halves[8] = {};
    for (int64_t i = 0; i < count && i < 8; ++i) halves[i] = from[i];
    return _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(halves)));
  }
  BALEEN_INLINE void store(float* to, int64_t count, __m256 x) {
    _mm256_maskstore_ps(to, lanes_left(count), x);
  }
};

/// All bits of the lanes of visible keys, from 8 v.
BALEEN_INLINE __m256i lane_mask(VisibleKeys visible, int v) {
  const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i byte = _mm256_set1_epi32(static_cast<int>(visible >> (8 * v) & 0xFF));
  return _mm256_cmpeq_epi32(_mm256_and_si256(byte, bits), bits);
}

BALEEN_INLINE __m256 exp(__m256 x) {
  const __m256 shift = _mm256_set1_ps(0x1.8p23f);
  const __m256 n = _mm256_sub_ps(_mm256_add_ps(_mm256_mul_ps(x, _mm256_set1_ps(kExpLog2E)), shift), shift);
  __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-kExpLn2High), x);
  r = _mm256_fmadd_ps(n, _mm256_set1_ps(-kExpLn2Low), r);
  __m256 p = _mm256_set1_ps(kExpC6);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(kExpC5));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(kExpC4));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(kExpC3));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(kExpC2));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
  const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  __m256 y = _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)));
  y = _mm256_andnot_ps(_mm256_cmp_ps(x, _mm256_set1_ps(kExpLow), _CMP_LT_OQ), y);
  y = _mm256_blendv_ps(y, _mm256_set1_ps(__builtin_inff()),
                       _mm256_cmp_ps(x, _mm256_set1_ps(kExpHigh), _CMP_GT_OQ));
  return _mm256_blendv_ps(y, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

BALEEN_INLINE float tree_sum(__m256 eight) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/// max(a, b) is a > b ? a : b in each step.
BALEEN_INLINE float tree_max(__m256 eight) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

void rms_norm(const float* x, const float* weight, int64_t width, float eps, float* out);
void rotate_neighbours(float* x, const float* cos, const float* sin, int64_t pairs);
void rotate_halves(float* x, const float* cos, const float* sin, int64_t pairs);
void silu_mul(float* gate, const float* up, int64_t width);
void add(const float* x, int64_t width, float* out);
void scale(const float* x, float factor, int64_t width, float* out);

void store_keys_f16(const HeadRows& rows, uint16_t* keys);
void store_values_f16(const HeadRows& rows, uint16_t* values);

void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows);

void scores_f32(const float* queries, const float* keys, int64_t dim, const TileRows& rows);
void scores_f16(const float* queries, const uint16_t* keys, int64_t dim, const TileRows& rows);
void softmax_tile(const TileRows& rows);
void weighted_sum_f32(const TileRows& rows, const PageValues<float>& values, float* out);
void weighted_sum_f16(const TileRows& rows, const PageValues<uint16_t>& values, float* out);
void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out);
void transpose_f32(const uint32_t* rows, int64_t columns, uint32_t* out);
void transpose_f16(const uint16_t* rows, int64_t columns, uint16_t* out);
void store_keys_i8(const HeadRows& rows, int8_t* keys);
void store_values_i8(const HeadRows& rows, int8_t* values);
void quantise_queries(const float* queries, int64_t rows, int64_t dim, const I8Queries& out);
void keys_of_values_i8(const int8_t* values, int64_t dim, int8_t* keys);
void divide(const float* x, const float* sum, int64_t rows, int64_t dim, float* out);

}  // namespace baleen::avx2
