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

/// 16 codes times their rows' scales. As a half float a code's sign is bit 15 and its magnitude bits 13 to 7.
BALEEN_INLINE __m512 load_f8(const std::byte* codes, __m512 scales) {
  const __m256i code = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
  const __m256i kept = _mm256_set1_epi16(static_cast<int16_t>(0xBF80));
  const __m256i half = _mm256_and_si256(_mm256_srai_epi16(_mm256_slli_epi16(code, 8), 1), kept);
  return _mm512_mul_ps(_mm512_cvtph_ps(half), scales);
}

template <int T>
struct F8Kernel {
  static void run(const MatmulTile& tile) {
    const std::byte *record = tile.panel, *x = tile.x;
    __m512 out[T];
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t) out[t] = _mm512_setzero_ps();
    Ahead ahead = Ahead::of(tile, (tile.cols + 3) / 4);
    for (int64_t first = 0; first < tile.cols; first += kF8Block) {
      const __m512 scales = _mm512_loadu_ps(record + kF8Block * kPanelRows);
      const int64_t left = tile.cols - first, count = left < kF8Block ? left : kF8Block;
      for (int64_t k = 0; k < count; ++k) {
        if (k % 4 == 0) ahead.step();
        const __m512 w = load_f8(record + k * kPanelRows, scales);
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t) out[t] = _mm512_fmadd_ps(w, broadcast_float(x + t * 4), out[t]);
        x += T * 4;
      }
      record += kF8Block * kPanelRows + 64;
    }
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t) put(tile, t, out[t]);
  }
};

}  // namespace

void multiply_f8_e4m3(const MatmulTile& tile) { for_tokens<F8Kernel>(tile); }
void multiply_f32(const MatmulTile& tile) { for_tokens<Floats<F32>::Kernel>(tile); }
void multiply_f16(const MatmulTile& tile) { for_tokens<Floats<F16>::Kernel>(tile); }
void multiply_bf16(const MatmulTile& tile) { for_tokens<Floats<Bf16>::Kernel>(tile); }

}  // namespace baleen::avx512
