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

struct HyperParameters {
  std::string architecture;  ///< GGUF's name: "llama", "qwen2", …
  int32_t layers = 0;
  int32_t dim = 0;  ///< width of the residual stream
  int32_t heads = 0, kv_heads = 0;
  int32_t key_dim = 0, value_dim = 0;  ///< per head
  int32_t ffn_dim = 0;
  int32_t vocab_rows = 0;      ///< rows of the embedding matrix; may exceed the vocabulary
  int32_t context = 0;         ///< positions the model was made for
  int32_t sliding_window = 0;  ///< 0: none
  float norm_eps = 0;
  RopeParameters rope;
  std::vector<int32_t> layers_without_rope;  ///< ascending; SmolLM3
  // Mixture of experts; 0 without.
  int32_t experts = 0, experts_used = 0, shared_experts = 0, expert_ffn_dim = 0, leading_dense_layers = 0;
};

}  // namespace baleen
