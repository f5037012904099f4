// Weights and activations for the tests of the kernels.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/block_type.h"
#include "kernels/block/block_bytes.h"

namespace baleen::testing {

/// Every type with kernels of its own, and one that is unpacked panel by panel.
inline constexpr BlockType kTypes[] = {
    BlockType::f32,  BlockType::f16,    BlockType::bf16,    BlockType::q4_0,  BlockType::q4_1,
    BlockType::q5_0, BlockType::q5_1,   BlockType::q8_0,    BlockType::q4_k,  BlockType::q5_k,
    BlockType::q6_k, BlockType::iq4_xs, BlockType::iq2_xxs, BlockType::iq2_xs};

/// Random codes; every scale a half float of magnitude 2^-6 .. 2.
inline std::vector<std::byte> random_blocks(BlockType type, int64_t values, std::mt19937& random) {
  const BlockTypeInfo& block = info(type);
  std::vector<std::byte> data(static_cast<size_t>(values / block.values * block.bytes));
  for (std::byte& each : data) each = static_cast<std::byte>(random());
  const auto half = [&] { return static_cast<uint16_t>((random() & 0x83FF) | ((9 + random() % 7) << 10)); };
  const auto put = [&](size_t at, uint16_t value) { std::memcpy(data.data() + at, &value, 2); };
  const bool has_minima = type == BlockType::q4_1 || type == BlockType::q5_1 || type == BlockType::q4_k ||
                          type == BlockType::q5_k;
  for (size_t at = 0; at < data.size(); at += static_cast<size_t>(block.bytes)) {
    if (type == BlockType::f32) {
      const float value = half_to_float(half());
      std::memcpy(data.data() + at, &value, 4);
      continue;
    }
    put(at + (type == BlockType::q6_k ? 208 : 0),
        type == BlockType::bf16 ? static_cast<uint16_t>((half() & 0x81FF) | 0x3E00) : half());
    if (has_minima) put(at + 2, half());
  }
  return data;
}

/// Normal values, with a large one here and there as real activations have them.
inline std::vector<float> random_rows(int64_t count, std::mt19937& random) {
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> rows(static_cast<size_t>(count));
  for (float& each : rows) each = normal(random) * (random() % 61 == 0 ? 40.0f : 1.0f);
  return rows;
}

}  // namespace baleen::testing
