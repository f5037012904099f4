#include "kernels/block/integers.h"

#include "base/check.h"
#include "kernels/block/block_bytes.h"

namespace baleen {
namespace {

/// Blocks of 32: the low nibbles of 16 bytes are values 0..15, the high ones 16..31.
void read_nibbles_32(const std::byte* bytes, uint8_t* codes) {
  for (int i = 0; i < 16; ++i) {
    const auto pair = std::to_integer<uint8_t>(bytes[i]);
    codes[i] = pair & 15;
    codes[i + 16] = pair >> 4;
  }
}

/// K formats: of every 64 values, the low nibbles of 32 bytes are the first half, the high ones the second.
void read_nibbles_64(const std::byte* bytes, uint8_t* codes) {
  for (int chunk = 0; chunk < 4; ++chunk) {
    for (int i = 0; i < 32; ++i) {
      const auto pair = std::to_integer<uint8_t>(bytes[chunk * 32 + i]);
      codes[chunk * 64 + i] = pair & 15;
      codes[chunk * 64 + 32 + i] = pair >> 4;
    }
  }
}

void add_fifth_bits_32(uint32_t bits, uint8_t* codes) {
  for (int i = 0; i < 32; ++i) codes[i] = static_cast<uint8_t>(codes[i] | (((bits >> i) & 1) << 4));
}

/// Eight 6-bit scales and eight 6-bit minima in 12 bytes.
void read_sub_scales(const std::byte* bytes, BlockIntegers& out) {
  for (int j = 0; j < 4; ++j) {
    const uint32_t a = byte_at(bytes, j), b = byte_at(bytes, j + 4), c = byte_at(bytes, j + 8);
    out.sub_scales[j] = static_cast<uint8_t>(a & 63);
    out.sub_mins[j] = static_cast<uint8_t>(b & 63);
    out.sub_scales[j + 4] = static_cast<uint8_t>((c & 15) | (a >> 6 << 4));
    out.sub_mins[j + 4] = static_cast<uint8_t>((c >> 4) | (b >> 6 << 4));
  }
}

void read_q5_k_codes(const std::byte* fifth_bits, const std::byte* nibbles, uint8_t* codes) {
  read_nibbles_64(nibbles, codes);
  for (int j = 0; j < 8; ++j)
    for (int i = 0; i < 32; ++i) {
      const auto bits = std::to_integer<uint32_t>(fifth_bits[i]);
      codes[j * 32 + i] = static_cast<uint8_t>(codes[j * 32 + i] | (((bits >> j) & 1) << 4));
    }
}

/// Of every 128 values: 64 bytes of nibbles, 32 bytes of bits 4 and 5.
void read_q6_k_codes(const std::byte* nibbles, const std::byte* bits, uint8_t* codes) {
  for (int half = 0; half < 2; ++half, nibbles += 64, bits += 32, codes += 128) {
    for (int i = 0; i < 32; ++i) {
      const auto a = std::to_integer<uint8_t>(nibbles[i]), b = std::to_integer<uint8_t>(nibbles[i + 32]);
      const auto high = std::to_integer<uint8_t>(bits[i]);
      codes[i] = static_cast<uint8_t>((a & 15) | ((high & 3) << 4));
      codes[i + 32] = static_cast<uint8_t>((b & 15) | ((high & 12) << 2));
      codes[i + 64] = static_cast<uint8_t>((a >> 4) | (high & 48));
      codes[i + 96] = static_cast<uint8_t>((b >> 4) | ((high & 192) >> 2));
    }
  }
}

}  // namespace

void read_integers(BlockType type, const std::byte* block, BlockIntegers& out) {
  out.d = field<uint16_t>(block, type == BlockType::q6_k ? 208 : 0);
  out.m = 0;
  switch (type) {
    case BlockType::q4_0:
      return read_nibbles_32(block + 2, out.codes);
    case BlockType::q4_1:
      out.m = field<uint16_t>(block, 2);
      return read_nibbles_32(block + 4, out.codes);
    case BlockType::q5_0:
      read_nibbles_32(block + 6, out.codes);
      return add_fifth_bits_32(field<uint32_t>(block, 2), out.codes);
    case BlockType::q5_1:
      out.m = field<uint16_t>(block, 2);
      read_nibbles_32(block + 8, out.codes);
      return add_fifth_bits_32(field<uint32_t>(block, 4), out.codes);
    case BlockType::q8_0:
      std::memcpy(out.codes, block + 2, 32);
      return;
    case BlockType::q4_k:
      out.m = field<uint16_t>(block, 2);
      read_sub_scales(block + 4, out);
      return read_nibbles_64(block + 16, out.codes);
    case BlockType::q5_k:
      out.m = field<uint16_t>(block, 2);
      read_sub_scales(block + 4, out);
      return read_q5_k_codes(block + 16, block + 48, out.codes);
    case BlockType::q6_k:
      std::memcpy(out.sub_scales, block + 192, 16);
      return read_q6_k_codes(block, block + 128, out.codes);
    default:
      CHECK(false);
  }
}

void to_floats(BlockType type, const BlockIntegers& block, float* out) {
  const float d = half_to_float(block.d), m = half_to_float(block.m);
  switch (type) {
    case BlockType::q4_0:
      for (int k = 0; k < 32; ++k) out[k] = d * static_cast<float>(block.codes[k] - 8);
      return;
    case BlockType::q5_0:
      for (int k = 0; k < 32; ++k) out[k] = d * static_cast<float>(block.codes[k] - 16);
      return;
    case BlockType::q8_0:
      for (int k = 0; k < 32; ++k) out[k] = d * static_cast<float>(static_cast<int8_t>(block.codes[k]));
      return;
    case BlockType::q4_1:
    case BlockType::q5_1:
      for (int k = 0; k < 32; ++k) out[k] = d * static_cast<float>(block.codes[k]) + m;
      return;
    case BlockType::q4_k:
    case BlockType::q5_k:
      for (int k = 0; k < 256; ++k)
        out[k] = d * static_cast<float>(block.sub_scales[k / 32]) * static_cast<float>(block.codes[k]) -
                 m * static_cast<float>(block.sub_mins[k / 32]);
      return;
    case BlockType::q6_k:
      for (int k = 0; k < 256; ++k)
        out[k] = d * static_cast<float>(static_cast<int8_t>(block.sub_scales[k / 16])) *
                 static_cast<float>(block.codes[k] - 32);
      return;
    default:
      CHECK(false);
  }
}

}  // namespace baleen
