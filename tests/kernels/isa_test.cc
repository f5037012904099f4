#include "kernels/kernel_table.h"

namespace baleen {
namespace {

TEST(Isa, NamesReadBack) {
  for (const Isa isa : {Isa::ref, Isa::avx2, Isa::avx512}) EXPECT_EQ(parse_isa(name(isa)), isa);
  EXPECT_FALSE(parse_isa("AVX2").has_value());
  EXPECT_FALSE(parse_isa("").has_value());
}

TEST(Isa, BestIsOneThatTheCpuHas) {
  EXPECT_TRUE(cpu_has(best_isa()));
  EXPECT_NE(best_isa(), Isa::ref);
  EXPECT_EQ(kernels(best_isa()).isa, best_isa());
}

}  // namespace
}  // namespace baleen
