#include "kernels/panel.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/block/block_bytes.h"
#include "kernels/block/small_numbers.h"
#include "kernels/block/unpack.h"
#include "kernels/integer_panel.h"
#include "kernels/panel_layout.h"

namespace baleen {
namespace {

bool is_float(BlockType type) {
  return type == BlockType::f32 || type == BlockType::f16 || type == BlockType::bf16;
}

/// Types of small numbers: a block of the file is one or eight of the panel's.
void write_small_numbers(const PanelSource& source, std::byte* panel) {
  const BlockTypeInfo& block = info(source.type);
  const PanelLayout layout = panel_layout(source.type);
  const int groups = block.values / kSlab;
  SmallNumbers numbers[8];
  for (int64_t b = 0; b < source.cols / block.values; ++b) {
    for (int r = 0; r < source.rows; ++r) {
      read_small_numbers(source.type, source.data + r * source.row_bytes + b * block.bytes, numbers);
      for (int g = 0; g < groups; ++g) {
        std::byte* record = panel + (b * groups + g) * layout.record_bytes;
        std::memcpy(record + layout.code_bytes + r * 4, &numbers[g].scale, 4);
        for (int four = 0; four < 8; ++four)
          std::memcpy(record + four * 64 + r * 4, numbers[g].codes + four * 4, 4);
      }
    }
  }
}

void read_small_numbers_row(BlockType type, const std::byte* panel, int r, int64_t cols, float* out) {
  const PanelLayout layout = panel_layout(type);
  for (int64_t k = 0; k < cols; ++k) {
    const std::byte* record = panel + k / kSlab * layout.record_bytes;
    const auto code =
        static_cast<int8_t>(byte_at(record, static_cast<int>(k % kSlab / 4 * 64 + r * 4 + k % 4)));
    out[k] = field<float>(record + layout.code_bytes, r * 4) * static_cast<float>(code);
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

/// Values of `Size` bytes, a few columns of all rows at a time.
template <int Size>
void write_floats(const PanelSource& source, std::byte* panel) {
  constexpr int64_t kColumns = 64 / Size;
  for (int64_t first = 0; first < source.cols; first += kColumns) {
    const int64_t end = std::min(first + kColumns, source.cols);
    for (int r = 0; r < source.rows; ++r)
      for (int64_t k = first; k < end; ++k)
        std::memcpy(panel + (k * kPanelRows + r) * Size, source.data + r * source.row_bytes + k * Size, Size);
  }
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
  if (source.rows < kPanelRows)  // rows that do not exist are zeros
    std::memset(panel, 0, static_cast<size_t>(panel_bytes(source.type, source.cols)));
  if (layout.values == 0) {
    std::memcpy(panel, source.data, static_cast<size_t>(source.row_bytes * source.rows));
    return;
  }
  if (source.type == BlockType::f32) return write_floats<4>(source, panel);
  if (is_float(source.type)) return write_floats<2>(source, panel);
  if (source.type == BlockType::f8_e4m3) return write_f8(source, panel);
  if (layout.scales == PanelScales::floats) return write_small_numbers(source, panel);
  write_integer_panel(source, panel);
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
    read_integer_row(type, panel + b * layout.record_bytes, r, block);
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
