// Writing panels and reading rows back out of them (panel_layout.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/block_type.h"
#include "kernels/block/f8.h"

namespace baleen {

/// 16 rows as the file has them; rows beyond `rows` do not exist.
struct PanelSource {
  BlockType type;
  const std::byte* data;
  int64_t row_bytes, cols;
  int rows;
  int64_t first_row = 0;  ///< in its matrix
  MatrixScales scales{};  ///< of f8_e4m3: whole columns of 128
};

/// Bytes of a panel, a multiple of 64.
int64_t panel_bytes(BlockType type, int64_t cols);
void write_panel(const PanelSource& source, std::byte* panel);
/// Row r of 0..15 of a panel: out[cols].
void read_panel_row(BlockType type, const std::byte* panel, int r, int64_t cols, float* out);
/// A panel of a type without kernels of its own as an F32 panel, [cols][16]; rows beyond `rows` as 0.
void unpack_panel(BlockType type, const std::byte* panel, int rows, int64_t cols, float* out);

}  // namespace baleen
