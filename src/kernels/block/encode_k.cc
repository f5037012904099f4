// The K types: 256 values under f16 super-scales of integer sub-scales.
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

constexpr int kValues = 256;

float put_half(std::byte* at, float value) {
  const uint16_t half = float_to_half(value);
  std::memcpy(at, &half, sizeof(half));
  return half_to_float(half);
}

/// Eight 6-bit scales and minima in 12 bytes: scale j and min j in bytes j and j + 4 for j < 4; of the others
/// the low four bits in byte j + 4 and the top two bits above those of byte j - 4 and j.
void put_six_bit_pairs(const int* scales, const int* minima, std::byte* out) {
  int bytes[12] = {};
  for (int j = 0; j < 4; ++j) {
    bytes[j] = scales[j] | ((scales[j + 4] >> 4) << 6);
    bytes[j + 4] = minima[j] | ((minima[j + 4] >> 4) << 6);
    bytes[j + 8] = (scales[j + 4] & 15) | ((minima[j + 4] & 15) << 4);
  }
  for (int i = 0; i < 12; ++i) out[i] = static_cast<std::byte>(bytes[i]);
}

/// Q4_K and Q5_K: sub-blocks of 32 as scale * code - min. Writes d, dmin and the sub-scales; returns the
/// codes.
void affine_codes(const float* values, int steps, std::byte* block, int* codes) {
  AffineScale found[8];
  float largest_scale = 0, largest_min = 0;
  for (int j = 0; j < 8; ++j) {
    found[j] = best_affine(values + 32 * j, 32, steps, 0);
    largest_scale = std::max(largest_scale, found[j].scale);
    largest_min = std::max(largest_min, -found[j].offset);
  }
  const float d = put_half(block, largest_scale / 63), dmin = put_half(block + 2, largest_min / 63);
  int scales[8], minima[8];
  for (int j = 0; j < 8; ++j) {
    scales[j] = code_of(found[j].scale, d, 0, 63);
    minima[j] = code_of(-found[j].offset, dmin, 0, 63);
    const float scale = d * static_cast<float>(scales[j]), min = dmin * static_cast<float>(minima[j]);
    for (int i = 32 * j; i < 32 * j + 32; ++i) codes[i] = code_of(values[i] + min, scale, 0, steps);
  }
  put_six_bit_pairs(scales, minima, block + 4);
}

/// Pairs of sub-blocks share bytes: the first's codes in the low halves, the second's in the high ones.
void put_nibbles(const int* codes, std::byte* out) {
  for (int pair = 0; pair < 4; ++pair)
    for (int i = 0; i < 32; ++i) {
      const int low = codes[64 * pair + i] & 15, high = codes[64 * pair + 32 + i] & 15;
      out[32 * pair + i] = static_cast<std::byte>(low | (high << 4));
    }
}

}  // namespace

void encode_q4_k(const float* values, std::byte* block) {
  int codes[kValues];
  affine_codes(values, 15, block, codes);
  put_nibbles(codes, block + 16);
}

void encode_q5_k(const float* values, std::byte* block) {
  int codes[kValues];
  affine_codes(values, 31, block, codes);
  for (int i = 0; i < 32; ++i) {
    int fifth_bits = 0;
    for (int j = 0; j < 8; ++j) fifth_bits |= ((codes[32 * j + i] >> 4) & 1) << j;
    block[16 + i] = static_cast<std::byte>(fifth_bits);
  }
  put_nibbles(codes, block + 48);
}

// 128 bytes of low nibbles, 64 of top bit pairs, 16 signed scales for 16 values each, d.
void encode_q6_k(const float* values, std::byte* block) {
  float found[16], largest = 0;
  for (int j = 0; j < 16; ++j) {
    found[j] = best_symmetric(values + 16 * j, 16, 31);
    if (std::abs(found[j]) > std::abs(largest)) largest = found[j];
  }
  const float d = put_half(block + 208, -largest / 128);
  int codes[kValues];
  for (int j = 0; j < 16; ++j) {
    const int scale = code_of(found[j], d, -128, 127);
    block[192 + j] = static_cast<std::byte>(scale);
    for (int i = 16 * j; i < 16 * j + 16; ++i)
      codes[i] = code_of(values[i], d * static_cast<float>(scale), -32, 31) + 32;
  }
  for (int half = 0; half < 2; ++half)
    for (int i = 0; i < 32; ++i) {
      const int* c = codes + 128 * half + i;
      block[64 * half + i] = static_cast<std::byte>((c[0] & 15) | ((c[64] & 15) << 4));
      block[64 * half + 32 + i] = static_cast<std::byte>((c[32] & 15) | ((c[96] & 15) << 4));
      const int top = (c[0] >> 4) | ((c[32] >> 4) << 2) | ((c[64] >> 4) << 4) | ((c[96] >> 4) << 6);
      block[128 + 32 * half + i] = static_cast<std::byte>(top);
    }
}

}  // namespace baleen
