// Keys and values into the pages of the KV cache (rules: kernels/ref/kv_rows.cc).
#include "kernels/avx512/rows.h"

namespace baleen::avx512 {

void store_keys_f16(const HeadRows& rows, uint16_t* keys) {
  for (int32_t r = 0; r < rows.count; ++r) {
    const float* from = rows.data + r * rows.stride;
    uint16_t* to = keys + rows.slot + r;
    for (int32_t d = 0; d < rows.dim; d += 16) {
      alignas(32) uint16_t halves[16];
      const __mmask16 mask = lanes_left(rows.dim - d);
      _mm256_store_si256(reinterpret_cast<__m256i*>(halves),
                         _mm512_cvtps_ph(_mm512_maskz_loadu_ps(mask, from + d), _MM_FROUND_TO_NEAREST_INT));
      for (int32_t i = 0; i < 16 && d + i < rows.dim; ++i) to[(d + i) * kTileKeys] = halves[i];
    }
  }
}

void store_values_f16(const HeadRows& rows, uint16_t* values) {
  for (int32_t r = 0; r < rows.count; ++r) {
    const float* from = rows.data + r * rows.stride;
    uint16_t* to = values + int64_t{rows.slot + r} * rows.dim;
    for (int32_t d = 0; d < rows.dim; d += 16) {
      const __mmask16 mask = lanes_left(rows.dim - d);
      const __m256i half = _mm512_cvtps_ph(_mm512_maskz_loadu_ps(mask, from + d), _MM_FROUND_TO_NEAREST_INT);
      _mm256_mask_storeu_epi16(to + d, mask, half);
    }
  }
}

}  // namespace baleen::avx512
