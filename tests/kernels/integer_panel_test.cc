#include "kernels/integer_panel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "kernels/panel_layout.h"

namespace baleen {
namespace {

constexpr BlockType kIntegerTypes[] = {BlockType::q4_0, BlockType::q4_1, BlockType::q5_0, BlockType::q5_1,
                                       BlockType::q8_0, BlockType::q4_k, BlockType::q5_k, BlockType::q6_k};

/// Rows of blocks with every bit at random.
std::vector<std::byte> random_bytes(size_t count, std::mt19937& random) {
  std::vector<std::byte> bytes(count);
  for (std::byte& each : bytes) each = static_cast<std::byte>(random());
  return bytes;
}

TEST(IntegerPanel, KeepsEveryNumberOfTheFile) {
  std::mt19937 random(1);
  for (const BlockType type : kIntegerTypes) {
    const int64_t blocks = 3, cols = blocks * info(type).values, row_bytes = blocks * info(type).bytes;
    for (const int rows : {1, 5, 16}) {
      const auto file = random_bytes(static_cast<size_t>(rows * row_bytes), random);
      std::vector<std::byte> panel(static_cast<size_t>(panel_bytes(type, cols)), std::byte{0xAA});
      write_panel({.type = type, .data = file.data(), .row_bytes = row_bytes, .cols = cols, .rows = rows},
                  panel.data());
      for (int r = 0; r < kPanelRows; ++r) {
        for (int64_t b = 0; b < blocks; ++b) {
          BlockIntegers expected{}, found{};
          if (r < rows) read_integers(type, file.data() + r * row_bytes + b * info(type).bytes, expected);
          read_integer_row(type, panel.data() + b * panel_layout(type).record_bytes, r, found);
          const auto what = std::string(info(type).name) + ", row " + std::to_string(r) + " of " +
                            std::to_string(rows) + ", block " + std::to_string(b);
          EXPECT_TRUE(std::ranges::equal(expected.codes, found.codes)) << what;
          EXPECT_TRUE(std::ranges::equal(expected.sub_scales, found.sub_scales)) << what;
          EXPECT_TRUE(std::ranges::equal(expected.sub_mins, found.sub_mins)) << what;
          EXPECT_EQ(expected.d, found.d) << what;
          EXPECT_EQ(expected.m, found.m) << what;
        }
      }
    }
  }
}

// What one stream decodes with is these bytes a second.
TEST(IntegerPanel, IsAsLargeAsTheRowsInTheFile) {
  for (const BlockType type : kIntegerTypes)
    EXPECT_EQ(panel_layout(type).record_bytes, kPanelRows * info(type).bytes) << info(type).name;
}

}  // namespace
}  // namespace baleen
