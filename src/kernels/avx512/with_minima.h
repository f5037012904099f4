// Q4_K and Q5_K, whose sub-blocks have minima (formulas: kernels/ref/multiply_k.cc).
#pragma once

#include "kernels/avx512/k_blocks.h"

namespace baleen::avx512 {

struct Q4K {
  static constexpr BlockType kType = BlockType::q4_k;
  static constexpr int kLargest = 15;
  template <int T>
  BALEEN_INLINE void dot(const std::byte* codes, int slab, const std::byte* x, __m512i (&dot)[T]) {
    codes += slab * kNibbleSlabBytes;
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const Pair code = nibbles(codes + v * 64);
      dot_group(code.low, x + 2 * v * T * 4, dot);
      dot_group(code.high, x + (2 * v + 1) * T * 4, dot);
    }
  }
};

struct Q5K {
  static constexpr BlockType kType = BlockType::q5_k;
  static constexpr int kLargest = 31;
  template <int T>
  BALEEN_INLINE void dot(const std::byte* codes, int slab, const std::byte* x, __m512i (&dot)[T]) {
    codes += slab * kSlab5Bytes;
    const __m512i sixteen = _mm512_set1_epi8(16), bits = load(codes + kNibbleSlabBytes);
    const __m512i at_4[8] = {_mm512_slli_epi16(bits, 4),
                             _mm512_slli_epi16(bits, 3),
                             _mm512_slli_epi16(bits, 2),
                             _mm512_slli_epi16(bits, 1),
                             bits,
                             _mm512_srli_epi16(bits, 1),
                             _mm512_srli_epi16(bits, 2),
                             _mm512_srli_epi16(bits, 3)};
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const Pair code = nibbles(codes + v * 64);
      dot_group(add_bits<T>(code.low, at_4[2 * v], sixteen), x + 2 * v * T * 4, dot);
      dot_group(add_bits<T>(code.high, at_4[2 * v + 1], sixteen), x + (2 * v + 1) * T * 4, dot);
    }
  }
};

/// Sub-scales 2 * pair and the next one of each row as words.
BALEEN_INLINE __m512i scales_of_pair(const std::byte* sub_scales, int pair) {
  const __m512i two =
      _mm512_set4_epi32(0x800D800C, 0x80098008, 0x80058004, 0x80018000);  // of a row's four bytes
  const __m512i four = load(sub_scales + pair / 2 * 64);
  const __m512i from = pair % 2 == 0 ? four : _mm512_srli_epi32(four, 16);
  return _mm512_and_si512(_mm512_shuffle_epi8(from, two), _mm512_set1_epi16(63));
}

/// Minima 2j and 2j + 1 of each row as words.
template <int T>
BALEEN_INLINE void unpack_minima(const std::byte* sub_scales, __m512i (&pair)[4]) {
  const __m512i mask = _mm512_set1_epi8(48), bytes = _mm512_set1_epi16(255);
  const Pair low = nibbles(sub_scales + 128);
  const __m512i first = add_bits<T>(low.low, _mm512_srli_epi16(load(sub_scales), 2), mask),
                second = add_bits<T>(low.high, _mm512_srli_epi16(load(sub_scales + 64), 2), mask);
  pair[0] = _mm512_and_si512(first, bytes);
  pair[1] = _mm512_srli_epi16(first, 8);
  pair[2] = _mm512_and_si512(second, bytes);
  pair[3] = _mm512_srli_epi16(second, 8);
}

/// Of the rows of a block.
struct BlockScales {
  __m512 scale, min;

  BALEEN_INLINE BlockScales of(const std::byte* scales) {
    return {load_halves(scales), load_halves(scales + 32)};
  }

  /// A token's sums, to its number.
  [[gnu::always_inline]] void add(__m512i sum, __m512i minima, const std::byte* token_scale,
                                  __m512& out) const {
    const __m512 less = _mm512_mul_ps(min, _mm512_cvtepi32_ps(minima));
    const __m512 product = _mm512_fmsub_ps(scale, _mm512_cvtepi32_ps(sum), less);
    out = _mm512_fmadd_ps(product, broadcast_float(token_scale), out);
  }
};

/// sum[t] = sum_j min[j] * shifted sum of the activations, two j at once in int16.
template <int T>
BALEEN_INLINE void multiply_minima(const __m512i (&pair)[4], const std::byte* x, __m512i (&sum)[T]) {
  BALEEN_EACH_TOKEN
  for (int t = 0; t < T; ++t) sum[t] = _mm512_setzero_si512();
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) BALEEN_EACH_TOKEN
  for (int t = 0; t < T; ++t) add_dot_of_words(sum[t], pair[j], x + kSums256 * T + (j * T + t) * 4);
}

template <class Format>
struct WithMinima {
  template <int T>
  struct Kernel {
    static constexpr PanelLayout kLayout = panel_layout(Format::kType);
    static constexpr int kRecordBytes = kLayout.record_bytes;
    static constexpr int kSteps = kSlabs;
    using Fetching = Ahead;

    template <bool kWords>
    BALEEN_INLINE void block(const std::byte* record, const std::byte* x, Ahead& ahead, __m512 (&out)[T]) {
      __m512i sum[T], pair[4];
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) sum[t] = _mm512_setzero_si512();
      if constexpr (kWords) {
        keep_in_memory(out);
        multiply_pairs(record, x, ahead, sum);
      } else {
        multiply_sub_blocks(record, x, ahead, sum);
      }
      unpack_minima<T>(record + kLayout.sub_scales, pair);
      __m512i min[T];
      multiply_minima<T>(pair, x, min);
      const BlockScales scales = BlockScales::of(record + kLayout.code_bytes);
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) scales.add(sum[t], min[t], x + kScale256 * T + t * 4, out[t]);
    }

    /// sum[t] += sum_j (sc[j] * dot[j]) << shift[j]
    BALEEN_INLINE void multiply_sub_blocks(const std::byte* record, const std::byte* x, Ahead& ahead,
                                           __m512i (&sum)[T]) {
      const std::byte* sub_scales = record + kLayout.sub_scales;
      __m512i four_scales = load(sub_scales);
      for (int j = 0; j < kSlabs; ++j) {
        ahead.step();
        __m512i dot[T];
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t) dot[t] = _mm512_setzero_si512();
        Format::template dot<T>(record + kLayout.codes, j, x + j * kSlab * T, dot);
        if (j == kSlabs / 2) four_scales = load(sub_scales + 64);
        const __m512i scale = _mm512_and_si512(four_scales, _mm512_set1_epi32(63));
        four_scales = _mm512_srli_epi32(four_scales, 8);
        add_scaled<T>(dot, scale, x + (kShift256 + j * 4) * T, sum);
      }
    }

    /// The same where dot products are words: those of two sub-blocks times their shifted sub-scales at once.
    BALEEN_INLINE void multiply_pairs(const std::byte* record, const std::byte* x, Ahead& ahead,
                                      __m512i (&sum)[T]) {
      for (int i = 0; i < kSlabs / 2; ++i) {
        ahead.step();
        ahead.step();
        const __m512i scale = scales_of_pair(record + kLayout.sub_scales, i);
        __m512i first[T], second[T];
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t) first[t] = second[t] = _mm512_setzero_si512();
        Format::template dot<T>(record + kLayout.codes, 2 * i, x + 2 * i * kSlab * T, first);
        Format::template dot<T>(record + kLayout.codes, 2 * i + 1, x + (2 * i + 1) * kSlab * T, second);
        add_pairs<T>(first, second, scale, x + (kShiftPairs256 + i * 4) * T, sum);
      }
    }

    static void run(const MatmulTile& tile) { multiply_k<T, Kernel>(tile, word_limits(Format::kLargest)); }
  };
};

}  // namespace baleen::avx512
