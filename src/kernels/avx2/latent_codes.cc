// A page of f16 latents as the codes of keys and of values (rules: kernels/ref/kv_rows.cc).
#include "kernels/avx2/f16_codes.h"

namespace baleen::avx2 {
namespace {

/// Eight dimensions of rows r and r + 8, side by side.
BALEEN_INLINE __m256i load_rows(const int16_t* rows, int64_t columns) {
  return _mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(rows + 8 * columns),
                             reinterpret_cast<const __m128i*>(rows));
}

/// 8 x 8 halves within each 128 bits: pairs, pairs of pairs, then the 64-bit halves.
BALEEN_INLINE void transpose_halves(__m256i (&x)[8]) {
  __m256i y[8];
  BALEEN_UNROLL
  for (int i = 0; i < 4; ++i) {
    y[2 * i] = _mm256_unpacklo_epi16(x[2 * i], x[2 * i + 1]);
    y[2 * i + 1] = _mm256_unpackhi_epi16(x[2 * i], x[2 * i + 1]);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 8; i += 4) {
    x[i] = _mm256_unpacklo_epi32(y[i], y[i + 2]);
    x[i + 1] = _mm256_unpackhi_epi32(y[i], y[i + 2]);
    x[i + 2] = _mm256_unpacklo_epi32(y[i + 1], y[i + 3]);
    x[i + 3] = _mm256_unpackhi_epi32(y[i + 1], y[i + 3]);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 4; ++i) {
    y[2 * i] = _mm256_unpacklo_epi64(x[i], x[i + 4]);
    y[2 * i + 1] = _mm256_unpackhi_epi64(x[i], x[i + 4]);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 8; ++i) x[i] = y[i];
}

/// Eight dimensions of 16 keys, of which `left` are there; others are 0.
BALEEN_INLINE void load_columns(const int16_t* rows, int64_t stride, int64_t left, __m256i (&out)[8]) {
  if (left >= 8) {
    BALEEN_UNROLL
    for (int i = 0; i < 8; ++i) out[i] = load_rows(rows + i * stride, stride);
    return transpose_halves(out);
  }
  alignas(32) int16_t some[8][16] = {};
  for (int64_t d = 0; d < left; ++d)
    for (int64_t key = 0; key < 16; ++key) some[d][key] = rows[key * stride + d];
  BALEEN_UNROLL
  for (int i = 0; i < 8; ++i) out[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(some[i]));
}

/// Codes of a dimension and the next of 16 keys; factors are those of their block.
BALEEN_INLINE void put_keys(__m256i even, __m256i odd, const __m256 (&factors)[2], int16_t* codes) {
  const auto put = [&] [[gnu::always_inline]] (__m128i low, __m128i high, int half) {
    const __m256i both = pairs(code_bits(_mm256_cvtph_ps(low), factors[half]),
                               code_bits(_mm256_cvtph_ps(high), factors[half]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes + half * 16), both);
  };
  put(_mm256_castsi256_si128(even), _mm256_castsi256_si128(odd), 0);
  put(_mm256_extracti128_si256(even, 1), _mm256_extracti128_si256(odd, 1), 1);
}

/// Codes of two keys' values, [dims][2].
BALEEN_INLINE void put_values(const int16_t* low, const int16_t* high, __m256 low_factor, __m256 high_factor,
                              int64_t dims, int16_t* codes) {
  for_vectors(dims, [&](auto access, int64_t d, int64_t count) {
    const __m256 low_bits = code_bits(access.load_halves(low + d, count), low_factor);
    const __m256i both = pairs(low_bits, code_bits(access.load_halves(high + d, count), high_factor));
    access.store(reinterpret_cast<float*>(codes + d * 2), count, _mm256_castsi256_ps(both));
  });
}

}  // namespace

void keys_of_latents_f16(const int16_t* latents, int64_t dim, int16_t* keys) {
  const int64_t padded = i16_padded(dim), blocks = code_blocks(dim);
  const int16_t* stored = latents + kTileKeys * dim;
  __builtin_memcpy(keys + kTileKeys * padded, stored,
                   static_cast<size_t>(blocks * kTileKeys) * sizeof(int16_t));
  for (int64_t d = 0; d < dim; d += 8)
    for (int64_t key = 0; key < kTileKeys; key += 16) {
      const int16_t* of_block = stored + d / kCodeBlock * kTileKeys + key;
      const __m256 factors[2] = {factors_of(stored_scales(of_block)),
                                 factors_of(stored_scales(of_block + 8))};
      __m256i columns[8];
      load_columns(latents + key * dim + d, dim, dim - d, columns);
      BALEEN_UNROLL
      for (int i = 0; i < 8; i += 2)
        if (d + i < dim) put_keys(columns[i], columns[i + 1], factors, keys + (d + i) * kTileKeys + key * 2);
    }
}

void values_of_latents_f16(const int16_t* latents, int64_t dim, int64_t value_dim, int16_t* values) {
  const int16_t* stored = latents + kTileKeys * (dim + code_blocks(dim));
  __builtin_memcpy(values + kTileKeys * value_dim, stored, kTileKeys * sizeof(int16_t));
  alignas(32) float factors[kTileKeys];
  for (int64_t key = 0; key < kTileKeys; key += 8)
    _mm256_store_ps(factors + key, factors_of(stored_scales(stored + key)));
  for (int64_t key = 0; key < kTileKeys; key += 2)
    for (int64_t d = 0; d < value_dim; d += kCodeBlock) {
      const int64_t width = value_dim - d < kCodeBlock ? value_dim - d : kCodeBlock;
      const int16_t* low = latents + key * dim + d;
      put_values(low, low + dim, _mm256_broadcast_ss(factors + key), _mm256_broadcast_ss(factors + key + 1),
                 width, values + d * kTileKeys + key * width);
    }
}

}  // namespace baleen::avx2
