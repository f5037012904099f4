// FP8 E4M3 (arXiv 2209.05433) as DeepSeek stores weights: codes, and one float scale for each block of a matrix.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baleen {

/// The value of a code: sign, four bits of exponent, three of fraction; no infinities, 0x7F and 0xFF are NaNs.
float f8_e4m3(uint8_t code);
/// 2^(code - 127), as ue8m0 scales are; 255 is NaN.
float f8_e8m0(uint8_t code);

/// Scales of a matrix by blocks from the top left, so that the last blocks may be partial.
struct MatrixScales {
  const float* values = nullptr;  ///< [ceil(rows / block_rows), ceil(cols / block_cols)]
  int64_t block_rows = 0, block_cols = 0;
  float at(int64_t row, int64_t col, int64_t cols) const {
    return values[row / block_rows * ((cols + block_cols - 1) / block_cols) + col / block_cols];
  }
};

}  // namespace baleen
