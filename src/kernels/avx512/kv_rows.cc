// Keys and values into the pages of the KV cache (rules: kernels/ref/kv_rows.cc).
#include "kernels/avx512/f16_codes.h"
#include "kernels/store_f16.h"

namespace baleen::avx512 {
namespace {

/// 16 numbers, of which `left` are there, in f16.
BALEEN_INLINE __m256i to_halves(const float* from, int64_t left) {
  const __m512 x = left >= 16 ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(lanes_left(left), from);
  return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
}

/// 16 codes in the low halves of 32 bits, what is above them is anything; a broken block's are 0.
BALEEN_INLINE __m512i codes_of(__m256i halves, __m512 scale) {
  const __m512 bits = code_bits(_mm512_cvtph_ps(halves), factors_of(scale));
  return _mm512_maskz_mov_epi32(_mm512_cmp_ps_mask(scale, scale, _CMP_ORD_Q), _mm512_castps_si512(bits));
}

/// What kernels/store_f16.h takes of this ISA.
struct Halves {
  static constexpr int kLanes = 16;
  BALEEN_INLINE __m512 scale_of(const float* from, int64_t count) {
    __m256i largest = _mm256_setzero_si256();
    for (int64_t i = 0; i < count; i += 16)
      largest = _mm256_max_epu16(largest,
                                 _mm256_and_si256(to_halves(from + i, count - i), _mm256_set1_epi16(0x7FFF)));
    const __m128i eight =
        _mm_max_epu16(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
    const __m128i all = _mm_set1_epi16(-1);  // what vphminposuw finds is the least
    return scales_of(
        _mm512_set1_epi32(0xFFFF ^ _mm_extract_epi16(_mm_minpos_epu16(_mm_xor_si128(eight, all)), 0)));
  }
  BALEEN_INLINE int16_t stored(__m512 scale) {
    return static_cast<int16_t>(_mm512_cvtsi512_si32(_mm512_castps_si512(scale)) >> 16);
  }
  BALEEN_INLINE void put_codes(const float* from, int64_t left, __m512 scale, int16_t* to) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(to),
                       _mm512_cvtepi32_epi16(codes_of(to_halves(from, left), scale)));
  }
  BALEEN_INLINE void put_alternate(const float* from, int64_t left, __m512 scale, int16_t* to) {
    const uint32_t there = left >= 16 ? ~0u : (1u << 2 * left) - 1;
    _mm512_mask_storeu_epi16(to, there & 0x55555555u, codes_of(to_halves(from, left), scale));
  }
  BALEEN_INLINE void put_halves(const float* from, int64_t left, int16_t* to) {
    _mm256_mask_storeu_epi16(to, lanes_left(left), to_halves(from, left));
  }
};

}  // namespace

void store_keys_f16(const HeadRows& rows, int16_t* keys) { store_f16_keys<Halves>(rows, keys); }
void store_values_f16(const HeadRows& rows, int16_t* values) { store_f16_values<Halves>(rows, values); }
void store_latents_f16(const HeadRows& rows, int64_t value_dim, int16_t* latents) {
  store_f16_latents<Halves>(rows, value_dim, latents);
}

}  // namespace baleen::avx512
