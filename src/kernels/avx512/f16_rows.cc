// Scores of f16 keys (rules: kernels/ref/f16_rows.cc), which lie there as codes, two neighbouring dimensions to a
// 32-bit word.
#include "kernels/avx512/f16_codes.h"
#include "kernels/avx512/integer_scores.h"
#include "kernels/avx512/word_sums.h"

namespace baleen::avx512 {
namespace {

constexpr int64_t kSliceDims = 128, kSliceBlocks = kSliceDims / kCodeBlock;

struct Words {
  static constexpr int kSteps = kCodeBlock / 2;
  BALEEN_INLINE __m512i start(const CodedQueries&, int64_t) { return _mm512_setzero_si512(); }
  BALEEN_INLINE __m512i codes(const std::byte* from) { return load(from); }
  BALEEN_INLINE __m512i add(__m512i sum, __m512i key, __m512i query) {
    return _mm512_dpwssd_epi32(sum, key, query);
  }
};

/// What the keys of a slice's blocks take off products of sums.
using Less = int32_t[kSliceBlocks][kTileKeys];

struct Slice {
  alignas(64) Less less;
  alignas(64) float scales[kSliceBlocks][kTileKeys];
};

void take_scales(const int16_t* stored, int64_t blocks, Slice& slice) {
  for (int64_t b = 0; b < blocks; ++b)
    for (int half = 0; half < kTileKeys; half += 16)
      _mm512_store_ps(slice.scales[b] + half, stored_scales(stored + b * kTileKeys + half));
}

constexpr int kStepBytes = kTileKeys * 4;  // two dimensions of a page
constexpr int kRowsBySums = 4;  // 8 integer and 8 float sums leave room for operands; 6 rows are slower

void find_less(const std::byte* codes, int64_t blocks, Less& less) {
  for (int64_t b = 0; b < blocks; ++b)
    for (int half = 0; half < 2; ++half)
      _mm512_store_si512(
          less[b] + half * 16,
          word_sums::less_of_codes(codes + b * word_sums::kSteps * kStepBytes + half * 64, kStepBytes));
}

/// As add_block() of integer_scores.h.
BALEEN_INLINE void add_block_by_sums(const CodedQueries& queries, const CodedKeys& keys, int64_t b,
                                     const Less& less, __m512 (&scores)[kRowsBySums][2]) {
  constexpr int kWords = word_sums::kSteps * 4;
  const word_sums::Operands from{keys.codes + b * word_sums::kSteps * kStepBytes, kStepBytes,
                                 queries.codes + b * kWords, queries.stride};
  __m512i dot[kRowsBySums][2];
  BALEEN_UNROLL
  for (int r = 0; r < kRowsBySums; ++r) BALEEN_UNROLL
  for (int half = 0; half < 2; ++half)
    dot[r][half] = _mm512_sub_epi32(_mm512_load_si512(less[b] + half * 16),
                                    _mm512_set1_epi32(queries.sums[r * queries.blocks + b]));
  word_sums::add_products(from, dot);
  BALEEN_UNROLL
  for (int r = 0; r < kRowsBySums; ++r) BALEEN_UNROLL
  for (int half = 0; half < 2; ++half) {
    const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(queries.scales[r * queries.blocks + b]),
                                       _mm512_load_ps(keys.scales + b * kTileKeys + half * 16));
    scores[r][half] = _mm512_fmadd_ps(scale, _mm512_cvtepi32_ps(dot[r][half]), scores[r][half]);
  }
}

void scores_by_sums(const CodedQueries& queries, const CodedKeys& keys, const Less& less, float* out) {
  __m512 scores[kRowsBySums][2];
  BALEEN_UNROLL
  for (int r = 0; r < kRowsBySums; ++r) BALEEN_UNROLL
  for (int half = 0; half < 2; ++half)
    scores[r][half] = keys.first ? _mm512_setzero_ps() : _mm512_loadu_ps(out + r * kTileKeys + half * 16);
  for (int64_t b = 0; b * word_sums::kSteps < keys.steps; ++b)
    add_block_by_sums(queries, keys, b, less, scores);
  BALEEN_UNROLL
  for (int r = 0; r < kRowsBySums; ++r) BALEEN_UNROLL
  for (int half = 0; half < 2; ++half) _mm512_storeu_ps(out + r * kTileKeys + half * 16, scores[r][half]);
}

/// Of whole blocks.
void add_scores_by_sums(CodedQueries queries, const CodedKeys& keys, const Less& less, const TileRows& rows) {
  int64_t r = 0;
  for (; r + kRowsBySums <= rows.count; r += kRowsBySums) {
    scores_by_sums(queries, keys, less, rows.scores + r * kTileKeys);
    queries.codes += kRowsBySums * queries.stride;
    queries.scales += kRowsBySums * queries.blocks;
    queries.sums += kRowsBySums * queries.blocks;
  }
  TileRows rest = rows;
  rest.count -= r;
  rest.scores += r * kTileKeys;
  add_scores<Words>(queries, keys, rest);
}

template <bool kBySums>
void score(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t padded = i16_padded(dim);
  const int16_t* stored = keys + kTileKeys * padded;
  Slice slice;
  for (int64_t d = 0; d < dim; d += kSliceDims) {
    const int64_t dims = dim - d < kSliceDims ? dim - d : kSliceDims, first = d / kCodeBlock;
    take_scales(stored + first * kTileKeys, code_blocks(dims), slice);
    const CodedQueries part{reinterpret_cast<const std::byte*>(queries.codes + d), padded * 2,
                            queries.scales + first, queries.taken + first, code_blocks(dim)};
    const CodedKeys page{reinterpret_cast<const std::byte*>(keys + d * kTileKeys), slice.scales[0],
                         (dims + 1) / 2, d == 0};
    if (kBySums && rows.count > kScoreRows && dims % kCodeBlock == 0) {
      find_less(page.codes, code_blocks(dims), slice.less);
      add_scores_by_sums(part, page, slice.less, rows);
    } else {
      add_scores<Words>(part, page, rows);
    }
  }
}

}  // namespace

void scores_f16(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows) {
  score<false>(queries, keys, dim, rows);
}
void scores_f16_by_sums(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows) {
  score<true>(queries, keys, dim, rows);
}

}  // namespace baleen::avx512
