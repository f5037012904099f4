#include "models/step_shares.h"

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
  const auto possible = [](int threads, size_t rows, int64_t layer_bytes) {
    return SharePolicy(threads, layer_bytes).possible(Decoding(rows).step());
  };
  EXPECT_TRUE(possible(2, 12, kSmallLayer));
  EXPECT_FALSE(possible(2, 11, kSmallLayer));
  EXPECT_FALSE(possible(2, 12, kLargeLayer));
  EXPECT_FALSE(possible(1, 12, kSmallLayer));
  EXPECT_FALSE(possible(4, 47, kSmallLayer));
  EXPECT_TRUE(possible(4, 48, kSmallLayer));
}

/// A prompt's rows see each other's keys in each layer.
TEST(StepShares, NotOfPrompts) {
  Decoding decoding(40);
  for (size_t i = 20; i < 40; ++i) decoding.parts[i].first_row += 1;
  decoding.parts[19].rows = 2;
  decoding.tokens.push_back(7);
  EXPECT_FALSE(SharePolicy(2, kSmallLayer).possible(decoding.step()));
}

/// How many of so many steps are run in shares, where a row takes so long in shares and together.
int steps_in_shares(SharePolicy& policy, int steps, double in_shares, double together) {
  int count = 0;
  for (int i = 0; i < steps; ++i) {
    if (policy.in_shares()) ++count;
    policy.note(policy.in_shares() ? in_shares : together);
  }
  return count;
}

TEST(StepShares, WhereTheyAreFaster) {
  SharePolicy policy(2, kSmallLayer);
  EXPECT_TRUE(policy.in_shares()) << "at first";
  EXPECT_GT(steps_in_shares(policy, 100, 1.0, 1.1), 80);
  EXPECT_GT(steps_in_shares(policy, 1000, 1.0, 1.1), 970);
}

TEST(StepShares, NotWhereTheyAreSlower) {
  SharePolicy policy(2, kSmallLayer);
  EXPECT_LT(steps_in_shares(policy, 100, 1.1, 1.0), 20);
  EXPECT_LT(steps_in_shares(policy, 1000, 1.1, 1.0), 30);
}

TEST(StepShares, OtherwiseWhenTheMachineChanges) {
  SharePolicy policy(2, kSmallLayer);
  steps_in_shares(policy, 1000, 1.0, 1.1);
  EXPECT_LT(steps_in_shares(policy, 100, 2.0, 1.5), 20) << "a core was taken away";
  EXPECT_GT(steps_in_shares(policy, 1000, 1.0, 1.5), 700) << "it is back";
}

TEST(StepShares, OneSlowStepIsNoTrend) {
  SharePolicy policy(2, kSmallLayer);
  steps_in_shares(policy, 100, 1.0, 1.1);
  policy.note(2.0);
  EXPECT_EQ(steps_in_shares(policy, 20, 1.0, 1.1), 20);
}

}  // namespace
}  // namespace baleen
