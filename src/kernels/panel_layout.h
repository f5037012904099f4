// Where a panel keeps the numbers of 16 rows of a weight matrix: one record per block, in order of k, so that a
// kernel reads memory from front to back. (Scales behind all codes, as a second stream, halved the bandwidth of
// short panels.) Functions are static: files with different ISA flags include this.
//
// k-groups: four neighbouring k are one group, and 64 bytes hold one group of 16 rows, byte [row][k % 4]
// (what one vpdpbusd takes). Codes of 32 k of 16 rows, "a slab", 8 groups g = 0..7:
//   8 bits: 8 vectors of 64 bytes.
//   4 bits: 4 vectors of 64 bytes, low nibbles group 2i, high nibbles group 2i + 1.
//   the fifth bit: 1 vector, bit g of a byte belongs to group g.
//   bits 4 and 5: 2 vectors, bits 2f and 2f + 1 of a byte of vector v belong to group 4v + f.
// A record:
//   Q4_0, Q4_1           slab of nibbles
//   Q5_0, Q5_1           slab of nibbles, its fifth bits
//   Q8_0                 slab of int8
//   Q4_K, Q5_K           sub-scales and minima of 6 bits, see below, 8 slabs of nibbles, each with its fifth bits
//   Q6_K                 sub-scales int8 [16][16 rows], 8 slabs of nibbles, each with its bits 4 and 5
//   types of small       slab of int8: what their codebooks say, exactly. Of 32-wide scales only; types with a scale
//   numbers under a      for 16 values or with minima stay as the file has them and are unpacked panel by panel
//   scale for 32 values
//   scales               float16 [16 rows]; types with minima: followed by the minima's float16 [16 rows]; types of
//                        small numbers: float32 [16 rows]
//   F8_E4M3              128 k (the last record may be partly used): codes [k][16 rows], then float32 [16 rows]: the
//                        scales of the rows in these columns times 256, for a code's bits as a half float are a 256th
//                        of its value. Kernels do not look for NaN: a row with one has a scale of NaN, and its products
//                        are NaN either way
//   F32, F16, BF16       [k][16 rows], no scales
// Sub-scales and minima of Q4_K and Q5_K lie in front, for a kernel needs them first: 3 vectors of 64 bytes, byte
// [row][0..3], so that masks and shifts alone make words and double words of them, a lane a row. Bits 0..5 of byte b of
// vector v: sub-scale 4v + b. Bits 6 and 7: the upper bits of minimum 4v + j, where b = kMinimumByte[j]; its lower four
// are nibble v of byte b of the third vector. (Bytes 0 and 2 are one product of two 16-bit words, 1 and 3 the next.)
#pragma once

#include <cstdint>

#include "base/block_type.h"

namespace baleen {

constexpr int kPanelRows = 16;
constexpr int kSlab = 32;              // k of a slab
constexpr int kF8Block = 128;          // k of a record of F8_E4M3
constexpr int kNibbleSlabBytes = 256;  // 16 rows * 32 k / 2
constexpr int kSlab5Bytes = kNibbleSlabBytes + 64, kSlab6Bytes = kNibbleSlabBytes + 128;
constexpr int kMinimumByte[4] = {0, 2, 1, 3};

enum class PanelScales { none, halves, halves_and_minima, floats };

struct PanelLayout {
  int values;       ///< k of a block
  int codes;        ///< where a block's codes begin
  int sub_scales;   ///< where its sub-scales begin
  int code_bytes;   ///< of a block of 16 rows, with sub-scales
  int scale_bytes;  ///< of a block of 16 rows, behind these
  int record_bytes;
  PanelScales scales;
};

/// Of the types with kernels of their own; values 0 for all others, which panels keep as the file has them.
static constexpr inline PanelLayout panel_layout(BlockType type) {
  switch (type) {
    case BlockType::f32:
      return {1, 0, 64, 64, 0, 64, PanelScales::none};
    case BlockType::f16:
    case BlockType::bf16:
      return {1, 0, 32, 32, 0, 32, PanelScales::none};
    case BlockType::f8_e4m3:
      return {kF8Block, 0, kF8Block * 16, kF8Block * 16, 64, kF8Block * 16 + 64, PanelScales::floats};
    case BlockType::q4_0:
      return {32, 0, 256, 256, 32, 288, PanelScales::halves};
    case BlockType::q4_1:
      return {32, 0, 256, 256, 64, 320, PanelScales::halves_and_minima};
    case BlockType::q5_0:
      return {32, 0, 320, 320, 32, 352, PanelScales::halves};
    case BlockType::q5_1:
      return {32, 0, 320, 320, 64, 384, PanelScales::halves_and_minima};
    case BlockType::q8_0:
      return {32, 0, 512, 512, 32, 544, PanelScales::halves};
    case BlockType::q4_k:
      return {256, 192, 0, 2048 + 192, 64, 2048 + 256, PanelScales::halves_and_minima};
    case BlockType::q5_k:
      return {256, 192, 0, 2560 + 192, 64, 2560 + 256, PanelScales::halves_and_minima};
    case BlockType::q6_k:
      return {256, 256, 0, 3072 + 256, 32, 3072 + 288, PanelScales::halves};
    case BlockType::iq1_s:
    case BlockType::iq2_xxs:
    case BlockType::iq3_xxs:
    case BlockType::iq3_s:
    case BlockType::iq4_nl:
    case BlockType::iq4_xs:
    case BlockType::mxfp4:
    case BlockType::tq1_0:
    case BlockType::tq2_0:
      return {32, 0, 512, 512, 64, 576, PanelScales::floats};
    default:
      return {};
  }
}

}  // namespace baleen
