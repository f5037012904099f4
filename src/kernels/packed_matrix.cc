#include "kernels/packed_matrix.h"

#include <string>

#include "base/check.h"
#include "kernels/block/unpack.h"
#include "kernels/panel.h"

namespace baleen {
Result<PackedMatrix> PackedMatrix::pack(BlockType type, int64_t rows, int64_t cols, const std::byte* data,
                                        const Compute& compute) {
  CHECK(can_unpack(type) && rows > 0 && cols > 0);
  const BlockTypeInfo& block = info(type);
  CHECK(cols % block.values == 0);
  PackedMatrix matrix;
  matrix.type_ = type;
  matrix.rows_ = rows;
  matrix.cols_ = cols;
  matrix.panel_bytes_ = baleen::panel_bytes(type, cols);
  matrix.bytes_ = static_cast<size_t>(matrix.panels() * matrix.panel_bytes_);
  matrix.memory_ = LargeMemory(matrix.bytes_);
  if (matrix.memory_.data() == nullptr)
    return failed("no memory for " + std::to_string(matrix.bytes_) + " bytes of packed weights");
  const int64_t row_bytes = cols / block.values * block.bytes;
  std::byte* panels = matrix.memory_.data();
  compute.pool->parallel_for(matrix.panels(), [&](int64_t index, int) {
    const int64_t row = index * kPanelRows;
    const int64_t left = rows - row;
    write_panel({.type = type,
                 .data = data + row * row_bytes,
                 .row_bytes = row_bytes,
                 .cols = cols,
                 .rows = static_cast<int>(left < kPanelRows ? left : kPanelRows)},
                panels + index * matrix.panel_bytes_);
  });
  return matrix;
}

void PackedMatrix::unpack_row(int64_t row, float* out) const {
  read_panel_row(type_, panel(row / kPanelRows), static_cast<int>(row % kPanelRows), cols_, out);
}

void PackedMatrix::unpack_panel(int64_t index, float* out) const {
  const int64_t left = rows_ - index * kPanelRows;
  baleen::unpack_panel(type_, panel(index), static_cast<int>(left < kPanelRows ? left : kPanelRows), cols_,
                       out);
}

}  // namespace baleen
