// Tiles of activations, byte for byte: scales, shifts and sums included.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/fast_tables.h"
#include "kernels/random_weights.h"

namespace baleen {
namespace {

using testing::fast_tables;
using testing::random_rows;

constexpr int64_t kCols = 768;

std::vector<std::byte> arranged(const KernelTable& table, Scheme scheme, const std::vector<float>& x,
                                int tokens) {
  std::vector<std::byte> out(static_cast<size_t>(tokens * activation_bytes(scheme, kCols)));
  ActivationTile tile{.rows = {}, .cols = kCols, .tokens = tokens, .out = out.data()};
  for (int t = 0; t < tokens; ++t) tile.rows[t] = x.data() + t * kCols;
  arrange_kernel(table.matmul, scheme)(tile);
  return out;
}

TEST(ActivationTile, SameBytesOnEveryIsa) {
  std::mt19937 random(3);
  for (int tokens = 1; tokens <= kTileTokens; ++tokens) {
    auto x = random_rows(tokens * kCols, random);
    for (size_t sub_block = 0; sub_block < x.size() / 32;
         ++sub_block) {  // every exponent of a sub-scale, and halves
      const float size = std::ldexp(1.0f, -static_cast<int>(random() % 6));
      for (size_t i = 0; i < 32; ++i)
        x[sub_block * 32 + i] = std::clamp(x[sub_block * 32 + i], -1.0f, 1.0f) * size;
      x[sub_block * 32 + 7] = size;
      x[sub_block * 32 + 9] = size * 0.5f;
    }
    x[40] = std::numeric_limits<float>::quiet_NaN();  // of the first token; of the last one:
    x[x.size() - 300] = -std::numeric_limits<float>::infinity();
    for (size_t k = 512; k < 544; ++k) x[k] = 0x1p-101f;
    for (const Scheme scheme : {Scheme::floats, Scheme::blocks32, Scheme::blocks256}) {
      const auto expected = arranged(kernels(Isa::ref), scheme, x, tokens);
      for (const KernelTable* table : fast_tables())
        EXPECT_EQ(arranged(*table, scheme, x, tokens), expected)
            << name(table->isa) << ", scheme " << static_cast<int>(scheme) << ", " << tokens << " tokens";
    }
  }
}

}  // namespace
}  // namespace baleen
