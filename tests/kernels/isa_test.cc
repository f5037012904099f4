#include <algorithm>

#include "kernels/kernel_table.h"

namespace baleen {
namespace {

TEST(Isa, NamesReadBack) {
  for (const Isa isa : kIsas) EXPECT_EQ(parse_isa(name(isa)), isa);
  EXPECT_FALSE(parse_isa("AVX2").has_value());
  EXPECT_FALSE(parse_isa("").has_value());
}

TEST(Isa, BestIsOneThatTheCpuHas) {
  EXPECT_TRUE(cpu_has(best_isa()));
  EXPECT_NE(best_isa(), Isa::ref);
  EXPECT_EQ(kernels(best_isa()).isa, best_isa());
}

// Two of ten may be disturbed by what else the machine does.
TEST(Isa, ACoreIsMeasuredAlike) {
  if (!cpu_has(Isa::avx512)) GTEST_SKIP() << "this CPU has no AVX-512";
  int times[3] = {};
  for (int i = 0; i < 10; ++i) ++times[static_cast<int>(avx512_core_traits().pipes)];
  EXPECT_GE(*std::ranges::max_element(times), 8) << times[0] << " " << times[1] << " " << times[2];
}

}  // namespace
}  // namespace baleen
