#include "models/tensor_rows.h"

#include "kernels/block/unpack.h"

namespace baleen {
namespace {

std::vector<float> decoded(const TensorScales& scales) {
  if (!scales.exist()) return {};
  const std::byte* const bytes = scales.bytes.data();
  const auto size = static_cast<size_t>(info(scales.type).bytes);
  std::vector<float> values(scales.bytes.size() / size);
  for (size_t i = 0; i < values.size(); ++i) {
    if (scales.type == BlockType::f8_e8m0) {
      values[i] = f8_e8m0(std::to_integer<uint8_t>(bytes[i]));
    } else {
      unpack(scales.type, bytes + i * size, 1, &values[i]);
    }
  }
  return values;
}

}  // namespace

TensorRows::TensorRows(const Tensor& tensor)
    : scales_(decoded(tensor.scales)),
      source_{tensor.type, tensor.depth * tensor.rows, tensor.cols, tensor.bytes.data()} {
  if (tensor.scales.exist())
    source_.scales = {scales_.data(), tensor.scales.block_rows, tensor.scales.block_cols};
}

}  // namespace baleen
