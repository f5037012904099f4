// Q4_K with eight rows for cores that add beside multiplying: half of each sub-block is multiplied as sums, two
// products by one multiplication (formula: sums_tile.h; docs/kernels/products.md, "Sums multiplied"). The dot products
// of two sub-blocks share an accumulator. Two tokens take each step together, for a core hands instructions to two
// schedulers in turn, each with one multiplier: what alternates would meet in one of them. What a row's own codes make
// of sums is the same for all tiles: of several the first one leaves it to the others.
#include "kernels/avx512/in_order.h"
#include "kernels/avx512/matmul.h"
#include "kernels/avx512/sums_tile.h"
#include "kernels/avx512/with_minima.h"

namespace baleen::avx512 {
namespace {

using namespace sums;

using Sums = __m512i[kTokens];

constexpr int kPairs = kSlabs / 2;      // of sub-blocks
constexpr int kOwnBytes = kPairs * 64;  // what is to be taken off accumulators, of a block
constexpr int64_t kBlocksWithOwn = 64;  // 16 KiB; tiles of wider rows are multiplied one by one

/// Where a block's own products are: `bytes` behind those of the block before.
struct Own {
  std::byte* of;
  int64_t bytes;
};

/// A sub-block's weights and activations.
struct SubBlock {
  const std::byte *codes, *x;
};

/// A block's. Of a pair of sub-blocks the second comes first, as starts have it.
struct Block {
  static constexpr PanelLayout kLayout = panel_layout(BlockType::q4_k);
  const std::byte *record, *x;
  std::byte* own;

  [[gnu::always_inline]] SubBlock sub_block(int j) const {
    return {record + kLayout.codes + j * kNibbleSlabBytes, x + j * kSlab * kTokens};
  }
  [[gnu::always_inline]] SubBlock first(int pair) const { return sub_block(2 * pair + 1); }
  [[gnu::always_inline]] SubBlock second(int pair) const { return sub_block(2 * pair); }
  [[gnu::always_inline]] const std::byte* start(int pair, int t) const {
    return x + kStarts + pair * kPair + t * 4;
  }
};

/// Two tokens' products of a code as it is.
BALEEN_INLINE void add_products(__m512i code, const std::byte* x, __m512i* sum) {
  in_order::add_dot_of_bytes(sum[0], code, x);
  in_order::add_dot_of_bytes(sum[1], code, x + 4);
}

/// A row's own products, which a panel's first tile makes.
template <bool kFirstTile>
BALEEN_INLINE void add_own(const Pair& code, __m512i& own) {
  if constexpr (kFirstTile)
    own = _mm512_dpbusd_epi32(own, _mm512_add_epi8(code.low, _mm512_set1_epi8(kToLow)),
                              _mm512_sub_epi8(code.high, _mm512_set1_epi8(kToHigh)));
}

/// Two tokens' products of sums, with an even k-group and the odd one behind it.
BALEEN_INLINE void add_products(const Pair& code, const std::byte* x, __m512i* sum) {
  const __m512i even[2] = {in_order::broadcast_int(x), in_order::broadcast_int(x + 4)};
  const __m512i low[2] = {in_order::add_four_bytes(code.low, x + kGroup),
                          in_order::add_four_bytes(code.low, x + kGroup + 4)};
  const __m512i high[2] = {in_order::add_bytes(even[0], code.high), in_order::add_bytes(even[1], code.high)};
  in_order::add_dot_of_bytes(sum[0], low[0], high[0]);
  in_order::add_dot_of_bytes(sum[1], low[1], high[1]);
}

/// The first of a sub-block's four vectors as it is.
BALEEN_INLINE void add_first(const Pair& code, const SubBlock& sub, int t, Sums& acc) {
  add_products(code.low, sub.x + t * 4, acc + t);
  add_products(code.high, sub.x + kGroup + t * 4, acc + t);
}

/// The second as it is and the third as sums: three multiplications go with two additions.
template <bool kFirstTile>
BALEEN_INLINE void add_second_and_third(const SubBlock& sub, Sums& acc, __m512i& own) {
  const Pair code = nibbles(sub.codes + 64), third = nibbles(sub.codes + 128);
  add_own<kFirstTile>(third, own);
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; t += 2) {
    const int other = (t + 4) % kTokens;  // whose sums do not wait for what was just added
    add_products(code.low, sub.x + 2 * kGroup + t * 4, acc + t);
    add_products(code.high, sub.x + 3 * kGroup + other * 4, acc + other);
    add_products(third, sub.x + 4 * kGroup + t * 4, acc + t);
  }
}

/// The fourth, as sums.
BALEEN_INLINE void add_fourth(const Pair& code, const SubBlock& sub, int t, Sums& acc) {
  add_products(code, sub.x + 6 * kGroup + t * 4, acc + t);
}

/// The halves of two tokens' double words change places. A core rotates where it multiplies and shuffles bytes there
/// or beside: half of the tokens each way is fastest.
BALEEN_INLINE void swap_halves(int t, __m512i* acc) {
  if (t % 4 == 0) {
    const __m512i swapped = _mm512_set4_epi32(0x0D0C0F0E, 0x09080B0A, 0x05040706, 0x01000302);
    acc[0] = _mm512_shuffle_epi8(acc[0], swapped);
    acc[1] = _mm512_shuffle_epi8(acc[1], swapped);
  } else {
    acc[0] = _mm512_rol_epi32(acc[0], 16);
    acc[1] = _mm512_rol_epi32(acc[1], 16);
  }
}

/// What makes dot products of accumulators and adds them to the block's sums.
struct PairScales {
  __m512i less, scale;  ///< words: own + 2^15, sub-scales
  const std::byte* shifts;

  template <bool kFirstTile>
  BALEEN_INLINE PairScales of(const Block& block, int pair, const __m512i (&own)[2]) {
    std::byte* const kept = block.own + pair * 64;
    if constexpr (kFirstTile)
      _mm512_store_si512(kept, _mm512_add_epi16(words_of(own[0], own[1]), _mm512_set1_epi16(INT16_MIN)));
    return {.less = load(kept),
            .scale = scales_of_pair(block.record + Block::kLayout.sub_scales, pair),
            .shifts = block.x + kShiftPairs + pair * kPair};
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
template <bool kFirstTile>
BALEEN_INLINE void add_pair(const Block& block, int pair, Sums& acc, __m512i (&own)[2]) {
  const SubBlock first = block.first(pair), second = block.second(pair);
  add_second_and_third<kFirstTile>(first, acc, own[1]);
  const Pair fourth = nibbles(first.codes + 192), code = nibbles(second.codes);
  add_own<kFirstTile>(fourth, own[1]);
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; t += 2) {
    add_fourth(fourth, first, t, acc);
    swap_halves(t, acc + t);
    add_first(code, second, t, acc);
  }
  add_second_and_third<kFirstTile>(second, acc, own[0]);
}

/// The last vector, beside whose additions the next pair's first products are multiplied.
BALEEN_INLINE void end_pair(const Block& block, int pair, const Pair& fourth, const PairScales& scales,
                            Sums& acc, Sums& sum) {
  const SubBlock last = block.second(pair), next = block.first(pair + 1);
  const Pair code = nibbles(next.codes);
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; t += 2) {
    add_fourth(fourth, last, t, acc);
    scales.add(t, acc, sum);
    acc[t] = in_order::broadcast_int(block.start(pair + 1, t));
    acc[t + 1] = in_order::broadcast_int(block.start(pair + 1, t + 1));
    add_first(code, next, t, acc);
  }
}

/// The last vector of all, with the block's minima and scales.
BALEEN_INLINE void end_block(const Block& block, const Pair& fourth, const PairScales& scales, Sums& acc,
                             Sums& sum, __m512 (&out)[kTokens]) {
  const std::byte* x = block.x;
  __m512i minima[4];
  unpack_minima<kTokens>(block.record + Block::kLayout.sub_scales, minima);
  const BlockScales block_scales = BlockScales::of(block.record + Block::kLayout.code_bytes);
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; t += 2) {
    add_fourth(fourth, block.second(kPairs - 1), t, acc);
    scales.add(t, acc, sum);
    __m512i min[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
#pragma GCC unroll 4
    for (int j = 0; j < kPairs; ++j) {
      add_dot_of_words(min[0], minima[j], x + kSums + j * kPair + t * 4);
      add_dot_of_words(min[1], minima[j], x + kSums + j * kPair + t * 4 + 4);
    }
    block_scales.add(sum[t], min[0], x + kScale + t * 4, out[t]);
    block_scales.add(sum[t + 1], min[1], x + kScale + t * 4 + 4, out[t + 1]);
  }
}

template <bool kFirstTile>
BALEEN_INLINE void multiply_block(const Block& block, Ahead& ahead, __m512 (&out)[kTokens]) {
  keep_in_memory(out);
  Sums acc, sum;
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; ++t) sum[t] = _mm512_setzero_si512();
  begin(block, acc);
#pragma GCC unroll 4
  for (int pair = 0; pair < kPairs; ++pair) {
    ahead.step();
    ahead.step();
    __m512i own[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    add_pair<kFirstTile>(block, pair, acc, own);
    const Pair fourth = nibbles(block.second(pair).codes + 192);
    add_own<kFirstTile>(fourth, own[0]);
    const PairScales scales = PairScales::of<kFirstTile>(block, pair, own);
    if (pair + 1 < kPairs) {
      end_pair(block, pair, fourth, scales, acc, sum);
    } else {
      end_block(block, fourth, scales, acc, sum, out);
    }
  }
}

template <bool kFirstTile>
[[gnu::noinline]] void multiply_tile(const MatmulTile& tile, Own own) {
  const int64_t blocks = tile.cols / 256;
  Block block = {tile.panel, tile.x, own.of};
  __m512 out[kTokens];
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; ++t) out[t] = _mm512_setzero_ps();
  Ahead ahead = Ahead::of(tile, blocks * kSlabs);
  for (int64_t b = 0; b < blocks; ++b) {
    multiply_block<kFirstTile>(block, ahead, out);
    block = {block.record + Block::kLayout.record_bytes, block.x + kRecord, block.own + own.bytes};
  }
  BALEEN_EACH_TOKEN
  for (int t = 0; t < kTokens; ++t) put(tile, t, out[t]);
}

bool has_sums(const MatmulTile& tile) { return tile.tokens == kTokens && is_marked(tile.x, tile.cols); }

/// Tile i, which fetches its share of what is ahead.
MatmulTile tile_of(const MatmulTiles& all, int i) {
  const MatmulTiles::Each& each = all.tiles[i];
  const int64_t share = all.ahead_bytes / all.count;
  return {.panel = all.panel,
          .x = each.x,
          .cols = all.cols,
          .tokens = each.tokens,
          .rows = all.rows,
          .out = each.out,
          .out_stride = each.out_stride,
          .add = all.add,
          .ahead = all.ahead + i * share,
          .ahead_bytes = share};
}

}  // namespace

void multiply_q4_k_by_sums(const MatmulTile& tile) {
  if (!has_sums(tile)) return multiply_q4_k(tile);
  alignas(64) std::byte own[kOwnBytes];
  multiply_tile<true>(tile, {own, 0});
}

void multiply_q4_k_tiles_by_sums(const MatmulTiles& all) {
  alignas(64) std::byte own[kBlocksWithOwn * kOwnBytes];
  const bool kept = all.cols / 256 <= kBlocksWithOwn;
  bool first = true;
  for (int i = 0; i < all.count; ++i) {
    const MatmulTile tile = tile_of(all, i);
    if (!kept || !has_sums(tile)) {
      multiply_q4_k_by_sums(tile);
    } else if (first) {
      multiply_tile<true>(tile, {own, kOwnBytes});
      first = false;
    } else {
      multiply_tile<false>(tile, {own, kOwnBytes});
    }
  }
}

}  // namespace baleen::avx512
