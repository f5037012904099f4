#include "kernels/block/small_numbers.h"

#include <cmath>

#include "base/check.h"
#include "kernels/block/block_bytes.h"
#include "kernels/block/group_scales.h"
#include "kernels/block/unpack.h"

namespace baleen {
namespace {

float scale(BlockType type, const std::byte* block, int group) {
  switch (type) {
    case BlockType::iq1_s:
      return iq1_s_scale(block, group) * 0.125f;  // values are multiples of an eighth
    case BlockType::iq2_xxs:
      return iq2_xxs_scale(block, group);
    case BlockType::iq3_xxs:
      return iq3_xxs_scale(block, group);
    case BlockType::iq3_s:
      return iq3_s_scale(block, group);
    case BlockType::iq4_nl:
      return half_at(block, 0);
    case BlockType::iq4_xs:
      return iq4_xs_scale(block, group);
    case BlockType::mxfp4:
      return mxfp4_scale(block);
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
