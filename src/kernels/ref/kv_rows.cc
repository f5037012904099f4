// New keys and values into the pages of the KV cache. f16 rounds to nearest, ties to
// even.
#include <immintrin.h>

#include <algorithm>

#include "kernels/ref/row_kernels.h"

namespace baleen::ref {
namespace {

uint16_t to_f16(float x) { return _cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT); }

}  // namespace

void store_keys_f32(const HeadRows& rows, float* keys) {
  for (int32_t r = 0; r < rows.count; ++r)
    for (int32_t d = 0; d < rows.dim; ++d)
      keys[d * kTileKeys + rows.slot + r] = rows.data[r * rows.stride + d];
}

void store_keys_f16(const HeadRows& rows, uint16_t* keys) {
  for (int32_t r = 0; r < rows.count; ++r)
    for (int32_t d = 0; d < rows.dim; ++d)
      keys[d * kTileKeys + rows.slot + r] = to_f16(rows.data[r * rows.stride + d]);
}

void store_values_f32(const HeadRows& rows, float* values) {
  for (int32_t r = 0; r < rows.count; ++r)
    std::copy_n(rows.data + r * rows.stride, rows.dim, values + (rows.slot + r) * rows.dim);
}

void store_values_f16(const HeadRows& rows, uint16_t* values) {
  for (int32_t r = 0; r < rows.count; ++r)
    for (int32_t d = 0; d < rows.dim; ++d)
      values[(rows.slot + r) * rows.dim + d] = to_f16(rows.data[r * rows.stride + d]);
}

}  // namespace baleen::ref
