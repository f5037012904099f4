#include "kernels/block/unpack_iq.h"

#include <bit>
#include <cstdint>

#include "kernels/block/block_bytes.h"
#include "kernels/block/group_scales.h"
#include "kernels/block/iq_grids.h"

namespace baleen {
namespace {

constexpr float kIq2Values[4] = {8, 25, 43, 0};
constexpr float kIq3XxsValues[8] = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr float kIq3SValues[8] = {1, 3, 5, 7, 9, 11, 13, 15};
constexpr float kIq1Delta = 0.125f;  // what IQ1 adds to or takes from every value of a group

/// Seven sign bits stand for eight: the last makes the number of minus signs even.
uint32_t even_signs(uint32_t seven_bits) {
  return seven_bits | (static_cast<uint32_t>(std::popcount(seven_bits) & 1) << 7);
}

void write_eight(float scale, uint32_t code, uint32_t signs, float* out) {
  for (int i = 0; i < 8; ++i) {
    const float value = scale * kIq2Values[(code >> (2 * i)) & 3];
    out[i] = (signs >> i) & 1 ? -value : value;
  }
}

void write_four(float scale, uint32_t code, const float* values, uint32_t signs, float* out) {
  for (int i = 0; i < 4; ++i) {
    const float value = scale * values[(code >> (3 * i)) & 7];
    out[i] = (signs >> i) & 1 ? -value : value;
  }
}

void write_iq1(float scale, uint32_t code, float delta, float* out) {
  for (int i = 0; i < 8; ++i) {
    const int value = static_cast<int>((code >> (2 * i)) & 3) - 1;
    out[i] = scale * (static_cast<float>(value) + delta);
  }
}

}  // namespace

// d f16; then per 32 values: four grid bytes, and a word of four 7-bit sign codes under a 4-bit scale.
void unpack_iq2_xxs(const std::byte* block, float* out) {
  for (int group = 0; group < 8; ++group) {
    const int at = 2 + 8 * group;
    const auto word = field<uint32_t>(block, at + 4);
    const float scale = iq2_xxs_scale(block, group);
    for (int i = 0; i < 4; ++i) {
      const uint32_t signs = even_signs((word >> (7 * i)) & 0x7F);
      write_eight(scale, kIq2XxsGrid[byte_at(block, at + i)], signs, out + 32 * group + 8 * i);
    }
  }
}

// d f16, 32 words of 9 grid bits under 7 sign bits, 8 bytes of two 4-bit scales for 16 values each.
void unpack_iq2_xs(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  for (int i = 0; i < 32; ++i) {
    const auto word = field<uint16_t>(block, 2 + 2 * i);
    const uint32_t scale = (byte_at(block, 66 + i / 4) >> (4 * ((i / 2) & 1))) & 15;
    write_eight(iq2_scale(d, scale), kIq2XsGrid[word & 511], even_signs(word >> 9u), out + 8 * i);
  }
}

// d f16, 32 low grid bytes, 32 sign bytes, 8 bytes of 2-bit high grid parts, 8 bytes of two 4-bit scales.
void unpack_iq2_s(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  for (int i = 0; i < 32; ++i) {
    const uint32_t high = (byte_at(block, 66 + i / 4) >> (2 * (i % 4))) & 3;
    const uint32_t scale = (byte_at(block, 74 + i / 4) >> (4 * ((i / 2) & 1))) & 15;
    const uint32_t code = kIq2SGrid[byte_at(block, 2 + i) | (high << 8)];
    write_eight(iq2_scale(d, scale), code, byte_at(block, 34 + i), out + 8 * i);
  }
}

// d f16, 64 grid bytes for four values each, 8 words of four 7-bit sign codes under a 4-bit scale.
void unpack_iq3_xxs(const std::byte* block, float* out) {
  for (int group = 0; group < 8; ++group) {
    const auto word = field<uint32_t>(block, 66 + 4 * group);
    const float scale = iq3_xxs_scale(block, group);
    for (int i = 0; i < 8; ++i) {
      const uint32_t signs = even_signs((word >> (7 * (i / 2))) & 0x7F) >> (4 * (i % 2));
      const uint32_t code = kIq3XxsGrid[byte_at(block, 2 + 8 * group + i)];
      write_four(scale, code, kIq3XxsValues, signs, out + 32 * group + 4 * i);
    }
  }
}

// d f16, 64 low grid bytes, 8 bytes of ninth bits, 32 sign bytes, 4 bytes of two 4-bit scales for 32 values
// each.
void unpack_iq3_s(const std::byte* block, float* out) {
  for (int i = 0; i < 64; ++i) {
    const uint32_t high = (byte_at(block, 66 + i / 8) >> (i % 8)) & 1;
    const uint32_t signs = byte_at(block, 74 + i / 2) >> (4 * (i % 2));
    const uint32_t code = kIq3SGrid[byte_at(block, 2 + i) | (high << 8)];
    write_four(iq3_s_scale(block, i / 8), code, kIq3SValues, signs, out + 4 * i);
  }
}

// d f16, 32 low grid bytes, 8 words for 32 values each: four 3-bit high grid parts, a 3-bit scale, the
// delta's sign.
void unpack_iq1_s(const std::byte* block, float* out) {
  for (int i = 0; i < 32; ++i) {
    const uint32_t word = field<uint16_t>(block, 34 + 2 * (i / 4));
    const uint32_t high = (word >> (3 * (i % 4))) & 7;
    const float scale = iq1_s_scale(block, i / 4);
    const float delta = word & 0x8000 ? -kIq1Delta : kIq1Delta;
    write_iq1(scale, kIq1Grid[byte_at(block, i + 2) | (high << 8)], delta, out + 8 * i);
  }
}

// 32 low grid bytes, 16 bytes of two (3-bit high grid part, delta's sign), 4 words of four 3-bit scales for
// 16 values each; the top four bits of the words are the f16 d.
void unpack_iq1_m(const std::byte* block, float* out) {
  uint32_t half = 0;
  for (int i = 0; i < 4; ++i) half |= (field<uint16_t>(block, 48 + 2 * i) & 0xF000u) >> (12 - 4 * i);
  const float d = half_to_float(static_cast<uint16_t>(half));
  for (int i = 0; i < 32; ++i) {
    const uint32_t high = byte_at(block, 32 + i / 2) >> (4 * (i % 2));
    const uint32_t scales = field<uint16_t>(block, 48 + 2 * (i / 8));
    const float scale = d * static_cast<float>(2 * ((scales >> (3 * ((i / 2) % 4))) & 7) + 1);
    const float delta = high & 8 ? -kIq1Delta : kIq1Delta;
    write_iq1(scale, kIq1Grid[byte_at(block, i) | ((high & 7) << 8)], delta, out + 8 * i);
  }
}

}  // namespace baleen
