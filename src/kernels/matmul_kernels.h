// Kernels of products with packed weights, one set per ISA.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/block_type.h"
#include "kernels/activation_layout.h"
#include "kernels/core_traits.h"
#include "kernels/panel_layout.h"

namespace baleen {

/// One tile of a product: a panel of 16 weight rows times up to 8 rows of activations.
struct MatmulTile {
  const std::byte* panel;  ///< panel_layout.h
  const std::byte* x;      ///< activation_layout.h, of `tokens` rows
  int64_t cols;
  int tokens;  ///< 1 .. 8
  int rows;    ///< of the panel that exist, 1 .. 16
  float* out;  ///< [tokens][rows]
  int64_t out_stride;
  bool add;                ///< out += product, else out = product
  const std::byte* ahead;  ///< to be prefetched on the way: `ahead_bytes` bytes
  int64_t ahead_bytes;
};
using MultiplyTile = void (*)(const MatmulTile& tile);

/// Several tiles of a product with one panel, at most so many; members as in MatmulTile.
constexpr int kTilesAtOnce = 4;
struct MatmulTiles {
  struct Each {
    const std::byte* x;
    int tokens;
    float* out;
    int64_t out_stride;
  };
  const std::byte* panel;
  int64_t cols;
  int rows, count;
  bool add;
  const std::byte* ahead;
  int64_t ahead_bytes;
  Each tiles[kTilesAtOnce];  ///< `count` of them
};
using MultiplyTiles = void (*)(const MatmulTiles& tiles);

/// A panel laid open before so many tiles or more, of so many rows or more, are multiplied with it, which then need not
/// unpack it: for cores where unpacking takes the place of multiplications.
constexpr int64_t kExpandedTiles = 4;
constexpr int kExpandedTokens = 6;
struct ExpandedKernels {
  int64_t block_bytes = 0;  ///< of 256 columns
  /// `out` is aligned to 64 bytes.
  void (*expand)(const std::byte* panel, int64_t cols, std::byte* out) = nullptr;
  MultiplyTile multiply = nullptr;  ///< its tile's panel is an expanded one
};

/// Up to 8 rows of floats to a tile of activations.
struct ActivationTile {
  const float* rows[kTileTokens];  ///< each [cols]
  int64_t cols;
  int tokens;
  std::byte* out;
};
using ArrangeTile = void (*)(const ActivationTile& tile);

/// A product of so few rows mostly waits for memory.
constexpr int64_t kFewRows = 3;

/// How far ahead of itself a tile alone fetches its panel, in bytes. 0: not at all, for our prefetches would take the
/// places of those of the core, which follow a stream better (Zen 4; Zen 5 where each line is read once and in order,
/// not K formats; not Zen 3 and Intel's: docs/kernels/products.md, Decode 6, "Whole vectors beside additions").
struct Lead {
  int64_t one_row = 0, one_row_of_k = 0, few_rows = 0;
  /// 1.4 us at the 12 GB/s of a tile of 8 rows: several times the latency of memory, and of a line that another core
  /// has just fetched, where the two share no cache.
  int64_t more = 16 << 10;
  int64_t of(int64_t rows, BlockType type) const {
    if (rows == 1) return panel_layout(type).values == 256 ? one_row_of_k : one_row;
    return rows <= kFewRows ? few_rows : more;
  }
};

struct MatmulKernels {
  ArrangeTile floats, blocks32, blocks256;
  ArrangeTile sums256 = nullptr;  ///< what q4_k and q4_k_tiles take; null: blocks256
  MultiplyTile f32, f16, bf16, f8_e4m3;
  MultiplyTile q4_0, q4_1, q5_0, q5_1, q8_0;
  MultiplyTile i8;  ///< every type of small numbers under a float32 scale (panel_layout.h)
  MultiplyTile q4_k, q5_k, q6_k;
  /// Where what is done to a panel's codes first is worth sharing; else null.
  MultiplyTiles q4_k_tiles = nullptr, q6_k_tiles = nullptr;
  /// Where all of a core's vector pipes multiply; else null.
  ExpandedKernels q5_k_expanded{}, q6_k_expanded{};
  Lead lead{};
};

MatmulKernels ref_matmul_kernels();
MatmulKernels avx2_matmul_kernels();
MatmulKernels avxvnni_matmul_kernels();
MatmulKernels avx512_matmul_kernels(const CoreTraits& core);

/// What a type's kernel takes.
Scheme scheme_of(const MatmulKernels& kernels, BlockType type);
ArrangeTile arrange_kernel(const MatmulKernels& kernels, Scheme scheme);
/// nullptr for types without a kernel of their own: their panels are unpacked to F32.
MultiplyTile multiply_kernel(const MatmulKernels& kernels, BlockType type);
/// nullptr where a type's tiles are multiplied one by one.
MultiplyTiles multiply_tiles_kernel(const MatmulKernels& kernels, BlockType type);
/// nullptr where a type's panels are multiplied as they are.
const ExpandedKernels* expanded_kernels(const MatmulKernels& kernels, BlockType type);

}  // namespace baleen
