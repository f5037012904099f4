// Qwen3 (arXiv 2505.09388): Llama with a norm over each head of q and k; Qwen3's mixtures of experts too.
#include <memory>

#include "models/architectures.h"
#include "models/dense_model.h"
#include "models/embedding.h"
#include "models/kv_pages.h"
#include "models/norm.h"

namespace baleen {
namespace {

class Qwen3 final : public DenseModel {
 public:
  using DenseModel::DenseModel;

 private:
  Rows run(const Pass& pass) const override {
    const HyperParameters& p = params();
    Rows x = embed(pass, embedding_);                // [rows, dim]
    const Rotation rotation = rope_.rotation(pass);  // 2 x [rows, key_dim / 2]
    attention_.read_ahead(pass, 0);
    for (int32_t index = 0; const DenseLayer& layer : layers()) {
      const ScratchScope one_layer(pass.scratch);
      const RowNorm norm = row_norm(layer.attn_norm, p.norm_eps);
      const auto [q, k, v] = Linear::multiply_all<3>(pass, x, {&layer.q, &layer.k, &layer.v}, norm);
      rms_norm_heads(pass, q, layer.q_norm, p.norm_eps);  // each head of [rows, heads * key_dim]
      rms_norm_heads(pass, k, layer.k_norm, p.norm_eps);
      rope_.rotate(pass, rotation, q, p.key_dim);
      rope_.rotate(pass, rotation, k, p.key_dim);
      store_keys_and_values(pass, index, k, v);
      Rows a = attention_.attend(pass, index, q);  // [rows, heads * value_dim]
      if (index + 1 == p.layers) keep_wanted(pass, {&x, &a});
      layer.out.multiply_add(pass, a, x);  // x += a * out
      if (index + 1 < p.layers) attention_.read_ahead(pass, index + 1);
      layer.ffn.multiply_add(pass, row_norm(layer.ffn_norm, p.norm_eps), x);  // MLP or experts
      ++index;
    }
    return x;
  }
};

}  // namespace

Result<std::unique_ptr<Model>> load_qwen3(WeightLoader& loader) { return load_dense<Qwen3>(loader); }

}  // namespace baleen
