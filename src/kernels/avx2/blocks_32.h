// A kernel of products with weights in blocks of 32 (formulas: kernels/ref/multiply_32.cc), whatever multiplies
// the codes.
#pragma once

#include "kernels/avx2/vectors.h"

namespace baleen::avx2 {

template <PanelScales kScales>
BALEEN_INLINE __m256 load_scales(const std::byte* scales, int half) {
  if constexpr (kScales == PanelScales::floats)
    return _mm256_loadu_ps(reinterpret_cast<const float*>(scales + half * 32));
  return load_halves(scales + half * 16);
}

/// A format says: kType, kOffset8 (log2 of its offset / 8, or -1 without one) and dot(), the int32 sums of a block.
template <class Format>
struct Blocks32 {
  template <int N>
  struct Kernel {
    static constexpr bool kMinima = panel_layout(Format::kType).scales == PanelScales::halves_and_minima;

    BALEEN_INLINE void block(const std::byte* codes, const std::byte* scales, const Pass& pass,
                             const std::byte* x, Sums<N>& out) {
      const int64_t tokens = pass.tokens;
      IntSums<N> dot;
      Format::template dot<N>(codes, x, tokens * 4, dot);
      BALEEN_UNROLL
      for (int half = 0; half < out.kHalves; ++half) {
        const __m256 d = load_scales<panel_layout(Format::kType).scales>(scales, pass.half + half);
        BALEEN_UNROLL
        for (int t = 0; t < N; ++t) {
          __m256i sum = dot.of[half][t];
          if constexpr (Format::kOffset8 >= 0)
            sum = _mm256_add_epi32(
                sum, _mm256_slli_epi32(broadcast_int(x + kSum32 * tokens + t * 4), Format::kOffset8));
          const __m256 scale = _mm256_mul_ps(d, broadcast_float(x + kScale32 * tokens + t * 4));
          out.of[half][t] = _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(sum), out.of[half][t]);
          if constexpr (!kMinima) leave_in_memory<N>(out.of[half][t]);
        }
        if constexpr (kMinima) {
          const __m256 m = load_halves(scales + 32 + (pass.half + half) * 16);
          BALEEN_UNROLL
          for (int t = 0; t < N; ++t) {
            out.of[half][t] =
                _mm256_fmadd_ps(m, broadcast_float(x + kScaledSum32 * tokens + t * 4), out.of[half][t]);
            leave_in_memory<N>(out.of[half][t]);
          }
        }
      }
    }

    static Sums<N> run(const Pass& pass) {
      constexpr PanelLayout kLayout = panel_layout(Format::kType);
      const int64_t blocks = pass.cols / kSlab;
      const std::byte *record = pass.panel, *x = pass.x;
      Sums<N> out = Sums<N>::zero();
      Ahead<N> ahead(pass, blocks);
      for (int64_t b = 0; b < blocks; ++b) {
        ahead.template step<kLayout.record_bytes>(record);
        block(record + pass.half * 32, record + kLayout.code_bytes, pass, x, out);
        record += kLayout.record_bytes;
        x += kRecord32 * pass.tokens;
      }
      return out;
    }
  };
};

}  // namespace baleen::avx2
