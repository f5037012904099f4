// Scores of i8 keys (rules: kernels/ref/i8_rows.cc), which vpmaddwd takes as 16-bit numbers: of each four dimensions
// 0 and 2 in one word, 1 and 3 in another, the first words of a block before the others. Bytes would need vpmaddubsw
// and the moving of signs, which is as many operations.
#include "kernels/avx2/word_scores.h"

namespace baleen::avx2 {
namespace {

constexpr int64_t kSliceDims = 128;

BALEEN_INLINE __m256i even_dims(__m256i codes) { return _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8); }
BALEEN_INLINE __m256i odd_dims(__m256i codes) { return _mm256_srai_epi16(codes, 8); }
BALEEN_INLINE void store_words(int16_t* to, __m256i words) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), words);
}

/// A block of 32 codes of which `left` are there, a multiple of 4.
BALEEN_INLINE __m256i load_block(const int8_t* codes, int64_t left) {
  if (left >= kCodeBlock) return Whole::words(codes, 8);
  return Partial::words(codes, left / 4);
}

/// Whole blocks of 16 words; those of missing dimensions are 0.
void take_query(const int8_t* codes, int64_t bytes, int16_t* out) {
  for (int64_t d = 0; d < bytes; d += kCodeBlock, out += kCodeBlock) {
    const __m256i four = load_block(codes + d, bytes - d);
    store_words(out, even_dims(four));
    store_words(out + 16, odd_dims(four));
  }
}

void take_keys(const int8_t* keys, int64_t bytes, int16_t* codes) {
  for (int64_t d = 0; d < (bytes + kCodeBlock - 1) / kCodeBlock * kCodeBlock; d += 4)
    for (int64_t key = 0; key < kTileKeys; key += 8) {
      const auto* from = reinterpret_cast<const __m256i*>(keys + d * kTileKeys + key * 4);
      const __m256i four = d < bytes ? _mm256_loadu_si256(from) : _mm256_setzero_si256();
      int16_t* to = codes + (d / kCodeBlock * kBlockSteps + d % kCodeBlock / 4) * kTileKeys * 2 + key * 2;
      store_words(to, even_dims(four));
      store_words(to + kBlockSteps / 2 * kTileKeys * 2, odd_dims(four));
    }
}

}  // namespace

void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows) {
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
      add_scores({codes[0], kSliceDims, queries.scales + r * blocks + d / kCodeBlock, blocks}, words, count,
                 rows.scores + r * kTileKeys);
    }
  }
}

}  // namespace baleen::avx2
