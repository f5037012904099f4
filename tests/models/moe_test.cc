// A mixture of experts by itself against its formula in double, and which weights a step reads.
#include "models/moe.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "golden.h"
#include "gtest/gtest.h"

namespace baleen {
namespace {

constexpr int32_t kExperts = 7, kUsed = 3;
constexpr int64_t kDim = 20, kFfn = 18, kSharedFfn = 5;

using Floats = std::vector<float>;

/// Random weights, packed and as floats.
struct Matrix {
  Matrix(int64_t rows, int64_t cols, const Compute& compute, std::mt19937& random)
      : values(static_cast<size_t>(rows * cols)) {
    std::normal_distribution<float> normal(0, 0.3F);
    for (float& value : values) value = normal(random);
    auto packed = PackedMatrix::pack(
        {BlockType::f32, rows, cols, reinterpret_cast<const std::byte*>(values.data())}, compute);
    EXPECT_TRUE(packed.has_value());
    linear = Linear(std::make_shared<PackedMatrix>(std::move(*packed)), {});
  }
  std::vector<double> times(const std::vector<double>& x) const {
    std::vector<double> product(values.size() / x.size());
    for (size_t i = 0; i < values.size(); ++i) product[i / x.size()] += double{values[i]} * x[i % x.size()];
    return product;
  }
  Floats values;
  Linear linear;
};

struct MlpMatrices {
  MlpMatrices(int64_t ffn, const Compute& compute, std::mt19937& random)
      : gate(ffn, kDim, compute, random), up(ffn, kDim, compute, random), down(kDim, ffn, compute, random) {}
  Mlp mlp() const { return {gate.linear, up.linear, down.linear}; }
  std::vector<double> times(const std::vector<double>& x) const {
    std::vector<double> inner = gate.times(x);
    const std::vector<double> u = up.times(x);
    for (size_t i = 0; i < u.size(); ++i) inner[i] = inner[i] / (1 + std::exp(-inner[i])) * u[i];
    return down.times(inner);
  }
  Matrix gate, up, down;
};

class MoeAlone : public testing::Test {
 protected:
  MoeAlone() {
    for (int32_t expert = 0; expert < kExperts; ++expert) experts_.emplace_back(kFfn, compute_, random_);
    moe_.gate = gate_.linear;
    moe_.router = Router({.count = kExperts, .used = kUsed}, {});
    for (const MlpMatrices& expert : experts_) moe_.experts.push_back(expert.mlp());
    moe_.shared = shared_.mlp();
    moe_.has_shared = true;
  }

  /// Of rows h [rows, dim] added to x.
  StepReport run(Floats h, Floats& x) const {
    const auto rows = static_cast<int64_t>(h.size()) / kDim;
    Workspace scratch(moe_.scratch_bytes(compute_, rows));
    PagePool pool = std::move(*PagePool::make({1, 1, 1, 1, KvType::f32, KvShape::heads}, 1 << 10));
    StepReport report;
    const Step step;
    const Pass pass{compute_, step, pool, scratch, report};
    moe_.multiply_add(pass, {h.data(), rows, kDim, kDim}, {x.data(), rows, kDim, kDim});
    return report;
  }

  /// The experts that a row goes to, best first.
  std::vector<size_t> chosen(const std::vector<double>& scores) const {
    std::vector<size_t> order(kExperts);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    order.resize(kUsed);
    return order;
  }
  std::vector<double> scores(const std::vector<double>& h) const {
    std::vector<double> scores = gate_.times(h);
    double sum = 0;
    for (double& score : scores) sum += score = std::exp(score);
    for (double& score : scores) score /= sum;
    return scores;
  }

  ThreadPool threads_{2};
  const Compute compute_{&kernels(best_isa()), &threads_};
  std::mt19937 random_{4};
  Matrix gate_{kExperts, kDim, compute_, random_};
  std::vector<MlpMatrices> experts_;
  MlpMatrices shared_{kSharedFfn, compute_, random_};
  Moe moe_;
};

TEST_F(MoeAlone, IsItsFormulaAndReadsWhatTokensChose) {
  std::normal_distribution<float> normal;
  for (const size_t rows : {1, 2, 5, 40}) {
    Floats h(rows * kDim), x(rows * kDim);
    for (float& value : h) value = normal(random_);
    for (float& value : x) value = normal(random_);
    const Floats before = x;
    const StepReport report = run(h, x);
    std::set<size_t> touched;
    for (size_t row = 0; row < rows; ++row) {
      const std::vector<double> in(&h[row * kDim], &h[row * kDim] + kDim), weights = scores(in);
      std::vector<double> out = shared_.times(in);
      for (const size_t expert : chosen(weights)) {
        const std::vector<double> answer = experts_[expert].times(in);
        for (size_t i = 0; i < out.size(); ++i) out[i] += weights[expert] * answer[i];
        touched.insert(expert);
      }
      for (size_t i = 0; i < out.size(); ++i)
        EXPECT_NEAR(x[row * kDim + i], before[row * kDim + i] + out[i], 1e-5) << rows << " rows";
    }
    EXPECT_EQ(report.routed_bytes,
              static_cast<int64_t>(touched.size()) * moe_.experts.front().packed_bytes());
  }
}

/// What a step of a golden model reads of its experts: several sequences, a token each.
int64_t routed_bytes(const Model& model, const std::vector<int32_t>& tokens) {
  const auto rows = static_cast<int32_t>(tokens.size());
  const KvLayout layout = model.kv_layout(KvType::f16);
  auto pool = PagePool::make(layout, tokens.size() * layout.page_bytes());
  std::vector<PageTable> tables(tokens.size());
  std::vector<Step::Part> parts;
  for (int32_t row = 0; row < rows; ++row) {
    PageTable& table = tables[static_cast<size_t>(row)];
    table = {{*pool->take()}, 1};
    parts.push_back({&table, row, 1, 0});
  }
  std::vector<int32_t> wanted(tokens.size());
  std::iota(wanted.begin(), wanted.end(), 0);
  std::vector<float> logits(tokens.size() * static_cast<size_t>(model.params().vocab_rows));
  Workspace scratch(model.scratch_bytes(rows, rows));
  return model.forward({tokens, parts, wanted}, *pool, scratch, logits.data()).routed_bytes;
}

TEST(StepReport, CountsEachTouchedExpertOnce) {
  for (const char* name : {"qwen3-moe", "deepseek-v3", "deepseek-v2-lite-f32"}) {
    const test::TestModel loaded = test::load(test::golden_model(name), best_isa(), 2);
    const Model& model = *loaded.model;
    const ExpertParameters& experts = model.params().experts;
    const int64_t all = model.cost().routed_bytes, one = all / experts.count * experts.used;
    EXPECT_EQ(routed_bytes(model, {7}), one) << name;
    EXPECT_EQ(routed_bytes(model, {7, 7, 7}), one) << name;
    const int64_t two = routed_bytes(model, {7, 8});
    EXPECT_GT(two, one) << name;
    EXPECT_LE(two, 2 * one) << name;
    EXPECT_EQ(routed_bytes(model, {8, 7, 8}), two) << name;
    std::vector<int32_t> many(300);
    std::iota(many.begin(), many.end(), 0);
    EXPECT_LE(routed_bytes(model, many), all) << name;
    EXPECT_GT(routed_bytes(model, many), all / 10 * 9) << name;
  }
}

TEST(StepReport, DenseModelsHaveNoRoutedExperts) {
  const test::TestModel loaded = test::load(test::golden_model("llama-gqa-f32"), best_isa(), 2);
  EXPECT_EQ(routed_bytes(*loaded.model, {1, 2, 3}), 0);
  EXPECT_EQ(loaded.model->cost().routed_bytes, 0);
}

}  // namespace
}  // namespace baleen
