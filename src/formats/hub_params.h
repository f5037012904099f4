// Hyper-parameters out of a Hugging Face config.json, old and new style. Absent keys mean what transformers'
// configuration classes say.
#pragma once

#include <vector>

#include "base/error.h"
#include "formats/architecture.h"
#include "formats/hyper_parameters.h"
#include "formats/json_fields.h"

namespace baleen {

/// Of FP8 weights that share a scale (quantization_config.weight_block_size); 0: there are none.
struct WeightBlocks {
  int32_t rows = 0, cols = 0;
};

struct HubConfig {
  HyperParameters params;
  const Architecture* architecture = nullptr;
  bool tied_embeddings = false;
  bool attention_bias = false, mlp_bias = false;  ///< of architectures whose files may have biases or not
  WeightBlocks weight_blocks;
  int32_t bos = -1;
  std::vector<int32_t> eos;  ///< in the file's order
};

Result<HubConfig> read_hub_config(JsonFields& fields);

/// Ours for the model_type; empty where it is absent or not known.
std::string_view hub_architecture(JsonFields& fields);

/// A field of token ids: one, or an array of them; each inside a vocabulary of `rows`. Empty where it is absent.
std::vector<int32_t> read_token_ids(JsonFields& fields, std::string_view key, int32_t rows);

}  // namespace baleen
