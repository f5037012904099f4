// AVX-512 intrinsics for a compiler target without them: included before everything else in the second build of
// kernels/avx512, so that machines without AVX-512 compare its bits too. SIMDe emulates most; what its version lacks is
// here, as two AVX2 halves or a loop.
#pragma once

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>

#include <cstdint>
#include <cstring>

namespace baleen::emulated {

struct Halves {
  __m256i of[2];
};

template <class Vector>
[[maybe_unused]] static inline Halves halves(const Vector& vector) {
  Halves both;
  static_assert(sizeof(vector) == sizeof(both));
  std::memcpy(&both, &vector, sizeof both);
  return both;
}

template <class Vector>
[[maybe_unused]] static inline Vector joined(const Halves& both) {
  Vector vector;
  std::memcpy(&vector, &both, sizeof both);
  return vector;
}

[[maybe_unused]] static inline __m512 cvtph_ps(__m256i x) {
  return joined<__m512>({{_mm256_castps_si256(_mm256_cvtph_ps(_mm256_castsi256_si128(x))),
                          _mm256_castps_si256(_mm256_cvtph_ps(_mm256_extracti128_si256(x, 1)))}});
}
[[maybe_unused]] static inline __m512 cvtepi32_ps(__m512i x) {
  const Halves both = halves(x);
  return joined<__m512>({{_mm256_castps_si256(_mm256_cvtepi32_ps(both.of[0])),
                          _mm256_castps_si256(_mm256_cvtepi32_ps(both.of[1]))}});
}
[[maybe_unused]] static inline __m512i cvtps_epi32(__m512 x) {
  const Halves both = halves(x);
  return joined<__m512i>({{_mm256_cvtps_epi32(_mm256_castsi256_ps(both.of[0])),
                           _mm256_cvtps_epi32(_mm256_castsi256_ps(both.of[1]))}});
}
[[maybe_unused]] static inline __m512i maskz_cvtps_epi32(uint16_t mask, __m512 x) {
  return mask == 0 ? _mm512_setzero_si512() : cvtps_epi32(x);  // the kernels use all lanes or none
}
[[maybe_unused]] static inline __m512i cvtepu8_epi16(__m256i x) {
  return joined<__m512i>({{_mm256_cvtepu8_epi16(_mm256_castsi256_si128(x)),
                           _mm256_cvtepu8_epi16(_mm256_extracti128_si256(x, 1))}});
}
[[maybe_unused]] static inline __m512i cvtepu16_epi32(__m256i x) {
  return joined<__m512i>({{_mm256_cvtepu16_epi32(_mm256_castsi256_si128(x)),
                           _mm256_cvtepu16_epi32(_mm256_extracti128_si256(x, 1))}});
}
[[maybe_unused]] static inline __m512i cvtepu8_epi32(__m128i x) {
  return joined<__m512i>({{_mm256_cvtepu8_epi32(x), _mm256_cvtepu8_epi32(_mm_srli_si128(x, 8))}});
}
[[maybe_unused]] static inline __m512i cvtepi8_epi32(__m128i x) {
  return joined<__m512i>({{_mm256_cvtepi8_epi32(x), _mm256_cvtepi8_epi32(_mm_srli_si128(x, 8))}});
}
[[maybe_unused]] static inline __m512 maskz_loadu_ps(uint16_t mask, const float* from) {
  float lanes[16] = {};
  for (int lane = 0; lane < 16; ++lane)
    if ((mask >> lane & 1) != 0) lanes[lane] = from[lane];
  __m512 vector;
  std::memcpy(&vector, lanes, sizeof vector);
  return vector;
}
[[maybe_unused]] static inline void mask_storeu_ps(float* to, uint16_t mask, __m512 x) {
  float lanes[16];
  std::memcpy(lanes, &x, sizeof lanes);
  for (int lane = 0; lane < 16; ++lane)
    if ((mask >> lane & 1) != 0) to[lane] = lanes[lane];
}
struct Lanes {
  int32_t of[16];
};
[[maybe_unused]] static inline Lanes lanes_of(__m512i x) {
  Lanes lanes;
  std::memcpy(&lanes, &x, sizeof lanes);
  return lanes;
}
[[maybe_unused]] static inline __m128i cvtepi32_epi8(__m512i x) {
  int8_t bytes[16];
  for (int lane = 0; lane < 16; ++lane) bytes[lane] = static_cast<int8_t>(lanes_of(x).of[lane]);
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}
[[maybe_unused]] static inline int32_t reduce_add_epi32(__m512i x) {
  int32_t sum = 0;
  for (const int32_t lane : lanes_of(x).of) sum += lane;
  return sum;
}
[[maybe_unused]] static inline int32_t reduce_max_epi32(__m512i x) {
  int32_t most = INT32_MIN;
  for (const int32_t lane : lanes_of(x).of) most = lane > most ? lane : most;
  return most;
}

// What may wrap: SIMDe adds with signed integers where it has no instruction of the target's.
template <class Op>
[[maybe_unused]] static inline __m512i in_halves(__m512i a, __m512i b, const Op& op) {
  const Halves left = halves(a), right = halves(b);
  return joined<__m512i>({{op(left.of[0], right.of[0]), op(left.of[1], right.of[1])}});
}
[[maybe_unused]] static inline __m512i add_epi8(__m512i a, __m512i b) {
  return in_halves(a, b, [](__m256i x, __m256i y) { return _mm256_add_epi8(x, y); });
}
[[maybe_unused]] static inline __m512i add_epi16(__m512i a, __m512i b) {
  return in_halves(a, b, [](__m256i x, __m256i y) { return _mm256_add_epi16(x, y); });
}
[[maybe_unused]] static inline __m512i sub_epi16(__m512i a, __m512i b) {
  return in_halves(a, b, [](__m256i x, __m256i y) { return _mm256_sub_epi16(x, y); });
}
[[maybe_unused]] static inline __m512i add_epi32(__m512i a, __m512i b) {
  return in_halves(a, b, [](__m256i x, __m256i y) { return _mm256_add_epi32(x, y); });
}
/// a . b of the `kParts` parts of each 32 bits.
template <class A, class B>
[[maybe_unused]] static inline __m512i dots_of(__m512i a, __m512i b) {
  constexpr size_t kParts = 4 / sizeof(A);
  A left[16 * kParts];
  B right[16 * kParts];
  std::memcpy(left, &a, sizeof left);
  std::memcpy(right, &b, sizeof right);
  uint32_t dots[16] = {};
  for (size_t i = 0; i < 16 * kParts; ++i)
    dots[i / kParts] += static_cast<uint32_t>(int32_t{left[i]} * int32_t{right[i]});
  __m512i vector;
  std::memcpy(&vector, dots, sizeof vector);
  return vector;
}
[[maybe_unused]] static inline __m512i dpbusd_epi32(__m512i sum, __m512i a, __m512i b) {
  return add_epi32(sum, dots_of<uint8_t, int8_t>(a, b));
}
[[maybe_unused]] static inline __m512i dpwssd_epi32(__m512i sum, __m512i a, __m512i b) {
  return add_epi32(sum, dots_of<int16_t, int16_t>(a, b));
}

}  // namespace baleen::emulated

#define _mm512_cvtph_ps baleen::emulated::cvtph_ps
#define _mm512_cvtepi32_ps baleen::emulated::cvtepi32_ps
#define _mm512_cvtps_epi32 baleen::emulated::cvtps_epi32
#define _mm512_maskz_cvtps_epi32 baleen::emulated::maskz_cvtps_epi32
#define _mm512_cvtepu8_epi16 baleen::emulated::cvtepu8_epi16
#define _mm512_cvtepu16_epi32 baleen::emulated::cvtepu16_epi32
#undef _mm512_cvtepu8_epi32
#define _mm512_cvtepu8_epi32 baleen::emulated::cvtepu8_epi32
#undef _mm512_cvtepi8_epi32
#define _mm512_cvtepi8_epi32 baleen::emulated::cvtepi8_epi32
#undef _mm512_cvtepi32_epi8
#define _mm512_cvtepi32_epi8 baleen::emulated::cvtepi32_epi8
#define _mm512_maskz_loadu_ps baleen::emulated::maskz_loadu_ps
#define _mm512_mask_storeu_ps baleen::emulated::mask_storeu_ps
#define _mm512_reduce_add_epi32 baleen::emulated::reduce_add_epi32
#undef _mm512_reduce_max_epi32
#define _mm512_reduce_max_epi32 baleen::emulated::reduce_max_epi32
#undef _mm512_add_epi8
#define _mm512_add_epi8 baleen::emulated::add_epi8
#undef _mm512_add_epi16
#define _mm512_add_epi16 baleen::emulated::add_epi16
#undef _mm512_sub_epi16
#define _mm512_sub_epi16 baleen::emulated::sub_epi16
#undef _mm512_add_epi32
#define _mm512_add_epi32 baleen::emulated::add_epi32
#undef _mm512_dpbusd_epi32
#define _mm512_dpbusd_epi32 baleen::emulated::dpbusd_epi32
#undef _mm512_dpwssd_epi32
#define _mm512_dpwssd_epi32 baleen::emulated::dpwssd_epi32
