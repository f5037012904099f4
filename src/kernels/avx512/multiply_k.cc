// Products with K formats (formulas: kernels/ref/multiply_k.cc). A sub-block's dot product is multiplied by
// the weight's sub-scale in int32 and shifted by the activations'; Q6_K's accumulators start at -32 * sum of
// the activations.
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

struct Q4K {
  static constexpr BlockType kType = BlockType::q4_k;
  template <int T>
  BALEEN_INLINE void dot(const std::byte* codes, int slab, const std::byte* x, __m512i (&dot)[T]) {
    codes += slab * kNibbleSlabBytes;
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const Pair code = nibbles(codes + v * 64);
      dot_group<T>(code.low, x + 2 * v * T * 4, dot);
      dot_group<T>(code.high, x + (2 * v + 1) * T * 4, dot);
    }
  }
};

struct Q5K {
  static constexpr BlockType kType = BlockType::q5_k;
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
      dot_group<T>(add_bits(code.low, at_4[2 * v], sixteen), x + 2 * v * T * 4, dot);
      dot_group<T>(add_bits(code.high, at_4[2 * v + 1], sixteen), x + (2 * v + 1) * T * 4, dot);
    }
  }
};

template <class Format>
struct WithMinima {
  template <int T>
  struct Kernel {
    BALEEN_INLINE void block(const std::byte* record, const std::byte* x, Ahead& ahead, __m512 (&out)[T]) {
      constexpr PanelLayout kLayout = panel_layout(Format::kType);
      const std::byte *sub_scales = record + kLayout.sub_scales, *codes = record + kLayout.codes,
                      *scales = record + kLayout.code_bytes;
      __m512i sum[T], pair[4], four_scales = load(sub_scales);
      unpack_minima(sub_scales, pair);
      if constexpr (T > 2) keep_in_memory(pair);
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) sum[t] = _mm512_setzero_si512();
      for (int j = 0; j < kSlabs; ++j) {
        ahead.step();
        __m512i dot[T];
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t) dot[t] = _mm512_setzero_si512();
        Format::template dot<T>(codes, j, x + j * kSlab * T, dot);
        if (j == kSlabs / 2) four_scales = load(sub_scales + 64);
        const __m512i scale = _mm512_and_si512(four_scales, _mm512_set1_epi32(63));
        four_scales = _mm512_srli_epi32(four_scales, 8);
        add_scaled<T>(dot, scale, x + (kShift256 + j * 4) * T, sum);
      }
      const __m512 d = load_halves(scales), dmin = load_halves(scales + 32);
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t)
        out[t] = _mm512_fmadd_ps(_mm512_mul_ps(d, broadcast_float(x + kScale256 * T + t * 4)),
                                 _mm512_cvtepi32_ps(sum[t]), out[t]);
      multiply_minima(pair, x, sum);
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t)
        out[t] = _mm512_fnmadd_ps(_mm512_mul_ps(dmin, broadcast_float(x + kScale256 * T + t * 4)),
                                  _mm512_cvtepi32_ps(sum[t]), out[t]);
    }

    /// The products of the codes need all registers: without this the compiler spills sums.
    BALEEN_INLINE void keep_in_memory(__m512i (&pair)[4]) {
      asm volatile("" : "+m"(pair[0]), "+m"(pair[1]), "+m"(pair[2]), "+m"(pair[3]));
    }

    /// Minima 2j and 2j + 1 of each row as words.
    BALEEN_INLINE void unpack_minima(const std::byte* sub_scales, __m512i (&pair)[4]) {
      const __m512i mask = _mm512_set1_epi8(48), bytes = _mm512_set1_epi16(255);
      const Pair low = nibbles(sub_scales + 128);
      const __m512i first = add_bits(low.low, _mm512_srli_epi16(load(sub_scales), 2), mask),
                    second = add_bits(low.high, _mm512_srli_epi16(load(sub_scales + 64), 2), mask);
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
      constexpr PanelLayout kLayout = panel_layout(Format::kType);
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
  /// Half a slab: 16 k of bits 4 and 5 in one vector.
  BALEEN_INLINE void dot_half(const std::byte* codes, __m512i bits, const std::byte* x, __m512i (&dot)[T]) {
    const __m512i mask = _mm512_set1_epi8(48);
    const Pair first = nibbles(codes), second = nibbles(codes + 64);
    dot_group<T>(add_bits(first.low, _mm512_slli_epi16(bits, 4), mask), x, dot);
    dot_group<T>(add_bits(first.high, _mm512_slli_epi16(bits, 2), mask), x + T * 4, dot);
    dot_group<T>(add_bits(second.low, bits, mask), x + 2 * T * 4, dot);
    dot_group<T>(add_bits(second.high, _mm512_srli_epi16(bits, 2), mask), x + 3 * T * 4, dot);
  }

  BALEEN_INLINE void block(const std::byte* record, const std::byte* x, Ahead& ahead, __m512 (&out)[T]) {
    constexpr PanelLayout kLayout = panel_layout(BlockType::q6_k);
    const std::byte *sub_scales = record + kLayout.sub_scales, *scales = record + kLayout.code_bytes;
    __m512i sum[T];
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t) sum[t] = _mm512_setzero_si512();
    for (int half = 0; half < 2 * kSlabs; ++half) {
      ahead.step();
      __m512i dot[T];
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) dot[t] = broadcast_int(x + (kSum16s256 + half * 4) * T + t * 4);
      const std::byte* slab = record + kLayout.codes + half / 2 * kSlab6Bytes;
      dot_half(slab + half % 2 * (kNibbleSlabBytes / 2), load(slab + kNibbleSlabBytes + half % 2 * 64),
               x + half * 16 * T, dot);
      const __m512i scale = _mm512_cvtepi8_epi32(
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(sub_scales + half * kPanelRows)));
      add_scaled<T>(dot, scale, x + (kShift256 + half / 2 * 4) * T, sum);
    }
    const __m512 d = load_halves(scales);
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t)
      out[t] = _mm512_fmadd_ps(_mm512_mul_ps(d, broadcast_float(x + kScale256 * T + t * 4)),
                               _mm512_cvtepi32_ps(sum[t]), out[t]);
  }

  static void run(const MatmulTile& tile) {
    constexpr PanelLayout kLayout = panel_layout(BlockType::q6_k);
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
