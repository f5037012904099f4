#include "base/byte_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace baleen {
namespace {

constexpr auto kBytes = std::to_array<unsigned char>({1, 2, 3, 4, 0, 0, 128, 63, 'a', 'b', 'c'});

std::span<const std::byte> bytes() { return std::as_bytes(std::span(kBytes)); }

TEST(ByteReader, ReadsLittleEndianValuesInOrder) {
  ByteReader reader(bytes());
  EXPECT_EQ(reader.read<uint8_t>(), 1);
  EXPECT_EQ(reader.read<uint16_t>(), 0x0302);
  EXPECT_EQ(reader.read<int8_t>(), 4);
  EXPECT_EQ(reader.offset(), 4u);
  EXPECT_EQ(reader.read<float>(), 1.0f);
  EXPECT_EQ(reader.take_text(3), "abc");
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_FALSE(reader.failed());
}

TEST(ByteReader, StaysFailedAfterAReadPastTheEnd) {
  ByteReader reader(bytes());
  reader.take(8);
  EXPECT_EQ(reader.read<uint32_t>(), 0u);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.offset(), 8u);  // where the missing value would be
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_EQ(reader.read<uint8_t>(), 0);  // although three bytes are left
  EXPECT_EQ(reader.take_text(1), "");
}

TEST(ByteReader, RefusesSizesThatWouldWrap) {
  ByteReader reader(bytes());
  reader.take(1);
  EXPECT_TRUE(reader.take(UINT64_MAX).empty());
  EXPECT_TRUE(reader.failed());
}

TEST(ByteReader, TakesNothingFromNothing) {
  ByteReader reader({});
  EXPECT_TRUE(reader.take(0).empty());
  EXPECT_FALSE(reader.failed());
  reader.read<uint8_t>();
  EXPECT_TRUE(reader.failed());
}

}  // namespace
}  // namespace baleen
