// Keys, values and latents of f16 into the pages of the KV cache (rules: kernels/ref/kv_rows.cc): what ISAs do alike.
// Functions are static: files with different ISA flags include this.
//
// An ISA gives a type `Halves` with a constant and functions; of kLanes numbers from `from` on `left` are there:
//   int kLanes                                 numbers at a time, 32 is a multiple of it
//   Scale scale_of(from, count)                the scale of a block of `count` numbers
//   int16_t stored(scale)                      the same as pages hold it
//   void put_codes(from, left, scale, to)      codes of kLanes numbers, to [kLanes], aligned
//   void put_alternate(from, left, scale, to)  codes of those that are there, to[0], to[2], …, in one turn
//   void put_halves(from, left, to)            those that are there in f16
#pragma once

#include <cstdint>

#include "kernels/row_kernels.h"

namespace baleen {

[[maybe_unused]] static inline int64_t width_of_block(int64_t dim, int64_t first) {
  return dim - first < kCodeBlock ? dim - first : kCodeBlock;
}

template <class Halves>
static inline void store_f16_keys(const HeadRows& rows, int16_t* keys) {
  const int64_t dim = rows.dim, padded = i16_padded(dim);
  for (int32_t r = 0; r < rows.count; ++r)
    for (int64_t d = 0, slot = rows.slot + r; d < dim; d += kCodeBlock) {
      const float* from = rows.data + r * rows.stride + d;
      const int64_t count = width_of_block(dim, d);
      const auto scale = Halves::scale_of(from, count);
      alignas(64) int16_t codes[kCodeBlock];
      for (int64_t i = 0; i < count; i += Halves::kLanes)
        Halves::put_codes(from + i, count - i, scale, codes + i);
      int16_t* to = keys + d * kTileKeys + slot * 2;
      for (int64_t i = 0; i < count; i += 2)
        __builtin_memcpy(to + i * kTileKeys, codes + i, 2 * sizeof(int16_t));
      keys[kTileKeys * (padded + d / kCodeBlock) + slot] = Halves::stored(scale);
    }
}

template <class Halves>
static inline void store_f16_values(const HeadRows& rows, int16_t* values) {
  const int64_t dim = rows.dim;
  for (int32_t r = 0; r < rows.count; ++r) {
    const float* from = rows.data + r * rows.stride;
    const int64_t slot = rows.slot + r;
    const auto scale = Halves::scale_of(from, dim);
    for (int64_t d = 0; d < dim; d += Halves::kLanes) {
      const int64_t block = d / kCodeBlock * kCodeBlock;
      int16_t* to = values + block * kTileKeys + f16_value_at(slot, width_of_block(dim, block));
      Halves::put_alternate(from + d, dim - d, scale, to + d % kCodeBlock * 2);
    }
    values[kTileKeys * dim + slot] = Halves::stored(scale);
  }
}

template <class Halves>
static inline void store_f16_latents(const HeadRows& rows, int64_t value_dim, int16_t* latents) {
  const int64_t dim = rows.dim, blocks = code_blocks(dim);
  int16_t* scales = latents + kTileKeys * dim;
  for (int32_t r = 0; r < rows.count; ++r) {
    const float* from = rows.data + r * rows.stride;
    const int64_t slot = rows.slot + r;
    for (int64_t d = 0; d < dim; d += Halves::kLanes)
      Halves::put_halves(from + d, dim - d, latents + slot * dim + d);
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t first = b * kCodeBlock;
      scales[b * kTileKeys + slot] =
          Halves::stored(Halves::scale_of(from + first, width_of_block(dim, first)));
    }
    scales[blocks * kTileKeys + slot] = Halves::stored(Halves::scale_of(from, value_dim));
  }
}

}  // namespace baleen
