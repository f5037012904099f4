#include "base/block_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baleen {
namespace {

TEST(BlockType, IsFoundByNumberAndName) {
  int known = 0;
  for (uint32_t id = 0; id < 1100; ++id) {
    const auto by_id = find_block_type(id);
    if (!by_id) continue;
    ++known;
    EXPECT_EQ(static_cast<uint32_t>(by_id->type), id);
    const auto by_name = find_block_type(by_id->name);
    ASSERT_TRUE(by_name) << by_id->name;
    EXPECT_EQ(by_name->type, by_id->type);
    EXPECT_EQ(info(by_id->type).name, by_id->name);
    EXPECT_GT(by_id->values, 0);
    EXPECT_GT(by_id->bytes, 0);
  }
  EXPECT_EQ(known, 35);
}

TEST(BlockType, RetiredAndUnknownNumbersAreNothing) {
  // 4 and 5 were q4_2 and q4_3; 31 to 33 and 36 to 38 were repacked layouts that files may no longer contain.
  for (uint32_t id : {4u, 5u, 31u, 32u, 33u, 36u, 37u, 38u, 41u, 999u, 0xFFFFFFFFu})
    EXPECT_FALSE(find_block_type(id)) << id;
  for (const char* name : {"", "Q4_0", "q4", "q4_2", "f33"}) EXPECT_FALSE(find_block_type(name)) << name;
}

TEST(BlockType, SizesAreTheFormats) {
  const auto bits = [](BlockType type) { return 8.0 * info(type).bytes / info(type).values; };
  EXPECT_EQ(bits(BlockType::f32), 32.0);
  EXPECT_EQ(bits(BlockType::bf16), 16.0);
  EXPECT_EQ(bits(BlockType::q4_0), 4.5);  // 4 bits and a half-precision scale for 32
  EXPECT_EQ(bits(BlockType::q4_1), 5.0);  // and a minimum
  EXPECT_EQ(bits(BlockType::q8_0), 8.5);
  EXPECT_EQ(bits(BlockType::q4_k), 4.5);     // 6-bit sub-scales and minima, two halves for 256
  EXPECT_EQ(bits(BlockType::q6_k), 6.5625);  // 8-bit sub-scales of 16 values, one half
  EXPECT_EQ(bits(BlockType::mxfp4), 4.25);
}

}  // namespace
}  // namespace baleen
