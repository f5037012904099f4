// pair_start() of activation_layout.h for eight tokens. Static: files with different ISA flags include this.
#pragma once

#include <immintrin.h>

#include "kernels/block_scale.h"

namespace baleen {

BALEEN_INLINE __m256i pair_starts(__m256i first_taken, __m256i second_taken) {
  const __m256i half = _mm256_set1_epi32(1 << 15);
  const __m256i first = _mm256_sub_epi32(half, first_taken), second = _mm256_sub_epi32(half, second_taken);
  return _mm256_add_epi32(_mm256_slli_epi32(first, 16),
                          _mm256_add_epi32(_mm256_srai_epi32(first, 16), second));
}

}  // namespace baleen
