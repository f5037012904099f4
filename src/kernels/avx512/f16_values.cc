// Attention's second product over an f16 page (rules: kernels/ref/f16_rows.cc). A row's weights become 16-bit codes
// once; for more than one tile of rows, slices of the page become codes in the first-level cache, two keys to a
// 32-bit word, and serve all rows.
#include "kernels/avx512/f16_codes.h"
#include "kernels/avx512/integer_values.h"
#include "kernels/avx512/word_sums.h"

namespace baleen::avx512 {
namespace {

constexpr int kKeyPairs = kTileKeys / 2;
constexpr int64_t kSliceDims = 64;
/// Fewer rows do not pay for codes that are stored and read again: each tile makes its own.
constexpr int64_t kFewRows = 7;
constexpr int64_t kBatchRows = 256;  // whose weights are kept

/// Two keys share a word as weight_codes() leaves them.
constexpr int first_key(int pair) { return pair / 4 * 4 + pair % 4 / 2 * 16 + pair % 2 * 2; }

struct Weights {
  alignas(64) uint32_t words[kBatchRows][kKeyPairs];
  alignas(64) float factor[kGroupRows];
  alignas(64) float step[kBatchRows];
  alignas(16) int32_t taken[kBatchRows];  ///< off products of sums
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

constexpr int kStepBytes = kSliceDims * 4;  // two keys of a slice

/// A slice that all rows are multiplied with: codes [16][64][2], and what they take off products of sums.
struct Slice {
  alignas(64) std::byte codes[kKeyPairs * kStepBytes];
  alignas(64) int32_t less[kSliceDims];

  void find_less(int64_t dims) {
    for (int64_t d = 0; d + 16 <= dims; d += 16)
      _mm512_store_si512(less + d, word_sums::less_of_codes(codes + d * 4, kStepBytes));
  }
};

/// As sum_block() of integer_values.h, of kValueRows rows and 32 dimensions.
[[gnu::noinline]] void sum_block_by_sums(const WeightedCodes& tile, const int32_t* less,
                                         const int32_t* taken) {
  __m512i sum[kValueRows][2];
  BALEEN_UNROLL
  for (int r = 0; r < kValueRows; ++r) BALEEN_UNROLL
  for (int v = 0; v < 2; ++v)
    sum[r][v] = _mm512_sub_epi32(_mm512_load_si512(less + v * 16), _mm512_set1_epi32(taken[r]));
  word_sums::add_products(
      {tile.codes, kStepBytes, reinterpret_cast<const std::byte*>(tile.words), kKeyPairs * 4}, sum);
  float* out = tile.out;
  BALEEN_UNROLL
  for (int r = 0; r < kValueRows; ++r, out = next_row(out, tile.out_stride)) {
    const __m512 step = _mm512_set1_ps(tile.steps[r]);
    BALEEN_UNROLL
    for (int v = 0; v < 2; ++v)
      _mm512_storeu_ps(out + v * 16,
                       _mm512_fmadd_ps(step, _mm512_cvtepi32_ps(sum[r][v]), _mm512_loadu_ps(out + v * 16)));
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

void find_taken(int64_t rows, Weights& weights) {
  for (int64_t r = 0; r + 4 <= rows; r += 4)
    _mm_store_si128(reinterpret_cast<__m128i*>(weights.taken + r),
                    word_sums::taken_of_four(weights.words[r], kKeyPairs * 4));
}

/// All rows that see a key of the page, so many at once: sum(first row, how many).
BALEEN_INLINE void for_runs(const TileRows& rows, auto&& sum) {
  for (int64_t r = 0; r < rows.count; ++r) {
    int64_t count = 0;
    while (count < kValueRows && r + count < rows.count && rows.visible[r + count] != 0) ++count;
    if (count == 0) continue;
    sum(r, count);
    r += count - 1;
  }
}

/// What rows from `r` on take of a tile, from dimension d of it on, of kBytes each.
template <int kBytes>
BALEEN_INLINE WeightedCodes part_of(const WeightedCodes& tile, const Weights& weights, int64_t r, int64_t d) {
  return {weights.words[r],
          weights.step + r,
          tile.codes + d * kBytes,
          tile.stride,
          tile.out + r * tile.out_stride + d,
          tile.out_stride,
          tile.factors};
}

template <class Codes, int kBytes>
void sum_tile(const TileRows& rows, const Weights& weights, const WeightedCodes& tile, int64_t dims) {
  for_runs(rows, [&] [[gnu::always_inline]] (int64_t r, int64_t count) {
    for (int64_t d = 0; d < dims; d += kCodeBlock)
      kSumRows<Codes>[count - 1](part_of<kBytes>(tile, weights, r, d), dims - d);
  });
}

/// The same of a slice, by sums where rows and dimensions are enough.
void sum_slice_by_sums(const TileRows& rows, const Weights& weights, const WeightedCodes& tile,
                       const Slice& slice, int64_t dims) {
  for_runs(rows, [&] [[gnu::always_inline]] (int64_t r, int64_t count) {
    const bool enough = count == kValueRows && r + count <= rows.count / 4 * 4;
    const int64_t by_sums = enough ? dims / kCodeBlock * kCodeBlock : 0;
    int64_t d = 0;
    for (; d < by_sums; d += kCodeBlock)
      sum_block_by_sums(part_of<4>(tile, weights, r, d), slice.less + d, weights.taken + r);
    for (; d < dims; d += kCodeBlock) kSumRows<Words>[count - 1](part_of<4>(tile, weights, r, d), dims - d);
  });
}

void sum_batch(const TileRows& rows, const ScaledValues& page, bool by_sums, float* out) {
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
    return sum_tile<Halves, 2>(rows, weights,
                               {nullptr, nullptr, halves, page.values.stride, out, dim, page.factor}, dim);
  }
  if (by_sums) find_taken(rows.count, weights);
  Slice slice;
  for (int64_t d = 0; d < dim; d += kSliceDims) {
    const int64_t dims = dim - d < kSliceDims ? dim - d : kSliceDims;
    const WeightedCodes tile{nullptr, nullptr, slice.codes, kSliceDims, out + d, dim, nullptr};
    take_slice(page, d, dims, slice.codes);
    if (by_sums) {
      slice.find_less(dims);
      sum_slice_by_sums(rows, weights, tile, slice, dims);
    } else {
      sum_tile<Words, 4>(rows, weights, tile, dims);
    }
  }
}

void weighted_sum(const TileRows& rows, const PageValues<uint16_t>& values, bool by_sums, float* out) {
  correct_sums(rows, values.dim, out);
  ScaledValues page{values, {}, {}};
  find_scales(page);
  for (int64_t r = 0; r < rows.count; r += kBatchRows) {
    const int64_t count = rows.count - r < kBatchRows ? rows.count - r : kBatchRows;
    sum_batch({count, rows.visible + r, rows.scores + r * kTileKeys, nullptr, nullptr, nullptr}, page,
              by_sums, out + r * values.dim);
  }
}

}  // namespace

void weighted_sum_f16(const TileRows& rows, const PageValues<uint16_t>& values, float* out) {
  weighted_sum(rows, values, false, out);
}
void weighted_sum_f16_by_sums(const TileRows& rows, const PageValues<uint16_t>& values, float* out) {
  weighted_sum(rows, values, true, out);
}

}  // namespace baleen::avx512
