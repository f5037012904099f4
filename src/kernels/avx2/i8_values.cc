// Attention's second product over an i8 page (rules: kernels/ref/i8_values.cc). Weights reach 255, so vpmaddubsw would
// overflow: codes and weights become 16-bit numbers, keys 0 and 2 of each four in one word, 1 and 3 in the next.
#include "kernels/avx2/word_values.h"

namespace baleen::avx2 {
namespace {

/// Two keys of four, the even or the odd ones, as 16-bit numbers.
BALEEN_INLINE __m256i even_keys(__m256i codes) { return _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8); }
BALEEN_INLINE __m256i odd_keys(__m256i codes) { return _mm256_srai_epi16(codes, 8); }

/// Codes [16][32][2] of a block of `dims` dimensions.
void take_block(const I8Values& values, int64_t block, int64_t dims, int16_t* codes) {
  for (int pair = 0; pair < kKeyPairs; pair += 2) {
    const int8_t* from = values.codes + (pair / 2 * values.stride + block) * 4;
    auto* to = reinterpret_cast<__m256i*>(codes + pair * 2 * kCodeBlock);
    for_vectors(dims, [&](auto access, int64_t d, int64_t left) {
      const __m256i four = access.words(from + d * 4, left);
      _mm256_store_si256(to + d / 8, even_keys(four));
      _mm256_store_si256(to + kCodeBlock / 8 + d / 8, odd_keys(four));
    });
  }
}

/// Of each four codes the second and the third change places.
BALEEN_INLINE __m256i even_then_odd(__m256i codes) {
  return _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(codes, 0b11011000), 0b11011000);
}

}  // namespace

void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out) {
  correct_sums(rows, values.dim, out);
  for (int64_t block = 0; block < values.dim; block += kCodeBlock) {
    const int64_t dims = values.dim - block < kCodeBlock ? values.dim - block : kCodeBlock;
    alignas(32) int16_t codes[kKeyPairs * kCodeBlock * 2];
    take_block(values, block, dims, codes);
    for_each_batch(rows, [&](const TileRows& part, int64_t first) {
      Weights weights[kBatchRows];
      for (int64_t r = 0; r < part.count; ++r)
        quantise_weights(part.scores + r * kTileKeys, part.visible[r], values.scales + block, 255, weights[r],
                         even_then_odd);  // 32 scales for 32 dimensions
      sum_rows(part, {weights, codes, kCodeBlock, out + first * values.dim + block, values.dim}, dims);
    });
  }
}

}  // namespace baleen::avx2
