// GGUF files of models with experts, latents and prediction blocks.
#include <algorithm>
#include <iterator>
#include <limits>

#include "malformed/gguf_cases.h"

namespace baleen::test {
namespace {

void add_fields(GgufCases& cases) {
  const auto set = [&](const std::string& key, int64_t value, const std::string& named = "") {
    const std::string full = "deepseek2." + key;
    cases.add(full + " = " + std::to_string(value), named.empty() ? full : named,
              [&](TinyGguf& f) { f.set({full, 11, raw(value)}); });
  };
  for (const std::string key :
       {"expert_count", "expert_used_count", "expert_feed_forward_length", "attention.kv_lora_rank",
        "rope.dimension_count", "attention.key_length_mla", "attention.value_length_mla"}) {
    const std::string full = "deepseek2." + key;
    if (!key.contains("_mla")) cases.add("no " + full, full, [&](TinyGguf& f) { f.erase_entry(full); });
    cases.add(full + " as text", full, [&](TinyGguf& f) { f.set_text(full, "4"); });
    cases.add(full + " as an array", full,
              [&](TinyGguf& f) { f.set_numbers<uint32_t>(full, GgufType::u32, {4, 4, 4}); });
    for (const int64_t value :
         {int64_t{0}, int64_t{-1}, int64_t{1} << 31, int64_t{1} << 32, std::numeric_limits<int64_t>::max()})
      set(key, value);
  }
  cases.add("a value length of no head", "deepseek2.attention.value_length_mla",
            [](TinyGguf& f) { f.erase_entry("deepseek2.attention.value_length_mla"); });
  for (const int64_t value : {5, 65'537}) set("expert_used_count", value);
  set("expert_used_count", 3, "deepseek2.expert_group_used_count");
  for (const int64_t value : {-1, 65'537}) set("expert_shared_count", value);
  for (const int64_t value : {-1, 2, 3, 1 << 30}) set("leading_dense_block_count", value);
  for (const int64_t value : {0, -1, 3, 4, 5}) set("expert_group_count", value);
  for (const int64_t value : {0, -1, 3}) set("expert_group_used_count", value);
  for (const int64_t value : {0, 3, -1, 4}) set("expert_gating_func", value);
  for (const int64_t value : {-1, 3, 4, 65}) set("nextn_predict_layers", value);
  for (const int64_t value : {0, -1, 65'537}) set("attention.q_lora_rank", value);
  for (const int64_t value : {1, 3, 5, 65'537}) set("rope.dimension_count", value);
  set("rope.dimension_count", 6, "deepseek2.attention.key_length_mla");
  set("attention.key_length_mla", 2);
  for (const int64_t value : {5, 192}) set("attention.key_length", value);
  for (const int64_t value : {3, 128}) set("attention.value_length", value);
  for (const int64_t value : {0, 3, 4}) set("attention.head_count_kv", value);
  const std::string scale = "deepseek2.expert_weights_scale";
  for (const float value :
       {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    cases.add(scale + " = " + std::to_string(value), scale, [&](TinyGguf& f) { f.set_f32(scale, value); });
  cases.add("a number for a flag", "deepseek2.expert_weights_norm",
            [](TinyGguf& f) { f.set_u32("deepseek2.expert_weights_norm", 1); });
}

/// Each number against the tensors as they are.
void add_contradictions(GgufCases& cases) {
  const struct {
    const char* key;
    uint32_t value;
    const char* named;
  } kCases[] = {
      {"expert_count", 6, "blk.1.ffn_gate_inp.weight"},
      {"expert_feed_forward_length", 8, "blk.1.ffn_gate_exps.weight"},
      {"expert_shared_count", 2, "blk.1.ffn_gate_shexp.weight"},
      {"expert_shared_count", 0, "shexp.weight"},
      {"leading_dense_block_count", 0, "blk.0.ffn_gate"},
      {"attention.q_lora_rank", 5, "blk.0.attn_q_a.weight"},
      {"attention.head_count", 4, "blk.0.attn_q_b.weight"},
      {"attention.key_length_mla", 8, "blk.0.attn_q_b.weight"},
      {"attention.value_length_mla", 8, "blk.0.attn_v_b.weight"},
      {"nextn_predict_layers", 0, "blk."},
      {"nextn_predict_layers", 2, "deepseek2.leading_dense_block_count"},
      {"block_count", 4, "blk.2."},
  };
  for (const auto& each : kCases)
    cases.add(std::string(each.key) + " = " + std::to_string(each.value), each.named,
              [&](TinyGguf& f) { f.set_u32("deepseek2." + std::string(each.key), each.value); });
  cases.add("no rank of queries, but its tensors", "blk.0.attn_q.weight",
            [](TinyGguf& f) { f.erase_entry("deepseek2.attention.q_lora_rank"); });
  cases.add("V3.2 without its indexer", "deepseek32.", [](TinyGguf& f) {
    for (TinyEntry& entry : f.entries)
      if (entry.key.starts_with("deepseek2.")) entry.key.insert(8, "3");
    f.set_text("general.architecture", "deepseek32");
  });
}

void add_tensors(GgufCases& cases) {
  for (const TinyTensor& tensor : TinyGguf::deepseek2().tensors) {
    const std::string name = tensor.name;
    if (name.starts_with("blk.0.ffn") || name.starts_with("blk.1.") || name.contains("attn_"))
      if (!name.starts_with("blk.2.") && !name.ends_with("exp_probs_b.bias"))
        cases.add("no " + name, name.ends_with("_b.weight") ? "blk." : name,
                  [&](TinyGguf& f) { f.erase_tensor(name); });
    cases.add(name + " with another column", name, [&](TinyGguf& f) { ++f.tensor(name).dimensions[0]; });
  }
  for (const char* name :
       {"blk.1.ffn_gate_exps.weight", "blk.1.ffn_down_exps.weight", "blk.0.attn_k_b.weight"}) {
    cases.add(std::string(name) + " with one more in the stack", name,
              [&](TinyGguf& f) { ++f.tensor(name).dimensions[2]; });
    cases.add(std::string(name) + " as one matrix", name,
              [&](TinyGguf& f) { f.tensor(name).dimensions.resize(2); });
  }
  cases.add("a bias in one layer only", "exp_probs_b.bias",
            [](TinyGguf& f) { f.erase_tensor("blk.1.exp_probs_b.bias"); });
  for (const char* name :
       {"blk.0.ffn_gate_exps.weight", "blk.0.exp_probs_b.bias", "blk.1.ffn_gate.weight",
        "blk.1.ffn_gate_exps.0.weight", "blk.1.attn_q.weight", "blk.1.indexer.proj.weight",
        "blk.1.nextn.enorm.weight", "blk.3.nextn.enorm.weight", "blk.2.nextn.other.weight"})
    cases.add(std::string("left over: ") + name, name,
              [&](TinyGguf& f) { f.tensors.push_back({name, {8}}); });
}

void add_yarn(GgufCases& cases) {
  const auto set = [&](const char* key, float value) {
    const std::string full = std::string("deepseek2.rope.scaling.") + key;
    cases.add(full + " = " + std::to_string(value), full, [&](TinyGguf& f) {
      f.set_text("deepseek2.rope.scaling.type", "yarn");
      f.set_f32("deepseek2.rope.scaling.factor", 40);
      f.set_f32("deepseek2.rope.scaling.yarn_log_multiplier", 0.1F);
      f.set_f32(full, value);
    });
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInfinite = std::numeric_limits<float>::infinity();
  for (const char* key : {"factor", "attn_factor", "yarn_beta_fast", "yarn_beta_slow"})
    for (const float value : {0.0F, -1.0F, 1e30F, kNan, kInfinite}) set(key, value);
  for (const float value : {-0.1F, 1e30F, kNan, kInfinite}) set("yarn_log_multiplier", value);
}

std::vector<MalformedCase> older_cases() {
  GgufCases cases(TinyGguf::deepseek2_older);
  const std::string name = "blk.0.attn_kv_b.weight";
  for (const char* key : {"key_length", "value_length"}) {
    const std::string full = std::string("deepseek2.attention.") + key;
    cases.add("no " + full, full, [&](TinyGguf& f) { f.erase_entry(full); });
    for (const uint32_t value : {0U, 1U, 65'537U})
      cases.add(full + " = " + std::to_string(value), full, [&](TinyGguf& f) { f.set_u32(full, value); });
  }
  cases.add("a value length of no tensor's", name,
            [](TinyGguf& f) { f.set_u32("deepseek2.attention.value_length", 5); });
  cases.add("KV heads of another number", "deepseek2.attention.head_count_kv",
            [](TinyGguf& f) { f.set_u32("deepseek2.attention.head_count_kv", 3); });
  cases.add("neither form of keys and values", "blk.1.attn_k",
            [](TinyGguf& f) { f.erase_tensor("blk.1.attn_kv_b.weight"); });
  for (const size_t dimension : {0U, 1U})
    cases.add("one more in dimension " + std::to_string(dimension), name,
              [&](TinyGguf& f) { ++f.tensor(name).dimensions[dimension]; });
  cases.add("a stack", name, [&](TinyGguf& f) { f.tensor(name).dimensions = {4, 8, 2}; });
  for (const char* other : {"blk.0.attn_k_b.weight", "blk.0.attn_v_b.weight"})
    cases.add(std::string("both forms: ") + other, other,
              [&](TinyGguf& f) { f.tensors.push_back({other, {4, 4, 2}}); });
  return cases.take();
}

std::vector<MalformedCase> indexer_cases() {
  GgufCases cases(TinyGguf::deepseek32);
  for (const char* key : {"head_count", "key_length", "top_k"}) {
    const std::string full = std::string("deepseek32.attention.indexer.") + key;
    cases.add("no " + full, full, [&](TinyGguf& f) { f.erase_entry(full); });
    cases.add(full + " as text", full, [&](TinyGguf& f) { f.set_text(full, "2"); });
    for (const uint32_t value : {0U, 1U << 31, (1U << 30) + 1})
      cases.add(full + " = " + std::to_string(value), full, [&](TinyGguf& f) { f.set_u32(full, value); });
  }
  cases.add("other heads than the tensors", "blk.0.indexer.attn_q_b.weight",
            [](TinyGguf& f) { f.set_u32("deepseek32.attention.indexer.head_count", 3); });
  cases.add("other keys than the tensors", "blk.0.indexer.",
            [](TinyGguf& f) { f.set_u32("deepseek32.attention.indexer.key_length", 6); });
  cases.add("queries that are not compressed", "deepseek32.attention.q_lora_rank",
            [](TinyGguf& f) { f.erase_entry("deepseek32.attention.q_lora_rank"); });
  for (const TinyTensor& tensor : TinyGguf::deepseek32().tensors) {
    if (!tensor.name.contains("indexer.")) continue;
    cases.add("no " + tensor.name, tensor.name, [&](TinyGguf& f) { f.erase_tensor(tensor.name); });
    cases.add(tensor.name + " with another column", tensor.name,
              [&](TinyGguf& f) { ++f.tensor(tensor.name).dimensions[0]; });
  }
  cases.add("a norm in Q8_0", "blk.0.indexer.k_norm.weight", [](TinyGguf& f) {
    f.set_u32("deepseek32.attention.indexer.key_length", 32);
    for (const std::string layer : {"blk.0.", "blk.1."}) {
      f.tensor(layer + "indexer.attn_q_b.weight").dimensions[1] = 64;
      f.tensor(layer + "indexer.attn_k.weight").dimensions[1] = 32;
      for (const char* end : {"weight", "bias"}) f.tensor(layer + "indexer.k_norm." + end).dimensions = {32};
    }
    f.tensor("blk.0.indexer.k_norm.weight").type = 8;
  });
  return cases.take();
}

std::vector<MalformedCase> qwen3moe_cases() {
  GgufCases cases(TinyGguf::qwen3moe);
  for (const char* key : {"expert_count", "expert_used_count", "expert_feed_forward_length"}) {
    const std::string full = std::string("qwen3moe.") + key;
    cases.add("no " + full, full, [&](TinyGguf& f) { f.erase_entry(full); });
    for (const uint32_t value : {0U, 1U << 31})
      cases.add(full + " = " + std::to_string(value), full, [&](TinyGguf& f) { f.set_u32(full, value); });
  }
  const auto contradict = [&](const char* key, uint32_t value, const char* named) {
    cases.add(std::string(key) + " = " + std::to_string(value), named,
              [&](TinyGguf& f) { f.set_u32(std::string("qwen3moe.") + key, value); });
  };
  contradict("expert_used_count", 5, "qwen3moe.expert_used_count");
  contradict("expert_shared_count", 1, "qwen3moe.expert_shared_count");
  contradict("leading_dense_block_count", 2, "qwen3moe.leading_dense_block_count");
  contradict("leading_dense_block_count", 1, "blk.0.ffn_gate.weight");
  contradict("expert_group_count", 3, "qwen3moe.expert_group_count");
  contradict("expert_gating_func", 3, "qwen3moe.expert_gating_func");
  contradict("expert_count", 5, "blk.0.ffn_gate_inp.weight");
  contradict("expert_feed_forward_length", 8, "blk.0.ffn_gate_exps.weight");
  for (const TinyTensor& tensor : TinyGguf::qwen3moe().tensors) {
    if (!tensor.name.starts_with("blk.1.")) continue;
    cases.add("no " + tensor.name, tensor.name, [&](TinyGguf& f) { f.erase_tensor(tensor.name); });
    cases.add(tensor.name + " with another column", tensor.name,
              [&](TinyGguf& f) { ++f.tensor(tensor.name).dimensions[0]; });
  }
  for (const char* name : {"blk.0.ffn_gate.weight", "blk.0.exp_probs_b.bias", "blk.0.ffn_gate_shexp.weight",
                           "blk.0.ffn_gate_exps.0.weight"})
    cases.add(std::string("left over: ") + name, name,
              [&](TinyGguf& f) { f.tensors.push_back({name, {8}}); });
  return cases.take();
}

}  // namespace

std::vector<MalformedCase> deepseek_gguf_cases() {
  GgufCases cases(TinyGguf::deepseek2);
  add_fields(cases);
  add_contradictions(cases);
  add_tensors(cases);
  add_yarn(cases);
  std::vector<MalformedCase> all = cases.take();
  for (const auto& family : {older_cases, indexer_cases, qwen3moe_cases})
    std::ranges::move(family(), std::back_inserter(all));
  return all;
}

}  // namespace baleen::test
