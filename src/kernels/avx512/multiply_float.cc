// Products with float weights: one fma per k, in order of k, 16 rows in the lanes.
#include "kernels/avx512/matmul.h"
#include "kernels/avx512/vectors.h"

namespace baleen::avx512 {
namespace {

struct F32 {
  static constexpr int kBytes = 64;
  BALEEN_INLINE __m512 load_row(const std::byte* k) { return _mm512_castsi512_ps(load(k)); }
};
struct F16 {
  static constexpr int kBytes = 32;
  BALEEN_INLINE __m512 load_row(const std::byte* k) { return load_halves(k); }
};
struct Bf16 {
  static constexpr int kBytes = 32;
  BALEEN_INLINE __m512 load_row(const std::byte* k) {
    const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(k));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
  }
};

template <class Format>
struct Floats {
  template <int T>
  struct Kernel {
    static void run(const MatmulTile& tile) {
      const std::byte *weights = tile.panel, *x = tile.x;
      __m512 out[T];
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) out[t] = _mm512_setzero_ps();
      Ahead ahead = Ahead::of(tile, tile.cols);
      for (int64_t k = 0; k < tile.cols; ++k) {
        ahead.step();
        const __m512 w = Format::load_row(weights);
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t) out[t] = _mm512_fmadd_ps(w, broadcast_float(x + t * 4), out[t]);
        weights += Format::kBytes;
        x += T * 4;
      }
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) put(tile, t, out[t]);
    }
  };
};

}  // namespace

void multiply_f32(const MatmulTile& tile) { for_tokens<Floats<F32>::Kernel>(tile); }
void multiply_f16(const MatmulTile& tile) { for_tokens<Floats<F16>::Kernel>(tile); }
void multiply_bf16(const MatmulTile& tile) { for_tokens<Floats<Bf16>::Kernel>(tile); }

}  // namespace baleen::avx512
