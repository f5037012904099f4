// Reading the fields of a block: unaligned little-endian integers and half floats.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace baleen {

template <class T>
T field(const std::byte* block, int offset) {
  T value;
  std::memcpy(&value, block + offset, sizeof(T));
  return value;
}

inline uint32_t byte_at(const std::byte* block, int offset) {
  return std::to_integer<uint32_t>(block[offset]);
}

/// IEEE binary16 to binary32, exact; NaN payloads are kept.
inline float half_to_float(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t exponent = (half >> 10) & 0x1Fu, fraction = half & 0x3FFu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | (fraction << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;  // subnormal: fraction * 2^-24
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
}

inline float half_at(const std::byte* block, int offset) {
  return half_to_float(field<uint16_t>(block, offset));
}

}  // namespace baleen
