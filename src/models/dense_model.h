// What decoders with attention of heads and an MLP or experts in each layer share: their weights, sizes and costs. An
// architecture's file adds its forward pass.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/attention.h"
#include "models/feed_forward.h"
#include "models/model.h"
#include "models/rope.h"
#include "models/step_shares.h"
#include "models/weight_loader.h"

namespace baleen {

struct DenseLayer {
  std::vector<float> attn_norm;  ///< [dim]
  Linear q, k, v;  ///< [heads * key_dim, dim], [kv_heads * key_dim, dim], [kv_heads * value_dim, dim]
  std::vector<float> q_norm, k_norm;  ///< [key_dim]; empty where the architecture has none
  Linear out;                         ///< [dim, heads * value_dim]
  std::vector<float> ffn_norm;        ///< [dim]
  FeedForward ffn;
};

class DenseModel : public Model {
 public:
  /// Loads every tensor by GGUF's names, biases and norms of heads where the file has them. Check loader.failed().
  explicit DenseModel(WeightLoader& loader);

  StepReport forward(const Step& step, PagePool& pool, Workspace& scratch, float* logits) const final;
  KvLayout kv_layout(KvType type) const override;
  size_t scratch_bytes(int64_t rows, int64_t wanted) const override;
  const HyperParameters& params() const override { return params_; }
  ModelCost cost() const override;

 protected:
  /// The architecture's layers, from tokens to what the output matrix takes, before its norm: [wanted, dim].
  virtual Rows run(const Pass& pass) const = 0;

  std::span<const DenseLayer> layers() const { return layers_; }
  /// Whether a layer turns q and k by their positions.
  bool has_rope(int32_t layer) const;

  Linear embedding_;  ///< [vocab_rows, dim]
  Rope rope_;
  Attention attention_;

 private:
  /// The same, each thread with its own sequences.
  Rows run_in_shares(const Pass& pass) const;
  size_t scratch_bytes_on(const Compute& compute, int64_t rows, int64_t wanted) const;

  Compute compute_;
  HyperParameters params_;
  std::vector<DenseLayer> layers_;
  Linear output_;                   ///< [vocab_rows, dim]; the embedding where tied
  std::vector<float> output_norm_;  ///< [dim]
  mutable SharePolicy policy_;      ///< a matter of speed alone
};

template <class Architecture>
Result<std::unique_ptr<Model>> load_dense(WeightLoader& loader) {
  auto model = std::make_unique<Architecture>(loader);
  if (loader.failed()) return std::unexpected(loader.error());
  return model;
}

}  // namespace baleen
