// Products with K formats (formulas: kernels/ref/multiply_k.cc). 4- and 5-bit codes: vpmaddwd multiplies the
// 16-bit sums with the weight's sub-scale while it widens them.
#include "kernels/avx2/matmul.h"
#include "kernels/avx2/sub_blocks.h"

namespace baleen::avx2 {
namespace {

/// The rows' sub-scales [half], as pairs of words.
template <int N>
using ScalePairs = __m256i[halves_at_once(N)];

/// A format says: kType and dot(), the sums of slab j times the sub-scales.
struct Q4K {
  static constexpr BlockType kType = BlockType::q4_k;
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, int j, const std::byte* x, int64_t group_bytes,
                         const ScalePairs<N>& scale, IntSums<N>& sums) {
    dot_slab_4<N>(codes + j * kNibbleSlabBytes, x, group_bytes, sums);
    BALEEN_UNROLL
    for (int half = 0; half < sums.kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) sums.of[half][t] = _mm256_madd_epi16(sums.of[half][t], scale[half]);
  }
};

struct Q5K {
  static constexpr BlockType kType = BlockType::q5_k;
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, int j, const std::byte* x, int64_t group_bytes,
                         const ScalePairs<N>& scale, IntSums<N>& sums) {
    codes += j * kSlab5Bytes;
    const std::byte* bits = codes + kNibbleSlabBytes;
    IntSums<N> words;
    dot_half_slab_5<N, 0>(codes, bits, x, group_bytes, words);
    BALEEN_UNROLL
    for (int half = 0; half < sums.kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) {
      sums.of[half][t] = _mm256_madd_epi16(words.of[half][t], scale[half]);
      leave_in_memory<N>(sums.of[half][t]);
    }
    dot_half_slab_5<N, 2>(codes, bits, x, group_bytes, words);
    BALEEN_UNROLL
    for (int half = 0; half < sums.kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t)
      sums.of[half][t] =
          _mm256_add_epi32(sums.of[half][t], _mm256_madd_epi16(words.of[half][t], scale[half]));
  }
};

/// What a K format's kernel goes through, block by block.
struct Cursor {
  const std::byte *record, *x;
  int64_t tokens;  ///< of the tile
  int half;        ///< the pass's first one

  const std::byte* codes(PanelLayout layout) const { return record + layout.codes + half * 32; }
  const std::byte* scales(PanelLayout layout, int later_half) const {
    return record + layout.code_bytes + (half + later_half) * 16;
  }
  void advance(PanelLayout layout) {
    record += layout.record_bytes;
    x += kRecord256 * tokens;
  }
};
BALEEN_INLINE Cursor first_block(const Pass& pass) { return {pass.panel, pass.x, pass.tokens, pass.half}; }

/// sum += dot << the tokens' shifts.
template <int N>
BALEEN_INLINE void add_shifted(const IntSums<N>& dot, const std::byte* shifts, IntSums<N>& sum) {
  BALEEN_UNROLL
  for (int t = 0; t < N; ++t) {
    const __m128i shift = shift_count(shifts + t * 4);
    BALEEN_UNROLL
    for (int half = 0; half < sum.kHalves; ++half) {
      sum.of[half][t] = _mm256_add_epi32(sum.of[half][t], _mm256_sll_epi32(dot.of[half][t], shift));
      leave_in_memory<N>(sum.of[half][t]);
    }
  }
}

template <class Format>
struct WithMinima {
  template <int N>
  struct Kernel {
    static constexpr int kHalves = halves_at_once(N);

    BALEEN_INLINE void block(const Cursor& at, Ahead<N>& ahead, Sums<N>& out) {
      constexpr PanelLayout kLayout = panel_layout(Format::kType);
      const std::byte *sub_scales = at.record + kLayout.sub_scales + at.half * 32, *codes = at.codes(kLayout);
      Minima<kHalves> pair;
      unpack_minima(sub_scales, pair);
      if constexpr (N > 2) asm volatile("" : "+m"(pair));  // the products of the codes need all registers
      ahead.template follow<kLayout.codes>(at.record);
      IntSums<N> sum;
      clear<N>(sum);
      for (int j = 0; j < kSlabs; ++j) {
        constexpr int kSlabBytes = (kLayout.code_bytes - kLayout.codes) / kSlabs;
        ahead.template step<kSlabBytes>(codes + j * kSlabBytes);
        __m256i scale[kHalves];
        BALEEN_UNROLL
        for (int half = 0; half < kHalves; ++half) scale[half] = scale_pairs(sub_scales + half * 32, j);
        IntSums<N> dot;
        Format::template dot<N>(codes, j, at.x + j * kSlab * at.tokens, at.tokens * 4, scale, dot);
        add_shifted<N>(dot, at.x + (kShift256 + j * 4) * at.tokens, sum);
      }
      ahead.template follow<kLayout.scale_bytes>(at.record + kLayout.code_bytes);
      const IntSums<N> min = multiply_minima<N>(pair, at.x, at.tokens);
      BALEEN_UNROLL
      for (int half = 0; half < kHalves; ++half) {
        const std::byte* scales = at.scales(kLayout, half);
        const __m256 d = load_halves(scales), dmin = load_halves(scales + 32);
        BALEEN_UNROLL
        for (int t = 0; t < N; ++t) {
          const __m256 s = broadcast_float(at.x + kScale256 * at.tokens + t * 4);
          const __m256 less = _mm256_mul_ps(dmin, _mm256_cvtepi32_ps(min.of[half][t]));
          const __m256 product = _mm256_fmsub_ps(d, _mm256_cvtepi32_ps(sum.of[half][t]), less);
          out.of[half][t] = _mm256_fmadd_ps(product, s, out.of[half][t]);
        }
      }
    }

    static Sums<N> run(const Pass& pass) {
      constexpr PanelLayout kLayout = panel_layout(Format::kType);
      Cursor at = first_block(pass);
      Ahead<N> ahead(pass, pass.cols / 256 * kSlabs);
      Sums<N> out = Sums<N>::zero();
      for (int64_t b = 0; b < pass.cols / 256; ++b, at.advance(kLayout)) block(at, ahead, out);
      return out;
    }
  };
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
      BALEEN_UNROLL
      for (int half = 0; half < kHalves; ++half) {
        const __m256 d = load_halves(at.scales(kLayout, half));
        BALEEN_UNROLL
        for (int t = 0; t < N; ++t) {
          const __m256 scale = _mm256_mul_ps(d, broadcast_float(at.x + kScale256 * at.tokens + t * 4));
          out.of[half][t] = _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(sum.of[half][t]), out.of[half][t]);
        }
      }
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
