// A page of latents, [32][dim], as keys, [dim][32] (rules: kernels/ref/latent_keys.cc). Of f16: latent_codes.cc.
#include "kernels/avx2/rows.h"

namespace baleen::avx2 {
namespace {

/// 8 rows of 8 words to columns: pairs of words, pairs of pairs, then the 128-bit halves.
BALEEN_INLINE void transpose_block(__m256i (&x)[8]) {
  __m256i y[8];
  BALEEN_UNROLL
  for (int i = 0; i < 8; i += 2) {
    y[i] = _mm256_unpacklo_epi32(x[i], x[i + 1]);
    y[i + 1] = _mm256_unpackhi_epi32(x[i], x[i + 1]);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 8; i += 4) {
    x[i] = _mm256_unpacklo_epi64(y[i], y[i + 2]);
    x[i + 1] = _mm256_unpackhi_epi64(y[i], y[i + 2]);
    x[i + 2] = _mm256_unpacklo_epi64(y[i + 1], y[i + 3]);
    x[i + 3] = _mm256_unpackhi_epi64(y[i + 1], y[i + 3]);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 4; ++i) {
    y[i] = _mm256_permute2x128_si256(x[i], x[4 + i], 0x20);
    y[4 + i] = _mm256_permute2x128_si256(x[i], x[4 + i], 0x31);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 8; ++i) x[i] = y[i];
}

}  // namespace

void transpose_f32(const float* rows, int64_t columns, float* out) {
  int64_t c = 0;
  for (; c + 8 <= columns; c += 8)
    for (int64_t r = 0; r < kTileKeys; r += 8) {
      __m256i block[8];
      BALEEN_UNROLL
      for (int i = 0; i < 8; ++i)
        block[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows + (r + i) * columns + c));
      transpose_block(block);
      BALEEN_UNROLL
      for (int i = 0; i < 8; ++i)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + (c + i) * kTileKeys + r), block[i]);
    }
  for (; c < columns; ++c)
    for (int64_t r = 0; r < kTileKeys; ++r) out[c * kTileKeys + r] = rows[r * columns + c];
}

/// Sixteen bytes are four dimensions of four slots one way and four slots of four dimensions the other.
void keys_of_values_i8(const int8_t* values, int64_t dim, int8_t* keys) {
  const __m128i bytes = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  for (int64_t d = 0; d < dim; d += 4)
    for (int64_t slot = 0; slot < kTileKeys; slot += 4) {
      const auto* from = reinterpret_cast<const __m128i*>(values + (slot / 4 * dim + d) * 4);
      auto* to = reinterpret_cast<__m128i*>(keys + (d / 4 * kTileKeys + slot) * 4);
      _mm_storeu_si128(to, _mm_shuffle_epi8(_mm_loadu_si128(from), bytes));
    }
  __builtin_memcpy(keys + kTileKeys * dim, values + kTileKeys * dim,
                   static_cast<size_t>(code_blocks(dim)) * kTileKeys * sizeof(float));
}

}  // namespace baleen::avx2
