// General categories of Unicode 16.0.0, one bit each, so that a character class is one mask.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace baleen {

using CategorySet = uint32_t;

/// Bit of a category; `index` is its place in script/unicode_tables.
constexpr CategorySet category_bit(int index) { return CategorySet{1} << index; }

inline constexpr CategorySet kLu = category_bit(0), kLl = category_bit(1), kLt = category_bit(2),
                             kLm = category_bit(3), kLo = category_bit(4), kMn = category_bit(5),
                             kMc = category_bit(6), kMe = category_bit(7), kNd = category_bit(8),
                             kNl = category_bit(9), kNo = category_bit(10), kPc = category_bit(11),
                             kPd = category_bit(12), kPs = category_bit(13), kPe = category_bit(14),
                             kPi = category_bit(15), kPf = category_bit(16), kPo = category_bit(17),
                             kSm = category_bit(18), kSc = category_bit(19), kSk = category_bit(20),
                             kSo = category_bit(21), kZs = category_bit(22), kZl = category_bit(23),
                             kZp = category_bit(24), kCc = category_bit(25), kCf = category_bit(26),
                             kCs = category_bit(27), kCo = category_bit(28), kCn = category_bit(29),
                             kControlSpace =
                                 category_bit(30);  ///< U+0009-000D, U+0085: Cc that are White_Space

inline constexpr CategorySet kLetter = kLu | kLl | kLt | kLm | kLo;
inline constexpr CategorySet kMark = kMn | kMc | kMe;
inline constexpr CategorySet kNumber = kNd | kNl | kNo;
inline constexpr CategorySet kPunctuation = kPc | kPd | kPs | kPe | kPi | kPf | kPo;
inline constexpr CategorySet kSymbol = kSm | kSc | kSk | kSo;
/// The White_Space property.
inline constexpr CategorySet kSpace = kZs | kZl | kZp | kControlSpace;

namespace unicode_detail {
struct CategoryTable {
  std::array<uint16_t, 0x1100> block;       // of a code point's upper bits
  std::array<uint8_t, 0x1100 * 256> index;  // the first blocks are in use; a category's bit
  CategoryTable();
};
extern const CategoryTable kCategories;
}  // namespace unicode_detail

/// The category's bit; `point` is at most U+10FFFF.
inline CategorySet category(char32_t point) {
  const auto& table = unicode_detail::kCategories;
  return category_bit(table.index[size_t{table.block[point >> 8]} << 8 | (point & 0xFF)]);
}

}  // namespace baleen
