// Products with K formats (formulas: kernels/ref/multiply_k.cc). 4- and 5-bit codes: vpmaddwd multiplies the
// 16-bit sums with the weight's sub-scale while it widens them.
#include "kernels/avx2/k_blocks.h"
#include "kernels/avx2/matmul.h"

namespace baleen::avx2 {
namespace {

struct Q4K {
  static constexpr BlockType kType = BlockType::q4_k;
  using Products = MultipliedThenAdded;
  template <int N>
  BALEEN_INLINE void add_slab(const std::byte* codes, const Slab& slab, const ScalePairs<N>& scale,
                              IntSums<N>& sum) {
    IntSums<N> dot;
    dot_slab_4<N>(codes, slab.x, slab.tokens * 4, dot);
    BALEEN_UNROLL
    for (int half = 0; half < dot.kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) dot.of[half][t] = _mm256_madd_epi16(dot.of[half][t], scale[half]);
    add_shifted<N>(dot, slab.shifts, sum);
  }
};

struct Q5K {
  static constexpr BlockType kType = BlockType::q5_k;
  using Products = MultipliedThenAdded;
  template <int N>
  BALEEN_INLINE void add_slab(const std::byte* codes, const Slab& slab, const ScalePairs<N>& scale,
                              IntSums<N>& sum) {
    const std::byte* bits = codes + kNibbleSlabBytes;
    IntSums<N> words, dot;
    dot_half_slab_5<N, 0>(codes, bits, slab.x, slab.tokens * 4, words);
    BALEEN_UNROLL
    for (int half = 0; half < dot.kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) {
      dot.of[half][t] = _mm256_madd_epi16(words.of[half][t], scale[half]);
      leave_in_memory<N>(dot.of[half][t]);
    }
    dot_half_slab_5<N, 2>(codes, bits, slab.x, slab.tokens * 4, words);
    BALEEN_UNROLL
    for (int half = 0; half < dot.kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t)
      dot.of[half][t] = _mm256_add_epi32(dot.of[half][t], _mm256_madd_epi16(words.of[half][t], scale[half]));
    add_shifted<N>(dot, slab.shifts, sum);
  }
};

/// 16-bit sums of a whole sub-block of 16: they start at -32 * sum of the activations and may wrap on the way, for with
/// signed codes they end at most at 8 * 32 * 120 = 30,720.
template <int N>
struct Q6K {
  static constexpr int kHalves = halves_at_once(N);
  static constexpr int kStart = N == 1 ? 16 : kStartsOfTile;  // bytes of a sub-block's starts

  BALEEN_INLINE void unpack_starts(const Cursor& at, std::byte* starts) {
    if constexpr (N == 1) return unpack_starts_of_one(at.x, starts);
    unpack_starts_of_tile(at.x, at.tokens, starts);
  }

  /// The k-groups of two sub-blocks are two lanes of a vector: [16][four times the same][2].
  BALEEN_INLINE void unpack_starts_of_one(const std::byte* x, std::byte* starts) {
    for (int i = 0; i < 2 * kSlabs * 16; i += 32) {
      __m256i words = _mm256_maddubs_epi16(_mm256_set1_epi8(32), load(x + i));
      words = _mm256_add_epi16(words, _mm256_shuffle_epi32(words, 0x4E));
      words = _mm256_add_epi16(words, _mm256_shuffle_epi32(words, 0xB1));
      _mm256_store_si256(reinterpret_cast<__m256i*>(starts + i),
                         _mm256_sub_epi16(_mm256_setzero_si256(), words));
    }
  }

  /// Codes of k-group g of a sub-block, whose nibbles and upper bits are given.
  template <int g>
  BALEEN_INLINE void dot_codes(const std::byte* codes, const std::byte* bits, const std::byte* x,
                               IntSums<N>& words) {
    __m256i code[kHalves];
    BALEEN_UNROLL
    for (int half = 0; half < kHalves; ++half) {
      const __m256i pair = load(codes + g / 2 * 64 + half * 32);
      code[half] = with_bits<4 - 2 * g>(g % 2 == 0 ? low_nibbles(pair) : high_nibbles(pair),
                                        load(bits + half * 32), _mm256_set1_epi8(48));
      settle(code[half]);
    }
    dot_group<N>(code, x, false, words);
  }

  /// sum += (sub-scale * dot of sub-block j) << shift
  BALEEN_INLINE void sub_block(const Cursor& at, int j, const std::byte* start, IntSums<N>& sum) {
    constexpr PanelLayout kLayout = panel_layout(BlockType::q6_k);
    const std::byte* slab = at.codes(kLayout) + j / 2 * kSlab6Bytes;
    const std::byte* codes = slab + j % 2 * (kNibbleSlabBytes / 2);
    const std::byte* bits = slab + kNibbleSlabBytes + j % 2 * 64;
    const std::byte* sub_scales = at.record + kLayout.sub_scales + j * kPanelRows + at.half * 8;
    const std::byte* x = at.x + j * 16 * at.tokens;
    IntSums<N> words;
    BALEEN_UNROLL
    for (int half = 0; half < kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) words.of[half][t] = broadcast_int(start + t * 4);
    dot_codes<0>(codes, bits, x, words);
    dot_codes<1>(codes, bits, x + at.tokens * 4, words);
    dot_codes<2>(codes, bits, x + at.tokens * 8, words);
    dot_codes<3>(codes, bits, x + at.tokens * 12, words);
    BALEEN_UNROLL
    for (int half = 0; half < kHalves; ++half) {
      const __m256i scale = scale_words(sub_scales + half * 8);
      BALEEN_UNROLL
      for (int t = 0; t < N; ++t) words.of[half][t] = _mm256_madd_epi16(words.of[half][t], scale);
    }
    add_shifted<N>(words, at.x + (kShift256 + j / 2 * 4) * at.tokens, sum);
  }

  static Sums<N> run(const Pass& pass) {
    constexpr PanelLayout kLayout = panel_layout(BlockType::q6_k);
    Cursor at = first_block(pass);
    Ahead<N> ahead(pass, pass.cols / 256 * 2 * kSlabs);
    Sums<N> out = Sums<N>::zero();
    alignas(32) std::byte starts[2 * kSlabs * kStart];
    for (int64_t b = 0; b < pass.cols / 256; ++b, at.advance(kLayout)) {
      unpack_starts(at, starts);
      IntSums<N> sum;
      clear<N>(sum);
      ahead.template follow<kLayout.codes>(at.record);
      for (int j = 0; j < 2 * kSlabs; ++j) {
        ahead.template step<kSlab6Bytes / 2>(at.codes(kLayout) + j * kSlab6Bytes / 2);
        sub_block(at, j, starts + j * kStart, sum);
      }
      add_scaled_sums<N>(at, kLayout, sum, out);
    }
    return out;
  }
};

}  // namespace

void multiply_q4_k(const MatmulTile& tile) { for_tokens<WithMinima<Q4K>::Kernel>(tile); }
void multiply_q5_k(const MatmulTile& tile) { for_halves<WithMinima<Q5K>::Kernel>(tile); }
void multiply_q6_k(const MatmulTile& tile) {
  if (tile.tokens <= 4) return for_tokens<Q6K>(tile);
  multiply_tiles_q6_k({.panel = tile.panel,
                       .cols = tile.cols,
                       .rows = tile.rows,
                       .count = 1,
                       .add = tile.add,
                       .ahead = tile.ahead,
                       .ahead_bytes = tile.ahead_bytes,
                       .tiles = {{tile.x, tile.tokens, tile.out, tile.out_stride}}});
}

}  // namespace baleen::avx2
