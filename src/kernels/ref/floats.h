// Scalar float operations of the reference, each one IEEE operation. Static, see CMakeLists.txt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace baleen::ref {

[[maybe_unused]] static inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

[[maybe_unused]] static inline float from_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

[[maybe_unused]] static inline uint32_t to_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// IEEE binary16 to binary32, exact.
[[maybe_unused]] static inline float half_to_float(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 31u, fraction = half & 1023u;
  if (exponent == 31) return from_bits(sign | 0x7F800000u | (fraction << 13));
  if (exponent != 0) return from_bits(sign | ((exponent + 112) << 23) | (fraction << 13));
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return from_bits(sign | to_bits(magnitude));
}

template <class T>
static inline T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
static inline void store(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace baleen::ref
