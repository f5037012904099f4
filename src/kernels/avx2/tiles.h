// Several tiles with one panel: a block's codes are expanded to a byte each, once for all tiles, into memory that stays
// in the first-level cache, and four tokens at a time are multiplied with all 16 rows.
#pragma once

#include "kernels/avx2/matmul.h"
#include "kernels/avx2/vectors.h"

namespace baleen::avx2 {

constexpr int kGroupBytes = kPanelRows * 4;  // a k-group's expanded codes
constexpr int kGroupsOfSlab = kSlab / 4;

/// A tile's number of tokens: the usual one is known to the compiler, so that all offsets are.
struct FullTile {
  constexpr operator int64_t() const { return kTileTokens; }
};

/// Instructions that stay in the order in which they are written. Multiplications and additions have to come in pairs:
/// a core hands instructions to two schedulers in turn, each with one multiplier (docs/kernels/products.md).
namespace in_order {
BALEEN_INLINE __m256i broadcast_int(const std::byte* from) {
  using FourBytes [[gnu::may_alias, gnu::aligned(1)]] = int32_t;
  __m256i value;
  asm volatile("vpbroadcastd %1, %0" : "=x"(value) : "m"(*reinterpret_cast<const FourBytes*>(from)));
  return value;
}
BALEEN_INLINE __m256i multiply(__m256i code, __m256i x) {
  __m256i product;
  asm volatile("vpmaddubsw %2, %1, %0" : "=x"(product) : "x"(code), "x"(x));
  return product;
}
BALEEN_INLINE __m256i add(__m256i sum, __m256i product) {
  __m256i both;
  asm volatile("vpaddw %2, %1, %0" : "=x"(both) : "x"(sum), "x"(product));
  return both;
}
}  // namespace in_order

/// words += codes (unsigned) times activations of a k-group; where it is the first and words are undefined, `=`.
template <int N>
BALEEN_INLINE void dot_group(const std::byte* codes, const std::byte* x, bool first, IntSums<N>& words) {
  const __m256i code[2] = {load(codes), load(codes + 32)};
  BALEEN_UNROLL
  for (int t = 0; t < N; ++t) {
    const __m256i a = in_order::broadcast_int(x + t * 4);
    const __m256i low = in_order::multiply(code[0], a), high = in_order::multiply(code[1], a);
    words.of[0][t] = first ? low : in_order::add(words.of[0][t], low);
    words.of[1][t] = first ? high : in_order::add(words.of[1][t], high);
  }
}

/// 16-bit sums of 32 k of 4-bit codes: at most 8 * 2 * 15 * 127 = 30,480.
template <int N, class Tokens>
BALEEN_INLINE void dot_expanded_4(const std::byte* codes, const std::byte* x, Tokens tokens,
                                  IntSums<N>& words) {
  BALEEN_UNROLL
  for (int g = 0; g < kGroupsOfSlab; ++g)
    dot_group<N>(codes + g * kGroupBytes, x + g * 4 * tokens, g == 0, words);
}

BALEEN_INLINE void store(std::byte* to, __m256i value) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), value);
}

BALEEN_INLINE void store(std::byte* to, const Pair<2>& groups) {
  BALEEN_UNROLL
  for (int half = 0; half < 2; ++half) {
    store(to + half * 32, groups.low[half]);
    store(to + kGroupBytes + half * 32, groups.high[half]);
  }
}

/// A slab of nibbles, to bytes.
BALEEN_INLINE void expand_slab(const std::byte* codes, std::byte* to) {
  BALEEN_UNROLL
  for (int v = 0; v < kGroupsOfSlab / 2; ++v) store(to + 2 * v * kGroupBytes, nibbles<2>(codes + v * 64));
}

/// Sums of a tile: [token][16 rows].
using TileSums = float[kTileTokens * kPanelRows];

/// sum = of(half, t, sum), for both halves of 16 rows and N tokens.
template <int N>
BALEEN_INLINE void update(float* sums, auto&& of) {
  BALEEN_UNROLL
  for (int half = 0; half < 2; ++half) BALEEN_UNROLL
  for (int t = 0; t < N; ++t) {
    float* const sum = sums + t * kPanelRows + half * 8;
    _mm256_store_ps(sum, of(half, t, _mm256_load_ps(sum)));
  }
}

constexpr int kTokensAtOnce = 4;

/// A tile's tokens with a format's expanded block, four at a time.
template <class Format, class Tokens>
BALEEN_INLINE void multiply_block(Format& block, const std::byte* x, Tokens tokens, float* sums,
                                  Ahead<kTokensAtOnce>& ahead) {
  block.begin(x, tokens);
  for (int first = 0; first < tokens; first += kTokensAtOnce) {
    ahead.template step<0>(nullptr);
    float* const to = sums + first * kPanelRows;
    switch (tokens - first) {
      case 1:
        block.template multiply<1>(x, tokens, first, to);
        break;
      case 2:
        block.template multiply<2>(x, tokens, first, to);
        break;
      case 3:
        block.template multiply<3>(x, tokens, first, to);
        break;
      default:
        block.template multiply<4>(x, tokens, first, to);
        break;
    }
  }
}

/// A format says: kLayout, kActivationBytes (of a token in a block), expand() of a record, begin() of a tile and
/// multiply() of N of its tokens, from `first` on, with what was expanded last.
template <class Format>
BALEEN_INLINE void for_tiles(const MatmulTiles& all) {
  alignas(32) TileSums sums[kTilesAtOnce];
  std::memset(sums, 0, static_cast<size_t>(all.count) * sizeof sums[0]);
  int passes = 0;
  for (int i = 0; i < all.count; ++i) passes += (all.tiles[i].tokens + kTokensAtOnce - 1) / kTokensAtOnce;
  const int64_t blocks = all.cols / Format::kLayout.values;
  Ahead<kTokensAtOnce> ahead(all.ahead, all.ahead_bytes, blocks * passes);
  Format block;
  for (int64_t b = 0; b < blocks; ++b) {
    block.expand(all.panel + b * Format::kLayout.record_bytes);
    for (int i = 0; i < all.count; ++i) {
      const MatmulTiles::Each& tile = all.tiles[i];
      const std::byte* const x = tile.x + b * Format::kActivationBytes * tile.tokens;
      if (tile.tokens == kTileTokens) {
        multiply_block(block, x, FullTile(), sums[i], ahead);
      } else {
        multiply_block(block, x, int64_t{tile.tokens}, sums[i], ahead);
      }
    }
  }
  for (int i = 0; i < all.count; ++i) {
    const MatmulTiles::Each& tile = all.tiles[i];
    for (int t = 0; t < tile.tokens; ++t)
      for (int half = 0; half < 2; ++half)
        put_half(tile.out + t * tile.out_stride + half * 8,
                 _mm256_load_ps(sums[i] + t * kPanelRows + half * 8), all.rows - half * 8, all.add);
  }
}

}  // namespace baleen::avx2
