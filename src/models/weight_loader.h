// Takes a checkpoint's tensors one by one, packs them, encoded anew where that is asked for, and lets their file pages
// go.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "formats/checkpoint.h"
#include "models/linear.h"
#include "models/model.h"

namespace baleen {

/// Like ByteReader: once something has failed, what is returned is empty, and the builder of a model checks
/// error() once at the end.
class WeightLoader {
 public:
  WeightLoader(const Checkpoint& checkpoint, const Compute& compute, LoadOptions options)
      : checkpoint_(checkpoint), compute_(compute), options_(options) {}

  /// `name`.weight [rows, cols], and `name`.bias [rows] where the file has it.
  Linear linear(const std::string& name, int64_t rows, int64_t cols);
  /// A stack `name` [count, rows, cols] as that many matrices.
  std::vector<Linear> stack(const std::string& name, int64_t count, int64_t rows, int64_t cols);
  /// The layer's routed experts of a stack ("ffn_gate_exps.weight"), each [rows, cols]; stacked in the file or not.
  std::vector<Linear> experts(int32_t layer, const std::string& stack, int64_t rows, int64_t cols);
  /// `name` [rows, cols] as floats, for what is not used as the file has it.
  std::vector<float> floats(const std::string& name, int64_t rows, int64_t cols);
  /// Matrices of floats that have been made from the tensor `name`, each [rows, cols], one behind the other; encoded if
  /// the tensor would be.
  std::vector<Linear> made(const std::string& name, const std::vector<float>& values, int64_t rows,
                           int64_t cols);
  /// A vector of `width` floats, of any type in the file.
  std::vector<float> vector(const std::string& name, int64_t width);
  /// Empty where the file has none.
  std::vector<float> optional_vector(const std::string& name, int64_t width);
  bool has(const std::string& name) const { return checkpoint_.find(name) != nullptr; }

  const HyperParameters& params() const { return checkpoint_.params(); }
  const Compute& compute() const { return compute_; }
  bool failed() const { return !error_.message.empty(); }
  const Error& error() const { return error_; }

 private:
  /// The tensor, if it has this shape.
  const Tensor* find(const std::string& name, int64_t depth, int64_t rows, int64_t cols);
  std::shared_ptr<const PackedMatrix> pack(const std::string& name, int64_t rows, int64_t cols);
  /// Matrices of one shape and type, encoded as `type`.
  std::vector<Linear> pack_all(std::span<const Tensor> tensors, BlockType type);
  std::vector<Linear> pack_all(std::span<const Tensor> tensors);
  void loaded(const Tensor& tensor);
  void fail(Error error);

  const Checkpoint& checkpoint_;
  const Compute& compute_;
  LoadOptions options_;
  WeightMemory memory_;
  uint64_t loaded_bytes_ = 0;
  Error error_;
};

}  // namespace baleen
