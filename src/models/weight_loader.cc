#include "models/weight_loader.h"

#include <utility>

#include "kernels/block/unpack.h"

namespace baleen {

void WeightLoader::fail(Error error) {
  if (!failed()) error_ = std::move(error);
}

std::shared_ptr<const PackedMatrix> WeightLoader::pack(const std::string& name, int64_t rows, int64_t cols) {
  if (failed()) return nullptr;
  const Tensor* tensor = checkpoint_.find(name);
  if (tensor == nullptr) {
    fail({ErrorKind::bad_input, "tensor " + name + " is missing"});
    return nullptr;
  }
  if (tensor->rows != rows || tensor->cols != cols || tensor->depth != 1) {
    fail({ErrorKind::bad_input, "tensor " + name + ": " + std::to_string(tensor->cols) + " x " +
                                    std::to_string(tensor->rows) + ", the hyper-parameters ask for " +
                                    std::to_string(cols) + " x " + std::to_string(rows)});
    return nullptr;
  }
  if (!can_unpack(tensor->type)) {
    fail({ErrorKind::bad_input,
          "tensor " + name + ": type " + std::string(info(tensor->type).name) + " is not supported"});
    return nullptr;
  }
  auto packed = PackedMatrix::pack(tensor->type, rows, cols, tensor->bytes.data(), compute_);
  if (!packed) {
    fail(std::move(packed.error()));
    return nullptr;
  }
  checkpoint_.release(*tensor);
  loaded_bytes_ += tensor->bytes.size();
  if (progress_ != nullptr)
    progress_(static_cast<double>(loaded_bytes_) / static_cast<double>(checkpoint_.file_bytes()));
  return std::make_shared<const PackedMatrix>(std::move(*packed));
}

Linear WeightLoader::linear(const std::string& name, int64_t rows, int64_t cols) {
  auto weights = pack(name + ".weight", rows, cols);
  return {std::move(weights), optional_vector(name + ".bias", rows)};
}

std::vector<float> WeightLoader::vector(const std::string& name, int64_t width) {
  const auto packed = pack(name, 1, width);
  if (packed == nullptr) return {};
  std::vector<float> floats(static_cast<size_t>(width));
  packed->unpack_row(0, floats.data());
  return floats;
}

std::vector<float> WeightLoader::optional_vector(const std::string& name, int64_t width) {
  return has(name) ? vector(name, width) : std::vector<float>();
}

}  // namespace baleen
