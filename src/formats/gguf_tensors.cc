#include "formats/gguf_tensors.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "formats/tensor_name.h"

namespace baleen {
namespace {

using Made = GgufTensor::Made;

constexpr std::string_view kKeysAndValues = "attn_kv_b.weight";

GgufTensor whole(const Tensor& tensor) {
  GgufTensor made{.tensor = tensor, .parts = {&tensor}};
  made.tensor.bytes = {};
  made.tensor.scales = {};
  return made;
}

GgufTensor half(const Tensor& kv_b, Made made, std::array<int64_t, 3> shape) {
  GgufTensor half = whole(kv_b);
  half.made = made;
  const std::string_view name = made == Made::latent_keys ? "attn_k_b.weight" : "attn_v_b.weight";
  half.tensor.name.replace(half.tensor.name.size() - kKeysAndValues.size(), std::string::npos, name);
  half.tensor.dimensions = 3;
  half.tensor.depth = shape[0];
  half.tensor.rows = shape[1];
  half.tensor.cols = shape[2];
  return half;
}

/// Experts that lie apart, as their stacks.
class Stacks {
 public:
  explicit Stacks(int32_t experts) : experts_(static_cast<size_t>(experts)) {}

  /// Whether the tensor is an expert's.
  bool take(const Tensor& tensor) {
    const auto layer = split_number(tensor.name, kLayerPrefix);
    const auto expert = layer ? split_expert_name(layer->rest) : std::nullopt;
    if (!expert) return false;
    const std::string prefix = tensor.name.substr(0, tensor.name.size() - layer->rest.size());
    auto& parts = stacks_[prefix + expert->stack];
    parts.resize(experts_);
    parts[static_cast<size_t>(expert->expert)] = &tensor;
    return true;
  }

  void move_to(std::vector<GgufTensor>& tensors) {
    for (auto& [name, parts] : stacks_) {
      GgufTensor stack = whole(*parts.front());
      stack.tensor.name = name;
      stack.tensor.dimensions = 3;
      stack.tensor.depth = static_cast<int64_t>(parts.size());
      stack.parts = std::move(parts);
      tensors.push_back(std::move(stack));
    }
  }

 private:
  size_t experts_;
  std::map<std::string, std::vector<const Tensor*>> stacks_;
};

}  // namespace

std::vector<GgufTensor> gguf_tensors(const Checkpoint& checkpoint) {
  const HyperParameters& params = checkpoint.params();
  const LatentParameters& latent = params.latent;
  std::vector<GgufTensor> tensors;
  Stacks stacks(params.experts.count);
  for (const Tensor& tensor : checkpoint.tensors()) {
    if (checkpoint.is_folder() && tensor.name.ends_with(kKeysAndValues)) {
      tensors.push_back(half(tensor, Made::latent_keys, {params.heads, latent.kv_rank, latent.nope_dim}));
      tensors.push_back(half(tensor, Made::latent_values, {params.heads, latent.value_dim, latent.kv_rank}));
    } else if (!stacks.take(tensor)) {
      tensors.push_back(whole(tensor));
    }
  }
  stacks.move_to(tensors);
  std::ranges::sort(tensors, {}, [](const GgufTensor& each) { return std::string_view(each.tensor.name); });
  return tensors;
}

}  // namespace baleen
