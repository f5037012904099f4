#include "formats/hub_scales.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/hub_names.h"

namespace baleen {
namespace {

constexpr std::string_view kScales = "_scale_inv";

std::unexpected<Error> bad(const Tensor& tensor, std::string_view what) {
  return bad_input(fmt::format("tensor {} at byte {}: {}", hub_name(tensor.name), tensor.file_offset, what));
}

int64_t blocks_in(int64_t size, int32_t block) { return (size + block - 1) / block; }

Result<void> attach(const Tensor& scales, WeightBlocks blocks, std::vector<Tensor>& tensors) {
  const std::string_view name = std::string_view(scales.name).substr(0, scales.name.size() - kScales.size());
  const auto matrix = std::ranges::lower_bound(tensors, name, {}, &Tensor::name);
  if (matrix == tensors.end() || matrix->name != name || matrix->type != BlockType::f8_e4m3)
    return bad(scales, "has no FP8 matrix to scale");
  if (blocks.rows == 0)
    return bad(scales, "quantization_config.weight_block_size does not say what it scales");
  if (scales.type != BlockType::f32 && scales.type != BlockType::bf16 && scales.type != BlockType::f8_e8m0)
    return bad(scales, fmt::format("type {} holds no scales", info(scales.type).name));
  const int64_t rows = blocks_in(matrix->rows, blocks.rows), cols = blocks_in(matrix->cols, blocks.cols);
  if (scales.dimensions != 2 || scales.rows != rows || scales.cols != cols)
    return bad(scales, fmt::format("is {} x {}, {} x {} weights in blocks of {} x {} have {} x {} scales",
                                   scales.rows, scales.cols, matrix->rows, matrix->cols, blocks.rows,
                                   blocks.cols, rows, cols));
  matrix->scales = {scales.type, blocks.rows, blocks.cols, scales.bytes};
  return {};
}

}  // namespace

Result<void> attach_scales(WeightBlocks blocks, std::vector<Tensor>& tensors) {
  const auto is_scales = [](const Tensor& tensor) { return tensor.name.ends_with(kScales); };
  for (const Tensor& tensor : tensors)
    if (is_scales(tensor))
      if (auto attached = attach(tensor, blocks, tensors); !attached) return attached;
  std::erase_if(tensors, is_scales);
  for (const Tensor& tensor : tensors)
    if (tensor.type == BlockType::f8_e4m3 && !tensor.scales.exist())
      return bad_input(fmt::format("tensor {}_scale_inv (safetensors header at byte 8): is missing",
                                   hub_name(tensor.name)));
  return {};
}

}  // namespace baleen
