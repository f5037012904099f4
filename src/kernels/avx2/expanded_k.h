// Blocks of K formats laid open for several tiles (tiles.h; formulas: kernels/ref/multiply_k.cc).
#pragma once

#include "kernels/avx2/sub_blocks.h"
#include "kernels/avx2/tiles.h"

namespace baleen::avx2 {

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

/// A block of Q4_K: codes as bytes, sub-scales as pairs of words.
struct ExpandedQ4K {
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

  /// The block's sums of N tokens, whose scales are given, to their numbers.
  template <int N>
  [[gnu::always_inline]] void finish(const Waiting<N>& sum, const IntSums<N>& min,
                                     const std::byte* token_scales, float* sums) const {
    update<N>(sums, [&] [[gnu::always_inline]] (int half, int t, __m256 out) {
      const __m256 less = _mm256_mul_ps(dmin[half], _mm256_cvtepi32_ps(min.of[half][t]));
      const __m256 product = _mm256_fmsub_ps(d[half], _mm256_cvtepi32_ps(sum.of[half][t]), less);
      return _mm256_fmadd_ps(product, broadcast_float(token_scales + t * 4), out);
    });
  }
};

/// A block of Q6_K, likewise.
struct ExpandedQ6K {
  static constexpr PanelLayout kLayout = panel_layout(BlockType::q6_k);
  static constexpr int kActivationBytes = kRecord256;

  alignas(32) std::byte codes[kSlabs][kSlabCodes];
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

  template <int N>
  [[gnu::always_inline]] void finish(const Waiting<N>& sum, const std::byte* token_scales,
                                     float* sums) const {
    update<N>(sums, [&] [[gnu::always_inline]] (int half, int t, __m256 out) {
      const __m256 scale = _mm256_mul_ps(d[half], broadcast_float(token_scales + t * 4));
      return _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(sum.of[half][t]), out);
    });
  }

 private:
  [[gnu::always_inline]] static void expand_slab_6(const std::byte* from, std::byte* to) {
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
};

}  // namespace baleen::avx2
