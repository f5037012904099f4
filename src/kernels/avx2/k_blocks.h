// Kernels of products with K formats (formulas: kernels/ref/multiply_k.cc), whatever multiplies the codes.
#pragma once

#include "kernels/avx2/sub_blocks.h"

namespace baleen::avx2 {

/// The rows' sub-scales [half], as pairs of words.
template <int N>
using ScalePairs = __m256i[halves_at_once(N)];

/// A slab's activations.
struct Slab {
  const std::byte *x, *shifts;
  int64_t tokens;  ///< of the tile
};

/// What a K format's kernel goes through, block by block.
struct Cursor {
  const std::byte *record, *x;
  int64_t tokens;  ///< of the tile
  int half;        ///< the pass's first one

  [[gnu::always_inline]] const std::byte* codes(PanelLayout layout) const {
    return record + layout.codes + half * 32;
  }
  [[gnu::always_inline]] const std::byte* scales(PanelLayout layout, int later_half) const {
    return record + layout.code_bytes + (half + later_half) * 16;
  }
  [[gnu::always_inline]] Slab slab(int j) const {
    return {x + j * kSlab * tokens, x + (kShift256 + j * 4) * tokens, tokens};
  }
  [[gnu::always_inline]] void advance(PanelLayout layout) {
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

/// A format says: kType, Products (word_products.h) and add_slab(), sum += (sub-scale * dot) << the tokens' shifts.
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
        Format::template add_slab<N>(codes + j * kSlabBytes, at.slab(j), scale, sum);
      }
      ahead.template follow<kLayout.scale_bytes>(at.record + kLayout.code_bytes);
      const IntSums<N> min = multiply_minima<typename Format::Products, N>(pair, at.x, at.tokens);
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

/// The sums of a block of a format without minima, to the tokens' numbers.
template <int N>
BALEEN_INLINE void add_scaled_sums(const Cursor& at, PanelLayout layout, const IntSums<N>& sum,
                                   Sums<N>& out) {
  BALEEN_UNROLL
  for (int half = 0; half < out.kHalves; ++half) {
    const __m256 d = load_halves(at.scales(layout, half));
    BALEEN_UNROLL
    for (int t = 0; t < N; ++t) {
      const __m256 scale = _mm256_mul_ps(d, broadcast_float(at.x + kScale256 * at.tokens + t * 4));
      out.of[half][t] = _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(sum.of[half][t]), out.of[half][t]);
    }
  }
}

}  // namespace baleen::avx2
