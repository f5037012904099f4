#include "kernels/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kernels/block/unpack.h"
#include "kernels/fast_tables.h"
#include "kernels/random_weights.h"

namespace baleen {
namespace {

using testing::fast_tables;
using testing::kTypes;
using testing::random_blocks;
using testing::random_rows;

struct Shape {
  int64_t rows, cols, tokens;
};

std::string text(BlockType type, const Shape& shape) {
  return std::string(info(type).name) + " " + std::to_string(shape.rows) + "x" + std::to_string(shape.cols) +
         " of " + std::to_string(shape.tokens) + " tokens";
}

PackedMatrix packed(BlockType type, const Shape& shape, const std::vector<std::byte>& data,
                    const Compute& compute) {
  auto matrix = PackedMatrix::pack({type, shape.rows, shape.cols, data.data()}, compute);
  EXPECT_TRUE(matrix.has_value());
  return std::move(*matrix);
}

std::vector<float> product(const Compute& compute, const PackedMatrix& weights, const std::vector<float>& x,
                           Store store = Store::set) {
  const int64_t tokens = static_cast<int64_t>(x.size()) / weights.cols();
  std::vector<float> out(static_cast<size_t>(tokens * weights.rows()), 0.25f), in = x;
  Workspace scratch(multiply_scratch_bytes(compute, {.rows = tokens, .cols = weights.cols()}));
  const Product each{{&weights}, {out.data(), tokens, weights.rows(), weights.rows()}, store};
  multiply(compute, {in.data(), tokens, weights.cols(), weights.cols()}, {&each, 1}, scratch);
  return out;
}

void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    ASSERT_EQ(std::memcmp(&a[i], &b[i], sizeof(float)), 0)
        << what << ", element " << i << ": " << a[i] << " and " << b[i];
  }
}

const std::vector<int64_t> kTokens = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 25, 37, 201};

TEST(Matmul, EveryIsaGivesTheBitsOfRef) {
  std::mt19937 random(1);
  ThreadPool pool(1);
  const Compute ref{&kernels(Isa::ref), &pool};
  for (const BlockType type : kTypes) {
    const int64_t block = info(type).values;
    for (const int64_t tokens : kTokens) {
      const int64_t blocks = 1 + static_cast<int64_t>(random() % (block == 256 ? 3 : block == 32 ? 9 : 70));
      const Shape shape{1 + static_cast<int64_t>(random() % 50), blocks * block, tokens};
      const auto data = random_blocks(type, shape.rows * shape.cols, random);
      const auto x = random_rows(shape.tokens * shape.cols, random);
      const PackedMatrix weights = packed(type, shape, data, ref);
      for (const Store store : {Store::set, Store::add}) {
        const auto expected = product(ref, weights, x, store);
        for (const KernelTable* table : fast_tables())
          expect_same_bits(product({table, &pool}, weights, x, store), expected,
                           std::string(name(table->isa)) + " " + text(type, shape));
      }
    }
  }
}

TEST(Matmul, ExtremeCodesDoNotOverflow) {
  ThreadPool pool(1);
  const Compute ref{&kernels(Isa::ref), &pool};
  for (const BlockType type : kTypes) {
    if (info(type).values == 1) continue;
    const Shape shape{32, 512, 8};
    for (const int byte : {0x00, 0x7F, 0x80, 0xFF}) {
      std::mt19937 random(3);
      auto data = random_blocks(type, shape.rows * shape.cols, random);
      const auto scaled = data;
      for (size_t i = 0; i < data.size(); ++i) {  // keep the scales, set everything else
        const size_t at = i % static_cast<size_t>(info(type).bytes);
        const size_t scale = type == BlockType::q6_k ? 208 : 0;
        if (at < scale || at >= scale + 4) data[i] = static_cast<std::byte>(byte);
      }
      const PackedMatrix weights = packed(type, shape, data, ref);
      for (const auto& [tokens, value] :
           {std::pair{3, 1.0f}, {3, -1.0f}, {8, 1.0f}, {8, -1.0f}, {16, 1.0f}, {16, -1.0f}}) {
        const std::vector<float> x(static_cast<size_t>(tokens * shape.cols), value);
        const auto expected = product(ref, weights, x);
        for (const KernelTable* table : fast_tables())
          expect_same_bits(
              product({table, &pool}, weights, x), expected,
              std::string(name(table->isa)) + " " + text(type, shape) + " of " + std::to_string(byte));
      }
    }
  }
}

/// Which groups of 4 k have codes.
enum class Groups { all, even, odd };

/// A block whose first sub-block of 32, or its first half, has codes of this sum, all of one sign: values x with
/// x * 120 = code, in a block whose largest is 1.
std::vector<float> row_with_sum(int64_t cols, int sum, float sign, Groups groups) {
  std::vector<float> row(static_cast<size_t>(cols), 0);
  for (size_t k = 0; k < 32 && sum > 0; ++k) {
    if (groups != Groups::all && (k / 4 % 2 == 0) != (groups == Groups::even)) continue;
    const int code = std::min(sum, 120);
    row[k] = sign * static_cast<float>(code) / 120;
    sum -= code;
  }
  return row;
}

/// Random codes, or all of this byte; scales and sub-scales are random.
std::vector<std::byte> blocks_of(BlockType type, const Shape& shape, int byte, std::mt19937& random) {
  auto data = random_blocks(type, shape.rows * shape.cols, random);
  const size_t first = type == BlockType::q6_k ? 0 : 16, last = type == BlockType::q6_k ? 192 : 256;
  for (size_t i = 0; i < data.size(); ++i) {
    const size_t at = i % static_cast<size_t>(info(type).bytes);
    if (at >= first && at < last) data[i] = static_cast<std::byte>(byte);
  }
  return data;
}

/// Products with a row whose first codes have sums around `limit`.
void compare_sums_around(int limit, const Shape& shape, const PackedMatrix& weights, std::mt19937& random) {
  ThreadPool pool(1);
  for (int sum = limit - 1; sum <= limit + 4; ++sum)
    for (const Groups groups : {Groups::all, Groups::even, Groups::odd})
      for (const float sign : {1.0f, -1.0f}) {
        auto x = random_rows(shape.tokens * shape.cols, random);
        const auto edge = row_with_sum(shape.cols, sum, sign, groups);
        std::ranges::copy(edge, x.begin() + sum % shape.tokens * shape.cols);
        const auto expected = product({&kernels(Isa::ref), &pool}, weights, x);
        for (const KernelTable* table : fast_tables())
          expect_same_bits(product({table, &pool}, weights, x), expected,
                           std::string(name(table->isa)) + " " + text(weights.type(), shape) + ", sum " +
                               std::to_string(sum));
      }
}

/// avx512 and avxvnni multiply the sums of K formats' sub-blocks as words where the activations say that they fit.
TEST(Matmul, SumsAtTheEdgeOfWords) {
  ThreadPool pool(1);
  const Compute ref{&kernels(Isa::ref), &pool};
  std::mt19937 random(9);
  // the largest code of a weight, and the sum of codes up to which it fits into 16 bits (with Q4_K's own products, too)
  for (const auto& [type, limit] : {std::pair{BlockType::q4_k, 32767 / 15},
                                    {BlockType::q4_k, 24123 / 15},
                                    {BlockType::q5_k, 32767 / 31},
                                    {BlockType::q6_k, 32767 / 32}}) {
    for (const int64_t tokens : {8, 16}) {  // one tile and several
      const Shape shape{16, 512, tokens};
      for (const int byte : {0x00, 0x0F, 0xF0, 0xFF})
        compare_sums_around(limit, shape, packed(type, shape, blocks_of(type, shape, byte, random), ref),
                            random);
    }
  }
}

/// What sums multiplied take off most and least, where the codes' own sums are small.
TEST(Matmul, ActivationsAgainstEachOther) {
  ThreadPool pool(1);
  const Compute ref{&kernels(Isa::ref), &pool};
  std::mt19937 random(10);
  const Shape shape{16, 512, 8};
  for (const int byte : {0x00, 0x0F, 0xF0, 0xFF, 0x78}) {
    const PackedMatrix weights =
        packed(BlockType::q4_k, shape, blocks_of(BlockType::q4_k, shape, byte, random), ref);
    std::vector<float> x(static_cast<size_t>(shape.tokens * shape.cols));
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t token = i / static_cast<size_t>(shape.cols), k = i % 32;
      const float sign = (k / 4 + token) % 2 == 0 ? 1.0f : -1.0f;  // even groups against odd ones
      x[i] = token < 4 || k >= 16 ? sign : 0.0f;
    }
    const auto expected = product(ref, weights, x);
    for (const KernelTable* table : fast_tables())
      expect_same_bits(product({table, &pool}, weights, x), expected,
                       std::string(name(table->isa)) + " codes of " + std::to_string(byte));
  }
}

/// Of several tiles of one panel the first whose dot products are words leaves what the others need of the weights' own
/// products, unless rows are too wide for it (64 blocks).
TEST(Matmul, TilesOfWordsAmongOthers) {
  ThreadPool pool(1);
  const Compute ref{&kernels(Isa::ref), &pool};
  std::mt19937 random(11);
  for (const int64_t cols : {512, 64 * 256, 65 * 256}) {
    const Shape shape{17, cols, 48};  // six tiles
    const PackedMatrix weights =
        packed(BlockType::q4_k, shape, random_blocks(BlockType::q4_k, shape.rows * cols, random), ref);
    for (const std::vector<int64_t>& not_words :
         {std::vector<int64_t>{}, {0}, {1, 2}, {0, 1, 2, 3}, {3, 5}}) {
      auto x = random_rows(shape.tokens * cols, random);
      for (const int64_t tile : not_words)
        std::fill_n(x.begin() + (tile * kTileTokens + 3) * cols + 64, 32, 1000.0f);  // codes of 120
      const auto expected = product(ref, weights, x);
      for (const KernelTable* table : fast_tables())
        expect_same_bits(product({table, &pool}, weights, x), expected,
                         std::string(name(table->isa)) + " " + text(BlockType::q4_k, shape));
    }
  }
}

TEST(Matmul, NanInfinityZeroAndTinyActivations) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInf = std::numeric_limits<float>::infinity();
  ThreadPool pool(1);
  const Compute ref{&kernels(Isa::ref), &pool};
  std::mt19937 random(5);
  for (const BlockType type : kTypes) {
    const Shape shape{17, 768, 8};  // a whole tile
    const PackedMatrix weights =
        packed(type, shape, random_blocks(type, shape.rows * shape.cols, random), ref);
    auto x = random_rows(shape.tokens * shape.cols, random);
    const auto row = [&](int64_t token) { return x.data() + token * shape.cols; };
    row(0)[300] = kNan;
    row(1)[5] = -kInf;
    for (int64_t k = 0; k < shape.cols; ++k) {
      row(2)[k] = 0;
      row(3)[k] *= 0x1p-110f;
      row(4)[k] *= 0x1p-140f;
      row(5)[k] *= 0x1p100f;
    }
    const auto expected = product(ref, weights, x);
    for (int64_t r = 0; r < shape.rows; ++r) {
      const auto at = [&](int64_t token) { return expected[static_cast<size_t>(token * shape.rows + r)]; };
      EXPECT_FALSE(std::isfinite(at(0)) || std::isfinite(at(1))) << text(type, shape);
      EXPECT_EQ(at(2), 0.0f) << text(type, shape);
      EXPECT_TRUE(std::isfinite(at(5))) << text(type, shape);
    }
    for (const KernelTable* table : fast_tables())
      expect_same_bits(product({table, &pool}, weights, x), expected,
                       std::string(name(table->isa)) + " " + text(type, shape));
  }
}

TEST(Matmul, AgreesWithFloatArithmetic) {
  std::mt19937 random(2);
  ThreadPool pool(2);
  const Compute compute{&kernels(Isa::ref), &pool};
  for (const BlockType type : kTypes) {
    const Shape shape{20, 512, 3};
    const PackedMatrix weights =
        packed(type, shape, random_blocks(type, shape.rows * shape.cols, random), compute);
    const auto x = random_rows(shape.tokens * shape.cols, random);
    const auto out = product(compute, weights, x);
    std::vector<float> row(static_cast<size_t>(shape.cols));
    for (int64_t r = 0; r < shape.rows; ++r) {
      weights.unpack_row(r, row.data());
      for (int64_t t = 0; t < shape.tokens; ++t) {
        double exact = 0, norm_w = 0, norm_x = 0;
        for (int64_t k = 0; k < shape.cols; ++k) {
          const double w = row[static_cast<size_t>(k)], a = x[static_cast<size_t>(t * shape.cols + k)];
          exact += w * a;
          norm_w += w * w;
          norm_x += a * a;
        }
        // 8-bit activations: each is off by up to a 254th of its block's largest, at random
        EXPECT_NEAR(out[static_cast<size_t>(t * shape.rows + r)], exact, 0.03 * std::sqrt(norm_w * norm_x))
            << text(type, shape);
      }
    }
  }
}

TEST(Matmul, GroupingAndThreadsChangeNoBit) {
  std::mt19937 random(4);
  ThreadPool one(1), two(2);
  const Isa isa = best_isa();
  const Compute alone{&kernels(isa), &one}, shared{&kernels(isa), &two};
  const int64_t cols = 512, tokens = 19;
  const auto x = random_rows(tokens * cols, random);
  std::vector<PackedMatrix> matrices;
  std::vector<std::vector<float>> outs;
  for (const BlockType type : {BlockType::q4_k, BlockType::q8_0, BlockType::f16, BlockType::iq4_xs}) {
    const Shape shape{100 + static_cast<int64_t>(matrices.size()) * 7, cols, tokens};
    matrices.push_back(packed(type, shape, random_blocks(type, shape.rows * cols, random), shared));
    outs.emplace_back(static_cast<size_t>(shape.rows * tokens));
  }
  std::vector<Product> products;
  for (size_t i = 0; i < matrices.size(); ++i)
    products.push_back({{&matrices[i]}, {outs[i].data(), tokens, matrices[i].rows(), matrices[i].rows()}});
  auto in = x;
  Workspace scratch(multiply_scratch_bytes(shared, {.rows = tokens, .cols = cols}));
  multiply(shared, {in.data(), tokens, cols, cols}, products, scratch);
  EXPECT_EQ(scratch.mark(), 0u);
  for (size_t i = 0; i < matrices.size(); ++i) {
    expect_same_bits(outs[i], product(alone, matrices[i], x), "grouped, two threads");
    for (int64_t t = 0; t < tokens; ++t) {  // each row alone
      const std::vector<float> row(x.begin() + t * cols, x.begin() + (t + 1) * cols);
      const std::vector<float> expected(outs[i].begin() + t * matrices[i].rows(),
                                        outs[i].begin() + (t + 1) * matrices[i].rows());
      expect_same_bits(product(alone, matrices[i], row), expected, "one row");
    }
  }
}

// As the experts of a layer: each has some of the rows, and inputs may differ in width.
TEST(Matmul, SeveralInputsAtOnceChangeNoBit) {
  std::mt19937 random(5);
  ThreadPool two(2);
  const Compute compute{&kernels(best_isa()), &two};
  constexpr int64_t kRows = 40, kWide = 512, kNarrow = 256;
  for (const BlockType type : {BlockType::q4_0, BlockType::q6_k, BlockType::f32, BlockType::iq2_xs}) {
    const Shape shape{3 * 37, kWide, kRows}, narrow{50, kNarrow, kRows};
    const auto stack = random_blocks(type, shape.rows * kWide, random);
    const auto row_bytes = static_cast<int64_t>(stack.size()) / shape.rows;
    const MatrixSource parts[] = {{type, 37, kWide, stack.data()},
                                  {type, 37, kWide, stack.data() + 37 * row_bytes},
                                  {type, 37, kWide, stack.data() + 74 * row_bytes}};
    WeightMemory memory;
    const auto experts = PackedMatrix::pack_all(parts, compute, memory);
    ASSERT_TRUE(experts.has_value());
    const PackedMatrix other =
        packed(type, narrow, random_blocks(type, narrow.rows * kNarrow, random), compute);
    auto x = random_rows(kRows * kWide, random), y = random_rows(kRows * kNarrow, random);
    const std::vector<std::vector<int32_t>> picked = {{7}, {}, {0, 3, 4, 9, 10, 21, 22, 23, 30, 39}};
    std::vector<std::vector<float>> outs(4);
    std::vector<Product> products;
    for (size_t i = 0; i < 3; ++i) {
      const auto count = static_cast<int64_t>(picked[i].size());
      outs[i].resize(picked[i].size() * 37);
      products.push_back({{&(*experts)[i]}, {outs[i].data(), count, 37, 37}});
    }
    outs[3].resize(static_cast<size_t>(kRows * narrow.rows));
    products.push_back({{&other}, {outs[3].data(), kRows, narrow.rows, narrow.rows}});
    std::vector<ProductGroup> groups;
    for (size_t i = 0; i < 3; ++i)
      groups.push_back({.x = {x.data(), static_cast<int64_t>(picked[i].size()), kWide, kWide},
                        .products = {&products[i], 1},
                        .picked = picked[i].data()});
    groups.push_back({.x = {y.data(), kRows, kNarrow, kNarrow}, .products = {&products[3], 1}});
    Workspace scratch(
        multiply_scratch_bytes(compute, {.rows = kRows + 11, .cols = kWide, .groups = 4, .products = 4}));
    multiply(compute, groups, scratch);
    EXPECT_EQ(scratch.mark(), 0u);
    for (size_t i = 0; i < 3; ++i) {
      std::vector<float> rows;
      for (const int32_t row : picked[i])
        rows.insert(rows.end(), x.begin() + row * kWide, x.begin() + (row + 1) * kWide);
      if (!rows.empty()) expect_same_bits(outs[i], product(compute, (*experts)[i], rows), text(type, shape));
    }
    expect_same_bits(outs[3], product(compute, other, y), text(type, narrow));
  }
}

// Rows in one tile and in several, of one scheme and of two at once.
TEST(Matmul, NormsRowsOnTheWay) {
  std::mt19937 random(9);
  ThreadPool two(2);
  constexpr int64_t kCols = 512, kRows = 37;
  for (const KernelTable* table : fast_tables()) {
    const Compute compute{table, &two};
    for (const int64_t tokens : {1, 8, 45}) {
      const Shape shape{kRows, kCols, tokens};
      const auto first =
          packed(BlockType::q4_k, shape, random_blocks(BlockType::q4_k, kRows * kCols, random), compute);
      const auto second =
          packed(BlockType::q8_0, shape, random_blocks(BlockType::q8_0, kRows * kCols, random), compute);
      auto x = random_rows(tokens * kCols, random);
      const auto weight = random_rows(kCols, random);
      std::vector<float> normed = x;
      for (int64_t t = 0; t < tokens; ++t)
        table->rows.rms_norm(x.data() + t * kCols, weight.data(), kCols, 1e-5f, normed.data() + t * kCols);
      std::vector<float> outs[2];
      for (auto& out : outs) out.resize(static_cast<size_t>(tokens * kRows));
      const Product products[] = {{{&first}, {outs[0].data(), tokens, kRows, kRows}},
                                  {{&second}, {outs[1].data(), tokens, kRows, kRows}}};
      Workspace scratch(multiply_scratch_bytes(compute, {.rows = tokens, .cols = kCols}));
      multiply(compute, {x.data(), tokens, kCols, kCols}, products, scratch, {weight, 1e-5f});
      EXPECT_EQ(scratch.mark(), 0u);
      expect_same_bits(outs[0], product(compute, first, normed), text(BlockType::q4_k, shape));
      expect_same_bits(outs[1], product(compute, second, normed), text(BlockType::q8_0, shape));
    }
  }
}

// Types of one scheme, of two, and one without kernels; whole and partial panels; one row, one tile, several, many.
TEST(Matmul, GatedIsSiluOfOneProductTimesTheOther) {
  std::mt19937 random(6);
  ThreadPool two(2);
  const auto pairs = {std::pair{BlockType::q4_1, BlockType::q4_1},
                      {BlockType::q4_k, BlockType::q6_k},
                      {BlockType::q8_0, BlockType::q4_k},
                      {BlockType::iq2_xs, BlockType::q4_k},
                      {BlockType::f16, BlockType::f32}};
  constexpr int64_t kCols = 512;
  for (const KernelTable* table : fast_tables()) {
    const Compute compute{table, &two};
    for (const auto& [gate_type, up_type] : pairs)
      for (const int64_t rows : {16, 83})
        for (const int64_t tokens : {1, 5, 16, 45, 201}) {
          const Shape shape{rows, kCols, tokens};
          const auto gate = packed(gate_type, shape, random_blocks(gate_type, rows * kCols, random), compute);
          const auto up = packed(up_type, shape, random_blocks(up_type, rows * kCols, random), compute);
          auto x = random_rows(tokens * kCols, random);
          const auto bias = random_rows(rows, random);
          auto expected = product(compute, gate, x), other = product(compute, up, x);
          for (int64_t t = 0; t < tokens; ++t) table->rows.add(bias.data(), rows, other.data() + t * rows);
          table->rows.silu_mul({expected.data(), rows, other.data(), rows, tokens, rows});
          std::vector<float> out(expected.size());
          Workspace scratch(multiply_scratch_bytes(compute, {.rows = tokens, .cols = kCols}));
          const Product each{
              .factor = {&gate}, .out = {out.data(), tokens, rows, rows}, .up = {&up, bias.data()}};
          multiply(compute, {x.data(), tokens, kCols, kCols}, {&each, 1}, scratch);
          expect_same_bits(out, expected, text(gate_type, shape) + " gates " + text(up_type, shape));
        }
  }
}

// FP8 in blocks of 128 x 128, the last ones partial in both directions; every code is there, NaNs too.
TEST(Matmul, F8IsCodeTimesScaleThenOneFma) {
  std::mt19937 random(8);
  ThreadPool two(2);
  constexpr int64_t kRows = 150, kCols = 300;
  std::vector<std::byte> codes(kRows * kCols);
  for (size_t i = 0; i < codes.size(); ++i)
    codes[i] = static_cast<std::byte>(i % 7 == 0 ? i / 7 : random() % 120);
  std::vector<float> scales(2 * 3);
  for (float& scale : scales) scale = std::ldexp(1.0f + static_cast<float>(random() % 1000) / 1000, -8);
  const MatrixSource source{BlockType::f8_e4m3, kRows, kCols, codes.data(), {scales.data(), 128, 128}};
  for (const Isa isa : kIsas) {
    if (!cpu_has(isa)) continue;
    const Compute compute{&kernels(isa), &two};
    const auto weights = PackedMatrix::pack(source, compute);
    ASSERT_TRUE(weights.has_value());
    std::vector<float> row(kCols);
    weights->unpack_row(140, row.data());
    EXPECT_EQ(row[299], f8_e4m3(std::to_integer<uint8_t>(codes[140 * kCols + 299])) * scales[5]);
    for (const int64_t tokens : {1, 3, 8, 11}) {
      const auto x = random_rows(tokens * kCols, random);
      std::vector<float> expected(static_cast<size_t>(tokens * kRows));
      for (int64_t r = 0; r < kRows; ++r) {
        source.unpack_row(r, row.data());
        for (int64_t t = 0; t < tokens; ++t) {
          float& sum = expected[static_cast<size_t>(t * kRows + r)];
          for (int64_t k = 0; k < kCols; ++k)
            sum = std::fma(row[static_cast<size_t>(k)], x[static_cast<size_t>(t * kCols + k)], sum);
        }
      }
      expect_same_bits(product(compute, *weights, x), expected, std::string(name(isa)));
    }
  }
}

TEST(PackedMatrix, KeepsEveryValue) {
  std::mt19937 random(6);
  ThreadPool pool(2);
  const Compute compute{&kernels(Isa::ref), &pool};
  for (const BlockType type : kTypes) {
    const Shape shape{35, 512, 0};
    const auto data = random_blocks(type, shape.rows * shape.cols, random);
    const PackedMatrix weights = packed(type, shape, data, compute);
    std::vector<float> expected(static_cast<size_t>(shape.rows * shape.cols)),
        row(static_cast<size_t>(shape.cols));
    unpack(type, data.data(), shape.rows * shape.cols, expected.data());
    for (int64_t r = 0; r < shape.rows; ++r) {
      weights.unpack_row(r, row.data());
      ASSERT_EQ(std::memcmp(row.data(), expected.data() + r * shape.cols, row.size() * sizeof(float)), 0)
          << info(type).name << " row " << r;
    }
  }
}

}  // namespace
}  // namespace baleen
