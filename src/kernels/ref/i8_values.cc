// Attention's second product over an i8 page: its sum over keys is an exact integer (docs/NUMERICS.md, "Attention").
//   w[key] = p[key] * scale[key, block]; u[key] = w[key] in 255ths of the largest, halves to even
//   o[d] = fma(largest / 255, float(sum of u[key] * code[key, d]), o[d] * c)
#include <cmath>
#include <limits>

#include "kernels/ref/floats.h"
#include "kernels/ref/row_kernels.h"
#include "kernels/row_constants.h"

namespace baleen::ref {
namespace {

/// A row's weights of one block, as bytes of one step.
struct Weights {
  uint8_t codes[kTileKeys];
  float step;
};

/// Numbers >= 0 compare like their bits, and a NaN of either sign above all of them.
Weights quantise_weights(const float* p, VisibleKeys visible, const float* scales) {
  float w[kTileKeys];
  uint32_t largest = 0;
  for (int key = 0; key < kTileKeys; ++key) {
    w[key] = (visible >> key & 1) != 0 ? p[key] * scales[key] : 0.0f;
    largest = to_bits(w[key]) > largest ? to_bits(w[key]) : largest;
  }
  Weights weights = {};
  if (largest >= to_bits(std::numeric_limits<float>::infinity())) {
    weights.step = std::numeric_limits<float>::quiet_NaN();
  } else if (from_bits(largest) >= kI8Tiny) {
    const float factor = 255.0f / from_bits(largest);
    for (int key = 0; key < kTileKeys; ++key)
      weights.codes[key] = static_cast<uint8_t>(std::nearbyint(w[key] * factor));
    weights.step = from_bits(largest) / 255.0f;
  }
  return weights;
}

}  // namespace

/// A row that sees no key of the page stays as it is. The sum is at most 32 * 255 * 127 < 2^24.
void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out) {
  for (int64_t r = 0; r < rows.count; ++r) {
    if (rows.visible[r] == 0) continue;
    for (int64_t first = 0; first < values.dim; first += kI8Block) {
      const Weights weights = quantise_weights(rows.scores + r * kTileKeys, rows.visible[r],
                                               values.scales + first / kI8Block * kTileKeys);
      for (int64_t d = first; d < values.dim && d < first + kI8Block; ++d) {
        int32_t sum = 0;
        for (int64_t key = 0; key < kTileKeys; ++key)
          sum += weights.codes[key] * values.codes[(key / 4 * values.stride + d) * 4 + key % 4];
        float& o = out[r * values.dim + d];
        o = fma(weights.step, static_cast<float>(sum), o * rows.correction[r]);
      }
    }
  }
}

}  // namespace baleen::ref
