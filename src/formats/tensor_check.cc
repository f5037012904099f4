#include "formats/tensor_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/tensor_name.h"

namespace baleen {
namespace {

std::string describe(const TensorTable& table, const Tensor& tensor) {
  return fmt::format("tensor {} at byte {}", table.name_in_file(tensor.name), tensor.file_offset);
}

bool is_float_type(BlockType type) {
  return type == BlockType::f32 || type == BlockType::f16 || type == BlockType::bf16;
}

/// Types that hold weights: not the integers, and not those that hold activations during a product (Q8_1,
/// Q8_K).
bool is_weight_type(BlockType type) {
  switch (type) {
    case BlockType::i8:
    case BlockType::i16:
    case BlockType::i32:
    case BlockType::i64:
    case BlockType::f64:
    case BlockType::f8_e8m0:
    case BlockType::q8_1:
    case BlockType::q8_k:
      return false;
    default:
      return true;
  }
}

/// Of a next-token-prediction block beside what a layer has (DeepSeek V3, arXiv 2412.19437, 2.2). GGUF's names.
constexpr TensorRule kPredictionTensors[] = {
    matrix("nextn.eh_proj.weight", extent::kDim, [](const HyperParameters& p) { return int64_t{2} * p.dim; }),
    vector("nextn.enorm.weight", extent::kDim),
    vector("nextn.hnorm.weight", extent::kDim),
    matrix("nextn.embed_tokens.weight", extent::kVocab, extent::kDim),
    matrix("nextn.shared_head_head.weight", extent::kVocab, extent::kDim),
    vector("nextn.shared_head_norm.weight", extent::kDim),
};

const TensorRule* find_rule(std::span<const TensorRule> rules, std::string_view name) {
  const auto found = std::ranges::find(rules, name, &TensorRule::name);
  return found != rules.end() ? &*found : nullptr;
}

struct Check {
  const TensorTable& table;
  const Architecture& architecture;
  const HyperParameters& params;

  Result<void> layer(int32_t index) const {
    const std::string prefix = fmt::format("{}{}.", kLayerPrefix, index);
    for (const TensorRule& rule : architecture.layer_tensors)
      if (rule.condition == nullptr || rule.condition(params, index))
        if (auto checked = apply(rule, prefix); !checked) return checked;
    return {};
  }

  /// That what the rule says is there, `prefix` in front of its name.
  Result<void> apply(const TensorRule& rule, const std::string& prefix) const {
    if (rule.of_experts && table.experts_apart) {
      TensorRule one = rule;
      one.depth = nullptr;
      for (int32_t expert = 0; expert < params.experts.count; ++expert)
        if (auto checked = apply(one, prefix, expert_name(rule.name, expert)); !checked) return checked;
      return {};
    }
    return apply(rule, prefix, rule.name);
  }

  Result<void> apply(const TensorRule& rule, const std::string& prefix, std::string_view rest) const {
    const std::string name = fmt::format("{}{}", prefix, rest);
    const Tensor* other = rule.alternative.empty()
                              ? nullptr
                              : find_tensor(table.tensors, fmt::format("{}{}", prefix, rule.alternative));
    if (const Tensor* tensor = find_tensor(table.tensors, name)) {
      if (other == nullptr) return against(*tensor, rule);
      return bad_input(fmt::format("{}: stands in the place of {}, which is there", describe(table, *tensor),
                                   table.name_in_file(other->name)));
    }
    if (rule.presence == Presence::optional || is_prediction(name) || other != nullptr) return {};
    return bad_input(fmt::format("tensor {} ({}): is missing", table.name_in_file(name), table.place));
  }

  /// Whether the tensor is of a block that no step reads: whatever of it is there must fit.
  bool is_prediction(std::string_view name) const {
    const auto parsed = split_number(name, kLayerPrefix);
    return parsed && parsed->number >= params.layers;
  }

  Result<void> against(const Tensor& tensor, const TensorRule& rule) const {
    const int64_t depth = rule.depth != nullptr ? rule.depth(params) : 1;
    const int64_t rows = rule.rows != nullptr ? rule.rows(params) : 1;
    const int64_t cols = rule.cols(params);
    if (tensor.depth != depth || tensor.rows != rows || tensor.cols != cols)
      return bad_input(fmt::format("{}: is {} x {} x {}, the hyper-parameters ask for {} x {} x {}",
                                   describe(table, tensor), tensor.depth, tensor.rows, tensor.cols, depth,
                                   rows, cols));
    if (rule.rows == nullptr ? !is_float_type(tensor.type) : !is_weight_type(tensor.type))
      return bad_input(
          fmt::format("{}: type {} cannot hold it", describe(table, tensor), info(tensor.type).name));
    return {};
  }

  /// A bias in some layers alone is more likely a tensor out of place than a model.
  Result<void> in_all_layers_or_none(const TensorRule& rule) const {
    const Tensor* first = nullptr;
    int32_t layers = 0;
    for (int32_t layer = 0; layer < params.layers; ++layer) {
      const std::string name = fmt::format("{}{}.{}", kLayerPrefix, layer, rule.name);
      const Tensor* tensor = find_tensor(table.tensors, name);
      if (tensor == nullptr) continue;
      if (first == nullptr) first = tensor;
      ++layers;
    }
    if (layers == 0 || layers == params.layers) return {};
    return bad_input(
        fmt::format("{}: {} of {} layers have one", describe(table, *first), layers, params.layers));
  }

  Result<void> not_left_over(const Tensor& tensor) const {
    const auto parsed = split_number(tensor.name, kLayerPrefix);
    if (!parsed && find_rule(architecture.tensors, tensor.name) != nullptr) return {};
    if (parsed && parsed->number >= params.layers + params.prediction_layers)
      return bad_input(fmt::format("{}: the model has {} layers", describe(table, tensor), params.layers));
    if (parsed && in_layer(parsed->number, parsed->rest)) return {};
    return bad_input(
        fmt::format("{}: architecture {} has no such tensor", describe(table, tensor), architecture.name));
  }

  bool in_layer(int32_t layer, std::string_view name) const {
    if (layer >= params.layers && find_rule(kPredictionTensors, name) != nullptr) return true;
    const auto expert = split_expert_name(name);
    const TensorRule* rule = find_rule(architecture.layer_tensors, expert ? expert->stack : name);
    if (rule == nullptr || (rule->condition != nullptr && !rule->condition(params, layer))) return false;
    const bool apart = rule->of_experts && table.experts_apart;
    return apart ? expert && expert->expert < params.experts.count : !expert;
  }
};

}  // namespace

const Tensor* find_tensor(std::span<const Tensor> tensors, std::string_view name) {
  const auto found = std::ranges::lower_bound(tensors, name, {}, &Tensor::name);
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

Result<void> check_tensors(const TensorTable& table, const Architecture& architecture,
                           const HyperParameters& params) {
  const Check check{table, architecture, params};
  for (const TensorRule& rule : architecture.tensors)
    if (auto checked = check.apply(rule, ""); !checked) return checked;
  const int32_t blocks = params.layers + params.prediction_layers;
  for (int32_t layer = 0; layer < blocks; ++layer)
    if (auto checked = check.layer(layer); !checked) return checked;
  for (const TensorRule& rule : architecture.layer_tensors)
    if (rule.presence == Presence::optional)
      if (auto checked = check.in_all_layers_or_none(rule); !checked) return checked;
  for (int32_t block = params.layers; block < blocks; ++block)
    for (const TensorRule& rule : kPredictionTensors)
      if (auto checked = check.apply(rule, fmt::format("{}{}.", kLayerPrefix, block)); !checked)
        return checked;
  for (const Tensor& tensor : table.tensors)
    if (auto checked = check.not_left_over(tensor); !checked) return checked;
  return {};
}

}  // namespace baleen
