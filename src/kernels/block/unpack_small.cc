#include "kernels/block/unpack_small.h"

#include <bit>
#include <cstdint>

#include "kernels/block/block_bytes.h"
#include "kernels/block/group_scales.h"

namespace baleen {
namespace {

constexpr float kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
// e2m1, doubled so that they are integers; the scales are halved in return.
constexpr float kFp4Values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// Unsigned e4m3 / 2: bias 7, no sign bit is read; 0x7F means 0.
float half_of_ue4m3(uint32_t code) {
  const uint32_t exponent = (code >> 3) & 15, fraction = code & 7;
  if (code == 0x7F) return 0;
  if (exponent == 0) return static_cast<float>(fraction) * 0x1p-10f;
  return std::bit_cast<float>(((exponent + 127 - 8) << 23) | (fraction << 20));
}

/// 16 bytes of two codes: the low halves are values 0-15, the high ones 16-31.
void write_nibbles(float scale, const std::byte* codes, const float* values, int count, float* out) {
  for (int i = 0; i < count; ++i) {
    out[i] = scale * values[byte_at(codes, i) & 15];
    out[count + i] = scale * values[byte_at(codes, i) >> 4];
  }
}

}  // namespace

// 16 bytes (scale, min) for 16 values each, 64 bytes of 2-bit codes in two halves of four planes, d f16, dmin
// f16.
void unpack_q2_k(const std::byte* block, float* out) {
  const float d = half_at(block, 80), dmin = half_at(block, 82);
  for (int i = 0; i < 256; ++i) {
    const uint32_t scales = byte_at(block, i / 16);
    const uint32_t code = (byte_at(block, 16 + 32 * (i / 128) + i % 32) >> (2 * ((i / 32) % 4))) & 3;
    out[i] = d * static_cast<float>(scales & 15) * static_cast<float>(code) -
             dmin * static_cast<float>(scales >> 4);
  }
}

// 32 bytes of third bits (one plane a bit), 64 bytes of 2-bit codes as in Q2_K, 12 bytes of 16 6-bit scales,
// d f16.
void unpack_q3_k(const std::byte* block, float* out) {
  const float d = half_at(block, 108);
  for (int i = 0; i < 256; ++i) {
    const int group = i / 16;
    const uint32_t low = (byte_at(block, 96 + group % 8) >> (4 * (group / 8))) & 15;
    const uint32_t high = (byte_at(block, 104 + group % 4) >> (2 * (group / 4))) & 3;
    const float scale = d * static_cast<float>(static_cast<int>(low | (high << 4)) - 32);
    const uint32_t code = (byte_at(block, 32 + 32 * (i / 128) + i % 32) >> (2 * ((i / 32) % 4))) & 3;
    const bool third = (byte_at(block, i % 32) >> (i / 32)) & 1;  // set: no offset
    out[i] = scale * static_cast<float>(static_cast<int>(code) - (third ? 0 : 4));
  }
}

void unpack_iq4_nl(const std::byte* block, float* out) {
  write_nibbles(half_at(block, 0), block + 2, kIq4Values, 16, out);
}

// d f16, a word of eight 2-bit high and four bytes of eight 4-bit low scale parts, 128 bytes of codes.
void unpack_iq4_xs(const std::byte* block, float* out) {
  for (int group = 0; group < 8; ++group)
    write_nibbles(iq4_xs_scale(block, group), block + 8 + 16 * group, kIq4Values, 16, out + 32 * group);
}

void unpack_mxfp4(const std::byte* block, float* out) {
  write_nibbles(mxfp4_scale(block), block + 1, kFp4Values, 16, out);
}

// Four ue4m3 scales for 16 values each, then 8 bytes of codes a scale.
void unpack_nvfp4(const std::byte* block, float* out) {
  for (int group = 0; group < 4; ++group) {
    const float scale = half_of_ue4m3(byte_at(block, group));
    write_nibbles(scale, block + 4 + 8 * group, kFp4Values, 8, out + 16 * group);
  }
}

// 32 + 16 bytes of five base-3 digits (160 + 80 values), 4 bytes of four (16 values), d f16. A byte holds the
// digits as the fraction q / 256: multiplying by 3 brings the next digit above the byte.
void unpack_tq1_0(const std::byte* block, float* out) {
  const float d = half_at(block, 52);
  auto write_digits = [&](int first_byte, int bytes, int digits, float* to) {
    for (int i = 0; i < bytes; ++i) {
      uint32_t rest = byte_at(block, first_byte + i);
      for (int digit = 0; digit < digits; ++digit) {
        to[bytes * digit + i] = d * static_cast<float>(static_cast<int>((rest * 3) >> 8) - 1);
        rest = (rest * 3) & 0xFF;
      }
    }
  };
  write_digits(0, 32, 5, out);
  write_digits(32, 16, 5, out + 160);
  write_digits(48, 4, 4, out + 240);
}

// 64 bytes of 2-bit codes in two halves of four planes, d f16.
void unpack_tq2_0(const std::byte* block, float* out) {
  const float d = half_at(block, 64);
  for (int i = 0; i < 256; ++i) {
    const uint32_t code = (byte_at(block, 32 * (i / 128) + i % 32) >> (2 * ((i / 32) % 4))) & 3;
    out[i] = d * static_cast<float>(static_cast<int>(code) - 1);
  }
}

}  // namespace baleen
