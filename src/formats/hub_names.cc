#include "formats/hub_names.h"

#include "formats/tensor_name.h"

namespace baleen {
namespace {

constexpr std::string_view kHubLayer = "model.layers.", kHubExpert = "mlp.experts.";

struct Names {
  std::string_view hub, gguf;  ///< without ".weight" or ".bias"
};

constexpr Names kModelNames[] = {
    {"model.embed_tokens", "token_embd"},
    {"model.norm", "output_norm"},
    {"lm_head", "output"},
};

constexpr Names kLayerNames[] = {
    {"input_layernorm", "attn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    // latent attention
    {"self_attn.q_a_proj", "attn_q_a"},
    {"self_attn.q_a_layernorm", "attn_q_a_norm"},
    {"self_attn.q_b_proj", "attn_q_b"},
    {"self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa"},
    {"self_attn.kv_a_layernorm", "attn_kv_a_norm"},
    {"self_attn.kv_b_proj", "attn_kv_b"},
    {"self_attn.indexer.wq_b", "indexer.attn_q_b"},
    {"self_attn.indexer.wk", "indexer.attn_k"},
    {"self_attn.indexer.k_norm", "indexer.k_norm"},
    {"self_attn.indexer.weights_proj", "indexer.proj"},
    // experts
    {"mlp.gate", "ffn_gate_inp"},
    {"mlp.shared_experts.gate_proj", "ffn_gate_shexp"},
    {"mlp.shared_experts.up_proj", "ffn_up_shexp"},
    {"mlp.shared_experts.down_proj", "ffn_down_shexp"},
    // prediction blocks
    {"eh_proj", "nextn.eh_proj"},
    {"embed_tokens", "nextn.embed_tokens"},
    {"enorm", "nextn.enorm"},
    {"hnorm", "nextn.hnorm"},
    {"shared_head.head", "nextn.shared_head_head"},
    {"shared_head.norm", "nextn.shared_head_norm"},
};

/// What stands behind "mlp.experts.N.", and the stack it is a part of.
constexpr Names kExpertNames[] = {
    {"gate_proj", "ffn_gate_exps"}, {"up_proj", "ffn_up_exps"}, {"down_proj", "ffn_down_exps"}};

constexpr Names kSelectionBias = {"mlp.gate.e_score_correction_bias", "exp_probs_b.bias"};  // whole names

/// A name in two: the stem, and ".weight" with what may follow it, ".bias".
struct EndedName {
  std::string_view stem, ending;
};

std::optional<EndedName> split_ending(std::string_view name) {
  for (const std::string_view ending : {".weight", ".bias", ".weight_scale_inv"})
    if (name.ends_with(ending)) return EndedName{name.substr(0, name.size() - ending.size()), ending};
  return std::nullopt;
}

using Side = std::string_view Names::*;

template <size_t n>
std::optional<std::string> look_up(const Names (&names)[n], std::string_view name, Side from, Side to) {
  const auto ended = split_ending(name);
  if (!ended) return std::nullopt;
  for (const Names& each : names)
    if (each.*from == ended->stem) return std::string(each.*to) + std::string(ended->ending);
  return std::nullopt;
}

/// Behind the layer's number.
std::optional<std::string> layer_gguf_name(std::string_view hub) {
  if (hub == kSelectionBias.hub) return std::string(kSelectionBias.gguf);
  if (const auto expert = split_number(hub, kHubExpert)) {
    const auto stack = look_up(kExpertNames, expert->rest, &Names::hub, &Names::gguf);
    return stack ? std::optional(expert_name(*stack, expert->number)) : std::nullopt;
  }
  return look_up(kLayerNames, hub, &Names::hub, &Names::gguf);
}

std::optional<std::string> layer_hub_name(std::string_view gguf) {
  if (gguf == kSelectionBias.gguf) return std::string(kSelectionBias.hub);
  if (const auto expert = split_expert_name(gguf)) {
    const auto rest = look_up(kExpertNames, expert->stack, &Names::gguf, &Names::hub);
    if (!rest) return std::nullopt;
    return std::string(kHubExpert) + std::to_string(expert->expert) + "." + *rest;
  }
  return look_up(kLayerNames, gguf, &Names::gguf, &Names::hub);
}

std::optional<std::string> in_layer(std::string_view prefix, int32_t layer,
                                    const std::optional<std::string>& rest) {
  if (!rest) return std::nullopt;
  return std::string(prefix) + std::to_string(layer) + "." + *rest;
}

}  // namespace

std::optional<std::string> gguf_name(std::string_view hub) {
  if (const auto layer = split_number(hub, kHubLayer))
    return in_layer(kLayerPrefix, layer->number, layer_gguf_name(layer->rest));
  return look_up(kModelNames, hub, &Names::hub, &Names::gguf);
}

std::string hub_name(std::string_view gguf) {
  const auto layer = split_number(gguf, kLayerPrefix);
  const auto name = layer ? in_layer(kHubLayer, layer->number, layer_hub_name(layer->rest))
                          : look_up(kModelNames, gguf, &Names::gguf, &Names::hub);
  return name.value_or(std::string(gguf));
}

}  // namespace baleen
