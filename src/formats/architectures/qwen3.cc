// Qwen3 (arXiv 2505.09388): Llama with a norm over each head of q and k.
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
    matrix("ffn_gate.weight", kFfn, kDim),
    matrix("ffn_up.weight", kFfn, kDim),
    matrix("ffn_down.weight", kDim, kFfn),
};

}  // namespace

constexpr Architecture kQwen3 = {"qwen3", RopePairs::halves, kTensors, kLayerTensors};

}  // namespace baleen
