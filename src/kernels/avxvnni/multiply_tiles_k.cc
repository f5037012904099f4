// Q4_K and Q6_K with several tiles (formulas: kernels/ref/multiply_k.cc).
#include "kernels/avx2/expanded_k.h"
#include "kernels/avxvnni/matmul.h"
#include "kernels/avxvnni/sub_blocks.h"

namespace baleen::avxvnni {
namespace {

/// dot += kGroups k-groups of expanded codes.
template <int kGroups, int N, class Tokens>
BALEEN_INLINE void add_expanded(const std::byte* codes, const std::byte* x, Tokens tokens, IntSums<N>& dot) {
  BALEEN_UNROLL
  for (int g = 0; g < kGroups; ++g, codes += kGroupBytes) {
    const __m256i code[2] = {load(codes), load(codes + 32)};
    add_group<N>(code, x + g * 4 * tokens, dot);
  }
}

/// sum += dot * scale << shifts
template <bool kWords, int N>
BALEEN_INLINE void add_scaled(const IntSums<N>& dot, const __m256i (&pairs)[2], const std::byte* shifts,
                              Waiting<N>& sum) {
  const __m256i scale[2] = {one_of_pair(pairs[0]), one_of_pair(pairs[1])};
  BALEEN_UNROLL
  for (int t = 0; t < N; ++t) {
    const __m256i shift = broadcast_int(shifts + t * 4);
    BALEEN_UNROLL
    for (int half = 0; half < 2; ++half)
      sum.put(half, t,
              plus_scaled<kWords>(sum.of[half][t], dot.of[half][t], _mm256_sllv_epi32(scale[half], shift)));
  }
}

/// A block of Q4_K.
struct Q4K : ExpandedQ4K {
  bool words = false;  ///< the tile's dot products

  [[gnu::always_inline]] void begin(const std::byte* x, int64_t tokens) {
    words = dots_are_words(x, tokens, kLayout.values, word_limits(15));
  }

  template <int N, class Tokens>
  [[gnu::always_inline]] void multiply(const std::byte* tile, Tokens tokens, int first, float* sums) const {
    const std::byte* const x = tile + first * 4;
    words ? multiply_as<true, N>(x, tokens, sums) : multiply_as<false, N>(x, tokens, sums);
  }

 private:
  template <bool kWords, int N, class Tokens>
  [[gnu::noinline]] void multiply_as(const std::byte* x, Tokens tokens, float* sums) const {
    Waiting<N> sum;
    sum.clear();
    for (int j = 0; j < kSlabs; ++j) {
      IntSums<N> dot;
      clear<N>(dot);
      add_expanded<kGroupsOfSlab, N>(codes[j], x + j * kSlab * tokens, tokens, dot);
      add_scaled<kWords, N>(dot, scales[j], x + (kShift256 + j * 4) * tokens, sum);
    }
    finish<N>(sum, multiply_minima<AddedAtOnce, N>(minima, x, tokens), x + kScale256 * tokens, sums);
  }
};

/// A block of Q6_K. The two sub-blocks of 16 of a slab have one shift: as words they are multiplied together.
struct Q6K : ExpandedQ6K {
  bool words = false;  ///< the tile's dot products

  [[gnu::always_inline]] void begin(const std::byte* x, int64_t tokens) {
    words = dots_are_words(x, tokens, kLayout.values, kWordLimits6);
  }

  template <int N, class Tokens>
  [[gnu::always_inline]] void multiply(const std::byte* tile, Tokens tokens, int first, float* sums) const {
    const std::byte* const x = tile + first * 4;
    Waiting<N> sum;
    sum.clear();
    words ? add_words<N>(x, tokens, sum) : add_double_words<N>(x, tokens, sum);
    finish<N>(sum, x + kScale256 * tokens, sums);
  }

 private:
  template <int N, class Tokens>
  [[gnu::always_inline]] void dot_16(int j, const std::byte* x, Tokens tokens, IntSums<N>& dot) const {
    const std::byte* const starts = x + (kSum16s256 + j * 4) * tokens;
    BALEEN_UNROLL
    for (int t = 0; t < N; ++t) dot.of[0][t] = dot.of[1][t] = broadcast_int(starts + t * 4);
    add_expanded<4, N>(codes[0] + j * 4 * kGroupBytes, x + j * 16 * tokens, tokens, dot);
  }

  template <int N, class Tokens>
  [[gnu::noinline]] void add_double_words(const std::byte* x, Tokens tokens, Waiting<N>& sum) const {
    for (int j = 0; j < 2 * kSlabs; ++j) {
      IntSums<N> dot;
      dot_16<N>(j, x, tokens, dot);
      add_scaled<false, N>(dot, scales[j], x + (kShift256 + j / 2 * 4) * tokens, sum);
    }
  }

  template <int N, class Tokens>
  [[gnu::noinline]] void add_words(const std::byte* x, Tokens tokens, Waiting<N>& sum) const {
    for (int j = 0; j < 2 * kSlabs; j += 2) {
      IntSums<N> dot;
      Waiting<N> early;
      dot_16<N>(j, x, tokens, dot);
      BALEEN_UNROLL
      for (int half = 0; half < 2; ++half) BALEEN_UNROLL
      for (int t = 0; t < N; ++t) early.put(half, t, dot.of[half][t]);
      dot_16<N>(j + 1, x, tokens, dot);
      const std::byte* const shifts = x + (kShift256 + j / 2 * 4) * tokens;
      const __m256i pair[2] = {_mm256_blend_epi16(scales[j][0], scales[j + 1][0], 0xAA),
                               _mm256_blend_epi16(scales[j][1], scales[j + 1][1], 0xAA)};
      BALEEN_UNROLL
      for (int t = 0; t < N; ++t) {
        const __m128i shift = shift_count(shifts + t * 4);
        BALEEN_UNROLL
        for (int half = 0; half < 2; ++half) {
          const __m256i two =
              _mm256_blend_epi16(early.of[half][t], _mm256_slli_epi32(dot.of[half][t], 16), 0xAA);
          sum.put(half, t, plus_scaled<true>(sum.of[half][t], two, _mm256_sll_epi16(pair[half], shift)));
        }
      }
    }
  }
};

}  // namespace

void multiply_tiles_q4_k(const MatmulTiles& tiles) { for_tiles<Q4K>(tiles); }
void multiply_tiles_q6_k(const MatmulTiles& tiles) { for_tiles<Q6K>(tiles); }

}  // namespace baleen::avxvnni
