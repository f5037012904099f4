#include "formats/hub_names.h"

#include <charconv>

namespace baleen {
namespace {

constexpr std::string_view kHubLayer = "model.layers.", kGgufLayer = "blk.";

struct Names {
  std::string_view hub, gguf;  ///< without ".weight" or ".bias"
};

constexpr Names kModelNames[] = {
    {"model.embed_tokens", "token_embd"},
    {"model.norm", "output_norm"},
    {"lm_head", "output"},
};

constexpr Names kLayerNames[] = {
    {"input_layernorm", "attn_norm"},    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},      {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"}, {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"}, {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},       {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
};

/// What follows the stem: ".weight", ".bias" or nothing else.
std::optional<std::string_view> ending_of(std::string_view name) {
  for (const std::string_view ending : {".weight", ".bias"})
    if (name.ends_with(ending)) return ending;
  return std::nullopt;
}

template <size_t n>
std::optional<std::string_view> look_up(const Names (&names)[n], std::string_view stem,
                                        std::string_view Names::* from, std::string_view Names::* to) {
  for (const Names& each : names)
    if (each.*from == stem) return each.*to;
  return std::nullopt;
}

struct LayerName {
  int32_t layer;
  std::string_view rest;
};

std::optional<LayerName> split_layer(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  LayerName parsed{};
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), parsed.layer);
  const auto digits = static_cast<size_t>(end - name.data());
  if (error != std::errc() || parsed.layer < 0 || std::to_string(parsed.layer).size() != digits ||
      digits == name.size() || name[digits] != '.')
    return std::nullopt;
  parsed.rest = name.substr(digits + 1);
  return parsed;
}

std::optional<std::string> convert(std::string_view name, std::string_view from_prefix,
                                   std::string_view to_prefix, std::string_view Names::* from,
                                   std::string_view Names::* to) {
  const auto ending = ending_of(name);
  if (!ending) return std::nullopt;
  const std::string_view stem = name.substr(0, name.size() - ending->size());
  if (const auto layer = split_layer(stem, from_prefix)) {
    const auto other = look_up(kLayerNames, layer->rest, from, to);
    if (!other) return std::nullopt;
    return std::string(to_prefix) + std::to_string(layer->layer) + "." + std::string(*other) +
           std::string(*ending);
  }
  const auto other = look_up(kModelNames, stem, from, to);
  if (!other) return std::nullopt;
  return std::string(*other) + std::string(*ending);
}

}  // namespace

std::optional<std::string> gguf_name(std::string_view hub) {
  return convert(hub, kHubLayer, kGgufLayer, &Names::hub, &Names::gguf);
}

std::string hub_name(std::string_view gguf) {
  return convert(gguf, kGgufLayer, kHubLayer, &Names::gguf, &Names::hub).value_or(std::string(gguf));
}

std::optional<int32_t> layer_of(std::string_view name) {
  for (const std::string_view prefix : {kHubLayer, kGgufLayer})
    if (const auto layer = split_layer(name, prefix)) return layer->layer;
  return std::nullopt;
}

}  // namespace baleen
