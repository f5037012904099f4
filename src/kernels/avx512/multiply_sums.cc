// Q4_K with eight rows for cores that add beside multiplying: half of each sub-block is multiplied as sums, two
// products by one multiplication (formula: activation_layout.h; docs/kernels/products.md, "Sums multiplied"). The dot
// products of two sub-blocks share an accumulator. Two tokens take each step together, for a core hands instructions to
// two schedulers in turn, each with one multiplier: what alternates would meet in one of them.
#include "kernels/avx512/in_order.h"
#include "kernels/avx512/matmul.h"
#include "kernels/avx512/with_minima.h"

namespace baleen::avx512 {
namespace {

constexpr int kTokens = kTileTokens, kGroup = kTokens * 4;  // bytes of a k-group's codes

// With own (at most 8 * 135 * 8) and a carry of at most 4 (pair_start()) a dot product is to be a word.
constexpr int kLargestDot = 0x7FFF - 8 * 135 * 8 - 4;

using Sums = __m512i[kTokens];

/// A sub-block's weights and activations.
struct SubBlock {
  const std::byte *codes, *x;
};

/// A block's. Of a pair of sub-blocks the second comes first, as pair_start() has it.
struct Block {
  static constexpr PanelLayout kLayout = panel_layout(BlockType::q4_k);
  const std::byte *record, *x;

  [[gnu::always_inline]] SubBlock sub_block(int j) const {
    return {record + kLayout.codes + j * kNibbleSlabBytes, x + j * kSlab * kTokens};
  }
  [[gnu::always_inline]] SubBlock first(int pair) const { return sub_block(2 * pair + 1); }
  [[gnu::always_inline]] SubBlock second(int pair) const { return sub_block(2 * pair); }
  [[gnu::always_inline]] const std::byte* start(int pair, int t) const {
    return x + (kStarts256 + pair * 4) * kTokens + t * 4;
  }
};

/// Two tokens' products of a code as it is.
BALEEN_INLINE void add_products(__m512i code, const std::byte* x, __m512i* sum) {
  in_order::add_dot_of_bytes(sum[0], code, x);
  in_order::add_dot_of_bytes(sum[1], code, x + 4);
}

/// What activations' codes are added to, low + 120 and high - 8; their products are added to `own`.
BALEEN_INLINE Pair summands(const std::byte* codes, __m512i& own) {
  const Pair code = nibbles(codes);
  const Pair to = {_mm512_add_epi8(code.low, _mm512_set1_epi8(kToLow)),
                   _mm512_sub_epi8(code.high, _mm512_set1_epi8(kToHigh))};
  own = _mm512_dpbusd_epi32(own, to.low, to.high);
  return to;
}

/// Two tokens' products of sums, with an even k-group and the odd one behind it.
BALEEN_INLINE void add_products(const Pair& to, const std::byte* x, __m512i* sum) {
  const __m512i odd[2] = {in_order::broadcast_int(x + kGroup), in_order::broadcast_int(x + kGroup + 4)};
  const __m512i even[2] = {in_order::broadcast_int(x), in_order::broadcast_int(x + 4)};
  const __m512i low[2] = {in_order::add_bytes(odd[0], to.low), in_order::add_bytes(odd[1], to.low)};
  const __m512i high[2] = {in_order::add_bytes(even[0], to.high), in_order::add_bytes(even[1], to.high)};
  in_order::add_dot_of_bytes(sum[0], low[0], high[0]);
  in_order::add_dot_of_bytes(sum[1], low[1], high[1]);
}

/// The first of a sub-block's four vectors as it is.
BALEEN_INLINE void add_first(const Pair& code, const SubBlock& sub, int t, Sums& acc) {
  add_products(code.low, sub.x + t * 4, acc + t);
  add_products(code.high, sub.x + kGroup + t * 4, acc + t);
}

/// The second as it is and the third as sums: three multiplications go with two additions.
BALEEN_INLINE void add_second_and_third(const SubBlock& sub, Sums& acc, __m512i& own) {
  const Pair code = nibbles(sub.codes + 64), to = summands(sub.codes + 128, own);
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; t += 2) {
    const int other = (t + 4) % kTokens;  // whose sums do not wait for what was just added
    add_products(code.low, sub.x + 2 * kGroup + t * 4, acc + t);
    add_products(code.high, sub.x + 3 * kGroup + other * 4, acc + other);
    add_products(to, sub.x + 4 * kGroup + t * 4, acc + t);
  }
}

/// The fourth, as sums.
BALEEN_INLINE void add_fourth(const Pair& to, const SubBlock& sub, int t, Sums& acc) {
  add_products(to, sub.x + 6 * kGroup + t * 4, acc + t);
}

/// What makes dot products of accumulators and adds them to the block's sums.
struct PairScales {
  __m512i less, scale;  ///< words: own + 2^15, sub-scales
  const std::byte* shifts;

  BALEEN_INLINE PairScales of(const Block& block, int pair, const __m512i (&own)[2]) {
    return {.less = _mm512_add_epi16(words_of(own[0], own[1]), _mm512_set1_epi16(INT16_MIN)),
            .scale = scales_of_pair(block.record + Block::kLayout.sub_scales, pair),
            .shifts = block.x + (kShiftPairs256 + pair * 4) * kTokens};
  }

  [[gnu::always_inline]] void add(int t, const Sums& acc, Sums& sum) const {
    const __m512i by[2] = {broadcast_int(shifts + t * 4), broadcast_int(shifts + t * 4 + 4)};
    const __m512i shifted[2] = {_mm512_sllv_epi16(scale, by[0]), _mm512_sllv_epi16(scale, by[1])};
    const __m512i dots[2] = {_mm512_sub_epi16(acc[t], less), _mm512_sub_epi16(acc[t + 1], less)};
    sum[t] = _mm512_dpwssd_epi32(sum[t], dots[0], shifted[0]);
    sum[t + 1] = _mm512_dpwssd_epi32(sum[t + 1], dots[1], shifted[1]);
  }
};

/// Its accumulators' starts and first products.
BALEEN_INLINE void begin(const Block& block, Sums& acc) {
  const SubBlock sub = block.first(0);
  const Pair code = nibbles(sub.codes);
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; ++t) acc[t] = broadcast_int(block.start(0, t));
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; t += 2) add_first(code, sub, t, acc);
}

/// All but the first vector of a pair of sub-blocks and its last one; own[j]: of sub-block j of the two.
BALEEN_INLINE void add_pair(const Block& block, int pair, Sums& acc, __m512i (&own)[2]) {
  const SubBlock first = block.first(pair), second = block.second(pair);
  add_second_and_third(first, acc, own[1]);
  const Pair to = summands(first.codes + 192, own[1]), code = nibbles(second.codes);
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; t += 2) {
    add_fourth(to, first, t, acc);
    acc[t] = _mm512_rol_epi32(acc[t], 16);
    acc[t + 1] = _mm512_rol_epi32(acc[t + 1], 16);
    add_first(code, second, t, acc);
  }
  add_second_and_third(second, acc, own[0]);
}

/// The last vector, beside whose additions the next pair's first products are multiplied.
BALEEN_INLINE void end_pair(const Block& block, int pair, const Pair& to, const PairScales& scales, Sums& acc,
                            Sums& sum) {
  const SubBlock last = block.second(pair), next = block.first(pair + 1);
  const Pair code = nibbles(next.codes);
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; t += 2) {
    add_fourth(to, last, t, acc);
    scales.add(t, acc, sum);
    acc[t] = in_order::broadcast_int(block.start(pair + 1, t));
    acc[t + 1] = in_order::broadcast_int(block.start(pair + 1, t + 1));
    add_first(code, next, t, acc);
  }
}

/// The last vector of all, with the block's minima and scales.
BALEEN_INLINE void end_block(const Block& block, const Pair& to, const PairScales& scales, Sums& acc,
                             Sums& sum, __m512 (&out)[kTokens]) {
  const std::byte* x = block.x;
  __m512i minima[4];
  unpack_minima<kTokens>(block.record + Block::kLayout.sub_scales, minima);
  const BlockScales block_scales = BlockScales::of(block.record + Block::kLayout.code_bytes);
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; t += 2) {
    add_fourth(to, block.second(3), t, acc);
    scales.add(t, acc, sum);
    __m512i min[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      add_dot_of_words(min[0], minima[j], x + kSums256 * kTokens + (j * kTokens + t) * 4);
      add_dot_of_words(min[1], minima[j], x + kSums256 * kTokens + (j * kTokens + t + 1) * 4);
    }
    block_scales.add(sum[t], min[0], x + kScale256 * kTokens + t * 4, out[t]);
    block_scales.add(sum[t + 1], min[1], x + kScale256 * kTokens + t * 4 + 4, out[t + 1]);
  }
}

struct Q4KBySums {
  static constexpr PanelLayout kLayout = Block::kLayout;
  static constexpr int kSteps = kSlabs;

  template <bool kWords>
  BALEEN_INLINE void block(const std::byte* record, const std::byte* x, Ahead& ahead,
                           __m512 (&out)[kTokens]) {
    static_assert(kWords);
    keep_in_memory(out);
    const Block block = {record, x};
    Sums acc, sum;
    BALEEN_EACH_TOKEN
    for (int t = 0; t < kTokens; ++t) sum[t] = _mm512_setzero_si512();
    begin(block, acc);
#pragma GCC unroll 4
    for (int pair = 0; pair < 4; ++pair) {
      ahead.step();
      ahead.step();
      __m512i own[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
      add_pair(block, pair, acc, own);
      const Pair to = summands(block.second(pair).codes + 192, own[0]);
      const PairScales scales = PairScales::of(block, pair, own);
      if (pair < 3) {
        end_pair(block, pair, to, scales, acc, sum);
      } else {
        end_block(block, to, scales, acc, sum, out);
      }
    }
  }
};

}  // namespace

void multiply_q4_k_by_sums(const MatmulTile& tile) {
  if (tile.tokens != kTokens || !all_are_words<kTokens>(tile, {kLargestDot / Q4K::kLargest, 0x7FFF}))
    return multiply_q4_k(tile);
  multiply_blocks<kTokens, Q4KBySums, true>(tile);
}

}  // namespace baleen::avx512
