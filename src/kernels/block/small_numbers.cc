#include "kernels/block/small_numbers.h"

#include <bit>
#include <cmath>

#include "base/check.h"
#include "kernels/block/block_bytes.h"
#include "kernels/block/unpack.h"

namespace baleen {
namespace {

float scale_iq2_xxs(const std::byte* block, int group) {
  const uint32_t four_bits = field<uint32_t>(block, 2 + 8 * group + 4) >> 28;
  return half_at(block, 0) * (0.5f + static_cast<float>(four_bits)) * 0.25f;
}

float scale_iq3_xxs(const std::byte* block, int group) {
  const uint32_t four_bits = field<uint32_t>(block, 66 + 4 * group) >> 28;
  return half_at(block, 0) * (0.5f + static_cast<float>(four_bits)) * 0.5f;
}

float scale_iq3_s(const std::byte* block, int group) {
  const uint32_t four_bits = (byte_at(block, 106 + group / 2) >> (4 * (group % 2))) & 15;
  return half_at(block, 0) * static_cast<float>(1 + 2 * four_bits);
}

/// Values are multiples of an eighth.
float scale_iq1_s(const std::byte* block, int group) {
  const uint32_t three_bits = (field<uint16_t>(block, 34 + 2 * group) >> 12) & 7u;
  return half_at(block, 0) * static_cast<float>(2 * three_bits + 1) * 0.125f;
}

float scale_iq4_xs(const std::byte* block, int group) {
  const uint32_t low = (byte_at(block, 4 + group / 2) >> (4 * (group % 2))) & 15;
  const uint32_t high = (uint32_t{field<uint16_t>(block, 2)} >> (2 * group)) & 3;
  return half_at(block, 0) * static_cast<float>(static_cast<int>(low | (high << 4)) - 32);
}

/// Half of 2^(exponent - 127): the codes are doubled.
float scale_mxfp4(const std::byte* block) {
  const uint32_t exponent = byte_at(block, 0);
  return std::bit_cast<float>(exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23);
}

float scale(BlockType type, const std::byte* block, int group) {
  switch (type) {
    case BlockType::iq1_s:
      return scale_iq1_s(block, group);
    case BlockType::iq2_xxs:
      return scale_iq2_xxs(block, group);
    case BlockType::iq3_xxs:
      return scale_iq3_xxs(block, group);
    case BlockType::iq3_s:
      return scale_iq3_s(block, group);
    case BlockType::iq4_nl:
      return half_at(block, 0);
    case BlockType::iq4_xs:
      return scale_iq4_xs(block, group);
    case BlockType::mxfp4:
      return scale_mxfp4(block);
    case BlockType::tq1_0:
      return half_at(block, 52);
    case BlockType::tq2_0:
      return half_at(block, 64);
    default:
      break;
  }
  CHECK(false);
  __builtin_unreachable();
}

}  // namespace

void read_small_numbers(BlockType type, const std::byte* block, SmallNumbers* out) {
  const int count = info(type).values;
  float values[256];
  unpack(type, block, count, values);
  for (int group = 0; group < count / 32; ++group) {
    out[group].scale = scale(type, block, group);
    // A value is the scale times its code, rounded once, so that the quotient is within half a unit of the code.
    // A scale of zero or infinity leaves the sign.
    for (int k = 0; k < 32; ++k) {
      const float value = values[32 * group + k], code = value / out[group].scale;
      const bool negative = std::signbit(value) != std::signbit(out[group].scale);
      const long sign = negative ? -1 : 1;
      out[group].codes[k] = static_cast<int8_t>(std::isfinite(code) ? std::lrint(code) : sign);
    }
  }
}

}  // namespace baleen
