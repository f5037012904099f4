// Instructions that stay in the order in which they are written, for kernels that count on it (2 % of K
// formats with eight tokens).
#pragma once

#include "kernels/avx512/vectors.h"

namespace baleen::avx512::in_order {

#ifdef __AVX512VNNI__
BALEEN_INLINE __m512i broadcast_int(const std::byte* from) {
  __m512i value;
  asm volatile("vpbroadcastd %1, %0" : "=v"(value) : "m"(four_bytes(from)));
  return value;
}

BALEEN_INLINE __m512i add_bytes(__m512i a, __m512i b) {
  __m512i sum;
  asm volatile("vpaddb %2, %1, %0" : "=v"(sum) : "v"(a), "v"(b));
  return sum;
}

/// words_of() of vectors.h in two steps: the second's low halves as upper words, then beside those of the first.
BALEEN_INLINE __m512i upper_words(__m512i second) {
  __m512i words;
  asm volatile("vpslld $16, %1, %0" : "=v"(words) : "v"(second));
  return words;
}
BALEEN_INLINE __m512i words_of(__m512i low, __m512i upper) {
  __m512i words;
  asm volatile("vpblendmw %2, %1, %0%{%3%}"
               : "=v"(words)
               : "v"(low), "v"(upper), "Yk"(__mmask32{0xAAAAAAAA}));
  return words;
}

BALEEN_INLINE __m512i shifted_words(__m512i words, __m512i by) {
  __m512i shifted;
  asm volatile("vpsllvw %2, %1, %0" : "=v"(shifted) : "v"(words), "v"(by));
  return shifted;
}

BALEEN_INLINE __m512i add_words(__m512i a, __m512i b) {
  __m512i sum;
  asm volatile("vpaddw %2, %1, %0" : "=v"(sum) : "v"(a), "v"(b));
  return sum;
}

/// sum += a . b, as words; b in a register, or the two words at `b`.
BALEEN_INLINE void add_dot_of_words(__m512i& sum, __m512i a, __m512i b) {
  asm volatile("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}
BALEEN_INLINE void add_dot_of_words(__m512i& sum, __m512i a, const std::byte* b) {
  asm volatile("vpdpwssd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(a), "m"(four_bytes(b)));
}

/// a + the four bytes at `b`, none of whose sums exceeds a byte.
BALEEN_INLINE __m512i add_four_bytes(__m512i a, const std::byte* b) {
  __m512i sum;
  asm volatile("vpaddd %2%{1to16%}, %1, %0" : "=v"(sum) : "v"(a), "m"(four_bytes(b)));
  return sum;
}

/// sum += a . b, as unsigned by signed bytes; b in a register, or the four bytes at `b`.
BALEEN_INLINE void add_dot_of_bytes(__m512i& sum, __m512i a, __m512i b) {
  asm volatile("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}
BALEEN_INLINE void add_dot_of_bytes(__m512i& sum, __m512i a, const std::byte* b) {
  asm volatile("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(a), "m"(four_bytes(b)));
}
#else
using avx512::add_dot_of_bytes;
using avx512::broadcast_int;
BALEEN_INLINE __m512i add_bytes(__m512i a, __m512i b) { return _mm512_add_epi8(a, b); }
BALEEN_INLINE __m512i add_four_bytes(__m512i a, const std::byte* b) {
  return _mm512_add_epi32(a, broadcast_int(b));
}
BALEEN_INLINE __m512i upper_words(__m512i second) { return _mm512_slli_epi32(second, 16); }
BALEEN_INLINE __m512i words_of(__m512i low, __m512i upper) {
  return _mm512_mask_blend_epi16(0xAAAAAAAAu, low, upper);
}
BALEEN_INLINE __m512i shifted_words(__m512i words, __m512i by) { return _mm512_sllv_epi16(words, by); }
BALEEN_INLINE __m512i add_words(__m512i a, __m512i b) { return _mm512_add_epi16(a, b); }
using avx512::add_dot_of_words;
BALEEN_INLINE void add_dot_of_words(__m512i& sum, __m512i a, __m512i b) {
  sum = _mm512_dpwssd_epi32(sum, a, b);
}
#endif

}  // namespace baleen::avx512::in_order
