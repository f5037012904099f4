// A page of latents as keys: what is stored once, [32][dim], is read both ways. Of f16: kv_rows.cc.
#include <algorithm>

#include "kernels/ref/row_kernels.h"

namespace baleen::ref {

void transpose_f32(const float* rows, int64_t columns, float* out) {
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t r = 0; r < kTileKeys; ++r) out[c * kTileKeys + r] = rows[r * columns + c];
}

void keys_of_values_i8(const int8_t* values, int64_t dim, int8_t* keys) {
  for (int64_t d = 0; d < dim; ++d)
    for (int64_t slot = 0; slot < kTileKeys; ++slot)
      keys[(d / 4 * kTileKeys + slot) * 4 + d % 4] = values[(slot / 4 * dim + d) * 4 + slot % 4];
  const int64_t codes = kTileKeys * dim;
  std::copy_n(values + codes, i8_values_bytes(dim) - codes, keys + codes);  // the scales
}

}  // namespace baleen::ref
