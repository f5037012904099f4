// Small pieces of AVX2 that the kernels share. Static and always inlined, see CMakeLists.txt.
// A panel's 16 rows are two vectors: "halves" of rows 0..7 and 8..15.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/matmul_kernels.h"

// Loops over a few tokens and both halves are unrolled completely, so that their accumulators are registers.
#define BALEEN_UNROLL _Pragma("GCC unroll 8")
#define BALEEN_INLINE [[gnu::always_inline, maybe_unused]] static inline

namespace baleen::avx2 {

constexpr int kMaxTokens = 4;  // of a pass: 2 halves * 4 tokens of 16-bit sums are half of the registers

BALEEN_INLINE __m256i load(const std::byte* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

BALEEN_INLINE __m256i broadcast_int(const std::byte* from) {
  int32_t value;
  std::memcpy(&value, from, sizeof value);
  return _mm256_set1_epi32(value);
}

BALEEN_INLINE __m256 broadcast_float(const std::byte* from) {
  float value;
  std::memcpy(&value, from, sizeof value);
  return _mm256_set1_ps(value);
}

BALEEN_INLINE __m128i load_half_vector(const std::byte* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

/// 8 half floats.
BALEEN_INLINE __m256 load_halves(const std::byte* from) { return _mm256_cvtph_ps(load_half_vector(from)); }

/// Prefetches a tile's `ahead` bit by bit, in so many steps.
struct Ahead {
  const char* next;
  int64_t lines;  ///< of a step

  [[gnu::always_inline]] void step() {
    for (int64_t line = 0; line < lines; ++line, next += 64) _mm_prefetch(next, _MM_HINT_T0);
  }
};
BALEEN_INLINE Ahead ahead_of(const std::byte* from, int64_t bytes, int64_t steps) {
  return {reinterpret_cast<const char*>(from), (bytes + 64 * steps - 1) / (64 * steps)};
}

/// Some tokens of a tile: x points at the first one's part of the tile, `stride` bytes are all tokens' of a k-group.
struct Pass {
  const std::byte *panel, *x;
  int64_t cols;
  int64_t tokens;  ///< of the tile, not of the pass
  const std::byte* ahead;
  int64_t ahead_bytes;
};

/// Both halves of N tokens.
template <int N>
struct Sums {
  __m256 of[2][N];
  BALEEN_INLINE Sums zero() {
    Sums sums;
    BALEEN_UNROLL
    for (int t = 0; t < N; ++t) sums.of[0][t] = sums.of[1][t] = _mm256_setzero_ps();
    return sums;
  }
};

template <int N>
struct IntSums {
  __m256i of[2][N];
};

/// The products of tokens first .. first + N - 1 of the tile.
template <int N>
BALEEN_INLINE void put(const MatmulTile& tile, int first, const Sums<N>& sums) {
  alignas(32) float product[kPanelRows];
  for (int t = 0; t < N; ++t) {
    _mm256_store_ps(product, sums.of[0][t]);
    _mm256_store_ps(product + 8, sums.of[1][t]);
    float* out = tile.out + (first + t) * tile.out_stride;
    for (int r = 0; r < tile.rows; ++r) out[r] = tile.add ? out[r] + product[r] : product[r];
  }
}

/// Runs Kernel<N>::run(pass) for all tokens of the tile, up to four at a time.
template <template <int> class Kernel, int N>
BALEEN_INLINE void run_pass(const MatmulTile& tile, int first) {
  const int64_t ahead_bytes = first == 0 ? tile.ahead_bytes : 0;
  put<N>(tile, first,
         Kernel<N>::run({tile.panel, tile.x + first * 4, tile.cols, tile.tokens, tile.ahead, ahead_bytes}));
}

template <template <int> class Kernel>
BALEEN_INLINE void for_tokens(const MatmulTile& tile) {
  for (int first = 0; first < tile.tokens; first += kMaxTokens) {
    switch (tile.tokens - first) {
      case 1:
        run_pass<Kernel, 1>(tile, first);
        break;
      case 2:
        run_pass<Kernel, 2>(tile, first);
        break;
      case 3:
        run_pass<Kernel, 3>(tile, first);
        break;
      default:
        run_pass<Kernel, 4>(tile, first);
        break;
    }
  }
}

/// Makes the compiler compute a sum here, in a register: left alone, GCC puts additions off until the end of a
/// block and spills the products.
BALEEN_INLINE void settle(__m256i& sum) { asm volatile("" : "+x"(sum)); }

/// 16-bit sums of a k-group: two words a row, code (unsigned) times activation, added to those of earlier groups.
template <int N>
BALEEN_INLINE void dot_group(const __m256i (&code)[2], const std::byte* x, bool first_group,
                             IntSums<N>& words) {
  BALEEN_UNROLL
  for (int t = 0; t < N; ++t) {
    const __m256i a = broadcast_int(x + t * 4);
    BALEEN_UNROLL
    for (int half = 0; half < 2; ++half) {
      const __m256i product = _mm256_maddubs_epi16(code[half], a);
      words.of[half][t] = first_group ? product : _mm256_add_epi16(words.of[half][t], product);
      settle(words.of[half][t]);
    }
  }
}

/// 4-bit codes of a pair of k-groups, [half].
struct Pair {
  __m256i low[2], high[2];
};
BALEEN_INLINE Pair nibbles(const std::byte* codes) {
  const __m256i mask = _mm256_set1_epi8(15);
  Pair pair;
  BALEEN_UNROLL
  for (int half = 0; half < 2; ++half) {
    const __m256i both = load(codes + half * 32);
    pair.low[half] = _mm256_and_si256(both, mask);
    pair.high[half] = _mm256_and_si256(_mm256_srli_epi16(both, 4), mask);
  }
  return pair;
}

/// Shifts words left, right where `left` is negative.
template <int left>
BALEEN_INLINE __m256i shifted(__m256i words) {
  if constexpr (left >= 0) return _mm256_slli_epi16(words, left);
  return _mm256_srli_epi16(words, left < 0 ? -left : 0);
}

/// The 4-bit codes of one half of a pair of k-groups.
BALEEN_INLINE __m256i low_nibbles(__m256i pair) { return _mm256_and_si256(pair, _mm256_set1_epi8(15)); }
BALEEN_INLINE __m256i high_nibbles(__m256i pair) {
  return _mm256_and_si256(_mm256_srli_epi16(pair, 4), _mm256_set1_epi8(15));
}

/// code | ((bits shifted by `left`) & mask)
template <int left>
BALEEN_INLINE __m256i with_bits(__m256i code, __m256i bits, __m256i mask) {
  return _mm256_or_si256(code, _mm256_and_si256(shifted<left>(bits), mask));
}

/// code |= (bits shifted by `left`) & mask
template <int left>
BALEEN_INLINE void add_bits(const std::byte* bits, int mask, __m256i (&code)[2]) {
  BALEEN_UNROLL
  for (int half = 0; half < 2; ++half)
    code[half] =
        with_bits<left>(code[half], load(bits + half * 32), _mm256_set1_epi8(static_cast<char>(mask)));
}

/// 16-bit sums of 32 k of 4-bit codes: at most 8 * 2 * 15 * 127 = 30,480.
template <int N>
BALEEN_INLINE void dot_slab_4(const std::byte* codes, const std::byte* x, int64_t group_bytes,
                              IntSums<N>& words) {
  BALEEN_UNROLL
  for (int v = 0; v < 4; ++v) {
    const Pair code = nibbles(codes + v * 64);
    dot_group<N>(code.low, x, v == 0, words);
    dot_group<N>(code.high, x + group_bytes, false, words);
    x += 2 * group_bytes;
  }
}

/// 16-bit sums of 16 k (v = 0 or 2: which) of 5-bit codes: at most 4 * 2 * 31 * 127 = 31,496.
template <int N, int v>
BALEEN_INLINE void dot_half_slab_5(const std::byte* codes, const std::byte* bits, const std::byte* x,
                                   int64_t group_bytes, IntSums<N>& words) {
  Pair code = nibbles(codes + v * 64);
  add_bits<4 - 2 * v>(bits, 16, code.low);
  add_bits<3 - 2 * v>(bits, 16, code.high);
  dot_group<N>(code.low, x + 2 * v * group_bytes, true, words);
  dot_group<N>(code.high, x + (2 * v + 1) * group_bytes, false, words);
  code = nibbles(codes + (v + 1) * 64);
  add_bits<2 - 2 * v>(bits, 16, code.low);
  add_bits<1 - 2 * v>(bits, 16, code.high);
  dot_group<N>(code.low, x + (2 * v + 2) * group_bytes, false, words);
  dot_group<N>(code.high, x + (2 * v + 3) * group_bytes, false, words);
}

}  // namespace baleen::avx2
