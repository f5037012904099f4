// The absorbed form against the expanded one, in which every head has keys and values of its own (arXiv 2405.04434,
// equations 37 to 47).
#include "models/latent_attention.h"

#include <cmath>
#include <random>
#include <vector>

#include "golden.h"
#include "gtest/gtest.h"
#include "models/kv_pages.h"

namespace baleen {
namespace {

constexpr int32_t kRows = 45;  // two pages
constexpr int32_t kLayer = 1;

std::vector<float> floats_of(const Checkpoint& checkpoint, const std::string& name) {
  const Tensor* tensor = checkpoint.find("blk." + std::to_string(kLayer) + "." + name + ".weight");
  if (tensor == nullptr || tensor->type != BlockType::f32) {
    ADD_FAILURE() << name;
    return {};
  }
  const auto* values = reinterpret_cast<const float*>(tensor->bytes.data());
  return {values, values + tensor->bytes.size() / sizeof(float)};
}

/// A layer's attention, its weights as floats, and what it takes to run it alone.
struct Layer {
  explicit Layer(const Checkpoint& checkpoint)
      : compute{&kernels(best_isa()), &threads},
        params(checkpoint.params()),
        keys(floats_of(checkpoint, "attn_k_b")),
        values(floats_of(checkpoint, "attn_v_b")),
        out(floats_of(checkpoint, "attn_output")),
        rope(params.rope, {}),
        scratch(1 << 24) {
    const LoadOptions options;
    WeightLoader loader(checkpoint, compute, options);
    attention = LatentAttention::load(loader, kLayer);
    EXPECT_FALSE(loader.failed());
  }

  ThreadPool threads{2};
  Compute compute;
  HyperParameters params;
  std::vector<float> keys, values, out;  ///< [heads][rank][nope], [heads][value][rank], [dim][heads * value]
  LatentAttention attention;
  Rope rope;
  Workspace scratch;
};

double dot(const float* a, const float* b, int64_t count, int64_t stride = 1) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += double{a[i]} * b[i * stride];
  return sum;
}

/// A head's gathered values for a query, in double.
std::vector<double> expanded(const Layer& layer, const LatentAttention::Projections& p, int64_t head,
                             int64_t row) {
  const LatentParameters& latent = layer.params.latent;
  const int64_t rank = latent.kv_rank, nope = latent.nope_dim, head_dim = nope + latent.rope_dim;
  const float* q = p.queries.row(row) + head * head_dim;
  std::vector<double> scores, gathered(static_cast<size_t>(latent.value_dim));
  double total = 0;
  for (int64_t token = 0; token <= row; ++token) {
    const float* c = p.latents.row(token);
    double score = dot(q + nope, c + rank, latent.rope_dim);
    for (int64_t n = 0; n < nope; ++n)
      score += double{q[n]} * dot(c, layer.keys.data() + head * rank * nope + n, rank, nope);
    scores.push_back(std::exp(score * double{LatentAttention::shape(layer.params).scale}));
    total += scores.back();
  }
  for (int64_t token = 0; token <= row; ++token)
    for (int64_t v = 0; v < latent.value_dim; ++v)
      gathered[static_cast<size_t>(v)] +=
          scores[static_cast<size_t>(token)] / total *
          dot(p.latents.row(token), layer.values.data() + (head * latent.value_dim + v) * rank, rank);
  return gathered;
}

/// What the layer adds to row `row`.
std::vector<double> expanded_row(const Layer& layer, const LatentAttention::Projections& p, int64_t row) {
  std::vector<double> values, sums(static_cast<size_t>(layer.params.dim));
  for (int64_t head = 0; head < layer.params.heads; ++head) {
    const std::vector<double> gathered = expanded(layer, p, head, row);
    values.insert(values.end(), gathered.begin(), gathered.end());
  }
  for (size_t d = 0; d < sums.size(); ++d)
    for (size_t i = 0; i < values.size(); ++i)
      sums[d] += values[i] * double{layer.out[d * values.size() + i]};
  return sums;
}

TEST(LatentAttention, AbsorbedIsExpanded) {
  const auto checkpoint = Checkpoint::open(test::golden_model("deepseek-v2-lite-f32"));
  ASSERT_TRUE(checkpoint.has_value());
  Layer layer(*checkpoint);
  const HyperParameters& params = layer.params;
  const KvLayout layout{.layers = kLayer + 1,
                        .kv_heads = 1,
                        .key_dim = params.latent.kv_rank + params.latent.rope_dim,
                        .value_dim = params.latent.kv_rank,
                        .type = KvType::f32,
                        .shape = KvShape::latent};
  auto pool = PagePool::make(layout, 2 * layout.page_bytes());
  ASSERT_TRUE(pool.has_value());
  PageTable pages{{*pool->take(), *pool->take()}, kRows};
  const std::vector<int32_t> tokens(kRows);
  const Step::Part part{&pages, 0, kRows, 0};
  const Step step{tokens, {&part, 1}, {}};
  StepReport report;
  const Pass pass{layer.compute, step, *pool, layer.scratch, report};

  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  const Rows h = pass.take_rows(kRows, params.dim), x = pass.take_rows(kRows, params.dim);
  for (int64_t i = 0; i < h.count * h.width; ++i) h.data[i] = normal(random);
  std::fill_n(x.data, x.count * x.width, 0.0f);
  const auto p = layer.attention.project(pass, h);
  layer.attention.rotate(pass, layer.rope, layer.rope.rotation(pass), p);
  store_latents(pass, kLayer, p.latents);
  const Attention attention(LatentAttention::shape(params));
  layer.attention.multiply_add(pass, attention.attend(pass, kLayer, layer.attention.absorb(pass, p.queries)),
                               x);

  for (int64_t row = 0; row < kRows; ++row) {
    const std::vector<double> expected = expanded_row(layer, p, row);
    for (int64_t d = 0; d < params.dim; ++d)
      EXPECT_NEAR(x.row(row)[d], expected[static_cast<size_t>(d)], 2e-5);
  }
}

}  // namespace
}  // namespace baleen
