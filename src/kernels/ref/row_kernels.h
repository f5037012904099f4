// The row kernels of `ref`: the specification in scalar code.
#pragma once

#include <cstdint>

#include "kernels/row_kernels.h"

namespace baleen::ref {

/// e^x in float32: n = nearest(x * log2 e), r = x - n * ln 2 in two parts, a polynomial of degree 6, times
/// 2^n. Within 0.65 ulp. 0 below -87.33, infinity above 88.3, NaN stays NaN.
float exp(float x);
/// The fixed tree over lanes: lane i takes lane i + n/2, then n/4, … (n a power of two; lanes is scratch).
float tree_sum(float* lanes, int n);
float tree_max(float* lanes, int n);

void rms_norm(const float* x, const float* weight, int64_t width, float eps, float* out);
void rotate_neighbours(float* x, const float* cos, const float* sin, int64_t pairs);
void rotate_halves(float* x, const float* cos, const float* sin, int64_t pairs);
void silu_mul(const GatedRows& rows);
void add(const float* x, int64_t width, float* out);
void scale(const float* x, float factor, int64_t width, float* out);

void store_keys_f32(const HeadRows& rows, float* keys);
void store_values_f32(const HeadRows& rows, float* values);
void store_keys_f16(const HeadRows& rows, int16_t* keys);
void store_values_f16(const HeadRows& rows, int16_t* values);
void store_latents_f16(const HeadRows& rows, int64_t value_dim, int16_t* latents);

void store_keys_i8(const HeadRows& rows, int8_t* keys);
void store_values_i8(const HeadRows& rows, int8_t* values);
void keys_of_values_i8(const int8_t* values, int64_t dim, int8_t* keys);
void quantise_queries_i8(const float* queries, int64_t rows, int64_t dim, const I8Queries& out);
void quantise_queries_i16(const float* queries, int64_t rows, int64_t dim, const I16Queries& out);
void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows);

void scores_f32(const float* queries, const float* keys, int64_t dim, const TileRows& rows);
void scores_f16(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows);
void softmax_tile(const TileRows& rows);
void weighted_sum_f32(const TileRows& rows, const F32Values& values, float* out);
void weighted_sum_f16(const TileRows& rows, const int16_t* values, int64_t dim, float* out);
void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out);
void transpose_f32(const float* rows, int64_t columns, float* out);
void keys_of_latents_f16(const int16_t* latents, int64_t dim, int16_t* keys);
void values_of_latents_f16(const int16_t* latents, int64_t dim, int64_t value_dim, int16_t* values);
void divide(const float* x, const float* sum, int64_t rows, int64_t dim, float* out);

}  // namespace baleen::ref
