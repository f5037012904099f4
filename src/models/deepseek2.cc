// DeepSeek V2, V2-Lite, V3 and R1 (arXiv 2405.04434, 2412.19437): latent attention, and experts behind the first
// layers. V3.2 (arXiv 2512.02556): an indexer chooses the keys that a query attends to.
#include <algorithm>
#include <memory>

#include "models/architectures.h"
#include "models/embedding.h"
#include "models/feed_forward.h"
#include "models/indexer.h"
#include "models/kv_pages.h"
#include "models/latent_attention.h"
#include "models/norm.h"

namespace baleen {
namespace {

struct Layer {
  std::vector<float> attn_norm;  ///< [dim]
  LatentAttention attention;
  Indexer indexer;
  std::vector<float> ffn_norm;  ///< [dim]
  FeedForward ffn;
};

class DeepSeek2 final : public Model {
 public:
  explicit DeepSeek2(WeightLoader& loader) : compute_(loader.compute()), params_(loader.params()) {
    embedding_ = loader.linear("token_embd", params_.vocab_rows, params_.dim);
    output_norm_ = loader.vector("output_norm.weight", params_.dim);
    output_ =
        loader.has("output.weight") ? loader.linear("output", params_.vocab_rows, params_.dim) : embedding_;
    for (int32_t index = 0; index < params_.layers && !loader.failed(); ++index) {
      const std::string block = "blk." + std::to_string(index) + ".";
      layers_.push_back({.attn_norm = loader.vector(block + "attn_norm.weight", params_.dim),
                         .attention = LatentAttention::load(loader, index),
                         .indexer = Indexer::load(loader, index),
                         .ffn_norm = loader.vector(block + "ffn_norm.weight", params_.dim),
                         .ffn = FeedForward::load(loader, index)});
    }
    rope_ = Rope(params_.rope, {});
    attention_ = Attention(LatentAttention::shape(params_));
  }

  StepReport forward(const Step& step, PagePool& pool, Workspace& scratch, float* logits) const override {
    StepReport report;
    const Pass pass{compute_, step, pool, scratch, report};
    const ScratchScope whole(scratch);
    Rows x = embed(pass, embedding_);                // [rows, dim]
    const Rotation rotation = rope_.rotation(pass);  // 2 x [rows, rope / 2]
    for (int32_t index = 0; const Layer& layer : layers_) {
      const ScratchScope one_layer(scratch);
      const Rows h = rms_norm(pass, x, row_norm(layer.attn_norm, params_.norm_eps));  // [rows, dim]
      const auto p = layer.attention.project(pass, h);                                // queries and latents
      layer.attention.rotate(pass, rope_, rotation, p);
      store_latents(pass, index, p.latents);
      const Selection keys = layer.indexer.select(pass, index, h, p.compressed, rotation);
      const Rows q = layer.attention.absorb(pass, p.queries);  // [rows, heads * (kv_rank + rope)]
      Rows a = attention_.attend(pass, index, q, keys);        // [rows, heads * kv_rank]
      if (index + 1 == params_.layers) keep_wanted(pass, {&x, &a});
      layer.attention.multiply_add(pass, a, x);                                     // x += out * values(a)
      layer.ffn.multiply_add(pass, row_norm(layer.ffn_norm, params_.norm_eps), x);  // MLP or experts
      ++index;
    }
    output_.multiply_into(pass, x, row_norm(output_norm_, params_.norm_eps), logits);
    return report;
  }

  KvLayout kv_layout(KvType type) const override {
    return {.layers = params_.layers,
            .kv_heads = 1,
            .key_dim = params_.latent.kv_rank + params_.latent.rope_dim,
            .value_dim = params_.latent.kv_rank,
            .type = type,
            .shape = KvShape::latent,
            .index_dim = params_.indexer.key_dim};
  }

  size_t scratch_bytes(int64_t rows, int64_t wanted) const override {
    size_t attention = 0, ffn = 0;
    for (const Layer& layer : layers_) {
      attention = std::max(attention, layer.attention.scratch_bytes(compute_, rows) +
                                          layer.indexer.scratch_bytes(compute_, rows));
      ffn = std::max(ffn, layer.ffn.scratch_bytes(compute_, rows));
    }
    const size_t around = rows_bytes(rows, params_.dim) + 2 * rows_bytes(rows, rope_.pairs());
    const size_t layer =
        rows_bytes(rows, params_.dim) + attention + attention_.scratch_bytes(compute_, rows) + ffn;
    const size_t end = multiply_scratch_bytes(compute_, {.rows = wanted, .cols = params_.dim});
    return around + std::max(layer, end);
  }

  const HyperParameters& params() const override { return params_; }

  ModelCost cost() const override {
    ModelCost cost;
    for (const Layer& layer : layers_) {
      layer.attention.add_cost(cost);
      layer.indexer.add_cost(cost);
      layer.ffn.add_cost(cost);
      cost.add_vectors({&layer.attn_norm, &layer.ffn_norm});
    }
    ModelCost last;
    layers_.back().attention.add_end_cost(last);
    layers_.back().ffn.add_cost(last);
    cost.only_wanted(last);
    cost.add_vectors({&output_norm_});
    add_ends(embedding_, output_, cost);
    return cost;
  }

 private:
  Compute compute_;
  HyperParameters params_;
  Linear embedding_, output_;       ///< [vocab_rows, dim]; one matrix where tied
  std::vector<float> output_norm_;  ///< [dim]
  std::vector<Layer> layers_;
  Rope rope_;
  Attention attention_;
};

}  // namespace

Result<std::unique_ptr<Model>> load_deepseek2(WeightLoader& loader) {
  auto model = std::make_unique<DeepSeek2>(loader);
  if (loader.failed()) return std::unexpected(loader.error());
  return model;
}

}  // namespace baleen
