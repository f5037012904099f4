// Small pieces of AVX-512 that the kernels share. Static and always inlined, see CMakeLists.txt.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/matmul_kernels.h"

// Loops over the tokens of a tile are unrolled completely, so that their accumulators are registers.
#define BALEEN_EACH_TOKEN _Pragma("GCC unroll 8")

namespace baleen::avx512 {

#define BALEEN_INLINE [[gnu::always_inline, maybe_unused]] static inline

BALEEN_INLINE __m512i load(const std::byte* from) { return _mm512_loadu_si512(from); }

BALEEN_INLINE __m512i broadcast_int(const std::byte* from) {
  int32_t value;
  std::memcpy(&value, from, sizeof value);
  return _mm512_set1_epi32(value);
}

BALEEN_INLINE __m512 broadcast_float(const std::byte* from) {
  float value;
  std::memcpy(&value, from, sizeof value);
  return _mm512_set1_ps(value);
}

/// 16 half floats.
BALEEN_INLINE __m512 load_halves(const std::byte* from) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

/// The rows of a panel that exist.
BALEEN_INLINE __mmask16 row_mask(int rows) { return static_cast<__mmask16>((1u << rows) - 1); }

/// One token's products with the rows of a panel.
BALEEN_INLINE void put(const MatmulTile& tile, int token, __m512 product) {
  float* out = tile.out + token * tile.out_stride;
  const __mmask16 rows = row_mask(tile.rows);
  if (tile.add) product = _mm512_add_ps(_mm512_maskz_loadu_ps(rows, out), product);
  _mm512_mask_storeu_ps(out, rows, product);
}

/// Prefetches a tile's `ahead` bit by bit, in so many steps, into the second-level cache.
struct Ahead {
  const char* next;
  int64_t lines;  ///< of a step

  BALEEN_INLINE Ahead of(const MatmulTile& tile, int64_t steps) {
    return {reinterpret_cast<const char*>(tile.ahead), (tile.ahead_bytes + 64 * steps - 1) / (64 * steps)};
  }
  [[gnu::always_inline]] void step() {
    for (int64_t line = 0; line < lines; ++line, next += 64) _mm_prefetch(next, _MM_HINT_T1);
  }
};

/// The same to the line, where whole lines a step are too many (Q6_K takes 3.5 of them, Q8_0 8.5).
struct AheadToTheLine {
  const char *next, *to;
  int64_t bytes;  ///< of a step

  BALEEN_INLINE AheadToTheLine of(const MatmulTile& tile, int64_t steps) {
    const auto* from = reinterpret_cast<const char*>(tile.ahead);
    return {from, from, tile.ahead_bytes / steps};
  }
  [[gnu::always_inline]] void step() {
    for (to += bytes; next < to; next += 64) _mm_prefetch(next, _MM_HINT_T1);
  }
};

/// With so many tokens multiplications bound a kernel, not unpacking or memory.
constexpr int kManyTokens = 4;

/// 4-bit codes of a pair of k-groups.
struct Pair {
  __m512i low, high;
};
BALEEN_INLINE Pair nibbles(const std::byte* codes) {
  const __m512i mask = _mm512_set1_epi8(15);
  __m512i pair = load(codes);
#ifdef __AVX512VNNI__
  asm("" : "+v"(pair));  // else the compiler loads it twice, and loads are what bounds some cores
#endif
  return {_mm512_and_si512(pair, mask), _mm512_and_si512(_mm512_srli_epi16(pair, 4), mask)};
}

/// (bits & mask) | code, for N tokens. One instruction takes three operands, and reads the third through what the
/// multipliers need for their sums: where these are what counts, two instructions cost less.
template <int N>
BALEEN_INLINE __m512i add_bits(__m512i code, __m512i bits, __m512i mask) {
  if constexpr (N < kManyTokens) return _mm512_ternarylogic_epi32(bits, mask, code, 0xEA);
  return _mm512_add_epi8(code, _mm512_and_si512(bits, mask));  // an "or" would be made one with the "and"
}

/// Words of two: the low halves of `first` and `second`.
BALEEN_INLINE __m512i words_of(__m512i first, __m512i second) {
  return _mm512_mask_blend_epi16(0xAAAAAAAAu, first, _mm512_slli_epi32(second, 16));
}

// GCC does not fold broadcasts into the instructions below, which are therefore written out: apart they take twice as
// much room in the core's queues, and a register. (Without VNNI they are emulated: tests/kernels/emulated.)
#ifdef __AVX512VNNI__
BALEEN_INLINE const std::byte (&four_bytes(const std::byte* from))[4] {
  return *reinterpret_cast<const std::byte(*)[4]>(from);
}

/// sum += code . the four bytes at `a`, as unsigned by signed bytes.
BALEEN_INLINE void add_dot_of_bytes(__m512i& sum, __m512i code, const std::byte* a) {
  asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(code), "m"(four_bytes(a)));
}

/// The same of bytes in a register, here and not where the compiler would put it.
BALEEN_INLINE void add_dot_of_bytes(__m512i& sum, __m512i code, __m512i a) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(code), "v"(a));
}

/// Double word kWord of each 128 bits in all of them.
template <int kWord>
BALEEN_INLINE __m512i spread(__m512i four) {
  return _mm512_shuffle_epi32(four, static_cast<_MM_PERM_ENUM>(kWord * 0b01010101));
}

/// sum += words . the two words at `a`.
BALEEN_INLINE void add_dot_of_words(__m512i& sum, __m512i words, const std::byte* a) {
  asm("vpdpwssd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(words), "m"(four_bytes(a)));
}

/// values << the number at `shift`.
BALEEN_INLINE __m512i shifted_left(__m512i values, const std::byte* shift) {
  __m512i shifted;
  asm("vpsllvd %2%{1to16%}, %1, %0" : "=v"(shifted) : "v"(values), "m"(four_bytes(shift)));
  return shifted;
}
#else
BALEEN_INLINE void add_dot_of_bytes(__m512i& sum, __m512i code, const std::byte* a) {
  sum = _mm512_dpbusd_epi32(sum, code, broadcast_int(a));
}
BALEEN_INLINE void add_dot_of_bytes(__m512i& sum, __m512i code, __m512i a) {
  sum = _mm512_dpbusd_epi32(sum, code, a);
}

template <int kWord>
BALEEN_INLINE __m512i spread(__m512i four) {
  const __m512 x = _mm512_castsi512_ps(four);
  return _mm512_castps_si512(_mm512_shuffle_ps(x, x, kWord * 0b01010101));
}

BALEEN_INLINE void add_dot_of_words(__m512i& sum, __m512i words, const std::byte* a) {
  sum = _mm512_dpwssd_epi32(sum, words, broadcast_int(a));
}

BALEEN_INLINE __m512i shifted_left(__m512i values, const std::byte* shift) {
  return _mm512_sllv_epi32(values, broadcast_int(shift));
}
#endif

/// dot[t] += code . a[t], one k-group: x is [N][4].
template <int N>
BALEEN_INLINE void dot_group(__m512i code, const std::byte* x, __m512i (&dot)[N]) {
  BALEEN_EACH_TOKEN
  for (int t = 0; t < N; ++t) add_dot_of_bytes(dot[t], code, x + t * 4);
}

/// The same for eight tokens, where loads are what bounds a core: two of them bring what shuffles spread.
BALEEN_INLINE void dot_group_by_shuffles(__m512i code, const std::byte* x, __m512i (&dot)[8]) {
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    const auto* from = reinterpret_cast<const __m128i*>(x) + i;
    const __m512i four = _mm512_broadcast_i32x4(_mm_loadu_si128(from));
    add_dot_of_bytes(dot[4 * i], code, spread<0>(four));
    add_dot_of_bytes(dot[4 * i + 1], code, spread<1>(four));
    add_dot_of_bytes(dot[4 * i + 2], code, spread<2>(four));
    add_dot_of_bytes(dot[4 * i + 3], code, spread<3>(four));
  }
}

/// Calls the kernel of so many tokens: Kernel<T>::run(tile).
template <template <int> class Kernel>
BALEEN_INLINE void for_tokens(const MatmulTile& tile) {
  switch (tile.tokens) {
    case 1:
      return Kernel<1>::run(tile);
    case 2:
      return Kernel<2>::run(tile);
    case 3:
      return Kernel<3>::run(tile);
    case 4:
      return Kernel<4>::run(tile);
    case 5:
      return Kernel<5>::run(tile);
    case 6:
      return Kernel<6>::run(tile);
    case 7:
      return Kernel<7>::run(tile);
    default:
      return Kernel<8>::run(tile);
  }
}

}  // namespace baleen::avx512
