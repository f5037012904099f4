// Q4_K and Q6_K with several tiles (formulas: kernels/ref/multiply_k.cc).
#include "kernels/avx2/sub_blocks.h"
#include "kernels/avx2/tiles.h"

namespace baleen::avx2 {
namespace {

constexpr int kSlabCodes = kGroupsOfSlab * kGroupBytes;  // bytes

/// Sums of a block that wait in memory, for the next products need the registers.
template <int N>
struct Waiting {
  __m256i of[2][N];

  [[gnu::always_inline]] void clear() {
    BALEEN_UNROLL
    for (int half = 0; half < 2; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) put(half, t, _mm256_setzero_si256());
  }
  [[gnu::always_inline]] void put(int half, int t, __m256i sum) {
    of[half][t] = sum;
    asm volatile("" : "+m"(of[half][t]));
  }
  [[gnu::always_inline]] void add(int half, int t, __m256i sum) {
    put(half, t, _mm256_add_epi32(of[half][t], sum));
  }
};

/// A block of Q4_K.
struct Q4K {
  static constexpr PanelLayout kLayout = panel_layout(BlockType::q4_k);
  static constexpr int kActivationBytes = kRecord256;

  alignas(32) std::byte codes[kSlabs][kSlabCodes];
  __m256i scales[kSlabs][2];
  Minima<2> minima;
  __m256 d[2], dmin[2];

  [[gnu::always_inline]] void expand(const std::byte* record) {
    const std::byte* const sub_scales = record + kLayout.sub_scales;
    unpack_minima(sub_scales, minima);
    BALEEN_UNROLL
    for (int half = 0; half < 2; ++half) {
      d[half] = load_halves(record + kLayout.code_bytes + half * 16);
      dmin[half] = load_halves(record + kLayout.code_bytes + 32 + half * 16);
    }
    for (int j = 0; j < kSlabs; ++j) {
      expand_slab(record + kLayout.codes + j * kNibbleSlabBytes, codes[j]);
      BALEEN_UNROLL
      for (int half = 0; half < 2; ++half) scales[j][half] = scale_pairs(sub_scales + half * 32, j);
    }
  }

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
    const IntSums<N> min = multiply_minima<N>(minima, x, tokens);
    update<N>(sums, [&] [[gnu::always_inline]] (int half, int t, __m256 out) {
      const __m256 less = _mm256_mul_ps(dmin[half], _mm256_cvtepi32_ps(min.of[half][t]));
      const __m256 product = _mm256_fmsub_ps(d[half], _mm256_cvtepi32_ps(sum.of[half][t]), less);
      return _mm256_fmadd_ps(product, broadcast_float(x + kScale256 * tokens + t * 4), out);
    });
  }
};

/// A block of Q6_K. Sums of sub-blocks of 16 are words, see Q6K in multiply_k.cc.
struct Q6K {
  static constexpr PanelLayout kLayout = panel_layout(BlockType::q6_k);
  static constexpr int kActivationBytes = kRecord256;

  alignas(32) std::byte codes[kSlabs][kSlabCodes];
  alignas(32) std::byte starts[2 * kSlabs][kStartsOfTile];
  __m256i scales[2 * kSlabs][2];
  __m256 d[2];

  [[gnu::always_inline]] void expand(const std::byte* record) {
    BALEEN_UNROLL
    for (int half = 0; half < 2; ++half) d[half] = load_halves(record + kLayout.code_bytes + half * 16);
    for (int j = 0; j < 2 * kSlabs; ++j) BALEEN_UNROLL
    for (int half = 0; half < 2; ++half)
      scales[j][half] = scale_words(record + kLayout.sub_scales + j * kPanelRows + half * 8);
    for (int j = 0; j < kSlabs; ++j) expand_slab_6(record + kLayout.codes + j * kSlab6Bytes, codes[j]);
  }

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
    update<N>(sums, [&] [[gnu::always_inline]] (int half, int t, __m256 out) {
      const __m256 scale = _mm256_mul_ps(d[half], broadcast_float(x + kScale256 * tokens + t * 4));
      return _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(sum.of[half][t]), out);
    });
  }

 private:
  static void expand_slab_6(const std::byte* from, std::byte* to) {
    BALEEN_UNROLL
    for (int v = 0; v < 2; ++v) {
      const std::byte *nibbles_of = from + v * 128, *bits = from + kNibbleSlabBytes + v * 64;
      std::byte* const groups = to + v * 4 * kGroupBytes;
      Pair<2> code = nibbles<2>(nibbles_of);
      add_bits<4>(bits, 48, code.low);
      add_bits<2>(bits, 48, code.high);
      store(groups, code);
      code = nibbles<2>(nibbles_of + 64);
      add_bits<0>(bits, 48, code.low);
      add_bits<-2>(bits, 48, code.high);
      store(groups + 2 * kGroupBytes, code);
    }
  }

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
