// Panels that are expanded before many tiles are multiplied with them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/fast_tables.h"
#include "kernels/matmul.h"
#include "kernels/random_weights.h"

namespace baleen {
namespace {

using testing::fast_tables;
using testing::random_blocks;
using testing::random_rows;

constexpr BlockType kExpanded[] = {BlockType::q5_k, BlockType::q6_k};

PackedMatrix packed(BlockType type, int64_t rows, int64_t cols, const std::vector<std::byte>& data) {
  ThreadPool pool(1);
  const Compute ref{&kernels(Isa::ref), &pool};
  auto matrix = PackedMatrix::pack({type, rows, cols, data.data()}, ref);
  EXPECT_TRUE(matrix.has_value());
  return std::move(*matrix);
}

PackedMatrix random_matrix(BlockType type, int64_t rows, int64_t cols, std::mt19937& random) {
  return packed(type, rows, cols, random_blocks(type, rows * cols, random));
}

/// Memory for expanded panels is aligned to 64 bytes.
struct alignas(64) Line {
  std::byte bytes[64];
};

class ExpandedPanel : public ::testing::Test {
 protected:
  static constexpr int64_t kCols = 768;

  /// Products of a tile's rows with all 16 rows of a panel by ref and by each table that expands it.
  void compare(const PackedMatrix& weights, const std::vector<float>& x, const std::string& what) {
    const int tokens = static_cast<int>(static_cast<int64_t>(x.size()) / kCols);
    const MatmulKernels& ref = kernels(Isa::ref).matmul;
    std::vector<std::byte> tile_bytes(
        static_cast<size_t>(tokens * activation_bytes(Scheme::blocks256, kCols)));
    ActivationTile arranged{.rows = {}, .cols = kCols, .tokens = tokens, .out = tile_bytes.data()};
    for (int t = 0; t < tokens; ++t) arranged.rows[t] = x.data() + t * kCols;
    ref.blocks256(arranged);
    std::vector<float> expected(static_cast<size_t>(tokens * kPanelRows), 0.25f), out = expected;
    MatmulTile tile{.panel = weights.panel(0),
                    .x = tile_bytes.data(),
                    .cols = kCols,
                    .tokens = tokens,
                    .rows = kPanelRows,
                    .out = expected.data(),
                    .out_stride = kPanelRows,
                    .add = true,
                    .ahead = nullptr,
                    .ahead_bytes = 0};
    multiply_kernel(ref, weights.type())(tile);
    for (const KernelTable* table : fast_tables()) {
      const ExpandedKernels* expanded = expanded_kernels(table->matmul, weights.type());
      if (expanded == nullptr) continue;
      ++compared_;
      std::vector<Line> memory(static_cast<size_t>(kCols / 256 * expanded->block_bytes / 64));
      expanded->expand(weights.panel(0), kCols, memory.data()->bytes);
      std::ranges::fill(out, 0.25f);
      tile.panel = memory.data()->bytes;
      tile.out = out.data();
      expanded->multiply(tile);
      ASSERT_EQ(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)), 0)
          << what << ", " << tokens << " tokens";
    }
  }

  void TearDown() override {
    if (compared_ == 0) GTEST_SKIP() << "no kernels of this CPU expand panels";
  }

  int compared_ = 0;
};

/// With every exponent of a sub-block; dot products are words or not.
TEST_F(ExpandedPanel, SameBitsAsRef) {
  std::mt19937 random(21);
  for (const BlockType type : kExpanded)
    for (int tokens = kExpandedTokens; tokens <= kTileTokens; ++tokens)
      for (const float constant : {0.0f, 1.0f}) {
        const PackedMatrix weights = random_matrix(type, kPanelRows, kCols, random);
        auto x = random_rows(tokens * kCols, random);
        for (size_t i = 0; i < x.size(); ++i) x[i] = std::ldexp(x[i], -static_cast<int>(i / 32 * 7 % 5));
        std::fill_n(x.begin() + 2 * kCols + 256, 256, constant);
        compare(weights, x, std::string(info(type).name));
      }
}

/// The sum of a sub-block's codes, all of one sign, at which its dot product is no word any more.
TEST_F(ExpandedPanel, DotProductsAtTheEdgeOfWords) {
  std::mt19937 random(22);
  for (const BlockType type : kExpanded) {
    const bool q6 = type == BlockType::q6_k;
    const int largest = q6 ? 32 : 31;
    auto data = random_blocks(type, kPanelRows * kCols, random);
    for (size_t i = 0; i < data.size(); ++i) {  // codes, not scales: -32 or 31
      const size_t at = i % static_cast<size_t>(info(type).bytes);
      if (q6 ? at < 192 : at >= 16) data[i] = static_cast<std::byte>(q6 ? 0x00 : 0xFF);
    }
    const PackedMatrix weights = packed(type, kPanelRows, kCols, data);
    for (int sum = 0x7FFF / largest - 1; sum <= 0x7FFF / largest + 4; ++sum)
      for (const float sign : {1.0f, -1.0f}) {
        auto x = random_rows(kTileTokens * kCols, random);
        std::fill_n(x.begin() + 3 * kCols, kCols, 0.0f);
        for (int64_t k = 0, left = sum; left > 0; ++k, left -= 120)
          x[static_cast<size_t>(3 * kCols + k)] =
              sign * static_cast<float>(std::min<int64_t>(left, 120)) / 120;
        compare(weights, x, std::string(info(type).name) + ", sum " + std::to_string(sum));
      }
  }
}

std::vector<float> gated(const KernelTable& table, const PackedMatrix& gate, const PackedMatrix& up,
                         const std::vector<float>& x) {
  ThreadPool pool(1);
  const Compute compute{&table, &pool};
  const int64_t tokens = static_cast<int64_t>(x.size()) / gate.cols();
  std::vector<float> in = x, out(static_cast<size_t>(tokens * gate.rows()));
  Workspace scratch(multiply_scratch_bytes(compute, {.rows = tokens, .cols = gate.cols()}));
  const Product product{.factor = {&gate},
                        .out = {out.data(), tokens, gate.rows(), gate.rows()},
                        .store = Store::set,
                        .up = {&up}};
  multiply(compute, {in.data(), tokens, gate.cols(), gate.cols()}, {&product, 1}, scratch);
  return out;
}

/// Several units, of two types, of which one may be expanded and the other not; few tiles and many.
TEST(ExpandedPanels, ManyOfTwoTypes) {
  constexpr int64_t kCols = 2048, kRows = 200;  // 13 panels, five in a unit
  std::mt19937 random(23);
  for (const auto& [first, second] : {std::pair{BlockType::q5_k, BlockType::q5_k},
                                      {BlockType::q6_k, BlockType::q5_k},
                                      {BlockType::q4_k, BlockType::q6_k}}) {
    const PackedMatrix gate = random_matrix(first, kRows, kCols, random),
                       up = random_matrix(second, kRows, kCols, random);
    for (const int64_t tokens : {27, 206}) {
      const auto x = random_rows(tokens * kCols, random);
      const auto expected = gated(kernels(Isa::ref), gate, up, x);
      for (const KernelTable* table : fast_tables())
        EXPECT_EQ(gated(*table, gate, up, x), expected) << name(table->isa) << ", " << info(first).name;
    }
  }
}

}  // namespace
}  // namespace baleen
