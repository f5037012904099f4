// A tensor's rows as floats, the scales of FP8 worked in.
#pragma once

#include <vector>

#include "formats/checkpoint.h"
#include "kernels/packed_matrix.h"

namespace baleen {

class TensorRows {
 public:
  /// The tensor's bytes must outlive it.
  explicit TensorRows(const Tensor& tensor);
  TensorRows(TensorRows&&) = default;  // the source points into memory that moves along
  TensorRows(const TensorRows&) = delete;

  /// As kernels take it; for as long as this lives.
  const MatrixSource& source() const { return source_; }
  /// Row `row` of depth * rows: out[cols].
  void unpack(int64_t row, float* out) const { source_.unpack_row(row, out); }

 private:
  std::vector<float> scales_;
  MatrixSource source_;
};

}  // namespace baleen
