// Floats to blocks, for `quantize` and for weights packed while loading. The scales of a block are searched
// for the least squared error around the obvious choice; codes are then made with the scales as they are
// stored. Layouts: ggml's block structures as described by the PyPI package gguf.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/block_type.h"

namespace baleen {

/// f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q4_k, q5_k, q6_k.
bool can_encode(BlockType type);

/// `count` values, whole blocks, to `count / values * bytes` bytes. CHECKs can_encode and whole blocks.
void encode(BlockType type, const float* values, int64_t count, std::byte* out);

/// IEEE binary32 to binary16, to the nearest, halves to even.
uint16_t float_to_half(float value);

}  // namespace baleen
