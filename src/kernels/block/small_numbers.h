// The types whose values are small integers under one scale for 32 of them: IQ1_S, IQ2_XXS, IQ3_XXS, IQ3_S, IQ4_NL,
// IQ4_XS, MXFP4, TQ1_0, TQ2_0. Layouts: unpack_iq.cc, unpack_small.cc.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/block_type.h"

namespace baleen {

/// value[k] = scale * codes[k], the same float that unpack() gives.
struct SmallNumbers {
  float scale;
  int8_t codes[32];
};

/// A whole block: out[values / 32]. CHECKs that the type is one of these.
void read_small_numbers(BlockType type, const std::byte* block, SmallNumbers* out);

}  // namespace baleen
