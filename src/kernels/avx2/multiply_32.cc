// Products with weights in blocks of 32 (formulas: kernels/ref/multiply_32.cc). vpmaddubsw multiplies a k-group of 8
// rows with four activations; its 16-bit sums are added over as many groups as cannot overflow, then widened.
#include "kernels/avx2/blocks_32.h"
#include "kernels/avx2/matmul.h"

namespace baleen::avx2 {
namespace {

/// Pairs of 16-bit sums, added.
BALEEN_INLINE __m256i widen(__m256i words) { return _mm256_madd_epi16(words, _mm256_set1_epi16(1)); }

struct Q40 {
  static constexpr BlockType kType = BlockType::q4_0;
  static constexpr int kOffset8 = 0;
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, const std::byte* x, int64_t group_bytes, IntSums<N>& sums) {
    dot_slab_4<N>(codes, x, group_bytes, sums);
    BALEEN_UNROLL
    for (int half = 0; half < sums.kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) sums.of[half][t] = widen(sums.of[half][t]);
  }
};

struct Q41 : Q40 {
  static constexpr BlockType kType = BlockType::q4_1;
  static constexpr int kOffset8 = -1;
};

struct Q50 {
  static constexpr BlockType kType = BlockType::q5_0;
  static constexpr int kOffset8 = 1;
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, const std::byte* x, int64_t group_bytes, IntSums<N>& sums) {
    IntSums<N> words;
    dot_half_slab_5<N, 0>(codes, codes + kNibbleSlabBytes, x, group_bytes, words);
    BALEEN_UNROLL
    for (int half = 0; half < sums.kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) {
      sums.of[half][t] = widen(words.of[half][t]);
      leave_in_memory<N>(sums.of[half][t]);
    }
    dot_half_slab_5<N, 2>(codes, codes + kNibbleSlabBytes, x, group_bytes, words);
    BALEEN_UNROLL
    for (int half = 0; half < sums.kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t)
      sums.of[half][t] = _mm256_add_epi32(sums.of[half][t], widen(words.of[half][t]));
  }
};

struct Q51 : Q50 {
  static constexpr BlockType kType = BlockType::q5_1;
  static constexpr int kOffset8 = -1;
};

/// |w| is unsigned, its sign moves to the activation: 2 * 128 * 127 fits 16 bits, one group at a time. vpsignb shares
/// the multiplier's pipes, so for many tokens the activation's bits are inverted where w < 0. That makes it -a - 1
/// (two of 128 * -128 fit, too), and the |w| that are missing are added once for all tokens.
struct Q80 {
  static constexpr BlockType kType = BlockType::q8_0;
  static constexpr int kOffset8 = -1;
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, const std::byte* x, int64_t group_bytes, IntSums<N>& sums) {
    constexpr int kHalves = halves_at_once(N);
    constexpr bool kInverted = N > 4;
    const __m256i ones = _mm256_set1_epi16(1), zero = _mm256_setzero_si256();
    clear<N>(sums);
    __m256i missing[kHalves] = {};
    BALEEN_UNROLL
    for (int g = 0; g < 8; ++g) {
      __m256i w[kHalves], magnitude[kHalves], negative[kHalves];
      BALEEN_UNROLL
      for (int half = 0; half < kHalves; ++half) {
        w[half] = load(codes + g * 64 + half * 32);
        magnitude[half] = _mm256_abs_epi8(w[half]);
        negative[half] = _mm256_cmpgt_epi8(zero, w[half]);
        if constexpr (kInverted)
          missing[half] = _mm256_add_epi16(
              missing[half],
              _mm256_maddubs_epi16(_mm256_and_si256(magnitude[half], negative[half]), _mm256_set1_epi8(1)));
      }
      BALEEN_UNROLL
      for (int t = 0; t < N; ++t) {
        const __m256i a = broadcast_int(x + g * group_bytes + t * 4);
        BALEEN_UNROLL
        for (int half = 0; half < kHalves; ++half) {
          const __m256i moved =
              kInverted ? _mm256_xor_si256(a, negative[half]) : _mm256_sign_epi8(a, w[half]);
          const __m256i words = _mm256_maddubs_epi16(magnitude[half], moved);
          sums.of[half][t] = _mm256_add_epi32(sums.of[half][t], _mm256_madd_epi16(words, ones));
          settle(sums.of[half][t]);
        }
      }
    }
    if constexpr (kInverted) {
      BALEEN_UNROLL
      for (int half = 0; half < kHalves; ++half) BALEEN_UNROLL
      for (int t = 0; t < N; ++t)
        sums.of[half][t] = _mm256_add_epi32(sums.of[half][t], _mm256_madd_epi16(missing[half], ones));
    }
  }
};

/// Any type of small numbers under a float32 scale: their panels are alike.
struct I8 : Q80 {
  static constexpr BlockType kType = BlockType::iq4_nl;
};

}  // namespace

void multiply_q4_0(const MatmulTile& tile) { for_tokens<Blocks32<Q40>::Kernel>(tile); }
void multiply_q4_1(const MatmulTile& tile) { for_tokens<Blocks32<Q41>::Kernel>(tile); }
void multiply_q5_0(const MatmulTile& tile) { for_halves<Blocks32<Q50>::Kernel>(tile); }
void multiply_q5_1(const MatmulTile& tile) { for_halves<Blocks32<Q51>::Kernel>(tile); }
void multiply_q8_0(const MatmulTile& tile) { for_halves<Blocks32<Q80>::Kernel>(tile); }
void multiply_i8(const MatmulTile& tile) { for_halves<Blocks32<I8>::Kernel>(tile); }

}  // namespace baleen::avx2
