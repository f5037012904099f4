// The numbers that shape a model, typed and validated; formats fill them, models read them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace baleen {

/// How rope pairs the dimensions of a head: (2i, 2i+1), as GGUF's llama, or (i, i + n/2), as Hugging Face's.
enum class RopePairs { neighbours, halves };

enum class RopeScaling { none, linear, yarn, llama3 };

struct RopeParameters {
  RopePairs pairs = RopePairs::neighbours;
  float theta = 10000;
  int32_t dimensions = 0;  ///< dimensions of a head that turn; even
  RopeScaling scaling = RopeScaling::none;
  float factor = 1;                                 ///< linear, yarn, llama3
  int32_t original_context = 0;                     ///< yarn, llama3
  float low_freq_factor = 1, high_freq_factor = 4;  ///< llama3
  float attention_factor = 1;  ///< yarn: cos and sin are multiplied by it; mscale is worked in
  float beta_fast = 32, beta_slow = 1, mscale = 0, mscale_all_dim = 0;  ///< yarn
};

/// Latent attention (MLA, arXiv 2405.04434): one latent a token holds keys and values of all heads.
struct LatentParameters {
  int32_t q_rank = 0;  ///< of the compressed queries; 0: they are not compressed
  int32_t kv_rank = 0;
  int32_t nope_dim = 0,
          rope_dim = 0;   ///< of a head's key: the part without positions and the part that turns
  int32_t value_dim = 0;  ///< per head
  bool exist() const { return kv_rank > 0; }
};

/// The lightning indexer of sparse attention (DeepSeek V3.2): chooses the keys that a query attends to.
struct IndexerParameters {
  int32_t heads = 0, key_dim = 0;
  int32_t top_k = 0;  ///< keys that a query attends to at most
  bool exist() const { return heads > 0; }
};

enum class ExpertGate { softmax, sigmoid };
/// What ranks groups of experts: the best score in each (V2), or the sum of its two best (V3, arXiv 2412.19437).
enum class GroupScore { best, two_best };
/// Of the published models, and what a GGUF file, which has no word for it, is taken to mean.
constexpr GroupScore group_score_of(ExpertGate gate) {
  return gate == ExpertGate::sigmoid ? GroupScore::two_best : GroupScore::best;
}

/// Mixture of experts (DeepSeekMoE, arXiv 2401.06066).
struct ExpertParameters {
  int32_t count = 0, used = 0;
  int32_t shared = 0;   ///< experts that every token uses; stored as one MLP of shared * ffn_dim
  int32_t ffn_dim = 0;  ///< of one expert
  int32_t leading_dense_layers = 0;
  int32_t groups = 1, groups_used = 1;  ///< experts are chosen within the best groups
  GroupScore group_score = GroupScore::best;
  ExpertGate gate = ExpertGate::softmax;
  bool selection_bias = false;     ///< each expert's bias is added for choosing, not for weighing
  bool normalise_weights = false;  ///< the chosen experts' weights sum to 1 before they are scaled
  float weight_scale = 1;
  bool exist() const { return count > 0; }
};

struct HyperParameters {
  std::string architecture;  ///< GGUF's name: "llama", "qwen2", …
  int32_t layers = 0;
  int32_t dim = 0;  ///< width of the residual stream
  int32_t heads = 0, kv_heads = 0;
  int32_t key_dim = 0, value_dim = 0;  ///< per head; with latents: nope_dim + rope_dim, latent.value_dim
  int32_t ffn_dim = 0;
  int32_t vocab_rows = 0;      ///< rows of the embedding matrix; may exceed the vocabulary
  int32_t context = 0;         ///< positions the model was made for
  int32_t sliding_window = 0;  ///< 0: none
  float norm_eps = 0;
  RopeParameters rope;
  std::vector<int32_t> layers_without_rope;  ///< ascending; SmolLM3
  int32_t prediction_layers = 0;             ///< next-token-prediction blocks behind the layers; not loaded
  LatentParameters latent;
  IndexerParameters indexer;
  ExpertParameters experts;
};

}  // namespace baleen
