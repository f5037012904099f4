// Qwen3's mixtures of experts (arXiv 2505.09388): Qwen3 with routed experts in every layer.
#include "formats/architectures/architectures.h"

namespace baleen {
namespace {

using namespace extent;

constexpr TensorRule kTensors[] = {
    matrix("token_embd.weight", kVocab, kDim), vector("output_norm.weight", kDim),
    optional(matrix("output.weight", kVocab, kDim)),  // tied to the embeddings where it is absent
};

constexpr TensorRule kLayerTensors[] = {
    vector("attn_norm.weight", kDim),
    matrix("attn_q.weight", kQueries, kDim),
    vector("attn_q_norm.weight", kKeyDim),
    matrix("attn_k.weight", kKeys, kDim),
    vector("attn_k_norm.weight", kKeyDim),
    matrix("attn_v.weight", kValues, kDim),
    matrix("attn_output.weight", kDim, kHeadsOut),
    vector("ffn_norm.weight", kDim),
    matrix("ffn_gate_inp.weight", kExperts, kDim),
    experts("ffn_gate_exps.weight", kExpertFfn, kDim),
    experts("ffn_up_exps.weight", kExpertFfn, kDim),
    experts("ffn_down_exps.weight", kDim, kExpertFfn),
};

}  // namespace

constexpr Architecture kQwen3Moe = {.name = "qwen3moe",
                                    .rope_pairs = RopePairs::halves,
                                    .tensors = kTensors,
                                    .layer_tensors = kLayerTensors,
                                    .experts = true,
                                    .normalises_weights = true};

}  // namespace baleen
