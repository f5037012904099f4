// Blocks of any type that tensors may have, to floats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/block_type.h"

namespace baleen {

/// f32, f16, bf16 and every block type of ggml's list that stands for floats (not i8 … i64, f64, q8_1, q8_k).
bool can_unpack(BlockType type);

/// The exact values of `count` weights, whole blocks. CHECKs can_unpack.
void unpack(BlockType type, const std::byte* blocks, int64_t count, float* out);

}  // namespace baleen
