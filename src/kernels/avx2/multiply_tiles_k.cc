// Q4_K and Q6_K with several tiles (formulas: kernels/ref/multiply_k.cc).
#include "kernels/avx2/expanded_k.h"
#include "kernels/avx2/matmul.h"

namespace baleen::avx2 {
namespace {

/// A block of Q4_K.
struct Q4K : ExpandedQ4K {
  [[gnu::always_inline]] void begin(const std::byte*, int64_t) {}

  template <int N, class Tokens>
  [[gnu::noinline]] void multiply(const std::byte* tile, Tokens tokens, int first, float* sums) const {
    const std::byte* const x = tile + first * 4;
    Waiting<N> sum;
    sum.clear();
    for (int j = 0; j < kSlabs; ++j) {
      IntSums<N> dot;
      dot_expanded_4<N>(codes[j], x + j * kSlab * tokens, tokens, dot);
      BALEEN_UNROLL
      for (int t = 0; t < N; ++t) {
        const __m128i shift = shift_count(x + (kShift256 + j * 4) * tokens + t * 4);
        BALEEN_UNROLL
        for (int half = 0; half < 2; ++half)
          sum.add(half, t, _mm256_sll_epi32(_mm256_madd_epi16(dot.of[half][t], scales[j][half]), shift));
      }
    }
    const IntSums<N> min = multiply_minima<MultipliedThenAdded, N>(minima, x, tokens);
    finish<N>(sum, min, x + kScale256 * tokens, sums);
  }
};

/// A block of Q6_K. Sums of sub-blocks of 16 are words, see Q6K in multiply_k.cc.
struct Q6K : ExpandedQ6K {
  alignas(32) std::byte starts[2 * kSlabs][kStartsOfTile];

  [[gnu::always_inline]] void begin(const std::byte* x, int64_t tokens) {
    unpack_starts_of_tile(x, tokens, starts[0]);
  }

  template <int N, class Tokens>
  [[gnu::noinline]] void multiply(const std::byte* tile, Tokens tokens, int first, float* sums) const {
    const std::byte* const x = tile + first * 4;
    Waiting<N> sum;
    sum.clear();
    for (int j = 0; j < kSlabs; ++j) {
      Waiting<N> early;
      multiply_16<N>(2 * j, x, tokens, first,
                     [&] [[gnu::always_inline]] (int half, int t, __m256i dot) { early.put(half, t, dot); });
      const std::byte* const shifts = x + (kShift256 + j * 4) * tokens;
      multiply_16<N>(2 * j + 1, x, tokens, first, [&] [[gnu::always_inline]] (int half, int t, __m256i dot) {
        const __m256i both = _mm256_add_epi32(dot, early.of[half][t]);
        sum.add(half, t, _mm256_sll_epi32(both, shift_count(shifts + t * 4)));
      });
    }
    finish<N>(sum, x + kScale256 * tokens, sums);
  }

 private:
  /// put(half, token, sub-scale * dot of sub-block j)
  template <int N, class Tokens>
  [[gnu::always_inline]] void multiply_16(int j, const std::byte* x, Tokens tokens, int first,
                                          auto&& put) const {
    IntSums<N> words;
    BALEEN_UNROLL
    for (int t = 0; t < N; ++t) words.of[0][t] = words.of[1][t] = broadcast_int(starts[j] + (first + t) * 4);
    BALEEN_UNROLL
    for (int g = 0; g < 4; ++g)
      dot_group<N>(codes[0] + (j * 4 + g) * kGroupBytes, x + (j * 4 + g) * 4 * tokens, false, words);
    BALEEN_UNROLL
    for (int t = 0; t < N; ++t) BALEEN_UNROLL
    for (int half = 0; half < 2; ++half) put(half, t, _mm256_madd_epi16(words.of[half][t], scales[j][half]));
  }
};

}  // namespace

void multiply_tiles_q4_k(const MatmulTiles& tiles) { for_tiles<Q4K>(tiles); }
void multiply_tiles_q6_k(const MatmulTiles& tiles) { for_tiles<Q6K>(tiles); }

}  // namespace baleen::avx2
