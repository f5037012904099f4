// Rows of floats as blocks of codes, for the ISA folders (rules: kernels/ref/codes.h, i8_rows.cc). Functions are
// static: files with different ISA flags include this.
//
// An ISA gives a type `Vectors` with two functions:
//   CodeBlock<Code> encode<Code>(const float* x, int64_t count)    up to 32 values
//   void interleave(const CodeBlock<int8_t>&, int64_t count, int slot, int8_t* words)
//                                                                   codes to byte slot % 4 of `count` 32-bit words
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/block_scale.h"
#include "kernels/row_constants.h"
#include "kernels/row_kernels.h"

namespace baleen {

template <class Code>
struct CodeBlock {
  alignas(64) Code codes[kCodeBlock];  ///< 0 behind the last value
  float scale;
  int32_t sum;  ///< of the codes
};
template <class Code>
constexpr float kLargestCode = sizeof(Code) == 1 ? 127.0f : kI16Largest;

/// Values of a block of which `left` are there, 32 at most.
BALEEN_INLINE int64_t block_size(int64_t left) { return left < kCodeBlock ? left : kCodeBlock; }

template <class Vectors>
BALEEN_INLINE void store_i8_keys(const HeadRows& rows, int8_t* keys) {
  const int64_t padded = i8_padded(rows.dim);
  auto* scales = reinterpret_cast<float*>(keys + kTileKeys * padded);
  for (int32_t r = 0; r < rows.count; ++r) {
    const int64_t slot = rows.slot + r;
    for (int64_t d = 0; d < rows.dim; d += kCodeBlock) {
      const auto block =
          Vectors::template encode<int8_t>(rows.data + r * rows.stride + d, block_size(rows.dim - d));
      scales[d + slot] = block.scale;  // 32 scales for 32 dimensions
      for (int64_t i = 0; i < block_size(padded - d); i += 4)
        std::memcpy(keys + (d + i) * kTileKeys + slot * 4, block.codes + i, 4);
    }
  }
}

template <class Vectors>
BALEEN_INLINE void store_i8_values(const HeadRows& rows, int8_t* values) {
  const int64_t dim = rows.dim;
  auto* scales = reinterpret_cast<float*>(values + kTileKeys * dim);
  for (int32_t r = 0; r < rows.count; ++r) {
    const int32_t slot = rows.slot + r;
    for (int64_t d = 0; d < dim; d += kCodeBlock) {
      const int64_t count = block_size(dim - d);
      const auto block = Vectors::template encode<int8_t>(rows.data + r * rows.stride + d, count);
      scales[d + slot] = block.scale;
      Vectors::interleave(block, count, slot, values + (slot / 4 * dim + d) * 4);
    }
  }
}

/// codes [rows, padded], scales and, where they are wanted, sums [rows, blocks].
template <class Vectors, class Code>
BALEEN_INLINE void encode_rows(const float* queries, int64_t rows, int64_t dim, Code* codes, float* scales,
                               int32_t* sums) {
  const int64_t padded = sizeof(Code) == 1 ? i8_padded(dim) : i16_padded(dim), blocks = code_blocks(dim);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t d = b * kCodeBlock;
      const auto block = Vectors::template encode<Code>(queries + r * dim + d, block_size(dim - d));
      std::memcpy(codes + r * padded + d, block.codes,
                  sizeof(Code) * static_cast<size_t>(block_size(padded - d)));
      scales[r * blocks + b] = block.scale;
      if (sums != nullptr) sums[r * blocks + b] = block.sum;
    }
}

template <class Vectors>
BALEEN_INLINE void encode_i8_queries(const float* queries, int64_t rows, int64_t dim, const I8Queries& out) {
  encode_rows<Vectors>(queries, rows, dim, out.codes, out.scales, out.sums);
}
template <class Vectors>
BALEEN_INLINE void encode_i16_queries(const float* queries, int64_t rows, int64_t dim,
                                      const I16Queries& out) {
  encode_rows<Vectors>(queries, rows, dim, out.codes, out.scales, nullptr);
}

}  // namespace baleen
