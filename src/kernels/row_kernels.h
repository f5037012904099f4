// Kernels on rows of floats and on pages of the KV cache, one set per ISA. Formulas and the order of every
// rounding are in ref/; the other folders give the same bits (docs/NUMERICS.md, "Attention", "Row sums").
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/core_traits.h"

namespace baleen {

/// Slots of a page, and the lanes that hold its keys.
inline constexpr int kTileKeys = 32;

/// Dimensions whose codes share one scale, counted from 0; the last block of a head may be shorter.
inline constexpr int kCodeBlock = 32;
constexpr int64_t code_blocks(int64_t dim) { return (dim + kCodeBlock - 1) / kCodeBlock; }
/// Codes are padded with zeros to whole groups of four (16 bits: two), what one integer dot product takes.
constexpr int64_t i8_padded(int64_t dim) { return (dim + 3) / 4 * 4; }
constexpr int64_t i16_padded(int64_t dim) { return (dim + 1) / 2 * 2; }
/// Bytes of a head's keys in a page: codes [padded / 4][32][4], then scales [blocks][32].
constexpr int64_t i8_keys_bytes(int64_t dim) { return kTileKeys * (i8_padded(dim) + 4 * code_blocks(dim)); }
/// Bytes of a head's values in a page: codes [32 / 4][dim][4], four neighbouring slots of a dimension together, then
/// scales [blocks][32].
constexpr int64_t i8_values_bytes(int64_t dim) { return kTileKeys * (dim + 4 * code_blocks(dim)); }

/// The same of f16, numbers of 16 bits (docs/NUMERICS.md, "Attention"): codes [padded / 2][32][2], then scales
/// [blocks][32], which are powers of two or NaN: the upper halves of their float32.
constexpr int64_t f16_keys_bytes(int64_t dim) { return 2 * kTileKeys * (i16_padded(dim) + code_blocks(dim)); }
/// Per block of dimensions codes [32 / 2][its dimensions][2], two neighbouring slots together; then scales [32].
constexpr int64_t f16_values_bytes(int64_t dim) { return 2 * kTileKeys * (dim + 1); }
/// A shared latent, which is keys and in its first dimensions values: [32][dim] in f16, then the scales of its keys,
/// [blocks][32], and of its values, [32].
constexpr int64_t f16_latents_bytes(int64_t dim) { return 2 * kTileKeys * (dim + code_blocks(dim) + 1); }
/// Where the codes of a slot's values start within a block of `width` dimensions; the next is 2 further.
constexpr int64_t f16_value_at(int64_t slot, int64_t width) { return slot / 2 * 2 * width + slot % 2; }

/// Bit i: the query row sees slot i of the page.
using VisibleKeys = uint32_t;

/// One KV head's part of new rows, for consecutive slots of one page.
struct HeadRows {
  const float* data;
  int64_t stride;  ///< floats from one row to the next
  int32_t count, slot, dim;
};

/// Query rows of one KV head against one page. All arrays are contiguous.
struct TileRows {
  int64_t count;
  const VisibleKeys* visible;  ///< [count]
  float* scores;               ///< [count, 32]; probabilities after softmax_tile
  float *max, *sum;            ///< [count]; -infinity and 0 before the first tile
  float* correction;           ///< [count]: what earlier sums are multiplied by
};

/// A page's values of one head in an f32 cache: `dim` of them for each of the 32 slots.
struct F32Values {
  const float* data;
  int64_t stride;  ///< from one slot to the next
  int64_t dim;
};

/// A page's values of one head in an i8 cache.
struct I8Values {
  const int8_t* codes;  ///< [8][stride][4]
  const float* scales;  ///< [blocks][32]
  int64_t stride, dim;  ///< the first `dim` of `stride` dimensions are values
};

/// Query rows as i8 blocks.
struct I8Queries {
  int8_t* codes;  ///< [rows, padded]
  float* scales;  ///< [rows, blocks]
  int32_t* sums;  ///< [rows, blocks], of the codes
};

/// Query rows as blocks of 16-bit codes, for f16 pages.
struct I16Queries {
  int16_t* codes;  ///< [rows, padded]
  float* scales;   ///< [rows, blocks]
  int32_t* taken;  ///< [rows, blocks], of whole ones: for kernels that multiply sums (avx512/word_sums.h)
};

/// Rows of gates and of what they let through, [count, width] each.
struct GatedRows {
  float* gate;
  int64_t gate_stride;
  const float* up;
  int64_t up_stride;
  int64_t count, width;
};

struct RowKernels {
  /// out[i] = x[i] * (1 / sqrt(mean of x^2 + eps)) * weight[i]. out may be x.
  void (*rms_norm)(const float* x, const float* weight, int64_t width, float eps, float* out);
  /// Turns `pairs` pairs of x in place: (2i, 2i + 1), or (i, i + pairs).
  void (*rotate_neighbours)(float* x, const float* cos, const float* sin, int64_t pairs);
  void (*rotate_halves)(float* x, const float* cos, const float* sin, int64_t pairs);
  /// gate[i] = silu(gate[i]) * up[i].
  void (*silu_mul)(const GatedRows& rows);
  /// out[i] += x[i].
  void (*add)(const float* x, int64_t width, float* out);
  /// out[i] = x[i] * factor. out may be x.
  void (*scale)(const float* x, float factor, int64_t width, float* out);

  /// Keys into [dim][32], values into [32][dim].
  void (*store_keys_f32)(const HeadRows& rows, float* keys);
  void (*store_values_f32)(const HeadRows& rows, float* values);
  /// Rounded to f16, then as codes.
  void (*store_keys_f16)(const HeadRows& rows, int16_t* keys);
  void (*store_values_f16)(const HeadRows& rows, int16_t* values);
  /// Shared latents of f16, of which `value_dim` dimensions are values.
  void (*store_latents_f16)(const HeadRows& rows, int64_t value_dim, int16_t* latents);

  void (*store_keys_i8)(const HeadRows& rows, int8_t* keys);
  void (*store_values_i8)(const HeadRows& rows, int8_t* values);
  /// A page as store_values_i8 leaves it, as store_keys_i8 would: a shared latent is both. dim is a multiple of 4.
  void (*keys_of_values_i8)(const int8_t* values, int64_t dim, int8_t* keys);
  void (*quantise_queries_i8)(const float* queries, int64_t rows, int64_t dim, const I8Queries& out);
  void (*quantise_queries_i16)(const float* queries, int64_t rows, int64_t dim, const I16Queries& out);

  /// [32][columns] to [columns][32]: rows of a shared latent to keys.
  void (*transpose_f32)(const float* rows, int64_t columns, float* out);
  /// Latents as store_keys_f16 and store_values_f16 would leave them; of those with a NaN or an infinity scales are the
  /// same, codes need not be.
  void (*keys_of_latents_f16)(const int16_t* latents, int64_t dim, int16_t* keys);
  void (*values_of_latents_f16)(const int16_t* latents, int64_t dim, int64_t value_dim, int16_t* values);

  /// scores[r][key] = sum over d of queries[r][d] * keys[d][key], for all 32 keys of the page.
  void (*scores_f32)(const float* queries, const float* keys, int64_t dim, const TileRows& rows);
  /// The same from blocks of codes: each block's dot product is exact.
  void (*scores_f16)(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows);
  void (*scores_i8)(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows);
  /// One step of the running softmax over the visible scores; a row that sees none stays as it is.
  void (*softmax_tile)(const TileRows& rows);
  /// out[r] = out[r] * correction[r], then + scores[r][key] * values[key] for each visible key in order;
  /// out is [count, dim].
  void (*weighted_sum_f32)(const TileRows& rows, const F32Values& values, float* out);
  /// The same from codes: the sums over the keys are exact.
  void (*weighted_sum_f16)(const TileRows& rows, const int16_t* values, int64_t dim, float* out);
  void (*weighted_sum_i8)(const TileRows& rows, const I8Values& values, float* out);
  /// out[r] = x[r] / sum[r]. out may be x.
  void (*divide)(const float* x, const float* sum, int64_t rows, int64_t dim, float* out);
};

RowKernels ref_row_kernels();
RowKernels avx2_row_kernels();
RowKernels avxvnni_row_kernels();
RowKernels avx512_row_kernels(const CoreTraits& core);

}  // namespace baleen
