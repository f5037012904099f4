#include "kernels/integer_panel.h"

#include <cstring>

#include "base/check.h"
#include "kernels/block/block_bytes.h"
#include "kernels/panel_layout.h"

// Loading a model writes each of its weights here, so rows are written word by word: the file's formats, too, keep
// codes that are apart by 16, 32 or 64 in one byte, and a mask and a shift make k-groups of them.
namespace baleen {
namespace {

constexpr int kVector = 64;  // bytes of a k-group of 16 rows
constexpr int kWord = 4;     // of a row in it
constexpr int kHighBits = 0x30303030, kNibbles = 0x0F0F0F0F;

void put_word(std::byte* to, uint32_t word) { std::memcpy(to, &word, kWord); }

/// `count` times 8 bytes of two codes: those in the low nibbles are pairs of k-groups of the slab at `low`, the
/// others at `high`.
void write_nibbles(const std::byte* bytes, int count, std::byte* low, std::byte* high) {
  constexpr uint64_t kMask = 0x0F0F0F0F0F0F0F0F;
  for (int i = 0; i < count; ++i) {
    const auto both = field<uint64_t>(bytes, i * 8);
    const uint64_t first = both & kMask, second = both >> 4 & kMask;
    put_word(low + i * kVector, static_cast<uint32_t>(first | first >> 28));
    put_word(high + i * kVector, static_cast<uint32_t>(second | second >> 28));
  }
}

/// Blocks of 32: the low nibbles of 16 bytes are codes 0..15, the high ones 16..31.
void write_nibbles_32(const std::byte* bytes, std::byte* slab) {
  write_nibbles(bytes, 2, slab, slab + 2 * kVector);
}

/// K formats: of every 64 codes, the low nibbles of 32 bytes are the first half, the high ones the second.
void write_nibbles_64(const std::byte* bytes, int slab_bytes, std::byte* slabs) {
  for (int pair = 0; pair < 4; ++pair, bytes += 32, slabs += 2 * slab_bytes)
    write_nibbles(bytes, 4, slabs, slabs + slab_bytes);
}

/// Swaps each bit of `mask` with the one that is `distance` above it.
uint32_t swap_bits(uint32_t bits, int distance, uint32_t mask) {
  const uint32_t changes = (bits ^ bits >> distance) & mask;
  return bits ^ changes ^ changes << distance;
}

/// Blocks of 32: bit 4g + b, of code 4g + b, becomes bit g of byte b. (The five bits of a bit's place turn by two.)
void write_fifth_bits_32(uint32_t bits, std::byte* slab) {
  bits = swap_bits(bits, 14, 0x0000CCCC);
  bits = swap_bits(bits, 7, 0x00AA00AA);
  bits = swap_bits(bits, 2, 0x0C0C0C0C);
  put_word(slab, swap_bits(bits, 1, 0x22222222));
}

/// Swaps the bits of `b` in `mask` with those of `a` that are `shift` above them.
void exchange(uint32_t& a, uint32_t& b, int shift, uint32_t mask) {
  const uint32_t changes = (a >> shift ^ b) & mask;
  b ^= changes;
  a ^= changes << shift;
}

/// Q5_K: bit j of 32 bytes belongs to the codes of slab j. Eight words are 4 matrices of 8 x 8 bits, to be
/// transposed.
void write_fifth_bits_256(const std::byte* bytes, std::byte* slabs) {
  uint32_t words[8];
  std::memcpy(words, bytes, sizeof words);
  for (int i = 0; i < 4; ++i) exchange(words[i], words[i + 4], 4, 0x0F0F0F0F);
  for (const int i : {0, 1, 4, 5}) exchange(words[i], words[i + 2], 2, 0x33333333);
  for (const int i : {0, 2, 4, 6}) exchange(words[i], words[i + 1], 1, 0x55555555);
  for (int slab = 0; slab < 8; ++slab) put_word(slabs + slab * kSlab5Bytes + kNibbleSlabBytes, words[slab]);
}

/// Of every 128 codes of Q6_K: in 64 bytes the nibbles of slabs 0 and 2, then 1 and 3.
void write_nibbles_q6_k(const std::byte* bytes, std::byte* slabs) {
  for (int i = 0; i < 4; ++i, bytes += 32) {
    std::byte* slab = slabs + (i / 2 * 4 + i % 2) * kSlab6Bytes;
    write_nibbles(bytes, 4, slab, slab + 2 * kSlab6Bytes);
  }
}

/// Of every 128 codes of Q6_K: in 32 bytes two bits for each of the 4 slabs. Four words are 4 matrices of 4 x 4
/// pairs of bits.
void write_high_bits_q6_k(const std::byte* bytes, std::byte* slabs) {
  for (int quarter = 0; quarter < 4; ++quarter, bytes += 16) {
    uint32_t words[4];
    std::memcpy(words, bytes, sizeof words);
    for (int i = 0; i < 2; ++i) exchange(words[i], words[i + 2], 4, 0x0F0F0F0F);
    for (const int i : {0, 2}) exchange(words[i], words[i + 1], 2, 0x33333333);
    std::byte* out = slabs + quarter / 2 * 4 * kSlab6Bytes + kNibbleSlabBytes + quarter % 2 * kVector;
    for (int slab = 0; slab < 4; ++slab) put_word(out + slab * kSlab6Bytes, words[slab]);
  }
}

/// Bytes 0..3 in the order of kMinimumByte.
uint32_t in_byte_order(uint32_t minima) {
  return (minima & 0xFF0000FFu) | (minima & 0xFF00u) << 8 | (minima >> 8 & 0xFF00u);
}

/// Eight 6-bit sub-scales and eight minima in 12 bytes: numbers 0..3 as bytes whose two upper bits belong to 4..7; the
/// nibbles of the last word are the rest of those, minima above.
void write_sub_scales_6(const std::byte* bytes, std::byte* out) {
  const auto scales = field<uint32_t>(bytes, 0), minima = field<uint32_t>(bytes, 4),
             nibbles = field<uint32_t>(bytes, 8);
  const uint32_t second_scales = (nibbles & kNibbles) | (scales >> 2 & kHighBits);
  const uint32_t first = in_byte_order(minima);
  const uint32_t second = in_byte_order((nibbles >> 4 & kNibbles) | (minima >> 2 & kHighBits));
  put_word(out, (scales & 0x3F3F3F3Fu) | (first & kHighBits) << 2);
  put_word(out + kVector, second_scales | (second & kHighBits) << 2);
  put_word(out + 2 * kVector, (first & kNibbles) | (second & kNibbles) << 4);
}

void read_sub_scales_6(const std::byte* from, BlockIntegers& block) {
  for (int b = 0; b < 4; ++b) {
    const int j = kMinimumByte[b];  // its own inverse
    const uint32_t first = byte_at(from, b), second = byte_at(from, kVector + b),
                   low = byte_at(from, 2 * kVector + b);
    block.sub_scales[b] = first & 63;
    block.sub_scales[b + 4] = second & 63;
    block.sub_mins[j] = static_cast<uint8_t>((low & 15) | (first >> 6 << 4));
    block.sub_mins[j + 4] = static_cast<uint8_t>((low >> 4) | (second >> 6 << 4));
  }
}

int slab_bytes(BlockType type) {
  switch (type) {
    case BlockType::q5_0:
    case BlockType::q5_1:
    case BlockType::q5_k:
      return kSlab5Bytes;
    case BlockType::q6_k:
      return kSlab6Bytes;
    default:
      return kNibbleSlabBytes;
  }
}

/// A row's code k.
uint32_t code_at(BlockType type, const std::byte* record, int r, int k) {
  const PanelLayout layout = panel_layout(type);
  const int group = k % kSlab / 4, lane = r * kWord + k % 4;
  if (type == BlockType::q8_0) return byte_at(record, group * kVector + lane);
  const std::byte* slab = record + layout.codes + k / kSlab * slab_bytes(type) + lane;
  const uint32_t pair = byte_at(slab, group / 2 * kVector);
  const uint32_t nibble = group % 2 == 0 ? pair & 15 : pair >> 4;
  const std::byte* more_bits = slab + kNibbleSlabBytes;
  switch (type) {
    case BlockType::q5_0:
    case BlockType::q5_1:
    case BlockType::q5_k:
      return nibble | (byte_at(more_bits, 0) >> group & 1) << 4;
    case BlockType::q6_k:
      return nibble | (byte_at(more_bits, group / 4 * kVector) >> (group % 4 * 2) & 3) << 4;
    default:
      return nibble;
  }
}

/// One block of the file as row r of a record.
template <BlockType type>
void write_row(const std::byte* block, int r, std::byte* record) {
  constexpr PanelLayout kLayout = panel_layout(type);
  std::byte *codes = record + kLayout.codes + r * kWord, *sub_scales = record + kLayout.sub_scales,
            *scales = record + kLayout.code_bytes + r * 2;
  std::memcpy(scales, block + (type == BlockType::q6_k ? 208 : 0), 2);
  if (kLayout.scales == PanelScales::halves_and_minima) std::memcpy(scales + 32, block + 2, 2);
  switch (type) {
    case BlockType::q4_0:
      return write_nibbles_32(block + 2, codes);
    case BlockType::q4_1:
      return write_nibbles_32(block + 4, codes);
    case BlockType::q5_0:
      write_fifth_bits_32(field<uint32_t>(block, 2), codes + kNibbleSlabBytes);
      return write_nibbles_32(block + 6, codes);
    case BlockType::q5_1:
      write_fifth_bits_32(field<uint32_t>(block, 4), codes + kNibbleSlabBytes);
      return write_nibbles_32(block + 8, codes);
    case BlockType::q8_0:
      for (int group = 0; group < 8; ++group)
        std::memcpy(codes + group * kVector, block + 2 + group * kWord, kWord);
      return;
    case BlockType::q4_k:
      write_sub_scales_6(block + 4, sub_scales + r * kWord);
      return write_nibbles_64(block + 16, kNibbleSlabBytes, codes);
    case BlockType::q5_k:
      write_sub_scales_6(block + 4, sub_scales + r * kWord);
      write_fifth_bits_256(block + 16, codes);
      return write_nibbles_64(block + 48, kSlab5Bytes, codes);
    case BlockType::q6_k:
      for (int j = 0; j < 16; ++j) sub_scales[j * kPanelRows + r] = block[192 + j];
      write_high_bits_q6_k(block + 128, codes);
      return write_nibbles_q6_k(block, codes);
    default:
      __builtin_unreachable();
  }
}

template <BlockType type>
void write_records(const PanelSource& source, std::byte* panel) {
  constexpr PanelLayout kLayout = panel_layout(type);
  const int block_bytes = info(type).bytes;
  for (int64_t b = 0; b < source.cols / kLayout.values; ++b, panel += kLayout.record_bytes)
    for (int r = 0; r < source.rows; ++r)
      write_row<type>(source.data + r * source.row_bytes + b * block_bytes, r, panel);
}

}  // namespace

void write_integer_panel(const PanelSource& source, std::byte* panel) {
  switch (source.type) {
    case BlockType::q4_0:
      return write_records<BlockType::q4_0>(source, panel);
    case BlockType::q4_1:
      return write_records<BlockType::q4_1>(source, panel);
    case BlockType::q5_0:
      return write_records<BlockType::q5_0>(source, panel);
    case BlockType::q5_1:
      return write_records<BlockType::q5_1>(source, panel);
    case BlockType::q8_0:
      return write_records<BlockType::q8_0>(source, panel);
    case BlockType::q4_k:
      return write_records<BlockType::q4_k>(source, panel);
    case BlockType::q5_k:
      return write_records<BlockType::q5_k>(source, panel);
    case BlockType::q6_k:
      return write_records<BlockType::q6_k>(source, panel);
    default:
      CHECK(false);
  }
}

void read_integer_row(BlockType type, const std::byte* record, int r, BlockIntegers& block) {
  const PanelLayout layout = panel_layout(type);
  const std::byte *scales = record + layout.code_bytes + r * 2, *sub_scales = record + layout.sub_scales;
  block.d = field<uint16_t>(scales, 0);
  block.m = layout.scales == PanelScales::halves_and_minima ? field<uint16_t>(scales, 32) : uint16_t{0};
  for (int k = 0; k < layout.values; ++k) block.codes[k] = static_cast<uint8_t>(code_at(type, record, r, k));
  if (type == BlockType::q6_k) {
    for (int j = 0; j < 16; ++j)
      block.sub_scales[j] = std::to_integer<uint8_t>(sub_scales[j * kPanelRows + r]);
  } else if (layout.values == 256) {
    read_sub_scales_6(sub_scales + r * kWord, block);
  }
}

}  // namespace baleen
