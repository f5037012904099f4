// New keys and values into the pages of the KV cache, those of f16 as codes; latents of f16 become codes where they are
// read. f16 rounds to nearest, ties to even.
#include <immintrin.h>

#include <algorithm>

#include "kernels/ref/codes.h"
#include "kernels/ref/row_kernels.h"

namespace baleen::ref {
namespace {

uint16_t to_f16(float x) { return _cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT); }

/// Of one slot; half(d) is its number in dimension d. A scale for each block of dimensions; a dimension that is missing
/// has codes 0.
template <class Half>
void put_keys(const Half& half, int64_t dim, int64_t slot, int16_t* keys) {
  const int64_t padded = i16_padded(dim);
  for (int64_t b = 0; b < code_blocks(dim); ++b) {
    const int64_t first = b * kCodeBlock, end = first + block_size(dim, b);
    const HalfScale scale = half_scale(half, first, end);
    for (int64_t d = first; d < std::min(first + kCodeBlock, padded); ++d)
      keys[(d / 2 * kTileKeys + slot) * 2 + d % 2] = d < end ? half_code(half(d), scale) : int16_t{0};
    keys[kTileKeys * (padded + b) + slot] = scale.stored();
  }
}

/// A scale for all of the slot's values.
template <class Half>
void put_values(const Half& half, int64_t dim, int64_t slot, int16_t* values) {
  const HalfScale scale = half_scale(half, 0, dim);
  for (int64_t d = 0; d < dim; ++d) {
    const int64_t b = d / kCodeBlock;
    values[b * kCodeBlock * kTileKeys + d % kCodeBlock * 2 + f16_value_at(slot, block_size(dim, b))] =
        half_code(half(d), scale);
  }
  values[kTileKeys * dim + slot] = scale.stored();
}

auto halves_of(const float* row) {
  return [row](int64_t d) { return to_f16(row[d]); };
}
auto halves_of(const int16_t* row) {
  return [row](int64_t d) { return static_cast<uint16_t>(row[d]); };
}

}  // namespace

void store_keys_f32(const HeadRows& rows, float* keys) {
  for (int32_t r = 0; r < rows.count; ++r)
    for (int32_t d = 0; d < rows.dim; ++d)
      keys[d * kTileKeys + rows.slot + r] = rows.data[r * rows.stride + d];
}

void store_keys_f16(const HeadRows& rows, int16_t* keys) {
  for (int32_t r = 0; r < rows.count; ++r)
    put_keys(halves_of(rows.data + r * rows.stride), rows.dim, rows.slot + r, keys);
}

void store_values_f32(const HeadRows& rows, float* values) {
  for (int32_t r = 0; r < rows.count; ++r)
    std::copy_n(rows.data + r * rows.stride, rows.dim, values + (rows.slot + r) * rows.dim);
}

void store_values_f16(const HeadRows& rows, int16_t* values) {
  for (int32_t r = 0; r < rows.count; ++r)
    put_values(halves_of(rows.data + r * rows.stride), rows.dim, rows.slot + r, values);
}

void store_latents_f16(const HeadRows& rows, int64_t value_dim, int16_t* latents) {
  const int64_t dim = rows.dim, blocks = code_blocks(dim);
  int16_t* scales = latents + kTileKeys * dim;
  for (int32_t r = 0; r < rows.count; ++r) {
    const int64_t slot = rows.slot + r;
    const auto half = halves_of(rows.data + r * rows.stride);
    for (int64_t d = 0; d < dim; ++d) latents[slot * dim + d] = static_cast<int16_t>(half(d));
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t first = b * kCodeBlock;
      scales[b * kTileKeys + slot] = half_scale(half, first, first + block_size(dim, b)).stored();
    }
    scales[blocks * kTileKeys + slot] = half_scale(half, 0, value_dim).stored();
  }
}

void keys_of_latents_f16(const int16_t* latents, int64_t dim, int16_t* keys) {
  for (int64_t slot = 0; slot < kTileKeys; ++slot) put_keys(halves_of(latents + slot * dim), dim, slot, keys);
}

void values_of_latents_f16(const int16_t* latents, int64_t dim, int64_t value_dim, int16_t* values) {
  for (int64_t slot = 0; slot < kTileKeys; ++slot)
    put_values(halves_of(latents + slot * dim), value_dim, slot, values);
}

}  // namespace baleen::ref
