// Attention's second product over an f16 page (rules: kernels/ref/f16_rows.cc). A row's weights become 16-bit codes
// once; for more than one tile of rows, slices of the page become codes in the first-level cache, two keys to a
// 32-bit word, and serve all rows.
#include "kernels/avx512/f16_codes.h"
#include "kernels/avx512/integer_values.h"

namespace baleen::avx512 {
namespace {

constexpr int kKeyPairs = kTileKeys / 2;
constexpr int64_t kSliceDims = 64;
/// Fewer rows do not pay for codes that are stored and read again: each tile makes its own.
constexpr int64_t kFewRows = 7;
constexpr int64_t kBatchRows = 128;  // whose weights are kept

/// Two keys share a word as weight_codes() leaves them.
constexpr int first_key(int pair) { return pair / 4 * 4 + pair % 4 / 2 * 16 + pair % 2 * 2; }

struct Weights {
  alignas(64) uint32_t words[kBatchRows][kKeyPairs];
  alignas(64) float factor[kGroupRows];
  alignas(64) float step[kBatchRows];
};

struct Words {
  static constexpr int kSteps = kKeyPairs;
  static constexpr int word(int row, int pair) { return row * kKeyPairs + pair; }
  BALEEN_INLINE __m512i codes(const WeightedCodes&, int, const std::byte* from, int v, __mmask16 mask) {
    return _mm512_maskz_loadu_epi32(mask, from + v * 64);
  }
  BALEEN_INLINE __m512i add(__m512i sum, __m512i weights, __m512i codes) {
    return _mm512_dpwssd_epi32(sum, weights, codes);
  }
};

/// Words of values that are f16 still, [32][stride]: two rows of them take stride * 4 bytes, too.
struct Halves : Words {
  BALEEN_INLINE __m512i codes(const WeightedCodes& tile, int pair, const std::byte*, int v, __mmask16 mask) {
    const int key = first_key(pair);
    const auto* low = reinterpret_cast<const uint16_t*>(tile.codes) + key * tile.stride + v * 16;
    const auto bits = [&](const uint16_t* from, float factor) {
      return code_bits(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, from)), _mm512_set1_ps(factor));
    };
    return pairs(bits(low, tile.factors[key]), bits(low + tile.stride, tile.factors[key + 1]));
  }
};

/// A page's values and the keys' scales.
struct ScaledValues {
  const PageValues<uint16_t>& values;
  alignas(64) float factor[kTileKeys];
  alignas(64) float scale[kTileKeys];
};

/// The largest magnitudes of keys 0, 4, 8 and 12, in 32-bit lanes that have two.
BALEEN_INLINE void largest_of(const PageValues<uint16_t>& values, __m512 (&lanes)[4]) {
  __m512i largest[4];
  BALEEN_UNROLL
  for (int i = 0; i < 4; ++i) largest[i] = _mm512_setzero_si512();
  for (int64_t d = 0; d < values.dim; d += 32) {
    const int64_t left = values.dim - d;
    const auto there = static_cast<__mmask32>(left >= 32 ? ~0u : (1u << left) - 1);
    const uint16_t* from = values.data + d;
    BALEEN_UNROLL
    for (int i = 0; i < 4; ++i, from = next_row(from, 4 * values.stride))
      largest[i] = _mm512_max_epu16(largest[i], magnitudes(_mm512_maskz_loadu_epi16(there, from)));
  }
  BALEEN_UNROLL
  for (int i = 0; i < 4; ++i) lanes[i] = _mm512_castsi512_ps(largest[i]);
}

void find_scales(ScaledValues& page) {
  const auto larger = [](__m512 a, __m512 b) {
    return _mm512_castsi512_ps(_mm512_max_epu16(_mm512_castps_si512(a), _mm512_castps_si512(b)));
  };
  for (int64_t first = 0; first < kTileKeys; first += 16) {
    __m512 quads[4];
    for (int64_t q = 0; q < 4; ++q) {
      __m512 lanes[4];
      const uint16_t* from = page.values.data + (first + q) * page.values.stride;
      largest_of({from, page.values.stride, page.values.dim}, lanes);
      quads[q] = fold_quad(lanes, larger);
    }
    const __m512i both = _mm512_castps_si512(fold_quads(quads, larger));
    const __m512i largest = _mm512_max_epu16(both, _mm512_srli_epi32(both, 16));
    const HalfScales to = half_scales(_mm512_and_si512(largest, _mm512_set1_epi32(0xFFFF)));
    _mm512_store_ps(page.factor + first, to.factor);
    _mm512_store_ps(page.scale + first, to.scale);
  }
}

/// Codes [16][64][2] of `dims` dimensions from `first`.
void take_slice(const ScaledValues& page, int64_t first, int64_t dims, std::byte* codes) {
  for (int pair = 0; pair < kKeyPairs; ++pair) {
    const int key = first_key(pair);
    const __m512 factor[2] = {_mm512_set1_ps(page.factor[key]), _mm512_set1_ps(page.factor[key + 1])};
    const uint16_t* from = page.values.data + key * page.values.stride + first;
    for (int64_t d = 0; d < dims; d += 16) {
      const auto bits = [&](int64_t i) {
        const uint16_t* at = from + i * page.values.stride + d;
        if (dims - d >= 16) return code_bits(load_halves(at), factor[i]);
        return code_bits(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(lanes_left(dims - d), at)), factor[i]);
      };
      _mm512_store_si512(codes + (pair * kSliceDims + d) * 4, pairs(bits(0), bits(1)));
    }
  }
}

template <class Keys>
void quantise_weights(const Group& group, const Lanes& scales, int64_t row, Weights& weights) {
  find_steps<Keys>(group, scales, kI16Largest, weights.factor, weights.step + row);
  BALEEN_UNROLL
  for (int r = 0; r < kGroupRows; ++r)
    if (r < Keys::count(group))
      _mm512_store_si512(weights.words[row + r],
                         weight_codes(Keys::weigh(group, r, scales), weights.factor[r]));
}

/// All rows that see a key of the page; a dimension of the slice takes kBytes.
template <class Codes, int kBytes>
void sum_slice(const TileRows& rows, const Weights& weights, const WeightedCodes& slice, int64_t dims) {
  for (int64_t r = 0; r < rows.count; ++r) {
    int64_t count = 0;
    while (count < kValueRows && r + count < rows.count && rows.visible[r + count] != 0) ++count;
    if (count == 0) continue;
    for (int64_t d = 0; d < dims; d += kCodeBlock)
      kSumRows<Codes>[count - 1]({weights.words[r], weights.step + r, slice.codes + d * kBytes, slice.stride,
                                  slice.out + r * slice.out_stride + d, slice.out_stride, slice.factors},
                                 dims - d);
    r += count - 1;
  }
}

void sum_batch(const TileRows& rows, const ScaledValues& page, float* out) {
  Weights weights;
  for (int64_t r = 0; r < rows.count; r += kGroupRows) {
    const int64_t left = rows.count - r;
    const Group group{rows, r, left < kGroupRows ? static_cast<int>(left) : kGroupRows};
    const auto quantise = sees_all(group) ? quantise_weights<Whole> : quantise_weights<Partial>;
    quantise(group, load_lanes(page.scale), r, weights);
  }
  const int64_t dim = page.values.dim;
  if (rows.count < kFewRows) {
    const auto* halves = reinterpret_cast<const std::byte*>(page.values.data);
    return sum_slice<Halves, 2>(rows, weights,
                                {nullptr, nullptr, halves, page.values.stride, out, dim, page.factor}, dim);
  }
  alignas(64) std::byte codes[kKeyPairs * kSliceDims * 4];
  for (int64_t d = 0; d < dim; d += kSliceDims) {
    const int64_t dims = dim - d < kSliceDims ? dim - d : kSliceDims;
    take_slice(page, d, dims, codes);
    sum_slice<Words, 4>(rows, weights, {nullptr, nullptr, codes, kSliceDims, out + d, dim, nullptr}, dims);
  }
}

}  // namespace

void weighted_sum_f16(const TileRows& rows, const PageValues<uint16_t>& values, float* out) {
  correct_sums(rows, values.dim, out);
  ScaledValues page{values, {}, {}};
  find_scales(page);
  for (int64_t r = 0; r < rows.count; r += kBatchRows) {
    const int64_t count = rows.count - r < kBatchRows ? rows.count - r : kBatchRows;
    sum_batch({count, rows.visible + r, rows.scores + r * kTileKeys, nullptr, nullptr, nullptr}, page,
              out + r * values.dim);
  }
}

}  // namespace baleen::avx512
