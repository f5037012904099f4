// DeepSeek V2, V2.5, V3, R1 and models of their shape, as Kimi K2 (arXiv 2405.04434, 2412.19437): latent attention and
// fine-grained experts. V3.2 ("deepseek32") adds an indexer that chooses the keys a query attends to.
#include "formats/architectures/architectures.h"

namespace baleen {
namespace {

using namespace extent;
using namespace layers;

constexpr Extent kQueryRank = [](const HyperParameters& p) -> int64_t { return p.latent.q_rank; };
constexpr Extent kLatentRank = [](const HyperParameters& p) -> int64_t { return p.latent.kv_rank; };
constexpr Extent kLatentAndRope = [](const HyperParameters& p) {
  return int64_t{p.latent.kv_rank} + p.latent.rope_dim;
};
constexpr Extent kKeysAndValues = [](const HyperParameters& p) {
  return int64_t{p.heads} * (p.latent.nope_dim + p.latent.value_dim);
};
constexpr Extent kHeads = [](const HyperParameters& p) -> int64_t { return p.heads; };
constexpr Extent kNope = [](const HyperParameters& p) -> int64_t { return p.latent.nope_dim; };
constexpr Extent kValueDim = [](const HyperParameters& p) -> int64_t { return p.latent.value_dim; };
constexpr Extent kIndexHeads = [](const HyperParameters& p) -> int64_t { return p.indexer.heads; };
constexpr Extent kIndexKey = [](const HyperParameters& p) -> int64_t { return p.indexer.key_dim; };
constexpr Extent kIndexQueries = [](const HyperParameters& p) {
  return int64_t{p.indexer.heads} * p.indexer.key_dim;
};

constexpr Condition kWithWholeQueries = [](const HyperParameters& p, int32_t) {
  return p.latent.q_rank == 0;
};
constexpr Condition kWithCompressedQueries = [](const HyperParameters& p, int32_t) {
  return p.latent.q_rank > 0;
};
constexpr Condition kWithIndexer = [](const HyperParameters& p, int32_t) { return p.indexer.exist(); };

constexpr TensorRule kLayerTensors[] = {
    vector("attn_norm.weight", kDim),
    in(kWithWholeQueries, matrix("attn_q.weight", kQueries, kDim)),
    in(kWithCompressedQueries, matrix("attn_q_a.weight", kQueryRank, kDim)),
    in(kWithCompressedQueries, vector("attn_q_a_norm.weight", kQueryRank)),
    in(kWithCompressedQueries, matrix("attn_q_b.weight", kQueries, kQueryRank)),
    matrix("attn_kv_a_mqa.weight", kLatentAndRope, kDim),
    vector("attn_kv_a_norm.weight", kLatentRank),
    // Per head the rows of its keys, then those of its values; newer GGUF files have them apart, the keys' transposed.
    unless("attn_k_b.weight", matrix("attn_kv_b.weight", kKeysAndValues, kLatentRank)),
    unless("attn_kv_b.weight", stack("attn_k_b.weight", kHeads, kLatentRank, kNope)),
    unless("attn_kv_b.weight", stack("attn_v_b.weight", kHeads, kValueDim, kLatentRank)),
    matrix("attn_output.weight", kDim, kHeadsOut),
    in(kWithIndexer, matrix("indexer.attn_q_b.weight", kIndexQueries, kQueryRank)),
    in(kWithIndexer, matrix("indexer.attn_k.weight", kIndexKey, kDim)),
    in(kWithIndexer, vector("indexer.k_norm.weight", kIndexKey)),
    in(kWithIndexer, vector("indexer.k_norm.bias", kIndexKey)),
    in(kWithIndexer, matrix("indexer.proj.weight", kIndexHeads, kDim)),
    vector("ffn_norm.weight", kDim),
    in(kDense, matrix("ffn_gate.weight", kFfn, kDim)),
    in(kDense, matrix("ffn_up.weight", kFfn, kDim)),
    in(kDense, matrix("ffn_down.weight", kDim, kFfn)),
    in(kOfExperts, matrix("ffn_gate_inp.weight", kExperts, kDim)),
    in(kOfBiasedExperts, vector("exp_probs_b.bias", kExperts)),
    in(kOfExperts, experts("ffn_gate_exps.weight", kExpertFfn, kDim)),
    in(kOfExperts, experts("ffn_up_exps.weight", kExpertFfn, kDim)),
    in(kOfExperts, experts("ffn_down_exps.weight", kDim, kExpertFfn)),
    in(kOfSharedExperts, matrix("ffn_gate_shexp.weight", kSharedFfn, kDim)),
    in(kOfSharedExperts, matrix("ffn_up_shexp.weight", kSharedFfn, kDim)),
    in(kOfSharedExperts, matrix("ffn_down_shexp.weight", kDim, kSharedFfn)),
};

}  // namespace

constexpr Architecture kDeepseek2 = {.name = "deepseek2",
                                     .rope_pairs = RopePairs::neighbours,
                                     .tensors = kEnds,
                                     .layer_tensors = kLayerTensors,
                                     .latent = true,
                                     .experts = true,
                                     .shared_experts = true};

constexpr Architecture kDeepseek32 = {.name = "deepseek32",
                                      .rope_pairs = RopePairs::neighbours,
                                      .tensors = kEnds,
                                      .layer_tensors = kLayerTensors,
                                      .latent = true,
                                      .indexer = true,
                                      .experts = true,
                                      .shared_experts = true};

}  // namespace baleen
