#include "kernels/packed_matrix.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "kernels/block/encode.h"
#include "kernels/block/unpack.h"
#include "kernels/panel.h"

namespace baleen {

namespace {

/// Encodes the rows of panels anew; each thread in memory of its own.
class PanelEncoder {
 public:
  PanelEncoder(BlockType type, int64_t cols, int threads)
      : type_(type),
        cols_(cols),
        row_bytes_(cols / info(type).values * info(type).bytes),
        values_(static_cast<size_t>(threads * cols)),
        rows_(static_cast<size_t>(threads * kPanelRows * row_bytes_)) {
    CHECK(cols % info(type).values == 0);
  }

  PanelSource operator()(const MatrixSource& source, const PanelSource& panel, int thread) {
    float* values = values_.data() + thread * cols_;
    std::byte* rows = rows_.data() + thread * kPanelRows * row_bytes_;
    for (int r = 0; r < panel.rows; ++r) {
      source.unpack_row(panel.first_row + r, values);
      encode(type_, values, cols_, rows + r * row_bytes_);
    }
    return {.type = type_, .data = rows, .row_bytes = row_bytes_, .cols = cols_, .rows = panel.rows};
  }

 private:
  BlockType type_;
  int64_t cols_, row_bytes_;
  std::vector<float> values_;
  std::vector<std::byte> rows_;
};

}  // namespace

void MatrixSource::unpack_row(int64_t row, float* out) const {
  if (type != BlockType::f8_e4m3)
    return unpack(type, data + row * (cols / info(type).values * info(type).bytes), cols, out);
  for (int64_t k = 0; k < cols; ++k)
    out[k] = f8_e4m3(std::to_integer<uint8_t>(data[row * cols + k])) * scales.at(row, k, cols);
}

Result<PackedMatrix> PackedMatrix::pack(const MatrixSource& source, const Compute& compute,
                                        std::optional<BlockType> encoded) {
  WeightMemory memory;
  auto one = pack_all({&source, 1}, compute, memory, encoded);
  if (!one) return error_of(one);
  return std::move(one->front());
}

Result<std::vector<PackedMatrix>> PackedMatrix::pack_all(std::span<const MatrixSource> sources,
                                                         const Compute& compute, WeightMemory& memory,
                                                         std::optional<BlockType> encoded) {
  const MatrixSource& first = sources.front();
  const BlockTypeInfo& block = info(first.type);
  const bool is_f8 = first.type == BlockType::f8_e4m3;
  CHECK(first.rows > 0 && first.cols > 0 && first.cols % block.values == 0);
  CHECK(is_f8 ? encoded || first.scales.block_cols % kF8Block == 0 : can_unpack(first.type));
  PackedMatrix matrix;
  matrix.type_ = encoded.value_or(first.type);
  matrix.rows_ = first.rows;
  matrix.cols_ = first.cols;
  matrix.panel_bytes_ = baleen::panel_bytes(matrix.type_, first.cols);
  matrix.bytes_ = static_cast<size_t>(matrix.panels() * matrix.panel_bytes_);
  const size_t bytes = matrix.bytes_ * sources.size();
  const std::shared_ptr<std::byte> packed = memory.take(bytes);
  if (packed == nullptr) return failed("no memory for " + std::to_string(bytes) + " bytes of packed weights");
  matrix.memory_ = packed;
  std::vector<PackedMatrix> matrices(sources.size(), matrix);
  for (size_t i = 0; i < matrices.size(); ++i) matrices[i].first_panel_ = packed.get() + i * matrix.bytes_;
  const int64_t row_bytes = first.cols / block.values * block.bytes, panels = matrix.panels();
  std::optional<PanelEncoder> encoder;
  if (encoded) encoder.emplace(*encoded, first.cols, compute.pool->size());
  compute.pool->parallel_for(panels * static_cast<int64_t>(sources.size()), [&](int64_t index, int thread) {
    const MatrixSource& source = sources[static_cast<size_t>(index / panels)];
    const int64_t row = index % panels * kPanelRows;
    const PanelSource panel{.type = source.type,
                            .data = source.data + row * row_bytes,
                            .row_bytes = row_bytes,
                            .cols = source.cols,
                            .rows = matrix.rows_of_panel(index % panels),
                            .first_row = row,
                            .scales = source.scales};
    write_panel(encoder ? (*encoder)(source, panel, thread) : panel,
                packed.get() + index * matrix.panel_bytes_);
  });
  return matrices;
}

void PackedMatrix::unpack_row(int64_t row, float* out) const {
  read_panel_row(type_, panel(row / kPanelRows), static_cast<int>(row % kPanelRows), cols_, out);
}

void PackedMatrix::unpack_panel(int64_t index, float* out) const {
  baleen::unpack_panel(type_, panel(index), rows_of_panel(index), cols_, out);
}

int PackedMatrix::rows_of_panel(int64_t index) const {
  return static_cast<int>(std::min<int64_t>(rows_ - index * kPanelRows, kPanelRows));
}

}  // namespace baleen
