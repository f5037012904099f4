// The types of 32 values: one f16 scale, with Q4_1 and Q5_1 an f16 minimum.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/block/block_bytes.h"
#include "kernels/block/encode.h"
#include "kernels/block/encode_blocks.h"
#include "kernels/block/scale_search.h"

namespace baleen {
namespace {

constexpr int kValues = 32;

/// Stores a scale as f16 and returns it as the reader will see it.
float put_half(std::byte* at, float value) {
  const uint16_t half = float_to_half(value);
  std::memcpy(at, &half, sizeof(half));
  return half_to_float(half);
}

/// Low four bits: value i in the low half of byte i, value i + 16 in the high half.
void put_nibbles(std::byte* at, const int* codes) {
  for (int i = 0; i < kValues / 2; ++i)
    at[i] = static_cast<std::byte>((codes[i] & 15) | ((codes[i + kValues / 2] & 15) << 4));
}

void put_fifth_bits(std::byte* at, const int* codes) {
  uint32_t bits = 0;
  for (int i = 0; i < kValues; ++i) bits |= ((static_cast<uint32_t>(codes[i]) >> 4) & 1u) << i;
  std::memcpy(at, &bits, sizeof(bits));
}

/// Codes around zero, shifted to 0 .. 2 * steps + 1.
void symmetric_codes(const float* values, int steps, std::byte* scale_at, int* codes) {
  const float scale = put_half(scale_at, best_symmetric(values, kValues, steps));
  for (int i = 0; i < kValues; ++i) codes[i] = code_of(values[i], scale, -steps - 1, steps) + steps + 1;
}

void affine_codes(const float* values, int steps, std::byte* block, int* codes) {
  const AffineScale found = best_affine(values, kValues, steps, INFINITY);
  const float scale = put_half(block, found.scale), offset = put_half(block + 2, found.offset);
  for (int i = 0; i < kValues; ++i) codes[i] = code_of(values[i] - offset, scale, 0, steps);
}

}  // namespace

void encode_q8_0(const float* values, std::byte* block) {
  float largest = 0;
  for (int i = 0; i < kValues; ++i) largest = std::max(largest, std::abs(values[i]));
  const float scale = put_half(block, largest / 127);
  for (int i = 0; i < kValues; ++i)
    block[2 + i] = static_cast<std::byte>(code_of(values[i], scale, -127, 127));
}

void encode_q4_0(const float* values, std::byte* block) {
  int codes[kValues];
  symmetric_codes(values, 7, block, codes);
  put_nibbles(block + 2, codes);
}

void encode_q5_0(const float* values, std::byte* block) {
  int codes[kValues];
  symmetric_codes(values, 15, block, codes);
  put_fifth_bits(block + 2, codes);
  put_nibbles(block + 6, codes);
}

void encode_q4_1(const float* values, std::byte* block) {
  int codes[kValues];
  affine_codes(values, 15, block, codes);
  put_nibbles(block + 4, codes);
}

void encode_q5_1(const float* values, std::byte* block) {
  int codes[kValues];
  affine_codes(values, 31, block, codes);
  put_fifth_bits(block + 4, codes);
  put_nibbles(block + 8, codes);
}

}  // namespace baleen
