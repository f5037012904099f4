// Rows of floats to the tiles that the kernels take (rules: kernels/ref/quantise.cc). One token's block at a time, its
// k in the lanes; magnitudes are compared as integers, so infinities and NaNs come out largest.
#include "kernels/avx2/matmul.h"
#include "kernels/avx2/vectors.h"

namespace baleen::avx2 {
namespace {

constexpr uint32_t kInfinity = 0x7F800000u, kNan = 0x7FC00000u;

BALEEN_INLINE float from_bits(uint32_t bits) {
  return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(int(bits))));
}

template <class T>
BALEEN_INLINE void store(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

/// What a block's largest magnitude says about its codes.
struct BlockScale {
  float amax, factor, scale;  ///< factor 0: all codes are 0
};
BALEEN_INLINE BlockScale block_scale(uint32_t bits) {
  const float amax = from_bits(bits);
  if (bits >= kInfinity) return {amax, 0, from_bits(kNan)};
  if (amax < 0x1p-100f) return {amax, 0, 0};
  return {amax, 127.0f / amax, amax / 127.0f};
}

BALEEN_INLINE __m256i magnitude(const float* x) {
  return _mm256_and_si256(_mm256_castps_si256(_mm256_loadu_ps(x)), _mm256_set1_epi32(0x7FFFFFFF));
}

BALEEN_INLINE uint32_t largest_of(__m256i values) {
  __m128i most = _mm_max_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0x4E));
  most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0xB1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(most));
}

BALEEN_INLINE int32_t sum_of(__m256i values) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return _mm_cvtsi128_si32(sum);
}

/// The largest magnitude of 32 values.
BALEEN_INLINE uint32_t largest_of_slab(const float* x) {
  return largest_of(_mm256_max_epi32(_mm256_max_epi32(magnitude(x), magnitude(x + 8)),
                                     _mm256_max_epi32(magnitude(x + 16), magnitude(x + 24))));
}

/// 8 codes as int32; all 0 where the factor is 0, whatever x is.
BALEEN_INLINE __m256i codes_of(const float* x, float factor) {
  if (factor == 0) return _mm256_setzero_si256();
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), _mm256_set1_ps(factor)));
}

/// Four k-groups of one token, [k-group][tokens][4]; returns the sum of the codes.
BALEEN_INLINE int32_t put_codes(const float* x, float factor, int tokens, std::byte* out) {
  const __m256i low = codes_of(x, factor), high = codes_of(x + 8, factor);
  // [low 0..3, high 0..3, low 4..7, high 4..7] as words, then as bytes of both lanes
  const __m256i words = _mm256_packs_epi32(low, high);
  const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  store(out, _mm_cvtsi128_si32(bytes));
  store(out + tokens * 4, _mm_extract_epi32(bytes, 2));
  store(out + tokens * 8, _mm_extract_epi32(bytes, 1));
  store(out + tokens * 12, _mm_extract_epi32(bytes, 3));
  return sum_of(_mm256_add_epi32(low, high));
}

void quantise_32(const float* x, int tokens, int token, std::byte* block) {
  const BlockScale to = block_scale(largest_of_slab(x));
  const int32_t sum = put_codes(x, to.factor, tokens, block + token * 4) +
                      put_codes(x + 16, to.factor, tokens, block + 16 * tokens + token * 4);
  store(block + kScale32 * tokens + token * 4, to.scale);
  store(block + kScaledSum32 * tokens + token * 4, to.scale * static_cast<float>(sum));
  store(block + kSum32 * tokens + token * 4, -8 * sum);
}

/// Largest e of 0 .. kMaxShift with magnitude <= amax * 2^-e.
BALEEN_INLINE int sub_scale_exponent(float magnitude, float amax) {
  return (magnitude <= amax * 0.5f) + (magnitude <= amax * 0.25f) + (magnitude <= amax * 0.125f);
}

/// 32 of a block's values.
struct SubBlock {
  int index;
  const float* x;
  uint32_t largest;  // magnitude, as bits
};

/// One sub-block of a token, with the block's scale.
BALEEN_INLINE void quantise_sub_block(const SubBlock& sub, BlockScale to, int tokens, int token,
                                      std::byte* block) {
  const int j = sub.index;
  const float* x = sub.x;
  const int e = to.factor == 0 ? 0 : sub_scale_exponent(from_bits(sub.largest), to.amax);
  const float factor = to.factor * static_cast<float>(1 << e);
  std::byte* codes = block + j * kSlab * tokens + token * 4;
  const int32_t low = put_codes(x, factor, tokens, codes);
  const int32_t high = put_codes(x + 16, factor, tokens, codes + 16 * tokens);
  store(block + kShift256 * tokens + (j * tokens + token) * 4, kMaxShift - e);
  store(block + kSums256 * tokens + ((j / 2 * tokens + token) * 2 + j % 2) * 2,
        static_cast<int16_t>((low + high) * (1 << (kMaxShift - e))));
  store(block + kSum16s256 * tokens + (2 * j * tokens + token) * 4, -32 * low);
  store(block + kSum16s256 * tokens + ((2 * j + 1) * tokens + token) * 4, -32 * high);
}

void quantise_256(const ActivationTile& tile, const float* x, int token, std::byte* block) {
  uint32_t largest[8], amax = 0;
  for (int j = 0; j < 8; ++j) {
    largest[j] = largest_of_slab(x + j * kSlab);
    amax = largest[j] > amax ? largest[j] : amax;
  }
  const BlockScale to = block_scale(amax);
  store(block + kScale256 * tile.tokens + token * 4, to.scale * 0x1p-3f);
  for (int j = 0; j < 8; ++j)
    quantise_sub_block({j, x + j * kSlab, largest[j]}, to, tile.tokens, token, block);
}

}  // namespace

void quantise_blocks32(const ActivationTile& tile) {
  for (int t = 0; t < tile.tokens; ++t)
    for (int64_t b = 0; b < tile.cols / 32; ++b)
      quantise_32(tile.x + t * tile.stride + b * 32, tile.tokens, t, tile.out + b * kRecord32 * tile.tokens);
}

void quantise_blocks256(const ActivationTile& tile) {
  for (int t = 0; t < tile.tokens; ++t)
    for (int64_t b = 0; b < tile.cols / 256; ++b)
      quantise_256(tile, tile.x + t * tile.stride + b * 256, t, tile.out + b * kRecord256 * tile.tokens);
}

}  // namespace baleen::avx2
