#include "kernels/block/encode.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "kernels/block/encode_blocks.h"

namespace baleen {
namespace {

using EncodeBlock = void (*)(const float* values, std::byte* block);

void encode_f32(const float* values, std::byte* out) { std::memcpy(out, values, sizeof(float)); }

void encode_f16(const float* values, std::byte* out) {
  const uint16_t half = float_to_half(*values);
  std::memcpy(out, &half, sizeof(half));
}

void encode_bf16(const float* values, std::byte* out) {
  const auto bits = std::bit_cast<uint32_t>(*values);
  const bool nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
  const uint32_t rounded = nan ? bits | 0x00400000u : bits + 0x7FFFu + ((bits >> 16) & 1u);
  const auto top = static_cast<uint16_t>(rounded >> 16);
  std::memcpy(out, &top, sizeof(top));
}

EncodeBlock encoder(BlockType type) {
  switch (type) {
    case BlockType::f32:
      return encode_f32;
    case BlockType::f16:
      return encode_f16;
    case BlockType::bf16:
      return encode_bf16;
    case BlockType::q8_0:
      return encode_q8_0;
    case BlockType::q4_0:
      return encode_q4_0;
    case BlockType::q4_1:
      return encode_q4_1;
    case BlockType::q5_0:
      return encode_q5_0;
    case BlockType::q5_1:
      return encode_q5_1;
    case BlockType::q4_k:
      return encode_q4_k;
    case BlockType::q5_k:
      return encode_q5_k;
    case BlockType::q6_k:
      return encode_q6_k;
    default:
      return nullptr;
  }
}

}  // namespace

uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  uint32_t half;
  if (magnitude > 0x7F800000u) {
    half = 0x7E00u | ((magnitude >> 13) & 0x3FFu);  // NaN stays one
  } else if (magnitude >= 0x477FF000u) {            // 65520 and more round to infinity
    half = 0x7C00u;
  } else if (magnitude <
             0x38800000u) {  // below 2^-14: subnormal; adding 0.5 leaves the bits rounded at 2^-24
    half = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3F000000u;
  } else {
    half = (magnitude - 0x38000000u + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

bool can_encode(BlockType type) { return encoder(type) != nullptr; }

void encode(BlockType type, const float* values, int64_t count, std::byte* out) {
  const EncodeBlock encode_block = encoder(type);
  const BlockTypeInfo& block = info(type);
  CHECK(encode_block != nullptr && count % block.values == 0);
  for (int64_t i = 0; i < count / block.values; ++i)
    encode_block(values + i * block.values, out + i * block.bytes);
}

}  // namespace baleen
