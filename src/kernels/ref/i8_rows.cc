// The i8 KV cache: blocks of up to 32 dimensions with one scale (docs/NUMERICS.md, "Attention").
#include <cmath>

#include "kernels/ref/codes.h"
#include "kernels/ref/row_kernels.h"

namespace baleen::ref {
namespace {

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
    for (int64_t b = 0; b < code_blocks(rows.dim); ++b) {
      int8_t codes[kCodeBlock] = {};  // zeros behind the last dimension
      const int64_t first = b * kCodeBlock;
      scales[b * kTileKeys + slot] = quantise_block(x + first, block_size(rows.dim, b), 127, codes);
      for (int64_t d = first; d < padded && d < first + kCodeBlock; ++d)
        keys[(d / 4 * kTileKeys + slot) * 4 + d % 4] = codes[d - first];
    }
  }
}

void store_values_i8(const HeadRows& rows, int8_t* values) {
  const int64_t dim = rows.dim;
  float* scales = scales_after(values, kTileKeys * dim);
  for (int32_t r = 0; r < rows.count; ++r) {
    const int64_t slot = rows.slot + r;
    for (int64_t b = 0; b < code_blocks(dim); ++b) {
      int8_t codes[kCodeBlock];
      const int64_t first = b * kCodeBlock, count = block_size(dim, b);
      scales[b * kTileKeys + slot] = quantise_block(rows.data + r * rows.stride + first, count, 127, codes);
      for (int64_t i = 0; i < count; ++i) values[(slot / 4 * dim + first + i) * 4 + slot % 4] = codes[i];
    }
  }
}

void quantise_queries_i8(const float* queries, int64_t rows, int64_t dim, const I8Queries& out) {
  const int64_t padded = i8_padded(dim), blocks = code_blocks(dim);
  for (int64_t r = 0; r < rows; ++r) {
    int8_t* codes = out.codes + r * padded;
    for (int64_t d = dim; d < padded; ++d) codes[d] = 0;
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t first = b * kCodeBlock, count = block_size(dim, b);
      out.scales[r * blocks + b] = quantise_block(queries + r * dim + first, count, 127, codes + first);
      int32_t sum = 0;
      for (int64_t i = 0; i < count; ++i) sum += codes[first + i];
      out.sums[r * blocks + b] = sum;
    }
  }
}

/// Per block, in order: score = fma(scale_q * scale_k, float(dot), score). |dot| <= 127 * 127 * 32 < 2^24.
void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t padded = i8_padded(dim), blocks = code_blocks(dim);
  const float* scales = scales_after(keys, kTileKeys * padded);
  for (int64_t r = 0; r < rows.count; ++r)
    for (int64_t key = 0; key < kTileKeys; ++key) {
      float score = 0;
      for (int64_t b = 0; b < blocks; ++b) {
        int32_t dot = 0;
        for (int64_t d = b * kCodeBlock; d < b * kCodeBlock + block_size(dim, b); ++d)
          dot += queries.codes[r * padded + d] * keys[(d / 4 * kTileKeys + key) * 4 + d % 4];
        score = std::fma(queries.scales[r * blocks + b] * scales[b * kTileKeys + key],
                         static_cast<float>(dot), score);
      }
      rows.scores[r * kTileKeys + key] = score;
    }
}

}  // namespace baleen::ref
