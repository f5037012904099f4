// What `baleen inspect` says of a model, gathered from a validated checkpoint.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "formats/checkpoint.h"
#include "kv/page_pool.h"

namespace baleen {

struct ModelFacts {
  struct TypeUse {
    int64_t tensors = 0, parameters = 0;
    uint64_t bytes = 0;
  };
  int64_t parameters = 0;
  int64_t active_parameters = 0;  ///< that one token's pass touches: of the routed experts only those used
  uint64_t tensor_bytes = 0;
  std::map<std::string_view, TypeUse> types;  ///< by the block type's name
  TypeUse prediction;                         ///< of the next-token-prediction blocks, in none of the above
  std::string_view template_family;           ///< "none" without a template, "other" for one we do not know
};

ModelFacts gather_facts(const Checkpoint& checkpoint);

/// Bytes of KV cache that one token takes in all layers.
uint64_t kv_bytes_per_token(const HyperParameters& params, KvType type);
/// What it would take if each query head kept keys and values of its own.
uint64_t multi_head_bytes_per_token(const HyperParameters& params, KvType type);

}  // namespace baleen
