// Products with K formats (formulas: kernels/ref/multiply_k.cc).
#include "kernels/avx2/k_blocks.h"
#include "kernels/avxvnni/matmul.h"
#include "kernels/avxvnni/sub_blocks.h"

namespace baleen::avxvnni {
namespace {

/// sum += dot * scale << shifts
template <bool kWords, int N>
BALEEN_INLINE void add_scaled(const IntSums<N>& dot, const __m256i (&scale)[halves_at_once(N)],
                              const std::byte* shifts, IntSums<N>& sum) {
  BALEEN_UNROLL
  for (int t = 0; t < N; ++t) {
    const __m256i shift = broadcast_int(shifts + t * 4);
    BALEEN_UNROLL
    for (int half = 0; half < sum.kHalves; ++half) {
      const __m256i shifted = _mm256_sllv_epi32(scale[half], shift);
      sum.of[half][t] = plus_scaled<kWords>(sum.of[half][t], dot.of[half][t], shifted);
      leave_in_memory<N>(sum.of[half][t]);
    }
  }
}

/// Q4_K or Q5_K.
template <BlockType kBlockType, bool kWords>
struct FormatWithMinima {
  static constexpr BlockType kType = kBlockType;
  static constexpr int kBits = kType == BlockType::q4_k ? 4 : 5;
  using Products = AddedAtOnce;
  template <int N>
  BALEEN_INLINE void add_slab(const std::byte* codes, const Slab& slab, const ScalePairs<N>& pairs,
                              IntSums<N>& sum) {
    IntSums<N> dot;
    clear<N>(dot);
    avxvnni::add_slab<kBits, N>(codes, slab.x, slab.tokens * 4, dot);
    __m256i scale[halves_at_once(N)];
    for (int half = 0; half < halves_at_once(N); ++half) scale[half] = one_of_pair(pairs[half]);
    add_scaled<kWords, N>(dot, scale, slab.shifts, sum);
  }
};

template <BlockType kType>
void multiply_with_minima(const MatmulTile& tile) {
  constexpr WordLimits kLimits = word_limits((1 << FormatWithMinima<kType, true>::kBits) - 1);
  if (dots_are_words(tile.x, tile.tokens, tile.cols, kLimits))
    return for_tokens<WithMinima<FormatWithMinima<kType, true>>::template Kernel>(tile);
  for_tokens<WithMinima<FormatWithMinima<kType, false>>::template Kernel>(tile);
}

/// Sums of a sub-block of 16 start at -32 * sum of its activations.
template <int N>
struct Q6K {
  static constexpr PanelLayout kLayout = panel_layout(BlockType::q6_k);
  static constexpr int kHalves = halves_at_once(N);

  /// Codes of k-groups g and g + 1 of a sub-block, whose nibbles and upper bits are given.
  template <int g>
  BALEEN_INLINE void add_codes(const std::byte* codes, const std::byte* bits, const std::byte* x,
                               int64_t group_bytes, IntSums<N>& dot) {
    auto code = nibbles<kHalves>(codes + g / 2 * 64);
    add_bits<4 - 2 * g>(bits, 48, code.low);
    add_bits<2 - 2 * g>(bits, 48, code.high);
    add_group<N>(code.low, x + g * group_bytes, dot);
    add_group<N>(code.high, x + (g + 1) * group_bytes, dot);
  }

  /// sum += (sub-scale * dot of sub-block j) << shift
  BALEEN_INLINE void sub_block(const Cursor& at, int j, IntSums<N>& sum) {
    const std::byte* slab = at.codes(kLayout) + j / 2 * kSlab6Bytes;
    const std::byte* codes = slab + j % 2 * (kNibbleSlabBytes / 2);
    const std::byte* bits = slab + kNibbleSlabBytes + j % 2 * 64;
    const std::byte* sub_scales = at.record + kLayout.sub_scales + j * kPanelRows + at.half * 8;
    const std::byte* x = at.x + j * 16 * at.tokens;
    const std::byte* starts = at.x + (kSum16s256 + j * 4) * at.tokens;
    IntSums<N> dot;
    BALEEN_UNROLL
    for (int half = 0; half < kHalves; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) dot.of[half][t] = broadcast_int(starts + t * 4);
    add_codes<0>(codes, bits, x, at.tokens * 4, dot);
    add_codes<2>(codes, bits, x, at.tokens * 4, dot);
    __m256i scale[kHalves];
    BALEEN_UNROLL
    for (int half = 0; half < kHalves; ++half) {
      const auto* scales = reinterpret_cast<const __m128i*>(sub_scales + half * 8);
      scale[half] = _mm256_cvtepi8_epi32(_mm_loadl_epi64(scales));
    }
    add_scaled<false, N>(dot, scale, at.slab(j / 2).shifts, sum);
  }

  static Sums<N> run(const Pass& pass) {
    Cursor at = first_block(pass);
    Ahead<N> ahead(pass, pass.cols / 256 * 2 * kSlabs);
    Sums<N> out = Sums<N>::zero();
    for (int64_t b = 0; b < pass.cols / 256; ++b, at.advance(kLayout)) {
      IntSums<N> sum;
      clear<N>(sum);
      ahead.template follow<kLayout.codes>(at.record);
      for (int j = 0; j < 2 * kSlabs; ++j) {
        ahead.template step<kSlab6Bytes / 2>(at.codes(kLayout) + j * kSlab6Bytes / 2);
        sub_block(at, j, sum);
      }
      add_scaled_sums<N>(at, kLayout, sum, out);
    }
    return out;
  }
};

}  // namespace

void multiply_q4_k(const MatmulTile& tile) { multiply_with_minima<BlockType::q4_k>(tile); }
void multiply_q5_k(const MatmulTile& tile) { multiply_with_minima<BlockType::q5_k>(tile); }
void multiply_q6_k(const MatmulTile& tile) { for_tokens<Q6K>(tile); }

}  // namespace baleen::avxvnni
