// The i8 KV cache: blocks of up to 32 dimensions with one scale (docs/NUMERICS.md, "Attention").
//   amax = max |x|;  a block with a NaN or an infinity: codes 0, scale NaN;  amax < 2^-100: codes 0, scale 0
//   code = round(x * (127 / amax)), halves to even;  scale = amax / 127
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/ref/row_kernels.h"
#include "kernels/row_constants.h"

namespace baleen::ref {
namespace {

/// Codes of `count` values to out; returns the scale.
float quantise_block(const float* x, int64_t count, int8_t* out) {
  float amax = 0;
  bool finite = true;
  for (int64_t i = 0; i < count; ++i) {
    const float magnitude = std::fabs(x[i]);
    finite = finite && magnitude <= std::numeric_limits<float>::max();
    amax = magnitude > amax ? magnitude : amax;
  }
  const bool coded = finite && amax >= kI8Tiny;
  const float factor = coded ? 127.0f / amax : 0.0f;
  constexpr float kShifter =
      0x1.8p23f;  // adding and taking it away rounds to the nearest integer, ties to even
  for (int64_t i = 0; i < count; ++i)
    out[i] = coded ? static_cast<int8_t>((x[i] * factor + kShifter) - kShifter) : int8_t{0};
  if (!finite) return std::numeric_limits<float>::quiet_NaN();
  return coded ? amax / 127.0f : 0.0f;
}

int64_t block_size(int64_t dim, int64_t block) {
  const int64_t left = dim - block * kI8Block;
  return left < kI8Block ? left : kI8Block;
}

const float* scales_after(const int8_t* codes, int64_t bytes) {
  return reinterpret_cast<const float*>(codes + bytes);
}
float* scales_after(int8_t* codes, int64_t bytes) { return reinterpret_cast<float*>(codes + bytes); }

}  // namespace

void store_keys_i8(const HeadRows& rows, int8_t* keys) {
  const int64_t padded = i8_padded(rows.dim);
  float* scales = scales_after(keys, kTileKeys * padded);
  for (int32_t r = 0; r < rows.count; ++r) {
    const int64_t slot = rows.slot + r;
    const float* x = rows.data + r * rows.stride;
    for (int64_t b = 0; b < i8_blocks(rows.dim); ++b) {
      int8_t codes[kI8Block] = {};  // zeros behind the last dimension
      const int64_t first = b * kI8Block;
      scales[b * kTileKeys + slot] = quantise_block(x + first, block_size(rows.dim, b), codes);
      for (int64_t d = first; d < padded && d < first + kI8Block; ++d)
        keys[(d / 4 * kTileKeys + slot) * 4 + d % 4] = codes[d - first];
    }
  }
}

void store_values_i8(const HeadRows& rows, int8_t* values) {
  const int64_t dim = rows.dim;
  float* scales = scales_after(values, kTileKeys * dim);
  for (int32_t r = 0; r < rows.count; ++r) {
    const int64_t slot = rows.slot + r;
    for (int64_t b = 0; b < i8_blocks(dim); ++b) {
      int8_t codes[kI8Block];
      const int64_t first = b * kI8Block, count = block_size(dim, b);
      scales[b * kTileKeys + slot] = quantise_block(rows.data + r * rows.stride + first, count, codes);
      for (int64_t i = 0; i < count; ++i) values[(slot / 4 * dim + first + i) * 4 + slot % 4] = codes[i];
    }
  }
}

void quantise_queries(const float* queries, int64_t rows, int64_t dim, const I8Queries& out) {
  const int64_t padded = i8_padded(dim), blocks = i8_blocks(dim);
  for (int64_t r = 0; r < rows; ++r) {
    int8_t* codes = out.codes + r * padded;
    for (int64_t d = dim; d < padded; ++d) codes[d] = 0;
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t first = b * kI8Block, count = block_size(dim, b);
      out.scales[r * blocks + b] = quantise_block(queries + r * dim + first, count, codes + first);
      int32_t sum = 0;
      for (int64_t i = 0; i < count; ++i) sum += codes[first + i];
      out.sums[r * blocks + b] = sum;
    }
  }
}

/// Per block, in order: score = fma(scale_q * scale_k, float(dot), score). |dot| <= 127 * 127 * 32 < 2^24.
void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t padded = i8_padded(dim), blocks = i8_blocks(dim);
  const float* scales = scales_after(keys, kTileKeys * padded);
  for (int64_t r = 0; r < rows.count; ++r)
    for (int64_t key = 0; key < kTileKeys; ++key) {
      float score = 0;
      for (int64_t b = 0; b < blocks; ++b) {
        int32_t dot = 0;
        for (int64_t d = b * kI8Block; d < b * kI8Block + block_size(dim, b); ++d)
          dot += queries.codes[r * padded + d] * keys[(d / 4 * kTileKeys + key) * 4 + d % 4];
        score = std::fma(queries.scales[r * blocks + b] * scales[b * kTileKeys + key],
                         static_cast<float>(dot), score);
      }
      rows.scores[r * kTileKeys + key] = score;
    }
}

}  // namespace baleen::ref
