// The i8 KV cache (rules: kernels/ref/i8_rows.cc). vpmaddubsw multiplies unsigned by signed bytes: |query| is taken
// unsigned and its sign moved to the key; 2 * 127 * 127 fits 16 bits.
#include "kernels/avx2/rows.h"

namespace baleen::avx2 {
namespace {

constexpr int kBlockRows = 3;  // 3 integer and 3 float sums for each of two vectors of 8 keys

BALEEN_INLINE __m256i four_codes(const int8_t* codes) {
  int four;
  __builtin_memcpy(&four, codes, sizeof four);
  return _mm256_set1_epi32(four);
}

BALEEN_INLINE __m256i load(const int8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

BALEEN_INLINE __m256i add_dot(__m256i sum, __m256i magnitude, __m256i query, __m256i key) {
  const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(key, query));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/// 16 of the page's keys, from `first`.
template <int kRows>
void scores_block(const I8Queries& queries, const int8_t* keys, int first, int64_t dim, float* out) {
  const int64_t padded = i8_padded(dim), blocks = i8_blocks(dim);
  const float* scales = reinterpret_cast<const float*>(keys + kTileKeys * padded) + first;
  __m256 low[kRows], high[kRows];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = _mm256_setzero_ps();
  for (int64_t b = 0; b < blocks; ++b) {
    __m256i dot_low[kRows], dot_high[kRows];
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) dot_low[r] = dot_high[r] = _mm256_setzero_si256();
    const int64_t end = padded < (b + 1) * kI8Block ? padded : (b + 1) * kI8Block;
    for (int64_t d = b * kI8Block; d < end; d += 4) {
      const __m256i k_low = load(keys + d * kTileKeys + first * 4);
      const __m256i k_high = load(keys + d * kTileKeys + first * 4 + 32);
      BALEEN_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const __m256i q = four_codes(queries.codes + r * padded + d), magnitude = _mm256_abs_epi8(q);
        dot_low[r] = add_dot(dot_low[r], magnitude, q, k_low);
        dot_high[r] = add_dot(dot_high[r], magnitude, q, k_high);
      }
    }
    const __m256 scale_low = _mm256_loadu_ps(scales + b * kTileKeys);
    const __m256 scale_high = _mm256_loadu_ps(scales + b * kTileKeys + 8);
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m256 q_scale = _mm256_set1_ps(queries.scales[r * blocks + b]);
      low[r] = _mm256_fmadd_ps(_mm256_mul_ps(q_scale, scale_low), _mm256_cvtepi32_ps(dot_low[r]), low[r]);
      high[r] = _mm256_fmadd_ps(_mm256_mul_ps(q_scale, scale_high), _mm256_cvtepi32_ps(dot_high[r]), high[r]);
    }
  }
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    _mm256_storeu_ps(out + r * kTileKeys + first, low[r]);
    _mm256_storeu_ps(out + r * kTileKeys + first + 8, high[r]);
  }
}

using ScoresBlock = void (*)(const I8Queries& queries, const int8_t* keys, int first, int64_t dim,
                             float* out);
constexpr ScoresBlock kScoresBlocks[kBlockRows] = {scores_block<1>, scores_block<2>, scores_block<3>};

}  // namespace

void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t padded = i8_padded(dim), blocks = i8_blocks(dim);
  for (int64_t r = 0; r < rows.count; r += kBlockRows) {
    const int64_t block = rows.count - r < kBlockRows ? rows.count - r : kBlockRows;
    const I8Queries part{queries.codes + r * padded, queries.scales + r * blocks, queries.sums + r * blocks};
    for (int first = 0; first < kTileKeys; first += 16)
      kScoresBlocks[block - 1](part, keys, first, dim, rows.scores + r * kTileKeys);
  }
}

}  // namespace baleen::avx2
