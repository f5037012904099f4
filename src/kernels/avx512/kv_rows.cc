// Keys and values into the pages of the KV cache (rules: kernels/ref/kv_rows.cc).
#include "kernels/avx512/f16_codes.h"

namespace baleen::avx512 {
namespace {

/// 16 numbers, of which `left` are there, in f16.
BALEEN_INLINE __m256i to_halves(const float* from, int64_t left) {
  const __m512 x = left >= 16 ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(lanes_left(left), from);
  return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
}

/// The scale of one block of `count` numbers, in all lanes.
BALEEN_INLINE __m512 scale_of(const float* from, int64_t count) {
  __m256i largest = _mm256_setzero_si256();
  for (int64_t i = 0; i < count; i += 16)
    largest = _mm256_max_epu16(largest,
                               _mm256_and_si256(to_halves(from + i, count - i), _mm256_set1_epi16(0x7FFF)));
  const __m128i eight = _mm_max_epu16(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
  const __m128i all = _mm_set1_epi16(-1);  // what vphminposuw finds is the least
  return scales_of(
      _mm512_set1_epi32(0xFFFF ^ _mm_extract_epi16(_mm_minpos_epu16(_mm_xor_si128(eight, all)), 0)));
}

BALEEN_INLINE int16_t stored(__m512 scale) {
  return static_cast<int16_t>(_mm512_cvtsi512_si32(_mm512_castps_si512(scale)) >> 16);
}

/// 16 codes in the low halves of 32 bits, what is above them is anything; a broken block's are 0.
BALEEN_INLINE __m512i codes_of(__m256i halves, __m512 scale) {
  const __m512 bits = code_bits(_mm512_cvtph_ps(halves), factors_of(scale));
  return _mm512_maskz_mov_epi32(_mm512_cmp_ps_mask(scale, scale, _CMP_ORD_Q), _mm512_castps_si512(bits));
}

void store_key(const float* from, int64_t dim, int64_t slot, int16_t* keys) {
  const int64_t padded = i16_padded(dim);
  for (int64_t d = 0; d < dim; d += kCodeBlock) {
    const int64_t count = dim - d < kCodeBlock ? dim - d : kCodeBlock;
    const __m512 scale = scale_of(from + d, count);
    alignas(32) int16_t codes[kCodeBlock];
    for (int64_t i = 0; i < count; i += 16)
      _mm256_store_si256(reinterpret_cast<__m256i*>(codes + i),
                         _mm512_cvtepi32_epi16(codes_of(to_halves(from + d + i, count - i), scale)));
    int16_t* to = keys + d * kTileKeys + slot * 2;
    for (int64_t i = 0; i < count; i += 2)
      __builtin_memcpy(to + i * kTileKeys, codes + i, 2 * sizeof(int16_t));
    keys[kTileKeys * (padded + d / kCodeBlock) + slot] = stored(scale);
  }
}

void store_value(const float* from, int64_t dim, int64_t slot, int16_t* values) {
  const __m512 scale = scale_of(from, dim);
  const auto above = static_cast<unsigned>(slot % 2);
  for (int64_t d = 0; d < dim; d += 16) {
    const int64_t left = dim - d, block = d / kCodeBlock * kCodeBlock;
    const int64_t width = dim - block < kCodeBlock ? dim - block : kCodeBlock;
    const __m512i codes = codes_of(to_halves(from + d, left), scale);
    const auto pairs =
        left >= 16 ? 0x55555555u : static_cast<uint32_t>((uint64_t{1} << 2 * left) - 1) & 0x55555555u;
    int16_t* to = values + block * kTileKeys + slot / 2 * 2 * width + d % kCodeBlock * 2;
    _mm512_mask_storeu_epi16(to, pairs << above, _mm512_slli_epi32(codes, 16 * above));
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
    for (int64_t d = 0; d < dim; d += 16)
      _mm256_mask_storeu_epi16(latents + slot * dim + d, lanes_left(dim - d), to_halves(from + d, dim - d));
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t first = b * kCodeBlock, left = dim - first;
      scales[b * kTileKeys + slot] = stored(scale_of(from + first, left < kCodeBlock ? left : kCodeBlock));
    }
    scales[blocks * kTileKeys + slot] = stored(scale_of(from, value_dim));
  }
}

}  // namespace baleen::avx512
