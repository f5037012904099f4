// Small pieces of AVX-VNNI, 256-bit vpdpbusd without AVX-512, beside those of AVX2. Static and always inlined, see
// CMakeLists.txt. One vpdpbusd takes a k-group of 8 rows times four activations, and sums are double words at once.
#pragma once

#include "kernels/avx2/vectors.h"

namespace baleen::avxvnni {

using namespace avx2;

/// sum += code . a, as unsigned by signed bytes. Left alone, GCC moves sums about. (Without AVX-VNNI it is emulated:
/// tests/kernels/emulated.)
BALEEN_INLINE void add_dot_of_bytes(__m256i& sum, __m256i code, __m256i a) {
#ifdef __AVXVNNI__
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(code), "x"(a));
#else
  sum = _mm256_dpbusd_avx_epi32(sum, code, a);
#endif
}

/// Products of words (avx2/word_products.h).
struct AddedAtOnce {
  BALEEN_INLINE void add(__m256i a, __m256i b, __m256i& sum) {
#ifdef __AVXVNNI__
    asm("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
#else
    sum = _mm256_dpwssd_avx_epi32(sum, a, b);
#endif
  }
};

/// sums += code (unsigned) times the activations of a k-group.
template <int N>
BALEEN_INLINE void add_group(const __m256i (&code)[halves_at_once(N)], const std::byte* x, IntSums<N>& sums) {
  BALEEN_UNROLL
  for (int t = 0; t < N; ++t) {
    const __m256i a = broadcast_int(x + t * 4);
    BALEEN_UNROLL
    for (int half = 0; half < sums.kHalves; ++half) add_dot_of_bytes(sums.of[half][t], code[half], a);
  }
}

/// sums += 32 k of 4-bit codes.
template <int N>
BALEEN_INLINE void add_slab_4(const std::byte* codes, const std::byte* x, int64_t group_bytes,
                              IntSums<N>& sums) {
  BALEEN_UNROLL
  for (int v = 0; v < 4; ++v, x += 2 * group_bytes) {
    const auto code = nibbles<halves_at_once(N)>(codes + v * 64);
    add_group<N>(code.low, x, sums);
    add_group<N>(code.high, x + group_bytes, sums);
  }
}

/// sums += k-groups 2v and 2v + 1 of 5-bit codes.
template <int N, int v>
BALEEN_INLINE void add_pair_5(const std::byte* codes, const std::byte* bits, const std::byte* x,
                              int64_t group_bytes, IntSums<N>& sums) {
  auto code = nibbles<halves_at_once(N)>(codes + v * 64);
  add_bits<4 - 2 * v>(bits, 16, code.low);
  add_bits<3 - 2 * v>(bits, 16, code.high);
  add_group<N>(code.low, x + 2 * v * group_bytes, sums);
  add_group<N>(code.high, x + (2 * v + 1) * group_bytes, sums);
}

/// sums += 32 k of 5-bit codes.
template <int N>
BALEEN_INLINE void add_slab_5(const std::byte* codes, const std::byte* x, int64_t group_bytes,
                              IntSums<N>& sums) {
  const std::byte* const bits = codes + kNibbleSlabBytes;
  add_pair_5<N, 0>(codes, bits, x, group_bytes, sums);
  add_pair_5<N, 1>(codes, bits, x, group_bytes, sums);
  add_pair_5<N, 2>(codes, bits, x, group_bytes, sums);
  add_pair_5<N, 3>(codes, bits, x, group_bytes, sums);
}

/// sums += 32 k of codes of 4 or 5 bits.
template <int kBits, int N>
BALEEN_INLINE void add_slab(const std::byte* codes, const std::byte* x, int64_t group_bytes,
                            IntSums<N>& sums) {
  if constexpr (kBits == 4)
    add_slab_4<N>(codes, x, group_bytes, sums);
  else
    add_slab_5<N>(codes, x, group_bytes, sums);
}

}  // namespace baleen::avxvnni
