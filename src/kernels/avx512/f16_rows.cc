// Scores of f16 keys (rules: kernels/ref/f16_rows.cc). For more than one tile of rows, slices of a page become 16-bit
// codes in the first-level cache, two neighbouring dimensions to a 32-bit word, and serve all rows.
#include "kernels/avx512/f16_codes.h"
#include "kernels/avx512/integer_scores.h"
#include "kernels/avx512/word_sums.h"

namespace baleen::avx512 {
namespace {

constexpr int64_t kSliceDims = 128, kSliceBlocks = kSliceDims / kCodeBlock;

struct Words {
  static constexpr int kSteps = kCodeBlock / 2;
  BALEEN_INLINE __m512i start(const CodedQueries&, int64_t) { return _mm512_setzero_si512(); }
  BALEEN_INLINE __m512i keys(const CodedKeys& keys, int64_t, int64_t step, int half) {
    return load(keys.codes + step * 128 + half * 64);
  }
  BALEEN_INLINE __m512i add(__m512i sum, __m512i key, __m512i query) {
    return _mm512_dpwssd_epi32(sum, key, query);
  }
};

/// Words of keys that are f16 still: two dimensions of 32 keys are 128 bytes, too.
struct Halves : Words {
  BALEEN_INLINE __m512i keys(const CodedKeys& keys, int64_t block, int64_t step, int half) {
    const auto* even = reinterpret_cast<const uint16_t*>(keys.codes + step * 128 + half * 32);
    const __m512 factor = _mm512_load_ps(keys.factors + block * kTileKeys + half * 16);
    return pairs(code_bits(load_halves(even), factor), code_bits(load_halves(even + kTileKeys), factor));
  }
};

/// What the keys of a slice's blocks take off products of sums.
using Less = int32_t[kSliceBlocks][kTileKeys];

struct Slice {
  alignas(64) std::byte codes[kSliceDims / 2 * kTileKeys * 4];
  alignas(64) Less less;
  alignas(64) float scales[kSliceBlocks][kTileKeys];
  alignas(64) float factors[kSliceBlocks][kTileKeys];
};

/// The largest magnitudes of the keys' dimensions.
BALEEN_INLINE __m512i largest_of(const uint16_t* keys, int64_t dims) {
  __m512i even = _mm512_setzero_si512(), odd = _mm512_setzero_si512();
  int64_t d = 0;
  for (; d + 1 < dims; d += 2) {
    even = _mm512_max_epu16(even, magnitudes(_mm512_loadu_si512(keys + d * kTileKeys)));
    odd = _mm512_max_epu16(odd, magnitudes(_mm512_loadu_si512(keys + (d + 1) * kTileKeys)));
  }
  if (d < dims) even = _mm512_max_epu16(even, magnitudes(_mm512_loadu_si512(keys + d * kTileKeys)));
  return _mm512_max_epu16(even, odd);
}

/// Up to 32 dimensions of 16 keys; a dimension that is missing has codes 0.
BALEEN_INLINE void put_keys(const uint16_t* keys, int64_t dims, __m512 factor, std::byte* codes) {
  for (int64_t d = 0; d < dims; d += 2) {
    const __m512 even = code_bits(load_halves(keys + d * kTileKeys), factor);
    const __m512 odd = d + 1 < dims ? code_bits(load_halves(keys + (d + 1) * kTileKeys), factor) : no_codes();
    _mm512_store_si512(codes + d * kTileKeys * 2, pairs(even, odd));
  }
}

void find_scales(const uint16_t* keys, int64_t dims, Slice& slice) {
  for (int64_t b = 0; b * kCodeBlock < dims; ++b) {
    const int64_t left = dims - b * kCodeBlock;
    const __m512i largest =
        largest_of(keys + b * kCodeBlock * kTileKeys, left < kCodeBlock ? left : kCodeBlock);
    for (int half = 0; half < 2; ++half) {
      const __m256i some =
          half == 0 ? _mm512_castsi512_si256(largest) : _mm512_extracti64x4_epi64(largest, 1);
      const HalfScales to = half_scales(_mm512_cvtepu16_epi32(some));
      _mm512_store_ps(slice.scales[b] + half * 16, to.scale);
      _mm512_store_ps(slice.factors[b] + half * 16, to.factor);
    }
  }
}

void put_codes(const uint16_t* keys, int64_t dims, Slice& slice) {
  for (int64_t d = 0; d < dims; d += kCodeBlock)
    for (int half = 0; half < 2; ++half)
      put_keys(keys + d * kTileKeys + half * 16, dims - d < kCodeBlock ? dims - d : kCodeBlock,
               _mm512_load_ps(slice.factors[d / kCodeBlock] + half * 16),
               slice.codes + d * kTileKeys * 2 + half * 64);
}

constexpr int kStepBytes = kTileKeys * 4;  // two dimensions of a page
constexpr int kRowsBySums = 4;  // 8 integer and 8 float sums leave room for operands; 6 rows are slower

void find_less(int64_t dims, Slice& slice) {
  for (int64_t b = 0; b < dims / kCodeBlock; ++b)
    for (int half = 0; half < 2; ++half)
      _mm512_store_si512(
          slice.less[b] + half * 16,
          word_sums::less_of_codes(slice.codes + b * word_sums::kSteps * kStepBytes + half * 64, kStepBytes));
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
void score(const I16Queries& queries, const uint16_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t stride = i16_padded(dim) * 2;
  const auto* codes = reinterpret_cast<const std::byte*>(queries.codes);
  const bool few = rows.count <= kScoreRows && dim % 2 == 0;  // stored, codes would be read again but once
  Slice slice;
  for (int64_t d = 0; d < dim; d += kSliceDims) {
    const int64_t dims = dim - d < kSliceDims ? dim - d : kSliceDims;
    const uint16_t* from = keys + d * kTileKeys;
    find_scales(from, dims, slice);
    if (!few) put_codes(from, dims, slice);
    const CodedQueries part{codes + d * 2, stride, queries.scales + d / kCodeBlock,
                            queries.taken + d / kCodeBlock, code_blocks(dim)};
    const CodedKeys page{few ? reinterpret_cast<const std::byte*>(from) : slice.codes, slice.scales[0],
                         slice.factors[0], (dims + 1) / 2, d == 0};
    if (few) {
      add_scores<Halves>(part, page, rows);
    } else if (kBySums && dims % kCodeBlock == 0) {
      find_less(dims, slice);
      add_scores_by_sums(part, page, slice.less, rows);
    } else {
      add_scores<Words>(part, page, rows);
    }
  }
}

}  // namespace

void scores_f16(const I16Queries& queries, const uint16_t* keys, int64_t dim, const TileRows& rows) {
  score<false>(queries, keys, dim, rows);
}
void scores_f16_by_sums(const I16Queries& queries, const uint16_t* keys, int64_t dim, const TileRows& rows) {
  score<true>(queries, keys, dim, rows);
}

}  // namespace baleen::avx512
