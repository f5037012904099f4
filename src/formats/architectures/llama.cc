// Llama 1 to 3, Mistral, SmolLM2 (arXiv 2302.13971, 2310.06825). GGUF permutes the rows of q and k to
// neighbouring pairs.
#include "formats/architectures/architectures.h"

namespace baleen {
namespace {

using namespace extent;

constexpr TensorRule kTensors[] = {
    matrix("token_embd.weight", kVocab, kDim), vector("output_norm.weight", kDim),
    optional(matrix("output.weight", kVocab, kDim)),    // tied to the embeddings where it is absent
    optional(vector("rope_freqs.weight", kRopePairs)),  // divisors of the frequencies: Llama 3's scaling
};

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
    optional(vector("attn_q.bias", kQueries)),  // attention_bias
    optional(vector("attn_k.bias", kKeys)),
    optional(vector("attn_v.bias", kValues)),
    optional(vector("attn_output.bias", kDim)),
    optional(vector("ffn_gate.bias", kFfn)),  // mlp_bias
    optional(vector("ffn_up.bias", kFfn)),
    optional(vector("ffn_down.bias", kDim)),
};

}  // namespace

constexpr Architecture kLlama = {"llama", RopePairs::neighbours, kTensors, kLayerTensors};

}  // namespace baleen
