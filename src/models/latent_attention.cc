#include "models/latent_attention.h"

#include <algorithm>
#include <cmath>

#include "formats/yarn.h"
#include "models/latent_halves.h"
#include "models/norm.h"

namespace baleen {
LatentAttention LatentAttention::load(WeightLoader& loader, int32_t layer) {
  const HyperParameters& p = loader.params();
  const LatentParameters& latent = p.latent;
  const std::string block = "blk." + std::to_string(layer) + ".attn_";
  const int64_t queries = int64_t{p.heads} * p.key_dim;
  LatentAttention a;
  a.latent_ = latent;
  a.heads_ = p.heads;
  a.norm_eps_ = p.norm_eps;
  if (latent.q_rank > 0) {
    a.q_a_ = loader.linear(block + "q_a", latent.q_rank, p.dim);
    a.q_norm_ = loader.vector(block + "q_a_norm.weight", latent.q_rank);
    a.q_ = loader.linear(block + "q_b", queries, latent.q_rank);
  } else {
    a.q_ = loader.linear(block + "q", queries, p.dim);
  }
  a.kv_a_ = loader.linear(block + "kv_a_mqa", latent.kv_rank + latent.rope_dim, p.dim);
  a.kv_norm_ = loader.vector(block + "kv_a_norm.weight", latent.kv_rank);
  if (loader.has(block + "k_b.weight")) {
    a.keys_ = loader.stack(block + "k_b.weight", p.heads, latent.kv_rank, latent.nope_dim);
    a.values_ = loader.stack(block + "v_b.weight", p.heads, latent.value_dim, latent.kv_rank);
  } else {
    const int64_t rows = int64_t{p.heads} * (latent.nope_dim + latent.value_dim);
    const std::string kv_b = block + "kv_b.weight";
    const LatentHalves halves = split_latent_halves(loader.floats(kv_b, rows, latent.kv_rank), latent);
    a.keys_ = loader.made(kv_b, halves.keys, latent.kv_rank, latent.nope_dim);
    a.values_ = loader.made(kv_b, halves.values, latent.value_dim, latent.kv_rank);
  }
  a.out_ = loader.linear(block + "output", p.dim, int64_t{p.heads} * latent.value_dim);
  return a;
}

LatentAttention::Projections LatentAttention::project(const Pass& pass, Rows h) const {
  Projections p;
  if (q_norm_.empty()) {
    const auto [q, kv] = Linear::multiply_all<2>(pass, h, {&q_, &kv_a_});
    p = {.compressed = {}, .queries = q, .latents = kv};
  } else {
    const auto [q, kv] = Linear::multiply_all<2>(pass, h, {&q_a_, &kv_a_});
    rms_norm_front(pass, q, q_norm_, norm_eps_);
    p = {.compressed = q, .queries = q_.multiply(pass, q), .latents = kv};
  }
  rms_norm_front(pass, p.latents, kv_norm_, norm_eps_);
  return p;
}

void LatentAttention::rotate(const Pass& pass, const Rope& rope, const Rotation& rotation,
                             const Projections& projections) const {
  const int64_t head_dim = latent_.nope_dim + latent_.rope_dim, row = latent_.kv_rank + latent_.rope_dim;
  rope.rotate(pass, rotation, projections.queries, head_dim, latent_.nope_dim);
  rope.rotate(pass, rotation, projections.latents, row, latent_.kv_rank);
}

Rows LatentAttention::absorb(const Pass& pass, Rows queries) const {
  const int64_t head_dim = latent_.nope_dim + latent_.rope_dim, row_dim = latent_.kv_rank + latent_.rope_dim;
  const Rows absorbed = pass.take_rows(queries.count, heads_ * row_dim);
  multiply_heads(pass, keys_, queries, absorbed);  // the parts without position
  for_each_row(pass, queries.count, [&](int64_t row) {
    for (int64_t head = 0; head < heads_; ++head)
      std::copy_n(queries.row(row) + head * head_dim + latent_.nope_dim, latent_.rope_dim,
                  absorbed.row(row) + head * row_dim + latent_.kv_rank);
  });
  return absorbed;
}

void LatentAttention::multiply_add(const Pass& pass, Rows gathered, Rows x) const {
  const Rows values = pass.take_rows(x.count, int64_t{heads_} * latent_.value_dim);
  multiply_heads(pass, values_, gathered, values);
  out_.multiply_add(pass, values, x);
}

AttentionShape LatentAttention::shape(const HyperParameters& p) {
  const bool yarn = p.rope.scaling == RopeScaling::yarn && p.rope.mscale_all_dim != 0;
  const auto mscale = static_cast<float>(yarn ? yarn_mscale(p.rope.factor, p.rope.mscale_all_dim) : 1.0);
  return {.heads = p.heads,
          .kv_heads = 1,
          .key_dim = p.latent.kv_rank + p.latent.rope_dim,
          .value_dim = p.latent.kv_rank,
          .scale = mscale * mscale / std::sqrt(static_cast<float>(p.key_dim))};
}

size_t LatentAttention::scratch_bytes(const Compute& compute, int64_t rows) const {
  const int64_t heads = heads_, latents = latent_.kv_rank + latent_.rope_dim;
  const int64_t widest = std::max({kv_a_.weights().cols(), q_.weights().cols(), heads * latent_.value_dim});
  return rows_bytes(rows, latent_.q_rank) + rows_bytes(rows, q_.weights().rows()) +
         rows_bytes(rows, latents) + rows_bytes(rows, heads * latents) +
         rows_bytes(rows, heads * latent_.value_dim) +
         std::max({multiply_scratch_bytes(compute, {.rows = rows, .cols = widest}),
                   multiply_heads_scratch_bytes(compute, keys_, rows),
                   multiply_heads_scratch_bytes(compute, values_, rows)});
}

void LatentAttention::add_cost(ModelCost& cost) const {
  for (const Linear* linear : {&q_, &kv_a_}) linear->add_cost(cost);
  if (!q_norm_.empty()) q_a_.add_cost(cost);
  for (const Linear& head : keys_) head.add_cost(cost);
  add_end_cost(cost);
  cost.add_vectors({&q_norm_, &kv_norm_});
}

void LatentAttention::add_end_cost(ModelCost& cost) const {
  for (const Linear& head : values_) head.add_cost(cost);
  out_.add_cost(cost);
}

}  // namespace baleen
