#include "decode/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace baleen {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity(),
                kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> random_logits(uint32_t seed, size_t rows, float spread) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> logits(rows);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

int32_t draw(Sampler& sampler, const std::vector<float>& logits, const SamplingParams& params,
             int32_t position = 0, const TokenCounts* counts = nullptr) {
  SampleRequest request{
      .params = &params, .counts = counts, .key = {params.seed, 0, position}, .logprobs = -1};
  return sampler.sample(logits, request).chosen.token;
}

/// The probabilities that the parameters ask for, by a full sort in long double.
std::vector<double> expected(const std::vector<float>& logits, const SamplingParams& params) {
  std::vector<size_t> order(logits.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  if (params.top_k > 0) order.resize(std::min(order.size(), static_cast<size_t>(params.top_k)));
  auto weight = [&](size_t i) {
    return std::exp((static_cast<long double>(logits[i]) - logits[order[0]]) / params.temperature);
  };
  long double total = 0, reached = 0, kept = 0;
  for (size_t i : order) total += weight(i);
  std::vector<double> shares(logits.size());
  for (size_t i : order) {
    if (reached >= params.top_p * total && params.top_p < 1 && reached > 0) break;
    reached += weight(i);
    if (weight(i) < params.min_p) continue;
    shares[i] = static_cast<double>(weight(i));
    kept += weight(i);
  }
  for (double& share : shares) share /= static_cast<double>(kept);
  return shares;
}

TEST(Sampler, GreedyTakesTheLowestOfEqualIds) {
  Sampler sampler(6, 5);
  SamplingParams greedy{.temperature = 0};
  EXPECT_EQ(draw(sampler, {1, 3, 2, 3, 3, 9}, greedy), 1);  // id 5 is a row without a token
  EXPECT_EQ(draw(sampler, {kNan, -kInfinity, -2, kNan, -2, 0}, greedy), 2);
  EXPECT_EQ(draw(sampler, {1, kInfinity, 2, kInfinity, 3, 0}, greedy), 1);
}

TEST(Sampler, SaysWhenNoLogitIsUsable) {
  Sampler sampler(3, 3);
  for (float temperature : {0.0F, 1.0F}) {
    SamplingParams params{.temperature = temperature};
    EXPECT_EQ(draw(sampler, {kNan, kNan, kNan}, params), -1);
    EXPECT_EQ(draw(sampler, {-kInfinity, kNan, -kInfinity}, params), -1);
    EXPECT_EQ(draw(sampler, {kNan, kInfinity, 0}, params), 1);
  }
}

TEST(Sampler, TakesAnInfiniteLogitWhateverIsCut) {
  Sampler sampler(4, 4);
  for (const SamplingParams& params :
       {SamplingParams{}, SamplingParams{.top_p = 0.9F}, SamplingParams{.top_k = 2},
        SamplingParams{.top_p = 0.5F, .top_k = 3}, SamplingParams{.min_p = 0.5F}})
    EXPECT_EQ(draw(sampler, {1, kNan, kInfinity, kInfinity}, params), 2);
}

struct Cut {
  float temperature, top_p;
  int32_t top_k;
  float min_p;
};

class SamplerCuts : public testing::TestWithParam<Cut> {};

TEST_P(SamplerCuts, DrawsAsOftenAsTheProbabilitiesSay) {
  const auto [temperature, top_p, top_k, min_p] = GetParam();
  SamplingParams params{
      .temperature = temperature, .top_p = top_p, .top_k = top_k, .min_p = min_p, .seed = 5};
  constexpr int kDraws = 40'000;
  for (float spread : {0.3F, 3.0F}) {
    std::vector<float> logits = random_logits(11, 61, spread);
    logits[7] = logits[13] = logits[40];  // ties at a border are cut by id
    const std::vector<double> shares = expected(logits, params);
    Sampler sampler(61, 61);
    std::vector<int> counts(61);
    for (int i = 0; i < kDraws; ++i) ++counts[static_cast<size_t>(draw(sampler, logits, params, i))];
    double chi_square = 0;
    int cells = 0;
    for (size_t id = 0; id < counts.size(); ++id) {
      if (shares[id] == 0) {
        EXPECT_EQ(counts[id], 0) << id;
        continue;
      }
      const double mean = shares[id] * kDraws;
      if (mean < 5) continue;
      chi_square += (counts[id] - mean) * (counts[id] - mean) / mean;
      ++cells;
    }
    EXPECT_LT(chi_square, cells + 5 * std::sqrt(2.0 * cells) + 5);
  }
}

INSTANTIATE_TEST_SUITE_P(All, SamplerCuts,
                         testing::Values(Cut{1, 1, 0, 0}, Cut{0.7F, 1, 0, 0}, Cut{1, 0.9F, 0, 0},
                                         Cut{1, 1, 5, 0}, Cut{1, 1, 0, 0.1F}, Cut{1.5F, 0.8F, 20, 0.05F},
                                         Cut{1, 0, 0, 0}, Cut{2, 0.999F, 0, 0}, Cut{1, 1, 1, 0},
                                         Cut{1, 1, 1000, 0}));

TEST(Sampler, LargeVocabularyKeepsTheSameTokensAsAFullSort) {
  constexpr size_t kRows = 20'000;
  Sampler sampler(kRows, kRows);
  for (float spread : {0.01F, 1.0F, 6.0F}) {  // flat distributions reach the last threshold
    const std::vector<float> logits = random_logits(3, kRows, spread);
    for (const Cut& cut :
         {Cut{1, 0.95F, 0, 0}, Cut{1, 0.5F, 0, 0}, Cut{1, 1, 50, 0}, Cut{0.2F, 0.9F, 3000, 0}}) {
      SamplingParams params{.temperature = cut.temperature, .top_p = cut.top_p, .top_k = cut.top_k};
      const std::vector<double> shares = expected(logits, params);
      for (int i = 0; i < 30; ++i)
        EXPECT_GT(shares[static_cast<size_t>(draw(sampler, logits, params, i))], 0);
    }
  }
}

TEST(Sampler, ADrawIsAFunctionOfSeedChoiceAndPosition) {
  // Computed in Python and written down: another machine or compiler must give the same numbers.
  EXPECT_EQ(uniform_draw({0, 0, 0}), 0x1.4e0dba5e9a32fp-1);
  EXPECT_EQ(uniform_draw({1, 2, 3}), 0x1.8838b831cfc00p-4);
  EXPECT_NE(uniform_draw({1, 0, 3}), uniform_draw({1, 3, 0}));
  double sum = 0;
  for (int32_t position = 0; position < 10'000; ++position) {
    const double u = uniform_draw({7, 0, position});
    ASSERT_TRUE(u >= 0 && u < 1);
    sum += u;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.015);
}

TEST(Sampler, PenaltiesAndBias) {
  const std::vector<int32_t> prompt{2, 2, 0};
  TokenCounts counts(prompt);
  counts.add(1);
  counts.add(1);
  counts.add(2);
  Sampler sampler(4, 4);
  SamplingParams params{.temperature = 0};
  params.repetition_penalty = 2;
  EXPECT_EQ(draw(sampler, {2, 1.9F, 3, 1.6F}, params, 0, &counts), 3);   // 1, 0.95, 1.5, 1.6
  EXPECT_EQ(draw(sampler, {-2, -1, -1, -2.1F}, params, 0, &counts), 1);  // -4, -2, -2, -2.1
  params.repetition_penalty = 1;
  params.presence_penalty = 1;
  EXPECT_EQ(draw(sampler, {1.5F, 2.4F, 2.4F, 0}, params, 0, &counts), 0);  // output only: 1.5, 1.4, 1.4
  params.presence_penalty = 0;
  params.frequency_penalty = 0.5F;
  EXPECT_EQ(draw(sampler, {1, 2.2F, 1.8F, 1}, params, 0, &counts), 2);  // 1, 1.2, 1.3, 1
  params.frequency_penalty = 0;
  params.logit_bias = {{3, 100.0F}, {2, -100.0F}};
  EXPECT_EQ(draw(sampler, {1, 2, 50, 0}, params, 0, &counts), 3);
}

TEST(Sampler, LogprobsAreOfTheRawLogitsAndSumToOne) {
  const std::vector<float> logits = random_logits(4, 333, 2);
  Sampler sampler(333, 300);
  SamplingParams params{.temperature = 0.5F, .top_p = 0.9F, .logit_bias = {{17, 20.0F}}, .seed = 3};
  SampleRequest request{.params = &params, .counts = nullptr, .key = {3, 0, 9}, .logprobs = 20};
  const Sample sample = sampler.sample(logits, request);
  EXPECT_EQ(sample.chosen.token, 17);
  double normaliser = 0;
  for (float logit : logits) normaliser += std::exp(double{logit});
  EXPECT_NEAR(sample.chosen.logprob, logits[17] - std::log(normaliser), 1e-6);
  ASSERT_EQ(sample.top.size(), 20U);
  for (size_t i = 1; i < sample.top.size(); ++i) EXPECT_GE(sample.top[i - 1].logprob, sample.top[i].logprob);
  const auto best = std::ranges::max_element(logits.begin(), logits.begin() + 300) - logits.begin();
  EXPECT_EQ(sample.top[0].token, best);

  double sum = 0;
  for (int32_t id = 0; id < 333; ++id) sum += std::exp(double{sampler.score(logits, id, 0).chosen.logprob});
  EXPECT_NEAR(sum, 1, 1e-6);
}

TEST(Sampler, ScoringLaterGivesTheSameDigits) {
  const std::vector<float> logits = random_logits(8, 1000, 3);
  Sampler sampler(1000, 1000);
  SamplingParams params{.temperature = 0};
  SampleRequest request{.params = &params, .counts = nullptr, .key = {}, .logprobs = 5};
  const Sample sampled = sampler.sample(logits, request);
  const Sample scored = sampler.score(logits, sampled.chosen.token, 5);
  EXPECT_EQ(sampled.chosen.logprob, scored.chosen.logprob);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(sampled.top[i].token, scored.top[i].token);
    EXPECT_EQ(sampled.top[i].logprob, scored.top[i].logprob);
  }
}

TEST(Sampler, TopListSkipsWhatIsNoNumberAndBreaksTiesById) {
  Sampler sampler(5, 5);
  const std::vector<float> logits{1, kNan, 2, 2, -kInfinity};
  const Sample scored = sampler.score(logits, 4, 20);
  EXPECT_EQ(scored.chosen.logprob, -9999);
  ASSERT_EQ(scored.top.size(), 4U);
  EXPECT_EQ(scored.top[0].token, 2);
  EXPECT_EQ(scored.top[1].token, 3);
  EXPECT_EQ(scored.top[2].token, 0);
  EXPECT_EQ(scored.top[3].token, 4);
}

}  // namespace
}  // namespace baleen
