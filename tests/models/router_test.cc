// Choosing experts, against sorting all of them in double.
#include "models/router.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace baleen {
namespace {

struct Choice {
  std::vector<int32_t> experts;
  std::vector<float> weights;
};

Choice choose(const ExpertParameters& p, const std::vector<float>& bias, std::vector<float> logits) {
  const Router router(p, bias);
  Choice choice{std::vector<int32_t>(static_cast<size_t>(p.used)),
                std::vector<float>(static_cast<size_t>(p.used))};
  std::vector<float> ranks(static_cast<size_t>(router.rank_count()));
  router.choose(logits.data(), ranks.data(), choice.experts.data(), choice.weights.data());
  return choice;
}

std::vector<double> scores_of(const ExpertParameters& p, const std::vector<float>& logits) {
  std::vector<double> scores;
  double sum = 0;
  for (const float logit : logits) {
    scores.push_back(p.gate == ExpertGate::sigmoid ? 1 / (1 + std::exp(-double{logit}))
                                                   : std::exp(double{logit}));
    sum += scores.back();
  }
  if (p.gate == ExpertGate::softmax)
    for (double& score : scores) score /= sum;
  return scores;
}

/// Indexes of the largest values, ascending.
std::vector<int32_t> largest(const std::vector<double>& values, int32_t wanted) {
  std::vector<int32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int32_t a, int32_t b) {
    return values[static_cast<size_t>(a)] > values[static_cast<size_t>(b)];
  });
  order.resize(static_cast<size_t>(wanted));
  std::ranges::sort(order);
  return order;
}

Choice expected_choice(const ExpertParameters& p, const std::vector<float>& bias,
                       const std::vector<float>& logits) {
  const std::vector<double> scores = scores_of(p, logits);
  std::vector<double> ranks = scores, group_ranks;
  for (size_t i = 0; i < bias.size(); ++i) ranks[i] += double{bias[i]};
  const auto size = static_cast<ptrdiff_t>(p.count / p.groups);
  for (ptrdiff_t g = 0; g < p.groups; ++g) {
    std::vector<double> group(ranks.begin() + g * size, ranks.begin() + (g + 1) * size);
    std::ranges::sort(group, std::greater());
    group_ranks.push_back(p.group_score == GroupScore::two_best ? group[0] + group[1] : group[0]);
  }
  const std::vector<int32_t> kept = largest(group_ranks, p.groups_used);
  for (ptrdiff_t i = 0; i < p.count; ++i)
    if (!std::ranges::binary_search(kept, static_cast<int32_t>(i / size)))
      ranks[static_cast<size_t>(i)] = -1e9;
  Choice choice{largest(ranks, p.used), {}};
  double sum = 0;
  for (const int32_t expert : choice.experts) sum += scores[static_cast<size_t>(expert)];
  for (const int32_t expert : choice.experts)
    choice.weights.push_back(static_cast<float>(scores[static_cast<size_t>(expert)] /
                                                (p.normalise_weights ? sum : 1) * double{p.weight_scale}));
  return choice;
}

ExpertParameters experts(int32_t count, int32_t used) {
  ExpertParameters p;
  p.count = count;
  p.used = used;
  return p;
}

std::vector<ExpertParameters> families() {
  ExpertParameters lite = experts(64, 6), v2 = experts(160, 6), v3 = experts(256, 8), qwen = experts(128, 8);
  v2.groups = 8;
  v2.groups_used = 3;
  v2.weight_scale = 16;
  v3.gate = ExpertGate::sigmoid;
  v3.groups = 8;
  v3.groups_used = 4;
  v3.group_score = GroupScore::two_best;
  v3.weight_scale = 2.5f;
  v3.normalise_weights = v3.selection_bias = qwen.normalise_weights = true;
  return {lite, v2, v3, qwen, experts(5, 5), experts(1, 1)};
}

TEST(Router, ChoosesAsSortingDoes) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 1.5f);
  for (const ExpertParameters& p : families())
    for (int round = 0; round < 200; ++round) {
      std::vector<float> logits(static_cast<size_t>(p.count)), bias;
      for (float& logit : logits) logit = normal(random);
      if (p.selection_bias)
        for (int32_t i = 0; i < p.count; ++i) bias.push_back(0.1f * normal(random));
      const Choice ours = choose(p, bias, logits), expected = expected_choice(p, bias, logits);
      ASSERT_EQ(ours.experts, expected.experts);
      for (size_t i = 0; i < ours.weights.size(); ++i)
        EXPECT_NEAR(ours.weights[i], expected.weights[i], 1e-6f * p.weight_scale);
    }
}

TEST(Router, OfEqualScoresTheFirstWin) {
  EXPECT_EQ(choose(experts(8, 3), {}, std::vector<float>(8, 1.5f)).experts, (std::vector<int32_t>{0, 1, 2}));
  EXPECT_EQ(choose(experts(6, 2), {}, {0, 2, 2, 1, 2, 2}).experts, (std::vector<int32_t>{1, 2}));
  ExpertParameters grouped = experts(8, 2);
  grouped.groups = 4;
  grouped.groups_used = 2;
  EXPECT_EQ(choose(grouped, {}, {0, 0, 3, 0, 3, 0, 3, 0}).experts, (std::vector<int32_t>{2, 4}));
}

TEST(Router, ChoosesSomethingOfAnything) {
  ExpertParameters p = experts(6, 3);
  p.groups = 3;
  p.groups_used = 2;
  for (const ExpertGate gate : {ExpertGate::softmax, ExpertGate::sigmoid})
    for (const float odd : {NAN, INFINITY, -INFINITY}) {
      p.gate = gate;
      for (const std::vector<float>& logits :
           {std::vector<float>(6, odd), std::vector<float>{1, odd, 2, 3, odd, 4}}) {
        const Choice choice = choose(p, {}, logits);
        for (size_t i = 0; i < 3; ++i) {
          EXPECT_GE(choice.experts[i], 0);
          EXPECT_LT(choice.experts[i], 6);
          EXPECT_TRUE(i == 0 || choice.experts[i] > choice.experts[i - 1]);
        }
      }
    }
}

}  // namespace
}  // namespace baleen
