// Attention's second product over an f16 page (rules: kernels/ref/f16_rows.cc), whose values lie there as codes. A
// row's weights become 16-bit codes once.
#include "kernels/avx2/f16_codes.h"
#include "kernels/avx2/word_values.h"

namespace baleen::avx2 {

void weighted_sum_f16(const TileRows& rows, const int16_t* values, int64_t dim, float* out) {
  correct_sums(rows, dim, out);
  alignas(32) float scales[kTileKeys];
  for (int64_t key = 0; key < kTileKeys; key += 8)
    _mm256_store_ps(scales + key, stored_scales(values + kTileKeys * dim + key));
  for_each_batch(rows, [&](const TileRows& part, int64_t first) {
    Weights weights[kBatchRows];
    for (int64_t r = 0; r < part.count; ++r)
      quantise_weights(part.scores + r * kTileKeys, part.visible[r], scales, kI16Largest, weights[r],
                       [](__m256i codes) { return codes; });
    for (int64_t d = 0; d < dim; d += kCodeBlock) {
      const int64_t width = dim - d < kCodeBlock ? dim - d : kCodeBlock;
      sum_rows(part, {weights, values + d * kTileKeys, width, out + first * dim + d, dim}, width);
    }
  });
}

}  // namespace baleen::avx2
