// Llama 2 and 3, Mistral, SmolLM2 (arXiv 2302.13971, 2407.21783, 2310.06825); Qwen2, which adds biases to q, k and v
// (arXiv 2407.10671); SmolLM3, which leaves some layers without rope (NoPE, arXiv 2501.18795).
#include <memory>

#include "models/architectures.h"
#include "models/dense_model.h"
#include "models/embedding.h"
#include "models/kv_pages.h"
#include "models/norm.h"

namespace baleen {
namespace {

class Llama final : public DenseModel {
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
      if (has_rope(index)) {
        rope_.rotate(pass, rotation, q, p.key_dim);  // [rows, heads * key_dim]
        rope_.rotate(pass, rotation, k, p.key_dim);  // [rows, kv_heads * key_dim]
      }
      store_keys_and_values(pass, index, k, v);
      Rows a = attention_.attend(pass, index, q);  // [rows, heads * value_dim]
      if (index + 1 == p.layers) keep_wanted(pass, {&x, &a});
      layer.out.multiply_add(pass, a, x);  // x += a * out
      if (index + 1 < p.layers) attention_.read_ahead(pass, index + 1);
      layer.ffn.multiply_add(pass, row_norm(layer.ffn_norm, p.norm_eps), x);
      ++index;
    }
    return x;
  }
};

}  // namespace

Result<std::unique_ptr<Model>> load_llama(WeightLoader& loader) { return load_dense<Llama>(loader); }

}  // namespace baleen
