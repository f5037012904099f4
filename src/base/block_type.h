// Block types of tensors: how many values a block stands for and how many bytes it takes.
// Numbers and sizes: GGUF specification and ggml's type list; safetensors' types are mapped to the same
// names.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace baleen {

/// The values are GGUF's type ids; those beyond GGUF's list start at 1000.
enum class BlockType : uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q8_1 = 9,
  q2_k = 10,
  q3_k = 11,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  q8_k = 15,
  iq2_xxs = 16,
  iq2_xs = 17,
  iq3_xxs = 18,
  iq1_s = 19,
  iq4_nl = 20,
  iq3_s = 21,
  iq2_s = 22,
  iq4_xs = 23,
  i8 = 24,
  i16 = 25,
  i32 = 26,
  i64 = 27,
  f64 = 28,
  iq1_m = 29,
  bf16 = 30,
  tq1_0 = 34,
  tq2_0 = 35,
  mxfp4 = 39,
  nvfp4 = 40,
  f8_e4m3 = 1000,
  f8_e8m0 = 1001,  ///< a power of two: scales only
};

struct BlockTypeInfo {
  BlockType type;
  std::string_view name;  ///< lower case, as on the command line: "q4_0"
  int values;             ///< values in one block
  int bytes;              ///< bytes of one block
};

/// Nothing for a number that is no known type (retired ids included).
std::optional<BlockTypeInfo> find_block_type(uint32_t id);
std::optional<BlockTypeInfo> find_block_type(std::string_view name);
/// For a type that has been validated.
const BlockTypeInfo& info(BlockType type);

}  // namespace baleen
