#include "kernels/panel.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/block/block_bytes.h"
#include "kernels/block/integers.h"
#include "kernels/block/small_numbers.h"
#include "kernels/block/unpack.h"
#include "kernels/panel_layout.h"

namespace baleen {
namespace {

bool is_float(BlockType type) {
  return type == BlockType::f32 || type == BlockType::f16 || type == BlockType::bf16;
}

bool has_fifth_bits(BlockType type) {
  return type == BlockType::q5_0 || type == BlockType::q5_1 || type == BlockType::q5_k;
}

/// Where the parts of a block of 16 rows lie.
struct PanelBlock {
  PanelBlock(BlockType type, int64_t index)
      : layout(panel_layout(type)),
        slabs(layout.values / kSlab),
        codes(index * layout.record_bytes),
        more_bits(codes + slabs * kNibbleSlabBytes),
        sub_scales(codes + layout.sub_scales),
        scales(codes + layout.code_bytes) {}

  PanelLayout layout;
  int slabs;
  int64_t codes, more_bits, sub_scales, scales;
};

uint32_t four_codes(const uint8_t* codes) {
  uint32_t four;
  std::memcpy(&four, codes, 4);
  return four;
}

void or_bytes(std::byte* to, uint32_t four) {
  const uint32_t value = field<uint32_t>(to, 0) | four;
  std::memcpy(to, &value, 4);
}

/// Row r of a slab of codes below 64; `more_bits` is where bits above the nibble go.
void write_nibbles(const uint8_t* codes, int r, std::byte* slab) {
  for (int pair = 0; pair < 4; ++pair) {
    const uint32_t low = four_codes(codes + pair * 8), high = four_codes(codes + pair * 8 + 4);
    const uint32_t four = (low & 0x0F0F0F0Fu) | ((high & 0x0F0F0F0Fu) << 4);
    std::memcpy(slab + pair * 64 + r * 4, &four, 4);
  }
}

void write_fifth_bits(const uint8_t* codes, int r, std::byte* slab) {
  for (int group = 0; group < 8; ++group)
    or_bytes(slab + r * 4, ((four_codes(codes + group * 4) >> 4) & 0x01010101u) << group);
}

void write_high_bits(const uint8_t* codes, int r, std::byte* slab) {
  for (int group = 0; group < 8; ++group)
    or_bytes(slab + group / 4 * 64 + r * 4, ((four_codes(codes + group * 4) >> 4) & 0x03030303u)
                                                << (group % 4 * 2));
}

void write_sub_scales(BlockType type, const BlockIntegers& block, int r, std::byte* out) {
  if (type == BlockType::q6_k) {
    for (int j = 0; j < 16; ++j) out[j * kPanelRows + r] = std::byte{block.sub_scales[j]};
    return;
  }
  out += r * 4;
  for (int b = 0; b < 4; ++b) {
    const int j = kMinimumByte[b];  // its own inverse
    const uint8_t first = block.sub_mins[j], second = block.sub_mins[j + 4];
    out[b] = static_cast<std::byte>(block.sub_scales[b] | (first >> 4 << 6));
    out[64 + b] = static_cast<std::byte>(block.sub_scales[b + 4] | (second >> 4 << 6));
    out[128 + b] = static_cast<std::byte>((first & 15) | (second << 4));
  }
}

/// The inverse of write_sub_scales.
void read_sub_scales(BlockType type, const std::byte* from, int r, BlockIntegers& block) {
  if (type == BlockType::q6_k) {
    for (int j = 0; j < 16; ++j) block.sub_scales[j] = std::to_integer<uint8_t>(from[j * kPanelRows + r]);
    return;
  }
  from += r * 4;
  for (int b = 0; b < 4; ++b) {
    const int j = kMinimumByte[b];
    const uint32_t first = byte_at(from, b), second = byte_at(from, 64 + b), low = byte_at(from, 128 + b);
    block.sub_scales[b] = first & 63;
    block.sub_scales[b + 4] = second & 63;
    block.sub_mins[j] = static_cast<uint8_t>((low & 15) | (first >> 6 << 4));
    block.sub_mins[j + 4] = static_cast<uint8_t>((low >> 4) | (second >> 6 << 4));
  }
}

void write_block(BlockType type, const BlockIntegers& block, const PanelBlock& at, int r, std::byte* panel) {
  std::memcpy(panel + at.scales + r * 2, &block.d, 2);
  if (at.layout.scales == PanelScales::halves_and_minima)
    std::memcpy(panel + at.scales + 32 + r * 2, &block.m, 2);
  for (int slab = 0; slab < at.slabs; ++slab) {
    const uint8_t* codes = block.codes + slab * kSlab;
    if (type == BlockType::q8_0) {
      for (int group = 0; group < 8; ++group)
        std::memcpy(panel + at.codes + group * 64 + r * 4, codes + group * 4, 4);
      continue;
    }
    write_nibbles(codes, r, panel + at.codes + slab * kNibbleSlabBytes);
    if (has_fifth_bits(type)) write_fifth_bits(codes, r, panel + at.more_bits + slab * 64);
    if (type == BlockType::q6_k) write_high_bits(codes, r, panel + at.more_bits + slab * 128);
  }
  if (at.layout.values == 256) write_sub_scales(type, block, r, panel + at.sub_scales);
}

/// The inverse of write_block.
void read_block(BlockType type, const PanelBlock& at, int r, const std::byte* panel, BlockIntegers& block) {
  block.d = field<uint16_t>(panel + at.scales + r * 2, 0);
  block.m = at.layout.scales == PanelScales::halves_and_minima
                ? field<uint16_t>(panel + at.scales + 32 + r * 2, 0)
                : uint16_t{0};
  for (int k = 0; k < at.layout.values; ++k) {
    const int slab = k / kSlab, group = k % kSlab / 4, lane = r * 4 + k % 4;
    if (type == BlockType::q8_0) {
      block.codes[k] = std::to_integer<uint8_t>(panel[at.codes + group * 64 + lane]);
      continue;
    }
    const uint32_t pair = byte_at(panel + at.codes + slab * kNibbleSlabBytes + group / 2 * 64, lane);
    uint32_t code = group % 2 == 0 ? pair & 15 : pair >> 4;
    if (has_fifth_bits(type)) code |= ((byte_at(panel + at.more_bits + slab * 64, lane) >> group) & 1) << 4;
    if (type == BlockType::q6_k)
      code |= ((byte_at(panel + at.more_bits + slab * 128 + group / 4 * 64, lane) >> (group % 4 * 2)) & 3)
              << 4;
    block.codes[k] = static_cast<uint8_t>(code);
  }
  if (at.layout.values == 256) read_sub_scales(type, panel + at.sub_scales, r, block);
}

/// Types of small numbers: a block of the file is one or eight of the panel's.
void write_small_numbers(const PanelSource& source, std::byte* panel) {
  const BlockTypeInfo& block = info(source.type);
  const int groups = block.values / kSlab;
  SmallNumbers numbers[8];
  for (int64_t b = 0; b < source.cols / block.values; ++b) {
    for (int r = 0; r < source.rows; ++r) {
      read_small_numbers(source.type, source.data + r * source.row_bytes + b * block.bytes, numbers);
      for (int g = 0; g < groups; ++g) {
        const PanelBlock at(source.type, b * groups + g);
        std::memcpy(panel + at.scales + r * 4, &numbers[g].scale, 4);
        for (int four = 0; four < 8; ++four)
          std::memcpy(panel + at.codes + four * 64 + r * 4, numbers[g].codes + four * 4, 4);
      }
    }
  }
}

void read_small_numbers_row(BlockType type, const std::byte* panel, int r, int64_t cols, float* out) {
  for (int64_t k = 0; k < cols; ++k) {
    const PanelBlock at(type, k / kSlab);
    const auto code =
        static_cast<int8_t>(byte_at(panel + at.codes, static_cast<int>(k % kSlab / 4 * 64 + r * 4 + k % 4)));
    out[k] = field<float>(panel + at.scales, r * 4) * static_cast<float>(code);
  }
}

bool is_f8_nan(std::byte code) { return (code & std::byte{0x7F}) == std::byte{0x7F}; }

void write_f8(const PanelSource& source, std::byte* panel) {
  const PanelLayout layout = panel_layout(BlockType::f8_e4m3);
  std::memset(panel, 0, static_cast<size_t>(panel_bytes(BlockType::f8_e4m3, source.cols)));
  for (int64_t first = 0; first < source.cols; first += kF8Block, panel += layout.record_bytes) {
    const int64_t count = std::min<int64_t>(kF8Block, source.cols - first);
    for (int r = 0; r < source.rows; ++r) {
      const std::byte* codes = source.data + r * source.row_bytes + first;
      float scale = source.scales.at(source.first_row + r, first, source.cols) * 256;
      for (int64_t k = 0; k < count; ++k) {
        panel[k * kPanelRows + r] = codes[k];
        if (is_f8_nan(codes[k])) scale = std::numeric_limits<float>::quiet_NaN();
      }
      std::memcpy(panel + layout.code_bytes + r * 4, &scale, 4);
    }
  }
}

void read_f8_row(const std::byte* panel, int r, int64_t cols, float* out) {
  const PanelLayout layout = panel_layout(BlockType::f8_e4m3);
  for (int64_t k = 0; k < cols; ++k) {
    const std::byte* record = panel + k / kF8Block * layout.record_bytes;
    const auto code = std::to_integer<uint8_t>(record[k % kF8Block * kPanelRows + r]);
    out[k] = f8_e4m3(code) * 0x1p-8f * field<float>(record + layout.code_bytes, r * 4);
  }
}

void write_floats(const PanelSource& source, std::byte* panel) {
  const int size = info(source.type).bytes;
  for (int64_t k = 0; k < source.cols; ++k)
    for (int r = 0; r < source.rows; ++r)
      std::memcpy(panel + (k * kPanelRows + r) * size, source.data + r * source.row_bytes + k * size,
                  static_cast<size_t>(size));
}

}  // namespace

int64_t panel_bytes(BlockType type, int64_t cols) {
  const PanelLayout layout = panel_layout(type);
  const BlockTypeInfo& block = info(type);
  const int64_t bytes = layout.values != 0 ? (cols + layout.values - 1) / layout.values * layout.record_bytes
                                           : cols / block.values * block.bytes * kPanelRows;
  return (bytes + 63) / 64 * 64;
}

void write_panel(const PanelSource& source, std::byte* panel) {
  const PanelLayout layout = panel_layout(source.type);
  // Bits above the nibbles are put in one by one; rows that do not exist are zeros.
  if (source.rows < kPanelRows || has_fifth_bits(source.type) || source.type == BlockType::q6_k)
    std::memset(panel, 0, static_cast<size_t>(panel_bytes(source.type, source.cols)));
  if (layout.values == 0) {
    std::memcpy(panel, source.data, static_cast<size_t>(source.row_bytes * source.rows));
    return;
  }
  if (is_float(source.type)) return write_floats(source, panel);
  if (source.type == BlockType::f8_e4m3) return write_f8(source, panel);
  if (layout.scales == PanelScales::floats) return write_small_numbers(source, panel);
  const int block_bytes = info(source.type).bytes;
  BlockIntegers block;
  for (int64_t b = 0; b < source.cols / layout.values; ++b) {
    const PanelBlock at(source.type, b);
    for (int r = 0; r < source.rows; ++r) {
      read_integers(source.type, source.data + r * source.row_bytes + b * block_bytes, block);
      write_block(source.type, block, at, r, panel);
    }
  }
}

void read_panel_row(BlockType type, const std::byte* panel, int r, int64_t cols, float* out) {
  const PanelLayout layout = panel_layout(type);
  const BlockTypeInfo& block_info = info(type);
  if (layout.values == 0) {
    unpack(type, panel + cols / block_info.values * block_info.bytes * r, cols, out);
    return;
  }
  if (is_float(type)) {
    for (int64_t k = 0; k < cols; ++k)
      unpack(type, panel + (k * kPanelRows + r) * block_info.bytes, 1, out + k);
    return;
  }
  if (type == BlockType::f8_e4m3) return read_f8_row(panel, r, cols, out);
  if (layout.scales == PanelScales::floats) return read_small_numbers_row(type, panel, r, cols, out);
  BlockIntegers block;
  for (int64_t b = 0; b < cols / layout.values; ++b) {
    read_block(type, PanelBlock(type, b), r, panel, block);
    to_floats(type, block, out + b * layout.values);
  }
}

void unpack_panel(BlockType type, const std::byte* panel, int rows, int64_t cols, float* out) {
  std::memset(out, 0, static_cast<size_t>(cols) * kPanelRows * sizeof(float));
  const BlockTypeInfo& block = info(type);
  float values[256];
  for (int r = 0; r < rows; ++r) {
    for (int64_t first = 0; first < cols; first += block.values, panel += block.bytes) {
      unpack(type, panel, block.values, values);
      for (int k = 0; k < block.values; ++k) out[(first + k) * kPanelRows + r] = values[k];
    }
  }
}

}  // namespace baleen
