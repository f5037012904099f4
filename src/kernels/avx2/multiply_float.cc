// Products with float weights: one fma per k, in order of k, 8 rows in the lanes of each half.
#include "kernels/avx2/matmul.h"
#include "kernels/avx2/vectors.h"

namespace baleen::avx2 {
namespace {

struct F32 {
  static constexpr int kBytes = 64;
  BALEEN_INLINE __m256 load_half(const std::byte* k, int half) {
    return _mm256_castsi256_ps(load(k + half * 32));
  }
};
struct F16 {
  static constexpr int kBytes = 32;
  BALEEN_INLINE __m256 load_half(const std::byte* k, int half) { return load_halves(k + half * 16); }
};
struct Bf16 {
  static constexpr int kBytes = 32;
  BALEEN_INLINE __m256 load_half(const std::byte* k, int half) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_half_vector(k + half * 16)), 16));
  }
};

template <class Format>
struct Floats {
  template <int N>
  struct Kernel {
    static Sums<N> run(const Pass& pass) {
      const std::byte *weights = pass.panel, *x = pass.x;
      Sums<N> out = Sums<N>::zero();
      Ahead<N> ahead(pass, pass.cols);
      for (int64_t k = 0; k < pass.cols; ++k) {
        ahead.template step<Format::kBytes>(weights);
        const __m256 w[2] = {Format::load_half(weights, 0), Format::load_half(weights, 1)};
        BALEEN_UNROLL
        for (int t = 0; t < N; ++t) {
          const __m256 a = broadcast_float(x + t * 4);
          BALEEN_UNROLL
          for (int half = 0; half < 2; ++half) out.of[half][t] = _mm256_fmadd_ps(w[half], a, out.of[half][t]);
        }
        weights += Format::kBytes;
        x += pass.tokens * 4;
      }
      return out;
    }
  };
};

/// 8 codes in the high bytes of 16-bit lanes, times their rows' scales. As a half float a code's sign is bit 15 and its
/// magnitude bits 13 to 7.
BALEEN_INLINE __m256 scale_f8(__m128i high_bytes, __m256 scales) {
  const __m128i kept = _mm_set1_epi16(static_cast<int16_t>(0xBF80));
  return _mm256_mul_ps(_mm256_cvtph_ps(_mm_and_si128(_mm_srai_epi16(high_bytes, 1), kept)), scales);
}

template <int N>
struct F8Kernel {
  static Sums<N> run(const Pass& pass) {
    const std::byte *record = pass.panel, *x = pass.x;
    Sums<N> out = Sums<N>::zero();
    Ahead<N> ahead(pass, (pass.cols + 3) / 4);
    for (int64_t first = 0; first < pass.cols; first += kF8Block) {
      const float* scale = reinterpret_cast<const float*>(record + kF8Block * kPanelRows);
      const __m256 scales[2] = {_mm256_loadu_ps(scale), _mm256_loadu_ps(scale + 8)};
      const int64_t left = pass.cols - first, count = left < kF8Block ? left : kF8Block;
      for (int64_t k = 0; k < count; ++k) {
        if (k % 4 == 0) ahead.template step<4 * kPanelRows>(record + k * kPanelRows);
        const __m128i codes = load_half_vector(record + k * kPanelRows), zero = _mm_setzero_si128();
        const __m256 w[2] = {scale_f8(_mm_unpacklo_epi8(zero, codes), scales[0]),
                             scale_f8(_mm_unpackhi_epi8(zero, codes), scales[1])};
        BALEEN_UNROLL
        for (int t = 0; t < N; ++t) {
          const __m256 a = broadcast_float(x + t * 4);
          BALEEN_UNROLL
          for (int half = 0; half < 2; ++half) out.of[half][t] = _mm256_fmadd_ps(w[half], a, out.of[half][t]);
        }
        x += pass.tokens * 4;
      }
      record += kF8Block * kPanelRows + 64;
    }
    return out;
  }
};

}  // namespace

void multiply_f8_e4m3(const MatmulTile& tile) { for_tokens<F8Kernel>(tile); }
void multiply_f32(const MatmulTile& tile) { for_tokens<Floats<F32>::Kernel>(tile); }
void multiply_f16(const MatmulTile& tile) { for_tokens<Floats<F16>::Kernel>(tile); }
void multiply_bf16(const MatmulTile& tile) { for_tokens<Floats<Bf16>::Kernel>(tile); }

}  // namespace baleen::avx2
