// Rows of floats to the tiles that the kernels take (rules: kernels/ref/quantise.cc). One token's block at a time, its
// k in the lanes; magnitudes are compared as integers, so infinities and NaNs come out largest.
#include "kernels/avx512/matmul.h"
#include "kernels/avx512/vectors.h"

namespace baleen::avx512 {
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

BALEEN_INLINE __m512i magnitude(__m512 x) {
  return _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7FFFFFFF));
}

/// 16 codes as int32; all 0 where the factor is 0, whatever x is.
BALEEN_INLINE __m512i codes_of(__m512 x, float factor) {
  const auto any = static_cast<__mmask16>(factor == 0 ? 0 : 0xFFFF);
  return _mm512_maskz_cvtps_epi32(any, _mm512_mul_ps(x, _mm512_set1_ps(factor)));
}

/// Four k-groups of one token: [k-group][tokens][4].
BALEEN_INLINE void put_codes(__m512i codes, int tokens, std::byte* out) {
  const __m128i bytes = _mm512_cvtepi32_epi8(codes);
  if (tokens == 1) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    return;
  }
  store(out, _mm_cvtsi128_si32(bytes));
  store(out + tokens * 4, _mm_extract_epi32(bytes, 1));
  store(out + tokens * 8, _mm_extract_epi32(bytes, 2));
  store(out + tokens * 12, _mm_extract_epi32(bytes, 3));
}

void quantise_32(const float* x, int tokens, int token, std::byte* block) {
  const __m512 low = _mm512_loadu_ps(x), high = _mm512_loadu_ps(x + 16);
  const auto largest = _mm512_reduce_max_epi32(_mm512_max_epi32(magnitude(low), magnitude(high)));
  const BlockScale to = block_scale(static_cast<uint32_t>(largest));
  const __m512i low_codes = codes_of(low, to.factor), high_codes = codes_of(high, to.factor);
  const int32_t sum = _mm512_reduce_add_epi32(_mm512_add_epi32(low_codes, high_codes));
  put_codes(low_codes, tokens, block + token * 4);
  put_codes(high_codes, tokens, block + 16 * tokens + token * 4);
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
  const __m512i low_codes = codes_of(_mm512_loadu_ps(x), factor);
  const __m512i high_codes = codes_of(_mm512_loadu_ps(x + 16), factor);
  const int32_t low = _mm512_reduce_add_epi32(low_codes), high = _mm512_reduce_add_epi32(high_codes);
  std::byte* codes = block + j * kSlab * tokens + token * 4;
  put_codes(low_codes, tokens, codes);
  put_codes(high_codes, tokens, codes + 16 * tokens);
  store(block + kShift256 * tokens + (j * tokens + token) * 4, kMaxShift - e);
  store(block + kSums256 * tokens + ((j / 2 * tokens + token) * 2 + j % 2) * 2,
        static_cast<int16_t>((low + high) * (1 << (kMaxShift - e))));
  store(block + kSum16s256 * tokens + (2 * j * tokens + token) * 4, -32 * low);
  store(block + kSum16s256 * tokens + ((2 * j + 1) * tokens + token) * 4, -32 * high);
}

void quantise_256(const ActivationTile& tile, const float* x, int token, std::byte* block) {
  uint32_t largest[8], amax = 0;
  for (int j = 0; j < 8; ++j) {
    const __m512i low = magnitude(_mm512_loadu_ps(x + j * kSlab)),
                  high = magnitude(_mm512_loadu_ps(x + j * kSlab + 16));
    largest[j] = static_cast<uint32_t>(_mm512_reduce_max_epi32(_mm512_max_epi32(low, high)));
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

}  // namespace baleen::avx512
