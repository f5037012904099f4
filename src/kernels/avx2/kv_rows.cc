// Keys and values into the pages of the KV cache (rules: kernels/ref/kv_rows.cc).
#include "kernels/avx2/f16_codes.h"
#include "kernels/store_f16.h"

namespace baleen::avx2 {
namespace {

/// 8 numbers, of which `left` are there, in f16.
BALEEN_INLINE __m128i to_halves(const float* from, int64_t left) {
  const __m256 x = left >= 8 ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, lanes_left(left));
  return _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
}

/// 8 codes; a broken block's are 0.
BALEEN_INLINE __m128i codes_of(__m128i halves, __m256 scale) {
  const __m256i bits = _mm256_castps_si256(code_bits(_mm256_cvtph_ps(halves), factors_of(scale)));
  const __m256 sound = _mm256_cmp_ps(scale, scale, _CMP_ORD_Q);
  const __m256i codes =
      _mm256_and_si256(_mm256_and_si256(bits, _mm256_set1_epi32(0xFFFF)), _mm256_castps_si256(sound));
  return _mm_packus_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1));
}

/// What kernels/store_f16.h takes of this ISA.
struct Halves {
  static constexpr int kLanes = 8;
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
  BALEEN_INLINE void put_codes(const float* from, int64_t left, __m256 scale, int16_t* to) {
    _mm_store_si128(reinterpret_cast<__m128i*>(to), codes_of(to_halves(from, left), scale));
  }
  BALEEN_INLINE void put_alternate(const float* from, int64_t left, __m256 scale, int16_t* to) {
    if (left >= kLanes) {  // the words between are written back, the one behind the last, of this page, too
      auto* words = reinterpret_cast<__m256i*>(to);
      const __m256i codes = _mm256_cvtepu16_epi32(codes_of(to_halves(from, left), scale));
      return _mm256_storeu_si256(words, _mm256_blend_epi16(_mm256_loadu_si256(words), codes, 0x55));
    }
    alignas(16) int16_t codes[kLanes];
    put_codes(from, left, scale, codes);
    for (int64_t i = 0; i < left; ++i) to[i * 2] = codes[i];
  }
  BALEEN_INLINE void put_halves(const float* from, int64_t left, int16_t* to) {
    alignas(16) int16_t halves[kLanes];
    _mm_store_si128(reinterpret_cast<__m128i*>(halves), to_halves(from, left));
    __builtin_memcpy(to, halves, static_cast<size_t>(left < kLanes ? left : kLanes) * sizeof(int16_t));
  }
};

}  // namespace

void store_keys_f16(const HeadRows& rows, int16_t* keys) { store_f16_keys<Halves>(rows, keys); }
void store_values_f16(const HeadRows& rows, int16_t* values) { store_f16_values<Halves>(rows, values); }
void store_latents_f16(const HeadRows& rows, int64_t value_dim, int16_t* latents) {
  store_f16_latents<Halves>(rows, value_dim, latents);
}

}  // namespace baleen::avx2
