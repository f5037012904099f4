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
}  // namespace extent

enum class Presence { required, optional };

struct TensorRule {
  std::string_view name;  ///< GGUF's; of a layer's tensor without "blk.N."
  Presence presence = Presence::required;
  Extent rows = nullptr;  ///< null: a vector
  Extent cols = nullptr;
};

constexpr TensorRule matrix(std::string_view name, Extent rows, Extent cols) {
  return {name, Presence::required, rows, cols};
}
constexpr TensorRule vector(std::string_view name, Extent size) {
  return {name, Presence::required, nullptr, size};
}
constexpr TensorRule optional(TensorRule rule) {
  rule.presence = Presence::optional;
  return rule;
}

struct Architecture {
  std::string_view name;                      ///< GGUF's general.architecture
  RopePairs rope_pairs;                       ///< of a GGUF file
  std::span<const TensorRule> tensors;        ///< of the whole model
  std::span<const TensorRule> layer_tensors;  ///< of every layer
  int32_t rope_gap =
      0;  ///< every so many-th layer has no rope, where a file does not say it itself; 0: all have
};

/// Null for an architecture that nobody has written a table for.
const Architecture* find_architecture(std::string_view name);
/// "llama, qwen2, …"
std::string_view known_architectures();

}  // namespace baleen
