// Scores of f16 keys (rules: kernels/ref/f16_rows.cc). For more than one tile of rows, slices of a page become 16-bit
// codes in the first-level cache, two neighbouring dimensions to a 32-bit word, and serve all rows.
#include "kernels/avx512/f16_codes.h"
#include "kernels/avx512/integer_scores.h"

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

struct Slice {
  alignas(64) std::byte codes[kSliceDims / 2 * kTileKeys * 4];
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

}  // namespace

void scores_f16(const I16Queries& queries, const uint16_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t stride = i16_padded(dim) * 2;
  const auto* codes = reinterpret_cast<const std::byte*>(queries.codes);
  const bool few = rows.count <= kScoreRows && dim % 2 == 0;  // stored, codes would be read again but once
  Slice slice;
  for (int64_t d = 0; d < dim; d += kSliceDims) {
    const int64_t dims = dim - d < kSliceDims ? dim - d : kSliceDims;
    const uint16_t* from = keys + d * kTileKeys;
    find_scales(from, dims, slice);
    if (!few) put_codes(from, dims, slice);
    const CodedQueries part{codes + d * 2, stride, queries.scales + d / kCodeBlock, nullptr,
                            code_blocks(dim)};
    const CodedKeys page{few ? reinterpret_cast<const std::byte*>(from) : slice.codes, slice.scales[0],
                         slice.factors[0], (dims + 1) / 2, d == 0};
    few ? add_scores<Halves>(part, page, rows) : add_scores<Words>(part, page, rows);
  }
}

}  // namespace baleen::avx512
