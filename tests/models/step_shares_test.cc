#include "models/step_shares.h"

#include <array>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"

namespace baleen {
namespace {

constexpr int64_t kSmallLayer = 2 << 20, kLargeLayer = 64 << 20;

/// Each sequence of `rows` has one row.
struct Decoding {
  explicit Decoding(size_t rows) : tokens(rows), parts(rows), tables(rows) {
    std::iota(tokens.begin(), tokens.end(), 100);
    for (size_t i = 0; i < rows; ++i)
      parts[i] = {&tables[i], static_cast<int32_t>(i), 1, static_cast<int32_t>(10 * i)};
  }
  Step step() const { return {tokens, parts, wanted}; }

  std::vector<int32_t> tokens, wanted;
  std::vector<Step::Part> parts;
  std::vector<PageTable> tables;
};

TEST(StepShares, EveryRowIsInOneShare) {
  Decoding decoding(20);
  decoding.wanted = {0, 5, 6, 7, 12, 13, 19};
  Workspace scratch(3 * share_bytes(7, 7));
  std::vector<int32_t> tokens, wanted_tokens;
  for (int64_t i = 0; i < 3; ++i) {
    const StepShare share = take_share(decoding.step(), i, 3, scratch);
    EXPECT_LE(std::ssize(share.step.tokens), share_rows(20, 3));
    EXPECT_EQ(share.step.tokens.size(), share.step.parts.size());
    EXPECT_EQ(share.wanted_before, std::ssize(wanted_tokens));
    for (size_t row = 0; row < share.step.parts.size(); ++row) {
      const Step::Part& part = share.step.parts[row];
      EXPECT_EQ(part.first_row, static_cast<int32_t>(row));
      EXPECT_EQ(part.pages, &decoding.tables[tokens.size()]);
      EXPECT_EQ(part.first_position, static_cast<int32_t>(10 * tokens.size()));
      tokens.push_back(share.step.tokens[row]);
    }
    for (const int32_t row : share.step.wanted)
      wanted_tokens.push_back(share.step.tokens[static_cast<size_t>(row)]);
  }
  EXPECT_EQ(tokens, decoding.tokens);
  EXPECT_EQ(wanted_tokens, (std::vector<int32_t>{100, 105, 106, 107, 112, 113, 119}));
}

TEST(StepShares, OfManyRowsAndSmallLayers) {
  const auto suits = [](int threads, size_t rows, int64_t layer_bytes) {
    return SharePolicy(threads, layer_bytes).suits(Decoding(rows).step());
  };
  EXPECT_TRUE(suits(2, 12, kSmallLayer));
  EXPECT_FALSE(suits(2, 11, kSmallLayer));
  EXPECT_FALSE(suits(2, 12, kLargeLayer));
  EXPECT_FALSE(suits(1, 12, kSmallLayer));
  EXPECT_FALSE(suits(4, 47, kSmallLayer));
  EXPECT_TRUE(suits(4, 48, kSmallLayer));
}

/// A prompt's rows see each other's keys in each layer.
TEST(StepShares, NotOfPrompts) {
  Decoding decoding(40);
  for (size_t i = 20; i < 40; ++i) decoding.parts[i].first_row += 1;
  decoding.parts[19].rows = 2;
  decoding.tokens.push_back(7);
  EXPECT_FALSE(SharePolicy(2, kSmallLayer).suits(decoding.step()));
}

TEST(StepShares, NotForAWhileAfterAThreadWasHeldUp) {
  const Decoding decoding(16);
  SharePolicy policy(2, kSmallLayer);
  const auto steps_together = [&] {
    int steps = 0;
    while (!policy.suits(decoding.step()) && steps < 1000) ++steps;
    return steps;
  };
  const std::array even = {1.0, 1.2}, uneven = {2.0, 1.0};
  for (const auto& seconds : {even, uneven, even, uneven}) {
    policy.note_seconds(seconds);
    EXPECT_EQ(steps_together(), 0) << "once is no trend";
  }
  policy.note_seconds(uneven);
  const int first = steps_together();
  EXPECT_GT(first, 4);
  policy.note_seconds(uneven);
  EXPECT_EQ(steps_together(), 2 * first) << "it goes on";
  for (int i = 0; i < 20; ++i) policy.note_seconds(uneven);
  EXPECT_LT(steps_together(), 1000);
  policy.note_seconds(even);
  policy.note_seconds(uneven);
  EXPECT_EQ(steps_together(), 0);
  policy.note_seconds(uneven);
  EXPECT_EQ(steps_together(), first) << "as at first";
}

}  // namespace
}  // namespace baleen
