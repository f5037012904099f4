// The scale of 32 values in a block of the types that have one for so many: what unpacking multiplies by, and what
// panels of small numbers keep. Layouts: unpack_iq.cc, unpack_small.cc.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/block/block_bytes.h"

namespace baleen {

/// IQ2: d times a quarter of the four bits and a half.
inline float iq2_scale(float d, uint32_t four_bits) {
  return d * (0.5f + static_cast<float>(four_bits)) * 0.25f;
}

inline float iq2_xxs_scale(const std::byte* block, int group) {
  return iq2_scale(half_at(block, 0), field<uint32_t>(block, 2 + 8 * group + 4) >> 28);
}

inline float iq3_xxs_scale(const std::byte* block, int group) {
  const uint32_t four_bits = field<uint32_t>(block, 66 + 4 * group) >> 28;
  return half_at(block, 0) * (0.5f + static_cast<float>(four_bits)) * 0.5f;
}

inline float iq3_s_scale(const std::byte* block, int group) {
  const uint32_t four_bits = (byte_at(block, 106 + group / 2) >> (4 * (group % 2))) & 15;
  return half_at(block, 0) * static_cast<float>(1 + 2 * four_bits);
}

inline float iq1_s_scale(const std::byte* block, int group) {
  const uint32_t three_bits = (field<uint16_t>(block, 34 + 2 * group) >> 12) & 7u;
  return half_at(block, 0) * static_cast<float>(2 * three_bits + 1);
}

inline float iq4_xs_scale(const std::byte* block, int group) {
  const uint32_t low = (byte_at(block, 4 + group / 2) >> (4 * (group % 2))) & 15;
  const uint32_t high = (uint32_t{field<uint16_t>(block, 2)} >> (2 * group)) & 3;
  return half_at(block, 0) * static_cast<float>(static_cast<int>(low | (high << 4)) - 32);
}

/// 2^(exponent - 127) / 2, as codes of FP4 are doubled; the two smallest are subnormal floats.
inline float half_of_e8m0(uint32_t exponent) {
  return std::bit_cast<float>(exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23);
}
inline float mxfp4_scale(const std::byte* block) { return half_of_e8m0(byte_at(block, 0)); }

}  // namespace baleen
