// A page of f16 latents as the codes of keys and of values (rules: kernels/ref/kv_rows.cc).
#include "kernels/avx2/f16_codes.h"

namespace baleen::avx2 {
namespace {

/// Eight dimensions of rows r and r + 8, side by side.
BALEEN_INLINE __m256i load_rows(const uint16_t* rows, int64_t columns) {
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

/// [dims][32] of up to 32 dimensions.
BALEEN_INLINE void to_columns(const uint16_t* rows, int64_t stride, int64_t dims, uint16_t* out) {
  int64_t c = 0;
  for (; c + 8 <= dims; c += 8)
    for (int64_t r = 0; r < kTileKeys; r += 16) {
      __m256i block[8];
      BALEEN_UNROLL
      for (int i = 0; i < 8; ++i) block[i] = load_rows(rows + (r + i) * stride + c, stride);
      transpose_halves(block);
      BALEEN_UNROLL
      for (int i = 0; i < 8; ++i)
        _mm256_store_si256(reinterpret_cast<__m256i*>(out + (c + i) * kTileKeys + r), block[i]);
    }
  for (; c < dims; ++c)
    for (int64_t r = 0; r < kTileKeys; ++r) out[c * kTileKeys + r] = rows[r * stride + c];
}

/// The largest magnitudes of the dimensions of 16 keys.
BALEEN_INLINE __m256i largest_of(const uint16_t* keys, int64_t dims) {
  __m256i even = _mm256_setzero_si256(), odd = even;
  int64_t d = 0;
  for (; d + 1 < dims; d += 2) {
    even = _mm256_max_epu16(even, magnitudes(load_halves(keys + d * kTileKeys)));
    odd = _mm256_max_epu16(odd, magnitudes(load_halves(keys + (d + 1) * kTileKeys)));
  }
  if (d < dims) even = _mm256_max_epu16(even, magnitudes(load_halves(keys + d * kTileKeys)));
  return _mm256_max_epu16(even, odd);
}

/// Up to 32 dimensions of 8 keys; a dimension that is missing has codes 0.
BALEEN_INLINE void put_keys(const uint16_t* keys, int64_t dims, __m256 factor, int16_t* codes) {
  for (int64_t d = 0; d < dims; d += 2) {
    const auto bits = [&](int64_t at) { return code_bits(Whole::load(keys + at * kTileKeys, 8), factor); };
    const __m256i both = pairs(bits(d), d + 1 < dims ? bits(d + 1) : no_codes());
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes + d * kTileKeys), both);
  }
}

/// A page's latents, of which `dim` dimensions are values.
struct Latents {
  const uint16_t* data;
  int64_t stride, dim;
};

/// Of a page's keys.
struct Scales {
  alignas(32) float factor[kTileKeys];
  alignas(32) float scale[kTileKeys];
};

/// The largest magnitudes of a key's values, in 32-bit lanes that have two.
BALEEN_INLINE __m256 largest_of_values(const uint16_t* values, int64_t dim) {
  __m256i largest = _mm256_setzero_si256();
  int64_t d = 0;
  for (; d + 16 <= dim; d += 16) largest = _mm256_max_epu16(largest, magnitudes(load_halves(values + d)));
  if (d < dim) {
    alignas(32) uint16_t rest[16] = {};
    __builtin_memcpy(rest, values + d, static_cast<size_t>(dim - d) * 2);
    largest = _mm256_max_epu16(largest, magnitudes(load_halves(rest)));
  }
  return _mm256_castsi256_ps(largest);
}

void find_scales(const Latents& values, Scales& scales) {
  const auto larger = [](__m256 a, __m256 b) {
    return _mm256_castsi256_ps(_mm256_max_epu16(_mm256_castps_si256(a), _mm256_castps_si256(b)));
  };
  for (int64_t first = 0; first < kTileKeys; first += 8) {
    const auto row = [&](int64_t key) {
      return largest_of_values(values.data + (first + key) * values.stride, values.dim);
    };
    __m256 quads[4];
    BALEEN_UNROLL
    for (int64_t q = 0; q < 4; ++q) quads[q] = fold_pair(row(q), row(q + 4), larger);
    const __m256i both = _mm256_castps_si256(fold_pairs(quads, larger));
    const __m256i largest = _mm256_max_epu16(both, _mm256_srli_epi32(both, 16));
    const HalfScales to = half_scales(_mm256_and_si256(largest, _mm256_set1_epi32(0xFFFF)));
    _mm256_store_ps(scales.factor + first, to.factor);
    _mm256_store_ps(scales.scale + first, to.scale);
  }
}

/// Codes [16][width][2] of a block of dimensions from `first`.
void put_block(const Latents& latents, const Scales& scales, int64_t first, int16_t* codes) {
  const int64_t left = latents.dim - first, width = left < kCodeBlock ? left : kCodeBlock;
  for (int64_t key = 0; key < kTileKeys; key += 2, codes += 2 * width) {
    const uint16_t *low = latents.data + key * latents.stride + first, *high = low + latents.stride;
    const __m256 low_factor = _mm256_broadcast_ss(scales.factor + key);
    const __m256 high_factor = _mm256_broadcast_ss(scales.factor + key + 1);
    for_vectors(width, [&](auto access, int64_t d, int64_t count) {
      const __m256 low_bits = code_bits(access.load(low + d, count), low_factor);
      const __m256i both = pairs(low_bits, code_bits(access.load(high + d, count), high_factor));
      access.store(reinterpret_cast<float*>(codes + d * 2), count, _mm256_castsi256_ps(both));
    });
  }
}

}  // namespace

void keys_of_latents_f16(const uint16_t* latents, int64_t dim, int16_t* keys) {
  int16_t* stored = keys + kTileKeys * i16_padded(dim);
  for (int64_t d = 0; d < dim; d += kCodeBlock, keys += kCodeBlock * kTileKeys) {
    const int64_t dims = dim - d < kCodeBlock ? dim - d : kCodeBlock;
    alignas(32) uint16_t block[kCodeBlock * kTileKeys];
    to_columns(latents + d, dim, dims, block);
    for (int64_t first = 0; first < kTileKeys; first += 16) {
      const __m256i largest = largest_of(block + first, dims);
      for (int64_t key = first; key < first + 16; key += 8, stored += 8) {
        const __m128i some =
            key == first ? _mm256_castsi256_si128(largest) : _mm256_extracti128_si256(largest, 1);
        const HalfScales to = half_scales(_mm256_cvtepu16_epi32(some));
        put_keys(block + key, dims, to.factor, keys + key * 2);
        store_scales(to.scale, stored);
      }
    }
  }
}

void values_of_latents_f16(const uint16_t* latents, int64_t stride, int64_t dim, int16_t* values) {
  const Latents page{latents, stride, dim};
  Scales scales;
  find_scales(page, scales);
  for (int64_t d = 0; d < dim; d += kCodeBlock) put_block(page, scales, d, values + d * kTileKeys);
  for (int64_t key = 0; key < kTileKeys; key += 8)
    store_scales(_mm256_load_ps(scales.scale + key), values + kTileKeys * dim + key);
}

}  // namespace baleen::avx2
