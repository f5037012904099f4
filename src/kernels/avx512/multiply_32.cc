// Products with weights in blocks of 32 (formulas: kernels/ref/multiply_32.cc). 16 rows lie in the lanes, one vpdpbusd
// takes a k-group of all of them times four activations broadcast from memory. Weights are unsigned; the accumulator
// starts at -offset * sum of the activations.
#include <type_traits>

#include "kernels/avx512/matmul.h"
#include "kernels/avx512/vectors.h"

namespace baleen::avx512 {
namespace {

/// k-group g of a slab. kShuffled: bit g says whether shuffles spread the activations of eight tokens.
template <unsigned kShuffled, int T>
BALEEN_INLINE void add_group(int g, __m512i code, const std::byte* x, __m512i (&dot)[T]) {
  x += g * T * 4;
  if constexpr (T == 8 && kShuffled != 0) {
    if ((kShuffled >> g & 1) != 0) return dot_group_by_shuffles(code, x, dot);
  }
  dot_group<T>(code, x, dot);
}

/// A format says: kType, kOffset8 (log2 of its offset / 8, or -1 without one) and dot().
template <unsigned kShuffled>
struct Q40 {
  static constexpr BlockType kType = BlockType::q4_0;
  static constexpr int kOffset8 = 0;
  template <int T>
  BALEEN_INLINE void dot(const std::byte* codes, const std::byte* x, __m512i (&dot)[T]) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const Pair code = nibbles(codes + v * 64);
      add_group<kShuffled>(2 * v, code.low, x, dot);
      add_group<kShuffled>(2 * v + 1, code.high, x, dot);
    }
  }
};

struct Q41 : Q40<0> {
  static constexpr BlockType kType = BlockType::q4_1;
  static constexpr int kOffset8 = -1;
};

template <unsigned kShuffled>
struct Q50 {
  static constexpr BlockType kType = BlockType::q5_0;
  static constexpr int kOffset8 = 1;
  template <int T>
  BALEEN_INLINE void dot(const std::byte* codes, const std::byte* x, __m512i (&dot)[T]) {
    const __m512i sixteen = _mm512_set1_epi8(16);
    __m512i bits = load(codes + kNibbleSlabBytes);
    // bit g of a byte goes to bit 4; what crosses into the neighbouring byte is masked away
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
      add_group<kShuffled>(2 * v, add_bits<T>(code.low, at_4[2 * v], sixteen), x, dot);
      add_group<kShuffled>(2 * v + 1, add_bits<T>(code.high, at_4[2 * v + 1], sixteen), x, dot);
    }
  }
};

struct Q51 : Q50<0> {
  static constexpr BlockType kType = BlockType::q5_1;
  static constexpr int kOffset8 = -1;
};

template <unsigned kShuffled>
struct Q80 {
  static constexpr BlockType kType = BlockType::q8_0;
  static constexpr int kOffset8 = 4;  // int8 + 128
  template <int T>
  BALEEN_INLINE void dot(const std::byte* codes, const std::byte* x, __m512i (&dot)[T]) {
    const __m512i flip = _mm512_set1_epi8(-128);
#pragma GCC unroll 8
    for (int g = 0; g < 8; ++g) add_group<kShuffled>(g, _mm512_xor_si512(load(codes + g * 64), flip), x, dot);
  }
};

/// Any type of small numbers under a float32 scale: their panels are alike.
template <unsigned kShuffled>
struct I8 : Q80<kShuffled> {
  static constexpr BlockType kType = BlockType::iq4_nl;
};

template <PanelScales kScales>
BALEEN_INLINE __m512 load_scales(const std::byte* scales) {
  if constexpr (kScales == PanelScales::floats) return _mm512_loadu_ps(scales);
  return load_halves(scales);
}

template <class Format>
struct Blocks32 {
  template <int T>
  struct Kernel {
    static void run(const MatmulTile& tile) {
      constexpr PanelLayout kLayout = panel_layout(Format::kType);
      const int64_t blocks = tile.cols / kSlab;
      const std::byte *codes = tile.panel, *x = tile.x;
      __m512 out[T];
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) out[t] = _mm512_setzero_ps();
      using Fetching = std::conditional_t<kLayout.record_bytes % 64 == 0, Ahead, AheadToTheLine>;
      auto ahead = Fetching::of(tile, blocks);
      for (int64_t b = 0; b < blocks; ++b) {
        ahead.step();
        __m512i dot[T];
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t) {
          dot[t] = Format::kOffset8 < 0 ? _mm512_setzero_si512() : broadcast_int(x + kSum32 * T + t * 4);
          if constexpr (Format::kOffset8 > 0) dot[t] = _mm512_slli_epi32(dot[t], Format::kOffset8);
        }
        Format::template dot<T>(codes, x, dot);
        const __m512 d = load_scales<kLayout.scales>(codes + kLayout.code_bytes);
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t)
          out[t] = _mm512_fmadd_ps(_mm512_mul_ps(d, broadcast_float(x + kScale32 * T + t * 4)),
                                   _mm512_cvtepi32_ps(dot[t]), out[t]);
        if constexpr (kLayout.scales == PanelScales::halves_and_minima) {
          const __m512 m = load_halves(codes + kLayout.code_bytes + 32);
          BALEEN_EACH_TOKEN
          for (int t = 0; t < T; ++t)
            out[t] = _mm512_fmadd_ps(m, broadcast_float(x + kScaledSum32 * T + t * 4), out[t]);
        }
        codes += kLayout.record_bytes;
        x += kRecord32 * T;
      }
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) put(tile, t, out[t]);
    }
  };
};

}  // namespace

void multiply_q4_0(const MatmulTile& tile) { for_tokens<Blocks32<Q40<0>>::Kernel>(tile); }
void multiply_q4_1(const MatmulTile& tile) { for_tokens<Blocks32<Q41>::Kernel>(tile); }
void multiply_q5_0(const MatmulTile& tile) { for_tokens<Blocks32<Q50<0>>::Kernel>(tile); }
void multiply_q5_1(const MatmulTile& tile) { for_tokens<Blocks32<Q51>::Kernel>(tile); }
void multiply_q8_0(const MatmulTile& tile) { for_tokens<Blocks32<Q80<0>>::Kernel>(tile); }
void multiply_i8(const MatmulTile& tile) { for_tokens<Blocks32<I8<0>>::Kernel>(tile); }

// With the groups that were fastest (docs/kernels/products.md, "Whole vectors beside additions"). Few tokens have the
// kernels above.
void multiply_q4_0_by_shuffles(const MatmulTile& tile) {
  tile.tokens == 8 ? Blocks32<Q40<0b1>>::Kernel<8>::run(tile) : multiply_q4_0(tile);
}
void multiply_q5_0_by_shuffles(const MatmulTile& tile) {
  tile.tokens == 8 ? Blocks32<Q50<0b101>>::Kernel<8>::run(tile) : multiply_q5_0(tile);
}
void multiply_q8_0_by_shuffles(const MatmulTile& tile) {
  tile.tokens == 8 ? Blocks32<Q80<0b1010101>>::Kernel<8>::run(tile) : multiply_q8_0(tile);
}
void multiply_i8_by_shuffles(const MatmulTile& tile) {
  tile.tokens == 8 ? Blocks32<I8<0b1010101>>::Kernel<8>::run(tile) : multiply_i8(tile);
}

}  // namespace baleen::avx512
