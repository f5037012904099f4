// Products with weights in blocks of 32 (formulas: kernels/ref/multiply_32.cc). vpmaddubsw multiplies a k-group of 8
// rows with four activations; its 16-bit sums are added over as many groups as cannot overflow, then widened.
#include "kernels/avx2/matmul.h"
#include "kernels/avx2/vectors.h"

namespace baleen::avx2 {
namespace {

/// A format says: kType, kOffset8 (log2 of its offset / 8, or -1 without one) and dot(), the int32 sums of a block.
struct Q40 {
  static constexpr BlockType kType = BlockType::q4_0;
  static constexpr int kOffset8 = 0;
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, const std::byte* x, int64_t group_bytes, IntSums<N>& sums) {
    const __m256i ones = _mm256_set1_epi16(1);
    dot_slab_4<N>(codes, x, group_bytes, sums);
    BALEEN_UNROLL
    for (int half = 0; half < 2; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) sums.of[half][t] = _mm256_madd_epi16(sums.of[half][t], ones);
  }
};

struct Q41 : Q40 {
  static constexpr BlockType kType = BlockType::q4_1;
  static constexpr int kOffset8 = -1;
};

struct Q50 {
  static constexpr BlockType kType = BlockType::q5_0;
  static constexpr int kOffset8 = 1;
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, const std::byte* x, int64_t group_bytes, IntSums<N>& sums) {
    const __m256i ones = _mm256_set1_epi16(1);
    dot_half_slab_5<N, 0>(codes, codes + kNibbleSlabBytes, x, group_bytes, sums);
    BALEEN_UNROLL
    for (int half = 0; half < 2; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) sums.of[half][t] = _mm256_madd_epi16(sums.of[half][t], ones);
    IntSums<N> second;
    dot_half_slab_5<N, 2>(codes, codes + kNibbleSlabBytes, x, group_bytes, second);
    BALEEN_UNROLL
    for (int half = 0; half < 2; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t)
      sums.of[half][t] = _mm256_add_epi32(sums.of[half][t], _mm256_madd_epi16(second.of[half][t], ones));
  }
};

struct Q51 : Q50 {
  static constexpr BlockType kType = BlockType::q5_1;
  static constexpr int kOffset8 = -1;
};

/// |w| is unsigned, its sign moves to the activation: 2 * 128 * 127 fits 16 bits, one group at a time.
struct Q80 {
  static constexpr BlockType kType = BlockType::q8_0;
  static constexpr int kOffset8 = -1;
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, const std::byte* x, int64_t group_bytes, IntSums<N>& sums) {
    const __m256i ones = _mm256_set1_epi16(1);
    BALEEN_UNROLL
    for (int t = 0; t < N; ++t) sums.of[0][t] = sums.of[1][t] = _mm256_setzero_si256();
    for (int g = 0; g < 8; ++g) {
      const __m256i w[2] = {load(codes), load(codes + 32)};
      const __m256i magnitude[2] = {_mm256_abs_epi8(w[0]), _mm256_abs_epi8(w[1])};
      BALEEN_UNROLL
      for (int t = 0; t < N; ++t) {
        const __m256i a = broadcast_int(x + t * 4);
        BALEEN_UNROLL
        for (int half = 0; half < 2; ++half) {
          const __m256i words = _mm256_maddubs_epi16(magnitude[half], _mm256_sign_epi8(a, w[half]));
          sums.of[half][t] = _mm256_add_epi32(sums.of[half][t], _mm256_madd_epi16(words, ones));
          settle(sums.of[half][t]);
        }
      }
      codes += 64;
      x += group_bytes;
    }
  }
};

/// Any type of small numbers under a float32 scale: their panels are alike.
struct I8 : Q80 {
  static constexpr BlockType kType = BlockType::iq4_nl;
};

template <PanelScales kScales>
BALEEN_INLINE __m256 load_scales(const std::byte* scales, int half) {
  if constexpr (kScales == PanelScales::floats)
    return _mm256_loadu_ps(reinterpret_cast<const float*>(scales + half * 32));
  return load_halves(scales + half * 16);
}

template <class Format>
struct Blocks32 {
  template <int N>
  struct Kernel {
    BALEEN_INLINE void block(const std::byte* codes, const std::byte* scales, const Pass& pass,
                             const std::byte* x, Sums<N>& out) {
      const int64_t tokens = pass.tokens;
      IntSums<N> dot;
      Format::template dot<N>(codes, x, tokens * 4, dot);
      BALEEN_UNROLL
      for (int half = 0; half < 2; ++half) {
        const __m256 d = load_scales<panel_layout(Format::kType).scales>(scales, half);
        BALEEN_UNROLL
        for (int t = 0; t < N; ++t) {
          __m256i sum = dot.of[half][t];
          if constexpr (Format::kOffset8 >= 0)
            sum = _mm256_add_epi32(
                sum, _mm256_slli_epi32(broadcast_int(x + kSum32 * tokens + t * 4), Format::kOffset8));
          const __m256 scale = _mm256_mul_ps(d, broadcast_float(x + kScale32 * tokens + t * 4));
          out.of[half][t] = _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(sum), out.of[half][t]);
        }
        if constexpr (panel_layout(Format::kType).scales == PanelScales::halves_and_minima) {
          const __m256 m = load_halves(scales + 32 + half * 16);
          BALEEN_UNROLL
          for (int t = 0; t < N; ++t)
            out.of[half][t] =
                _mm256_fmadd_ps(m, broadcast_float(x + kScaledSum32 * tokens + t * 4), out.of[half][t]);
        }
      }
    }

    static Sums<N> run(const Pass& pass) {
      constexpr PanelLayout kLayout = panel_layout(Format::kType);
      const int64_t blocks = pass.cols / kSlab;
      const std::byte *codes = pass.panel, *x = pass.x;
      Sums<N> out = Sums<N>::zero();
      Ahead ahead = ahead_of(pass.ahead, pass.ahead_bytes, blocks);
      for (int64_t b = 0; b < blocks; ++b) {
        ahead.step();
        block(codes, codes + kLayout.code_bytes, pass, x, out);
        codes += kLayout.record_bytes;
        x += kRecord32 * pass.tokens;
      }
      return out;
    }
  };
};

}  // namespace

void multiply_q4_0(const MatmulTile& tile) { for_tokens<Blocks32<Q40>::Kernel>(tile); }
void multiply_q4_1(const MatmulTile& tile) { for_tokens<Blocks32<Q41>::Kernel>(tile); }
void multiply_q5_0(const MatmulTile& tile) { for_tokens<Blocks32<Q50>::Kernel>(tile); }
void multiply_q5_1(const MatmulTile& tile) { for_tokens<Blocks32<Q51>::Kernel>(tile); }
void multiply_q8_0(const MatmulTile& tile) { for_tokens<Blocks32<Q80>::Kernel>(tile); }
void multiply_i8(const MatmulTile& tile) { for_tokens<Blocks32<I8>::Kernel>(tile); }

}  // namespace baleen::avx2
