// AVX-VNNI's intrinsics for a compiler target without them: included before everything else in the second build of
// kernels/avxvnni, so that machines without AVX-VNNI compare its bits too.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace baleen::emulated_vnni {

/// sum + a . b of the parts of each 32 bits.
template <class A, class B>
[[maybe_unused]] static inline __m256i add_dots(__m256i sum, __m256i a, __m256i b) {
  constexpr size_t kParts = 4 / sizeof(A);
  A left[8 * kParts];
  B right[8 * kParts];
  uint32_t dots[8];
  std::memcpy(left, &a, sizeof left);
  std::memcpy(right, &b, sizeof right);
  std::memcpy(dots, &sum, sizeof dots);
  for (size_t i = 0; i < 8 * kParts; ++i)
    dots[i / kParts] += static_cast<uint32_t>(int32_t{left[i]} * int32_t{right[i]});
  std::memcpy(&sum, dots, sizeof sum);
  return sum;
}

}  // namespace baleen::emulated_vnni

#define _mm256_dpbusd_avx_epi32 baleen::emulated_vnni::add_dots<uint8_t, int8_t>
#define _mm256_dpwssd_avx_epi32 baleen::emulated_vnni::add_dots<int16_t, int16_t>
