#include "base/block_type.h"

#include <array>

#include "base/check.h"

namespace baleen {
namespace {

constexpr auto kTypes = std::to_array<BlockTypeInfo>({
    {BlockType::f32, "f32", 1, 4},
    {BlockType::f16, "f16", 1, 2},
    {BlockType::q4_0, "q4_0", 32, 18},
    {BlockType::q4_1, "q4_1", 32, 20},
    {BlockType::q5_0, "q5_0", 32, 22},
    {BlockType::q5_1, "q5_1", 32, 24},
    {BlockType::q8_0, "q8_0", 32, 34},
    {BlockType::q8_1, "q8_1", 32, 36},
    {BlockType::q2_k, "q2_k", 256, 84},
    {BlockType::q3_k, "q3_k", 256, 110},
    {BlockType::q4_k, "q4_k", 256, 144},
    {BlockType::q5_k, "q5_k", 256, 176},
    {BlockType::q6_k, "q6_k", 256, 210},
    {BlockType::q8_k, "q8_k", 256, 292},
    {BlockType::iq2_xxs, "iq2_xxs", 256, 66},
    {BlockType::iq2_xs, "iq2_xs", 256, 74},
    {BlockType::iq3_xxs, "iq3_xxs", 256, 98},
    {BlockType::iq1_s, "iq1_s", 256, 50},
    {BlockType::iq4_nl, "iq4_nl", 32, 18},
    {BlockType::iq3_s, "iq3_s", 256, 110},
    {BlockType::iq2_s, "iq2_s", 256, 82},
    {BlockType::iq4_xs, "iq4_xs", 256, 136},
    {BlockType::i8, "i8", 1, 1},
    {BlockType::i16, "i16", 1, 2},
    {BlockType::i32, "i32", 1, 4},
    {BlockType::i64, "i64", 1, 8},
    {BlockType::f64, "f64", 1, 8},
    {BlockType::iq1_m, "iq1_m", 256, 56},
    {BlockType::bf16, "bf16", 1, 2},
    {BlockType::tq1_0, "tq1_0", 256, 54},
    {BlockType::tq2_0, "tq2_0", 256, 66},
    {BlockType::mxfp4, "mxfp4", 32, 17},
    {BlockType::nvfp4, "nvfp4", 64, 36},
    {BlockType::f8_e4m3, "f8_e4m3", 1, 1},
    {BlockType::f8_e8m0, "f8_e8m0", 1, 1},
});

}  // namespace

std::optional<BlockTypeInfo> find_block_type(uint32_t id) {
  for (const BlockTypeInfo& each : kTypes)
    if (static_cast<uint32_t>(each.type) == id) return each;
  return std::nullopt;
}

std::optional<BlockTypeInfo> find_block_type(std::string_view name) {
  for (const BlockTypeInfo& each : kTypes)
    if (each.name == name) return each;
  return std::nullopt;
}

const BlockTypeInfo& info(BlockType type) {
  for (const BlockTypeInfo& each : kTypes)
    if (each.type == type) return each;
  CHECK(false);
  __builtin_unreachable();
}

}  // namespace baleen
