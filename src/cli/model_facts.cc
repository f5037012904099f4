#include "cli/model_facts.h"

#include "base/block_type.h"
#include "prompt/model_template.h"

namespace baleen {
namespace {

/// Families by the marker that opens a turn in their templates; the first that occurs decides.
constexpr struct {
  std::string_view marker, family;
} kFamilies[] = {
    {"<|im_start|>", "chatml"},
    {"<|start_header_id|>", "llama3"},
    {"<｜User｜>", "deepseek"},
    {"<start_of_turn>", "gemma"},
    {"[INST]", "mistral"},
    {"<|user|>", "zephyr"},
    {"<|start_of_role|>", "granite"},
};

std::string_view family_of(std::string_view chat_template) {
  if (chat_template.empty()) return "none";
  for (const auto& each : kFamilies)
    if (chat_template.contains(each.marker)) return each.family;
  return "other";
}

int64_t values_of(const Tensor& tensor) { return tensor.depth * tensor.rows * tensor.cols; }

void count(const Tensor& tensor, ModelFacts::TypeUse& use) {
  ++use.tensors;
  use.parameters += values_of(tensor);
  use.bytes += tensor.bytes.size() + tensor.scales.bytes.size();
}

bool is_routed(const Tensor& tensor) { return tensor.name.contains("_exps."); }

}  // namespace

ModelFacts gather_facts(const Checkpoint& checkpoint) {
  const HyperParameters& params = checkpoint.params();
  ModelFacts facts;
  int64_t routed = 0;
  for (const Tensor& tensor : checkpoint.tensors()) {
    count(tensor, facts.types[info(tensor.type).name]);
    if (is_routed(tensor)) routed += values_of(tensor);
  }
  for (const Tensor& tensor : checkpoint.prediction_tensors()) count(tensor, facts.prediction);
  for (const auto& [type, use] : facts.types) {
    facts.parameters += use.parameters;
    facts.tensor_bytes += use.bytes;
  }
  facts.active_parameters = facts.parameters - routed;
  if (params.experts.exist()) facts.active_parameters += routed / params.experts.count * params.experts.used;
  facts.template_family = family_of(template_source(checkpoint));
  return facts;
}

uint64_t kv_bytes_per_token(const HyperParameters& params, KvType type) {
  KvLayout layout;
  layout.layers = params.layers;
  layout.kv_heads = params.kv_heads;
  layout.key_dim = params.key_dim;
  layout.value_dim = params.value_dim;
  layout.type = type;
  if (const LatentParameters& latent = params.latent; latent.exist()) {
    layout.shape = KvShape::latent;
    layout.kv_heads = 1;
    layout.key_dim = latent.kv_rank + latent.rope_dim;
    layout.value_dim = latent.kv_rank;
    layout.index_dim = params.indexer.key_dim;
  }
  return layout.token_bytes();
}

uint64_t multi_head_bytes_per_token(const HyperParameters& params, KvType type) {
  HyperParameters multi_head = params;
  multi_head.latent = {};
  multi_head.indexer = {};
  multi_head.kv_heads = params.heads;
  return kv_bytes_per_token(multi_head, type);
}

}  // namespace baleen
