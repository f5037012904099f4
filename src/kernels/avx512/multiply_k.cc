// Products with K formats (formulas: kernels/ref/multiply_k.cc). A sub-block's dot product is multiplied by
// the weight's sub-scale in int32 and shifted by the activations'; Q6_K's accumulators start at -32 * sum of
// the activations. Where the activations' bounds say that dot products fit into 16 bits, as nearly always, two of them
// are multiplied at once, as words, and several rows need fewer multiplications for it.
#include "kernels/avx512/matmul.h"
#include "kernels/avx512/vectors.h"

namespace baleen::avx512 {
namespace {

constexpr int kSlabs = 8;

/// sum[t] += (dot[t] * scale) << shift[t]
template <int T>
BALEEN_INLINE void add_scaled(const __m512i (&dot)[T], __m512i scale, const std::byte* shift,
                              __m512i (&sum)[T]) {
  BALEEN_EACH_TOKEN
  for (int t = 0; t < T; ++t)
    sum[t] = _mm512_add_epi32(sum[t], shifted_left(_mm512_mullo_epi32(dot[t], scale), shift + t * 4));
}

/// Are the bounds of a block's codes (activation_layout.h) within these limits, so that its dot products are words?
template <int T>
BALEEN_INLINE bool within(const std::byte* x, uint32_t one_sign, uint32_t magnitudes) {
  constexpr uint32_t kTops = 0x80008000;  // of both words; bounds and limits do not have them
  const uint32_t limits = magnitudes << 16 | one_sign | kTops;
  uint32_t left = kTops;
  BALEEN_EACH_TOKEN
  for (int t = 0; t < T; ++t) {
    uint32_t bounds;
    std::memcpy(&bounds, x + kBounds256 * T + t * 4, sizeof bounds);
    left &= limits - bounds;
  }
  return left == kTops;
}

/// The products of pairs need all registers: without this the compiler spills their sums.
template <int T>
BALEEN_INLINE void keep_in_memory(__m512 (&out)[T]) {
  BALEEN_EACH_TOKEN
  for (int t = 0; t < T; ++t) asm volatile("" : "+m"(out[t]));
}

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

template <class Format>
struct WithMinima {
  template <int T>
  struct Kernel {
    static constexpr PanelLayout kLayout = panel_layout(Format::kType);

    BALEEN_INLINE void block(const std::byte* record, const std::byte* x, Ahead& ahead, __m512 (&out)[T]) {
      const std::byte* scales = record + kLayout.code_bytes;
      __m512i sum[T], pair[4];
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) sum[t] = _mm512_setzero_si512();
      if (T >= kManyTokens && within<T>(x, 0x7FFF / Format::kLargest, 0x7FFF)) {
        keep_in_memory(out);
        multiply_pairs(record, x, ahead, sum);
      } else {
        multiply_sub_blocks(record, x, ahead, sum);
      }
      unpack_minima(record + kLayout.sub_scales, pair);
      __m512i min[T];
      multiply_minima(pair, x, min);
      const __m512 d = load_halves(scales), dmin = load_halves(scales + 32);
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) {
        const __m512 less = _mm512_mul_ps(dmin, _mm512_cvtepi32_ps(min[t]));
        const __m512 product = _mm512_fmsub_ps(d, _mm512_cvtepi32_ps(sum[t]), less);
        out[t] = _mm512_fmadd_ps(product, broadcast_float(x + kScale256 * T + t * 4), out[t]);
      }
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
      // sub-scales 0 and 1 of a row's four as words
      const __m512i two = _mm512_set4_epi32(0x800D800C, 0x80098008, 0x80058004, 0x80018000);
      const std::byte* sub_scales = record + kLayout.sub_scales;
      __m512i four_scales = load(sub_scales);
      for (int i = 0; i < kSlabs / 2; ++i) {
        ahead.step();
        ahead.step();
        if (i == kSlabs / 4) four_scales = load(sub_scales + 64);
        const __m512i scale = _mm512_and_si512(_mm512_shuffle_epi8(four_scales, two), _mm512_set1_epi16(63));
        four_scales = _mm512_srli_epi32(four_scales, 16);
        __m512i first[T], second[T];
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t) first[t] = second[t] = _mm512_setzero_si512();
        Format::template dot<T>(record + kLayout.codes, 2 * i, x + 2 * i * kSlab * T, first);
        Format::template dot<T>(record + kLayout.codes, 2 * i + 1, x + (2 * i + 1) * kSlab * T, second);
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t) {
          const __m512i shifts = broadcast_int(x + (kShiftPairs256 + i * 4) * T + t * 4);
          sum[t] =
              _mm512_dpwssd_epi32(sum[t], words_of(first[t], second[t]), _mm512_sllv_epi16(scale, shifts));
        }
      }
    }

    /// Minima 2j and 2j + 1 of each row as words.
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

    /// sum[t] = sum_j min[j] * shifted sum of the activations, two j at once in int16.
    BALEEN_INLINE void multiply_minima(const __m512i (&pair)[4], const std::byte* x, __m512i (&sum)[T]) {
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) sum[t] = _mm512_setzero_si512();
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) add_dot_of_words(sum[t], pair[j], x + kSums256 * T + (j * T + t) * 4);
    }

    static void run(const MatmulTile& tile) {
      const int64_t blocks = tile.cols / 256;
      const std::byte *record = tile.panel, *x = tile.x;
      __m512 out[T];
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) out[t] = _mm512_setzero_ps();
      Ahead ahead = Ahead::of(tile, blocks * kSlabs);
      for (int64_t b = 0; b < blocks; ++b) {
        block(record, x, ahead, out);
        record += kLayout.record_bytes;
        x += kRecord256 * T;
      }
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) put(tile, t, out[t]);
    }
  };
};

template <int T>
struct Q6K {
  static constexpr PanelLayout kLayout = panel_layout(BlockType::q6_k);

  /// Dot products of half a slab, 16 k of bits 4 and 5 in one vector.
  BALEEN_INLINE void dot_half(const std::byte* record, int half, const std::byte* x, __m512i (&dot)[T]) {
    const std::byte* slab = record + kLayout.codes + half / 2 * kSlab6Bytes;
    const std::byte* codes = slab + half % 2 * (kNibbleSlabBytes / 2);
    const __m512i mask = _mm512_set1_epi8(48), bits = load(slab + kNibbleSlabBytes + half % 2 * 64);
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t) dot[t] = broadcast_int(x + (kSum16s256 + half * 4) * T + t * 4);
    x += half * 16 * T;
    const Pair first = nibbles(codes), second = nibbles(codes + 64);
    dot_group(add_bits<T>(first.low, _mm512_slli_epi16(bits, 4), mask), x, dot);
    dot_group(add_bits<T>(first.high, _mm512_slli_epi16(bits, 2), mask), x + T * 4, dot);
    dot_group(add_bits<T>(second.low, bits, mask), x + 2 * T * 4, dot);
    dot_group(add_bits<T>(second.high, _mm512_srli_epi16(bits, 2), mask), x + 3 * T * 4, dot);
  }

  /// Sub-scales of the rows.
  BALEEN_INLINE __m512i scales_of(const std::byte* record, int half) {
    return _mm512_cvtepi8_epi32(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(record + kLayout.sub_scales + half * kPanelRows)));
  }

  /// sum[t] += sum_j (sc[j] * dot[j]) << shift[j / 2]
  BALEEN_INLINE void multiply_sub_blocks(const std::byte* record, const std::byte* x, Ahead& ahead,
                                         __m512i (&sum)[T]) {
    for (int half = 0; half < 2 * kSlabs; ++half) {
      ahead.step();
      __m512i dot[T];
      dot_half(record, half, x, dot);
      add_scaled<T>(dot, scales_of(record, half), x + (kShift256 + half / 2 * 4) * T, sum);
    }
  }

  /// The same where dot products are words, two at once.
  BALEEN_INLINE void multiply_pairs(const std::byte* record, const std::byte* x, Ahead& ahead,
                                    __m512i (&sum)[T]) {
    for (int i = 0; i < kSlabs; ++i) {
      ahead.step();
      ahead.step();
      const int even = i / 2 * 4 + i % 2,
                odd = even + 2;  // halves of two sub-blocks, whose shifts lie side by side
      __m512i first[T], second[T];
      dot_half(record, even, x, first);
      dot_half(record, odd, x, second);
      const __m512i scale = words_of(scales_of(record, even), scales_of(record, odd));
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) {
        const __m512i shifts = broadcast_int(x + (kShiftPairs256 + i / 2 * 4) * T + t * 4);
        sum[t] = _mm512_dpwssd_epi32(sum[t], words_of(first[t], second[t]), _mm512_sllv_epi16(scale, shifts));
      }
    }
  }

  BALEEN_INLINE void block(const std::byte* record, const std::byte* x, Ahead& ahead, __m512 (&out)[T]) {
    __m512i sum[T];
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t) sum[t] = _mm512_setzero_si512();
    if (T >= kManyTokens && within<T>(x, 0x7FFF, 0x7FFF / 32)) {
      keep_in_memory(out);
      multiply_pairs(record, x, ahead, sum);
    } else {
      multiply_sub_blocks(record, x, ahead, sum);
    }
    const __m512 d = load_halves(record + kLayout.code_bytes);
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t)
      out[t] = _mm512_fmadd_ps(_mm512_mul_ps(d, broadcast_float(x + kScale256 * T + t * 4)),
                               _mm512_cvtepi32_ps(sum[t]), out[t]);
  }

  static void run(const MatmulTile& tile) {
    const int64_t blocks = tile.cols / 256;
    const std::byte *record = tile.panel, *x = tile.x;
    __m512 out[T];
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t) out[t] = _mm512_setzero_ps();
    Ahead ahead = Ahead::of(tile, blocks * 2 * kSlabs);
    for (int64_t b = 0; b < blocks; ++b) {
      block(record, x, ahead, out);
      record += kLayout.record_bytes;
      x += kRecord256 * T;
    }
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t) put(tile, t, out[t]);
  }
};

}  // namespace

void multiply_q4_k(const MatmulTile& tile) { for_tokens<WithMinima<Q4K>::Kernel>(tile); }
void multiply_q5_k(const MatmulTile& tile) { for_tokens<WithMinima<Q5K>::Kernel>(tile); }
void multiply_q6_k(const MatmulTile& tile) { for_tokens<Q6K>(tile); }

}  // namespace baleen::avx512
