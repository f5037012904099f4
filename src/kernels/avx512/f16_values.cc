// Attention's second product over an f16 page (rules: kernels/ref/f16_rows.cc), whose values lie there as codes, two
// keys to a 32-bit word. A row's weights become 16-bit codes once.
#include "kernels/avx512/f16_codes.h"
#include "kernels/avx512/integer_values.h"
#include "kernels/avx512/word_sums.h"

namespace baleen::avx512 {
namespace {

constexpr int kKeyPairs = kTileKeys / 2;
constexpr int kStepBytes = kCodeBlock * 4;  // two keys of a block
constexpr int64_t kBatchRows = 256;         // whose weights are kept

struct Weights {
  alignas(64) uint32_t words[kBatchRows][kKeyPairs];
  alignas(64) float factor[kGroupRows];
  alignas(64) float step[kBatchRows];
  alignas(16) int32_t taken[kBatchRows];  ///< off products of sums
};

struct Words {
  static constexpr int kSteps = kKeyPairs;
  static constexpr int word(int row, int pair) { return row * kKeyPairs + pair; }
  BALEEN_INLINE __m512i add(__m512i sum, __m512i weights, __m512i codes) {
    return _mm512_dpwssd_epi32(sum, weights, codes);
  }
};

/// Words as weight_codes() leaves them, in order of their keys.
BALEEN_INLINE __m512i in_order_of_keys(__m512i words) {
  return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15),
                                  words);
}

/// A page's codes, by blocks of dimensions [16][32][2] (the last may be narrower), and what they are added to.
struct Page {
  const std::byte* codes;
  int64_t dim;
  float* out;  ///< [rows, dim]
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
                         in_order_of_keys(weight_codes(Keys::weigh(group, r, scales), weights.factor[r])));
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

/// What rows from `r` on take of a tile, from dimension d of it on.
BALEEN_INLINE WeightedCodes part_of(const Page& page, const Weights& weights, int64_t r, int64_t d) {
  const int64_t left = page.dim - d;
  return {weights.words[r],
          weights.step + r,
          page.codes + d * kKeyPairs * 4,
          left < kCodeBlock ? left : kCodeBlock,
          page.out + r * page.dim + d,
          page.dim};
}

void sum_plain(const TileRows& rows, const Weights& weights, const Page& page, int64_t d) {
  for_runs(rows, [&] [[gnu::always_inline]] (int64_t r, int64_t count) {
    kSumRows<Words>[count - 1](part_of(page, weights, r, d), page.dim - d);
  });
}

/// Of a whole block of dimensions, where rows are enough.
void sum_by_sums(const TileRows& rows, const Weights& weights, const Page& page, int64_t d) {
  alignas(64) int32_t less[kCodeBlock];
  for (int64_t i = 0; i < kCodeBlock; i += 16)
    _mm512_store_si512(less + i,
                       word_sums::less_of_codes(page.codes + d * kKeyPairs * 4 + i * 4, kStepBytes));
  for_runs(rows, [&] [[gnu::always_inline]] (int64_t r, int64_t count) {
    if (count == kValueRows && r + count <= rows.count / 4 * 4) {
      sum_block_by_sums(part_of(page, weights, r, d), less, weights.taken + r);
    } else {
      kSumRows<Words>[count - 1](part_of(page, weights, r, d), kCodeBlock);
    }
  });
}

void sum_batch(const TileRows& rows, const Lanes& scales, const Page& page, bool by_sums) {
  Weights weights;
  for (int64_t r = 0; r < rows.count; r += kGroupRows) {
    const int64_t left = rows.count - r;
    const Group group{rows, r, left < kGroupRows ? static_cast<int>(left) : kGroupRows};
    const auto quantise = sees_all(group) ? quantise_weights<Whole> : quantise_weights<Partial>;
    quantise(group, scales, r, weights);
  }
  by_sums = by_sums && rows.count >= kValueRows;
  if (by_sums) find_taken(rows.count, weights);
  for (int64_t d = 0; d < page.dim; d += kCodeBlock)
    (by_sums && page.dim - d >= kCodeBlock ? sum_by_sums : sum_plain)(rows, weights, page, d);
}

void weighted_sum(const TileRows& rows, const int16_t* values, int64_t dim, bool by_sums, float* out) {
  correct_sums(rows, dim, out);
  const int16_t* stored = values + kTileKeys * dim;
  const Lanes scales{stored_scales(stored), stored_scales(stored + 16)};
  for (int64_t r = 0; r < rows.count; r += kBatchRows) {
    const int64_t count = rows.count - r < kBatchRows ? rows.count - r : kBatchRows;
    sum_batch({count, rows.visible + r, rows.scores + r * kTileKeys, nullptr, nullptr, nullptr}, scales,
              {reinterpret_cast<const std::byte*>(values), dim, out + r * dim}, by_sums);
  }
}

}  // namespace

void weighted_sum_f16(const TileRows& rows, const int16_t* values, int64_t dim, float* out) {
  weighted_sum(rows, values, dim, false, out);
}
void weighted_sum_f16_by_sums(const TileRows& rows, const int16_t* values, int64_t dim, float* out) {
  weighted_sum(rows, values, dim, true, out);
}

}  // namespace baleen::avx512
