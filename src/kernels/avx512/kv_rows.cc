// Keys and values into the pages of the KV cache (rules: kernels/ref/kv_rows.cc).
#include "kernels/avx512/f16_codes.h"

namespace baleen::avx512 {
namespace {

/// 16 numbers, of which `left` are there, in f16.
BALEEN_INLINE __m256i to_halves(const float* from, int64_t left) {
  const __m512 x = left >= 16 ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(lanes_left(left), from);
  return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
}

BALEEN_INLINE __m256i larger(__m256i largest, __m256i halves) {
  return _mm256_max_epu16(largest, _mm256_and_si256(halves, _mm256_set1_epi16(0x7FFF)));
}

/// The scales of one block in all lanes; of a broken one the factor is of no use.
BALEEN_INLINE HalfScales scales_of(__m256i magnitudes) {
  const __m128i eight =
      _mm_max_epu16(_mm256_castsi256_si128(magnitudes), _mm256_extracti128_si256(magnitudes, 1));
  const __m128i all = _mm_set1_epi16(-1);  // what vphminposuw finds is the least
  const int largest = 0xFFFF ^ _mm_extract_epi16(_mm_minpos_epu16(_mm_xor_si128(eight, all)), 0);
  return half_scales(_mm512_set1_epi32(largest));
}

BALEEN_INLINE int16_t stored(const HalfScales& scales) {
  return static_cast<int16_t>(_mm512_cvtsi512_si32(_mm512_castps_si512(scales.scale)) >> 16);
}

/// 16 codes in the low halves of 32 bits, what is above them is anything; a broken block's are 0.
BALEEN_INLINE __m512i codes_of(__m256i halves, const HalfScales& scales) {
  const __mmask16 sound = _mm512_cmp_ps_mask(scales.scale, scales.scale, _CMP_ORD_Q);
  return _mm512_maskz_mov_epi32(sound,
                                _mm512_castps_si512(code_bits(_mm512_cvtph_ps(halves), scales.factor)));
}

void store_key(const float* from, int64_t dim, int64_t slot, int16_t* keys) {
  const int64_t padded = i16_padded(dim);
  for (int64_t d = 0; d < dim; d += kCodeBlock) {
    const int64_t left = dim - d;
    const __m256i low = to_halves(from + d, left);
    const __m256i high = left > 16 ? to_halves(from + d + 16, left - 16) : _mm256_setzero_si256();
    const HalfScales scales = scales_of(larger(larger(_mm256_setzero_si256(), low), high));
    alignas(32) int16_t codes[kCodeBlock];
    _mm256_store_si256(reinterpret_cast<__m256i*>(codes), _mm512_cvtepi32_epi16(codes_of(low, scales)));
    _mm256_store_si256(reinterpret_cast<__m256i*>(codes + 16), _mm512_cvtepi32_epi16(codes_of(high, scales)));
    int16_t* to = keys + d * kTileKeys + slot * 2;
    for (int64_t i = 0; i < kCodeBlock && d + i < padded; i += 2)
      __builtin_memcpy(to + i * kTileKeys, codes + i, 2 * sizeof(int16_t));
    keys[kTileKeys * (padded + d / kCodeBlock) + slot] = stored(scales);
  }
}

void store_value(const float* from, int64_t dim, int64_t slot, int16_t* values) {
  __m256i largest = _mm256_setzero_si256();
  for (int64_t d = 0; d < dim; d += 16) largest = larger(largest, to_halves(from + d, dim - d));
  const HalfScales scales = scales_of(largest);
  const auto above = static_cast<unsigned>(slot % 2);
  for (int64_t d = 0; d < dim; d += 16) {
    const int64_t left = dim - d, block = d / kCodeBlock * kCodeBlock;
    const int64_t width = dim - block < kCodeBlock ? dim - block : kCodeBlock;
    const __m512i codes = codes_of(to_halves(from + d, left), scales);
    const auto pairs =
        left >= 16 ? 0x55555555u : static_cast<uint32_t>((uint64_t{1} << 2 * left) - 1) & 0x55555555u;
    int16_t* to = values + block * kTileKeys + slot / 2 * 2 * width + d % kCodeBlock * 2;
    _mm512_mask_storeu_epi16(to, pairs << above, _mm512_slli_epi32(codes, 16 * above));
  }
  values[kTileKeys * dim + slot] = stored(scales);
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

void store_latents_f16(const HeadRows& rows, uint16_t* latents) {
  for (int32_t r = 0; r < rows.count; ++r) {
    const float* from = rows.data + r * rows.stride;
    uint16_t* to = latents + int64_t{rows.slot + r} * rows.dim;
    for (int32_t d = 0; d < rows.dim; d += 16)
      _mm256_mask_storeu_epi16(to + d, lanes_left(rows.dim - d), to_halves(from + d, rows.dim - d));
  }
}

}  // namespace baleen::avx512
