// Integer codes of the KV cache's numbers, of queries and of weights (docs/NUMERICS.md, "Attention"). Static, see
// CMakeLists.txt.
//   amax = max |x|;  a block with a NaN or an infinity: codes 0, scale NaN;  amax < 2^-100: codes 0, scale 0
//   code = round(x * (L / amax)), halves to even;  scale = amax / L.  L: 127, or kI16Largest for 16-bit codes
#pragma once

#include <cmath>
#include <limits>

#include "kernels/ref/floats.h"
#include "kernels/row_constants.h"
#include "kernels/row_kernels.h"

namespace baleen::ref {

/// Codes of `count` values to out; returns the scale.
template <class Code>
static inline float quantise_block(const float* x, int64_t count, float largest_code, Code* out) {
  float amax = 0;
  bool finite = true;
  for (int64_t i = 0; i < count; ++i) {
    const float magnitude = std::fabs(x[i]);
    finite = finite && magnitude <= std::numeric_limits<float>::max();
    amax = magnitude > amax ? magnitude : amax;
  }
  const bool coded = finite && amax >= kTinyBlock;
  const float factor = coded ? largest_code / amax : 0.0f;
  constexpr float kShifter =
      0x1.8p23f;  // adding and taking it away rounds to the nearest integer, ties to even
  for (int64_t i = 0; i < count; ++i)
    out[i] = coded ? static_cast<Code>((x[i] * factor + kShifter) - kShifter) : Code{0};
  if (!finite) return std::numeric_limits<float>::quiet_NaN();
  return coded ? amax / largest_code : 0.0f;
}

[[maybe_unused]] static inline int64_t block_size(int64_t dim, int64_t block) {
  const int64_t left = dim - block * kCodeBlock;
  return left < kCodeBlock ? left : kCodeBlock;
}

/// Codes of f16 numbers: code = round(x * factor), halves to even; scale = 1 / factor, a power of two. With E the
/// exponent of the largest, factor is 2^(27 - E): |code| < 2^13. An infinity or a NaN: codes 0, scale NaN.
struct HalfScale {
  float factor, scale;

  [[gnu::always_inline]] int16_t stored() const { return static_cast<int16_t>(to_bits(scale) >> 16); }
};
/// Of the numbers half(first) … half(end - 1).
template <class Half>
static inline HalfScale half_scale(const Half& half, int64_t first, int64_t end) {
  uint32_t largest = 0;
  for (int64_t i = first; i < end; ++i) {
    const uint32_t magnitude = half(i) & 0x7FFFu;
    largest = magnitude > largest ? magnitude : largest;
  }
  if (largest >= 0x7C00) return {0, std::numeric_limits<float>::quiet_NaN()};
  const uint32_t exponent = largest < 0x400 ? 1 : largest >> 10;
  return {from_bits((127 + 27 - exponent) << 23), from_bits((127 - 27 + exponent) << 23)};
}
/// As HalfScale::stored() left it.
[[maybe_unused]] static inline float stored_scale(int16_t stored) {
  return from_bits(static_cast<uint32_t>(static_cast<uint16_t>(stored)) << 16);
}
[[maybe_unused]] static inline int16_t half_code(uint16_t x, HalfScale to) {
  return to.factor == 0 ? int16_t{0} : static_cast<int16_t>(std::nearbyint(half_to_float(x) * to.factor));
}

/// A row's weights of a page's keys, p[key] * scale[key] or 0 where masked, as codes of one step.
template <class Code>
struct Weights {
  Code codes[kTileKeys];
  float step;
};

/// Numbers >= 0 compare like their bits, and a NaN of either sign above all of them.
template <class Code>
static inline Weights<Code> quantise_weights(const float* p, VisibleKeys visible, const float* scales,
                                             float largest_code) {
  float w[kTileKeys];
  uint32_t largest = 0;
  for (int key = 0; key < kTileKeys; ++key) {
    w[key] = (visible >> key & 1) != 0 ? p[key] * scales[key] : 0.0f;
    largest = to_bits(w[key]) > largest ? to_bits(w[key]) : largest;
  }
  Weights<Code> weights = {};
  if (largest >= to_bits(std::numeric_limits<float>::infinity())) {
    weights.step = std::numeric_limits<float>::quiet_NaN();
  } else if (from_bits(largest) >= kTinyBlock) {
    const float factor = largest_code / from_bits(largest);
    for (int key = 0; key < kTileKeys; ++key)
      weights.codes[key] = static_cast<Code>(std::nearbyint(w[key] * factor));
    weights.step = from_bits(largest) / largest_code;
  }
  return weights;
}

}  // namespace baleen::ref
