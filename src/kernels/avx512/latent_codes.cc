// A page of f16 latents as the codes of keys and of values (rules: kernels/ref/kv_rows.cc).
#include "kernels/avx512/f16_codes.h"

namespace baleen::avx512 {
namespace {

/// Eight dimensions of rows r, r + 8, r + 16 and r + 24, side by side.
BALEEN_INLINE __m512i load_rows(const int16_t* rows, int64_t columns) {
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

/// Codes of a dimension and the next of all keys; factors are those of their block.
BALEEN_INLINE void put_keys(__m512i even, __m512i odd, const __m512 (&factors)[2], int16_t* codes) {
  const auto bits = [&] [[gnu::always_inline]] (__m512i halves, int half) {
    const __m256i some = half == 0 ? _mm512_castsi512_si256(halves) : _mm512_extracti64x4_epi64(halves, 1);
    return code_bits(_mm512_cvtph_ps(some), factors[half]);
  };
  _mm512_storeu_si512(codes, pairs(bits(even, 0), bits(odd, 0)));
  _mm512_storeu_si512(codes + kTileKeys, pairs(bits(even, 1), bits(odd, 1)));
}

/// Eight dimensions of all keys, of which `left` are there; others are 0.
BALEEN_INLINE void load_columns(const int16_t* rows, int64_t stride, int64_t left, __m512i (&out)[8]) {
  if (left >= 8) {
    BALEEN_UNROLL
    for (int i = 0; i < 8; ++i) out[i] = load_rows(rows + i * stride, stride);
    return transpose_halves(out);
  }
  alignas(64) int16_t some[8][kTileKeys] = {};
  for (int64_t d = 0; d < left; ++d)
    for (int64_t key = 0; key < kTileKeys; ++key) some[d][key] = rows[key * stride + d];
  BALEEN_UNROLL
  for (int i = 0; i < 8; ++i) out[i] = _mm512_load_si512(some[i]);
}

}  // namespace

void keys_of_latents_f16(const int16_t* latents, int64_t dim, int16_t* keys) {
  const int64_t padded = i16_padded(dim), blocks = code_blocks(dim);
  const int16_t* stored = latents + kTileKeys * dim;
  __builtin_memcpy(keys + kTileKeys * padded, stored,
                   static_cast<size_t>(blocks * kTileKeys) * sizeof(int16_t));
  for (int64_t d = 0; d < dim; d += 8) {
    const int16_t* of_block = stored + d / kCodeBlock * kTileKeys;
    const __m512 factors[2] = {factors_of(stored_scales(of_block)), factors_of(stored_scales(of_block + 16))};
    __m512i columns[8];
    load_columns(latents + d, dim, dim - d, columns);
    BALEEN_UNROLL
    for (int i = 0; i < 8; i += 2)
      if (d + i < dim) put_keys(columns[i], columns[i + 1], factors, keys + (d + i) * kTileKeys);
  }
}

void values_of_latents_f16(const int16_t* latents, int64_t dim, int64_t value_dim, int16_t* values) {
  const int16_t* stored = latents + kTileKeys * (dim + code_blocks(dim));
  __builtin_memcpy(values + kTileKeys * value_dim, stored, kTileKeys * sizeof(int16_t));
  alignas(64) float factors[kTileKeys];
  for (int64_t key = 0; key < kTileKeys; key += 16)
    _mm512_store_ps(factors + key, factors_of(stored_scales(stored + key)));
  for (int64_t key = 0; key < kTileKeys; key += 2) {
    const __m512 low = _mm512_set1_ps(factors[key]), high = _mm512_set1_ps(factors[key + 1]);
    for (int64_t d = 0; d < value_dim; d += 16) {
      const int64_t block = d / kCodeBlock * kCodeBlock, left = value_dim - block;
      const int64_t width = left < kCodeBlock ? left : kCodeBlock;
      const __mmask16 there = lanes_left(value_dim - d);
      const auto bits = [&] [[gnu::always_inline]] (int64_t row, __m512 factor) {
        return code_bits(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(there, latents + row * dim + d)), factor);
      };
      int16_t* to = values + block * kTileKeys + key * width + d % kCodeBlock * 2;
      _mm512_mask_storeu_epi32(to, there, pairs(bits(key, low), bits(key + 1, high)));
    }
  }
}

}  // namespace baleen::avx512
