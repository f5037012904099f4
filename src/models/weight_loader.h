// Takes a checkpoint's tensors one by one, packs them and lets their file pages go.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "formats/checkpoint.h"
#include "models/linear.h"

namespace baleen {

/// Like ByteReader: once something has failed, what is returned is empty, and the builder of a model checks
/// error() once at the end.
class WeightLoader {
 public:
  WeightLoader(const Checkpoint& checkpoint, const Compute& compute, void (*progress)(double))
      : checkpoint_(checkpoint), compute_(compute), progress_(progress) {}

  /// `name`.weight [rows, cols], and `name`.bias [rows] where the file has it.
  Linear linear(const std::string& name, int64_t rows, int64_t cols);
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
  std::shared_ptr<const PackedMatrix> pack(const std::string& name, int64_t rows, int64_t cols);
  void fail(Error error);

  const Checkpoint& checkpoint_;
  const Compute& compute_;
  void (*progress_)(double);
  uint64_t loaded_bytes_ = 0;
  Error error_;
};

}  // namespace baleen
