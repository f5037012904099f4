// A page of latents, [32][dim], as keys, [dim][32] (rules: kernels/ref/latent_keys.cc).
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

/// Eight dimensions of rows r, r + 8, r + 16 and r + 24, side by side.
BALEEN_INLINE __m512i load_rows(const uint16_t* rows, int64_t columns) {
  const auto eight = [&](int64_t r) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows + r * columns));
  };
  __m512i x = _mm512_castsi128_si512(eight(0));
  x = _mm512_inserti32x4(x, eight(8), 1);
  x = _mm512_inserti32x4(x, eight(16), 2);
  return _mm512_inserti32x4(x, eight(24), 3);
}

/// 8 x 8 halves within each 128 bits: pairs, pairs of pairs, then the 64-bit halves.
BALEEN_INLINE void transpose_halves(__m512i (&x)[8]) {
  __m512i y[8];
  BALEEN_UNROLL
  for (int i = 0; i < 4; ++i) {
    y[2 * i] = _mm512_unpacklo_epi16(x[2 * i], x[2 * i + 1]);
    y[2 * i + 1] = _mm512_unpackhi_epi16(x[2 * i], x[2 * i + 1]);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 8; i += 4) {
    x[i] = _mm512_unpacklo_epi32(y[i], y[i + 2]);
    x[i + 1] = _mm512_unpackhi_epi32(y[i], y[i + 2]);
    x[i + 2] = _mm512_unpacklo_epi32(y[i + 1], y[i + 3]);
    x[i + 3] = _mm512_unpackhi_epi32(y[i + 1], y[i + 3]);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 4; ++i) {
    y[2 * i] = _mm512_unpacklo_epi64(x[i], x[i + 4]);
    y[2 * i + 1] = _mm512_unpackhi_epi64(x[i], x[i + 4]);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 8; ++i) x[i] = y[i];
}

}  // namespace

void transpose_f32(const uint32_t* rows, int64_t columns, uint32_t* out) {
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

void transpose_f16(const uint16_t* rows, int64_t columns, uint16_t* out) {
  int64_t c = 0;
  for (; c + 8 <= columns; c += 8) {
    __m512i block[8];
    BALEEN_UNROLL
    for (int i = 0; i < 8; ++i) block[i] = load_rows(rows + i * columns + c, columns);
    transpose_halves(block);
    BALEEN_UNROLL
    for (int i = 0; i < 8; ++i) _mm512_storeu_si512(out + (c + i) * kTileKeys, block[i]);
  }
  for (; c < columns; ++c)
    for (int64_t r = 0; r < kTileKeys; ++r) out[c * kTileKeys + r] = rows[r * columns + c];
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
