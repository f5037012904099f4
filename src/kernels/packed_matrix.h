// A weight matrix in the layout the kernels read: panels of 16 rows, the file's integers and scales kept
// exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/block_type.h"
#include "base/error.h"
#include "kernels/block/f8.h"
#include "kernels/compute.h"
#include "kernels/panel_layout.h"
#include "kernels/weight_memory.h"

namespace baleen {

/// rows x cols of a type (can_unpack, or f8_e4m3 with scales: for whole blocks of 128 columns, unless it is encoded),
/// row after row, as GGUF stores it; cols are whole blocks.
struct MatrixSource {
  BlockType type;
  int64_t rows, cols;
  const std::byte* data;
  MatrixScales scales{};

  /// The exact values of a row: out[cols].
  void unpack_row(int64_t row, float* out) const;
};

class PackedMatrix {
 public:
  PackedMatrix() = default;

  /// Types without kernels of their own keep the file's bytes and are unpacked panel by panel when they are
  /// used. failed where there is no memory. Packs panels in parallel. `encoded`: the type that rows are encoded as on
  /// the way (can_encode, its blocks divide them); nothing: they stay as they are.
  static Result<PackedMatrix> pack(const MatrixSource& source, const Compute& compute,
                                   std::optional<BlockType> encoded = {});
  /// Several of one type and shape, in one piece of `memory`: a layer's experts, an attention's heads.
  static Result<std::vector<PackedMatrix>> pack_all(std::span<const MatrixSource> sources,
                                                    const Compute& compute, WeightMemory& memory,
                                                    std::optional<BlockType> encoded = {});

  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }
  int64_t panels() const { return (rows_ + kPanelRows - 1) / kPanelRows; }
  BlockType type() const { return type_; }
  size_t bytes() const { return bytes_; }  ///< of the packed form, what a product reads
  const std::byte* panel(int64_t index) const { return first_panel_ + index * panel_bytes_; }
  int64_t panel_bytes() const { return panel_bytes_; }
  /// The floats of one row (the embedding of a token): out[cols].
  void unpack_row(int64_t row, float* out) const;
  /// A panel of a type without kernels of its own as an F32 panel, [cols][16].
  void unpack_panel(int64_t index, float* out) const;

 private:
  int rows_of_panel(int64_t index) const;

  BlockType type_ = BlockType::f32;
  int64_t rows_ = 0, cols_ = 0, panel_bytes_ = 0;
  size_t bytes_ = 0;
  const std::byte* first_panel_ = nullptr;
  std::shared_ptr<const std::byte> memory_;
};

}  // namespace baleen
