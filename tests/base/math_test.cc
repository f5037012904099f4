#include "base/math.h"

#include <cmath>
#include <limits>

namespace baleen {
namespace {

double relative_error(double ours, double theirs) { return std::abs(ours - theirs) / std::abs(theirs); }

TEST(Math, ExpIsWithinTwoUlpsOfLibm) {
  for (double x = -708; x <= 708; x += 0.0371)
    EXPECT_LT(relative_error(portable_exp(x), std::exp(x)), 4.5e-16) << x;
  for (double x = -0.4; x <= 0.4; x += 1.3e-4)
    EXPECT_LT(relative_error(portable_exp(x), std::exp(x)), 4.5e-16) << x;
}

TEST(Math, ExpAtTheEdges) {
  EXPECT_EQ(portable_exp(0), 1);
  EXPECT_EQ(portable_exp(-708.5), 0);
  EXPECT_EQ(portable_exp(-std::numeric_limits<double>::infinity()), 0);
  EXPECT_EQ(portable_exp(std::numeric_limits<double>::quiet_NaN()), 0);
  EXPECT_EQ(portable_exp(1e300), portable_exp(708));
}

TEST(Math, LogIsWithinThreeUlpsOfLibm) {
  for (double x = 1e-3; x < 3; x += 1.7e-4)
    EXPECT_LE(std::abs(portable_log(x) - std::log(x)), 6.7e-16 * std::abs(std::log(x))) << x;
  for (int e = -1070; e <= 1020; e += 7) {
    const double x = std::ldexp(1.37, e);
    EXPECT_LT(relative_error(portable_log(x), std::log(x)), 4.5e-16) << x;
  }
}

TEST(Math, LogAtTheEdges) {
  EXPECT_EQ(portable_log(1), 0);
  EXPECT_EQ(portable_log(0), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(portable_log(-1)));
  EXPECT_TRUE(std::isnan(portable_log(std::numeric_limits<double>::quiet_NaN())));
  EXPECT_EQ(portable_log(std::numeric_limits<double>::infinity()), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace baleen
