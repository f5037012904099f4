#include "models/weight_loader.h"

#include <utility>

#include "models/tensor_rows.h"
#include "models/weight_types.h"

namespace baleen {

void WeightLoader::fail(Error error) {
  if (!failed()) error_ = std::move(error);
}

const Tensor* WeightLoader::find(const std::string& name, int64_t depth, int64_t rows, int64_t cols) {
  if (failed()) return nullptr;
  const Tensor* tensor = checkpoint_.find(name);
  if (tensor == nullptr) {
    fail({ErrorKind::bad_input, "tensor " + name + " is missing"});
    return nullptr;
  }
  if (tensor->depth != depth || tensor->rows != rows || tensor->cols != cols) {
    const auto shape = [](int64_t ne0, int64_t ne1, int64_t ne2) {
      return std::to_string(ne0) + " x " + std::to_string(ne1) + " x " + std::to_string(ne2);
    };
    fail({ErrorKind::bad_input, "tensor " + name + ": " + shape(tensor->cols, tensor->rows, tensor->depth) +
                                    ", the hyper-parameters ask for " + shape(cols, rows, depth)});
    return nullptr;
  }
  return tensor;
}

void WeightLoader::loaded(const Tensor& tensor) {
  checkpoint_.release(tensor);
  loaded_bytes_ += tensor.bytes.size();
  if (options_.progress != nullptr)
    options_.progress(static_cast<double>(loaded_bytes_) / static_cast<double>(checkpoint_.file_bytes()));
}

std::shared_ptr<const PackedMatrix> WeightLoader::pack(const std::string& name, int64_t rows, int64_t cols) {
  const Tensor* tensor = find(name, 1, rows, cols);
  if (tensor == nullptr) return nullptr;
  std::vector<Linear> one = pack_all({tensor, 1});
  if (failed()) return nullptr;
  loaded(*tensor);
  return one.front().shared_weights();
}

std::vector<Linear> WeightLoader::pack_all(std::span<const Tensor> tensors) {
  return pack_all(tensors, loaded_as(checkpoint_, tensors.front(), options_.weights).type);
}

std::vector<Linear> WeightLoader::pack_all(std::span<const Tensor> tensors, BlockType type) {
  const std::vector<TensorRows> rows(tensors.begin(), tensors.end());
  std::vector<MatrixSource> sources;
  for (const TensorRows& each : rows) sources.push_back(each.source());
  const bool stays = type == tensors.front().type;
  auto packed =
      PackedMatrix::pack_all(sources, compute_, memory_, stays ? std::nullopt : std::optional(type));
  if (!packed) {
    fail(std::move(packed.error()));
    return {};
  }
  std::vector<Linear> linears;
  for (PackedMatrix& matrix : *packed)
    linears.emplace_back(std::make_shared<const PackedMatrix>(std::move(matrix)), std::vector<float>());
  return linears;
}

std::vector<Linear> WeightLoader::stack(const std::string& name, int64_t count, int64_t rows, int64_t cols) {
  const Tensor* whole = find(name, count, rows, cols);
  if (whole == nullptr) return {};
  std::vector<Tensor> parts(static_cast<size_t>(count), *whole);
  const size_t bytes = whole->bytes.size() / parts.size();
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i].depth = 1;
    parts[i].bytes = whole->bytes.subspan(i * bytes, bytes);
  }
  std::vector<Linear> linears = pack_all(parts);
  loaded(*whole);
  return linears;
}

std::vector<Linear> WeightLoader::experts(int32_t layer, const std::string& stack, int64_t rows,
                                          int64_t cols) {
  std::vector<Tensor> tensors;
  for (int32_t expert = 0; expert < params().experts.count && !failed(); ++expert) {
    const auto tensor = checkpoint_.expert_tensor(layer, stack, expert);
    const std::string name =
        "tensor blk." + std::to_string(layer) + "." + stack + " of expert " + std::to_string(expert);
    if (!tensor || tensor->rows != rows || tensor->cols != cols)
      fail({ErrorKind::bad_input, name + ": is not there in the hyper-parameters' shape"});
    else if (!tensors.empty() && tensor->type != tensors.front().type)
      fail({ErrorKind::bad_input, name + ": is of another type than expert 0's"});
    else
      tensors.push_back(*tensor);
  }
  if (failed()) return {};
  std::vector<Linear> linears = pack_all(tensors);
  for (const Tensor& tensor : tensors) loaded(tensor);
  return linears;
}

std::vector<float> WeightLoader::floats(const std::string& name, int64_t rows, int64_t cols) {
  const Tensor* tensor = find(name, 1, rows, cols);
  if (tensor == nullptr) return {};
  std::vector<float> values(static_cast<size_t>(rows * cols));
  const TensorRows whole(*tensor);
  compute_.pool->parallel_for(rows, [&](int64_t row, int) { whole.unpack(row, values.data() + row * cols); });
  loaded(*tensor);
  return values;
}

std::vector<Linear> WeightLoader::made(const std::string& name, const std::vector<float>& values,
                                       int64_t rows, int64_t cols) {
  if (failed()) return {};
  const Tensor& from = *checkpoint_.find(name);
  const auto size = static_cast<size_t>(rows * cols);
  std::vector<Tensor> parts(values.size() / size);
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i].name = name;
    parts[i].dimensions = 2;
    parts[i].rows = rows;
    parts[i].cols = cols;
    parts[i].bytes = std::as_bytes(std::span(values).subspan(i * size, size));
  }
  const bool stays = loaded_as(checkpoint_, from, options_.weights).fit == Fit::kept;
  return stays ? pack_all(parts, BlockType::f32) : pack_all(parts);
}

Linear WeightLoader::linear(const std::string& name, int64_t rows, int64_t cols) {
  auto weights = pack(name + ".weight", rows, cols);
  return {std::move(weights), optional_vector(name + ".bias", rows)};
}

std::vector<float> WeightLoader::vector(const std::string& name, int64_t width) {
  return floats(name, 1, width);
}

std::vector<float> WeightLoader::optional_vector(const std::string& name, int64_t width) {
  return has(name) ? vector(name, width) : std::vector<float>();
}

}  // namespace baleen
