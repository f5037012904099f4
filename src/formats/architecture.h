// What the formats know of an architecture: its hyper-parameters and its tensors with their shapes. One small
// file per architecture under architectures/, found through find_architecture().
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "formats/fields.h"
#include "formats/hyper_parameters.h"

namespace baleen {

/// A tensor's size in one dimension, in terms of the hyper-parameters.
using Extent = int64_t (*)(const HyperParameters&);

namespace extent {
inline constexpr Extent kDim = [](const HyperParameters& p) -> int64_t { return p.dim; };
inline constexpr Extent kQueries = [](const HyperParameters& p) { return int64_t{p.heads} * p.key_dim; };
inline constexpr Extent kKeys = [](const HyperParameters& p) { return int64_t{p.kv_heads} * p.key_dim; };
inline constexpr Extent kValues = [](const HyperParameters& p) { return int64_t{p.kv_heads} * p.value_dim; };
inline constexpr Extent kHeadsOut = [](const HyperParameters& p) { return int64_t{p.heads} * p.value_dim; };
inline constexpr Extent kKeyDim = [](const HyperParameters& p) -> int64_t { return p.key_dim; };
inline constexpr Extent kFfn = [](const HyperParameters& p) -> int64_t { return p.ffn_dim; };
inline constexpr Extent kVocab = [](const HyperParameters& p) -> int64_t { return p.vocab_rows; };
inline constexpr Extent kRopePairs = [](const HyperParameters& p) -> int64_t {
  return p.rope.dimensions / 2;
};
inline constexpr Extent kExperts = [](const HyperParameters& p) -> int64_t { return p.experts.count; };
inline constexpr Extent kExpertFfn = [](const HyperParameters& p) -> int64_t { return p.experts.ffn_dim; };
inline constexpr Extent kSharedFfn = [](const HyperParameters& p) {
  return int64_t{p.experts.shared} * p.experts.ffn_dim;
};
}  // namespace extent

/// Whether a layer has a tensor.
using Condition = bool (*)(const HyperParameters&, int32_t layer);

namespace layers {
inline constexpr Condition kDense = [](const HyperParameters& p, int32_t layer) {
  return !p.experts.exist() || layer < p.experts.leading_dense_layers;
};
inline constexpr Condition kOfExperts = [](const HyperParameters& p, int32_t layer) {
  return !kDense(p, layer);
};
inline constexpr Condition kOfSharedExperts = [](const HyperParameters& p, int32_t layer) {
  return !kDense(p, layer) && p.experts.shared > 0;
};
inline constexpr Condition kOfBiasedExperts = [](const HyperParameters& p, int32_t layer) {
  return !kDense(p, layer) && p.experts.selection_bias;
};
}  // namespace layers

enum class Presence { required, optional };

struct TensorRule {
  std::string_view name;  ///< GGUF's; of a layer's tensor without "blk.N."
  Presence presence = Presence::required;
  Extent rows = nullptr;  ///< null: a vector
  Extent cols = nullptr;
  Extent depth = nullptr;   ///< null: no stack
  bool of_experts = false;  ///< the stack is of experts: a folder has one tensor for each (expert_name())
  Condition condition = nullptr;      ///< of a layer's tensor; null: every layer has it
  std::string_view alternative = {};  ///< may be there in its place
};

constexpr TensorRule matrix(std::string_view name, Extent rows, Extent cols) {
  return {.name = name, .rows = rows, .cols = cols};
}
constexpr TensorRule vector(std::string_view name, Extent size) { return {.name = name, .cols = size}; }
constexpr TensorRule stack(std::string_view name, Extent depth, Extent rows, Extent cols) {
  return {.name = name, .rows = rows, .cols = cols, .depth = depth};
}
constexpr TensorRule experts(std::string_view name, Extent rows, Extent cols) {
  return {.name = name, .rows = rows, .cols = cols, .depth = extent::kExperts, .of_experts = true};
}
constexpr TensorRule optional(TensorRule rule) {
  rule.presence = Presence::optional;
  return rule;
}
constexpr TensorRule in(Condition condition, TensorRule rule) {
  rule.condition = condition;
  return rule;
}
constexpr TensorRule unless(std::string_view alternative, TensorRule rule) {
  rule.alternative = alternative;
  return rule;
}

struct Architecture {
  std::string_view name;                      ///< GGUF's general.architecture
  RopePairs rope_pairs;                       ///< of a GGUF file
  std::span<const TensorRule> tensors;        ///< of the whole model
  std::span<const TensorRule> layer_tensors;  ///< of every layer
  /// Every so many-th layer has no rope, where a file does not say it itself; 0: all have.
  int32_t rope_gap = 0;
  bool latent = false, indexer = false, experts = false, shared_experts = false;  ///< what it is made of
  bool normalises_weights = false;  ///< of experts, where a GGUF file does not say it
};

/// Null for an architecture that nobody has written a table for.
const Architecture* find_architecture(std::string_view name);
/// "llama, qwen2, …"
std::string_view known_architectures();

}  // namespace baleen
