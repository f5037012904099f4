#include "base/trigonometry.h"

#include <cmath>
#include <random>

#include "gtest/gtest.h"

namespace baleen {
namespace {

TEST(Trigonometry, IsWithinAnUlpOfTheTruth) {
  std::mt19937_64 random(1);
  for (const double range : {1.0, 100.0, 1048575.0}) {
    std::uniform_real_distribution<double> angles(-range, range);
    for (int i = 0; i < 20000; ++i) {
      const double x = angles(random);
      EXPECT_NEAR(portable_sin(x), std::sin(x), 2.3e-16) << x;
      EXPECT_NEAR(portable_cos(x), std::cos(x), 2.3e-16) << x;
    }
  }
}

TEST(Trigonometry, IsExactAtZero) {
  EXPECT_EQ(portable_sin(0), 0);
  EXPECT_EQ(portable_cos(0), 1);
}

TEST(Trigonometry, WhatHasNoAngleGivesNaN) {
  for (const double x : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e30, -1e300}) {
    EXPECT_TRUE(std::isnan(portable_sin(x))) << x;
    EXPECT_TRUE(std::isnan(portable_cos(x))) << x;
  }
}

}  // namespace
}  // namespace baleen
