// Products with weights in blocks of 32. Per block, in order of k, with s = the activations' scale:
//   Q4_0, Q5_0, Q8_0, i8:  out = fma(d * s, float(dot(q - offset, a)), out)       offset 8, 16, 0, 0
//   Q4_1, Q5_1:        out = fma(d * s, float(dot(q, a)), out)
//                      out = fma(m, s * float(sum(a)), out)
// dot is exact: at most 32 * 128 * 127.
#include "kernels/ref/matmul.h"
#include "kernels/ref/panel_codes.h"

namespace baleen::ref {
namespace {

using Code = int32_t (*)(const std::byte* block, int r, int k);

int32_t code_q4_0(const std::byte* block, int r, int k) { return nibble(block, r, k) - 8; }
int32_t code_q4_1(const std::byte* block, int r, int k) { return nibble(block, r, k); }
int32_t code_q5_1(const std::byte* block, int r, int k) {
  return nibble(block, r, k) + 16 * fifth_bit(block + kNibbleSlabBytes, r, k);
}
int32_t code_q5_0(const std::byte* block, int r, int k) { return code_q5_1(block, r, k) - 16; }
int32_t code_q8_0(const std::byte* block, int r, int k) {
  return static_cast<int8_t>(block[k / 4 * 64 + r * 4 + k % 4]);
}

float row_times_token(const MatmulTile& tile, PanelLayout layout, Code code, int r, int t) {
  const int64_t blocks = tile.cols / kSlab;
  float out = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    const std::byte* codes = tile.panel + b * layout.record_bytes;
    const std::byte* x = tile.x + b * kRecord32 * tile.tokens;
    int32_t dot = 0;
    for (int k = 0; k < kSlab; ++k) {
      const auto a = static_cast<int8_t>(x[(k / 4 * tile.tokens + t) * 4 + k % 4]);
      dot += code(codes, r, k) * a;
    }
    const std::byte* scale = codes + layout.code_bytes;
    const float s = load<float>(x + kScale32 * tile.tokens + t * 4);
    const bool is_float = layout.scales == PanelScales::floats;
    const float d = is_float ? load<float>(scale + r * 4) : half_scale(scale, r);
    out = fma(d * s, static_cast<float>(dot), out);
    if (layout.scales == PanelScales::halves_and_minima)
      out = fma(half_scale(scale + 32, r), load<float>(x + kScaledSum32 * tile.tokens + t * 4), out);
  }
  return out;
}

void multiply(const MatmulTile& tile, BlockType type, Code code) {
  for (int t = 0; t < tile.tokens; ++t) {
    for (int r = 0; r < tile.rows; ++r) {
      const float product = row_times_token(tile, panel_layout(type), code, r, t);
      float& out = tile.out[t * tile.out_stride + r];
      out = tile.add ? out + product : product;
    }
  }
}

}  // namespace

void multiply_q4_0(const MatmulTile& tile) { multiply(tile, BlockType::q4_0, code_q4_0); }
void multiply_q4_1(const MatmulTile& tile) { multiply(tile, BlockType::q4_1, code_q4_1); }
void multiply_q5_0(const MatmulTile& tile) { multiply(tile, BlockType::q5_0, code_q5_0); }
void multiply_q5_1(const MatmulTile& tile) { multiply(tile, BlockType::q5_1, code_q5_1); }
void multiply_q8_0(const MatmulTile& tile) { multiply(tile, BlockType::q8_0, code_q8_0); }
// Any type of this kind: their panels are alike.
void multiply_i8(const MatmulTile& tile) { multiply(tile, BlockType::iq4_nl, code_q8_0); }

}  // namespace baleen::ref
