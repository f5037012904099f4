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

// Eight sums are half of the registers: those of up to four tokens of both halves, or of up to eight of one half.
constexpr int halves_at_once(int tokens) { return tokens > 4 ? 1 : 2; }

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

/// Some tokens of a tile, both halves of the rows or one.
struct Pass {
  const std::byte *panel, *x;  ///< x: the first token's part of the tile
  int64_t cols;
  int64_t tokens;  ///< of the tile, not of the pass
  int half;        ///< the first one
  const std::byte* ahead;
  int64_t ahead_bytes;
};

BALEEN_INLINE void fetch_to_first_level(uintptr_t address) {
  _mm_prefetch(reinterpret_cast<const char*>(address), _MM_HINT_T0);
}
BALEEN_INLINE void fetch_to_second_level(uintptr_t address) {
  _mm_prefetch(reinterpret_cast<const char*>(address), _MM_HINT_T1);
}

/// Prefetches a pass's `ahead` bit by bit, in so many steps.
template <int N>
class Ahead {
 public:
  [[gnu::always_inline]] Ahead(const std::byte* from, int64_t bytes, int64_t steps)
      : next_(reinterpret_cast<uintptr_t>(from)), lines_((bytes + 64 * steps - 1) / (64 * steps)) {}
  [[gnu::always_inline]] Ahead(const Pass& pass, int64_t steps) : Ahead(pass.ahead, pass.ahead_bytes, steps) {
    if (kFollows) next_ = pass.ahead_bytes > 0 ? next_ - reinterpret_cast<uintptr_t>(pass.panel) : 0;
  }

  /// A step that reads so many bytes of codes.
  template <int kBytes>
  [[gnu::always_inline]] void step(const std::byte* codes) {
    follow<kBytes>(codes);
    if constexpr (!kFollows)
      for (int64_t line = 0; line < lines_; ++line, next_ += 64) fetch_to_second_level(next_);
  }
  /// What a record has besides the codes.
  template <int kBytes>
  [[gnu::always_inline]] void follow(const std::byte* read) const {
    if constexpr (kFollows) BALEEN_UNROLL
    for (int i = 0; i < kBytes; i += 64) fetch_to_first_level(reinterpret_cast<uintptr_t>(read) + next_ + i);
  }

 private:
  // Few tokens fetch as much as they read, each line so far ahead of one that is read: loops would be a sixth of all
  // instructions. Their activations leave room for it in the first-level cache.
  static constexpr bool kFollows = N <= kFewRows;
  uintptr_t next_;  ///< address of what is fetched next, or how far ahead it is
  int64_t lines_;   ///< of a step
};

/// Of a pass of N tokens: [half][token].
template <int N>
struct Sums {
  static constexpr int kHalves = halves_at_once(N);
  __m256 of[kHalves][N];
  BALEEN_INLINE Sums zero() {
    Sums sums;
    BALEEN_UNROLL
    for (int half = 0; half < kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) sums.of[half][t] = _mm256_setzero_ps();
    return sums;
  }
};

template <int N>
struct IntSums {
  static constexpr int kHalves = halves_at_once(N);
  __m256i of[kHalves][N];
};

template <int N>
BALEEN_INLINE void clear(IntSums<N>& sums) {
  BALEEN_UNROLL
  for (int half = 0; half < sums.kHalves; ++half) BALEEN_UNROLL
  for (int t = 0; t < N; ++t) sums.of[half][t] = _mm256_setzero_si256();
}

/// Products of the 8 rows of a half, of which the first `rows` exist.
BALEEN_INLINE void put_half(float* out, __m256 product, int rows, bool add) {
  if (rows >= 8) return _mm256_storeu_ps(out, add ? _mm256_add_ps(_mm256_loadu_ps(out), product) : product);
  alignas(32) float each[8];
  _mm256_store_ps(each, product);
#pragma GCC unroll 1
  for (int r = 0; r < rows; ++r) out[r] = add ? out[r] + each[r] : each[r];
}

/// The products of tokens first .. first + N - 1 of the tile, from half `half` on.
template <int N>
BALEEN_INLINE void put(const MatmulTile& tile, int first, int half, const Sums<N>& sums) {
  for (int t = 0; t < N; ++t)
    for (int h = 0; h < sums.kHalves; ++h) {
      const int row = (half + h) * 8;
      put_half(tile.out + (first + t) * tile.out_stride + row, sums.of[h][t], tile.rows - row, tile.add);
    }
}

/// Kernel<N>::run(pass) for tokens first .. first + N - 1 and both halves.
template <template <int> class Kernel, int N>
BALEEN_INLINE void run_passes(const MatmulTile& tile, int first) {
  const int64_t tokens = N > 4 ? N : tile.tokens;
  for (int half = 0; half < 2; half += halves_at_once(N)) {
    const int64_t ahead_bytes = first == 0 && half == 0 ? tile.ahead_bytes : 0;
    put<N>(
        tile, first, half,
        Kernel<N>::run({tile.panel, tile.x + first * 4, tile.cols, tokens, half, tile.ahead, ahead_bytes}));
  }
}

/// All tokens of the tile; up to four at a time, both halves of the rows together.
template <template <int> class Kernel>
BALEEN_INLINE void for_tokens(const MatmulTile& tile) {
  for (int first = 0; first < tile.tokens; first += 4) {
    switch (tile.tokens - first) {
      case 1:
        run_passes<Kernel, 1>(tile, first);
        break;
      case 2:
        run_passes<Kernel, 2>(tile, first);
        break;
      case 3:
        run_passes<Kernel, 3>(tile, first);
        break;
      default:
        run_passes<Kernel, 4>(tile, first);
        break;
    }
  }
}

/// All tokens of the tile at a time; of more than four one half of the rows after the other. Where much is done to a
/// code before it is multiplied this is faster, else not: the activations are loaded twice as often.
template <template <int> class Kernel>
BALEEN_INLINE void for_halves(const MatmulTile& tile) {
  switch (tile.tokens) {
    case 5:
      return run_passes<Kernel, 5>(tile, 0);
    case 6:
      return run_passes<Kernel, 6>(tile, 0);
    case 7:
      return run_passes<Kernel, 7>(tile, 0);
    case 8:
      return run_passes<Kernel, 8>(tile, 0);
    default:
      return for_tokens<Kernel>(tile);
  }
}

/// Makes the compiler compute a sum here, in a register: left alone, GCC puts additions off until the end of a
/// block and spills the products.
BALEEN_INLINE void settle(__m256i& sum) { asm volatile("" : "+x"(sum)); }

/// Leaves a longer sum in memory where the 16-bit ones need the registers.
template <int N>
BALEEN_INLINE void leave_in_memory(auto& sum) {
  if constexpr (N > 4) asm volatile("" : "+m"(sum));
}

/// 16-bit sums of a k-group: two words a row, code (unsigned) times activation, added to those of earlier groups.
template <int N>
BALEEN_INLINE void dot_group(const __m256i (&code)[halves_at_once(N)], const std::byte* x, bool first_group,
                             IntSums<N>& words) {
  BALEEN_UNROLL
  for (int t = 0; t < N; ++t) {
    const __m256i a = broadcast_int(x + t * 4);
    BALEEN_UNROLL
    for (int half = 0; half < words.kHalves; ++half) {
      const __m256i product = _mm256_maddubs_epi16(code[half], a);
      words.of[half][t] = first_group ? product : _mm256_add_epi16(words.of[half][t], product);
      settle(words.of[half][t]);
    }
  }
}

/// 4-bit codes of a pair of k-groups, [half].
template <int kHalves>
struct Pair {
  __m256i low[kHalves], high[kHalves];
};
template <int kHalves>
BALEEN_INLINE Pair<kHalves> nibbles(const std::byte* codes) {
  const __m256i mask = _mm256_set1_epi8(15);
  Pair<kHalves> pair;
  BALEEN_UNROLL
  for (int half = 0; half < kHalves; ++half) {
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
template <int left, int kHalves>
BALEEN_INLINE void add_bits(const std::byte* bits, int mask, __m256i (&code)[kHalves]) {
  BALEEN_UNROLL
  for (int half = 0; half < kHalves; ++half)
    code[half] =
        with_bits<left>(code[half], load(bits + half * 32), _mm256_set1_epi8(static_cast<char>(mask)));
}

/// 16-bit sums of 32 k of 4-bit codes: at most 8 * 2 * 15 * 127 = 30,480.
template <int N>
BALEEN_INLINE void dot_slab_4(const std::byte* codes, const std::byte* x, int64_t group_bytes,
                              IntSums<N>& words) {
  BALEEN_UNROLL
  for (int v = 0; v < 4; ++v) {
    const auto code = nibbles<halves_at_once(N)>(codes + v * 64);
    dot_group<N>(code.low, x, v == 0, words);
    dot_group<N>(code.high, x + group_bytes, false, words);
    x += 2 * group_bytes;
  }
}

/// 16-bit sums of 16 k (v = 0 or 2: which) of 5-bit codes: at most 4 * 2 * 31 * 127 = 31,496.
template <int N, int v>
BALEEN_INLINE void dot_half_slab_5(const std::byte* codes, const std::byte* bits, const std::byte* x,
                                   int64_t group_bytes, IntSums<N>& words) {
  auto code = nibbles<halves_at_once(N)>(codes + v * 64);
  add_bits<4 - 2 * v>(bits, 16, code.low);
  add_bits<3 - 2 * v>(bits, 16, code.high);
  dot_group<N>(code.low, x + 2 * v * group_bytes, true, words);
  dot_group<N>(code.high, x + (2 * v + 1) * group_bytes, false, words);
  code = nibbles<halves_at_once(N)>(codes + (v + 1) * 64);
  add_bits<2 - 2 * v>(bits, 16, code.low);
  add_bits<1 - 2 * v>(bits, 16, code.high);
  dot_group<N>(code.low, x + (2 * v + 2) * group_bytes, false, words);
  dot_group<N>(code.high, x + (2 * v + 3) * group_bytes, false, words);
}

}  // namespace baleen::avx2
