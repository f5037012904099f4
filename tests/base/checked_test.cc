#include "base/checked.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace baleen {
namespace {

template <class T>
class Checked : public testing::Test {};
using Types = testing::Types<int32_t, uint32_t, int64_t, uint64_t, size_t>;
TYPED_TEST_SUITE(Checked, Types);

TYPED_TEST(Checked, AddsUpToTheLargestValue) {
  constexpr TypeParam kMax = std::numeric_limits<TypeParam>::max();
  EXPECT_EQ(checked_add<TypeParam>(kMax - 1, 1), kMax);
  EXPECT_EQ(checked_add<TypeParam>(kMax, 1), std::nullopt);
  EXPECT_EQ(checked_add<TypeParam>(kMax, kMax), std::nullopt);
}

TYPED_TEST(Checked, MultipliesUpToTheLargestValue) {
  constexpr TypeParam kMax = std::numeric_limits<TypeParam>::max();
  EXPECT_EQ(checked_mul<TypeParam>(kMax, 1), kMax);
  EXPECT_EQ(checked_mul<TypeParam>(kMax, 0), TypeParam{0});
  EXPECT_EQ(checked_mul<TypeParam>(kMax / 2 + 1, 2), std::nullopt);
  EXPECT_EQ(checked_mul<TypeParam>(kMax, kMax), std::nullopt);
}

TEST(CheckedSigned, RefusesBelowTheSmallestValue) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(checked_add<int64_t>(kMin, -1), std::nullopt);
  EXPECT_EQ(checked_mul<int64_t>(kMin, -1), std::nullopt);
}

}  // namespace
}  // namespace baleen
