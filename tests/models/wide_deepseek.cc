#include "wide_deepseek.h"

#include <random>

#include "base/block_type.h"

namespace baleen::test {
namespace {

constexpr DeepseekSizes kSizes = {.dim = 256,
                                  .ffn = 512,
                                  .vocab = 320,
                                  .heads = 2,
                                  .q_rank = 256,
                                  .kv_rank = 256,
                                  .nope = 256,
                                  .rope = 32,
                                  .experts = 6,
                                  .expert_ffn = 256};

/// Half floats of 2^-11 and 2^-14 and some more: with codes and sub-scales of any value, a weight is about 0.1.
constexpr uint32_t kQ4Scale = 0x1000, kQ4Minimum = 0x1B00, kQ6Scale = 0x0400;

BlockType type_of(const TinyTensor& tensor) {
  if (tensor.dimensions.size() == 1 || tensor.name.ends_with("ffn_gate_inp.weight")) return BlockType::f32;
  return tensor.name.contains("ffn_down") || tensor.name == "output.weight" ? BlockType::q6_k
                                                                            : BlockType::q4_k;
}

std::string random_floats(uint64_t bytes, float mean, std::mt19937& random) {
  std::string data;
  std::normal_distribution<float> normal(mean, 0.1F);
  while (data.size() < bytes) data += raw(normal(random));
  return data;
}

std::string random_blocks(BlockType type, uint64_t bytes, std::mt19937& random) {
  std::string data;
  while (data.size() < bytes) data.push_back(static_cast<char>(random()));
  const auto put = [&](uint64_t at, uint32_t half) {
    data.replace(at, 2, raw(static_cast<uint16_t>(half | random() % 256)));
  };
  const auto block = static_cast<uint64_t>(info(type).bytes);
  for (uint64_t at = 0; at < bytes; at += block) {
    if (type == BlockType::q6_k) put(at + block - 2, kQ6Scale);
    if (type == BlockType::q4_k) put(at, kQ4Scale), put(at + 2, kQ4Minimum);
  }
  return data;
}

}  // namespace

std::filesystem::path write_wide_deepseek(const TemporaryFolder& folder) {
  TinyGguf file = TinyGguf::deepseek2_of(kSizes);
  std::mt19937 random(1);
  for (TinyTensor& tensor : file.tensors) {
    const BlockType type = type_of(tensor);
    tensor.type = static_cast<uint32_t>(type);
    tensor.data = type == BlockType::f32 ? random_floats(tensor.bytes(), tensor.name.contains("norm"), random)
                                         : random_blocks(type, tensor.bytes(), random);
  }
  return folder.write("wide-deepseek.gguf", file.to_bytes());
}

}  // namespace baleen::test
