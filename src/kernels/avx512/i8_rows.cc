// The i8 KV cache (rules: kernels/ref/i8_rows.cc). vpdpbusd multiplies unsigned by signed bytes: keys are taken as
// key + 128, and 128 times the query's codes is taken off beforehand.
#include "kernels/avx512/rows.h"

namespace baleen::avx512 {
namespace {

constexpr int kBlockRows = 6;  // 12 integer and 12 float sums; a group of 3 heads fits twice

BALEEN_INLINE int four_codes(const int8_t* codes) {
  int four;
  std::memcpy(&four, codes, sizeof four);
  return four;
}

template <int kRows>
void scores_block(const I8Queries& queries, const int8_t* keys, int64_t dim, float* out) {
  const int64_t padded = i8_padded(dim), blocks = i8_blocks(dim);
  const float* scales = reinterpret_cast<const float*>(keys + kTileKeys * padded);
  const __m512i sign_bits = _mm512_set1_epi8(static_cast<char>(0x80));
  __m512 low[kRows], high[kRows];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = _mm512_setzero_ps();
  for (int64_t b = 0; b < blocks; ++b) {
    __m512i dot_low[kRows], dot_high[kRows];
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r)
      dot_low[r] = dot_high[r] = _mm512_set1_epi32(-128 * queries.sums[r * blocks + b]);
    const int64_t end = padded < (b + 1) * kI8Block ? padded : (b + 1) * kI8Block;
    for (int64_t d = b * kI8Block; d < end; d += 4) {
      const __m512i k_low = _mm512_xor_si512(_mm512_loadu_si512(keys + d * kTileKeys), sign_bits);
      const __m512i k_high = _mm512_xor_si512(_mm512_loadu_si512(keys + d * kTileKeys + 64), sign_bits);
      BALEEN_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const __m512i q = _mm512_set1_epi32(four_codes(queries.codes + r * padded + d));
        dot_low[r] = _mm512_dpbusd_epi32(dot_low[r], k_low, q);
        dot_high[r] = _mm512_dpbusd_epi32(dot_high[r], k_high, q);
      }
    }
    const __m512 scale_low = _mm512_loadu_ps(scales + b * kTileKeys);
    const __m512 scale_high = _mm512_loadu_ps(scales + b * kTileKeys + 16);
    BALEEN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512 q_scale = _mm512_set1_ps(queries.scales[r * blocks + b]);
      low[r] = _mm512_fmadd_ps(_mm512_mul_ps(q_scale, scale_low), _mm512_cvtepi32_ps(dot_low[r]), low[r]);
      high[r] = _mm512_fmadd_ps(_mm512_mul_ps(q_scale, scale_high), _mm512_cvtepi32_ps(dot_high[r]), high[r]);
    }
  }
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    _mm512_storeu_ps(out + r * kTileKeys, low[r]);
    _mm512_storeu_ps(out + r * kTileKeys + 16, high[r]);
  }
}

using ScoresBlock = void (*)(const I8Queries& queries, const int8_t* keys, int64_t dim, float* out);
constexpr ScoresBlock kScoresBlocks[kBlockRows] = {scores_block<1>, scores_block<2>, scores_block<3>,
                                                   scores_block<4>, scores_block<5>, scores_block<6>};

}  // namespace

void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t padded = i8_padded(dim), blocks = i8_blocks(dim);
  for (int64_t r = 0; r < rows.count; r += kBlockRows) {
    const int64_t block = rows.count - r < kBlockRows ? rows.count - r : kBlockRows;
    const I8Queries part{queries.codes + r * padded, queries.scales + r * blocks, queries.sums + r * blocks};
    kScoresBlocks[block - 1](part, keys, dim, rows.scores + r * kTileKeys);
  }
}

}  // namespace baleen::avx512
