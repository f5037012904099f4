// Scores of f16 keys (rules: kernels/ref/f16_rows.cc). Slices of a page become 16-bit codes in the first-level cache,
// two neighbouring dimensions to a 32-bit word, and serve all rows.
#include "kernels/avx512/f16_codes.h"
#include "kernels/avx512/integer_scores.h"

namespace baleen::avx512 {
namespace {

constexpr int64_t kSliceDims = 128, kSliceBlocks = kSliceDims / kCodeBlock;
/// Of few rows products are done while the next slice is turned into codes, if it is so small that a core sees both.
constexpr int64_t kFewRows = 8, kSmallSlice = 32;

struct Words {
  static constexpr int kSteps = kCodeBlock / 2;
  BALEEN_INLINE __m512i start(const CodedQueries&, int64_t) { return _mm512_setzero_si512(); }
  BALEEN_INLINE __m512i key(__m512i codes) { return codes; }
  BALEEN_INLINE __m512i add(__m512i sum, __m512i key, __m512i query) {
    return _mm512_dpwssd_epi32(sum, key, query);
  }
};

struct Slice {
  alignas(64) std::byte codes[kSliceDims / 2 * kTileKeys * 4];
  alignas(64) float scales[kSliceBlocks][kTileKeys];
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

void take_slice(const uint16_t* keys, int64_t dims, Slice& slice) {
  for (int64_t d = 0; d < dims; d += kCodeBlock) {
    const uint16_t* from = keys + d * kTileKeys;
    const int64_t count = dims - d < kCodeBlock ? dims - d : kCodeBlock;
    const __m512i largest = largest_of(from, count);
    for (int half = 0; half < 2; ++half) {
      const __m256i some =
          half == 0 ? _mm512_castsi512_si256(largest) : _mm512_extracti64x4_epi64(largest, 1);
      const HalfScales to = half_scales(_mm512_cvtepu16_epi32(some));
      _mm512_store_ps(slice.scales[d / kCodeBlock] + half * 16, to.scale);
      put_keys(from + half * 16, count, to.factor, slice.codes + d * kTileKeys * 2 + half * 64);
    }
  }
}

}  // namespace

void scores_f16(const I16Queries& queries, const uint16_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t stride = i16_padded(dim) * 2;
  const auto* codes = reinterpret_cast<const std::byte*>(queries.codes);
  const int64_t most = rows.count < kFewRows ? kSmallSlice : kSliceDims;
  Slice slice;
  for (int64_t d = 0; d < dim; d += most) {
    const int64_t dims = dim - d < most ? dim - d : most;
    take_slice(keys + d * kTileKeys, dims, slice);
    add_scores<Words>({codes + d * 2, stride, queries.scales + d / kCodeBlock, nullptr, code_blocks(dim)},
                      {slice.codes, slice.scales[0], (dims + 1) / 2, d == 0}, rows);
  }
}

}  // namespace baleen::avx512
