// Attention over an i8 page (rules: kernels/ref/i8_rows.cc, i8_values.cc), whose codes are multiplied as 16-bit
// numbers. Keys: of each four dimensions 0 and 2 in one word, 1 and 3 in another, the first words of a block before the
// others; bytes would need vpmaddubsw and the moving of signs, which is as many operations. Values: weights reach 255,
// so vpmaddubsw would overflow; keys 0 and 2 of each four in one word, 1 and 3 in the next.
#pragma once

#include "kernels/avx2/word_values.h"

namespace baleen::avx2 {

/// Codes 0, 2, … and 1, 3, … as 16-bit numbers.
BALEEN_INLINE __m256i even_codes(__m256i codes) { return _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8); }
BALEEN_INLINE __m256i odd_codes(__m256i codes) { return _mm256_srai_epi16(codes, 8); }
BALEEN_INLINE void store_words(int16_t* to, __m256i words) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), words);
}

/// A block of 32 codes of which `left` are there, a multiple of 4.
BALEEN_INLINE __m256i load_block(const int8_t* codes, int64_t left) {
  if (left >= kCodeBlock) return Whole::words(codes, 8);
  return Partial::words(codes, left / 4);
}

/// Whole blocks of 16 words; those of missing dimensions are 0.
BALEEN_INLINE void take_query(const int8_t* codes, int64_t bytes, int16_t* out) {
  for (int64_t d = 0; d < bytes; d += kCodeBlock, out += kCodeBlock) {
    const __m256i four = load_block(codes + d, bytes - d);
    store_words(out, even_codes(four));
    store_words(out + 16, odd_codes(four));
  }
}

BALEEN_INLINE void take_keys(const int8_t* keys, int64_t bytes, int16_t* codes) {
  for (int64_t d = 0; d < (bytes + kCodeBlock - 1) / kCodeBlock * kCodeBlock; d += 4)
    for (int64_t key = 0; key < kTileKeys; key += 8) {
      const auto* from = reinterpret_cast<const __m256i*>(keys + d * kTileKeys + key * 4);
      const __m256i four = d < bytes ? _mm256_loadu_si256(from) : _mm256_setzero_si256();
      int16_t* to = codes + (d / kCodeBlock * kBlockSteps + d % kCodeBlock / 4) * kTileKeys * 2 + key * 2;
      store_words(to, even_codes(four));
      store_words(to + kBlockSteps / 2 * kTileKeys * 2, odd_codes(four));
    }
}

template <class Products>
BALEEN_INLINE void scores_i8_by(const I8Queries& queries, const int8_t* keys, int64_t dim,
                                const TileRows& rows) {
  const int64_t padded = i8_padded(dim), blocks = code_blocks(dim);
  const auto* scales = reinterpret_cast<const float*>(keys + kTileKeys * padded);
  alignas(32) int16_t slice[kSliceDims * kTileKeys];
  for (int64_t d = 0; d < padded; d += kSliceDims) {
    const int64_t bytes = padded - d < kSliceDims ? padded - d : kSliceDims;
    take_keys(keys + d * kTileKeys, bytes, slice);
    const WordKeys words{slice, scales + d, code_blocks(bytes) * kBlockSteps,
                         d == 0};  // 32 scales for 32 dimensions
    for (int64_t r = 0; r < rows.count; r += kScoreRows) {
      alignas(32) int16_t codes[kScoreRows][kSliceDims];
      const int64_t count = rows.count - r < kScoreRows ? rows.count - r : kScoreRows;
      for (int64_t i = 0; i < count; ++i) take_query(queries.codes + (r + i) * padded + d, bytes, codes[i]);
      add_scores<Products>({codes[0], kSliceDims, queries.scales + r * blocks + d / kCodeBlock, blocks},
                           words, count, rows.scores + r * kTileKeys);
    }
  }
}

/// Codes [16][32][2] of a block of `dims` dimensions.
BALEEN_INLINE void take_block(const I8Values& values, int64_t block, int64_t dims, int16_t* codes) {
  for (int pair = 0; pair < kKeyPairs; pair += 2) {
    const int8_t* from = values.codes + (pair / 2 * values.stride + block) * 4;
    auto* to = reinterpret_cast<__m256i*>(codes + pair * 2 * kCodeBlock);
    for_vectors(dims, [&](auto access, int64_t d, int64_t left) {
      const __m256i four = access.words(from + d * 4, left);
      _mm256_store_si256(to + d / 8, even_codes(four));
      _mm256_store_si256(to + kCodeBlock / 8 + d / 8, odd_codes(four));
    });
  }
}

/// Of each four codes the second and the third change places.
BALEEN_INLINE __m256i even_then_odd(__m256i codes) {
  return _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(codes, 0b11011000), 0b11011000);
}

template <class Products>
BALEEN_INLINE void weighted_sum_i8_by(const TileRows& rows, const I8Values& values, float* out) {
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
      sum_rows<Products>(part, {weights, codes, kCodeBlock, out + first * values.dim + block, values.dim},
                         dims);
    });
  }
}

}  // namespace baleen::avx2
