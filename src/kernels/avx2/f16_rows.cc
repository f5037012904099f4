// Scores of f16 keys (rules: kernels/ref/f16_rows.cc). For more than one tile of rows, slices of a page become 16-bit
// codes in the first-level cache and serve all rows.
#include "kernels/avx2/f16_codes.h"
#include "kernels/avx2/word_scores.h"

namespace baleen::avx2 {
namespace {

constexpr int64_t kSliceDims = 128, kSliceBlocks = kSliceDims / kCodeBlock;

/// Codes of keys that are f16 still, [dims][32].
struct Halves {
  BALEEN_INLINE __m256i keys(const WordKeys& keys, int64_t block, int64_t step, int v) {
    const auto* even = reinterpret_cast<const uint16_t*>(keys.codes) + step * 2 * kTileKeys + v * 8;
    const __m256 factor = _mm256_loadu_ps(keys.factors + block * kTileKeys + v * 8);
    return pairs(code_bits(Whole::load(even, 8), factor),
                 code_bits(Whole::load(even + kTileKeys, 8), factor));
  }
};

struct Slice {
  alignas(32) int16_t codes[kSliceDims * kTileKeys];
  alignas(32) float scales[kSliceBlocks][kTileKeys];
  alignas(32) float factors[kSliceBlocks][kTileKeys];
};

/// The largest magnitudes of the dimensions of 16 keys.
BALEEN_INLINE __m256i largest_of(const uint16_t* keys, int64_t dims) {
  __m256i even = _mm256_setzero_si256(), odd = even;
  int64_t d = 0;
  for (; d + 1 < dims; d += 2) {
    even = _mm256_max_epu16(even, magnitudes(load_halves(keys + d * kTileKeys)));
    odd = _mm256_max_epu16(odd, magnitudes(load_halves(keys + (d + 1) * kTileKeys)));
  }
  if (d < dims) even = _mm256_max_epu16(even, magnitudes(load_halves(keys + d * kTileKeys)));
  return _mm256_max_epu16(even, odd);
}

/// Up to 32 dimensions of 8 keys; a dimension that is missing has codes 0.
BALEEN_INLINE void put_keys(const uint16_t* keys, int64_t dims, __m256 factor, int16_t* codes) {
  for (int64_t d = 0; d < dims; d += 2) {
    const auto bits = [&](int64_t at) { return code_bits(Whole::load(keys + at * kTileKeys, 8), factor); };
    const __m256i both = pairs(bits(d), d + 1 < dims ? bits(d + 1) : no_codes());
    _mm256_store_si256(reinterpret_cast<__m256i*>(codes + d * kTileKeys), both);
  }
}

void find_scales(const uint16_t* keys, int64_t dims, Slice& slice) {
  for (int64_t d = 0; d < dims; d += kCodeBlock)
    for (int first = 0; first < kTileKeys; first += 16) {
      const __m256i largest =
          largest_of(keys + d * kTileKeys + first, dims - d < kCodeBlock ? dims - d : kCodeBlock);
      for (int half = 0; half < 2; ++half) {
        const __m128i some =
            half == 0 ? _mm256_castsi256_si128(largest) : _mm256_extracti128_si256(largest, 1);
        const HalfScales to = half_scales(_mm256_cvtepu16_epi32(some));
        _mm256_store_ps(slice.scales[d / kCodeBlock] + first + half * 8, to.scale);
        _mm256_store_ps(slice.factors[d / kCodeBlock] + first + half * 8, to.factor);
      }
    }
}

void put_codes(const uint16_t* keys, int64_t dims, Slice& slice) {
  for (int64_t d = 0; d < dims; d += kCodeBlock)
    for (int first = 0; first < kTileKeys; first += 8)
      put_keys(keys + d * kTileKeys + first, dims - d < kCodeBlock ? dims - d : kCodeBlock,
               _mm256_load_ps(slice.factors[d / kCodeBlock] + first),
               slice.codes + d * kTileKeys + first * 2);
}

/// One tile makes the codes itself: stored, they would be read again but once. dims is even.
void score_halves(const WordQueries& queries, const uint16_t* keys, const WordKeys& page, int64_t count,
                  float* scores) {
  for (int half = 0; half < kTileKeys; half += 16)
    kScoresBlocks<Halves>[count - 1](queries,
                                     {reinterpret_cast<const int16_t*>(keys + half), page.scales + half,
                                      page.factors + half, page.steps, page.first},
                                     scores + half);
}

}  // namespace

void scores_f16(const I16Queries& queries, const uint16_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t stride = i16_padded(dim), blocks = code_blocks(dim);
  Slice slice;
  for (int64_t d = 0; d < dim; d += kSliceDims) {
    const int64_t dims = dim - d < kSliceDims ? dim - d : kSliceDims;
    find_scales(keys + d * kTileKeys, dims, slice);
    const WordKeys page{slice.codes, slice.scales[0], slice.factors[0], (dims + 1) / 2, d == 0};
    if (rows.count <= kScoreRows && dim % 2 == 0) {
      score_halves({queries.codes + d, stride, queries.scales + d / kCodeBlock, blocks}, keys + d * kTileKeys,
                   page, rows.count, rows.scores);
      continue;
    }
    put_codes(keys + d * kTileKeys, dims, slice);
    for (int64_t r = 0; r < rows.count; r += kScoreRows) {
      const WordQueries part{queries.codes + r * stride + d, stride,
                             queries.scales + r * blocks + d / kCodeBlock, blocks};
      add_scores(part, page, rows.count - r < kScoreRows ? rows.count - r : kScoreRows,
                 rows.scores + r * kTileKeys);
    }
  }
}

}  // namespace baleen::avx2
