// Qwen3 (arXiv 2505.09388): Llama with a norm over each head of q and k. Its mixtures of experts ("qwen3moe") have
// routed experts in every layer.
#include "formats/architectures/architectures.h"

namespace baleen {
namespace {

using namespace extent;
using namespace layers;

constexpr TensorRule kLayerTensors[] = {
    vector("attn_norm.weight", kDim),
    matrix("attn_q.weight", kQueries, kDim),
    vector("attn_q_norm.weight", kKeyDim),
    matrix("attn_k.weight", kKeys, kDim),
    vector("attn_k_norm.weight", kKeyDim),
    matrix("attn_v.weight", kValues, kDim),
    matrix("attn_output.weight", kDim, kHeadsOut),
    vector("ffn_norm.weight", kDim),
    in(kDense, matrix("ffn_gate.weight", kFfn, kDim)),
    in(kDense, matrix("ffn_up.weight", kFfn, kDim)),
    in(kDense, matrix("ffn_down.weight", kDim, kFfn)),
    in(kOfExperts, matrix("ffn_gate_inp.weight", kExperts, kDim)),
    in(kOfExperts, experts("ffn_gate_exps.weight", kExpertFfn, kDim)),
    in(kOfExperts, experts("ffn_up_exps.weight", kExpertFfn, kDim)),
    in(kOfExperts, experts("ffn_down_exps.weight", kDim, kExpertFfn)),
};

}  // namespace

constexpr Architecture kQwen3 = {"qwen3", RopePairs::halves, kEnds, kLayerTensors};

constexpr Architecture kQwen3Moe = {.name = "qwen3moe",
                                    .rope_pairs = RopePairs::halves,
                                    .tensors = kEnds,
                                    .layer_tensors = kLayerTensors,
                                    .experts = true,
                                    .normalises_weights = true};

}  // namespace baleen
