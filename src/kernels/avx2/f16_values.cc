// Attention's second product over an f16 page (rules: kernels/ref/f16_rows.cc). A row's weights become 16-bit codes
// once; slices of the page become codes in the first-level cache and serve all rows.
#include "kernels/avx2/f16_codes.h"
#include "kernels/avx2/word_values.h"

namespace baleen::avx2 {
namespace {

constexpr int64_t kSliceDims = 64;

/// Of a page's keys.
struct Scales {
  alignas(32) float factor[kTileKeys];
  alignas(32) float scale[kTileKeys];
};

/// The largest magnitudes of a key's values, in 32-bit lanes that have two.
BALEEN_INLINE __m256 largest_of(const uint16_t* values, int64_t dim) {
  __m256i largest = _mm256_setzero_si256();
  int64_t d = 0;
  for (; d + 16 <= dim; d += 16) largest = _mm256_max_epu16(largest, magnitudes(load_halves(values + d)));
  if (d < dim) {
    alignas(32) uint16_t rest[16] = {};
    __builtin_memcpy(rest, values + d, static_cast<size_t>(dim - d) * 2);
    largest = _mm256_max_epu16(largest, magnitudes(load_halves(rest)));
  }
  return _mm256_castsi256_ps(largest);
}

void find_scales(const PageValues<uint16_t>& values, Scales& scales) {
  const auto larger = [](__m256 a, __m256 b) {
    return _mm256_castsi256_ps(_mm256_max_epu16(_mm256_castps_si256(a), _mm256_castps_si256(b)));
  };
  for (int64_t first = 0; first < kTileKeys; first += 8) {
    const auto row = [&](int64_t key) {
      return largest_of(values.data + (first + key) * values.stride, values.dim);
    };
    __m256 quads[4];
    BALEEN_UNROLL
    for (int64_t q = 0; q < 4; ++q) quads[q] = fold_pair(row(q), row(q + 4), larger);
    const __m256i both = _mm256_castps_si256(fold_pairs(quads, larger));
    const __m256i largest = _mm256_max_epu16(both, _mm256_srli_epi32(both, 16));
    const HalfScales to = half_scales(_mm256_and_si256(largest, _mm256_set1_epi32(0xFFFF)));
    _mm256_store_ps(scales.factor + first, to.factor);
    _mm256_store_ps(scales.scale + first, to.scale);
  }
}

/// Codes [16][64][2] of `dims` dimensions.
void take_slice(const PageValues<uint16_t>& values, int64_t dims, const Scales& scales, int16_t* codes) {
  for (int pair = 0; pair < kKeyPairs; ++pair) {
    const int key = first_key(pair);
    const uint16_t *low = values.data + key * values.stride, *high = low + values.stride;
    const __m256 low_factor = _mm256_broadcast_ss(scales.factor + key);
    const __m256 high_factor = _mm256_broadcast_ss(scales.factor + key + 1);
    int16_t* to = codes + pair * 2 * kSliceDims;
    for_vectors(dims, [&](auto access, int64_t d, int64_t left) {
      const __m256 low_bits = code_bits(access.load(low + d, left), low_factor);
      const __m256i both = pairs(low_bits, code_bits(access.load(high + d, left), high_factor));
      _mm256_store_si256(reinterpret_cast<__m256i*>(to + d * 2), both);
    });
  }
}

}  // namespace

void weighted_sum_f16(const TileRows& rows, const PageValues<uint16_t>& values, float* out) {
  correct_sums(rows, values.dim, out);
  Scales scales;
  find_scales(values, scales);
  for_each_batch(rows, [&](const TileRows& part, int64_t first) {
    Weights weights[kBatchRows];
    for (int64_t r = 0; r < part.count; ++r)
      quantise_weights(part.scores + r * kTileKeys, part.visible[r], scales.scale, kI16Largest, weights[r],
                       [](__m256i codes) { return codes; });
    alignas(32) int16_t codes[kKeyPairs * kSliceDims * 2];
    for (int64_t d = 0; d < values.dim; d += kSliceDims) {
      const int64_t dims = values.dim - d < kSliceDims ? values.dim - d : kSliceDims;
      take_slice({values.data + d, values.stride, dims}, dims, scales, codes);
      sum_rows(part, {weights, codes, kSliceDims, out + first * values.dim + d, values.dim}, dims);
    }
  });
}

}  // namespace baleen::avx2
