// Qwen2 and Qwen2.5 (arXiv 2407.10671, 2412.15115): Llama with biases on q, k and v.
#include "formats/architectures/architectures.h"

namespace baleen {
namespace {

using namespace extent;

constexpr TensorRule kLayerTensors[] = {
    vector("attn_norm.weight", kDim),    matrix("attn_q.weight", kQueries, kDim),
    vector("attn_q.bias", kQueries),     matrix("attn_k.weight", kKeys, kDim),
    vector("attn_k.bias", kKeys),        matrix("attn_v.weight", kValues, kDim),
    vector("attn_v.bias", kValues),      matrix("attn_output.weight", kDim, kHeadsOut),
    vector("ffn_norm.weight", kDim),     matrix("ffn_gate.weight", kFfn, kDim),
    matrix("ffn_up.weight", kFfn, kDim), matrix("ffn_down.weight", kDim, kFfn),
};

}  // namespace

constexpr Architecture kQwen2 = {"qwen2", RopePairs::halves, kEnds, kLayerTensors};

}  // namespace baleen
