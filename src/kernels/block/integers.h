// The numbers inside one block of the types that have integer kernels, as the file stores them.
// Layouts: ggml's block structures as described by the PyPI package gguf.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/block_type.h"

namespace baleen {

/// Value k of Q4_0, Q5_0, Q8_0: d * (code - offset); Q4_1, Q5_1: d * code + m;
/// Q4_K, Q5_K: d * sub_scale * code - m * sub_min, sub-blocks of 32; Q6_K: d * sub_scale * (code - 32),
/// of 16.
struct BlockIntegers {
  uint8_t codes[256];      ///< Q8_0: int8 in two's complement
  uint8_t sub_scales[16];  ///< Q6_K: int8 in two's complement
  uint8_t sub_mins[8];
  uint16_t d, m;  ///< float16; m is 0 where the type has none
};

/// CHECKs that the type has integer kernels.
void read_integers(BlockType type, const std::byte* block, BlockIntegers& out);
/// The exact values: out[values of a block].
void to_floats(BlockType type, const BlockIntegers& block, float* out);

}  // namespace baleen
