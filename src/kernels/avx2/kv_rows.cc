// Keys and values into the pages of the KV cache (rules: kernels/ref/kv_rows.cc).
#include "kernels/avx2/rows.h"

namespace baleen::avx2 {

void store_keys_f16(const HeadRows& rows, uint16_t* keys) {
  for (int32_t r = 0; r < rows.count; ++r) {
    const float* from = rows.data + r * rows.stride;
    uint16_t* to = keys + rows.slot + r;
    for (int32_t d = 0; d < rows.dim; d += 8) {
      alignas(16) uint16_t halves[8];
      const __m256 x = _mm256_maskload_ps(from + d, lanes_left(rows.dim - d));
      _mm_store_si128(reinterpret_cast<__m128i*>(halves), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
      for (int32_t i = 0; i < 8 && d + i < rows.dim; ++i) to[(d + i) * kTileKeys] = halves[i];
    }
  }
}

void store_values_f16(const HeadRows& rows, uint16_t* values) {
  for (int32_t r = 0; r < rows.count; ++r) {
    const float* from = rows.data + r * rows.stride;
    uint16_t* to = values + int64_t{rows.slot + r} * rows.dim;
    int32_t d = 0;
    for (; d + 8 <= rows.dim; d += 8)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + d),
                       _mm256_cvtps_ph(_mm256_loadu_ps(from + d), _MM_FROUND_TO_NEAREST_INT));
    for (; d < rows.dim; ++d) to[d] = _cvtss_sh(from[d], _MM_FROUND_TO_NEAREST_INT);
  }
}

}  // namespace baleen::avx2
