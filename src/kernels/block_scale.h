// What the largest magnitude of a block of floats says about its codes (docs/NUMERICS.md). Static: files with
// different ISA flags include this.
#pragma once

#include <cstdint>
#include <cstring>

#ifndef BALEEN_INLINE
#define BALEEN_INLINE [[gnu::always_inline, maybe_unused]] static inline
#endif

namespace baleen {

BALEEN_INLINE float float_of_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// What a block's largest magnitude says about its codes.
struct BlockScale {
  float amax, factor, scale;  ///< factor 0: all codes are 0
};
BALEEN_INLINE BlockScale block_scale(uint32_t bits, float largest_code) {
  constexpr uint32_t kInfinity = 0x7F800000u, kNan = 0x7FC00000u;
  const float amax = float_of_bits(bits);
  if (bits >= kInfinity) return {amax, 0, float_of_bits(kNan)};
  if (amax < 0x1p-100f) return {amax, 0, 0};
  return {amax, largest_code / amax, amax / largest_code};
}

}  // namespace baleen
