// Rows of floats to the tiles that the kernels take (kernels/quantise_blocks.h).
#include "kernels/avx2/matmul.h"
#include "kernels/avx2/vectors.h"
#include "kernels/pair_starts.h"
#include "kernels/quantise_blocks.h"

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

/// 16 codes of four tokens of a group as words.
BALEEN_INLINE __m256i words(const std::byte* codes) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
}

/// Of four tokens, two sums each: products of an even k-group's codes and those behind it (activation_layout.h).
BALEEN_INLINE __m256i taken_of_four(const std::byte* even) {
  const __m256i odd = _mm256_add_epi16(words(even + kTileTokens * 4), _mm256_set1_epi16(kToLow));
  return _mm256_madd_epi16(odd, _mm256_sub_epi16(words(even), _mm256_set1_epi16(kToHigh)));
}

/// Of eight tokens, for a sub-block.
BALEEN_INLINE __m256i taken(const std::byte* codes) {
  constexpr int kGroup = kTileTokens * 4, kFour = kGroup / 2;
  const std::byte* half = codes + 4 * kGroup;
  const __m256i low = _mm256_add_epi32(taken_of_four(half), taken_of_four(half + 2 * kGroup));
  const __m256i high =
      _mm256_add_epi32(taken_of_four(half + kFour), taken_of_four(half + 2 * kGroup + kFour));
  const __m256i sums = _mm256_permute4x64_epi64(_mm256_hadd_epi32(low, high), 0b11011000);
  return _mm256_add_epi32(sums, _mm256_set1_epi32(kTakenAlways));
}

void write_starts(std::byte* block) {
  constexpr int kSubBlock = kSlab * kTileTokens;
  for (int i = 0; i < 4; ++i) {
    const std::byte* codes = block + 2 * i * kSubBlock;
    const __m256i starts = pair_starts(taken(codes), taken(codes + kSubBlock));
    put_value(block + (kStarts256 + i * 4) * kTileTokens, starts);
  }
}

}  // namespace

void quantise_blocks32(const ActivationTile& tile) { quantise_tile_32<Slab>(tile); }
void quantise_blocks256(const ActivationTile& tile) {
  quantise_tile_256<Slab>(tile);
  if (tile.tokens != kTileTokens) return;
  for (int64_t b = 0; b < tile.cols / 256; ++b) write_starts(tile.out + b * kRecord256 * kTileTokens);
}

}  // namespace baleen::avx2
