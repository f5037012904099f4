// Keys and values into the pages of the KV cache (rules: kernels/ref/kv_rows.cc).
#include "kernels/avx2/f16_codes.h"

namespace baleen::avx2 {
namespace {

/// 8 numbers, of which `left` are there, in f16.
BALEEN_INLINE __m128i to_halves(const float* from, int64_t left) {
  const __m256 x = left >= 8 ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, lanes_left(left));
  return _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
}

/// The scale of one block of `count` numbers, in all lanes.
BALEEN_INLINE __m256 scale_of(const float* from, int64_t count) {
  __m128i largest = _mm_setzero_si128();
  for (int64_t i = 0; i < count; i += 8)
    largest = _mm_max_epu16(largest, _mm_and_si128(to_halves(from + i, count - i), _mm_set1_epi16(0x7FFF)));
  const __m128i all = _mm_set1_epi16(-1);  // what vphminposuw finds is the least
  return scales_of(
      _mm256_set1_epi32(0xFFFF ^ _mm_extract_epi16(_mm_minpos_epu16(_mm_xor_si128(largest, all)), 0)));
}

BALEEN_INLINE int16_t stored(__m256 scale) {
  return static_cast<int16_t>(_mm256_cvtsi256_si32(_mm256_castps_si256(scale)) >> 16);
}

/// 8 codes; a broken block's are 0.
BALEEN_INLINE __m128i codes_of(__m128i halves, __m256 scale) {
  const __m256i bits = _mm256_castps_si256(code_bits(_mm256_cvtph_ps(halves), factors_of(scale)));
  const __m256 sound = _mm256_cmp_ps(scale, scale, _CMP_ORD_Q);
  const __m256i codes =
      _mm256_and_si256(_mm256_and_si256(bits, _mm256_set1_epi32(0xFFFF)), _mm256_castps_si256(sound));
  return _mm_packus_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1));
}

BALEEN_INLINE void store_codes(int16_t* to, __m128i codes) {
  _mm_store_si128(reinterpret_cast<__m128i*>(to), codes);
}

void store_key(const float* from, int64_t dim, int64_t slot, int16_t* keys) {
  const int64_t padded = i16_padded(dim);
  for (int64_t d = 0; d < dim; d += kCodeBlock) {
    const int64_t count = dim - d < kCodeBlock ? dim - d : kCodeBlock;
    const __m256 scale = scale_of(from + d, count);
    alignas(16) int16_t codes[kCodeBlock];
    for (int64_t i = 0; i < count; i += 8)
      store_codes(codes + i, codes_of(to_halves(from + d + i, count - i), scale));
    int16_t* to = keys + d * kTileKeys + slot * 2;
    for (int64_t i = 0; i < count; i += 2)
      __builtin_memcpy(to + i * kTileKeys, codes + i, 2 * sizeof(int16_t));
    keys[kTileKeys * (padded + d / kCodeBlock) + slot] = stored(scale);
  }
}

/// Every other word of 8 double words.
BALEEN_INLINE void put_every_other(int16_t* to, __m128i codes, bool odd) {
  const __m256i old = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(to)),
                wide = _mm256_cvtepu16_epi32(codes);
  const __m256i both =
      odd ? _mm256_blend_epi16(old, _mm256_slli_epi32(wide, 16), 0xAA) : _mm256_blend_epi16(old, wide, 0x55);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), both);
}

void store_value(const float* from, int64_t dim, int64_t slot, int16_t* values) {
  const __m256 scale = scale_of(from, dim);
  for (int64_t d = 0; d < dim; d += 8) {
    const int64_t left = dim - d, block = d / kCodeBlock * kCodeBlock;
    const int64_t width = dim - block < kCodeBlock ? dim - block : kCodeBlock;
    int16_t* to = values + block * kTileKeys + slot / 2 * 2 * width + d % kCodeBlock * 2;
    const __m128i codes = codes_of(to_halves(from + d, left), scale);
    if (left >= 8) {
      put_every_other(to, codes, slot % 2 != 0);
      continue;
    }
    alignas(16) int16_t some[8];
    store_codes(some, codes);
    for (int64_t i = 0; i < left; ++i) to[i * 2 + slot % 2] = some[i];
  }
  values[kTileKeys * dim + slot] = stored(scale);
}

}  // namespace

void store_keys_f16(const HeadRows& rows, int16_t* keys) {
  for (int32_t r = 0; r < rows.count; ++r)
    store_key(rows.data + r * rows.stride, rows.dim, rows.slot + r, keys);
}

void store_values_f16(const HeadRows& rows, int16_t* values) {
  for (int32_t r = 0; r < rows.count; ++r)
    store_value(rows.data + r * rows.stride, rows.dim, rows.slot + r, values);
}

void store_latents_f16(const HeadRows& rows, int64_t value_dim, int16_t* latents) {
  const int64_t dim = rows.dim, blocks = code_blocks(dim);
  int16_t* scales = latents + kTileKeys * dim;
  for (int32_t r = 0; r < rows.count; ++r) {
    const float* from = rows.data + r * rows.stride;
    const int64_t slot = rows.slot + r;
    int16_t* to = latents + slot * dim;
    int64_t d = 0;
    for (; d + 8 <= dim; d += 8) _mm_storeu_si128(reinterpret_cast<__m128i*>(to + d), to_halves(from + d, 8));
    for (; d < dim; ++d) to[d] = static_cast<int16_t>(_cvtss_sh(from[d], _MM_FROUND_TO_NEAREST_INT));
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t first = b * kCodeBlock, left = dim - first;
      scales[b * kTileKeys + slot] = stored(scale_of(from + first, left < kCodeBlock ? left : kCodeBlock));
    }
    scales[blocks * kTileKeys + slot] = stored(scale_of(from, value_dim));
  }
}

}  // namespace baleen::avx2
