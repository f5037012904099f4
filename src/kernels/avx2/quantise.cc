// Rows of floats to the tiles that the kernels take (kernels/quantise_blocks.h, quantise_eight.h).
#include "kernels/avx2/matmul.h"
#include "kernels/avx2/vectors.h"
#include "kernels/quantise_blocks.h"
#include "kernels/quantise_eight.h"

namespace baleen::avx2 {
namespace {

BALEEN_INLINE __m256i magnitude(const float* x) {
  return _mm256_and_si256(_mm256_castps_si256(_mm256_loadu_ps(x)), _mm256_set1_epi32(0x7FFFFFFF));
}

/// 8 codes as int32; all 0 where the factor is 0, whatever x is.
BALEEN_INLINE __m256i codes_of(const float* x, float factor) {
  if (factor == 0) return _mm256_setzero_si256();
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), _mm256_set1_ps(factor)));
}

BALEEN_INLINE int32_t sum_of(__m256i values) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return _mm_cvtsi128_si32(sum);
}

struct Slab {
  BALEEN_INLINE uint32_t largest(const float* x) {
    const __m256i eight = _mm256_max_epi32(_mm256_max_epi32(magnitude(x), magnitude(x + 8)),
                                           _mm256_max_epi32(magnitude(x + 16), magnitude(x + 24)));
    __m128i most = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0x4E));
    most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0xB1));
    return static_cast<uint32_t>(_mm_cvtsi128_si32(most));
  }

  BALEEN_INLINE CodeSums put(const float* x, float factor, int tokens, std::byte* out) {
    const __m256i low = codes_of(x, factor), high = codes_of(x + 8, factor);
    // [low 0..3, high 0..3, low 4..7, high 4..7] as words, then as bytes of both lanes
    const __m256i words = _mm256_packs_epi32(low, high);
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    put_value(out, _mm_cvtsi128_si32(bytes));
    put_value(out + tokens * 4, _mm_extract_epi32(bytes, 2));
    put_value(out + tokens * 8, _mm_extract_epi32(bytes, 1));
    put_value(out + tokens * 12, _mm_extract_epi32(bytes, 3));
    const __m256i magnitudes = _mm256_add_epi32(_mm256_abs_epi32(low), _mm256_abs_epi32(high));
    return code_sums(
        sum_of(_mm256_add_epi32(_mm256_add_epi32(low, high), _mm256_slli_epi32(magnitudes, 16))));
  }
};

BALEEN_INLINE __m256i larger_of(__m256i a, __m256i b) { return _mm256_max_epi32(a, b); }

/// 8 codes as int32, x times a factor that is the same in all lanes; kAny: 0 where the factor is.
template <bool kAny>
BALEEN_INLINE __m256i codes_of(const float* x, __m256 factor) {
  const __m256i codes = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), factor));
  if constexpr (!kAny) return codes;
  const __m256 some = _mm256_cmp_ps(factor, _mm256_setzero_ps(), _CMP_NEQ_OQ);
  return _mm256_and_si256(codes, _mm256_castps_si256(some));
}

/// Rows of 8 double words to columns. of[i] and of[4 + i]: column i of each row's lower and upper half.
BALEEN_INLINE void transpose_halves(const __m256i (&row)[kEight], __m256i (&of)[kEight]) {
  __m256i quads[2][4];  // column i of rows 0..3 and 4..7, of both halves
  BALEEN_UNROLL
  for (int four = 0; four < 2; ++four) {
    const __m256i* const r = row + 4 * four;
    const __m256i low_01 = _mm256_unpacklo_epi32(r[0], r[1]), high_01 = _mm256_unpackhi_epi32(r[0], r[1]);
    const __m256i low_23 = _mm256_unpacklo_epi32(r[2], r[3]), high_23 = _mm256_unpackhi_epi32(r[2], r[3]);
    quads[four][0] = _mm256_unpacklo_epi64(low_01, low_23);
    quads[four][1] = _mm256_unpackhi_epi64(low_01, low_23);
    quads[four][2] = _mm256_unpacklo_epi64(high_01, high_23);
    quads[four][3] = _mm256_unpackhi_epi64(high_01, high_23);
  }
  BALEEN_UNROLL
  for (int i = 0; i < 4; ++i) {
    of[i] = _mm256_permute2x128_si256(quads[0][i], quads[1][i], 0x20);
    of[4 + i] = _mm256_permute2x128_si256(quads[0][i], quads[1][i], 0x31);
  }
}

/// Of four k-groups of eight tokens.
BALEEN_INLINE EightSums sums_of_groups(__m256i a, __m256i b, __m256i c, __m256i d) {
  const __m256i ones = _mm256_set1_epi8(1), words = _mm256_set1_epi16(1);
  const auto sum = [&] [[gnu::always_inline]] (__m256i x) { return _mm256_maddubs_epi16(ones, x); };
  const auto all = [&] [[gnu::always_inline]] (__m256i w, __m256i x, __m256i y, __m256i z) {
    return _mm256_madd_epi16(
        _mm256_add_epi16(_mm256_add_epi16(sum(w), sum(x)), _mm256_add_epi16(sum(y), sum(z))), words);
  };
  return {all(a, b, c, d),
          all(_mm256_abs_epi8(a), _mm256_abs_epi8(b), _mm256_abs_epi8(c), _mm256_abs_epi8(d))};
}

struct Eight {
  BALEEN_INLINE __m256i largest(const float* const* rows, int64_t k) {
    __m256i x[kEight];
    BALEEN_UNROLL
    for (int t = 0; t < kEight; ++t) {
      const float* const of = rows[t] + k;
      x[t] = larger_of(larger_of(magnitude(of), magnitude(of + 8)),
                       larger_of(magnitude(of + 16), magnitude(of + 24)));
    }
    BALEEN_UNROLL
    for (int t = 0; t < 4; ++t)  // token t in 128 bits, t + 4 in the others
      x[t] = larger_of(_mm256_permute2x128_si256(x[t], x[t + 4], 0x20),
                       _mm256_permute2x128_si256(x[t], x[t + 4], 0x31));
    BALEEN_UNROLL
    for (int i = 0; i < 2; ++i)
      x[i] = larger_of(_mm256_unpacklo_epi64(x[2 * i], x[2 * i + 1]),
                       _mm256_unpackhi_epi64(x[2 * i], x[2 * i + 1]));
    const __m256 first = _mm256_castsi256_ps(x[0]), second = _mm256_castsi256_ps(x[1]);
    return larger_of(_mm256_castps_si256(_mm256_shuffle_ps(first, second, 0x88)),
                     _mm256_castps_si256(_mm256_shuffle_ps(first, second, 0xDD)));
  }

  template <bool kAny>
  BALEEN_INLINE EightCodes put(const float* const* rows, int64_t k, __m256 factors, std::byte* out) {
    alignas(32) float factor[kEight];
    _mm256_store_ps(factor, factors);
    __m256i bytes[kEight], group[kEight];
    BALEEN_UNROLL
    for (int t = 0; t < kEight; ++t) {  // k-groups 0, 2, 4, 6 in 128 bits, 1, 3, 5, 7 in the others
      const float* const x = rows[t] + k;
      const __m256 f = _mm256_set1_ps(factor[t]);
      bytes[t] = _mm256_packs_epi16(_mm256_packs_epi32(codes_of<kAny>(x, f), codes_of<kAny>(x + 8, f)),
                                    _mm256_packs_epi32(codes_of<kAny>(x + 16, f), codes_of<kAny>(x + 24, f)));
    }
    transpose_halves(bytes, group);
    BALEEN_UNROLL
    for (int i = 0; i < 4; ++i) {
      store_eight(out + 64 * i, group[i]);
      store_eight(out + 64 * i + 32, group[4 + i]);
    }
    return {sums_of_groups(group[0], group[4], group[1], group[5]),
            sums_of_groups(group[2], group[6], group[3], group[7])};
  }
};

}  // namespace

void quantise_blocks32(const ActivationTile& tile) {
  tile.tokens == kEight ? quantise_tile_of_eight_32<Eight>(tile) : quantise_tile_32<Slab>(tile);
}

void quantise_blocks256(const ActivationTile& tile) {
  tile.tokens == kEight ? quantise_tile_of_eight_256<Eight>(tile) : quantise_tile_256<Slab>(tile);
}

}  // namespace baleen::avx2
