// Single codes out of a panel (panel_layout.h). Static, see CMakeLists.txt.
#pragma once

#include <cstdint>

#include "kernels/panel_layout.h"
#include "kernels/ref/floats.h"

namespace baleen::ref {

/// The 4-bit code of row r, k of 0..31, in a slab of nibbles.
[[maybe_unused]] static inline int32_t nibble(const std::byte* slab, int r, int k) {
  const int group = k / 4;
  const auto pair = static_cast<int32_t>(slab[group / 2 * 64 + r * 4 + k % 4]);
  return group % 2 == 0 ? pair & 15 : pair >> 4;
}

[[maybe_unused]] static inline int32_t fifth_bit(const std::byte* slab, int r, int k) {
  return (static_cast<int32_t>(slab[r * 4 + k % 4]) >> (k / 4)) & 1;
}

/// Bits 4 and 5 of a 6-bit code, as a number of 0..3.
[[maybe_unused]] static inline int32_t high_bits(const std::byte* slab, int r, int k) {
  const int group = k / 4;
  return (static_cast<int32_t>(slab[group / 4 * 64 + r * 4 + k % 4]) >> (group % 4 * 2)) & 3;
}

/// Sub-scale j of 0..7 of Q4_K and Q5_K.
[[maybe_unused]] static inline int32_t sub_scale(const std::byte* sub_scales, int r, int j) {
  return static_cast<int32_t>(sub_scales[j / 4 * 64 + r * 4 + j % 4]) & 63;
}

/// Minimum j of 0..7 of Q4_K and Q5_K.
[[maybe_unused]] static inline int32_t sub_minimum(const std::byte* sub_scales, int r, int j) {
  const int at = r * 4 + kMinimumByte[j % 4];
  const auto high = static_cast<int32_t>(sub_scales[j / 4 * 64 + at]) >> 6;
  const auto low = static_cast<int32_t>(sub_scales[128 + at]) >> (j / 4 * 4);
  return high << 4 | (low & 15);
}

[[maybe_unused]] static inline float half_scale(const std::byte* scales, int r) {
  return half_to_float(load<uint16_t>(scales + r * 2));
}

}  // namespace baleen::ref
