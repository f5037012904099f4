// How pairs of 16-bit numbers are multiplied and added to 32-bit sums, which is where ISAs differ. One says:
//   Products::add(a, b, sum)   sum += a . b
#pragma once

#include <immintrin.h>

namespace baleen::avx2 {

/// Here and in sum's register: GCC would make all products first, keep them on the stack, and move sums.
struct MultipliedThenAdded {
  [[gnu::always_inline]] static inline void add(__m256i a, __m256i b, __m256i& sum) {
    asm("vpaddd %1, %0, %0" : "+x"(sum) : "x"(_mm256_madd_epi16(a, b)));
  }
};

}  // namespace baleen::avx2
