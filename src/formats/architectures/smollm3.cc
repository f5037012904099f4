// SmolLM3 (huggingface.co/blog/smollm3): Llama where every fourth layer has no rope (arXiv 2501.18795).
#include "formats/architectures/architectures.h"

namespace baleen {
namespace {

using namespace extent;

constexpr TensorRule kLayerTensors[] = {
    vector("attn_norm.weight", kDim),
    matrix("attn_q.weight", kQueries, kDim),
    matrix("attn_k.weight", kKeys, kDim),
    matrix("attn_v.weight", kValues, kDim),
    matrix("attn_output.weight", kDim, kHeadsOut),
    vector("ffn_norm.weight", kDim),
    matrix("ffn_gate.weight", kFfn, kDim),
    matrix("ffn_up.weight", kFfn, kDim),
    matrix("ffn_down.weight", kDim, kFfn),
};

}  // namespace

constexpr Architecture kSmolLm3 = {"smollm3", RopePairs::neighbours, kEnds, kLayerTensors, 4};

}  // namespace baleen
