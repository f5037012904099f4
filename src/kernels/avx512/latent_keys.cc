// A page of latents, [32][dim], as keys, [dim][32] (rules: kernels/ref/latent_keys.cc). Of f16: latent_codes.cc.
#include "kernels/avx512/rows.h"

namespace baleen::avx512 {
namespace {

constexpr int kKeyGroups = kTileKeys / 4;

/// 16 rows of 16 words to columns: pairs of words, pairs of pairs, then the 128-bit quarters.
BALEEN_INLINE void transpose_block(__m512i (&x)[16]) {
  __m512i y[16];
  _Pragma("GCC unroll 16") for (int i = 0; i < 16; i += 2) {
    y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
    y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
  }
  _Pragma("GCC unroll 16") for (int i = 0; i < 16; i += 4) {
    x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
    x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
    x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
    x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
  }
  _Pragma("GCC unroll 16") for (int i = 0; i < 4; ++i) {
    const __m512i a = _mm512_shuffle_i32x4(x[i], x[4 + i], 0x44);
    const __m512i b = _mm512_shuffle_i32x4(x[8 + i], x[12 + i], 0x44);
    const __m512i c = _mm512_shuffle_i32x4(x[i], x[4 + i], 0xEE);
    const __m512i d = _mm512_shuffle_i32x4(x[8 + i], x[12 + i], 0xEE);
    y[i] = _mm512_shuffle_i32x4(a, b, 0x88);
    y[4 + i] = _mm512_shuffle_i32x4(a, b, 0xDD);
    y[8 + i] = _mm512_shuffle_i32x4(c, d, 0x88);
    y[12 + i] = _mm512_shuffle_i32x4(c, d, 0xDD);
  }
  _Pragma("GCC unroll 16") for (int i = 0; i < 16; ++i) x[i] = y[i];
}

}  // namespace

void transpose_f32(const float* rows, int64_t columns, float* out) {
  for (int64_t c = 0; c < columns; c += 16)
    for (int64_t r = 0; r < kTileKeys; r += 16) {
      const __mmask16 mask = lanes_left(columns - c);
      __m512i block[16];
      _Pragma("GCC unroll 16") for (int i = 0; i < 16; ++i) block[i] =
          _mm512_maskz_loadu_epi32(mask, rows + (r + i) * columns + c);
      transpose_block(block);
      const int64_t count = columns - c < 16 ? columns - c : 16;
      for (int64_t i = 0; i < count; ++i) _mm512_storeu_si512(out + (c + i) * kTileKeys + r, block[i]);
    }
}

/// Four groups of keys and 16 dimensions at a time: 4 x 4 bytes are transposed within 128 bits, then those themselves.
void keys_of_values_i8(const int8_t* values, int64_t dim, int8_t* keys) {
  const __m512i bytes =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  for (int64_t d = 0; d < dim; d += 16)
    for (int64_t g = 0; g < kKeyGroups; g += 4) {
      __m512i x[4];
      for (int i = 0; i < 4; ++i)
        x[i] = _mm512_shuffle_epi8(
            _mm512_maskz_loadu_epi32(lanes_left(dim - d), values + ((g + i) * dim + d) * 4), bytes);
      const __m512i a = _mm512_shuffle_i32x4(x[0], x[1], 0x44), b = _mm512_shuffle_i32x4(x[2], x[3], 0x44);
      const __m512i c = _mm512_shuffle_i32x4(x[0], x[1], 0xEE), e = _mm512_shuffle_i32x4(x[2], x[3], 0xEE);
      const __m512i out[4] = {_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xDD),
                              _mm512_shuffle_i32x4(c, e, 0x88), _mm512_shuffle_i32x4(c, e, 0xDD)};
      for (int64_t i = 0; i < 4 && d + 4 * i < dim; ++i)
        _mm512_storeu_si512(keys + ((d / 4 + i) * kTileKeys + g * 4) * 4, out[i]);
    }
  __builtin_memcpy(keys + kTileKeys * dim, values + kTileKeys * dim,
                   static_cast<size_t>(code_blocks(dim)) * kTileKeys * sizeof(float));
}

}  // namespace baleen::avx512
