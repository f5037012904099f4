#include "models/feed_forward.h"

#include <utility>

#include "models/norm.h"

namespace baleen {
namespace {

Mlp load_mlp(WeightLoader& loader, const std::string& block, const std::string& ending, int64_t ffn) {
  const int64_t dim = loader.params().dim;
  return {.gate = loader.linear(block + "ffn_gate" + ending, ffn, dim),
          .up = loader.linear(block + "ffn_up" + ending, ffn, dim),
          .down = loader.linear(block + "ffn_down" + ending, dim, ffn)};
}

Moe load_moe(WeightLoader& loader, int32_t layer, const std::string& block) {
  const ExpertParameters& p = loader.params().experts;
  const int64_t dim = loader.params().dim;
  Moe moe;
  moe.gate = loader.linear(block + "ffn_gate_inp", p.count, dim);
  moe.router =
      Router(p, p.selection_bias ? loader.vector(block + "exp_probs_b.bias", p.count) : std::vector<float>());
  std::vector<Linear> gate = loader.experts(layer, "ffn_gate_exps.weight", p.ffn_dim, dim);
  std::vector<Linear> up = loader.experts(layer, "ffn_up_exps.weight", p.ffn_dim, dim);
  std::vector<Linear> down = loader.experts(layer, "ffn_down_exps.weight", dim, p.ffn_dim);
  if (loader.failed()) return moe;
  for (size_t e = 0; e < gate.size(); ++e)
    moe.experts.push_back({std::move(gate[e]), std::move(up[e]), std::move(down[e])});
  if (p.shared == 0) return moe;
  moe.has_shared = true;
  moe.shared = load_mlp(loader, block, "_shexp", int64_t{p.shared} * p.ffn_dim);
  return moe;
}

}  // namespace

FeedForward FeedForward::load(WeightLoader& loader, int32_t layer) {
  const HyperParameters& p = loader.params();
  const std::string block = "blk." + std::to_string(layer) + ".";
  FeedForward loaded;
  if (p.experts.exist() && layer >= p.experts.leading_dense_layers) {
    loaded.block_ = load_moe(loader, layer, block);
  } else {
    loaded.block_ = load_mlp(loader, block, "", p.ffn_dim);
  }
  return loaded;
}

void FeedForward::multiply_add(const Pass& pass, RowNorm norm, Rows x) const {
  if (const Mlp* mlp = std::get_if<Mlp>(&block_)) return mlp->multiply_add(pass, norm, x);
  const ScratchScope scope(pass.scratch);
  std::get<Moe>(block_).multiply_add(pass, rms_norm(pass, x, norm),
                                     x);  // router and experts take the same rows
}

size_t FeedForward::scratch_bytes(const Compute& compute, int64_t rows) const {
  if (const Mlp* mlp = std::get_if<Mlp>(&block_)) return mlp->scratch_bytes(compute, rows);
  const Moe& moe = std::get<Moe>(block_);
  return rows_bytes(rows, moe.gate.weights().cols()) + moe.scratch_bytes(compute, rows);
}

void FeedForward::add_cost(ModelCost& cost) const {
  std::visit([&](const auto& block) { block.add_cost(cost); }, block_);
}

}  // namespace baleen
