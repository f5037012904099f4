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
      Ahead ahead = ahead_of(pass.ahead, pass.ahead_bytes, pass.cols);
      for (int64_t k = 0; k < pass.cols; ++k) {
        ahead.step();
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

}  // namespace

void multiply_f32(const MatmulTile& tile) { for_tokens<Floats<F32>::Kernel>(tile); }
void multiply_f16(const MatmulTile& tile) { for_tokens<Floats<F16>::Kernel>(tile); }
void multiply_bf16(const MatmulTile& tile) { for_tokens<Floats<Bf16>::Kernel>(tile); }

}  // namespace baleen::avx2
