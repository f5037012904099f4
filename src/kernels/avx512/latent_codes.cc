// A page of f16 latents as the codes of keys and of values (rules: kernels/ref/kv_rows.cc).
#include "kernels/avx512/f16_codes.h"

namespace baleen::avx512 {
namespace {

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

/// [dims][32] of up to 32 dimensions.
BALEEN_INLINE void to_columns(const uint16_t* rows, int64_t stride, int64_t dims, uint16_t* out) {
  int64_t c = 0;
  for (; c + 8 <= dims; c += 8) {
    __m512i block[8];
    BALEEN_UNROLL
    for (int i = 0; i < 8; ++i) block[i] = load_rows(rows + i * stride + c, stride);
    transpose_halves(block);
    BALEEN_UNROLL
    for (int i = 0; i < 8; ++i) _mm512_store_si512(out + (c + i) * kTileKeys, block[i]);
  }
  for (; c < dims; ++c)
    for (int64_t r = 0; r < kTileKeys; ++r) out[c * kTileKeys + r] = rows[r * stride + c];
}

/// The largest magnitudes of the keys' dimensions.
BALEEN_INLINE __m512i largest_of(const uint16_t* keys, int64_t dims) {
  __m512i even = _mm512_setzero_si512(), odd = _mm512_setzero_si512();
  int64_t d = 0;
  for (; d + 1 < dims; d += 2) {
    even = _mm512_max_epu16(even, magnitudes(_mm512_load_si512(keys + d * kTileKeys)));
    odd = _mm512_max_epu16(odd, magnitudes(_mm512_load_si512(keys + (d + 1) * kTileKeys)));
  }
  if (d < dims) even = _mm512_max_epu16(even, magnitudes(_mm512_load_si512(keys + d * kTileKeys)));
  return _mm512_max_epu16(even, odd);
}

/// Up to 32 dimensions of 16 keys; a dimension that is missing has codes 0.
BALEEN_INLINE void put_keys(const uint16_t* keys, int64_t dims, __m512 factor, int16_t* codes) {
  for (int64_t d = 0; d < dims; d += 2) {
    const __m512 even = code_bits(load_halves(keys + d * kTileKeys), factor);
    const __m512 odd = d + 1 < dims ? code_bits(load_halves(keys + (d + 1) * kTileKeys), factor) : no_codes();
    _mm512_storeu_si512(codes + d * kTileKeys, pairs(even, odd));
  }
}

/// A page's latents, of which `dim` dimensions are values.
struct Latents {
  const uint16_t* data;
  int64_t stride, dim;
};

/// Of a page's keys.
struct Scales {
  alignas(64) float factor[kTileKeys];
  alignas(64) float scale[kTileKeys];
};

/// The largest magnitudes of keys 0, 4, 8 and 12, in 32-bit lanes that have two.
BALEEN_INLINE void largest_of(const Latents& values, __m512 (&lanes)[4]) {
  __m512i largest[4];
  BALEEN_UNROLL
  for (int i = 0; i < 4; ++i) largest[i] = _mm512_setzero_si512();
  for (int64_t d = 0; d < values.dim; d += 32) {
    const int64_t left = values.dim - d;
    const auto there = static_cast<__mmask32>(left >= 32 ? ~0u : (1u << left) - 1);
    const uint16_t* from = values.data + d;
    BALEEN_UNROLL
    for (int i = 0; i < 4; ++i, from = next_row(from, 4 * values.stride))
      largest[i] = _mm512_max_epu16(largest[i], magnitudes(_mm512_maskz_loadu_epi16(there, from)));
  }
  BALEEN_UNROLL
  for (int i = 0; i < 4; ++i) lanes[i] = _mm512_castsi512_ps(largest[i]);
}

void find_scales(const Latents& latents, Scales& scales) {
  const auto larger = [](__m512 a, __m512 b) {
    return _mm512_castsi512_ps(_mm512_max_epu16(_mm512_castps_si512(a), _mm512_castps_si512(b)));
  };
  for (int64_t first = 0; first < kTileKeys; first += 16) {
    __m512 quads[4];
    for (int64_t q = 0; q < 4; ++q) {
      __m512 lanes[4];
      const uint16_t* from = latents.data + (first + q) * latents.stride;
      largest_of({from, latents.stride, latents.dim}, lanes);
      quads[q] = fold_quad(lanes, larger);
    }
    const __m512i both = _mm512_castps_si512(fold_quads(quads, larger));
    const __m512i largest = _mm512_max_epu16(both, _mm512_srli_epi32(both, 16));
    const HalfScales to = half_scales(_mm512_and_si512(largest, _mm512_set1_epi32(0xFFFF)));
    _mm512_store_ps(scales.factor + first, to.factor);
    _mm512_store_ps(scales.scale + first, to.scale);
  }
}

/// Codes [16][width][2] of a block of dimensions from `first`.
BALEEN_INLINE void put_block(const Latents& latents, const Scales& scales, int64_t first, int16_t* codes) {
  const int64_t left = latents.dim - first, width = left < kCodeBlock ? left : kCodeBlock;
  for (int64_t key = 0; key < kTileKeys; key += 2, codes += 2 * width) {
    const __m512 factor[2] = {_mm512_set1_ps(scales.factor[key]), _mm512_set1_ps(scales.factor[key + 1])};
    const uint16_t* from = latents.data + key * latents.stride + first;
    for (int64_t d = 0; d < width; d += 16) {
      const __mmask16 there = lanes_left(width - d);
      const auto bits = [&](int64_t i) {
        const __m256i halves = _mm256_maskz_loadu_epi16(there, from + i * latents.stride + d);
        return code_bits(_mm512_cvtph_ps(halves), factor[i]);
      };
      _mm512_mask_storeu_epi32(codes + d * 2, there, pairs(bits(0), bits(1)));
    }
  }
}

}  // namespace

void keys_of_latents_f16(const uint16_t* latents, int64_t dim, int16_t* keys) {
  int16_t* stored = keys + kTileKeys * i16_padded(dim);
  for (int64_t d = 0; d < dim; d += kCodeBlock, keys += kCodeBlock * kTileKeys) {
    const int64_t dims = dim - d < kCodeBlock ? dim - d : kCodeBlock;
    alignas(64) uint16_t block[kCodeBlock * kTileKeys];
    to_columns(latents + d, dim, dims, block);
    const __m512i largest = largest_of(block, dims);
    for (int64_t half = 0; half < kTileKeys; half += 16, stored += 16) {
      const __m256i some =
          half == 0 ? _mm512_castsi512_si256(largest) : _mm512_extracti64x4_epi64(largest, 1);
      const HalfScales to = half_scales(_mm512_cvtepu16_epi32(some));
      put_keys(block + half, dims, to.factor, keys + half * 2);
      store_scales(to.scale, stored);
    }
  }
}

void values_of_latents_f16(const uint16_t* latents, int64_t stride, int64_t dim, int16_t* values) {
  const Latents page{latents, stride, dim};
  Scales scales;
  find_scales(page, scales);
  for (int64_t d = 0; d < dim; d += kCodeBlock) put_block(page, scales, d, values + d * kTileKeys);
  for (int64_t key = 0; key < kTileKeys; key += 16)
    store_scales(_mm512_load_ps(scales.scale + key), values + kTileKeys * dim + key);
}

}  // namespace baleen::avx512
