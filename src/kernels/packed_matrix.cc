#include "kernels/packed_matrix.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "kernels/block/unpack.h"
#include "kernels/panel.h"

namespace baleen {

Result<PackedMatrix> PackedMatrix::pack(BlockType type, int64_t rows, int64_t cols, const std::byte* data,
                                        const Compute& compute) {
  auto one = pack_all(type, rows, cols, {&data, 1}, compute);
  if (!one) return error_of(one);
  return std::move(one->front());
}

Result<std::vector<PackedMatrix>> PackedMatrix::pack_all(BlockType type, int64_t rows, int64_t cols,
                                                         std::span<const std::byte* const> data,
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
  const size_t bytes = matrix.bytes_ * data.size();
  const auto memory = std::make_shared<LargeMemory>(bytes);
  if (memory->data() == nullptr)
    return failed("no memory for " + std::to_string(bytes) + " bytes of packed weights");
  matrix.memory_ = memory;
  std::vector<PackedMatrix> matrices(data.size(), matrix);
  for (size_t i = 0; i < matrices.size(); ++i) matrices[i].first_panel_ = memory->data() + i * matrix.bytes_;
  const int64_t row_bytes = cols / block.values * block.bytes, panels = matrix.panels();
  compute.pool->parallel_for(panels * static_cast<int64_t>(data.size()), [&](int64_t index, int) {
    const int64_t row = index % panels * kPanelRows;
    const int64_t left = rows - row;
    write_panel({.type = type,
                 .data = data[static_cast<size_t>(index / panels)] + row * row_bytes,
                 .row_bytes = row_bytes,
                 .cols = cols,
                 .rows = static_cast<int>(left < kPanelRows ? left : kPanelRows)},
                memory->data() + index * matrix.panel_bytes_);
  });
  return matrices;
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
