// Products with K formats: weights in blocks of 256 with integer sub-scales. Per block, in order of k, with
// s = the activations' scale and sub-blocks j of 32 (Q6_K: 16), shift = 3 - e of the activations' sub-block:
//   Q4_K, Q5_K:  out = fma(fma(d, float(sum_j (sc[j] * dot(q[j], a[j])) << shift[j]),
//                              -(dmin * float(sum_j min[j] * (sum(a[j]) << shift[j])))), s, out)
//   Q6_K:        out = fma(d * s, float(sum_j (sc[j] * dot(q[j] - 32, a[j])) << shift[j / 2]), out)
// The sums are exact: 63 * 31 * 127 * 256 * 8 = 0.51e9 (Q5_K), 128 * 32 * 127 * 256 * 8 = 1.07e9 (Q6_K),
// below 2^31; a kernel may let partial sums wrap modulo 2^32.
#include "kernels/ref/matmul.h"
#include "kernels/ref/panel_codes.h"

namespace baleen::ref {
namespace {

constexpr int kBlock = 256, kSlabs = 8;

using Code = int32_t (*)(const std::byte* block, int r, int k);

int32_t code_q4_k(const std::byte* block, int r, int k) {
  return nibble(block + k / kSlab * kNibbleSlabBytes, r, k % kSlab);
}
int32_t code_q5_k(const std::byte* block, int r, int k) {
  const std::byte* slab = block + k / kSlab * kSlab5Bytes;
  return nibble(slab, r, k % kSlab) + 16 * fifth_bit(slab + kNibbleSlabBytes, r, k % kSlab);
}
int32_t code_q6_k(const std::byte* block, int r, int k) {
  const std::byte* slab = block + k / kSlab * kSlab6Bytes;
  return nibble(slab, r, k % kSlab) + 16 * high_bits(slab + kNibbleSlabBytes, r, k % kSlab) - 32;
}

/// One block: rows in the panel, tokens in the tile.
struct Block {
  const std::byte *record, *codes, *sub_scales, *x;
  int tokens;

  int32_t a(int k, int t) const { return static_cast<int8_t>(x[(k / 4 * tokens + t) * 4 + k % 4]); }
  int32_t shift(int j, int t) const { return load<int32_t>(x + kShift256 * tokens + (j * tokens + t) * 4); }
  float scale(int t) const { return load<float>(x + kScale256 * tokens + t * 4); }

  int32_t dot(Code code, int r, int t, int first_k, int count) const {
    int32_t sum = 0;
    for (int k = first_k; k < first_k + count; ++k) sum += code(codes, r, k) * a(k, t);
    return sum;
  }
};

/// sum_j (sc[j] * dot) << shift, sub-blocks of 32 with 6-bit scales.
int32_t scaled_dot(const Block& block, Code code, int r, int t) {
  int32_t sum = 0;
  for (int j = 0; j < kSlabs; ++j) {
    const int32_t sc = sub_scale(block.sub_scales, r, j);
    sum += sc * block.dot(code, r, t, j * 32, 32) * (1 << block.shift(j, t));
  }
  return sum;
}

/// sum_j min[j] * shifted sum
int32_t scaled_minima(const Block& block, int r, int t) {
  int32_t sum = 0;
  for (int j = 0; j < kSlabs; ++j) {
    const int32_t min = sub_minimum(block.sub_scales, r, j);
    sum +=
        min * load<int16_t>(block.x + kSums256 * block.tokens + ((j / 2 * block.tokens + t) * 2 + j % 2) * 2);
  }
  return sum;
}

/// sum_j (sc[j] * dot) << shift, sub-blocks of 16 with int8 scales.
int32_t scaled_dot_16(const Block& block, int r, int t) {
  int32_t sum = 0;
  for (int j = 0; j < 2 * kSlabs; ++j) {
    const int32_t sc = static_cast<int8_t>(block.sub_scales[j * kPanelRows + r]);
    sum += sc * block.dot(code_q6_k, r, t, j * 16, 16) * (1 << block.shift(j / 2, t));
  }
  return sum;
}

Block block_at(const MatmulTile& tile, PanelLayout layout, int64_t b) {
  const std::byte* record = tile.panel + b * layout.record_bytes;
  return {record, record + layout.codes, record + layout.sub_scales, tile.x + b * kRecord256 * tile.tokens,
          tile.tokens};
}

float row_with_minima(const MatmulTile& tile, BlockType type, Code code, int r, int t) {
  const PanelLayout layout = panel_layout(type);
  const int64_t blocks = tile.cols / kBlock;
  float out = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    const Block block = block_at(tile, layout, b);
    const std::byte* scales = block.record + layout.code_bytes;
    const float less = half_scale(scales + 32, r) * static_cast<float>(scaled_minima(block, r, t));
    const float product =
        fma(half_scale(scales, r), static_cast<float>(scaled_dot(block, code, r, t)), -less);
    out = fma(product, block.scale(t), out);
  }
  return out;
}

float row_q6_k(const MatmulTile& tile, int r, int t) {
  const PanelLayout layout = panel_layout(BlockType::q6_k);
  const int64_t blocks = tile.cols / kBlock;
  float out = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    const Block block = block_at(tile, layout, b);
    const std::byte* scales = block.record + layout.code_bytes;
    out = fma(half_scale(scales, r) * block.scale(t), static_cast<float>(scaled_dot_16(block, r, t)), out);
  }
  return out;
}

void put(const MatmulTile& tile, int r, int t, float product) {
  float& out = tile.out[t * tile.out_stride + r];
  out = tile.add ? out + product : product;
}

void multiply_with_minima(const MatmulTile& tile, BlockType type, Code code) {
  for (int t = 0; t < tile.tokens; ++t)
    for (int r = 0; r < tile.rows; ++r) put(tile, r, t, row_with_minima(tile, type, code, r, t));
}

}  // namespace

void multiply_q4_k(const MatmulTile& tile) { multiply_with_minima(tile, BlockType::q4_k, code_q4_k); }
void multiply_q5_k(const MatmulTile& tile) { multiply_with_minima(tile, BlockType::q5_k, code_q5_k); }
void multiply_q6_k(const MatmulTile& tile) {
  for (int t = 0; t < tile.tokens; ++t)
    for (int r = 0; r < tile.rows; ++r) put(tile, r, t, row_q6_k(tile, r, t));
}

}  // namespace baleen::ref
