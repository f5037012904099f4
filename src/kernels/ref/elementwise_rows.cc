// Norms, rope and activations: element by element, except for the row sum of rms_norm.
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/ref/row_kernels.h"
#include "kernels/row_constants.h"

namespace baleen::ref {

float exp(float x) {
  if (x != x) return x;
  if (x < kExpLow) return 0;
  if (x > kExpHigh) return std::numeric_limits<float>::infinity();
  constexpr float kShift =
      0x1.8p23f;  // adding and taking it away rounds to the nearest integer, ties to even
  const float n = (x * kExpLog2E + kShift) - kShift;
  float r = std::fma(n, -kExpLn2High, x);
  r = std::fma(n, -kExpLn2Low, r);
  float p = kExpC6;
  p = std::fma(p, r, kExpC5);
  p = std::fma(p, r, kExpC4);
  p = std::fma(p, r, kExpC3);
  p = std::fma(p, r, kExpC2);
  p = std::fma(p, r, 1.0f);
  p = std::fma(p, r, 1.0f);
  return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

float tree_sum(float* lanes, int n) {
  for (int half = n / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lanes[i] = lanes[i] + lanes[i + half];
  return lanes[0];
}

float tree_max(float* lanes, int n) {
  for (int half = n / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
  return lanes[0];
}

/// Row sums: element i goes to virtual lane i mod 16 by one fma, in order; then the fixed tree.
void rms_norm(const float* x, const float* weight, int64_t width, float eps, float* out) {
  float lanes[16] = {};
  for (int64_t i = 0; i < width; ++i) lanes[i % 16] = std::fma(x[i], x[i], lanes[i % 16]);
  const float mean = tree_sum(lanes, 16) / static_cast<float>(width);
  const float factor = 1.0f / std::sqrt(mean + eps);
  for (int64_t i = 0; i < width; ++i) out[i] = (x[i] * factor) * weight[i];
}

void rotate_neighbours(float* x, const float* cos, const float* sin, int64_t pairs) {
  for (int64_t i = 0; i < pairs; ++i) {
    const float a = x[2 * i], b = x[2 * i + 1];
    x[2 * i] = std::fma(-b, sin[i], a * cos[i]);
    x[2 * i + 1] = std::fma(a, sin[i], b * cos[i]);
  }
}

void rotate_halves(float* x, const float* cos, const float* sin, int64_t pairs) {
  for (int64_t i = 0; i < pairs; ++i) {
    const float a = x[i], b = x[i + pairs];
    x[i] = std::fma(-b, sin[i], a * cos[i]);
    x[i + pairs] = std::fma(a, sin[i], b * cos[i]);
  }
}

/// silu(g) = g / (1 + e^-g).
void silu_mul(const GatedRows& rows) {
  for (int64_t r = 0; r < rows.count; ++r) {
    float* gate = rows.gate + r * rows.gate_stride;
    const float* up = rows.up + r * rows.up_stride;
    for (int64_t i = 0; i < rows.width; ++i) gate[i] = (gate[i] / (1.0f + exp(-gate[i]))) * up[i];
  }
}

void add(const float* x, int64_t width, float* out) {
  for (int64_t i = 0; i < width; ++i) out[i] = out[i] + x[i];
}

void scale(const float* x, float factor, int64_t width, float* out) {
  for (int64_t i = 0; i < width; ++i) out[i] = x[i] * factor;
}

}  // namespace baleen::ref
