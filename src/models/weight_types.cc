#include "models/weight_types.h"

#include <string_view>

#include "kernels/panel_layout.h"

namespace baleen {
namespace {

bool divides(BlockType type, int64_t cols) { return cols % info(type).values == 0; }

bool is_below_six_bits(BlockType type) {
  switch (type) {
    case BlockType::q4_0:
    case BlockType::q4_1:
    case BlockType::q5_0:
    case BlockType::q5_1:
    case BlockType::q4_k:
    case BlockType::q5_k:
      return true;
    default:
      return false;
  }
}

bool is_float(BlockType type) {
  return type == BlockType::f32 || type == BlockType::f16 || type == BlockType::bf16 ||
         type == BlockType::f8_e4m3;
}

bool makes_logits(const Checkpoint& checkpoint, const Tensor& tensor) {
  const bool own_output = checkpoint.find("output.weight") != nullptr;
  return tensor.name == (own_output ? "output.weight" : "token_embd.weight");
}

}  // namespace

EncodedAs encoded_as(const Checkpoint& checkpoint, const Tensor& tensor, BlockType wanted) {
  const bool router = tensor.name.find("ffn_gate_inp") != std::string::npos;
  if (tensor.dimensions == 1 || router) return {BlockType::f32, Fit::kept};
  EncodedAs chosen{wanted, Fit::asked};
  if (is_below_six_bits(wanted) && makes_logits(checkpoint, tensor)) chosen = {BlockType::q6_k, Fit::finer};
  if (divides(chosen.type, tensor.cols)) return chosen;
  const bool eight_bits = divides(BlockType::q8_0, tensor.cols);
  return {eight_bits ? BlockType::q8_0 : tensor.type,
          chosen.fit == Fit::finer && eight_bits ? Fit::finer : Fit::fallen_back};
}

EncodedAs loaded_as(const Checkpoint& checkpoint, const Tensor& tensor, std::optional<BlockType> wanted) {
  // Panels have an FP8 row's scales for so many columns; others' weights are kept as what they stand for.
  const bool as_floats = tensor.scales.block_cols % kF8Block != 0;
  const BlockType own = as_floats ? BlockType::f32 : tensor.type;
  if (!wanted || !is_float(tensor.type)) return {own, Fit::kept};
  const EncodedAs chosen = encoded_as(checkpoint, tensor, *wanted);
  return {chosen.type == tensor.type ? own : chosen.type, chosen.fit};
}

uint64_t loaded_bytes(const Checkpoint& checkpoint, std::optional<BlockType> wanted) {
  uint64_t bytes = 0;
  for (const Tensor& tensor : checkpoint.tensors())
    bytes += bytes_as(tensor, loaded_as(checkpoint, tensor, wanted).type);
  return bytes;
}

uint64_t bytes_as(const Tensor& tensor, BlockType type) {
  const BlockTypeInfo& block = info(type);
  return static_cast<uint64_t>(tensor.depth * tensor.rows * (tensor.cols / block.values) * block.bytes);
}

}  // namespace baleen
