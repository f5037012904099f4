#include "kernels/block/f8.h"

#include <bit>
#include <limits>

namespace baleen {

float f8_e4m3(uint8_t code) {
  const uint32_t sign = (code & 0x80u) << 24, exponent = (code >> 3) & 15u, fraction = code & 7u;
  if ((code & 0x7F) == 0x7F) return std::numeric_limits<float>::quiet_NaN();
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 120) << 23) | (fraction << 20));
  const float magnitude = static_cast<float>(fraction) * 0x1p-9f;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
}

float f8_e8m0(uint8_t code) {
  if (code == 255) return std::numeric_limits<float>::quiet_NaN();
  return std::bit_cast<float>(code == 0 ? 0x00400000u : uint32_t{code} << 23);
}

}  // namespace baleen
