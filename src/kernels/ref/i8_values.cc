// Attention's second product over an i8 page: its sum over keys is an exact integer (docs/NUMERICS.md, "Attention").
//   w[key] = p[key] * scale[key, block]; u[key] = w[key] in 255ths of the largest, halves to even
//   o[d] = fma(largest / 255, float(sum of u[key] * code[key, d]), o[d] * c)
#include "kernels/ref/codes.h"
#include "kernels/ref/row_kernels.h"

namespace baleen::ref {
/// A row that sees no key of the page stays as it is. The sum is at most 32 * 255 * 127 < 2^24.
void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out) {
  for (int64_t r = 0; r < rows.count; ++r) {
    if (rows.visible[r] == 0) continue;
    for (int64_t first = 0; first < values.dim; first += kCodeBlock) {
      const auto weights = quantise_weights<uint8_t>(rows.scores + r * kTileKeys, rows.visible[r],
                                                     values.scales + first / kCodeBlock * kTileKeys, 255);
      for (int64_t d = first; d < values.dim && d < first + kCodeBlock; ++d) {
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
