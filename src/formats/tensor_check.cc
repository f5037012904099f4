#include "formats/tensor_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

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
    case BlockType::f8_e4m3:
    case BlockType::q8_1:
    case BlockType::q8_k:
      return false;
    default:
      return true;
  }
}

struct Check {
  const TensorTable& table;
  const Architecture& architecture;
  const HyperParameters& params;

  /// All tensors of one rule set, their names behind `prefix`.
  Result<void> run(std::span<const TensorRule> rules, std::string_view prefix) const {
    for (const TensorRule& rule : rules) {
      const std::string name = fmt::format("{}{}", prefix, rule.name);
      if (const Tensor* tensor = find_tensor(table.tensors, name)) {
        if (auto checked = against(*tensor, rule); !checked) return checked;
      } else if (rule.presence == Presence::required) {
        return bad_input(fmt::format("tensor {} ({}): is missing", table.name_in_file(name), table.place));
      }
    }
    return {};
  }

  Result<void> against(const Tensor& tensor, const TensorRule& rule) const {
    const int64_t rows = rule.rows != nullptr ? rule.rows(params) : 1;
    const int64_t cols = rule.cols(params);
    if (tensor.depth != 1 || tensor.rows != rows || tensor.cols != cols)
      return bad_input(fmt::format("{}: is {} x {} x {}, the hyper-parameters ask for {} x {}",
                                   describe(table, tensor), tensor.depth, tensor.rows, tensor.cols, rows,
                                   cols));
    if (rule.rows == nullptr ? !is_float_type(tensor.type) : !is_weight_type(tensor.type))
      return bad_input(
          fmt::format("{}: type {} cannot hold it", describe(table, tensor), info(tensor.type).name));
    return {};
  }

  Result<void> not_left_over(const Tensor& tensor) const;
};

struct LayerName {
  int32_t layer;
  std::string_view name;
};

/// "blk.3.attn_q.weight" in its parts.
std::optional<LayerName> parse_layer_name(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  LayerName parsed{};
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), parsed.layer);
  const auto digits = static_cast<size_t>(end - name.data());
  if (error != std::errc() || digits == name.size() || name[digits] != '.' || parsed.layer < 0)
    return std::nullopt;
  if (std::to_string(parsed.layer).size() != digits) return std::nullopt;  // 007
  parsed.name = name.substr(digits + 1);
  return parsed;
}

Result<void> Check::not_left_over(const Tensor& tensor) const {
  const auto in = [](std::span<const TensorRule> rules, std::string_view name) {
    return std::ranges::find(rules, name, &TensorRule::name) != rules.end();
  };
  const auto parsed = parse_layer_name(tensor.name);
  if (parsed && parsed->layer >= params.layers)
    return bad_input(fmt::format("{}: the model has {} layers", describe(table, tensor), params.layers));
  if (parsed ? in(architecture.layer_tensors, parsed->name) : in(architecture.tensors, tensor.name))
    return {};
  return bad_input(
      fmt::format("{}: architecture {} has no such tensor", describe(table, tensor), architecture.name));
}

}  // namespace

const Tensor* find_tensor(std::span<const Tensor> tensors, std::string_view name) {
  const auto found = std::ranges::lower_bound(tensors, name, {}, &Tensor::name);
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

Result<void> check_tensors(const TensorTable& table, const Architecture& architecture,
                           const HyperParameters& params) {
  const Check check{table, architecture, params};
  if (auto checked = check.run(architecture.tensors, ""); !checked) return checked;
  for (int32_t layer = 0; layer < params.layers; ++layer)
    if (auto checked = check.run(architecture.layer_tensors, fmt::format("blk.{}.", layer)); !checked)
      return checked;
  for (const Tensor& tensor : table.tensors)
    if (auto checked = check.not_left_over(tensor); !checked) return checked;
  return {};
}

}  // namespace baleen
