#include "models/dense_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "models/embedding.h"
#include "models/norm.h"

namespace baleen {
namespace {

constexpr size_t kSlack = 64;  // what is taken from a workspace is aligned to as much

/// What a thread needs for its share of a step.
struct ThreadShare {
  StepShare share;
  std::span<std::byte> memory;
  StepReport report;  // of experts, which models in shares have none of
};

DenseLayer load_layer(WeightLoader& loader, int32_t index) {
  const HyperParameters& p = loader.params();
  const std::string block = "blk." + std::to_string(index) + ".";
  DenseLayer layer;
  layer.attn_norm = loader.vector(block + "attn_norm.weight", p.dim);
  layer.q = loader.linear(block + "attn_q", int64_t{p.heads} * p.key_dim, p.dim);
  layer.k = loader.linear(block + "attn_k", int64_t{p.kv_heads} * p.key_dim, p.dim);
  layer.v = loader.linear(block + "attn_v", int64_t{p.kv_heads} * p.value_dim, p.dim);
  layer.q_norm = loader.optional_vector(block + "attn_q_norm.weight", p.key_dim);
  layer.k_norm = loader.optional_vector(block + "attn_k_norm.weight", p.key_dim);
  layer.out = loader.linear(block + "attn_output", p.dim, int64_t{p.heads} * p.value_dim);
  layer.ffn_norm = loader.vector(block + "ffn_norm.weight", p.dim);
  layer.ffn = FeedForward::load(loader, index);
  return layer;
}

}  // namespace

DenseModel::DenseModel(WeightLoader& loader) : compute_(loader.compute()), params_(loader.params()) {
  embedding_ = loader.linear("token_embd", params_.vocab_rows, params_.dim);
  output_norm_ = loader.vector("output_norm.weight", params_.dim);
  output_ =
      loader.has("output.weight") ? loader.linear("output", params_.vocab_rows, params_.dim) : embedding_;
  for (int32_t index = 0; index < params_.layers && !loader.failed(); ++index)
    layers_.push_back(load_layer(loader, index));
  if (loader.failed()) return;
  rope_ = Rope(params_.rope, loader.optional_vector("rope_freqs.weight", params_.rope.dimensions / 2));
  attention_ = Attention({.heads = params_.heads,
                          .kv_heads = params_.kv_heads,
                          .key_dim = params_.key_dim,
                          .value_dim = params_.value_dim,
                          .scale = 1.0f / std::sqrt(static_cast<float>(params_.key_dim)),
                          .window = params_.sliding_window});
  const bool alone = compute_.alone != nullptr && !params_.experts.exist();
  policy_ = SharePolicy(alone ? compute_.pool->size() : 1, cost().packed_bytes / params_.layers);
}

StepReport DenseModel::forward(const Step& step, PagePool& pool, Workspace& scratch, float* logits) const {
  using Clock = std::chrono::steady_clock;
  StepReport report;
  const ScratchScope scope(scratch);
  const Pass pass{compute_, step, pool, scratch, report};
  const bool possible = policy_.possible(step);
  const Clock::time_point start = Clock::now();
  const Rows x = possible && policy_.in_shares() ? run_in_shares(pass) : run(pass);
  output_.multiply_into(pass, x, row_norm(output_norm_, params_.norm_eps), logits);
  if (possible)
    policy_.note(std::chrono::duration<double>(Clock::now() - start).count() /
                 static_cast<double>(step.tokens.size()));
  return report;
}

Rows DenseModel::run_in_shares(const Pass& pass) const {
  const Step& step = pass.step;
  Workspace& scratch = pass.scratch;
  const Rows x = pass.take_rows(std::ssize(step.wanted), params_.dim);
  const ScratchScope scope(scratch);
  const int64_t threads = compute_.pool->size();
  auto* all = scratch.take<ThreadShare>(threads);
  for (int64_t i = 0; i < threads; ++i) {
    const StepShare share = take_share(step, i, threads, scratch);
    const size_t bytes = kSlack + scratch_bytes_on(compute_.alone[i], std::ssize(share.step.tokens),
                                                   std::ssize(share.step.wanted));
    all[i] = {share, {scratch.take<std::byte>(static_cast<int64_t>(bytes)), bytes}, {}};
  }
  compute_.pool->parallel_for(threads, [&](int64_t i, int) {
    const StepShare& share = all[i].share;
    Workspace own(all[i].memory);
    const Rows rows = run({compute_.alone[i], share.step, pass.pool, own, all[i].report});
    for (int64_t row = 0; row < rows.count; ++row)
      std::copy_n(rows.row(row), rows.width, x.row(share.wanted_before + row));
  });
  return x;
}

size_t DenseModel::scratch_bytes(int64_t rows, int64_t wanted) const {
  const size_t whole = scratch_bytes_on(compute_, rows, wanted);
  if (compute_.alone == nullptr) return whole;
  const int64_t threads = compute_.pool->size(), most = share_rows(rows, threads);
  const size_t share = scratch_bytes_on(compute_.alone[0], most, std::min(most, wanted));
  const size_t of_thread = 2 * kSlack + share + share_bytes(most, most) + sizeof(ThreadShare);
  const size_t shares =
      rows_bytes(wanted, params_.dim) + static_cast<size_t>(threads) * of_thread + 2 * kSlack;
  return std::max(whole, shares);
}

bool DenseModel::has_rope(int32_t layer) const {
  return !std::ranges::binary_search(params_.layers_without_rope, layer);
}

KvLayout DenseModel::kv_layout(KvType type) const {
  return {params_.layers, params_.kv_heads, params_.key_dim, params_.value_dim, type, KvShape::heads};
}

size_t DenseModel::scratch_bytes_on(const Compute& compute, int64_t rows, int64_t wanted) const {
  const HyperParameters& p = params_;
  const int64_t q = int64_t{p.heads} * p.key_dim, k = int64_t{p.kv_heads} * p.key_dim;
  const int64_t v = int64_t{p.kv_heads} * p.value_dim;
  const MultiplySize product{.rows = rows,
                             .cols = std::max<int64_t>({p.dim, q, int64_t{p.heads} * p.value_dim})};
  size_t ffn = 0;
  for (const DenseLayer& layer : layers_) ffn = std::max(ffn, layer.ffn.scratch_bytes(compute, rows));
  const size_t around = rows_bytes(rows, p.dim) + 2 * rows_bytes(rows, p.rope.dimensions / 2);
  const size_t attention = rows_bytes(rows, q) + rows_bytes(rows, k) + rows_bytes(rows, v) +
                           attention_.scratch_bytes(compute, rows) + multiply_scratch_bytes(compute, product);
  const size_t layer = attention + ffn;
  const size_t end = multiply_scratch_bytes(compute, {.rows = wanted, .cols = p.dim});
  return around + std::max(layer, end);
}

ModelCost DenseModel::cost() const {
  ModelCost cost;
  for (const DenseLayer& layer : layers_) {
    for (const Linear* linear : {&layer.q, &layer.k, &layer.v, &layer.out}) linear->add_cost(cost);
    layer.ffn.add_cost(cost);
    cost.add_vectors({&layer.attn_norm, &layer.q_norm, &layer.k_norm, &layer.ffn_norm});
  }
  ModelCost last;
  layers_.back().out.add_cost(last);
  layers_.back().ffn.add_cost(last);
  cost.only_wanted(last);
  cost.add_vectors({&output_norm_});
  add_ends(embedding_, output_, cost);
  return cost;
}

}  // namespace baleen
