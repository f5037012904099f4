// Products with float weights: out[t, r] = one fma per k, in order of k.
#include "kernels/ref/floats.h"
#include "kernels/ref/matmul.h"

namespace baleen::ref {
namespace {

float weight_f32(const std::byte* panel, int64_t index) { return load<float>(panel + index * 4); }
float weight_f16(const std::byte* panel, int64_t index) {
  return half_to_float(load<uint16_t>(panel + index * 2));
}
float weight_bf16(const std::byte* panel, int64_t index) {
  return from_bits(uint32_t{load<uint16_t>(panel + index * 2)} << 16);
}

/// Code / 256 times scale * 256, rounded once (panel_layout.h).
float weight_f8_e4m3(const std::byte* panel, int64_t index) {
  const int64_t k = index / kPanelRows, row = index % kPanelRows;
  const std::byte* record = panel + k / kF8Block * panel_layout(BlockType::f8_e4m3).record_bytes;
  const auto code = static_cast<uint32_t>(record[k % kF8Block * kPanelRows + row]);
  const auto half = static_cast<uint16_t>((code & 0x80) << 8 | (code & 0x7F) << 7);
  return half_to_float(half) * load<float>(record + kF8Block * kPanelRows + row * 4);
}

void multiply(const MatmulTile& tile, float (*weight)(const std::byte*, int64_t)) {
  for (int t = 0; t < tile.tokens; ++t) {
    for (int r = 0; r < tile.rows; ++r) {
      float sum = 0;
      for (int64_t k = 0; k < tile.cols; ++k)
        sum =
            fma(weight(tile.panel, k * kPanelRows + r), load<float>(tile.x + (k * tile.tokens + t) * 4), sum);
      float& out = tile.out[t * tile.out_stride + r];
      out = tile.add ? out + sum : sum;
    }
  }
}

}  // namespace

void multiply_f32(const MatmulTile& tile) { multiply(tile, weight_f32); }
void multiply_f16(const MatmulTile& tile) { multiply(tile, weight_f16); }
void multiply_bf16(const MatmulTile& tile) { multiply(tile, weight_bf16); }
void multiply_f8_e4m3(const MatmulTile& tile) { multiply(tile, weight_f8_e4m3); }

}  // namespace baleen::ref
